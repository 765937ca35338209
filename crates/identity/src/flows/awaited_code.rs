//! The status of a pending code, for its page: where it was sent, and when another one can be requested.
//!
//! Invariant: the status does not depend on whether the address has an account. The recipient's limit is not shown,
//! because it differs for devices that its owner signed in from. The network's limit is part of every rejection.

use std::time::Duration;

use base::Context;

use crate::Identity;
use crate::components::attempts::Caller;
use crate::domain::flow::{FlowState, Sent};

use super::views::FlowView;

/// Messages take a moment to arrive, and each one counts towards the limits of its recipient.
const PAUSE: Duration = Duration::from_secs(30);

/// A pending code of a flow.
pub(crate) struct AwaitedCode {
    /// The address as it was entered.
    pub sent_to: String,
    /// The time until another one can be requested.
    pub wait: Duration,
}

impl Identity {
    /// The pending code of a flow; `None` without one, or when an administrator created it.
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
