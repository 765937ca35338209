//! `/admin/oauth2/auth/requests/consent`: read, accepted and rejected by the consent application.

use std::sync::Arc;

use axum::extract::{Query, State};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value};
use web::{Cx, Json};

use super::admin_error::AdminError;
use super::challenge_query::ChallengeQuery;
use super::documents;
use super::login_requests::{RedirectTo, RejectBody};
use super::nullable::{list_without_nulls, null_as_default};
use crate::OAuth;
use crate::domain::consent::{AcceptConsent, ConsentSession};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AcceptBody {
    #[serde(deserialize_with = "list_without_nulls")]
    grant_scope: Vec<String>,
    #[serde(deserialize_with = "list_without_nulls")]
    grant_access_token_audience: Vec<String>,
    #[serde(deserialize_with = "null_as_default")]
    remember: bool,
    #[serde(deserialize_with = "null_as_default")]
    remember_for: u64,
    #[serde(deserialize_with = "null_as_default")]
    session: SessionBody,
    context: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SessionBody {
    #[serde(deserialize_with = "null_as_default")]
    access_token: Map<String, Value>,
    #[serde(deserialize_with = "null_as_default")]
    id_token: Map<String, Value>,
}

pub(super) async fn get(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    Query(query): Query<ChallengeQuery>,
) -> Result<Json<Value>, AdminError> {
    let challenge = query.consent()?;
    let found = oauth.get_consent_request(&cx, &challenge).await?;
    Ok(Json(documents::consent_request(&challenge, &found)))
}

pub(super) async fn accept(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    Query(query): Query<ChallengeQuery>,
    body: Bytes,
) -> Result<Json<RedirectTo>, AdminError> {
    let body: AcceptBody = Json::decode(&body)?;
    let answer = AcceptConsent {
        grant_scope: body.grant_scope,
        grant_access_token_audience: body.grant_access_token_audience,
        remember: body.remember,
        remember_for: body.remember_for,
        session: ConsentSession { access_token: body.session.access_token, id_token: body.session.id_token },
        context: body.context,
    };
    Ok(Json(RedirectTo { redirect_to: oauth.accept_consent_request(&cx, &query.consent()?, answer)? }))
}

pub(super) async fn reject(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    Query(query): Query<ChallengeQuery>,
    body: Bytes,
) -> Result<Json<RedirectTo>, AdminError> {
    let body: RejectBody = Json::decode(&body)?;
    Ok(Json(RedirectTo { redirect_to: oauth.reject_consent_request(&cx, &query.consent()?, body.into())? }))
}
