//! The end of a login, after a successful proof.

use base::{Context, PlainToken};
use database::{ReadStart, WriteTx};
use url::Url;

use crate::Identity;
use crate::components::attempts::Caller;
use crate::components::language;
use crate::components::sessions::Current;
use crate::domain::client_kind::{FlowType, Wants};
use crate::domain::continue_with::{ContinueWith, ShownToken};
use crate::domain::event::{Event, FlowOutcome, SessionAttributes};
use crate::domain::flow::{Flow, FlowKind, Login, endpoint};
use crate::domain::hooks::Hooks;
use crate::domain::login::{Addresses, Decision, Next, Proved, Reached, Refusal, SignIn, decide, next};
use crate::domain::message::{flow as messages, validation};
use crate::domain::{self, Aal, AuthenticationMethod, IdentityId, Session};
use crate::flows::answer::{Answer, Content, CookieChange};
use crate::flows::errors::{LoginChallengeError, StepError, SubmitError};
use crate::flows::events::acting_as;
use crate::flows::hooks::{BegunVerification, VerificationOf};
use crate::flows::views::{Body, SessionBody, SignedInView};
use crate::flows::visitor::{Browser, Visitor};
use crate::storage;
use crate::storage::identities::Unchanged;

use super::step::{Proof, Redeeming};

/// The session of a login and its token.
struct SignedIn {
    session: Session,
    token: PlainToken,
    is_new: bool,
}

/// A login that was written.
struct Done<'a> {
    identity: &'a domain::Identity,
    signed_in: SignedIn,
    return_to: Url,
    verification: Option<BegunVerification>,
    next_browser: Browser,
}

/// A login whose proof was accepted.
pub(super) struct Completion<'a> {
    pub visitor: &'a Visitor,
    pub caller: &'a Caller,
    pub browser: &'a Browser,
    pub flow: &'a Flow<Login>,
    pub current: Option<Current>,
    /// Before the identity of the proof was read.
    pub start: ReadStart,
}

/// What is written, and the facts that it was decided by.
struct Decided<'a> {
    decision: Decision,
    hooks: Hooks,
    next_browser: &'a Browser,
}

/// The result of the transaction of a login.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every login uses the large variant; a box would add an allocation to each"
)]
enum Written {
    SignedIn { signed_in: SignedIn, verification: Option<BegunVerification>, new_device: Option<PlainToken> },
    VerifyFirst(BegunVerification),
}

impl Identity {
    /// Ends a login: gathers, decides, writes in one transaction, and answers.
    pub(super) async fn complete_login(
        &self,
        cx: &Context,
        completion: Completion<'_>,
        proof: Proof,
    ) -> Result<Answer, StepError> {
        let Completion { visitor, browser, flow, current, .. } = &completion;
        let cx = &acting_as(cx, proof.identity.id);
        let used = proof.method.method;
        let hooks = self.flow_policy.hooks_after(FlowKind::Login, used);
        let has_session = current.as_ref().is_some_and(|it| it.session.identity_id == proof.identity.id);
        let decision = decide(&Proved {
            method: used,
            is_active: proof.identity.is_active(),
            addresses: addresses_of(&proof.identity),
            requested_aal: flow.details.requested_aal,
            has_session,
            requires_verified_address: hooks.require_verified_address,
            refuses_unverified_in_form: self.flow_policy.refuses_unverified_in_the_form(),
            verifies: self.flow_policy.is_enabled(FlowKind::Verification) && hooks.verification,
        });
        match decision {
            Decision::Refused(Refusal::Disabled) => return Err(StepError::general(messages::account_disabled())),
            Decision::Refused(Refusal::AddressNotVerified) => {
                return Err(StepError::general(validation::address_not_verified()));
            }
            Decision::Refused(Refusal::NothingToVerify) => return Err(SubmitError::NothingToVerify.into()),
            Decision::VerifyFirst | Decision::SignedIn(_) => {}
        }
        let return_to = self.login_return_to(flow, used)?;
        // The previous user of the browser may know its secret.
        let keeps_secret = has_session || decision == Decision::VerifyFirst;
        let next_browser = if keeps_secret { (*browser).clone() } else { Browser::renewed(&self.rng) };
        let decided = Decided { decision, hooks, next_browser: &next_browser };
        match self.write_login(cx, &completion, &proof, decided).await? {
            Written::VerifyFirst(begun) if flow.is_browser() && visitor.wants == Wants::Html => {
                Ok(Answer::redirect(begun.url))
            }
            Written::VerifyFirst(BegunVerification { flow, address, url }) => {
                Err(SubmitError::AddressNotVerified { flow: flow.id, address, url }.into())
            }
            Written::SignedIn { signed_in, verification, new_device } => {
                if signed_in.is_new {
                    // The next request of the client presents this session.
                    self.sessions.keep(cx, completion.start, signed_in.session.clone(), &proof.identity)?;
                }
                let verification = verification.filter(|_| hooks.show_verification_ui);
                let done = Done { identity: &proof.identity, signed_in, return_to, verification, next_browser };
                Ok(self.signed_in_answer(cx, visitor, flow, done).await?.with_device(new_device))
            }
        }
    }

