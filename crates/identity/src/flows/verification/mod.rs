//! Verification: a code or a link is sent to an address. Submitting it proves access to the address.
//!
//! No session is required, and the response does not depend on whether the address is known. Opening the URL in a mail
//! with a code only fills in the code and does not redeem it, so a link scanner does no harm.

mod complete;

use base::Context;
use serde_json::Value;

use crate::Identity;
use crate::components::language;
use crate::domain;
use crate::domain::client_kind::{FlowType, Wants};
use crate::domain::flow::{Details as _, Flow, FlowKind, FlowState, Verification};
use crate::domain::message::{Message, flow as flow_messages, verification as messages};
use crate::domain::ui::Ui;
use crate::domain::verification::{Action, Carrier, Opened, Opening, Submitted, act_on, keeps_waiting, open};
use crate::flows::answer::FormReason;
use crate::flows::views::FlowView;
use crate::methods::code::nodes as code_nodes;
use crate::storage;

use complete::Completion;

use super::address_flow::{AddressFlow, Step, bound, decode, missing_member};
use super::answer::{Answer, CookieChange, Failure};
use super::errors::{BeginError, FetchError, FlowDisabled, StepError, SubmitError};
use super::submission::{RawSubmission, Submission};
use super::visitor::{Browser, Visitor};
use crate::components::attempts::Caller;
use crate::components::codes::Recipient;

impl AddressFlow for Verification {
    fn wrong_code() -> Message {
        flow_messages::verification_code_invalid()
    }

    fn wrong_link() -> Message {
        flow_messages::verification_link_invalid()
    }

    fn no_strategy() -> Message {
        flow_messages::no_verification_strategy()
    }

    fn link_sent() -> Message {
        messages::link_sent()
    }

    fn code_form(ui: &mut Ui, takes_phone_numbers: bool) {
        code_nodes::verification_form(ui, takes_phone_numbers);
    }

    fn code_sent_form(ui: &mut Ui, typed: &str) {
        code_nodes::verification_sent_form(ui, typed);
    }

    fn keep_address(&mut self, address: String) {
        self.address = Some(address);
    }

    fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    // A pending login or registration continues only in the browser that started the flow.
    fn restarted(&self, is_same_browser: bool) -> Self {
        if is_same_browser { Self { address: None, ..self.clone() } } else { Self::default() }
    }

    fn is_awaited(&self) -> bool {
        self.oauth2.is_some() || self.registrant.is_some()
    }
}

impl Identity {
    pub async fn begin_verification(
        &self,
        cx: &Context,
        visitor: &Visitor,
        flow_type: FlowType,
    ) -> Result<Answer, BeginError> {
        if !self.flow_policy.is_enabled(FlowKind::Verification) {
            return Err(FlowDisabled(FlowKind::Verification).into());
        }
        let home = self.urls.returns().default_url().clone();
        self.urls.returns().resolve(visitor.query("return_to").as_deref(), &home)?;
        let browser = self.browser(visitor);
        if let Some(flow) = self.begin_unstored::<Verification>(cx, visitor, flow_type)? {
            return Ok(self.begun(&flow, &browser));
        }
        let beginning = self.beginning::<Verification>(visitor, &browser, flow_type);
        let mut flow = Flow::begin(&beginning, Verification::default(), &self.rng, cx.now);
        self.ask_for_address(&mut flow)?;
        self.store_flow(cx, &flow).await?;
        Ok(self.begun(&flow, &browser))
    }

    pub(crate) async fn fetch_verification(&self, cx: &Context, visitor: &Visitor) -> Result<FlowView, FetchError> {
        let flow = self.fetched_flow::<Verification>(cx, visitor).await?;
        let browser = self.browser(visitor);
        visitor.may_see(&flow, &browser)?;
        if flow.is_expired(cx.now) {
            return Err(self.expired(cx, &flow).into());
        }
        Ok(self.view(&flow, &browser))
    }

    /// Handles the URL in a mail with a code: fills in the code and redirects to the page.
    pub async fn open_verification(&self, cx: &Context, visitor: &Visitor) -> Result<Answer, Failure> {
        let flow = self.submitted_flow::<Verification>(cx, visitor).await?;
        let flow_type = flow.flow_type;
        self.fill_in_code(cx, visitor, &flow).await.map_err(Failure::of(flow_type))
    }

