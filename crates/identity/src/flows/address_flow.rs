//! Shared by recovery and verification: the user submits an address, a code or a link is sent to it, and submitting
//! that code or link proves access to the address.
//!
//! The method (code or link) is fixed when a flow begins (`Flow::active`). An unknown address is treated like a known
//! one: the same rows are written and the same form is shown, but no mail is sent.

use base::{Context, PlainToken};
use database::WriteTx;
use serde_json::json;

use crate::Identity;
use crate::domain::client_kind::Wants;
use crate::domain::code::{Code, CodePurpose};
use crate::domain::flow::{Details, Flow, FlowKind, FlowState, Sent, endpoint};
use crate::domain::form::FormError;
use crate::domain::identifier::{e164, is_international_email, normalize_address};
use crate::domain::message::{Message, validation};
use crate::domain::ui::Ui;
use crate::domain::{CredentialType, TraitProblem, Via};
use crate::flows::answer::FormReason;
use crate::methods::link;
use crate::storage;

use super::answer::{Answer, CookieChange};
use super::code_purpose::{SendsCodes, purpose};
use super::errors::{FormUnavailable, StepError, SubmitError};
use super::refusal::Refusal;
use super::submission::{RawSubmission, Submission};
use super::visitor::{Browser, Visitor};
use crate::components::attempts::Caller;
use crate::components::codes::{CodeCheck, Recipient};

/// The parts that differ between recovery and verification.
pub(super) trait AddressFlow: SendsCodes {
    fn wrong_code() -> Message;
    fn wrong_link() -> Message;
    /// The submission matches no method.
    fn no_strategy() -> Message;
    fn link_sent() -> Message;

    /// The form for the address that receives a code.
    fn code_form(ui: &mut Ui, takes_phone_numbers: bool);
    /// The form for the code that was sent to `typed`, the address as it was entered.
    fn code_sent_form(ui: &mut Ui, typed: &str);

    /// Stores the submitted address, normalized.
    fn keep_address(&mut self, address: String);
    /// The submitted address.
    fn address(&self) -> Option<&str>;
    /// The details of a flow that replaces this one, in the same browser (`is_same_browser`) or in another.
    fn restarted(&self, is_same_browser: bool) -> Self;
    /// Whether the browser that began the flow continues with something else when it ends.
    fn is_awaited(&self) -> bool {
        false
    }
}

/// The result of a submission.
pub(super) enum Step {
    /// A code or a link was sent, or would be for a known address.
    Sent,
    Proved(Box<Code>),
}

/// Decodes a submission; query parameters are members too.
pub(super) fn decode(visitor: &Visitor, body: RawSubmission) -> Result<Submission, FormError> {
    let query = visitor.request_url.query_pairs().filter(|(key, _)| key != "flow");
    body.decode_with_query(query)
}

/// The answer with the CSRF secret of a new browser.
pub(super) fn bound(answer: Answer, browser: &Browser) -> Answer {
    if browser.is_new { answer.with(CookieChange::Csrf(browser.secret.clone())) } else { answer }
}

/// The error for a missing member: the code after one was sent, the address before.
pub(super) fn missing_member<D: AddressFlow>(flow: &Flow<D>) -> StepError {
    let awaits_code = flow.state == FlowState::SentEmail && !purpose(flow).is_link();
    let node = if awaits_code { "code" } else { "email" };
    StepError::at(node, validation::missing(node))
}

impl Identity {
    /// The method of a new flow. If the browser that began it continues with something else at its end, the method is a
    /// code where possible: a link is opened wherever the mail is read, and would sign that browser in, or create an
    /// account for another user.
    pub(super) fn method_for<D: AddressFlow>(&self, details: &D) -> Result<CredentialType, FormUnavailable> {
        if details.is_awaited() && self.flow_policy.methods().code.is_enabled() {
            return Ok(CredentialType::Code);
        }
        let (method, is_enabled) = if self.flow_policy.proof_by_link(D::KIND) {
            (CredentialType::Link, self.flow_policy.methods().link.is_enabled())
        } else {
            (CredentialType::Code, self.flow_policy.methods().code.is_enabled())
        };
        if is_enabled { Ok(method) } else { Err(FormUnavailable::MethodDisabled { kind: D::KIND, method }) }
    }

