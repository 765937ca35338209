//! `/admin/oauth2/auth/requests/login`: read, accepted and rejected by the login application.

use std::sync::Arc;

use axum::extract::{Query, State};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use web::{Cx, Json};

use super::admin_error::AdminError;
use super::challenge_query::ChallengeQuery;
use super::documents;
use super::nullable::{list_without_nulls, null_as_default};
use crate::OAuth;
use crate::domain::client_validation::MAX_INDEXED;
use crate::domain::login_challenge::AcceptLogin;
use crate::domain::rejection::Rejection;

/// The redirect URL for the browser (`oAuth2RedirectTo`).
#[derive(Debug, Serialize)]
pub(super) struct RedirectTo {
    pub(super) redirect_to: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AcceptBody {
    #[serde(deserialize_with = "null_as_default")]
    subject: String,
    #[serde(deserialize_with = "null_as_default")]
    remember: bool,
    #[serde(deserialize_with = "null_as_default")]
    remember_for: u64,
    #[serde(deserialize_with = "null_as_default")]
    extend_session_lifespan: bool,
    #[serde(deserialize_with = "null_as_default")]
    acr: String,
    #[serde(deserialize_with = "list_without_nulls")]
    amr: Vec<String>,
    context: Option<Value>,
    #[serde(deserialize_with = "null_as_default")]
    force_subject_identifier: String,
    #[serde(deserialize_with = "null_as_default")]
    identity_provider_session_id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RejectBody {
    #[serde(deserialize_with = "null_as_default")]
    error: String,
    #[serde(deserialize_with = "null_as_default")]
    error_description: String,
    #[serde(deserialize_with = "null_as_default")]
    error_hint: String,
}

impl From<RejectBody> for Rejection {
    fn from(body: RejectBody) -> Self {
        Self::new(&body.error, &body.error_description, &body.error_hint)
    }
}

pub(super) async fn get(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    Query(query): Query<ChallengeQuery>,
) -> Result<Json<Value>, AdminError> {
    let challenge = query.login()?;
    let found = oauth.get_login_request(&cx, &challenge).await?;
    let request = found.flow.request().map_err(|error| AdminError::oauth(&error))?;
    Ok(Json(documents::login_request(&challenge, &found, &request)))
}

pub(super) async fn accept(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    Query(query): Query<ChallengeQuery>,
    body: Bytes,
) -> Result<Json<RedirectTo>, AdminError> {
    let body: AcceptBody = Json::decode(&body)?;
    for (name, text) in [
        ("subject", &body.subject),
        ("force_subject_identifier", &body.force_subject_identifier),
        ("identity_provider_session_id", &body.identity_provider_session_id),
    ] {
        if text.len() > MAX_INDEXED {
            return Err(AdminError::invalid_request(format!("{name}: must have {MAX_INDEXED} bytes or fewer")));
        }
    }
    let present = |text: String| Some(text).filter(|text| !text.is_empty());
    let answer = AcceptLogin {
        subject: body.subject,
        remember: body.remember,
        remember_for: body.remember_for,
        extend_session_lifespan: body.extend_session_lifespan,
        acr: present(body.acr),
        amr: body.amr,
        context: body.context,
        force_subject_identifier: present(body.force_subject_identifier),
        identity_provider_session_id: present(body.identity_provider_session_id),
    };
    Ok(Json(RedirectTo { redirect_to: oauth.accept_login_request(&cx, &query.login()?, answer)? }))
}

pub(super) async fn reject(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    Query(query): Query<ChallengeQuery>,
    body: Bytes,
) -> Result<Json<RedirectTo>, AdminError> {
    let body: RejectBody = Json::decode(&body)?;
    Ok(Json(RedirectTo { redirect_to: oauth.reject_login_request(&cx, &query.login()?, body.into())? }))
}
