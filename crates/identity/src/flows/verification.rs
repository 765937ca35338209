//! Verifying an address: a code goes to it; whoever types it has shown that she reads what arrives there.
//!
//! No session is needed, and an unknown address is answered as a known one is. Opening the link of a mail uses nothing
//! up: it fills the code in, so that a scanner of links does no harm.

use base::Context;
use database::WriteTx;
use jobs::Event;
use serde_json::{Value, json};

use crate::Identity;
use crate::domain::client_kind::{FlowType, Wants};
use crate::domain::code::{Code, CodePurpose};
use crate::domain::flow::{Details as _, Flow, FlowKind, FlowState, Verification};
use crate::domain::identifier::normalize_address;
use crate::domain::message::{Message, flow as flow_messages, validation, verification as messages};
use crate::domain::ui::Complaint;
use crate::domain::{self, CredentialType, Via};
use crate::storage;
use crate::strategies::code;

use super::answer::{Answer, Content, CookieChange, Failure};
use super::codes::{EXHAUSTED, Judged, Recipient};
use super::error::{FlowError, SubmitError};
use super::forms::complain;
use super::hooks::sent_message;
use super::registration::pending::Admitted;
use super::submission::{RawSubmission, Submission};
use super::visitor::{Browser, Visitor};

enum Step {
    Sent,
    Passed(Box<Code>),
}

impl Identity {
    pub async fn begin_verification(
        &self,
        cx: &Context,
        visitor: &Visitor,
        flow_type: FlowType,
    ) -> Result<Answer, Failure> {
        self.begin_verification_as(cx, visitor, flow_type).await.map_err(Failure::of(flow_type))
    }

    async fn begin_verification_as(
        &self,
        cx: &Context,
        visitor: &Visitor,
        flow_type: FlowType,
    ) -> Result<Answer, FlowError> {
        if !self.verification_enabled() {
            return Err(FlowError::Disabled { kind: FlowKind::Verification });
        }
        let home = self.return_urls().default_url().clone();
        self.return_urls().resolve(visitor.query("return_to").as_deref(), &home)?;
        let browser = self.browser(visitor);
        let beginning = self.beginning::<Verification>(visitor, &browser, flow_type);
        let mut flow = Flow::begin(&beginning, Verification::default(), &self.rng, cx.now);
        flow.active = Some(CredentialType::Code);
        code::verification_form(&mut flow.ui, self.sends_text_messages());
        let mut tx = self.database.write(cx.tenant).await?;
        storage::flows::insert(&mut tx, &flow).await?;
        tx.commit().await?;
        Ok(self.begun(&flow, &browser))
    }

    pub async fn fetch_verification(&self, cx: &Context, visitor: &Visitor) -> Result<Value, FlowError> {
        let flow = self.fetched_flow::<Verification>(cx, visitor).await?;
        let browser = self.browser(visitor);
        visitor.may_see(&flow, &browser)?;
        if flow.is_expired(cx.now) {
            return Err(self.expired(cx, &flow));
        }
        Ok(flow.to_wire(Some(&browser.secret), &self.rng))
    }

    /// The link of a mail, opened: fills the code in and shows the page.
    pub async fn open_verification(&self, cx: &Context, visitor: &Visitor) -> Result<Answer, Failure> {
        let mut flow = self.submitted_flow::<Verification>(cx, visitor).await?;
        let flow_type = flow.flow_type;
        let page = self.page_of(&flow);
        let Some(code) = visitor.query("code").filter(|_| flow.state == FlowState::SentEmail) else {
            return Ok(Answer::redirect(page));
        };
        // The mail may be read in another browser than the one that asked for it: from here on it is this one's flow.
        // Not so when a login waits at its end: a stranger's link would sign this browser in as somebody else.
        let browser = self.browser(visitor);
        let may_move = flow.is_browser() && flow.details.oauth2.is_none() && flow.details.newcomer.is_none();
        let is_here = flow.is_browser() && !browser.is_new && flow.belongs_to(&browser.secret);
        if !may_move && !is_here {
            // The code is filled in for whoever reads the mail. Whoever began a flow that stays with her need not be that
            // person: she would find a code here that was never sent to her.
            return Ok(Answer::redirect(page));
        }
        flow.browser = Some(browser.secret.fingerprint());
        flow.ui.set_value("code", Value::String(code));
        let store = async {
            let mut tx = self.database.write(cx.tenant).await?;
            storage::flows::update(&mut tx, &flow).await?;
            tx.commit().await
        };
        store.await.map_err(|error: database::Error| Failure::of(flow_type)(error.into()))?;
        Ok(Answer::redirect(page).with(CookieChange::Csrf(browser.secret)))
    }

