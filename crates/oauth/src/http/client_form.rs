//! A form that a client sends and authenticates with: the request of the token and revocation endpoints.

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use oauth_types::{ClientCredentials, ErrorCode, Parameters};

use super::token_error::TokenError;

/// The parameters, and what the client proves itself with.
pub(super) struct ClientForm {
    pub(super) parameters: Parameters,
    authorization: Option<String>,
}

impl ClientForm {
    pub(super) fn credentials(&self) -> Result<ClientCredentials, TokenError> {
        Ok(ClientCredentials::read(self.authorization.as_deref(), &self.parameters)?)
    }
}

impl<S: Send + Sync> FromRequest<S> for ClientForm {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let authorization = request.headers().get(header::AUTHORIZATION).map(|it| it.to_str().map(str::to_owned));
        let authorization = authorization.transpose().map_err(|_| malformed("the Authorization header is not text"))?;
        let parameters = read_form(request, state).await?;
        Ok(Self { parameters, authorization })
    }
}

/// Reads a form body. Anything in the query is ignored: a secret in a URL ends up in logs (RFC 6749 section 2.3.1).
pub(super) async fn read_form<S: Send + Sync>(request: Request, state: &S) -> Result<Parameters, Response> {
    if !is_form(request.headers()) {
        return Err(malformed("the content type must be application/x-www-form-urlencoded"));
    }
    let body = Bytes::from_request(request, state).await.map_err(IntoResponse::into_response)?;
    if body.is_empty() {
        return Err(malformed("the body is empty"));
    }
    Parameters::parse(&body).map_err(|error| TokenError::from(error).into_response())
}

fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn malformed(hint: &str) -> Response {
    TokenError::new(ErrorCode::InvalidRequest, hint).into_response()
}
