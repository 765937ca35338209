//! `/admin/sessions` and the sessions of one identity.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::LINK;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};
use web::paging::Listing;
use web::{Cx, Json, RestError};

use super::body::ManageSessions;
use super::query::Query;
use super::{admin_url, error::not_found, view};
use crate::Identity;
use crate::domain::{IdentityId, SessionId};
use crate::operations::sessions::Expand;
use crate::storage::sessions::ListKey;

const LISTING: Listing<ListKey> = Listing::new("page of sessions", 250, 1000);
/// Offset paging, because one identity has few sessions.
const PERSONAL: Listing<i64> = Listing::new("page of a person's sessions", 250, 1000);
const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// `GET /admin/sessions`.
pub(super) async fn list(
    State(service): State<Arc<Identity>>,
    Cx(cx): Cx,
    query: Query,
) -> Result<Response, RestError> {
    let expand = expand(&query)?;
    let request = LISTING.request(&service.sealer, cx.tenant, &query.page())?;
    let page = service.list_sessions(&cx, query.boolean("active")?, expand, &request).await?;
    let mut base = admin_url(&service, "sessions");
    query.filters_onto(&mut base);
    let (sessions, link) = LISTING.links(&service.sealer, &cx, &base, request.size, page);
    let shown: Vec<_> = sessions.iter().map(|details| view::session(&service, details, cx.now)).collect();
    Ok(([(LINK, link)], Json(shown)).into_response())
}

/// `GET /admin/sessions/{id}`.
pub(super) async fn get(
    State(service): State<Arc<Identity>>,
    Cx(cx): Cx,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, RestError> {
    let details = service.get_session(&cx, parse(&id)?, expand(&query)?).await?;
    Ok(Json(view::session(&service, &details, cx.now)).into_response())
}

/// `DELETE /admin/sessions/{id}`: ends it; the row is kept until it expires.
pub(super) async fn disable(
    State(service): State<Arc<Identity>>,
    Cx(cx): Cx,
    Path(id): Path<String>,
) -> Result<StatusCode, RestError> {
    service.disable_session(&cx, parse(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PATCH /admin/sessions/{id}/extend`.
pub(super) async fn extend(
    State(service): State<Arc<Identity>>,
    Cx(cx): Cx,
    Path(id): Path<String>,
) -> Result<Response, RestError> {
    let details = service.extend_session(&cx, parse(&id)?).await?;
    if service.config.feature_flags.faster_session_extend {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(Json(view::session(&service, &details, cx.now)).into_response())
}

/// `POST /admin/sessions`: ends or deletes many sessions.
pub(super) async fn manage(
    State(service): State<Arc<Identity>>,
    Cx(cx): Cx,
    body: Result<Json<ManageSessions>, web::JsonRejection>,
) -> Result<Json<Value>, RestError> {
    let Json(body) = body?;
    let (action, target) = body.read()?;
    let managed = service.manage_sessions(&cx, action, target).await?;
    Ok(Json(json!({ "processed": managed.processed, "more": managed.more })))
}

/// `GET /admin/identities/{id}/sessions`.
pub(super) async fn list_of_identity(
    State(service): State<Arc<Identity>>,
    Cx(cx): Cx,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, RestError> {
    let id = parse_identity(&id)?;
    let request = PERSONAL.request(&service.sealer, cx.tenant, &query.page())?;
    let size = i64::from(request.size);
    let offset = match query.number("page")? {
        Some(page) => i64::from(page) * size,
        None => request.after.unwrap_or(0),
    };
    let active = query.boolean("active")?;
    let (sessions, total) = service.list_identity_sessions(&cx, id, active, size, offset).await?;
    let mut base = admin_url(&service, &format!("identities/{id}/sessions"));
    query.filters_onto(&mut base);
    let next = (offset + size < total).then_some(offset + size);
    let page = base::Page { items: sessions, next };
    let (sessions, link) = PERSONAL.links(&service.sealer, &cx, &base, request.size, page);
    let shown: Vec<_> = sessions.iter().map(|details| view::session(&service, details, cx.now)).collect();
    Ok(([(LINK, link), (TOTAL_COUNT, HeaderValue::from(total))], Json(shown)).into_response())
}

/// `DELETE /admin/identities/{id}/sessions`.
pub(super) async fn delete_of_identity(
    State(service): State<Arc<Identity>>,
    Cx(cx): Cx,
    Path(id): Path<String>,
) -> Result<StatusCode, RestError> {
    let id = parse_identity(&id)?;
    service.delete_identity_sessions(&cx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn expand(query: &Query) -> Result<Expand, RestError> {
    let mut expand = Expand::default();
    for word in query.all("expand").flat_map(|list| list.split(',')) {
        match word.trim().to_ascii_lowercase().as_str() {
            "identity" => expand.identity = true,
            "devices" => expand.devices = true,
            _ => {
                let reason = format!("expand: \"{word}\" is neither identity nor devices");
                return Err(RestError::bad_request(reason).with_detail("field", "expand"));
            }
        }
    }
    Ok(expand)
}

fn parse_identity(id: &str) -> Result<IdentityId, RestError> {
    id.parse().map_err(|_| RestError::bad_request("id: not a UUID").with_detail("field", "id"))
}

/// A text that is not a UUID matches no session.
fn parse(id: &str) -> Result<SessionId, RestError> {
    id.parse().map_err(|_| not_found())
}
