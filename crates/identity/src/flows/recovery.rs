//! Recovering an account: a code goes to a recovery address; whoever types it is let in, to set a new password.
//!
//! Somebody who asks for an unknown address sees what somebody who asks for a known one sees. Recovery proves one factor
//! and never raises assurance beyond it.

use base::{Context, PlainToken};
use database::WriteTx;
use jobs::Event;
use serde_json::{Value, json};

use crate::Identity;
use crate::domain::client_kind::{FlowType, Wants};
use crate::domain::code::{Code, CodePurpose};
use crate::domain::continue_with::{ContinueWith, FlowUi, ShownToken};
use crate::domain::flow::{Details as _, Flow, FlowKind, FlowState, Recovery, Settings, endpoint, with_flow};
use crate::domain::identifier::normalize_address;
use crate::domain::message::{Message, flow as flow_messages, recovery as messages, validation};
use crate::domain::session::AuthenticationMethod;
use crate::domain::ui::Complaint;
use crate::domain::{self, Aal, CredentialType, Session, Via};
use crate::storage;
use crate::strategies::code;

use super::answer::{Answer, Content, CookieChange, Failure};
use super::codes::{EXHAUSTED, Judged, Recipient};
use super::error::{FlowError, SubmitError};
use super::forms::complain;
use super::submission::{RawSubmission, Submission};
use super::visitor::{Browser, Visitor};

/// What a submission came to.
enum Step {
    /// A code is on its way, or would be.
    Sent,
    Passed(Box<Code>),
}

impl Identity {
    pub async fn begin_recovery(
        &self,
        cx: &Context,
        visitor: &Visitor,
        flow_type: FlowType,
    ) -> Result<Answer, Failure> {
        self.begin_recovery_as(cx, visitor, flow_type).await.map_err(Failure::of(flow_type))
    }

    async fn begin_recovery_as(
        &self,
        cx: &Context,
        visitor: &Visitor,
        flow_type: FlowType,
    ) -> Result<Answer, FlowError> {
        if !self.recovery_enabled() {
            return Err(FlowError::Disabled { kind: FlowKind::Recovery });
        }
        let home = self.return_urls().default_url().clone();
        self.return_urls().resolve(visitor.query("return_to").as_deref(), &home)?;
        if self.current(cx, visitor).await?.is_some() {
            let to_browser = flow_type == FlowType::Browser && visitor.wants_strictly == Wants::Html;
            return if to_browser { Ok(Answer::redirect(home)) } else { Err(FlowError::SessionAlreadyAvailable) };
        }
        let browser = self.browser(visitor);
        let skip_settings = visitor.query("skip_settings").is_some_and(|value| super::login::is_true(&value));
        let details = Recovery { skip_settings, ..Recovery::default() };
        let beginning = self.beginning::<Recovery>(visitor, &browser, flow_type);
        let mut flow = Flow::begin(&beginning, details, &self.rng, cx.now);
        flow.active = Some(CredentialType::Code);
        code::recovery_form(&mut flow.ui);
        let mut tx = self.database.write(cx.tenant).await?;
        storage::flows::insert(&mut tx, &flow).await?;
        tx.commit().await?;
        Ok(self.begun(&flow, &browser))
    }

    pub async fn fetch_recovery(&self, cx: &Context, visitor: &Visitor) -> Result<Value, FlowError> {
        let flow = self.fetched_flow::<Recovery>(cx, visitor).await?;
        let browser = self.browser(visitor);
        if !flow.details.skip_csrf {
            visitor.may_see(&flow, &browser)?;
        }
        if flow.is_expired(cx.now) {
            return Err(self.expired(cx, &flow));
        }
        Ok(flow.to_wire(Some(&browser.secret), &self.rng))
    }

    /// Both `POST` and `GET` submit: the query counts where the body is silent.
    pub async fn submit_recovery(
        &self,
        cx: &Context,
        visitor: &Visitor,
        body: RawSubmission,
    ) -> Result<Answer, Failure> {
        if !self.recovery_enabled() {
            // A flow that an administrator began is completed even where nobody may begin one herself.
            let admin_made =
                self.submitted_flow::<Recovery>(cx, visitor).await.is_ok_and(|flow| flow.details.skip_csrf);
            if !admin_made {
                return Err(FlowError::Disabled { kind: FlowKind::Recovery }.into());
            }
        }
        let flow = self.submitted_flow::<Recovery>(cx, visitor).await?;
        let flow_type = flow.flow_type;
        let query = visitor.request_url.query_pairs().filter(|(key, _)| key != "flow");
        let submission = body.decode_with_query(query).map_err(|error| Failure::of(flow_type)(error.into()))?;
        self.continue_recovery(cx, visitor, flow, &submission).await.map_err(Failure::of(flow_type))
    }

