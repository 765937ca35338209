//! Events of flows, in one shape for all kinds. The actor is the one that the context names.
//!
//! An event is written only when it is known whom it is about: otherwise anyone could fill the log without signing in.

use base::{Actor, Context};
use database::WriteTx;
use jobs::Event;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::domain::IdentityId;
use crate::domain::flow::{Details, Flow};

/// What happened to a flow.
pub(super) struct FlowEvent<'a> {
    name: &'static str,
    person: Option<IdentityId>,
    reason: Option<&'a str>,
}

impl<'a> FlowEvent<'a> {
    pub(super) const fn named(name: &'static str) -> Self {
        Self { name, person: None, reason: None }
    }

    /// Whom it is about, when the flow itself does not know.
    pub(super) const fn about(mut self, person: IdentityId) -> Self {
        self.person = Some(person);
        self
    }

    pub(super) const fn because(mut self, reason: Option<&'a str>) -> Self {
        self.reason = reason;
        self
    }
}

/// Writes the event into the transaction that makes it true.
pub(super) async fn append<D: Details>(
    tx: &mut WriteTx,
    cx: &Context,
    flow: &Flow<D>,
    event: FlowEvent<'_>,
) -> Result<(), database::Error> {
    let Some(person) = event.person.or(flow.details.person()) else {
        tracing::info!(event = event.name, flow = %flow.id, reason = event.reason, "a flow was refused");
        return Ok(());
    };
    jobs::append_event(tx, cx, of_flow(flow, &event, person)).await
}

/// Writes that a guess at the secret of `person` failed, into the transaction that counts it. Without a person the same
/// statement runs and writes nothing: an answer must not tell by its time whether an account exists, and a log that
/// anyone could fill with names of nobody is of no use. What limits the guesses at a person bounds these events as well.
pub(super) async fn append_failed_guess<D: Details>(
    tx: &mut WriteTx,
    cx: &Context,
    flow: &Flow<D>,
    person: Option<IdentityId>,
    reason: &str,
) -> Result<(), database::Error> {
    let event = FlowEvent::named(D::KIND.failed_event()).because(Some(reason));
    let about = person.unwrap_or(IdentityId::from_uuid(Uuid::nil()));
    jobs::append_event_if(tx, cx, of_flow(flow, &event, about), person.is_some()).await
}

/// The event about `person`, for a transaction that writes several.
pub(super) fn of_flow<D: Details>(flow: &Flow<D>, event: &FlowEvent<'_>, person: IdentityId) -> Event {
    let mut attributes = Map::new();
    let mut add = |name: &str, value: Value| {
        if !value.is_null() {
            attributes.insert(name.to_owned(), value);
        }
    };
    add("IdentityID", json!(person));
    add("FlowID", json!(flow.id));
    add("SelfServiceFlowType", json!(flow.flow_type.as_str()));
    add("SelfServiceFlowName", json!(D::KIND.as_str()));
    add("SelfServiceMethodUsed", json!(flow.method()));
    add("ErrorReason", json!(event.reason));
    flow.details.add_event_attributes(&mut attributes);
    Event { name: event.name, subject: person.to_string(), attributes: attributes.into() }
}

/// Whether a refusal of the flow is recorded by itself, because the flow knows whom it is about.
pub(super) fn knows_person<D: Details>(flow: &Flow<D>) -> bool {
    flow.details.person().is_some()
}

/// The request, with a person as its actor who has proved who they are.
pub(super) fn acting_as(cx: &Context, person: IdentityId) -> Context {
    Context { actor: Actor::Identity(person.as_uuid()), ..cx.clone() }
}
