//! `/admin/courier/messages`: the courier's messages and their delivery.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::LINK;
use serde_json::Value;
use web::paging::Listing;
use web::{Cx, Json, RestError};

use super::query::Query;
use super::{admin_url, error::not_found, view};
use crate::Identity;
use crate::domain::message_queue::{MessageId, MessageStatus};
use crate::storage::messages::ListKey;

const LISTING: Listing<ListKey> = Listing::new("page of messages", 10, 1000);

/// `GET /admin/courier/messages`.
pub(super) async fn list(
    State(service): State<Arc<Identity>>,
    Cx(cx): Cx,
    query: Query,
) -> Result<Response, RestError> {
    let status = query.get("status").map(|text| {
        let unknown = || RestError::bad_request(format!("status: \"{text}\" is not a message status"));
        MessageStatus::parse(text).ok_or_else(|| unknown().with_detail("field", "status"))
    });
    let request = LISTING.request(&service.sealer, cx.tenant, &query.page())?;
    let page = service.list_messages(&cx, status.transpose()?, query.get("recipient"), &request).await?;
    let mut base = admin_url(&service, "courier/messages");
    query.filters_onto(&mut base);
    let (messages, link) = LISTING.links(&service.sealer, &cx, &base, request.size, page);
    let shown: Vec<Value> = messages.iter().map(|message| view::message(&service, message, None)).collect();
    Ok(([(LINK, link)], Json(shown)).into_response())
}

/// `GET /admin/courier/messages/{id}`.
pub(super) async fn get(
    State(service): State<Arc<Identity>>,
    Cx(cx): Cx,
    Path(id): Path<String>,
) -> Result<Json<Value>, RestError> {
    let id: MessageId = id.parse().map_err(|_| RestError::bad_request("id: not a UUID").with_detail("field", "id"))?;
    let (message, dispatches) = service.get_message(&cx, id).await?.ok_or_else(not_found)?;
    Ok(Json(view::message(&service, &message, Some(&dispatches))))
}
