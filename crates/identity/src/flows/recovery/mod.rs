//! Recovery: a code or a link is sent to a recovery address. Submitting it signs the user in, so that they can set a
//! new password.
//!
//! The response does not depend on whether the address is known. A recovery proves one factor.

mod complete;

use base::Context;
use web::config::parse_go_bool;

use crate::Identity;
use crate::domain::client_kind::FlowType;
use crate::domain::flow::{Details as _, Flow, FlowKind, FlowState, Recovery};
use crate::domain::message::{Message, flow as flow_messages, recovery as messages};
use crate::domain::recovery::{Action, Carrier, Start, Submitted, act_on, start};
use crate::domain::ui::Ui;
use crate::flows::answer::FormReason;
use crate::flows::views::FlowView;
use crate::methods::code::nodes as code_nodes;
use crate::storage;

use super::address_flow::{AddressFlow, Step, decode, missing_member};
use super::answer::{Answer, Failure};
use super::errors::{BeginError, FetchError, FlowDisabled, StepError, SubmitError};
use super::oauth2::Challenge;
use super::submission::{RawSubmission, Submission};
use super::visitor::{Browser, Visitor};
use crate::components::attempts::Caller;
use crate::components::codes::Recipient;

impl AddressFlow for Recovery {
    fn wrong_code() -> Message {
        flow_messages::recovery_code_invalid()
    }

    fn wrong_link() -> Message {
        flow_messages::recovery_link_invalid()
    }

    fn no_strategy() -> Message {
        flow_messages::no_recovery_strategy()
    }

    fn link_sent() -> Message {
        messages::link_sent()
    }

    fn code_form(ui: &mut Ui, _: bool) {
        code_nodes::recovery_form(ui);
    }

    fn code_sent_form(ui: &mut Ui, typed: &str) {
        code_nodes::recovery_sent_form(ui, Some(typed));
    }

    fn keep_address(&mut self, address: String) {
        self.address = Some(address);
    }

    fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    fn restarted(&self, is_same_browser: bool) -> Self {
        let oauth2 = self.oauth2.clone().filter(|_| is_same_browser);
        Self { skip_settings: self.skip_settings, oauth2, ..Self::default() }
    }
}

impl Identity {
    pub async fn begin_recovery(
        &self,
        cx: &Context,
        visitor: &Visitor,
        flow_type: FlowType,
    ) -> Result<Answer, BeginError> {
        if !self.flow_policy.is_enabled(FlowKind::Recovery) {
            return Err(FlowDisabled(FlowKind::Recovery).into());
        }
        let home = self.urls.returns().default_url().clone();
        self.urls.returns().resolve(visitor.query("return_to").as_deref(), &home)?;
        match start(flow_type, visitor.wants_strictly, self.current(cx, visitor).await?.is_some()) {
            Start::Flow => {}
            Start::SessionExists { redirects: true } => return Ok(Answer::redirect(home)),
            Start::SessionExists { redirects: false } => return Err(BeginError::SessionAlreadyAvailable),
        }
        let browser = self.browser(visitor);
        if let Some(flow) = self.begin_unstored::<Recovery>(cx, visitor, flow_type)? {
            return Ok(self.begun(&flow, &browser));
        }
        let skip_settings = visitor.query("skip_settings").is_some_and(|value| parse_go_bool(&value) == Some(true));
        let challenge = match flow_type {
            FlowType::Browser => self.login_challenge(cx, visitor).await?,
            FlowType::Api => None,
        };
        let oauth2 = challenge.as_ref().map(Challenge::to_flow);
        let details = Recovery { skip_settings, oauth2, ..Recovery::default() };
        let beginning = self.beginning::<Recovery>(visitor, &browser, flow_type);
        let mut flow = Flow::begin(&beginning, details, &self.rng, cx.now);
        self.ask_for_address(&mut flow)?;
        self.store_flow(cx, &flow).await?;
        Ok(self.begun(&flow, &browser))
    }

