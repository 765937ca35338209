//! `GET /.well-known/jwks.json` (RFC 7517 section 5): the public keys.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use web::Cx;

use super::discovery::PUBLISHED;
use crate::OAuth;
use crate::http::token::token_error::TokenError;

pub(super) async fn get(State(oauth): State<Arc<OAuth>>, Cx(cx): Cx) -> Result<Response, TokenError> {
    let set = Box::pin(oauth.key_sets.published(&cx)).await?;
    Ok(([(header::CACHE_CONTROL, PUBLISHED)], Json(set.to_public_value())).into_response())
}
