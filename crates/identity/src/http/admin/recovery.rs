//! `/admin/recovery`: helping a person who cannot sign in.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;
use web::config::GoDuration;
use web::{Cx, Json, NoStore, RestError};

use crate::Identity;
use crate::domain::IdentityId;
use crate::domain::client_kind::FlowType;

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
    State(service): State<Identity>,
    Cx(cx): Cx,
    body: Result<Json<CreateCode>, web::JsonRejection>,
) -> Result<Response, RestError> {
    let Json(CreateCode { identity_id, expires_in, flow_type }) = body?;
    let flow_type = match flow_type {
        None | Some(WireFlowType::Browser) => FlowType::Browser,
        Some(WireFlowType::Api) => FlowType::Api,
    };
    let lifespan = expires_in.map(GoDuration::get);
    if lifespan.is_some_and(|lifespan| lifespan.is_zero()) {
        return Err(RestError::bad_request("expires_in: must be positive").with_detail("field", "expires_in"));
    }
    let made = service.create_recovery_code(&cx, IdentityId::from_uuid(identity_id), flow_type, lifespan).await?;
    let body = json!({
        "recovery_link": made.link,
        "recovery_code": made.code.expose(),
        "expires_at": made.expires_at,
    });
    Ok((StatusCode::CREATED, NoStore(Json(body))).into_response())
}