    pub(crate) async fn fetch_recovery(&self, cx: &Context, visitor: &Visitor) -> Result<FlowView, FetchError> {
        let flow = self.fetched_flow::<Recovery>(cx, visitor).await?;
        let browser = self.browser(visitor);
        if !flow.details.skip_csrf {
            visitor.may_see(&flow, &browser)?;
        }
        if flow.is_expired(cx.now) {
            return Err(self.expired(cx, &flow).into());
        }
        Ok(self.view(&flow, &browser))
    }

    /// `POST` and `GET` both submit; query parameters apply where the body has none.
    pub async fn submit_recovery(
        &self,
        cx: &Context,
        visitor: &Visitor,
        body: RawSubmission,
    ) -> Result<Answer, Failure> {
        let mut flow = self.submitted_flow::<Recovery>(cx, visitor).await?;
        // A flow that an administrator created can be completed even if self-service recovery is disabled.
        if !self.flow_policy.is_enabled(FlowKind::Recovery) && !flow.details.skip_csrf {
            return Err(FlowDisabled(FlowKind::Recovery).into());
        }
        let flow_type = flow.flow_type;
        let failed = Failure::of(flow_type);
        let submission = match decode(visitor, body) {
            Ok(submission) => submission,
            Err(error) => return self.refuse_unreadable(cx, visitor, &mut flow, &error).await.map_err(failed),
        };
        self.act_on_recovery(cx, visitor, flow, &submission).await.map_err(failed)
    }

    /// Decides what happens to a submission, and does it.
    async fn act_on_recovery(
        &self,
        cx: &Context,
        visitor: &Visitor,
        flow: Flow<Recovery>,
        submission: &Submission,
    ) -> Result<Answer, SubmitError> {
        let browser = self.browser(visitor);
        let token = submission.text("token");
        let forgery = if flow.details.skip_csrf { None } else { visitor.may_submit(&flow, &browser, submission).err() };
        let action = act_on(&Submitted {
            carrier: match token {
                Some(_) => Carrier::Link { is_cross_site: visitor.is_from_elsewhere },
                None => Carrier::Form { is_empty: submission.0.is_empty() },
            },
            flow_type: flow.flow_type,
            wants: visitor.wants,
            has_session: self.current(cx, visitor).await?.is_some(),
            is_expired: flow.is_expired(cx.now),
            is_completed: flow.state == FlowState::PassedChallenge,
            is_genuine: forgery.is_none(),
        });
        match action {
            Action::SessionExists { redirects: true } => {
                Ok(Answer::redirect(self.urls.returns().default_url().as_str()))
            }
            Action::SessionExists { redirects: false } => Err(SubmitError::SessionAlreadyAvailable),
            Action::RestartExpired => {
                let message = Recovery::expired_message(flow.expires_at, cx.now);
                self.restart_recovery(cx, visitor, &browser, &flow, message).await
            }
            Action::RestartCompleted => {
                self.restart_recovery(cx, visitor, &browser, &flow, flow_messages::recovery_completed()).await
            }
            Action::ShowForm => Ok(Answer::redirect(self.page_of(&flow))),
            Action::ConfirmLink => Ok(self.confirmation_page(&flow, token.unwrap_or_default())),
            Action::Forged => Err(forgery.map_or(SubmitError::Broken("a forgery without a violation"), Into::into)),
            Action::Process => self.continue_recovery(cx, visitor, flow, submission).await,
            Action::RedeemLink => self.recover_by_link(cx, visitor, flow, token.unwrap_or_default()).await,
        }
    }

