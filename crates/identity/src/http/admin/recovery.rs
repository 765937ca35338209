//! `/admin/recovery`: recovery of an account by an administrator.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::GoDuration;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;
use web::{Cx, Json, NoStore, RestError};

use super::query::Query;
use crate::Identity;
use crate::domain::IdentityId;
use crate::domain::client_kind::FlowType;
use crate::operations::create_recovery::CreateRecoveryError;

#[derive(Debug, Deserialize)]
pub(super) struct CreateCode {
    identity_id: Uuid,
    #[serde(default)]
    expires_in: Option<GoDuration>,
    #[serde(default)]
    flow_type: Option<WireFlowType>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WireFlowType {
    Browser,
    Api,
}

/// `POST /admin/recovery/code`.
pub(super) async fn create_code(
    State(service): State<Arc<Identity>>,
    Cx(cx): Cx,
    query: Query,
    body: Result<Json<CreateCode>, web::JsonRejection>,
) -> Result<Response, RestError> {
    let Json(CreateCode { identity_id, expires_in, flow_type }) = body?;
    let flow_type = match flow_type {
        None | Some(WireFlowType::Browser) => FlowType::Browser,
        Some(WireFlowType::Api) => FlowType::Api,
    };
    let lifespan = lifespan(expires_in)?;
    let return_to = query.get("return_to").map(str::to_owned);
    let id = IdentityId::from_uuid(identity_id);
    let made = service.create_recovery_code(&cx, id, flow_type, return_to, lifespan).await?;
    let body = json!({
        "recovery_link": made.link,
        "recovery_code": made.code.expose(),
        "expires_at": made.expires_at,
    });
    Ok((StatusCode::CREATED, NoStore(Json(body))).into_response())
}

#[derive(Debug, Deserialize)]
pub(super) struct CreateLink {
    identity_id: Uuid,
    #[serde(default)]
    expires_in: Option<GoDuration>,
}

/// `POST /admin/recovery/link`. By the wire contract, an unknown account is a 400 here, and success is a 200.
pub(super) async fn create_link(
    State(service): State<Arc<Identity>>,
    Cx(cx): Cx,
    query: Query,
    body: Result<Json<CreateLink>, web::JsonRejection>,
) -> Result<NoStore<Json<Value>>, RestError> {
    let Json(CreateLink { identity_id, expires_in }) = body?;
    let lifespan = lifespan(expires_in)?;
    let return_to = query.get("return_to").map(str::to_owned);
    let made = service.create_recovery_link(&cx, IdentityId::from_uuid(identity_id), return_to, lifespan).await;
    let made = made.map_err(|error| match error {
        CreateRecoveryError::UnknownIdentity => {
            RestError::bad_request("identity_id: the identity does not exist").with_detail("field", "identity_id")
        }
        other => other.into(),
    })?;
    Ok(NoStore(Json(json!({ "recovery_link": made.link.expose(), "expires_at": made.expires_at }))))
}

fn lifespan(expires_in: Option<GoDuration>) -> Result<Option<Duration>, RestError> {
    let lifespan = expires_in.map(GoDuration::get);
    if lifespan.is_some_and(|lifespan| lifespan.is_zero()) {
        return Err(RestError::bad_request("expires_in: must be positive").with_detail("field", "expires_in"));
    }
    Ok(lifespan)
}
