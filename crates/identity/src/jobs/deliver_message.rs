//! Delivers one message of the courier. An attempt is counted before it starts, and its result is recorded as a dispatch. A
//! message that was sent or abandoned keeps that state.

use std::time::Duration;

use async_trait::async_trait;
use base::Context;
use jobs::{Failure, Handler, Job};
use serde_json::{Value, json};

use crate::Identity;
use crate::courier::{DELIVER_MESSAGE, Delivery};
use crate::domain::message_queue::{
    Dispatch, DispatchId, DispatchStatus, Message, MessageId, MessageStatus, MessageType,
};
use crate::storage::messages;

/// Delivers messages, with the configured number of retries.
pub(crate) struct DeliverMessage(pub(crate) Identity);

#[async_trait]
impl Handler for DeliverMessage {
    fn kind(&self) -> &'static str {
        DELIVER_MESSAGE
    }

    fn max_attempts(&self) -> u32 {
        // One more attempt, so that this job records the last failure itself.
        self.0.config.courier.message_retries.saturating_add(2)
    }

    fn lease(&self) -> Duration {
        Duration::from_mins(1)
    }

    async fn run(&self, cx: &Context, job: &Job) -> Result<(), Failure> {
        let id = message_id(&job.payload).ok_or_else(|| Failure::Permanent("the job has no message id".to_owned()))?;
        let Some(message) = self.0.take_message(cx, id).await? else { return Ok(()) };
        let delivery = match message.kind {
            MessageType::Email => self.0.mail(&message, cx).await,
            MessageType::Phone => self.0.text(&message).await,
        };
        let (status, problem) = self.0.check(&message, delivery);
        self.0.finish_message(cx, &message, status, problem.as_deref()).await?;
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

impl Identity {
    async fn take_message(&self, cx: &Context, id: MessageId) -> Result<Option<Message>, database::Error> {
        let mut tx = self.database.write(cx.tenant).await?;
        if !messages::take(&mut tx, id, cx.now).await? {
            return Ok(None);
        }
        let message = messages::find(&mut tx, self.tenant_sealer(cx), id).await?;
        tx.commit().await?;
        Ok(message)
    }

    async fn mail(&self, message: &Message, cx: &Context) -> Delivery {
        if let Some(delivery) = &self.http_deliveries.mail {
            return delivery.deliver(message).await;
        }
        if let Some(smtp) = &self.smtp {
            return smtp.deliver(message, cx.now).await;
        }
        tracing::info!(message = %message.id, "no mail server is configured: the message stays in the local mailbox");
        Delivery::Done
    }

    async fn text(&self, message: &Message) -> Delivery {
        match self.http_deliveries.channel(&message.channel) {
            Some(delivery) => delivery.deliver(message).await,
            None => Delivery::Impossible(format!("no courier channel {} is configured", message.channel)),
        }
    }

    fn check(&self, message: &Message, delivery: Delivery) -> (MessageStatus, Option<String>) {
        let retries = i32::try_from(self.config.courier.message_retries).unwrap_or(i32::MAX);
        match delivery {
            Delivery::Done => (MessageStatus::Sent, None),
            Delivery::Failed(problem) if message.send_count <= retries => (MessageStatus::Queued, Some(problem)),
            Delivery::Failed(problem) | Delivery::Impossible(problem) => (MessageStatus::Abandoned, Some(problem)),
        }
    }

    async fn finish_message(
        &self,
        cx: &Context,
        message: &Message,
        status: MessageStatus,
        problem: Option<&str>,
    ) -> Result<(), database::Error> {
        let dispatch = Dispatch {
            id: DispatchId::generate(&self.rng),
            status: if problem.is_some() { DispatchStatus::Failed } else { DispatchStatus::Success },
            error: problem.map(|problem| json!({ "reason": problem }).to_string()),
            created_at: cx.now,
        };
        let mut tx = self.database.write(cx.tenant).await?;
        messages::finish(&mut tx, message, status, &dispatch).await?;
        tx.commit().await
    }
}
