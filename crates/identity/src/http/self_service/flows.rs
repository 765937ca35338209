//! The endpoints of flows: beginning, fetch and submission of each kind.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::Context;
use http::{Method, StatusCode};
use web::{Cx, Json};

use crate::Identity;
use crate::domain::client_kind::{FlowType, Wants};
use crate::domain::flow::FlowKind;
use crate::flows::answer::Answer;
use crate::flows::errors::{BeginError, FetchError};
use crate::flows::submission::RawSubmission;
use crate::flows::views::FlowView;
use crate::flows::visitor::Visitor;

/// The response to the beginning of a flow. Beginnings and their errors use strict negotiation.
async fn begun(
    identity: &Identity,
    cx: &Context,
    visitor: &Visitor,
    flow_type: FlowType,
    result: Result<Answer, BeginError>,
) -> Response {
    match result {
        Ok(answer) => identity.write_answer(cx, visitor, answer),
        Err(error) => {
            let is_json = flow_type == FlowType::Api || visitor.wants_strictly == Wants::Json;
            identity.refuse(cx, error, is_json).await
        }
    }
}

/// The response to a fetch.
async fn fetched(identity: &Identity, cx: &Context, result: Result<FlowView, FetchError>) -> Response {
    match result {
        Ok(flow) => Json(flow).into_response(),
        Err(error) => identity.refuse(cx, error, true).await,
    }
}

pub(super) async fn begin_login_browser(
    State(identity): State<Arc<Identity>>,
    Cx(cx): Cx,
    visitor: Visitor,
) -> Response {
    let result = identity.begin_login(&cx, &visitor, FlowType::Browser).await;
    begun(&identity, &cx, &visitor, FlowType::Browser, result).await
}

pub(super) async fn begin_login_api(State(identity): State<Arc<Identity>>, Cx(cx): Cx, visitor: Visitor) -> Response {
    let result = identity.begin_login(&cx, &visitor, FlowType::Api).await;
    begun(&identity, &cx, &visitor, FlowType::Api, result).await
}

pub(super) async fn fetch_login(State(identity): State<Arc<Identity>>, Cx(cx): Cx, visitor: Visitor) -> Response {
    let result = identity.fetch_login(&cx, &visitor).await;
    fetched(&identity, &cx, result).await
}

pub(super) async fn submit_login(
    State(identity): State<Arc<Identity>>,
    Cx(cx): Cx,
    visitor: Visitor,
    body: RawSubmission,
) -> Response {
    let result = identity.submit_login(&cx, &visitor, body).await;
    identity.respond(&cx, &visitor, result).await
}

pub(super) async fn begin_registration_browser(
    State(identity): State<Arc<Identity>>,
    Cx(cx): Cx,
    visitor: Visitor,
) -> Response {
    let result = identity.begin_registration(&cx, &visitor, FlowType::Browser).await;
    begun(&identity, &cx, &visitor, FlowType::Browser, result).await
}

pub(super) async fn begin_registration_api(
    State(identity): State<Arc<Identity>>,
    Cx(cx): Cx,
    visitor: Visitor,
) -> Response {
    let result = identity.begin_registration(&cx, &visitor, FlowType::Api).await;
    begun(&identity, &cx, &visitor, FlowType::Api, result).await
}

pub(super) async fn fetch_registration(
    State(identity): State<Arc<Identity>>,
    Cx(cx): Cx,
    visitor: Visitor,
) -> Response {
    let result = identity.fetch_registration(&cx, &visitor).await;
    fetched(&identity, &cx, result).await
}

pub(super) async fn submit_registration(
    State(identity): State<Arc<Identity>>,
    Cx(cx): Cx,
    visitor: Visitor,
    body: RawSubmission,
) -> Response {
    let result = identity.submit_registration(&cx, &visitor, body).await;
    identity.respond(&cx, &visitor, result).await
}

pub(super) async fn begin_settings_browser(
    State(identity): State<Arc<Identity>>,
    Cx(cx): Cx,
    visitor: Visitor,
) -> Response {
    let result = identity.begin_settings(&cx, &visitor, FlowType::Browser).await;
    begun(&identity, &cx, &visitor, FlowType::Browser, result).await
}

pub(super) async fn begin_settings_api(
    State(identity): State<Arc<Identity>>,
    Cx(cx): Cx,
    visitor: Visitor,
) -> Response {
    let result = identity.begin_settings(&cx, &visitor, FlowType::Api).await;
    begun(&identity, &cx, &visitor, FlowType::Api, result).await
}

