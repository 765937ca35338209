//! Delivers one message of the courier. An attempt is counted before it starts, and its result is recorded as a dispatch. A
//! message that was sent or abandoned keeps that state.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base::Context;
use jobs::{Failure, Handler, Job};
use serde_json::Value;

use crate::components::courier::{Courier, DELIVER_MESSAGE};
use crate::domain::message_queue::{MessageId, MessageStatus};

/// Delivers messages, with the configured number of retries.
pub(crate) struct DeliverMessage(pub(crate) Arc<Courier>);

#[async_trait]
impl Handler for DeliverMessage {
    fn kind(&self) -> &'static str {
        DELIVER_MESSAGE
    }

    fn max_attempts(&self) -> u32 {
        // One more attempt, so that this job records the last failure itself.
        self.0.retries().saturating_add(2)
    }

    fn lease(&self) -> Duration {
        Duration::from_mins(1)
    }

    async fn run(&self, cx: &Context, job: &Job) -> Result<(), Failure> {
        let id = message_id(&job.payload).ok_or_else(|| Failure::Permanent("the job names no message".to_owned()))?;
        let Some(message) = self.0.take(cx, id).await? else { return Ok(()) };
        let delivery = self.0.deliver(cx, &message).await;
        let (status, problem) = self.0.outcome(&message, delivery);
        self.0.finish(cx, &message, status, problem.as_deref()).await?;
        match (status, problem) {
            (MessageStatus::Queued, Some(problem)) => Err(Failure::Retry(problem)),
            (MessageStatus::Abandoned, Some(problem)) => Err(Failure::Permanent(problem)),
            _ => Ok(()),
        }
    }
}

fn message_id(payload: &Value) -> Option<MessageId> {
    payload.get("message_id")?.as_str()?.parse().ok()
}
