//! Events: what happened, to whom, by whom.

use std::time::Duration;

use base::{Actor, Context};
use database::{Error, WriteTx};
use serde_json::Value;

use crate::storage;

/// Something that happened. Attributes name things; they never hold a secret or a token.
#[derive(Clone, Debug)]
pub struct Event {
    /// For instance `IdentityCreated`.
    pub name: &'static str,
    /// The id of what it happened to: an identity, a session, a client.
    pub subject: String,
    pub attributes: Value,
}

/// The name of the events that tell of an issued token: many, and kept for days only.
pub const TOKEN_ISSUED: &str = "OAuth2AccessTokenIssued";

/// How long events stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventRetention {
    pub audit: Duration,
    /// Events of the name [`TOKEN_ISSUED`].
    pub issued: Duration,
}

impl Default for EventRetention {
    fn default() -> Self {
        Self { audit: Duration::from_hours(400 * 24), issued: Duration::from_hours(7 * 24) }
    }
}

/// Writes an event into the transaction that it tells of.
pub async fn append_event(tx: &mut WriteTx, cx: &Context, event: Event) -> Result<(), Error> {
    storage::insert_event(tx, cx, &actor(&cx.actor), &event).await
}

/// As [`append_event`], for two events of one deed: one statement writes both.
pub async fn append_events(tx: &mut WriteTx, cx: &Context, events: &[Event; 2]) -> Result<(), Error> {
    storage::insert_events(tx, cx, &actor(&cx.actor), events).await
}

/// As [`append_event`], but writes only when `is_written`. Both cases run the same statement, so that the time of an
/// answer does not tell whether there was anything to record.
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