pub(super) async fn fetch_settings(State(identity): State<Arc<Identity>>, Cx(cx): Cx, visitor: Visitor) -> Response {
    let result = identity.fetch_settings(&cx, &visitor).await;
    fetched(&identity, &cx, result).await
}

pub(super) async fn submit_settings(
    State(identity): State<Arc<Identity>>,
    Cx(cx): Cx,
    visitor: Visitor,
    body: RawSubmission,
) -> Response {
    let result = identity.submit_settings(&cx, &visitor, body).await;
    identity.respond(&cx, &visitor, result).await
}

pub(super) async fn begin_recovery_browser(
    State(identity): State<Arc<Identity>>,
    Cx(cx): Cx,
    visitor: Visitor,
) -> Response {
    let result = identity.begin_recovery(&cx, &visitor, FlowType::Browser).await;
    begun(&identity, &cx, &visitor, FlowType::Browser, result).await
}

pub(super) async fn begin_recovery_api(
    State(identity): State<Arc<Identity>>,
    Cx(cx): Cx,
    visitor: Visitor,
) -> Response {
    let result = identity.begin_recovery(&cx, &visitor, FlowType::Api).await;
    begun(&identity, &cx, &visitor, FlowType::Api, result).await
}

pub(super) async fn fetch_recovery(State(identity): State<Arc<Identity>>, Cx(cx): Cx, visitor: Visitor) -> Response {
    let result = identity.fetch_recovery(&cx, &visitor).await;
    fetched(&identity, &cx, result).await
}

pub(super) async fn submit_recovery(
    State(identity): State<Arc<Identity>>,
    Cx(cx): Cx,
    visitor: Visitor,
    body: RawSubmission,
) -> Response {
    let result = identity.submit_recovery(&cx, &visitor, body).await;
    identity.respond(&cx, &visitor, result).await
}

pub(super) async fn begin_verification_browser(
    State(identity): State<Arc<Identity>>,
    Cx(cx): Cx,
    visitor: Visitor,
) -> Response {
    let result = identity.begin_verification(&cx, &visitor, FlowType::Browser).await;
    begun(&identity, &cx, &visitor, FlowType::Browser, result).await
}

pub(super) async fn begin_verification_api(
    State(identity): State<Arc<Identity>>,
    Cx(cx): Cx,
    visitor: Visitor,
) -> Response {
    let result = identity.begin_verification(&cx, &visitor, FlowType::Api).await;
    begun(&identity, &cx, &visitor, FlowType::Api, result).await
}

pub(super) async fn fetch_verification(
    State(identity): State<Arc<Identity>>,
    Cx(cx): Cx,
    visitor: Visitor,
) -> Response {
    let result = identity.fetch_verification(&cx, &visitor).await;
    fetched(&identity, &cx, result).await
}

pub(super) async fn submit_verification(
    State(identity): State<Arc<Identity>>,
    Cx(cx): Cx,
    visitor: Visitor,
    body: RawSubmission,
) -> Response {
    let result = identity.submit_verification(&cx, &visitor, body).await;
    identity.respond(&cx, &visitor, result).await
}

/// The target of the links in mails. Opening it does not use the link up, because mail scanners open links before users
/// do: the link shows a button, and only its submission is the proof.
pub(super) async fn open_verification(
    State(identity): State<Arc<Identity>>,
    Cx(cx): Cx,
    visitor: Visitor,
    method: Method,
) -> Response {
    if method == Method::HEAD {
        return StatusCode::OK.into_response();
    }
    if visitor.query("token").is_some() {
        return identity.link_page(&cx, FlowKind::Verification);
    }
    let result = identity.open_verification(&cx, &visitor).await;
    identity.respond(&cx, &visitor, result).await
}

pub(super) async fn open_recovery(
    State(identity): State<Arc<Identity>>,
    Cx(cx): Cx,
    visitor: Visitor,
    method: Method,
) -> Response {
    if method == Method::HEAD {
        return StatusCode::OK.into_response();
    }
    if visitor.query("token").is_some() {
        return identity.link_page(&cx, FlowKind::Recovery);
    }
    let result = identity.submit_recovery(&cx, &visitor, RawSubmission::Empty).await;
    identity.respond(&cx, &visitor, result).await
}