    pub async fn submit_verification(
        &self,
        cx: &Context,
        visitor: &Visitor,
        body: RawSubmission,
    ) -> Result<Answer, Failure> {
        if !self.verification_enabled() {
            return Err(FlowError::Disabled { kind: FlowKind::Verification }.into());
        }
        let flow = self.submitted_flow::<Verification>(cx, visitor).await?;
        let flow_type = flow.flow_type;
        let query = visitor.request_url.query_pairs().filter(|(key, _)| key != "flow");
        let submission = body.decode_with_query(query).map_err(|error| Failure::of(flow_type)(error.into()))?;
        self.continue_verification(cx, visitor, flow, &submission).await.map_err(Failure::of(flow_type))
    }

    async fn continue_verification(
        &self,
        cx: &Context,
        visitor: &Visitor,
        mut flow: Flow<Verification>,
        submission: &Submission,
    ) -> Result<Answer, FlowError> {
        let browser = self.browser(visitor);
        let to_browser = flow.is_browser() && visitor.wants == Wants::Html;
        if flow.is_expired(cx.now) {
            let message = Verification::expired_message(flow.expires_at, cx.now);
            let new = self.restart_verification(cx, visitor, &browser, &flow, message).await?;
            let url = if to_browser { self.page_of(&new) } else { self.fetch_url(FlowKind::Verification, new.id) };
            return Ok(bound(Answer::redirect(url), &browser));
        }
        visitor.may_submit(&flow, &browser, submission)?;
        if flow.state == FlowState::PassedChallenge {
            let new = self
                .restart_verification(cx, visitor, &browser, &flow, flow_messages::verification_completed())
                .await?;
            if to_browser {
                return Ok(bound(Answer::redirect(self.page_of(&new)), &browser));
            }
            return Err(FlowError::Replaced { use_flow_id: new.id });
        }
        match self.take_verification_step(cx, &mut flow, submission).await {
            Ok(Step::Sent) => Ok(self.form(&flow, &browser, 200)),
            Ok(Step::Passed(code)) => match self.pass_verification(cx, visitor, flow, *code, &browser).await? {
                Ok(answer) => Ok(answer),
                Err(flow) => self.refuse_verification(cx, *flow, &browser, 200, vec![wrong_code()]).await,
            },
            // The wire contract answers a wrong code with 200.
            Err(SubmitError::Complaints(complaints)) if complaints == [wrong_code()] => {
                self.refuse_verification(cx, flow, &browser, 200, complaints).await
            }
            Err(SubmitError::Complaints(complaints)) => {
                self.refuse_verification(cx, flow, &browser, 400, complaints).await
            }
            Err(SubmitError::Limited { complaint, .. }) => {
                self.refuse_verification(cx, flow, &browser, 429, vec![*complaint]).await
            }
            Err(SubmitError::Flow(error)) => Err(*error),
        }
    }

    async fn take_verification_step(
        &self,
        cx: &Context,
        flow: &mut Flow<Verification>,
        submission: &Submission,
    ) -> Result<Step, SubmitError> {
        let address = submission.text("email").or_else(|| submission.text("sms"));
        match submission.method() {
            Some("code") => {}
            None if submission.text("code").is_some() || address.is_some() => {}
            Some("link") => return Err(FlowError::MethodDisabled.into()),
            None | Some(_) => return Err(SubmitError::general(flow_messages::no_verification_strategy())),
        }
        if !self.methods().code {
            return Err(FlowError::MethodDisabled.into());
        }
        flow.active = Some(CredentialType::Code);
        let guess = submission.text("code").filter(|_| flow.state == FlowState::SentEmail);
        if let Some(guess) = guess {
            return match self.judge_code(cx, flow.id, CodePurpose::Verification, guess).await? {
                Judged::Right { code, counted } if code.identity_id.is_some() => {
                    let mut tx = self.database.write(cx.tenant).await?;
                    counted.forgive(&mut tx).await?;
                    tx.commit().await?;
                    Ok(Step::Passed(code))
                }
                Judged::Right { .. } | Judged::Wrong => Err(SubmitError::Complaints(vec![wrong_code()])),
                Judged::Exhausted => Err(SubmitError::general(validation::generic(EXHAUSTED))),
            };
        }
        let Some(address) = address else {
            let node = if flow.state == FlowState::SentEmail { "code" } else { "email" };
            return Err(SubmitError::at(node, validation::missing(node)));
        };
        let address = address.to_owned();
        self.send_verification_code(cx, flow, &address, submission).await?;
        Ok(Step::Sent)
    }

