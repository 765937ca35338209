//! Events: what happened, to which subject, caused by whom.

use std::borrow::Cow;
use std::time::Duration;

use base::{Actor, Context};
use database::{Error, WriteTx};
use serde::Serialize;
use serde_json::Value;

use crate::storage::{self, EventRow, NewEvent};

/// The events of a service: an enum with a variant for each event, whose fields are the attributes.
///
/// The name and the attributes are those that serde gives to the variant as an externally tagged enum,
/// `{"OAuth2ClientCreated": {"client_id": ".."}}`, so each name is defined once, at its variant. A variant has named
/// fields, or contains a struct that several variants share. A field that only identifies the subject is marked
/// `#[serde(skip)]`. Attributes never contain a secret or a token.
pub trait DomainEvent: Serialize {
    /// The subject of the event. All events of one name have the same kind of subject.
    fn subject(&self) -> Subject<'_>;
}

/// The subject of an event. The log stores the id; its kind follows from the name of the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    /// The `sub` of tokens: the id of an identity, or the subject that a login application chose.
    Person(Cow<'a, str>),
    /// A client, by its `client_id`.
    Client(Cow<'a, str>),
    /// A set of keys, by its name.
    KeySet(Cow<'a, str>),
    /// The namespace of relation tuples; empty when the event is about several namespaces.
    Namespace(Cow<'a, str>),
}

impl Subject<'_> {
    pub fn id(&self) -> &str {
        match self {
            Self::Person(id) | Self::Client(id) | Self::KeySet(id) | Self::Namespace(id) => id,
        }
    }
}

/// Appends events to the log, in order. Append the events of one change with one call: one statement writes them.
pub async fn append<E: DomainEvent + Sync>(tx: &mut WriteTx, cx: &Context, events: &[E]) -> Result<(), Error> {
    let actor = actor(&cx.actor);
    match events {
        [] => Ok(()),
        [event] => storage::insert_event(tx, cx, &actor, &NewEvent::of(event)?).await,
        [first, second] => {
            storage::insert_two_events(tx, cx, &actor, &[NewEvent::of(first)?, NewEvent::of(second)?]).await
        }
        events => {
            let events = events.iter().map(NewEvent::of).collect::<Result<Vec<_>, Error>>()?;
            let rows: Vec<EventRow<'_>> = events.iter().map(|event| event.row(cx, &actor)).collect();
            storage::insert_events(tx, &rows).await
        }
    }
}

/// As [`append`], but writes only when `is_written`. Both cases run the same statement, so that the response time does
/// not reveal whether an event was recorded.
pub async fn append_if<E: DomainEvent + Sync>(
    tx: &mut WriteTx,
    cx: &Context,
    event: &E,
    is_written: bool,
) -> Result<(), Error> {
    storage::insert_event_if(tx, cx, &actor(&cx.actor), &NewEvent::of(event)?, is_written).await
}

/// An expression of PostgreSQL that takes the next sequence of the log for [`append_at`], for a statement that returns it together
/// with its own results, which saves a round trip. The lock of [`reserve_sequences`] is needed here as well.
#[macro_export]
macro_rules! next_sequence {
    () => {
        "nextval((SELECT pg_get_serial_sequence('jobs_events', 'sequence')))"
    };
}

/// Takes the next `count` sequences of the log, in their order, for [`append_at`]; the transaction appends no other event before it
/// has used them.
///
/// PostgreSQL assigns sequences before transactions commit. So that a reader of the events that are read in their order
/// ([`list_tuple_changes`](crate::list_tuple_changes)) never misses one that is smaller than another that it has seen, the caller
/// holds a lock of the tenant, which its other writers of such events wait for, from before this call until its commit.
pub async fn reserve_sequences(tx: &mut WriteTx, count: usize) -> Result<Vec<i64>, Error> {
    storage::reserve_sequences(tx, count).await
}

/// As [`append`], with sequences of [`reserve_sequences`] or [`next_sequence`] that no other event has, for events of several requests: one statement
/// writes all of them.
pub async fn append_at<E: DomainEvent + Sync>(tx: &mut WriteTx, events: &[(&Context, i64, E)]) -> Result<(), Error> {
    let texts = events.iter().map(|(cx, _, event)| Ok((actor(&cx.actor), NewEvent::of(event)?)));
    let texts = texts.collect::<Result<Vec<_>, Error>>()?;
    let rows = events.iter().zip(&texts).map(|((cx, at, _), (actor, event))| (event.row(cx, actor), *at));
    storage::insert_events_at(tx, &rows.collect::<Vec<_>>()).await
}

impl NewEvent {
    fn row<'a>(&'a self, cx: &Context, actor: &'a str) -> EventRow<'a> {
        let Self { name, subject, attributes } = self;
        EventRow(cx.now.unix_micros(), name, actor, subject, cx.request_id.0.simple(), cx.client_address, attributes)
    }

    fn of(event: &impl DomainEvent) -> Result<Self, Error> {
        let shape = |problem: &str| Error::inconsistent("jobs_events", problem);
        let value = serde_json::to_value(event).map_err(|error| shape(&error.to_string()))?;
        let Value::Object(variant) = value else { return Err(shape("an event has no attributes")) };
        match variant.into_iter().next() {
            Some((name, attributes @ Value::Object(_))) => {
                Ok(Self { name, subject: event.subject().id().to_owned(), attributes: attributes.to_string() })
            }
            Some(_) | None => Err(shape("an event is not a variant with named attributes")),
        }
    }
}

/// The name of the events for issued tokens. There are many, and they are kept for days only.
pub const TOKEN_ISSUED: &str = "OAuth2AccessTokenIssued";

/// The name of the events for changed relation tuples. They are read in their order.
pub const TUPLES_CHANGED: &str = "RelationTuplesChanged";

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

fn actor(actor: &Actor) -> String {
    match actor {
        Actor::Anonymous => "anonymous".to_owned(),
        Actor::Identity(id) => format!("identity:{id}"),
        Actor::Client(id) => format!("client:{id}"),
        Actor::Admin => "admin".to_owned(),
        Actor::System => "system".to_owned(),
    }
}