    /// Writes the decision. The identity, the session and the one-time proof are checked again under locks.
    async fn write_login(
        &self,
        cx: &Context,
        completion: &Completion<'_>,
        proof: &Proof,
        decided: Decided<'_>,
    ) -> Result<Written, StepError> {
        let Completion { visitor, caller, flow, current, .. } = completion;
        let Proof { identity, method, effects } = proof;
        let Decided { decision, hooks, next_browser } = decided;
        let adds_to_session = matches!(decision, Decision::SignedIn(SignIn { adds_to_session: true, .. }));
        let current = current.as_ref().filter(|_| adds_to_session);
        let mut signed_in = self.next_session(cx, visitor, identity.id, method, current);
        let must_verify = decision == Decision::VerifyFirst;
        let begins = must_verify || matches!(decision, Decision::SignedIn(SignIn { begins_verification: true, .. }));

        let mut tx = self.database.write(cx.tenant).await?;
        if signed_in.is_new && !must_verify {
            Self::issue_to_unchanged(&mut tx, &signed_in.session, identity).await?;
        } else {
            Self::require_unchanged(&mut tx, identity).await?;
        }
        let proved_address = effects.write(&mut tx, Redeeming { service: self, cx, person: identity.id }).await?;
        let verification = match Self::address_to_verify(identity, None).filter(|_| begins) {
            Some(address) => {
                let of = VerificationOf {
                    person: identity,
                    is_real: true,
                    flow_type: flow.flow_type,
                    request_url: &flow.request_url,
                    return_to: flow.requested("after_verification_return_to").or_else(|| flow.wanted_return_to()),
                    browser: next_browser,
                    session_id: (!must_verify).then_some(signed_in.session.id),
                    oauth2: if must_verify { None } else { flow.details.oauth2.clone() },
                    registrant: None,
                    transient_payload: effects.transient_payload.clone(),
                    caller,
                };
                Some(self.begin_verification_of(&mut tx, &language::of_flow(&self.ui, cx, flow), of, address).await?)
            }
            None => None,
        };
        if must_verify {
            let reason = Some("the address is not verified");
            jobs::append(&mut tx, cx, &[Event::of_flow(flow, FlowOutcome::Failed, identity.id, reason)]).await?;
            tx.commit().await?;
            let begun =
                verification.ok_or(SubmitError::Broken("an unverified identity without an unverified address"))?;
            return Ok(Written::VerifyFirst(begun));
        }
        if !signed_in.is_new {
            let (id, lifespan) = (signed_in.session.id, self.session_policy.lifespan());
            let add = |session: &mut Session| session.authenticate(method.clone(), lifespan, cx.now);
            let proved = self.sessions.prove(&mut tx, cx, id, flow.flow_type, add).await?;
            let (session, renewed) = proved.ok_or(SubmitError::NoSession)?;
            (signed_in.session, signed_in.token) = (session, renewed.unwrap_or(signed_in.token));
        }
        // Only a complete sign-in makes a device familiar: a stolen password alone must not.
        let is_complete = signed_in.session.aal >= identity.available_aal;
        let new_device = if is_complete {
            let is_browser = flow.is_browser();
            self.attempts.remember(&mut tx, cx, caller, identity.id, &effects.familiar, is_browser).await?
        } else {
            None
        };
        if hooks.revoke_active_sessions || (proved_address && self.session_policy.revokes_active_sessions()) {
            self.sessions.end_all(&mut tx, cx, identity.id, Some(signed_in.session.id)).await?;
        }
        let attributes = SessionAttributes::from(&signed_in.session);
        let session =
            if signed_in.is_new { Event::SessionIssued(attributes) } else { Event::SessionChanged(attributes) };
        let succeeded = Event::of_flow(flow, FlowOutcome::Succeeded, identity.id, None);
        jobs::append(&mut tx, cx, &[succeeded, session]).await?;
        tx.commit().await?;
        Ok(Written::SignedIn { signed_in, verification, new_device })
    }

    /// The session that records the proof: the current one of the same user, or a new one.
    fn next_session(
        &self,
        cx: &Context,
        visitor: &Visitor,
        person: IdentityId,
        method: &AuthenticationMethod,
        current: Option<&Current>,
    ) -> SignedIn {
        if let Some(Current { session, token, .. }) = current {
            return SignedIn { session: session.clone(), token: token.clone(), is_new: false };
        }
        let (device, lifespan) = (visitor.device(&self.rng), self.session_policy.lifespan());
        let (session, token) = Session::issue(&self.rng, person, method.clone(), device, lifespan, cx.now);
        SignedIn { session, token, is_new: true }
    }