    async fn continue_recovery(
        &self,
        cx: &Context,
        visitor: &Visitor,
        mut flow: Flow<Recovery>,
        submission: &Submission,
    ) -> Result<Answer, FlowError> {
        let browser = self.browser(visitor);
        let to_browser = flow.is_browser() && visitor.wants == Wants::Html;
        if self.current(cx, visitor).await?.is_some() {
            let home = self.return_urls().default_url().as_str();
            return if to_browser { Ok(Answer::redirect(home)) } else { Err(FlowError::SessionAlreadyAvailable) };
        }
        if flow.is_expired(cx.now) {
            let message = Recovery::expired_message(flow.expires_at, cx.now);
            return self.restart_recovery(cx, visitor, &browser, &flow, message).await;
        }
        if flow.state == FlowState::PassedChallenge {
            return self.restart_recovery(cx, visitor, &browser, &flow, flow_messages::recovery_completed()).await;
        }
        let is_bare = submission.0.is_empty();
        if is_bare && to_browser {
            return Ok(Answer::redirect(self.page_of(&flow)));
        }
        if !flow.details.skip_csrf {
            visitor.may_submit(&flow, &browser, submission)?;
        }
        match self.take_recovery_step(cx, &mut flow, submission).await {
            Ok(Step::Sent) => Ok(self.form(&flow, &browser, 200)),
            Ok(Step::Passed(code)) => match self.pass_recovery(cx, visitor, flow, *code).await? {
                Ok(answer) => Ok(answer),
                Err(flow) => self.refuse_recovery(cx, *flow, &browser, 200, vec![wrong_code()]).await,
            },
            // The wire contract answers a wrong code with 200.
            Err(SubmitError::Complaints(complaints)) if complaints == [wrong_code()] => {
                self.refuse_recovery(cx, flow, &browser, 200, complaints).await
            }
            Err(SubmitError::Complaints(complaints)) => self.refuse_recovery(cx, flow, &browser, 400, complaints).await,
            Err(SubmitError::Limited { complaint, .. }) => {
                self.refuse_recovery(cx, flow, &browser, 429, vec![*complaint]).await
            }
            Err(SubmitError::Flow(error)) => Err(*error),
        }
    }

    async fn take_recovery_step(
        &self,
        cx: &Context,
        flow: &mut Flow<Recovery>,
        submission: &Submission,
    ) -> Result<Step, SubmitError> {
        match submission.method() {
            Some("code") => {}
            None if submission.text("code").is_some() || submission.text("email").is_some() => {}
            Some("link") => return Err(FlowError::MethodDisabled.into()),
            None | Some(_) => return Err(SubmitError::general(flow_messages::no_recovery_strategy())),
        }
        if !self.methods().code {
            return Err(FlowError::MethodDisabled.into());
        }
        flow.active = Some(CredentialType::Code);
        if let Some(email) = submission.text("email") {
            let email = email.to_owned();
            self.send_recovery_code(cx, flow, &email, submission).await?;
            return Ok(Step::Sent);
        }
        let Some(guess) = submission.text("code").filter(|_| flow.state == FlowState::SentEmail) else {
            let node = if flow.state == FlowState::SentEmail { "code" } else { "email" };
            return Err(SubmitError::at(node, validation::missing(node)));
        };
        match self.judge_code(cx, flow.id, CodePurpose::Recovery, guess).await? {
            Judged::Right { code, counted } if code.identity_id.is_some() => {
                let mut tx = self.database.write(cx.tenant).await?;
                counted.forgive(&mut tx).await?;
                tx.commit().await?;
                Ok(Step::Passed(code))
            }
            Judged::Right { .. } | Judged::Wrong => Err(SubmitError::Complaints(vec![wrong_code()])),
            Judged::Exhausted => Err(SubmitError::general(validation::generic(EXHAUSTED))),
        }
    }

