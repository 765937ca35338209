//! Cross-origin requests of clients that run in a browser (`allowed_cors_origins`; the Fetch standard's CORS protocol).
//!
//! Invariants: a response is readable by pages of the origins that its own client registered, and by no others. These
//! endpoints use no cookies, so credentials are not allowed. Public documents are readable by every origin.

use std::sync::{Arc, OnceLock};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use oauth_types::ClientCredentials;
use web::middleware::Next;
use web::{Cx, matches_origin};

use crate::OAuth;
use crate::domain::client::ClientId;

/// The client of a request, recorded by its handler.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestingClient(Arc<OnceLock<ClientId>>);

impl RequestingClient {
    pub(crate) fn note(request: &Request) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or_default()
    }

    pub(crate) fn is(&self, client: &ClientId) {
        // The first word counts; there is no second one.
        let _ = self.0.set(client.clone());
    }

    /// The client that the credentials name, authenticated or not: only pages of its origins may read the answer.
    pub(crate) fn claimed_by(&self, credentials: &ClientCredentials) {
        let claimed = match credentials {
            ClientCredentials::Basic { client_id, .. }
            | ClientCredentials::Post { client_id, .. }
            | ClientCredentials::None { client_id }
            | ClientCredentials::Assertion { client_id: Some(client_id), .. } => client_id,
            ClientCredentials::Assertion { client_id: None, .. } => return,
        };
        if let Ok(client) = ClientId::parse(claimed) {
            self.is(&client);
        }
    }
}

/// For endpoints that clients call with credentials or tokens.
pub(crate) async fn of_the_client(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(origin) = request.headers().get(header::ORIGIN).cloned() else { return next.run(request).await };
    if is_preflight(&request) {
        // A preflight request does not name the client; only the response to the actual request must be protected.
        return preflight(&origin);
    }
    let client = RequestingClient::default();
    request.extensions_mut().insert(client.clone());
    let mut response = next.run(request).await;
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
    let Some(id) = client.0.get() else { return response };
    match oauth.clients.find(cx.tenant, id).await {
        Ok(Some(client)) if admits(&client.metadata.allowed_cors_origins, &origin) => {
            response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            let readable = HeaderValue::from_static("WWW-Authenticate, Retry-After");
            response.headers_mut().insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, readable);
            response
        }
        Ok(_) => response,
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "a client's origins could not be read");
            response
        }
    }
}

/// For public documents.
pub(crate) async fn any_origin(request: Request, next: Next) -> Response {
    if request.headers().contains_key(header::ORIGIN) && is_preflight(&request) {
        return preflight(&HeaderValue::from_static("*"));
    }
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight(origin: &HeaderValue) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Authorization, Content-Type"));
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// `*` stands for every origin, as registered by the operator.
fn admits(registered: &[String], origin: &HeaderValue) -> bool {
    let origin = origin.to_str().unwrap_or_default().to_ascii_lowercase();
    registered.iter().any(|pattern| pattern == "*" || matches_origin(&pattern.to_ascii_lowercase(), &origin))
}
