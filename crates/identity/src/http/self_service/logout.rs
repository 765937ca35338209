//! The logout endpoints: browsers use a link, native clients their session token.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::Value;
use web::{Cx, Json, RestError};

use crate::Identity;
use crate::domain::client_kind::Wants;
use crate::flows::sessions;
use crate::flows::visitor::Visitor;

pub(super) async fn begin_logout(State(identity): State<Arc<Identity>>, Cx(cx): Cx, visitor: Visitor) -> Response {
    match identity.begin_logout(&cx, &visitor).await {
        Ok(logout) => Json(logout).into_response(),
        Err(error) => identity.refuse(&cx, error, visitor.wants == Wants::Json).await,
    }
}

pub(super) async fn submit_logout(State(identity): State<Arc<Identity>>, Cx(cx): Cx, visitor: Visitor) -> Response {
    match identity.submit_logout(&cx, &visitor).await {
        Ok(answer) => identity.write_answer(&cx, &visitor, answer),
        Err(error) => identity.refuse(&cx, error, visitor.wants == Wants::Json).await,
    }
}

pub(super) async fn logout_native(
    State(identity): State<Arc<Identity>>,
    Cx(cx): Cx,
    Json(body): Json<Value>,
) -> Response {
    let Some(token) = sessions::token_in_body(&body) else {
        return RestError::bad_request("session_token: is missing").into_response();
    };
    match identity.logout_native(&cx, &token).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => identity.refuse(&cx, error, true).await,
    }
}
