//! `/relation-tuples` of the read listener, and `/admin/relation-tuples` of the write listener.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base::bounds::DOCUMENT;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use web::{Cx, RestError};

use super::errors::transact_error;
use super::json_bodies::{self, JsonBody};
use super::query::{Parameters, TUPLE, of_tuple};
use super::snaptoken;
use super::wire::RelationTupleDocument;
use crate::Permissions;
use crate::components::pages::{Position, QuestionDigest, TUPLES};
use crate::domain::tuple_changes::TupleChange;
use crate::operations::delete_relation_tuples::Deletion;

/// How many relation tuples a deletion deleted: its answer has no body.
const DELETED: HeaderName = HeaderName::from_static("deleted");

#[derive(Serialize)]
pub(super) struct RelationTuples {
    relation_tuples: Vec<RelationTupleDocument>,
    /// Empty on the last page.
    next_page_token: String,
}

pub(super) async fn list(
    State(permissions): State<Arc<Permissions>>,
    Cx(cx): Cx,
    RawQuery(query): RawQuery,
) -> Result<Json<RelationTuples>, RestError> {
    let parameters = Parameters::of(query.as_deref())?;
    let query = parameters.tuple_query()?;
    permissions.require_snapshot(&cx, parameters.consistency(&permissions, &cx).await?).await?;
    let sealer = permissions.tokens.sealer(&cx).await?;
    let request = TUPLES.request(&sealer, cx.tenant, &parameters.page())?;
    let question = QuestionDigest::of_query(&query);
    let after = match request.after.map(|position| position.within(question)) {
        Some(None) => return Err(RestError::bad_request("page_token: not a token of this query")),
        Some(after) => after,
        None => None,
    };
    let page = base::PageRequest { size: request.size, after };
    let page = permissions.list_relation_tuples(&cx, &query, &page).await?;
    let next = page.next.map(|after| TUPLES.token.seal(&sealer, cx.tenant, Position::new(question, after), cx.now));
    Ok(Json(RelationTuples {
        relation_tuples: page.items.into_iter().map(RelationTupleDocument::from).collect(),
        next_page_token: next.unwrap_or_default(),
    }))
}

pub(super) async fn create(
    State(permissions): State<Arc<Permissions>>,
    Cx(cx): Cx,
    request: Request,
) -> Result<Response, RestError> {
    let document: RelationTupleDocument = json_bodies::read(DOCUMENT, request).await?;
    let stored = document.clone().stored()?;
    let location = format!("/relation-tuples?{}", of_tuple(&stored.tuple));
    let changed = permissions.transact_relation_tuples(&cx, &[TupleChange::Insert(stored)]).await;
    let (_, token) = changed.map_err(|error| transact_error(error, |_| None))?;
    // The query is percent-encoded.
    let location = HeaderValue::from_str(&location).map_err(|_| RestError::internal())?;
    let headers = [(header::LOCATION, location), snaptoken::header(&token)];
    Ok((StatusCode::CREATED, headers, Json(document)).into_response())
}

/// An item of a patch.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
pub(super) struct Delta {
    action: Action,
    relation_tuple: RelationTupleDocument,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Insert,
    Delete,
}

pub(super) async fn patch(
    State(permissions): State<Arc<Permissions>>,
    Cx(cx): Cx,
    JsonBody(deltas): JsonBody<Vec<Delta>>,
) -> Result<Response, RestError> {
    let place = |index: usize| format!("[{index}].relation_tuple");
    let changes = deltas.into_iter().enumerate().map(|(index, Delta { action, relation_tuple })| {
        let stored = relation_tuple.stored().map_err(|invalid| invalid.within(&place(index)))?;
        Ok(match action {
            Action::Insert => TupleChange::Insert(stored),
            Action::Delete => TupleChange::Delete(stored.tuple),
        })
    });
    let changes = changes.collect::<Result<Vec<_>, RestError>>()?;
    let changed = permissions.transact_relation_tuples(&cx, &changes).await;
    let (_, token) = changed.map_err(|error| transact_error(error, |index| Some(place(index))))?;
    Ok((StatusCode::NO_CONTENT, [snaptoken::header(&token)]).into_response())
}

pub(super) async fn delete(
    State(permissions): State<Arc<Permissions>>,
    Cx(cx): Cx,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, RestError> {
    if !body.is_empty() {
        return Err(RestError::bad_request("the body must be empty: the parameters of the URL say what to delete"));
    }
    let parameters = Parameters::of(query.as_deref())?;
    parameters.refuse_others(TUPLE)?;
    let query = parameters.tuple_query()?;
    if query.namespace.is_none() {
        return Err(RestError::bad_request("namespace: is required").with_detail("field", "namespace"));
    }
    let Deletion { count, token, .. } = permissions.delete_relation_tuples(&cx, &query).await?;
    let headers = [snaptoken::header(&token), (DELETED, HeaderValue::from(count))];
    Ok((StatusCode::NO_CONTENT, headers).into_response())
}
