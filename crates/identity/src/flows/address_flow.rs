//! What recovery and verification share: an address is named, a code or a link goes to it, and whoever brings that back
//! has shown that they read what arrives there.
//!
//! Whether a flow works by code or by link is decided when it begins and stays with it (`Flow::active`). An unknown
//! address is answered as a known one is: the same rows are written, the same form is shown, only no mail goes out.

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
use super::error::{FlowError, SubmitError};
use super::refusal::Refusal;
use super::submission::{RawSubmission, Submission};
use super::visitor::{Browser, Visitor};
use crate::components::attempts::Caller;
use crate::components::codes::{CodeCheck, Recipient};

/// What is particular to one of the two.
pub(super) trait AddressFlow: Details {
    const CODE: CodePurpose;
    const LINK: CodePurpose;

    fn wrong_code() -> Message;
    fn wrong_link() -> Message;
    /// What was sent names no way to go on.
    fn no_strategy() -> Message;
    fn link_sent() -> Message;

    /// Asks for the address that a code goes to.
    fn code_form(ui: &mut Ui, takes_phone_numbers: bool);
    /// Asks for the code that was sent to the address as it was typed.
    fn code_sent_form(ui: &mut Ui, typed: &str);

    /// Keeps the address that was named, in its normal form.
    fn keep_address(&mut self, address: String);
    /// The address that was named.
    fn address(&self) -> Option<&str>;
    /// What a new flow in the place of this one knows, in the browser that this one belongs to or in another.
    fn anew(&self, is_at_home: bool) -> Self;
    /// Whether something in the browser that began the flow waits for its end.
    fn is_awaited(&self) -> bool {
        false
    }
}

/// What a submission came to.
pub(super) enum Step {
    /// A code or a link is on its way, or would be.
    Sent,
    Proved(Box<Code>),
}

/// What a flow sends, and takes back.
pub(super) fn purpose<D: AddressFlow>(flow: &Flow<D>) -> CodePurpose {
    if flow.active == Some(CredentialType::Link) { D::LINK } else { D::CODE }
}

/// The submission, where parameters of the query count too.
pub(super) fn decode(visitor: &Visitor, body: RawSubmission) -> Result<Submission, FormError> {
    let query = visitor.request_url.query_pairs().filter(|(key, _)| key != "flow");
    body.decode_with_query(query)
}

/// The answer with the secret of a browser that had none.
pub(super) fn bound(answer: Answer, browser: &Browser) -> Answer {
    if browser.is_new { answer.with(CookieChange::Csrf(browser.secret.clone())) } else { answer }
}

/// The message that a member is missing: the code once one was sent, the address before.
pub(super) fn nothing_given<D: AddressFlow>(flow: &Flow<D>) -> SubmitError {
    let awaits_code = flow.state == FlowState::SentEmail && !purpose(flow).is_link();
    let node = if awaits_code { "code" } else { "email" };
    SubmitError::at(node, validation::missing(node))
}

impl Identity {
    /// By what a new flow proves its address. Where somebody waits in the browser that began it a code is asked for, if
    /// possible: a link is opened wherever the mail is read, and would sign that browser in, or open an account for
    /// somebody else.
    pub(super) fn method_for<D: AddressFlow>(&self, details: &D) -> Result<CredentialType, FlowError> {
        if details.is_awaited() && self.flow_policy.methods().code.is_enabled() {
            return Ok(CredentialType::Code);
        }
        let (method, is_enabled) = if self.flow_policy.proof_by_link(D::KIND) {
            (CredentialType::Link, self.flow_policy.methods().link.is_enabled())
        } else {
            (CredentialType::Code, self.flow_policy.methods().code.is_enabled())
        };
        if is_enabled { Ok(method) } else { Err(FlowError::StrategyDisabled { kind: D::KIND, method }) }
    }

    /// Puts the first form into a flow that just began.
    pub(super) fn ask_for_address<D: AddressFlow>(&self, flow: &mut Flow<D>) -> Result<(), FlowError> {
        let method = self.method_for(&flow.details)?;
        flow.active = Some(method);
        match method {
            CredentialType::Link => link::form(&mut flow.ui, None),
            _ => D::code_form(&mut flow.ui, self.code_policy.sends_text_messages()),
        }
        Ok(())
    }

    /// Refuses a submission that is meant for another method than this flow's.
    pub(super) fn require_method<D: AddressFlow>(
        &self,
        flow: &Flow<D>,
        submission: &Submission,
    ) -> Result<(), SubmitError> {
        let own = flow.active.unwrap_or(CredentialType::Code);
        let is_bare = ["code", "email", "sms"].into_iter().all(|member| submission.text(member).is_none());
        let named = match submission.method() {
            Some("code") => CredentialType::Code,
            Some("link") => CredentialType::Link,
            None if !is_bare => own,
            None | Some(_) => return Err(SubmitError::general(D::no_strategy())),
        };
        let methods = self.flow_policy.methods();
        let is_enabled =
            if named == CredentialType::Link { methods.link.is_enabled() } else { methods.code.is_enabled() };
        if !is_enabled {
            return Err(FlowError::MethodDisabled.into());
        }
        if named == own { Ok(()) } else { Err(SubmitError::general(D::no_strategy())) }
    }

