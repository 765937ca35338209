//! `GET /relation-tuples/watch`: changes of relation tuples as server-sent events (the HTML standard, section 9.2).
//!
//! The events are `change`, `heartbeat` and `error`. The id of an event is its token: a client that lost its connection continues
//! with `Last-Event-ID`, as browsers do, or with the parameter `snaptoken`.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use base::Timestamp;
use futures_util::stream;
use serde::Serialize;
use serde_json::Value;
use web::{Cx, RestError};

use super::query::{Parameters, TUPLE};
use super::wire::RelationTupleDocument;
use crate::Permissions;
use crate::domain::tuple_changes::TupleChange;
use crate::operations::watch_relation_tuples::{Watch, WatchError, WatchEvent};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Some proxies hold an answer back until it is complete, unless this header forbids it.
const NO_BUFFERING: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));

#[derive(Serialize)]
struct ChangeDocument {
    snaptoken: String,
    at: Timestamp,
    changes: Vec<Delta>,
}

/// As an item of a patch.
#[derive(Serialize)]
struct Delta {
    action: &'static str,
    relation_tuple: RelationTupleDocument,
}

#[derive(Serialize)]
struct Heartbeat {
    snaptoken: String,
}

pub(super) async fn watch(
    State(permissions): State<Arc<Permissions>>,
    Cx(cx): Cx,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, RestError> {
    let parameters = Parameters::of(query.as_deref())?;
    parameters.refuse_others(&[TUPLE, &["snaptoken"]].concat())?;
    let filter = parameters.tuple_query()?;
    // A browser connects again with the same URL and the id of the last event that it received.
    let last = headers.get(LAST_EVENT_ID).map(|it| String::from_utf8_lossy(it.as_bytes()).into_owned());
    let token = last.or_else(|| parameters.find("snaptoken")).filter(|token| !token.is_empty());
    let from = match token {
        Some(token) => Some(permissions.open_snaptoken(&cx, &token).await?),
        None => None,
    };
    let watch = permissions.watch_relation_tuples(&cx, filter, from).await?;
    Ok(([NO_BUFFERING], Sse::new(stream::unfold(Some(watch), next))).into_response())
}

/// The stream ends after an error.
async fn next(watch: Option<Watch>) -> Option<(Result<Event, axum::Error>, Option<Watch>)> {
    let mut watch = watch?;
    match watch.next().await? {
        Ok(event) => Some((written(event), Some(watch))),
        Err(error) => Some((failed(error), None)),
    }
}

fn written(event: WatchEvent) -> Result<Event, axum::Error> {
    match event {
        WatchEvent::Changed { at, changes, snaptoken } => {
            let event = Event::default().event("change").id(&snaptoken);
            let changes = changes.into_iter().map(Delta::from).collect();
            event.json_data(ChangeDocument { snaptoken, at, changes })
        }
        WatchEvent::Heartbeat { snaptoken } => {
            Event::default().event("heartbeat").id(&snaptoken).json_data(Heartbeat { snaptoken })
        }
    }
}

fn failed(error: WatchError) -> Result<Event, axum::Error> {
    let error: Value = RestError::from(error).to_value();
    Event::default().event("error").json_data(error)
}

impl From<TupleChange> for Delta {
    fn from(change: TupleChange) -> Self {
        match change {
            TupleChange::Insert(stored) => Self { action: "insert", relation_tuple: stored.into() },
            TupleChange::Delete(tuple) => Self {
                action: "delete",
                relation_tuple: crate::domain::relation_tuple::StoredTuple::from(tuple).into(),
            },
        }
    }
}