    /// Sends a code or a link, or checks a submitted code.
    async fn continue_recovery(
        &self,
        cx: &Context,
        visitor: &Visitor,
        mut flow: Flow<Recovery>,
        submission: &Submission,
    ) -> Result<Answer, SubmitError> {
        let browser = self.browser(visitor);
        let caller = visitor.caller(cx, None);
        let error = match self.recovery_step(cx, &caller, &mut flow, submission).await {
            Ok(Step::Sent) => return Ok(self.form(&flow, &browser, FormReason::Accepted)),
            Ok(Step::Proved(code)) => {
                if let Some(answer) = self.complete_recovery(cx, visitor, &flow, &code).await? {
                    return Ok(answer);
                }
                StepError::general(Recovery::wrong_code())
            }
            Err(error) => error,
        };
        match self.refuse_step(cx, &mut flow, &browser, error).await {
            // Another submission with the right code won the race.
            Err(SubmitError::FlowChanged) if flow.state.is_final() => {
                self.restart_recovery(cx, visitor, &browser, &flow, flow_messages::recovery_completed()).await
            }
            answer => answer,
        }
    }

    async fn recovery_step(
        &self,
        cx: &Context,
        caller: &Caller,
        flow: &mut Flow<Recovery>,
        submission: &Submission,
    ) -> Result<Step, StepError> {
        self.require_method(flow, submission)?;
        // A submission with an address requests a new code. A flow that an administrator created accepts only the
        // administrator's code.
        if let Some(email) = submission.text("email").filter(|_| flow.details.identity_id.is_none()) {
            self.send_recovery(cx, caller, flow, email, submission).await?;
            return Ok(Step::Sent);
        }
        match submission.text("code").filter(|_| flow.state == FlowState::SentEmail) {
            Some(guess) => self.proof_by_code(cx, caller, flow, guess).await,
            None => Err(missing_member(flow)),
        }
    }

    /// Sends a code or a link if the address is a recovery address; the answer is the same if it is not.
    async fn send_recovery(
        &self,
        cx: &Context,
        caller: &Caller,
        flow: &mut Flow<Recovery>,
        typed: &str,
        submission: &Submission,
    ) -> Result<(), StepError> {
        flow.transient_payload = submission.transient_payload();
        let typed = typed.trim();
        let (via, address) = self.address_to_send_to(flow, typed)?;
        let mut read = self.database.read(cx.tenant);
        let found = storage::identities::find_by_recovery_address(&mut read, via, &address).await?;
        let person = found.filter(|person| person.is_active() && person.is_recoverable_by(via, &address));
        let recipient = Recipient {
            person: person.as_ref(),
            via,
            address: &address,
            is_owner_of_taken: false,
            caller,
            is_asked_for: true,
        };
        let mut sent = flow.clone();
        self.show_sent(cx, &mut sent, typed, &recipient, messages::code_sent());
        let mut tx = self.database.write(cx.tenant).await?;
        self.send_proof(&mut tx, cx, &mut sent, &recipient, submission).await?;
        tx.commit().await?;
        *flow = sent;
        Ok(())
    }

    /// Redeems the token of a link. The flow completes in the browser that opened the link.
    async fn recover_by_link(
        &self,
        cx: &Context,
        visitor: &Visitor,
        flow: Flow<Recovery>,
        token: &str,
    ) -> Result<Answer, SubmitError> {
        if let Some(code) = self.proof_by_link_of(cx, &visitor.caller(cx, None), &flow, token).await?
            && let Some(answer) = self.complete_recovery(cx, visitor, &flow, &code).await?
        {
            return Ok(answer);
        }
        let browser = self.browser(visitor);
        let over = Flow { flow_type: FlowType::Browser, ..flow };
        let new = self.restart(cx, visitor, &browser, &over, Recovery::wrong_link()).await?;
        Ok(self.redirect_to_flow(visitor, &browser, &new))
    }

    /// Replaces an ended flow with a new one and sends the client to it.
    async fn restart_recovery(
        &self,
        cx: &Context,
        visitor: &Visitor,
        browser: &Browser,
        over: &Flow<Recovery>,
        message: Message,
    ) -> Result<Answer, SubmitError> {
        let new = self.restart(cx, visitor, browser, over, message).await?;
        if self.flow_policy.uses_continue_with_transitions() && over.flow_type == FlowType::Api {
            return Err(Self::replaced_by(cx, over, &new).into());
        }
        Ok(self.redirect_to_flow(visitor, browser, &new))
    }
}