    /// Sends a code when the address is a recovery address, and answers the same when it is not.
    async fn send_recovery_code(
        &self,
        cx: &Context,
        flow: &mut Flow<Recovery>,
        email: &str,
        submission: &Submission,
    ) -> Result<(), SubmitError> {
        if !domain::identifier::is_international_email(email) {
            return Err(SubmitError::at(
                "email",
                validation::of_trait(&domain::TraitProblem::Email { value: email.to_owned() }),
            ));
        }
        self.count_mail_request(cx).await?;
        let via = Via::Email;
        let address = normalize_address(via, email);
        let mut read = self.database.read(cx.tenant);
        let found = storage::identities::find_recovery(&mut read, via, &address).await?;
        let person = match found {
            Some((_, owner)) => storage::identities::find(&mut read, owner).await?.filter(domain::Identity::is_active),
            None => None,
        };
        flow.ui.clear_messages();
        code::recovery_sent_form(&mut flow.ui, Some(email));
        flow.ui.messages.push(messages::code_sent());
        flow.state = FlowState::SentEmail;
        flow.details.address = Some(address.clone());
        let extra = json!({ "transient_payload": submission.transient_payload() });
        let mut tx = self.database.write(cx.tenant).await?;
        let recipient = Recipient { person: person.as_ref(), via, address: &address };
        self.send_code(&mut tx, cx, CodePurpose::Recovery, flow, &recipient, Some(&extra)).await?;
        storage::flows::update(&mut tx, flow).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Lets the person in. The inner error gives the flow back when the code was used by another request meanwhile.
    async fn pass_recovery(
        &self,
        cx: &Context,
        visitor: &Visitor,
        mut flow: Flow<Recovery>,
        code: Code,
    ) -> Result<Result<Answer, Box<Flow<Recovery>>>, FlowError> {
        let owner = code.identity_id.ok_or(FlowError::Broken("a recovery code of nobody"))?;
        let mut tx = self.database.write(cx.tenant).await?;
        if !storage::codes::redeem(&mut tx, code.id, cx.now).await? {
            return Ok(Err(Box::new(flow)));
        }
        let person = storage::identities::find(&mut tx, owner).await?.filter(domain::Identity::is_active);
        let Some(person) = person else { return Ok(Err(Box::new(flow))) };

        flow.state = FlowState::PassedChallenge;
        if !storage::flows::advance(&mut tx, &flow).await? {
            return Ok(Err(Box::new(flow)));
        }
        let is_own = flow.details.identity_id.is_none();
        if let (true, Some(address)) = (is_own, person.verifiable_address(code.via, &code.address)) {
            storage::identities::mark_verified(&mut tx, address.id, cx.now).await?;
        }
        let method = AuthenticationMethod::new(CredentialType::CodeRecovery, Aal::Aal1, cx.now);
        let device = visitor.device(&self.rng);
        let (session, token) = Session::issue(&self.rng, person.id, method, device, self.session_lifespan(), cx.now);
        storage::sessions::insert(&mut tx, &session).await?;
        if self.hooks_after(FlowKind::Recovery, CredentialType::Code).revoke_active_sessions {
            self.end_other_sessions(&mut tx, cx, person.id, session.id).await?;
        }
        let browser = Browser::renewed(&self.rng);
        let settings = if flow.details.skip_settings {
            None
        } else {
            let mut settings = self.begin_settings_for(&mut tx, cx, visitor, &browser, flow.flow_type, &person).await?;
            let until = cx.now.plus(self.privileged_session_max_age().unwrap_or(self.session_lifespan()));
            settings.ui.messages.push(messages::recovered(cx.now, until));
            settings.return_to = flow.wanted_return_to().or_else(|| self.after_recovery_url().map(String::from));
            storage::flows::update(&mut tx, &settings).await?;
            Some(settings)
        };
        self.recovery_event(&mut tx, cx, "RecoverySucceeded", &flow, &person.id.to_string()).await?;
        self.session_event(&mut tx, cx, "SessionIssued", &session).await?;
        tx.commit().await?;
        Ok(Ok(self.recovered_answer(&flow, &session, token, settings, &browser)?))
    }

    fn recovered_answer(
        &self,
        flow: &Flow<Recovery>,
        session: &Session,
        token: PlainToken,
        settings: Option<Flow<Settings>>,
        browser: &Browser,
    ) -> Result<Answer, FlowError> {
        let mut wire = flow.to_wire(Some(&browser.secret), &self.rng);
        let mut continue_with = Vec::new();
        if flow.flow_type == FlowType::Api {
            continue_with.push(ContinueWith::SetOrySessionToken { ory_session_token: ShownToken(token.clone()) });
        }
        let content = match settings {
            None => {
                let home = self.return_urls().default_url().clone();
                let redirect = self.return_urls().resolve(flow.wanted_return_to().as_deref(), &home)?;
                wire["continue_with"] = json!(super::login::some_if_any(continue_with));
                Content::Done { json: Some(wire), redirect: redirect.into() }
            }
            Some(settings) => {
                let url = with_flow(&self.page(FlowKind::Settings), settings.id);
                // A native client can do nothing with a redirect: it is always given its token.
                if self.uses_continue_with_transitions() || flow.flow_type == FlowType::Api {
                    let shown = flow.is_browser().then(|| url.clone());
                    continue_with.push(ContinueWith::ShowSettingsUi { flow: FlowUi { id: settings.id, url: shown } });
                    wire["continue_with"] = json!(continue_with);
                    Content::Done { json: Some(wire), redirect: url }
                } else {
                    Content::Elsewhere { url }
                }
            }
        };
        let answer = Answer::new(flow.flow_type, content);
        if flow.flow_type == FlowType::Api {
            return Ok(answer);
        }
        Ok(answer
            .with(CookieChange::Session { token, expires_at: session.expires_at })
            .with(CookieChange::Csrf(browser.secret.clone())))
    }

    async fn refuse_recovery(
        &self,
        cx: &Context,
        mut flow: Flow<Recovery>,
        browser: &Browser,
        status: u16,
        complaints: Vec<Complaint>,
    ) -> Result<Answer, FlowError> {
        complain(&mut flow, complaints);
        let mut tx = self.database.write(cx.tenant).await?;
        storage::flows::update(&mut tx, &flow).await?;
        self.recovery_event(&mut tx, cx, "RecoveryFailed", &flow, "").await?;
        tx.commit().await?;
        Ok(self.form(&flow, browser, status))
    }

    /// A new flow in the place of one that is over. Every client is sent to it.
    async fn restart_recovery(
        &self,
        cx: &Context,
        visitor: &Visitor,
        browser: &Browser,
        over: &Flow<Recovery>,
        message: Message,
    ) -> Result<Answer, FlowError> {
        let mut beginning = self.beginning::<Recovery>(visitor, browser, over.flow_type);
        beginning.request_url = &over.request_url;
        let details = Recovery { skip_settings: over.details.skip_settings, ..Recovery::default() };
        let mut flow = Flow::begin(&beginning, details, &self.rng, cx.now);
        flow.active = Some(CredentialType::Code);
        code::recovery_form(&mut flow.ui);
        flow.ui.messages.push(message);
        let mut tx = self.database.write(cx.tenant).await?;
        storage::flows::insert(&mut tx, &flow).await?;
        tx.commit().await?;
        let to_page = over.is_browser() && visitor.wants == Wants::Html;
        if !to_page && self.uses_continue_with_transitions() && over.flow_type == FlowType::Api {
            return Err(Self::replaced_by(cx, over, &flow));
        }
        let mut answer =
            Answer::redirect(if to_page { self.page_of(&flow) } else { self.fetch_url(FlowKind::Recovery, flow.id) });
        if browser.is_new && flow.is_browser() {
            answer = answer.with(CookieChange::Csrf(browser.secret.clone()));
        }
        Ok(answer)
    }

    /// Where a flow can be looked at.
    pub(super) fn fetch_url(&self, kind: FlowKind, id: domain::flow::FlowId) -> String {
        let mut url = endpoint(self.public_url(), &format!("self-service/{}/flows", kind.as_str()));
        url.query_pairs_mut().append_pair("id", &id.to_string());
        url.into()
    }

    async fn recovery_event(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        name: &'static str,
        flow: &Flow<Recovery>,
        subject: &str,
    ) -> Result<(), database::Error> {
        let attributes = json!({
            "FlowID": flow.id,
            "SelfServiceFlowType": flow.flow_type.as_str(),
            "SelfServiceFlowName": FlowKind::Recovery.as_str(),
            "SelfServiceMethodUsed": flow.active,
        });
        jobs::append_event(tx, cx, Event { name, subject: subject.to_owned(), attributes }).await
    }
}

fn wrong_code() -> Complaint {
    Complaint::general(flow_messages::recovery_code_invalid())
}
