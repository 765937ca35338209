//! `/.well-known/authzen-configuration` (section "Policy Decision Point Metadata").

use std::sync::Arc;

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::header::CACHE_CONTROL;
use axum::response::{AppendHeaders, IntoResponse};
use serde::Serialize;
use web::RestError;

use super::refused::Refused;
use super::{EVALUATION, EVALUATIONS, METADATA, SEARCH_ACTION, SEARCH_RESOURCE, SEARCH_SUBJECT};
use crate::Permissions;

#[derive(Serialize)]
struct Metadata<'a> {
    policy_decision_point: &'a str,
    access_evaluation_endpoint: String,
    access_evaluations_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    search_subject_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    search_resource_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    search_action_endpoint: Option<String>,
}

pub(super) async fn get(
    State(permissions): State<Arc<Permissions>>,
    OriginalUri(uri): OriginalUri,
) -> Result<impl IntoResponse, Refused> {
    let identifier = permissions.read_url.as_str().trim_end_matches('/');
    // The client inserted the well-known path in front of the path of the identifier, and refuses another identifier.
    let path = permissions.read_url.path().trim_end_matches('/');
    if uri.path().strip_prefix(METADATA).map(|it| it.trim_end_matches('/')) != Some(path) {
        let expected = format!("the metadata of this service is at {METADATA}{path}");
        return Err(RestError::not_found(expected).into());
    }
    let below = |path: &str| format!("{identifier}{path}");
    // Searches need the relation tuples in memory.
    let search = |path: &str| permissions.graphs.are_enabled().then(|| below(path));
    let metadata = Metadata {
        policy_decision_point: identifier,
        access_evaluation_endpoint: below(EVALUATION),
        access_evaluations_endpoint: below(EVALUATIONS),
        search_subject_endpoint: search(SEARCH_SUBJECT),
        search_resource_endpoint: search(SEARCH_RESOURCE),
        search_action_endpoint: search(SEARCH_ACTION),
    };
    Ok((AppendHeaders([(CACHE_CONTROL, "max-age=300")]), Json(metadata).into_response()))
}
