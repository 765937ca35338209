//! What the page of a code says about it: where it was sent, and when another one can be asked for.
//!
//! What always holds: nothing here depends on whether somebody has the address. The limit of the recipient is not told,
//! because it differs for devices that somebody signed in from; the limit of the network is told by every refusal.

use std::time::Duration;

use base::Context;

use crate::Identity;
use crate::domain::flow::{Details, FlowKind, FlowState, Login, Recovery, Registration, Sent, Settings, Verification};

use super::error::FlowError;
use super::visitor::Visitor;

/// A message takes a moment to arrive, and each one counts against the limits of its recipient.
const PAUSE: Duration = Duration::from_secs(30);

/// A code that a flow waits for.
pub(crate) struct AwaitedCode {
    /// The address as it was typed.
    pub sent_to: String,
    /// How long to wait before another one is asked for.
    pub wait: Duration,
}

impl Identity {
    /// The code that the flow waits for whose id the visitor asks with; `None` when it waits for none, or for one that an
    /// administrator made.
    pub(crate) async fn awaited_code(
        &self,
        cx: &Context,
        kind: FlowKind,
        asking: &Visitor,
    ) -> Result<Option<AwaitedCode>, FlowError> {
        let sent = match kind {
            FlowKind::Login => self.sent_by::<Login>(cx, asking).await,
            FlowKind::Registration => self.sent_by::<Registration>(cx, asking).await,
            FlowKind::Settings => self.sent_by::<Settings>(cx, asking).await,
            FlowKind::Recovery => self.sent_by::<Recovery>(cx, asking).await,
            FlowKind::Verification => self.sent_by::<Verification>(cx, asking).await,
        };
        let Some(Sent { to, at }) = sent? else { return Ok(None) };
        let pause = PAUSE.saturating_sub(cx.now.since(at));
        let wait = pause.max(self.attempts.message_wait(cx, &asking.caller(cx, None)).await?);
        Ok(Some(AwaitedCode { sent_to: to, wait }))
    }

    async fn sent_by<D: Details>(&self, cx: &Context, asking: &Visitor) -> Result<Option<Sent>, FlowError> {
        let flow = self.fetched_flow::<D>(cx, asking).await?;
        Ok(flow.sent.filter(|_| flow.state == FlowState::SentEmail))
    }
}
