//! What the page of a code says about it: where it was sent, and when another one can be asked for.
//!
//! What always holds: nothing here depends on whether the address has an account. The limit of the recipient is not shown, because
//! it differs for devices that its owner signed in from; the limit of the network is part of every refusal.

use std::time::Duration;

use base::Context;

use crate::Identity;
use crate::components::attempts::Caller;
use crate::domain::flow::{FlowState, Sent};

use super::views::FlowView;

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
    /// The code that the flow waits for; `None` when it waits for none, or for one that an administrator created.
    pub(crate) async fn awaited_code(
        &self,
        cx: &Context,
        flow: &FlowView,
        caller: &Caller,
    ) -> Result<Option<AwaitedCode>, database::Error> {
        let Some(Sent { to, at }) = flow.sent.clone().filter(|_| flow.state == FlowState::SentEmail) else {
            return Ok(None);
        };
        let pause = PAUSE.saturating_sub(cx.now.since(at));
        let wait = pause.max(self.attempts.message_wait(cx, caller).await?);
        Ok(Some(AwaitedCode { sent_to: to, wait }))
    }
}
