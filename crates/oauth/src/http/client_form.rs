//! A form with client authentication: the request of the token and revocation endpoints.

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use oauth_types::{ClientCredentials, ErrorCode, ParameterError, Parameters};
use serde::de::DeserializeOwned;
use serde::de::value::MapDeserializer;
use web::read_body;

use super::client_origins::RequestingClient;
use super::token::token_error::TokenError;

/// The parameters and the client's credentials.
pub(crate) struct ClientForm {
    pub(crate) parameters: Parameters,
    authorization: Option<String>,
}

impl ClientForm {
    pub(crate) fn credentials(&self) -> Result<ClientCredentials, TokenError> {
        Ok(ClientCredentials::read(self.authorization.as_deref(), &self.parameters)?)
    }
}

impl<S: Send + Sync> FromRequest<S> for ClientForm {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let authorization = request.headers().get(header::AUTHORIZATION).map(|it| it.to_str().map(str::to_owned));
        let authorization = authorization.transpose().map_err(|_| malformed("the Authorization header is not text"))?;
        let client = RequestingClient::note(&request);
        let parameters = read_form(request, state).await?;
        let form = Self { parameters, authorization };
        if let Ok(credentials) = form.credentials() {
            client.claimed_by(&credentials);
        }
        Ok(form)
    }
}

/// Parses a form body. The query is ignored: a secret in a URL ends up in logs (RFC 6749 section 2.3.1).
pub(crate) async fn read_form<S: Send + Sync>(request: Request, state: &S) -> Result<Parameters, Response> {
    if !is_form(request.headers()) {
        return Err(malformed("the content type must be application/x-www-form-urlencoded"));
    }
    let body = read_body(request, state).await.map_err(IntoResponse::into_response)?;
    if body.is_empty() {
        return Err(malformed("the body is empty"));
    }
    Parameters::parse(&body).map_err(|error| TokenError::from(error).into_response())
}

/// The parameters of a request to a browser endpoint: from its query and, with POST, from its form.
pub(crate) struct BrowserForm(pub(super) Result<Parameters, ParameterError>);

impl<S: Send + Sync> FromRequest<S> for BrowserForm {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let is_form = is_form(request.headers());
        let body = read_body(request, state).await.map_err(IntoResponse::into_response)?;
        if !body.is_empty() && !is_form {
            return Err(malformed("the content type must be application/x-www-form-urlencoded"));
        }
        Ok(Self(Parameters::parse_both(query.as_bytes(), &body)))
    }
}

/// A form of a built-in page, parsed as `T`.
pub(crate) struct PageForm<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for PageForm<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let parameters = read_form(request, state).await?;
        let fields = MapDeserializer::<_, serde::de::value::Error>::new(parameters.iter());
        T::deserialize(fields).map(Self).map_err(|error| malformed(&error.to_string()))
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    web::media_types::of_body(headers) == "application/x-www-form-urlencoded"
}

fn malformed(hint: &str) -> Response {
    TokenError::new(ErrorCode::InvalidRequest, hint).into_response()
}