    /// Adds the first form to a new flow.
    pub(super) fn ask_for_address<D: AddressFlow>(&self, flow: &mut Flow<D>) -> Result<(), FormUnavailable> {
        let method = self.method_for(&flow.details)?;
        flow.active = Some(method);
        match method {
            CredentialType::Link => link::form(&mut flow.ui, None),
            _ => D::code_form(&mut flow.ui, self.code_policy.sends_text_messages()),
        }
        Ok(())
    }

    /// Rejects a submission for another method than this flow's.
    pub(super) fn require_method<D: AddressFlow>(
        &self,
        flow: &Flow<D>,
        submission: &Submission,
    ) -> Result<(), StepError> {
        let own = flow.active.unwrap_or(CredentialType::Code);
        let is_bare = ["code", "email", "sms"].into_iter().all(|member| submission.text(member).is_none());
        let named = match submission.method() {
            Some("code") => CredentialType::Code,
            Some("link") => CredentialType::Link,
            None if !is_bare => own,
            None | Some(_) => return Err(StepError::general(D::no_strategy())),
        };
        let methods = self.flow_policy.methods();
        let is_enabled =
            if named == CredentialType::Link { methods.link.is_enabled() } else { methods.code.is_enabled() };
        if !is_enabled {
            return Err(SubmitError::MethodDisabled.into());
        }
        if named == own { Ok(()) } else { Err(StepError::general(D::no_strategy())) }
    }

    /// The submitted address, normalized, if a message can be sent to it.
    pub(super) fn address_to_send_to<D: AddressFlow>(
        &self,
        flow: &Flow<D>,
        typed: &str,
    ) -> Result<(Via, String), StepError> {
        let via = Via::of(typed);
        let takes_phone_numbers =
            D::KIND == FlowKind::Verification && !purpose(flow).is_link() && self.code_policy.sends_text_messages();
        let is_address = match via {
            Via::Email => is_international_email(typed),
            Via::Sms => takes_phone_numbers && e164(typed).is_some(),
        };
        if !is_address {
            let problem = TraitProblem::Email { value: typed.to_owned() };
            return Err(StepError::at("email", validation::of_trait(&problem)));
        }
        Ok((via, normalize_address(via, typed)))
    }

    /// Shows that a message was sent, whether or not the address is known. `sent` is the message for a code.
    pub(super) fn show_sent<D: AddressFlow>(
        &self,
        cx: &Context,
        flow: &mut Flow<D>,
        typed: &str,
        recipient: &Recipient<'_>,
        sent: Message,
    ) {
        flow.state = FlowState::SentEmail;
        flow.sent = Some(Sent { to: typed.to_owned(), at: cx.now });
        flow.details.keep_address(recipient.address.to_owned());
        flow.ui.clear_messages();
        if purpose(flow).is_link() {
            link::form(&mut flow.ui, Some(typed));
            flow.ui.messages.push(D::link_sent());
            // The flow must not expire before its link.
            flow.expires_at = flow.expires_at.max(cx.now.plus(self.code_policy.link_lifespan()));
        } else {
            D::code_sent_form(&mut flow.ui, typed);
            flow.ui.messages.push(sent);
        }
    }

    /// Stores the flow, and sends its code or link.
    pub(super) async fn send_proof<D: AddressFlow>(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        flow: &mut Flow<D>,
        recipient: &Recipient<'_>,
        submission: &Submission,
    ) -> Result<(), SubmitError> {
        let extra = json!({ "transient_payload": submission.transient_payload() });
        storage::flows::update(tx, flow).await?;
        Ok(self.codes.send(tx, cx, purpose(flow), flow, recipient, Some(&extra)).await?)
    }

