//! `GET` and `POST /userinfo` (OpenID Connect Core section 5.3). The token is sent in the Authorization header or, with
//! POST, in the form (RFC 6750 sections 2.1 and 2.2); never in the URL.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base::PlainToken;
use oauth_types::{ErrorCode, OAuthError};
use serde_json::json;
use web::{Cx, NoStore};

use crate::OAuth;
use crate::http::client_form::read_form;
use crate::http::client_origins::RequestingClient;
use crate::http::token::token_error::TokenError;
use crate::operations::userinfo::{Userinfo, UserinfoError};

pub(super) async fn handle(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    request: Request,
) -> Result<Response, Response> {
    let client = RequestingClient::note(&request);
    let token = find_token(request).await?;
    if let Some(id) = oauth.client_of_access_token(&cx, &token).await.map_err(|error| present(error.into()))? {
        client.is(&id);
    }
    match oauth.userinfo(&cx, &token).await {
        Ok(Userinfo::Claims(claims)) => Ok(NoStore(Json(claims)).into_response()),
        Ok(Userinfo::Signed(token)) => {
            Ok(NoStore(([(header::CONTENT_TYPE, "application/jwt")], token)).into_response())
        }
        Err(error) => Err(present(error)),
    }
}

async fn find_token(request: Request) -> Result<PlainToken, Response> {
    if let Some(token) = bearer(request.headers()) {
        return Ok(PlainToken::received(token));
    }
    if request.method() == Method::POST {
        let form = read_form(request, &()).await?;
        if let Some(token) = form.get("access_token") {
            return Ok(PlainToken::received(token));
        }
    }
    let error = OAuthError::new(ErrorCode::RequestUnauthorized, "The request contains no access token.");
    // RFC 6750 section 3.1: a request without a token gets only the scheme.
    Err(refuse(&error, "Bearer realm=\"oauth\"".to_owned()))
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

fn present(error: UserinfoError) -> Response {
    match error {
        // The description of the error code is sufficient.
        UserinfoError::TokenInactive => challenge(&OAuthError::from(ErrorCode::InvalidToken), ""),
        // RFC 6750 section 3.1.
        UserinfoError::NotOpenId => {
            let hint = "The access token was not issued with the scope openid.";
            challenge(&OAuthError::new(ErrorCode::InsufficientScope, hint), ",scope=\"openid\"")
        }
        UserinfoError::Key(error) => TokenError::from(error).into_response(),
        UserinfoError::Sign(error) => {
            TokenError::from(crate::components::tokens::mint::MintError::from(error)).into_response()
        }
        UserinfoError::Database(error) => TokenError::from(error).into_response(),
    }
}

fn challenge(error: &OAuthError, more: &str) -> Response {
    let description = error.description();
    refuse(error, format!("Bearer error=\"{}\",error_description=\"{description}\"{more}", error.code))
}

fn refuse(error: &OAuthError, challenge: String) -> Response {
    let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::UNAUTHORIZED);
    let body = json!({"error": error.code.as_str(), "error_description": error.description()});
    let mut response = NoStore((status, Json(body))).into_response();
    if let Ok(challenge) = HeaderValue::try_from(challenge) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}
