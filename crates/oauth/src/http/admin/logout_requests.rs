//! `/admin/oauth2/auth/requests/logout`: read, accepted and rejected by the logout application.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde_json::Value;
use web::{Cx, Json};

use super::admin_error::AdminError;
use super::challenge_query::ChallengeQuery;
use super::documents;
use super::login_requests::RedirectTo;
use crate::OAuth;

pub(super) async fn get(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    Query(query): Query<ChallengeQuery>,
) -> Result<Json<Value>, AdminError> {
    let challenge = query.logout()?;
    let (flow, client) = oauth.get_logout_request(&cx, &challenge).await?;
    let expires_at = flow.expires_at(oauth.config.challenge_lifetime());
    Ok(Json(documents::logout_request(&challenge, &flow, client.as_ref(), expires_at)))
}

pub(super) async fn accept(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    Query(query): Query<ChallengeQuery>,
) -> Result<Json<RedirectTo>, AdminError> {
    Ok(Json(RedirectTo { redirect_to: oauth.accept_logout_request(&cx, &query.logout()?)? }))
}

pub(super) async fn reject(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    Query(query): Query<ChallengeQuery>,
) -> Result<StatusCode, AdminError> {
    oauth.reject_logout_request(&cx, &query.logout()?)?;
    Ok(StatusCode::NO_CONTENT)
}
