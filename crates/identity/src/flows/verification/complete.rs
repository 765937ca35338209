//! The end of a verification: marks the address as verified and continues a pending login or registration.

use base::{Context, PlainToken};
use database::WriteTx;

use crate::Identity;
use crate::components::sessions::Current;
use crate::domain::code::Code;
use crate::domain::flow::{Flow, FlowKind, FlowState, Verification};
use crate::domain::message::{Message, verification as messages};
use crate::domain::ui_node::Group;
use crate::domain::verification::{Account, Decision, Kept, Next, Proved, Reached, Target, decide, next};
use crate::domain::{self, AuthenticationMethod, CredentialType, IdentityId, Session, VerifiableAddress, Via};
use crate::flows::answer::FormReason;
use crate::flows::answer::{Answer, Content, CookieChange};
use crate::flows::bind;
use crate::flows::errors::SubmitError;
use crate::flows::events;
use crate::flows::registration::pending::ConfirmedAccount;
use crate::flows::visitor::{Browser, Visitor};
use crate::methods::code::nodes as code_nodes;
use crate::storage;

/// A verification with a valid proof, and the rows that its transaction locked.
#[derive(Clone, Copy)]
pub(super) struct Completion<'a> {
    pub visitor: &'a Visitor,
    pub browser: &'a Browser,
    pub code: &'a Code,
}

/// The account whose address a code verifies.
enum Subject {
    /// A registrant whose account is pending. `is_own` if the code was sent to one of their addresses.
    Registrant { identity: Box<domain::Identity>, method: AuthenticationMethod, is_own: bool },
    /// An address that still belongs to the identity for which the code was sent.
    Stored(VerifiableAddress, IdentityId),
    /// The address was removed, or belongs to another identity now.
    Nobody,
}

/// What the transaction of a verification wrote.
#[derive(Default)]
struct Written {
    is_new: bool,
    /// The session of the client from now on, and its identity.
    session: Option<(Session, domain::Identity)>,
    /// The token of a session that was issued.
    token: Option<PlainToken>,
    new_device: Option<PlainToken>,
}

impl Identity {
    /// Ends a verification: gathers, decides, writes in one transaction, and answers. `None` if the proof is no longer
    /// valid: another request redeemed the code, or the address was removed or belongs to another identity.
    pub(super) async fn complete_verification(
        &self,
        cx: &Context,
        completion: Completion<'_>,
        flow: &Flow<Verification>,
    ) -> Result<Option<Answer>, SubmitError> {
        let Completion { visitor, browser, code } = completion;
        let current = self.current(cx, visitor).await?;
        let mut tx = self.database.write(cx.tenant).await?;
        // Another submission may have changed the form since the flow was read. Only a completed flow rejects this one.
        let Some(mut flow) = storage::flows::lock::<Verification>(&mut tx, flow.id).await? else { return Ok(None) };
        if code.purpose.is_link() {
            super::continue_in(&mut flow, browser);
        }
        let is_redeemed = storage::codes::redeem(&mut tx, code.id, cx.now).await?;
        let subject = self.subject_of(&mut tx, cx, &flow, code).await?;
        let decision = decide(&self.facts_of_verification(&flow, &subject, current.as_ref(), is_redeemed));
        let written = match (decision, subject) {
            (Decision::CreateAccount { signs_in }, Subject::Registrant { identity, method, .. }) => {
                self.write_account(&mut tx, cx, visitor, (*identity, method), signs_in).await?
            }
            (Decision::VerifyAddress { revokes_sessions_except }, Subject::Stored(address, owner)) => {
                if !storage::identities::mark_verified(&mut tx, address.id, cx.now).await? {
                    return Ok(None);
                }
                if let Some(kept) = revokes_sessions_except {
                    let kept = match kept {
                        Kept::SessionOfRequest => current.as_ref().map(|current| current.session.id),
                        Kept::SessionOfFlow => flow.details.session_id,
                    };
                    self.sessions.end_all(&mut tx, cx, owner, kept).await?;
                }
                let session = self.waiting_session(&mut tx, cx, &flow, owner).await?;
                Some((owner, Written { session, ..Written::default() }))
            }
            (Decision::NoSession, _) => return Err(SubmitError::FlowSessionEnded),
            (Decision::Refused | Decision::CreateAccount { .. } | Decision::VerifyAddress { .. }, _) => None,
        };
        let Some((owner, written)) = written else { return Ok(None) };
        let success = match code.via {
            Via::Email => messages::email_verified(),
            Via::Sms => messages::phone_verified(),
        };
        let continue_url = self.after_verification_url(&flow);
        flow.state = FlowState::PassedChallenge;
        show_completed(&mut flow, &continue_url, success.clone());
        storage::flows::update(&mut tx, &mut flow).await?;
        events::append_success(&mut tx, cx, &flow, owner).await?;
        tx.commit().await?;
        Ok(Some(self.verified_answer(cx, completion, flow, written, (continue_url, success)).await?))
    }

    /// The account whose address the code verifies. Marks the address of a registrant as verified.
    async fn subject_of(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        flow: &Flow<Verification>,
        code: &Code,
    ) -> Result<Subject, SubmitError> {
        if let Some((mut identity, method)) = self.registrant_of(cx, flow)? {
            let mut addresses = identity.verifiable_addresses.iter_mut();
            let address = addresses.find(|known| known.via == code.via && known.value == code.address);
            let is_own = code.identity_id == Some(identity.id) && address.is_some();
            if let Some(address) = address {
                address.complete(cx.now);
            }
            return Ok(Subject::Registrant { identity: Box::new(identity), method, is_own });
        }
        let found = storage::identities::find_verifiable(tx, code.via, &code.address).await?;
        let own = found.filter(|(_, owner)| Some(*owner) == code.identity_id);
        Ok(own.map_or(Subject::Nobody, |(address, owner)| Subject::Stored(address, owner)))
    }