    /// The submitted code, if it is right and belongs to an account.
    pub(super) async fn proof_by_code<D: AddressFlow>(
        &self,
        cx: &Context,
        caller: &Caller,
        flow: &Flow<D>,
        guess: &str,
    ) -> Result<Step, StepError> {
        match self.proof(cx, caller, flow, D::CODE, guess).await? {
            Ok(code) => Ok(Step::Proved(code)),
            Err(message) => Err(StepError::general(message.unwrap_or_else(D::wrong_code))),
        }
    }

    /// The opened link, if it is right and belongs to an account.
    pub(super) async fn proof_by_link_of<D: AddressFlow>(
        &self,
        cx: &Context,
        caller: &Caller,
        flow: &Flow<D>,
        token: &str,
    ) -> Result<Option<Box<Code>>, SubmitError> {
        let link = &self.flow_policy.methods().link;
        let is_beside_code = D::KIND == FlowKind::Recovery && link.is_beside_recovery_code();
        if !link.is_enabled() && !is_beside_code {
            return Err(SubmitError::MethodDisabled);
        }
        Ok(self.proof(cx, caller, flow, D::LINK, token).await?.ok())
    }

    /// The page with the button of a link. A page of another origin cannot submit it: it would sign its visitor in to
    /// another account.
    pub(super) fn confirmation_page<D: AddressFlow>(&self, flow: &Flow<D>, token: &str) -> Answer {
        Answer::redirect(self.codes.mailed_link(flow, &PlainToken::received(token)))
    }

    /// Checks the submitted code or token. The inner error has a message if there is more to report than a wrong code.
    async fn proof<D: AddressFlow>(
        &self,
        cx: &Context,
        caller: &Caller,
        flow: &Flow<D>,
        purpose: CodePurpose,
        guess: &str,
    ) -> Result<Result<Box<Code>, Option<Message>>, SubmitError> {
        let named = flow.details.address().unwrap_or_default();
        match self.codes.check(cx, caller, flow.id, purpose, named, guess).await? {
            CodeCheck::Right { code, .. } => Ok(Ok(code)),
            CodeCheck::Wrong => Ok(Err(None)),
            CodeCheck::Exhausted => Ok(Err(Some(validation::code_exhausted()))),
        }
    }

    /// Reports in the form why a step was rejected.
    pub(super) async fn refuse_step<D: AddressFlow>(
        &self,
        cx: &Context,
        flow: &mut Flow<D>,
        browser: &Browser,
        error: StepError,
    ) -> Result<Answer, SubmitError> {
        let refusal = Refusal::try_from(error)?;
        // The wire contract answers a wrong code with 200.
        let refusal =
            if refusal.is_only(&D::wrong_code()) { refusal.with_reason(FormReason::Accepted) } else { refusal };
        self.refuse_submission(cx, flow, browser, refusal).await
    }

    /// Stores a new flow that replaces an ended one, with a message that gives the reason.
    pub(super) async fn restart<D: AddressFlow>(
        &self,
        cx: &Context,
        visitor: &Visitor,
        browser: &Browser,
        over: &Flow<D>,
        message: Message,
    ) -> Result<Flow<D>, SubmitError> {
        let details = over.details.restarted(browser.owns(over));
        let mut flow = self.begin_again(cx, visitor, browser, over, details);
        self.ask_for_address(&mut flow)?;
        flow.ui.messages.push(message);
        self.store_flow(cx, &flow).await?;
        Ok(flow)
    }

    /// Redirects a client to the flow that replaced another: browsers to its page, programs to the flow itself.
    pub(super) fn redirect_to_flow<D: AddressFlow>(
        &self,
        visitor: &Visitor,
        browser: &Browser,
        flow: &Flow<D>,
    ) -> Answer {
        if !flow.is_browser() {
            return Answer::redirect(self.fetch_url(flow));
        }
        let url = if visitor.wants == Wants::Html { self.page_of(flow) } else { self.fetch_url(flow) };
        bound(Answer::redirect(url), browser)
    }

    fn fetch_url<D: Details>(&self, flow: &Flow<D>) -> String {
        let mut url = endpoint(self.urls.public(), &format!("self-service/{}/flows", D::KIND.as_str()));
        url.query_pairs_mut().append_pair("id", &flow.id.to_string());
        url.into()
    }
}