    async fn fill_in_code(
        &self,
        cx: &Context,
        visitor: &Visitor,
        flow: &Flow<Verification>,
    ) -> Result<Answer, SubmitError> {
        let page = self.page_of(flow);
        let Some(code) = visitor.query("code") else { return Ok(Answer::redirect(page)) };
        let mut tx = self.database.write(cx.tenant).await?;
        // Without a row no code was sent.
        let stored = storage::flows::lock::<Verification>(&mut tx, flow.id).await?;
        let Some(mut flow) = stored else { return Ok(Answer::redirect(page)) };
        let browser = self.browser(visitor);
        let opening = open(&Opened {
            flow_type: flow.flow_type,
            awaits_code: flow.state == FlowState::SentEmail,
            is_awaited: flow.details.is_awaited(),
            is_same_browser: browser.owns(&flow),
        });
        let Opening::FillIn { keeps_session } = opening else { return Ok(Answer::redirect(page)) };
        flow.browser = Some(browser.secret.fingerprint());
        if !keeps_session {
            flow.details.session_id = None;
        }
        flow.ui.set_value("code", Value::String(code));
        storage::flows::update(&mut tx, &mut flow).await?;
        tx.commit().await?;
        Ok(Answer::redirect(page).with(CookieChange::Csrf(browser.secret)))
    }

    pub async fn submit_verification(
        &self,
        cx: &Context,
        visitor: &Visitor,
        body: RawSubmission,
    ) -> Result<Answer, Failure> {
        if !self.flow_policy.is_enabled(FlowKind::Verification) {
            return Err(FlowDisabled(FlowKind::Verification).into());
        }
        let mut flow = self.submitted_flow::<Verification>(cx, visitor).await?;
        let flow_type = flow.flow_type;
        let failed = Failure::of(flow_type);
        let submission = match decode(visitor, body) {
            Ok(submission) => submission,
            Err(error) => return self.refuse_unreadable(cx, visitor, &mut flow, &error).await.map_err(failed),
        };
        self.act_on_verification(cx, visitor, flow, &submission).await.map_err(failed)
    }

    /// Decides what happens to a submission, and does it.
    async fn act_on_verification(
        &self,
        cx: &Context,
        visitor: &Visitor,
        flow: Flow<Verification>,
        submission: &Submission,
    ) -> Result<Answer, SubmitError> {
        let browser = self.browser(visitor);
        let token = submission.text("token");
        let forgery = visitor.may_submit(&flow, &browser, submission).err();
        let action = act_on(&Submitted {
            carrier: match token {
                Some(_) => Carrier::Link { is_cross_site: visitor.is_from_elsewhere },
                None => Carrier::Form,
            },
            is_expired: flow.is_expired(cx.now),
            is_completed: flow.state == FlowState::PassedChallenge,
            is_genuine: forgery.is_none(),
        });
        match action {
            Action::RestartExpired => {
                let message = Verification::expired_message(flow.expires_at, cx.now);
                let new = self.restart(cx, visitor, &browser, &flow, message).await?;
                Ok(self.redirect_to_flow(visitor, &browser, &new))
            }
            Action::RestartCompleted => self.restart_verified(cx, visitor, &browser, &flow).await,
            Action::ConfirmLink => Ok(self.confirmation_page(&flow, token.unwrap_or_default())),
            Action::Forged => Err(forgery.map_or(SubmitError::Broken("a forgery without a violation"), Into::into)),
            Action::Process => self.continue_verification(cx, visitor, flow, submission).await,
            Action::RedeemLink => self.verify_by_link(cx, visitor, flow, token.unwrap_or_default()).await,
        }
    }

    /// Sends a code or a link, or checks a submitted code.
    async fn continue_verification(
        &self,
        cx: &Context,
        visitor: &Visitor,
        mut flow: Flow<Verification>,
        submission: &Submission,
    ) -> Result<Answer, SubmitError> {
        let browser = self.browser(visitor);
        let caller = visitor.caller(cx, None);
        let error = match self.verification_step(cx, &caller, &mut flow, submission).await {
            Ok(Step::Sent) => return Ok(self.form(&flow, &browser, FormReason::Accepted)),
            Ok(Step::Proved(code)) => {
                if let Some(answer) = self
                    .complete_verification(cx, Completion { visitor, browser: &browser, code: &code }, &flow)
                    .await?
                {
                    return Ok(answer);
                }
                StepError::general(Verification::wrong_code())
            }
            Err(error) => error,
        };
        match self.refuse_step(cx, &mut flow, &browser, error).await {
            // Another submission with the right code won the race.
            Err(SubmitError::FlowChanged) if flow.state.is_final() => {
                self.restart_verified(cx, visitor, &browser, &flow).await
            }
            answer => answer,
        }
    }