    /// The facts of the decision.
    fn facts_of_verification(
        &self,
        flow: &Flow<Verification>,
        subject: &Subject,
        current: Option<&Current>,
        is_redeemed: bool,
    ) -> Proved {
        let (account, owner) = match subject {
            Subject::Registrant { is_own, .. } => (Account::Registrant { is_own: *is_own }, None),
            Subject::Stored(address, owner) => {
                (Account::Stored { is_own: true, is_verified: address.verified }, Some(*owner))
            }
            Subject::Nobody => (Account::Stored { is_own: false, is_verified: false }, None),
        };
        Proved {
            flow_type: flow.flow_type,
            account,
            is_open: !flow.state.is_final(),
            is_redeemed,
            has_login: flow.details.oauth2.is_some(),
            has_flow_session: flow.details.session_id.is_some(),
            has_own_session: current.is_some_and(|current| Some(current.session.identity_id) == owner),
            revokes_sessions: self.session_policy.revokes_active_sessions(),
        }
    }

    /// Writes the account of a registrant; `None` if one of its identifiers was taken in the meantime.
    async fn write_account(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        visitor: &Visitor,
        registrant: (domain::Identity, AuthenticationMethod),
        signs_in: bool,
    ) -> Result<Option<(IdentityId, Written)>, SubmitError> {
        let Some(account) = self.create_confirmed_account(tx, cx, visitor, registrant, signs_in).await? else {
            return Ok(None);
        };
        let ConfirmedAccount { identity, session, new_device } = account;
        let owner = identity.id;
        let (session, token) = session.map(|(session, token)| ((session, identity), token)).unzip();
        Ok(Some((owner, Written { is_new: true, session, token, new_device })))
    }

    /// If a login is pending: the session that started the flow, with its identity.
    async fn waiting_session(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        flow: &Flow<Verification>,
        owner: IdentityId,
    ) -> Result<Option<(Session, domain::Identity)>, SubmitError> {
        let (Some(_), Some(session)) = (&flow.details.oauth2, flow.details.session_id) else { return Ok(None) };
        let session = storage::sessions::find(tx, session).await?;
        let session = session.filter(|session| session.identity_id == owner && session.is_alive(cx.now));
        let person = storage::identities::find(tx, owner).await?.filter(domain::Identity::is_active);
        Ok(session.zip(person))
    }

    async fn verified_answer(
        &self,
        cx: &Context,
        completion: Completion<'_>,
        flow: Flow<Verification>,
        written: Written,
        (continue_url, success): (String, Message),
    ) -> Result<Answer, SubmitError> {
        let Completion { visitor, browser, code } = completion;
        let next = next(&Reached {
            flow_type: flow.flow_type,
            wants: visitor.wants,
            is_link: code.purpose.is_link(),
            is_new: written.is_new,
            has_session: written.session.is_some(),
            has_login: flow.details.oauth2.is_some(),
        });
        let (to, redirects) = match next {
            Next::ShowForm => return Ok(self.form(&flow, browser, FormReason::Accepted)),
            Next::ShowPage => return Ok(Answer::redirect(self.page_of(&flow))),
            Next::NoSession => return Err(SubmitError::FlowSessionEnded),
            Next::GoOn { to, redirects } => (to, redirects),
        };
        let url = match (to, &flow.details.oauth2, &written.session) {
            (Target::Login, Some(oauth2), Some((session, person))) => {
                self.accept_login(cx, oauth2, session, person).await?
            }
            _ => continue_url,
        };
        let answer = self.redirect_or_show(flow, browser, redirects, url, success);
        let cookie = written
            .token
            .zip(written.session)
            .map(|(token, (session, _))| CookieChange::Session { token, expires_at: session.expires_at });
        let answer = cookie.into_iter().fold(answer, Answer::with);
        Ok(answer.with_device(written.new_device))
    }

    /// Redirects a browser; a program gets the completed form with the URL.
    fn redirect_or_show(
        &self,
        mut flow: Flow<Verification>,
        browser: &Browser,
        redirects: bool,
        url: String,
        success: Message,
    ) -> Answer {
        if redirects {
            return Answer::redirect(url);
        }
        show_completed(&mut flow, &url, success);
        let content =
            Content::Form { reason: FormReason::Accepted, flow: Box::new(self.view(&flow, browser)), page: url };
        bind(Answer::new(flow.flow_type, content), &flow, browser)
    }

    /// The URL where the browser continues: the requested one if it is allowed, else the configured one.
    fn after_verification_url(&self, flow: &Flow<Verification>) -> String {
        let wanted = flow.wanted_return_to().and_then(|wanted| self.urls.returns().check(&wanted).ok());
        wanted.map_or_else(|| self.urls.after(FlowKind::Verification, None).to_string(), String::from)
    }
}

fn show_completed(flow: &mut Flow<Verification>, continue_url: &str, success: Message) {
    let group = if flow.active == Some(CredentialType::Link) { Group::Link } else { Group::Code };
    code_nodes::verification_passed_form(&mut flow.ui, group, continue_url, success);
}
