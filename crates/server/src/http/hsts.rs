//! `Strict-Transport-Security` (RFC 6797): after a browser reached this host over HTTPS, it never uses plain HTTP for it.

use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use base::GoDuration;
use http::HeaderValue;
use http::header::STRICT_TRANSPORT_SECURITY;
use schemars::JsonSchema;
use serde::Deserialize;
use web::RequestOrigin;
use web::middleware::{self, Next};

/// `strict_transport_security` at the top of the configuration.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct StrictTransportSecurity {
    /// How long browsers use HTTPS only (`Strict-Transport-Security`). `0s` sends no header.
    pub max_age: GoDuration,
    /// Whether this holds for all subdomains as well.
    pub include_subdomains: bool,
}

impl Default for StrictTransportSecurity {
    fn default() -> Self {
        Self { max_age: GoDuration::new(Duration::from_hours(24 * 365)), include_subdomains: false }
    }
}

impl StrictTransportSecurity {
    /// Adds the header to answers to requests that were sent over HTTPS to a host name.
    pub(crate) fn around(self, router: Router) -> Router {
        let seconds = self.max_age.get().as_secs();
        if seconds == 0 {
            return router;
        }
        let more = if self.include_subdomains { "; includeSubDomains" } else { "" };
        match HeaderValue::from_str(&format!("max-age={seconds}{more}")) {
            Ok(value) => router.layer(middleware::from_fn_with_state(value, mark)),
            Err(_) => router,
        }
    }
}

async fn mark(State(value): State<HeaderValue>, request: Request, next: Next) -> Response {
    let is_marked = request.extensions().get::<RequestOrigin>().is_some_and(may_be_marked);
    let mut response = next.run(request).await;
    if is_marked {
        response.headers_mut().entry(STRICT_TRANSPORT_SECURITY).or_insert(value);
    }
    response
}

/// RFC 6797 section 7.2: only over a secure transport. `localhost` is excluded, because the header would disable plain HTTP on
/// every port of a developer's machine.
fn may_be_marked(origin: &RequestOrigin) -> bool {
    let name = origin.host.split(':').next().unwrap_or_default();
    origin.scheme == "https" && name != "localhost" && !name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::response::IntoResponse as _;
    use serde_json::json;
    use tower::ServiceExt as _;

    use super::*;

    async fn sent(settings: serde_json::Value, scheme: &str, host: &str, own: Option<&'static str>) -> Option<String> {
        let settings: StrictTransportSecurity = serde_json::from_value(settings).unwrap();
        let answer = move || async move {
            match own {
                Some(own) => [(STRICT_TRANSPORT_SECURITY, own)].into_response(),
                None => ().into_response(),
            }
        };
        let router = settings.around(Router::new().fallback(answer));
        let mut request = Request::new(Body::empty());
        request.extensions_mut().insert(RequestOrigin { scheme: scheme.to_owned(), host: host.to_owned() });
        let response = router.oneshot(request).await.unwrap();
        response.headers().get(STRICT_TRANSPORT_SECURITY).map(|it| it.to_str().unwrap().to_owned())
    }

    #[tokio::test]
    async fn strict_transport_security_is_sent_over_https_except_for_localhost() {
        let year = Some("max-age=31536000".to_owned());
        assert_eq!(sent(json!({}), "https", "id.example", None).await, year);
        assert_eq!(sent(json!({}), "http", "id.example", None).await, None);
        assert_eq!(sent(json!({}), "https", "localhost:4433", None).await, None);
        assert_eq!(sent(json!({ "max_age": "0s" }), "https", "id.example", None).await, None);
        let settings = json!({ "max_age": "1h", "include_subdomains": true });
        assert_eq!(sent(settings, "https", "id.example:8443", None).await.unwrap(), "max-age=3600; includeSubDomains");
        assert_eq!(sent(json!({}), "https", "id.example", Some("max-age=1")).await.unwrap(), "max-age=1");
    }
}
