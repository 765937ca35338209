//! What the event log is told of flows: one shape for all kinds. The log names as the actor whoever the context names.

use base::{Actor, Context};
use database::WriteTx;
use jobs::Event;
use serde_json::{Map, json};

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
    let person = event.person.or(flow.details.person());
    let mut attributes = Map::new();
    let mut tell = |name: &str, value| attributes.insert(name.to_owned(), value);
    tell("IdentityID", json!(person));
    tell("FlowID", json!(flow.id));
    tell("SelfServiceFlowType", json!(flow.flow_type.as_str()));
    tell("SelfServiceFlowName", json!(D::KIND.as_str()));
    tell("SelfServiceMethodUsed", json!(flow.method()));
    tell("ErrorReason", json!(event.reason));
    flow.details.tell(&mut attributes);
    let subject = person.map(|person| person.to_string()).unwrap_or_default();
    jobs::append_event(tx, cx, Event { name: event.name, subject, attributes: attributes.into() }).await
}

/// The request as the deed of a person who has proved who she is.
pub(super) fn acting_as(cx: &Context, person: IdentityId) -> Context {
    Context { actor: Actor::Identity(person.as_uuid()), ..cx.clone() }
}