    /// Replaces a completed flow with a new one and sends the client to it.
    async fn restart_verified(
        &self,
        cx: &Context,
        visitor: &Visitor,
        browser: &Browser,
        flow: &Flow<Verification>,
    ) -> Result<Answer, SubmitError> {
        let new = self.restart(cx, visitor, browser, flow, flow_messages::verification_completed()).await?;
        if flow.is_browser() && visitor.wants == Wants::Html {
            return Ok(self.redirect_to_flow(visitor, browser, &new));
        }
        Err(SubmitError::Replaced { use_flow_id: new.id })
    }

    async fn verification_step(
        &self,
        cx: &Context,
        caller: &Caller,
        flow: &mut Flow<Verification>,
        submission: &Submission,
    ) -> Result<Step, StepError> {
        self.require_method(flow, submission)?;
        // The form contains the address as well, so a code takes precedence.
        if let Some(guess) = submission.text("code").filter(|_| flow.state == FlowState::SentEmail) {
            return self.proof_by_code(cx, caller, flow, guess).await;
        }
        let Some(typed) = submission.text("email").or_else(|| submission.text("sms")) else {
            return Err(missing_member(flow));
        };
        self.send_verification(cx, caller, flow, typed, submission).await?;
        Ok(Step::Sent)
    }

    /// Sends a code or a link if the address is known; the answer is the same if it is not.
    async fn send_verification(
        &self,
        cx: &Context,
        caller: &Caller,
        flow: &mut Flow<Verification>,
        typed: &str,
        submission: &Submission,
    ) -> Result<(), StepError> {
        flow.transient_payload = submission.transient_payload();
        let typed = typed.trim();
        let (via, address) = self.address_to_send_to(flow, typed)?;
        let mut read = self.database.read(cx.tenant);
        let found = storage::identities::find_verifiable(&mut read, via, &address).await?;
        let registrant = self.registrant_of(cx, flow)?.map(|(registrant, _)| registrant);
        let registrant = registrant.filter(|registrant| registrant.verifiable_address(via, &address).is_some());
        let is_taken = found.is_some() && registrant.is_some();
        let person = match &found {
            // The address was taken in the meantime: its owner is notified, as at the registration.
            Some(_) if is_taken => None,
            Some((_, owner)) => storage::identities::find(&mut read, *owner).await?.filter(domain::Identity::is_active),
            None => registrant,
        };
        let recipient = Recipient {
            person: person.as_ref(),
            via,
            address: &address,
            is_owner_of_taken: is_taken,
            caller,
            is_asked_for: true,
        };
        let mut sent = flow.clone();
        self.show_sent(cx, &mut sent, typed, &recipient, messages::code_sent(via));
        let mut tx = self.database.write(cx.tenant).await?;
        self.send_proof(&mut tx, cx, &mut sent, &recipient, submission).await?;
        if is_taken {
            self.notify_owner(&mut tx, &language::of_flow(&self.ui, cx, flow), &recipient, &flow.request_url).await?;
        }
        if let Some((known, _)) = found.filter(|_| person.is_some()) {
            storage::identities::mark_sent(&mut tx, known.id, cx.now).await?;
        }
        tx.commit().await?;
        *flow = sent;
        Ok(())
    }

    /// Redeems the token of a link. The flow completes in the browser that opened the link.
    async fn verify_by_link(
        &self,
        cx: &Context,
        visitor: &Visitor,
        flow: Flow<Verification>,
        token: &str,
    ) -> Result<Answer, SubmitError> {
        let browser = self.browser(visitor);
        if let Some(code) = self.proof_by_link_of(cx, &visitor.caller(cx, None), &flow, token).await?
            && let Some(answer) =
                self.complete_verification(cx, Completion { visitor, browser: &browser, code: &code }, &flow).await?
        {
            return Ok(bound(answer, &browser));
        }
        let mut over = flow;
        continue_in(&mut over, &browser);
        over.flow_type = FlowType::Browser;
        let new = self.restart(cx, visitor, &browser, &over, Verification::wrong_link()).await?;
        Ok(self.redirect_to_flow(visitor, &browser, &new))
    }
}

/// Continues a flow in the browser that opened its link. A pending login or registration continues only in the browser
/// that started the flow.
fn continue_in(flow: &mut Flow<Verification>, browser: &Browser) {
    if !keeps_waiting(flow.flow_type, browser.owns(flow)) {
        flow.browser = flow.browser.take().map(|_| browser.secret.fingerprint());
        flow.details = flow.details.restarted(false);
    }
}
