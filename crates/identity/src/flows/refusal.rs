//! A rejected submission: shown in the form, stored, and returned with the flow.

use std::borrow::Cow;

use base::Context;

use crate::Identity;
use crate::domain::event::FlowOutcome;
use crate::domain::flow::{Details, Flow, FlowKind};
use crate::domain::form::FormError;
use crate::domain::message::{Message, validation};
use crate::domain::ui::ValidationMessage;
use crate::storage;
use crate::storage::flows::UpdateError;

use super::answer::{Answer, FormReason};
use super::errors::{StepError, SubmitError};
use super::events;
use super::visitor::{Browser, Visitor};

/// The number of writes of one settings or registration flow after which its rejections are no longer recorded as events: its form
/// can be submitted without bound.
const MOST_RECORDED: i64 = 30;

/// The messages for a rejected submission, and the status of the answer.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    messages: Vec<ValidationMessage>,
    reason: FormReason,
}

impl Refusal {
    pub(crate) fn new(messages: Vec<ValidationMessage>) -> Self {
        Self { messages, reason: FormReason::Invalid }
    }

    pub(crate) fn general(message: Message) -> Self {
        Self::new(vec![ValidationMessage::general(message)])
    }

    #[must_use]
    pub(crate) fn with_reason(mut self, reason: FormReason) -> Self {
        self.reason = reason;
        self
    }

    /// Whether this is the only message.
    pub(crate) fn is_only(&self, message: &Message) -> bool {
        matches!(self.messages.as_slice(), [ValidationMessage { node: None, message: only }] if only == message)
    }

    /// Whether there is a message at this field.
    pub(crate) fn concerns(&self, node: &str) -> bool {
        self.messages.iter().any(|message| message.node.as_deref() == Some(node))
    }

    /// Replaces the messages of the form.
    pub(crate) fn show_in<D: Details>(&self, flow: &mut Flow<D>) {
        flow.transient_payload = None;
        flow.ui.clear_messages();
        flow.add_message(self.messages.clone());
    }
}

/// Errors that the user cannot correct in the form are passed on.
impl TryFrom<StepError> for Refusal {
    type Error = SubmitError;

    fn try_from(error: StepError) -> Result<Self, SubmitError> {
        match error {
            StepError::Invalid(messages) => Ok(Self::new(messages)),
            StepError::Limited { message, retry_after } => {
                Ok(Self { messages: vec![*message], reason: FormReason::Limited { retry_after } })
            }
            StepError::Submit(error) => Err(*error),
        }
    }
}

impl Identity {
    /// Shows the errors in the form and returns it.
    pub(crate) async fn refuse_submission<D: Details>(
        &self,
        cx: &Context,
        flow: &mut Flow<D>,
        browser: &Browser,
        refusal: Refusal,
    ) -> Result<Answer, SubmitError> {
        let reason = self.refuse_with(cx, flow, browser, refusal, Refusal::show_in).await?;
        Ok(self.form(flow, browser, reason))
    }

    /// Reports in the form that the submission cannot be parsed. It has no anti-CSRF token, so the cookie alone must
    /// prove that the flow belongs to the browser.
    pub(crate) async fn refuse_unreadable<D: Details>(
        &self,
        cx: &Context,
        visitor: &Visitor,
        flow: &mut Flow<D>,
        error: &FormError,
    ) -> Result<Answer, SubmitError> {
        let browser = self.browser(visitor);
        visitor.may_see(flow, &browser)?;
        if flow.is_expired(cx.now) {
            return Err(self.expired(cx, flow).into());
        }
        let refusal = Refusal::general(validation::generic(&error.to_string()));
        self.refuse_submission(cx, flow, &browser, refusal).await
    }

    /// As [`Self::refuse_submission`], where `apply` puts the messages into the form.
    ///
    /// If another submission changed the flow in the meantime, its form is kept and returned with these messages added;
    /// the changes of this submission are discarded. If another submission ended the flow, `flow` is the ended flow,
    /// and the error is [`SubmitError::FlowChanged`].
    pub(crate) async fn refuse_with<D: Details>(
        &self,
        cx: &Context,
        flow: &mut Flow<D>,
        browser: &Browser,
        refusal: Refusal,
        apply: impl Fn(&Refusal, &mut Flow<D>) + Send,
    ) -> Result<FormReason, SubmitError> {
        let mut tx = self.database.write(cx.tenant).await?;
        apply(&refusal, flow);
        match storage::flows::update(&mut tx, flow).await {
            Ok(()) => {}
            Err(UpdateError::Database(error)) => return Err(error.into()),
            Err(UpdateError::Stale) => {
                let submitted_method = flow.submitted_method;
                *flow = storage::flows::lock(&mut tx, flow.id).await?.ok_or(SubmitError::FlowNotFound)?;
                flow.submitted_method = submitted_method;
                // The flow may belong to another browser by now; only that one may see it.
                if !browser.owns(flow) {
                    return Err(SubmitError::FlowChanged);
                }
                if flow.state.is_final() {
                    return Err(SubmitError::FlowChanged);
                }
                apply(&refusal, flow);
                storage::flows::update(&mut tx, flow).await?;
            }
        }
        // A submission that a limit rejects was not checked. It can be repeated without bound, and so could its event.
        // Where a rejection may be a guess, every event counts: the limits on guesses bound them.
        let is_bounded = match D::KIND {
            FlowKind::Settings | FlowKind::Registration => flow.version - 1 > MOST_RECORDED,
            FlowKind::Login | FlowKind::Recovery | FlowKind::Verification => false,
        };
        let is_recorded = !matches!(refusal.reason, FormReason::Limited { .. }) && !is_bounded;
        if is_recorded {
            let reason = refusal.messages.first().map(|message| reason_of(&message.message));
            events::append(&mut tx, cx, flow, FlowOutcome::Failed, reason.as_deref()).await?;
        }
        tx.commit().await?;
        Ok(refusal.reason)
    }
}

/// The reason in an event: the text of the message, or its number when the text contains what the user submitted, which may be a
/// password in the wrong field.
fn reason_of(message: &Message) -> Cow<'_, str> {
    if message.context.is_some() { Cow::Owned(format!("message {}", message.id)) } else { Cow::Borrowed(&message.text) }
}
