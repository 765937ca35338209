//! `/admin/oauth2/auth/requests/logout`: what the logout application asks and says.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use web::{Cx, Json};

use super::admin_error::AdminError;
use super::documents;
use super::login_requests::RedirectTo;
use crate::OAuth;

#[derive(Debug, Deserialize)]
pub(super) struct Challenge {
    logout_challenge: Option<String>,
    /// The older name.
    challenge: Option<String>,
}

impl Challenge {
    fn value(self) -> Result<String, AdminError> {
        let given = self.logout_challenge.or(self.challenge).filter(|challenge| !challenge.is_empty());
        given.ok_or_else(|| AdminError::invalid_request("logout_challenge: the query parameter is required"))
    }
}

pub(super) async fn get(
    State(oauth): State<OAuth>,
    Cx(cx): Cx,
    Query(challenge): Query<Challenge>,
) -> Result<Json<Value>, AdminError> {
    let challenge = challenge.value()?;
    let (flow, client) = oauth.get_logout_request(&cx, &challenge).await?;
    let expires_at = flow.expires_at(oauth.challenge_lifetime());
    Ok(Json(documents::logout_request(&challenge, &flow, client.as_ref(), expires_at)))
}

pub(super) async fn accept(
    State(oauth): State<OAuth>,
    Cx(cx): Cx,
    Query(challenge): Query<Challenge>,
) -> Result<Json<RedirectTo>, AdminError> {
    Ok(Json(RedirectTo { redirect_to: oauth.accept_logout_request(&cx, &challenge.value()?)? }))
}

pub(super) async fn reject(
    State(oauth): State<OAuth>,
    Cx(cx): Cx,
    Query(challenge): Query<Challenge>,
) -> Result<StatusCode, AdminError> {
    oauth.reject_logout_request(&cx, &challenge.value()?)?;
    Ok(StatusCode::NO_CONTENT)
}