    /// The address that was typed, in its normal form, where one can be sent to.
    pub(super) fn address_to_send_to<D: AddressFlow>(
        &self,
        flow: &Flow<D>,
        typed: &str,
    ) -> Result<(Via, String), SubmitError> {
        let via = Via::of(typed);
        let takes_phone_numbers =
            D::KIND == FlowKind::Verification && !purpose(flow).is_link() && self.code_policy.sends_text_messages();
        let is_address = match via {
            Via::Email => is_international_email(typed),
            Via::Sms => takes_phone_numbers && e164(typed).is_some(),
        };
        if !is_address {
            let problem = TraitProblem::Email { value: typed.to_owned() };
            return Err(SubmitError::at("email", validation::of_trait(&problem)));
        }
        Ok((via, normalize_address(via, typed)))
    }

    /// Shows that something was sent, whether or not anybody has the address; `sent` says so for a code.
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
            // The flow is there as long as its link is good.
            flow.expires_at = flow.expires_at.max(cx.now.plus(self.code_policy.link_lifespan()));
        } else {
            D::code_sent_form(&mut flow.ui, typed);
            flow.ui.messages.push(sent);
        }
    }

    /// Keeps the flow, and sends its code or link.
    pub(super) async fn send_proof<D: AddressFlow>(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        flow: &mut Flow<D>,
        recipient: &Recipient<'_>,
        submission: &Submission,
    ) -> Result<(), FlowError> {
        let extra = json!({ "transient_payload": submission.transient_payload() });
        storage::flows::update(tx, flow).await?;
        Ok(self.codes.send(tx, cx, purpose(flow), flow, recipient, Some(&extra)).await?)
    }

    /// The code that was typed, when it is right and somebody's.
    pub(super) async fn proof_by_code<D: AddressFlow>(
        &self,
        cx: &Context,
        caller: &Caller,
        flow: &Flow<D>,
        guess: &str,
    ) -> Result<Step, SubmitError> {
        match self.proof(cx, caller, flow, D::CODE, guess).await? {
            Ok(code) => Ok(Step::Proved(code)),
            Err(message) => Err(SubmitError::general(message.unwrap_or_else(D::wrong_code))),
        }
    }

    /// The link that was opened, when it is right and somebody's.
    pub(super) async fn proof_by_link_of<D: AddressFlow>(
        &self,
        cx: &Context,
        caller: &Caller,
        flow: &Flow<D>,
        token: &str,
    ) -> Result<Option<Box<Code>>, FlowError> {
        let link = &self.flow_policy.methods().link;
        let is_beside_code = D::KIND == FlowKind::Recovery && link.is_beside_recovery_code();
        if !link.is_enabled() && !is_beside_code {
            return Err(FlowError::MethodDisabled);
        }
        Ok(self.proof(cx, caller, flow, D::LINK, token).await?.ok())
    }

    /// The page with the button of a link. A page of another origin cannot press it: it would sign whoever looks at it in as
    /// somebody else.
    pub(super) fn ask_for_click<D: AddressFlow>(&self, flow: &Flow<D>, token: &str) -> Answer {
        Answer::redirect(self.codes.mailed_link(flow, &PlainToken::received(token)))
    }

    /// Judges what came back; the inner error is what there is to say when it is more than that it is wrong.
    async fn proof<D: AddressFlow>(
        &self,
        cx: &Context,
        caller: &Caller,
        flow: &Flow<D>,
        purpose: CodePurpose,
        guess: &str,
    ) -> Result<Result<Box<Code>, Option<Message>>, FlowError> {
        let named = flow.details.address().unwrap_or_default();
        match self.codes.check(cx, caller, flow.id, purpose, named, guess).await? {
            CodeCheck::Right { code, .. } => Ok(Ok(code)),
            CodeCheck::Wrong => Ok(Err(None)),
            CodeCheck::Exhausted => Ok(Err(Some(validation::code_exhausted()))),
        }
    }

    /// Says in the form what is wrong with a step.
    pub(super) async fn refuse_step<D: AddressFlow>(
        &self,
        cx: &Context,
        flow: &mut Flow<D>,
        browser: &Browser,
        error: SubmitError,
    ) -> Result<Answer, FlowError> {
        let refusal = Refusal::try_from(error)?;
        // The wire contract answers a wrong code with 200.
        let refusal =
            if refusal.is_only(&D::wrong_code()) { refusal.with_reason(FormReason::Accepted) } else { refusal };
        self.refuse_submission(cx, flow, browser, refusal).await
    }

    /// Stores a new flow in the place of one that is over, with a word on what became of that.
    pub(super) async fn restart<D: AddressFlow>(
        &self,
        cx: &Context,
        visitor: &Visitor,
        browser: &Browser,
        over: &Flow<D>,
        message: Message,
    ) -> Result<Flow<D>, FlowError> {
        let details = over.details.anew(browser.is_home_of(over));
        let mut flow = self.begin_again(cx, visitor, browser, over, details);
        self.ask_for_address(&mut flow)?;
        flow.ui.messages.push(message);
        self.store_flow(cx, &flow).await?;
        Ok(flow)
    }

    /// Leads a client to the flow that took the place of another: browsers to its page, programs to the flow itself.
    pub(super) fn lead_to<D: AddressFlow>(&self, visitor: &Visitor, browser: &Browser, flow: &Flow<D>) -> Answer {
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
