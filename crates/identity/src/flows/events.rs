//! Events of flows. The actor is that of the context.
//!
//! An event is written only if its user is known: otherwise anyone could fill the log without signing in.

use base::{Actor, Context};
use database::WriteTx;
use uuid::Uuid;

use crate::domain::IdentityId;
use crate::domain::event::{Event, FlowOutcome};
use crate::domain::flow::{Details, Flow};

/// Appends that the flow succeeded for `person`.
pub(super) async fn append_success<D: Details>(
    tx: &mut WriteTx,
    cx: &Context,
    flow: &Flow<D>,
    person: IdentityId,
) -> Result<(), database::Error> {
    jobs::append(tx, cx, &[Event::of_flow(flow, FlowOutcome::Succeeded, person, None)]).await
}

/// Appends that the flow failed or is pending, for the user of the flow. Without a user, it is only logged by the
/// process.
pub(super) async fn append<D: Details>(
    tx: &mut WriteTx,
    cx: &Context,
    flow: &Flow<D>,
    outcome: FlowOutcome,
    reason: Option<&str>,
) -> Result<(), database::Error> {
    let Some(person) = flow.details.person() else {
        tracing::info!(kind = D::KIND.as_str(), ?outcome, flow = %flow.id, reason, "a flow did not succeed");
        return Ok(());
    };
    jobs::append(tx, cx, &[Event::of_flow(flow, outcome, person, reason)]).await
}

/// Appends that a guess at a secret of `person` failed, in the transaction that counts it. Without a user the same
/// statement runs and writes nothing: the response time must not reveal whether an account exists, and anyone could
/// fill the log with unknown names. The limits on guesses bound these events too.
pub(super) async fn append_failed_guess<D: Details>(
    tx: &mut WriteTx,
    cx: &Context,
    flow: &Flow<D>,
    person: Option<IdentityId>,
    reason: &str,
) -> Result<(), database::Error> {
    let about = person.unwrap_or(IdentityId::from_uuid(Uuid::nil()));
    let event = Event::of_flow(flow, FlowOutcome::Failed, about, Some(reason));
    jobs::append_if(tx, cx, &event, person.is_some()).await
}

/// Whether the flow records its rejections itself, because its user is known.
pub(super) fn knows_person<D: Details>(flow: &Flow<D>) -> bool {
    flow.details.person().is_some()
}

/// The context with an authenticated user as its actor.
pub(super) fn acting_as(cx: &Context, person: IdentityId) -> Context {
    Context { actor: Actor::Identity(person.as_uuid()), ..cx.clone() }
}
