//! The stored errors of the error page, and the change-password URL of password managers.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use web::{Cx, Json};

use super::super::answer::see_other;
use crate::Identity;
use crate::domain::client_kind::FlowType;
use crate::domain::flow::FlowKind;
use crate::flows::visitor::Visitor;

pub(super) async fn show_error(State(identity): State<Arc<Identity>>, Cx(cx): Cx, visitor: Visitor) -> Response {
    let id = visitor.query("id").or_else(|| visitor.query("error"));
    match identity.kept_error(&cx, id.as_deref()).await {
        Ok(error) => Json(error).into_response(),
        Err(error) => identity.refuse(&cx, error, true).await,
    }
}

/// `.well-known/change-password` (W3C), where password managers send users.
pub(super) async fn change_password(State(identity): State<Arc<Identity>>) -> Response {
    let url = match &identity.config.selfservice.flows.settings.ui_url {
        Some(_) => identity.urls.page(FlowKind::Settings).to_string(),
        None => identity.urls.init(FlowKind::Settings, FlowType::Browser, None),
    };
    see_other(&url)
}
