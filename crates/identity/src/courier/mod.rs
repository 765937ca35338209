//! The courier: renders messages in the transaction that causes them, and delivers them afterwards, as jobs.
//!
//! What always holds: no message is sent before its transaction commits. A template that fails is replaced by the built-in
//! one, so that a mistake in a template does not lock people out. Contents are stored sealed, because they carry codes. A
//! message is rendered when it is queued, in the language of its context, so every delivery attempt sends the same text.

mod built_in;
mod http;
mod part;
mod smtp;
mod templates;
mod texts;

use std::time::Duration;

use base::Context;
use database::{Error, WriteTx};
use serde_json::{Value, json};

use crate::Identity;
use crate::domain::Via;
use crate::domain::message_queue::{Message, MessageId, MessageStatus, MessageType};
use crate::storage::messages;

pub use crate::domain::message_queue::TemplateType as Template;
pub(crate) use http::is_built_in_body;
pub use http::{HttpDeliveries, HttpDelivery, HttpDeliveryConfigError};
pub use smtp::{Delivery, SmtpConfigError, SmtpDelivery};
pub use templates::Templates;
pub(crate) use texts::names as text_names;

/// The job that delivers one message.
pub(crate) const DELIVER_MESSAGE: &str = "identity.deliver_message";

/// How long a message is kept.
const KEPT_FOR: Duration = Duration::from_hours(30 * 24);

/// Renders a message and queues the job that delivers it. `data` has the snake case keys of the template's model: `to`,
/// `recovery_code`, `identity`, `request_url`, `expires_in_minutes`, …. The `locale` is that of the context.
#[expect(clippy::too_many_arguments, reason = "the parts and the recipient of a message")]
pub async fn queue(
    identity: &Identity,
    tx: &mut WriteTx,
    cx: &Context,
    template: Template,
    via: Via,
    recipient: &str,
    data: Value,
) -> Result<MessageId, Error> {
    let message = write(identity, cx, template, via, recipient, data);
    messages::insert(tx, identity.tenant_sealer(cx), &message).await?;
    let job = jobs::NewJob { kind: DELIVER_MESSAGE, payload: json!({ "message_id": message.id }), run_at: cx.now };
    jobs::enqueue(tx, cx, identity.rng.uuid(), job).await?;
    Ok(message.id)
}

/// Renders a message without storing it.
pub fn write(
    identity: &Identity,
    cx: &Context,
    template: Template,
    via: Via,
    recipient: &str,
    mut data: Value,
) -> Message {
    data["locale"] = json!(cx.locale.as_str());
    Message {
        id: MessageId::generate(&identity.rng),
        kind: match via {
            Via::Email => MessageType::Email,
            Via::Sms => MessageType::Phone,
        },
        channel: via.as_str().to_owned(),
        template_type: template,
        recipient: recipient.to_owned(),
        content: identity.templates.render(template, via, cx.locale, data),
        status: MessageStatus::Queued,
        send_count: 0,
        created_at: cx.now,
        updated_at: cx.now,
        expires_at: cx.now.plus(KEPT_FOR),
    }
}
