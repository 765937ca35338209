//! Refusals before any handler: an unknown path, a method that the path does not allow, a query or a body that the framework
//! cannot read. They are answered in the error format of the service.
//!
//! Invariant inside this layer: the request has one host (RFC 9112 section 3.2), its path and query are within their bounds,
//! and neither contains the character U+0000, which PostgreSQL cannot store.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use base::NulCharacter;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, LOCATION, TRANSFER_ENCODING};
use http::{HeaderMap, StatusCode, Version};
use serde_json::json;
use service::ErrorFormat;
use url::form_urlencoded;
use web::middleware::{self, Next};
use web::{NoStore, RestError};

use super::error_pages::AddressRefused;
use super::path::without_doubled_start;

/// The framework's messages are short.
const LONGEST_SENTENCE: usize = 4 * 1024;

/// The representation of refusals in an error format.
pub(crate) trait Refusals {
    /// The body of the response to bytes that are not an HTTP request.
    fn malformed_request(self) -> fn(StatusCode) -> String;

    fn refusal(self, status: StatusCode, reason: &str) -> Response;
}

impl Refusals for ErrorFormat {
    fn malformed_request(self) -> fn(StatusCode) -> String {
        match self {
            Self::Rest => web::listener::ListenerLimits::default().malformed_request,
            Self::OAuth => |_| {
                let reason = "The request line or a header field is malformed or too long.";
                json!({ "error": "invalid_request", "error_description": reason }).to_string()
            },
        }
    }

    fn refusal(self, status: StatusCode, reason: &str) -> Response {
        match self {
            Self::Rest => {
                let message = match status {
                    StatusCode::NOT_FOUND => "There is no such resource",
                    StatusCode::METHOD_NOT_ALLOWED => "The resource does not support this method",
                    StatusCode::PAYLOAD_TOO_LARGE => "The request is too large",
                    StatusCode::URI_TOO_LONG => "The address of the request is too long",
                    StatusCode::UNSUPPORTED_MEDIA_TYPE => "The media type is not supported",
                    StatusCode::REQUEST_TIMEOUT => "The request did not arrive in time",
                    StatusCode::TOO_MANY_REQUESTS => "This client sends too much at one time",
                    StatusCode::SERVICE_UNAVAILABLE => "The service is busy, please try again",
                    _ => "The request cannot be accepted as it is",
                };
                RestError::new(status, message).with_reason(reason).into_response()
            }
            Self::OAuth => {
                let error = match status {
                    StatusCode::NOT_FOUND => "not_found",
                    StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
                    _ => "invalid_request",
                };
                let body = axum::Json(json!({ "error": error, "error_description": reason }));
                NoStore((status, body)).into_response()
            }
        }
    }
}

/// Adds the layer to `router`, including its unknown paths.
pub(crate) fn in_format(format: ErrorFormat, router: Router) -> Router {
    let unknown =
        move || async move { format.refusal(StatusCode::NOT_FOUND, "There is no such path on this listener.") };
    router.fallback(unknown).layer(middleware::from_fn_with_state(format, answer_in_format))
}

async fn answer_in_format(State(format): State<ErrorFormat>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    // A decision is about a request to an application, which has its own bounds.
    let is_decision = parts.uri.path().starts_with("/decisions");
    if let Err((status, reason)) = web::bounds::check_target(&parts.uri)
        && !is_decision
    {
        return address_refused(format.refusal(status, &reason));
    }
    if let Err(reason) = check(&parts) {
        return address_refused(format.refusal(StatusCode::BAD_REQUEST, &reason));
    }
    if let Some(location) = without_doubled_start(&parts.uri) {
        return (StatusCode::PERMANENT_REDIRECT, [(LOCATION, location)]).into_response();
    }
    let response = next.run(Request::from_parts(parts, body)).await;
    if is_of_the_framework(&response) { rephrased(format, response).await } else { response }
}

/// The checks that no handler should need to make.
fn check(parts: &Parts) -> Result<(), String> {
    if parts.version == Version::HTTP_11 && parts.headers.get_all(HOST).iter().count() != 1 {
        return Err("Host: the header must be present exactly once".to_owned());
    }
    if parts.uri.path().contains("%00") {
        return Err(NulCharacter { field: "path".to_owned() }.to_string());
    }
    let query = parts.uri.query().unwrap_or_default();
    if query.contains("%00") {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs
            .try_for_each(|(name, value)| NulCharacter::refuse(&name, &value))
            .map_err(|refused| refused.to_string())?;
    }
    Ok(())
}

