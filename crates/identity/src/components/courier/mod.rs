//! The courier: renders messages in the transaction that causes them, and delivers them afterwards, as jobs.
//!
//! Invariants: no message is sent before its transaction commits. A template that fails is replaced by the built-in
//! one, so that a mistake in a template does not lock users out. Contents are stored sealed, because they contain
//! codes. A message is rendered when it is queued, in the language of its context, so every delivery attempt sends the
//! same text.

mod built_in;
mod http;
mod part;
mod smtp;
mod templates;
mod texts;

use std::time::Duration;

use base::{Context, Rng, Sealer};
use database::{Database, Error, WriteTx};
use serde_json::{Value, json};

use crate::domain::Via;
use crate::domain::message_queue::{
    Dispatch, DispatchId, DispatchStatus, Message, MessageId, MessageStatus, MessageType,
};
use crate::storage::{TenantSealer, messages};

pub use crate::domain::message_queue::TemplateType as Template;
pub use http::{HttpDeliveries, HttpDelivery, HttpDeliveryConfigError};
pub use smtp::{Delivery, SmtpConfigError, SmtpDelivery};
pub use templates::Templates;
pub(crate) use texts::names as text_names;

/// The job that delivers one message.
pub(crate) const DELIVER_MESSAGE: &str = "identity.deliver_message";

/// How long a message is kept.
const KEPT_FOR: Duration = Duration::from_hours(30 * 24);

/// Renders and delivers messages.
pub struct Courier {
    database: Database,
    rng: Rng,
    sealer: Sealer,
    templates: Templates,
    smtp: Option<SmtpDelivery>,
    http: HttpDeliveries,
    /// The number of retries of a delivery.
    retries: u32,
}

/// The dependencies of a courier.
pub struct CourierParts {
    pub database: Database,
    pub rng: Rng,
    pub sealer: Sealer,
    pub templates: Templates,
    pub smtp: Option<SmtpDelivery>,
    pub http: HttpDeliveries,
    pub retries: u32,
}

impl Courier {
    pub fn new(parts: CourierParts) -> Self {
        let CourierParts { database, rng, sealer, templates, smtp, http, retries } = parts;
        Self { database, rng, sealer, templates, smtp, http, retries }
    }

    /// The configured texts that cannot be read, each with the reason.
    pub fn unread(&self) -> &[(String, String)] {
        self.templates.unread()
    }

    pub const fn retries(&self) -> u32 {
        self.retries
    }

    /// Whether mail is sent. Without a mail server it stays in the local mailbox.
    pub const fn sends_mail(&self) -> bool {
        self.smtp.is_some() || self.http.mail.is_some()
    }

    /// Renders a message and queues the job that delivers it. `data` has the snake case keys of the template's model: `to`,
    /// `recovery_code`, `identity`, `request_url`, `expires_in_minutes`, …; the `locale` is that of the context.
    #[expect(clippy::too_many_arguments, reason = "each is an independent part of a message")]
    pub async fn queue(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        template: Template,
        via: Via,
        recipient: &str,
        data: Value,
    ) -> Result<MessageId, Error> {
        let message = self.write(cx, template, via, recipient, data);
        messages::insert(tx, self.sealer_of(cx), &message).await?;
        let job = jobs::NewJob { kind: DELIVER_MESSAGE, payload: json!({ "message_id": message.id }), run_at: cx.now };
        jobs::enqueue(tx, cx, self.rng.uuid(), job).await?;
        Ok(message.id)
    }

    /// Renders a message without storing it.
    pub fn write(&self, cx: &Context, template: Template, via: Via, recipient: &str, mut data: Value) -> Message {
        data["locale"] = json!(cx.locale.as_str());
        Message {
            id: MessageId::generate(&self.rng),
            kind: match via {
                Via::Email => MessageType::Email,
                Via::Sms => MessageType::Phone,
            },
            channel: via.as_str().to_owned(),
            template_type: template,
            recipient: recipient.to_owned(),
            content: self.templates.render(template, via, cx.locale, data),
            status: MessageStatus::Queued,
            send_count: 0,
            created_at: cx.now,
            updated_at: cx.now,
            expires_at: cx.now.plus(KEPT_FOR),
        }
    }

    pub(crate) async fn deliver(&self, cx: &Context, message: &Message) -> Delivery {
        match message.kind {
            MessageType::Email => self.mail(message, cx).await,
            MessageType::Phone => self.text(message).await,
        }
    }

    fn sealer_of(&self, cx: &Context) -> TenantSealer<'_> {
        TenantSealer::new(&self.sealer, cx.tenant)
    }

    /// Counts a delivery attempt. `None` when the message was sent, abandoned or deleted.
    pub(crate) async fn take(&self, cx: &Context, id: MessageId) -> Result<Option<Message>, database::Error> {
        let mut tx = self.database.write(cx.tenant).await?;
        let message = messages::take(&mut tx, self.sealer_of(cx), id, cx.now).await?;
        tx.commit().await?;
        Ok(message)
    }

    async fn mail(&self, message: &Message, cx: &Context) -> Delivery {
        if let Some(delivery) = &self.http.mail {
            return delivery.deliver(message).await;
        }
        if let Some(smtp) = &self.smtp {
            return smtp.deliver(message, cx.now).await;
        }
        tracing::info!(message = %message.id, "no mail server is configured: the message stays in the local mailbox");
        Delivery::Done
    }

    async fn text(&self, message: &Message) -> Delivery {
        match self.http.channel(&message.channel) {
            Some(delivery) => delivery.deliver(message).await,
            None => Delivery::Impossible(format!("no courier channel {} is configured", message.channel)),
        }
    }

    /// The result of an attempt: the status of the message, and the error.
    pub(crate) fn outcome(&self, message: &Message, delivery: Delivery) -> (MessageStatus, Option<String>) {
        let retries = i32::try_from(self.retries).unwrap_or(i32::MAX);
        match delivery {
            Delivery::Done => (MessageStatus::Sent, None),
            Delivery::Failed(problem) if message.send_count <= retries => (MessageStatus::Queued, Some(problem)),
            Delivery::Failed(problem) | Delivery::Impossible(problem) => (MessageStatus::Abandoned, Some(problem)),
        }
    }

    /// Records the result of an attempt.
    pub(crate) async fn finish(
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
