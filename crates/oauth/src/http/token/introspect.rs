//! `POST /admin/oauth2/introspect` (RFC 7662 section 2). The admin listener controls the access.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use base::PlainToken;
use oauth_types::ScopeSet;
use web::{Cx, NoStore};

use super::token_error::TokenError;
use crate::OAuth;
use crate::http::client_form::read_form;

pub(super) async fn post(State(oauth): State<Arc<OAuth>>, Cx(cx): Cx, request: Request) -> Result<Response, Response> {
    let form = read_form(request, &()).await?;
    let token = form.require("token").map_err(|error| TokenError::from(error).into_response())?;
    let required = form.get("scope").map(ScopeSet::parse).unwrap_or_default();
    let introspection = oauth
        .introspect_token(&cx, &PlainToken::received(token), &required)
        .await
        .map_err(|error| TokenError::from(error).into_response())?;
    let mut response = NoStore(Json(introspection)).into_response();
    let content_type = HeaderValue::from_static("application/json;charset=UTF-8");
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    Ok(response)
}