/// Whether the framework made the response: only its refusals are plain text or have no body.
fn is_of_the_framework(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE);
    response.status().is_client_error() && kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"))
}

async fn rephrased(format: ErrorFormat, response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let sentence = sentence(parts.status, body).await;
    let mut refusal = format.refusal(parts.status, &sentence);
    keep(&parts.headers, refusal.headers_mut());
    address_refused(refusal)
}

fn address_refused(mut response: Response) -> Response {
    response.extensions_mut().insert(AddressRefused);
    response
}

async fn sentence(status: StatusCode, body: Body) -> String {
    let message = to_bytes(body, LONGEST_SENTENCE).await.unwrap_or_default();
    match std::str::from_utf8(&message).map(str::trim) {
        _ if status == StatusCode::PAYLOAD_TOO_LARGE => "The body is larger than this endpoint accepts.".to_owned(),
        Ok(message) if !message.is_empty() => message.to_owned(),
        _ if status == StatusCode::METHOD_NOT_ALLOWED => {
            "The header Allow lists the methods that this path supports.".to_owned()
        }
        _ => status.canonical_reason().unwrap_or("The request cannot be accepted.").to_owned(),
    }
}

/// Keeps the other headers of the refusal, such as `Allow`.
fn keep(from: &HeaderMap, to: &mut HeaderMap) {
    for (name, value) in from {
        if ![CONTENT_TYPE, CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION].contains(name) {
            to.append(name, value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::extract::{Path, Query};
    use axum::routing::get;
    use http::header::ALLOW;
    use tower::ServiceExt as _;

    use super::*;

    #[derive(serde::Deserialize)]
    struct Paging {
        #[serde(default)]
        page: u32,
    }

    async fn ask(
        format: ErrorFormat,
        method: &str,
        target: &str,
        hosts: usize,
    ) -> (StatusCode, HeaderMap, serde_json::Value) {
        let router = Router::new()
            .route("/numbers", get(|Query(paging): Query<Paging>| async move { paging.page.to_string() }))
            .route("/names/{name}", get(|Path(name): Path<String>| async move { name }));
        let mut request = Request::builder().method(method).uri(target);
        for _ in 0..hosts {
            request = request.header(HOST, "a.example");
        }
        let answer = in_format(format, router).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, 10_000).await.unwrap();
        (parts.status, parts.headers, serde_json::from_slice(&body).unwrap_or_default())
    }

    #[tokio::test]
    async fn refusals_of_the_framework_are_in_the_format_of_the_service() {
        for (method, target, status, named) in [
            ("GET", "/nothing", 404, "path"),
            ("GET", "/numbers?page=x", 400, "page"),
            ("GET", "/names/%ff", 400, "UTF-8"),
            ("GET", "/names/a%00b", 400, "path"),
            ("GET", "/numbers?b=%00", 400, "b: "),
            ("GET", &format!("/numbers?{}", "a=1&".repeat(300)), 400, "parameters"),
            ("GET", &format!("/numbers?{}", "a".repeat(40_000)), 414, "bytes"),
            ("POST", "/numbers", 405, "Allow"),
        ] {
            let (found, headers, body) = ask(ErrorFormat::Rest, method, target, 1).await;
            assert_eq!((found.as_u16(), &body["error"]["code"]), (status, &json!(status)), "{target}: {body}");
            assert!(body["error"]["reason"].as_str().unwrap().contains(named), "{target}: {body}");
            assert_eq!(headers.contains_key(ALLOW), status == 405, "{target}");
            let (found, _, body) = ask(ErrorFormat::OAuth, method, target, 1).await;
            assert_eq!(found.as_u16(), status, "{target}: {body}");
            assert!(body["error"].is_string(), "{target}: {body}");
            assert!(body["error_description"].as_str().unwrap().contains(named), "{target}: {body}");
        }
        let (found, ..) = ask(ErrorFormat::Rest, "GET", "/numbers?page=7&b=%2500", 1).await;
        assert_eq!(found, StatusCode::OK);
    }

    #[tokio::test]
    async fn a_request_names_one_host() {
        for hosts in [0, 2] {
            let (found, _, body) = ask(ErrorFormat::Rest, "GET", "/numbers", hosts).await;
            assert_eq!(found, StatusCode::BAD_REQUEST);
            assert!(body["error"]["reason"].as_str().unwrap().starts_with("Host"), "{body}");
        }
    }
}