    async fn send_verification_code(
        &self,
        cx: &Context,
        flow: &mut Flow<Verification>,
        typed: &str,
        submission: &Submission,
    ) -> Result<(), SubmitError> {
        let via = Via::of(typed);
        let is_address = match via {
            Via::Email => domain::identifier::is_international_email(typed),
            Via::Sms => self.sends_text_messages() && domain::identifier::e164(typed).is_some(),
        };
        if !is_address {
            return Err(SubmitError::at(
                "email",
                validation::of_trait(&domain::TraitProblem::Email { value: typed.to_owned() }),
            ));
        }
        self.count_mail_request(cx).await?;
        let address = normalize_address(via, typed);
        let mut read = self.database.read(cx.tenant);
        let found = storage::identities::find_verifiable(&mut read, via, &address).await?;
        let newcomer = self.newcomer_of(cx, flow)?.map(|(newcomer, _)| newcomer);
        let newcomer = newcomer.filter(|newcomer| newcomer.verifiable_address(via, &address).is_some());
        let is_taken = found.is_some() && newcomer.is_some();
        let person = match &found {
            // Her address is somebody's by now: as at the sign-up, it is the holder who learns of it.
            Some(_) if is_taken => None,
            Some((_, owner)) => storage::identities::find(&mut read, *owner).await?.filter(domain::Identity::is_active),
            None => newcomer,
        };
        flow.ui.clear_messages();
        code::verification_sent_form(&mut flow.ui, typed);
        flow.ui.messages.push(sent_message(via));
        flow.state = FlowState::SentEmail;
        flow.details.address = Some(address.clone());
        let extra = json!({ "transient_payload": submission.transient_payload() });
        let mut tx = self.database.write(cx.tenant).await?;
        let recipient = Recipient { person: person.as_ref(), via, address: &address };
        self.send_code(&mut tx, cx, CodePurpose::Verification, flow, &recipient, Some(&extra)).await?;
        if is_taken {
            self.tell_holder(&mut tx, cx, via, &address, &flow.request_url).await?;
        }
        if let Some((known, _)) = found.filter(|_| person.is_some()) {
            storage::identities::mark_sent(&mut tx, known.id, cx.now).await?;
        }
        storage::flows::update(&mut tx, flow).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Marks the address verified. The inner error gives the flow back when code or address are gone meanwhile.
    async fn pass_verification(
        &self,
        cx: &Context,
        visitor: &Visitor,
        mut flow: Flow<Verification>,
        code: Code,
        browser: &Browser,
    ) -> Result<Result<Answer, Box<Flow<Verification>>>, FlowError> {
        let before = flow.clone();
        let mut tx = self.database.write(cx.tenant).await?;
        if !storage::codes::redeem(&mut tx, code.id, cx.now).await? {
            return Ok(Err(Box::new(before)));
        }
        let admitted = self.admit(&mut tx, cx, visitor, &flow, &code).await?;
        let owner = match &admitted {
            Some(Admitted { identity, .. }) => identity.id,
            None if flow.details.newcomer.is_some() => return Ok(Err(Box::new(before))),
            None => {
                let found = storage::identities::find_verifiable(&mut tx, code.via, &code.address).await?;
                let Some((address, owner)) = found.filter(|(_, owner)| Some(*owner) == code.identity_id) else {
                    return Ok(Err(Box::new(before)));
                };
                storage::identities::mark_verified(&mut tx, address.id, cx.now).await?;
                owner
            }
        };
        let waiting = match (&flow.details.oauth2, flow.details.session_id) {
            _ if admitted.is_some() => None,
            (Some(oauth2), Some(session)) => {
                let session = storage::sessions::find(&mut tx, session).await?;
                let session = session.filter(|session| session.identity_id == owner && session.is_alive(cx.now));
                let person = storage::identities::find(&mut tx, owner).await?.filter(domain::Identity::is_active);
                Some((oauth2.clone(), session.zip(person)))
            }
            (Some(_), None) => return Err(FlowError::NoSessionForFlow),
            (None, _) => None,
        };
        let success = match code.via {
            Via::Email => messages::email_verified(),
            Via::Sms => messages::phone_verified(),
        };
        let continue_url = self.after_verification_url(&flow);
        flow.state = FlowState::PassedChallenge;
        code::verification_passed_form(&mut flow.ui, &continue_url, success.clone());
        if !storage::flows::advance(&mut tx, &flow).await? {
            return Ok(Err(Box::new(before)));
        }
        self.verification_event(&mut tx, cx, "VerificationSucceeded", &flow, &owner.to_string()).await?;
        tx.commit().await?;

        if let Some(Admitted { identity, session: Some((session, token)) }) = admitted {
            let url = match &flow.details.oauth2 {
                Some(oauth2) => self.accept_login(cx, oauth2, &session, &identity).await?,
                None => continue_url,
            };
            let cookie = CookieChange::Session { token, expires_at: session.expires_at };
            return Ok(Ok(self.passed_on(visitor, flow, browser, url, success).with(cookie)));
        }
        let Some((oauth2, session)) = waiting else { return Ok(Ok(self.form(&flow, browser, 200))) };
        let (session, person) = session.ok_or(FlowError::NoSessionForFlow)?;
        let url = self.accept_login(cx, &oauth2, &session, &person).await?;
        Ok(Ok(self.passed_on(visitor, flow, browser, url, success)))
    }

    /// Sends the browser on, or tells a program where to.
    fn passed_on(
        &self,
        visitor: &Visitor,
        mut flow: Flow<Verification>,
        browser: &Browser,
        url: String,
        success: Message,
    ) -> Answer {
        if flow.is_browser() && visitor.wants == Wants::Html {
            return Answer::redirect(url);
        }
        code::verification_passed_form(&mut flow.ui, &url, success);
        let mut answer = self.form(&flow, browser, 200);
        if let Content::Form { page, .. } = &mut answer.content {
            *page = url;
        }
        answer
    }

    async fn refuse_verification(
        &self,
        cx: &Context,
        mut flow: Flow<Verification>,
        browser: &Browser,
        status: u16,
        complaints: Vec<Complaint>,
    ) -> Result<Answer, FlowError> {
        complain(&mut flow, complaints);
        let mut tx = self.database.write(cx.tenant).await?;
        storage::flows::update(&mut tx, &flow).await?;
        self.verification_event(&mut tx, cx, "VerificationFailed", &flow, "").await?;
        tx.commit().await?;
        Ok(self.form(&flow, browser, status))
    }

    async fn restart_verification(
        &self,
        cx: &Context,
        visitor: &Visitor,
        browser: &Browser,
        over: &Flow<Verification>,
        message: Message,
    ) -> Result<Flow<Verification>, FlowError> {
        let mut beginning = self.beginning::<Verification>(visitor, browser, over.flow_type);
        beginning.request_url = &over.request_url;
        let details = Verification { address: None, ..over.details.clone() };
        let mut flow = Flow::begin(&beginning, details, &self.rng, cx.now);
        flow.return_to.clone_from(&over.return_to);
        flow.active = Some(CredentialType::Code);
        code::verification_form(&mut flow.ui, self.sends_text_messages());
        flow.ui.messages.push(message);
        let mut tx = self.database.write(cx.tenant).await?;
        storage::flows::insert(&mut tx, &flow).await?;
        tx.commit().await?;
        Ok(flow)
    }

    /// Where the person goes on: where she wanted, if she may, else where the configuration says.
    fn after_verification_url(&self, flow: &Flow<Verification>) -> String {
        let wanted = flow.wanted_return_to().and_then(|wanted| self.return_urls().check(&wanted).ok());
        wanted.map_or_else(|| self.after_url(FlowKind::Verification, None).to_string(), String::from)
    }

    async fn verification_event(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        name: &'static str,
        flow: &Flow<Verification>,
        subject: &str,
    ) -> Result<(), database::Error> {
        let attributes = json!({
            "FlowID": flow.id,
            "SelfServiceFlowType": flow.flow_type.as_str(),
            "SelfServiceFlowName": FlowKind::Verification.as_str(),
            "SelfServiceMethodUsed": flow.active,
        });
        jobs::append_event(tx, cx, Event { name, subject: subject.to_owned(), attributes }).await
    }
}

fn bound(answer: Answer, browser: &Browser) -> Answer {
    if browser.is_new { answer.with(CookieChange::Csrf(browser.secret.clone())) } else { answer }
}

fn wrong_code() -> Complaint {
    Complaint::general(flow_messages::verification_code_invalid())
}
