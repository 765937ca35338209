//! Events: what happened, to which subject, caused by whom.

use std::time::Duration;

use base::{Actor, Context};
use database::{Error, WriteTx};
use serde_json::Value;

use crate::storage;

/// Something that happened. Attributes are identifiers; they never hold secrets or tokens.
#[derive(Clone, Debug)]
pub struct Event {
    /// For instance `IdentityCreated`.
    pub name: &'static str,
    /// The id of the affected resource: an identity, a session, a client.
    pub subject: String,
    pub attributes: Value,
}

/// The name of the events for issued tokens, which are many and kept for days only.
pub const TOKEN_ISSUED: &str = "OAuth2AccessTokenIssued";

/// How long events are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventRetention {
    pub audit: Duration,
    /// For events named [`TOKEN_ISSUED`].
    pub issued: Duration,
}

impl Default for EventRetention {
    fn default() -> Self {
        Self { audit: Duration::from_hours(400 * 24), issued: Duration::from_hours(7 * 24) }
    }
}

/// Writes an event in the transaction that causes it.
pub async fn append_event(tx: &mut WriteTx, cx: &Context, event: Event) -> Result<(), Error> {
    storage::insert_event(tx, cx, &actor(&cx.actor), &event).await
}

/// Like [`append_event`], for two events of one operation: one statement writes both.
pub async fn append_events(tx: &mut WriteTx, cx: &Context, events: &[Event; 2]) -> Result<(), Error> {
    storage::insert_events(tx, cx, &actor(&cx.actor), events).await
}

/// Like [`append_event`], but writes only when `is_written`. Both cases run the same statement, so that the response time
/// does not reveal whether there was anything to record.
pub async fn append_event_if(tx: &mut WriteTx, cx: &Context, event: Event, is_written: bool) -> Result<(), Error> {
    storage::insert_event_if(tx, cx, &actor(&cx.actor), &event, is_written).await
}

fn actor(actor: &Actor) -> String {
    match actor {
        Actor::Anonymous => "anonymous".to_owned(),
        Actor::Identity(id) => format!("identity:{id}"),
        Actor::Client(id) => format!("client:{id}"),
        Actor::Admin => "admin".to_owned(),
        Actor::System => "system".to_owned(),
    }
}