    /// The proof applies only to the identity as it was checked: it must not be disabled, or have a new password, since
    /// then.
    async fn require_unchanged(tx: &mut WriteTx, proved: &domain::Identity) -> Result<(), StepError> {
        match storage::identities::lock_unchanged(tx, proved).await? {
            Unchanged::Yes => Ok(()),
            Unchanged::No => Err(StepError::general(validation::invalid_credentials())),
            Unchanged::Inactive => Err(StepError::general(messages::account_disabled())),
        }
    }

    /// Writes a new session under the condition of [`Self::require_unchanged`].
    async fn issue_to_unchanged(
        tx: &mut WriteTx,
        session: &Session,
        proved: &domain::Identity,
    ) -> Result<(), StepError> {
        if storage::sessions::insert_of_unchanged(tx, session, proved).await? {
            return Ok(());
        }
        Self::require_unchanged(tx, proved).await?;
        Err(SubmitError::Broken("a session of an unchanged identity was not written").into())
    }

    async fn signed_in_answer(
        &self,
        cx: &Context,
        visitor: &Visitor,
        flow: &Flow<Login>,
        done: Done<'_>,
    ) -> Result<Answer, SubmitError> {
        let Done { identity, signed_in, return_to, verification, next_browser } = done;
        let SignedIn { session, token, .. } = signed_in;
        let next = next(&Reached {
            flow_type: flow.flow_type,
            is_sufficient: self.session_policy.whoami_required_aal().is_met(session.aal, identity.available_aal),
            has_challenge: flow.details.oauth2.is_some(),
            shows_verification: verification.is_some() && visitor.wants_strictly == Wants::Html,
        });
        let mut continue_with: Vec<ContinueWith> = verification.iter().map(BegunVerification::continue_with).collect();
        let shown = |with_person: bool| SessionBody {
            session: session.clone(),
            identity: with_person.then(|| identity.clone()),
            public_url: self.urls.public().clone(),
            now: cx.now,
        };
        let redirect = |verification: Option<BegunVerification>| {
            verification.map_or_else(|| return_to.to_string(), |begun| begun.url)
        };
        let content = match next {
            Next::Session { with_person } => {
                let body = SignedInView {
                    session_token: Some(ShownToken(token)),
                    session: shown(with_person),
                    continue_with: some_if_any(continue_with),
                };
                let body = Some(Body::SignedIn(Box::new(body)));
                let content = Content::Done { body, redirect: return_to.into() };
                return Ok(Answer::new(FlowType::Api, content));
            }
            Next::SecondFactor => Content::Elsewhere { url: self.second_factor_url(flow) },
            Next::Verification => Content::Redirect { url: redirect(verification) },
            Next::Challenge => {
                let oauth2 = flow.details.oauth2.as_ref().ok_or(LoginChallengeError::Empty)?;
                Content::Elsewhere { url: self.accept_login(cx, oauth2, &session, identity).await? }
            }
            Next::Done => {
                continue_with.push(ContinueWith::RedirectBrowserTo { redirect_browser_to: return_to.to_string() });
                let continue_with = some_if_any(continue_with);
                let body = SignedInView { session_token: None, session: shown(true), continue_with };
                Content::Done { body: Some(Body::SignedIn(Box::new(body))), redirect: redirect(verification) }
            }
        };
        let answer = Answer::new(FlowType::Browser, content)
            .with(CookieChange::Session { token, expires_at: session.expires_at });
        Ok(if next_browser.is_new { answer.with(CookieChange::Csrf(next_browser.secret)) } else { answer })
    }

    /// The URL that asks for the second factor of this login.
    fn second_factor_url(&self, flow: &Flow<Login>) -> String {
        let mut url = endpoint(self.urls.public(), "self-service/login/browser");
        url.query_pairs_mut().append_pair("aal", Aal::Aal2.as_str());
        for name in ["return_to", "login_challenge"] {
            if let Some(value) = flow.requested(name) {
                url.query_pairs_mut().append_pair(name, &value);
            }
        }
        url.into()
    }
}

/// The addresses of an identity.
fn addresses_of(person: &domain::Identity) -> Addresses {
    let pending = person.verifiable_addresses.iter().any(|address| !address.verified);
    match (person.has_verified_address(), pending) {
        (true, pending) => Addresses::Verified { pending },
        (false, true) => Addresses::Unverified,
        (false, false) => Addresses::Absent,
    }
}

pub(crate) fn some_if_any<T>(items: Vec<T>) -> Option<Vec<T>> {
    if items.is_empty() { None } else { Some(items) }
}
