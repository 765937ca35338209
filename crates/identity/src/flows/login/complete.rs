//! The end of a login: what follows once somebody has proved who she is.

use base::{Context, PlainToken};
use database::WriteTx;
use jobs::Event;
use serde_json::json;

use crate::Identity;
use crate::domain::client_kind::{FlowType, Wants};
use crate::domain::continue_with::{ContinueWith, ShownToken};
use crate::domain::flow::{Flow, FlowKind, Login, endpoint};
use crate::domain::message::{flow as messages, validation};
use crate::domain::{self, Aal, AuthenticationMethod, CredentialType, IdentityId, Session, SessionId};
use crate::flows::answer::{Answer, Content, CookieChange};
use crate::flows::attempts::Caller;
use crate::flows::current::Current;
use crate::flows::error::{FlowError, SubmitError};
use crate::flows::events::{self, FlowEvent, acting_as};
use crate::flows::hooks::{BegunVerification, VerificationOf};
use crate::flows::visitor::{Browser, Visitor};
use crate::http::wire;
use crate::storage;
use crate::storage::identities::Unchanged;

use super::step::{Proof, Redeeming};

/// The session of a login and the token of its holder.
struct SignedIn {
    session: Session,
    token: PlainToken,
    is_new: bool,
}

impl Identity {
    #[expect(clippy::too_many_arguments, reason = "the parts of one step, each from another place")]
    pub(super) async fn complete_login(
        &self,
        cx: &Context,
        visitor: &Visitor,
        caller: &Caller,
        browser: &Browser,
        flow: &Flow<Login>,
        current: Option<Current>,
        proof: Proof,
    ) -> Result<Answer, SubmitError> {
        let Proof { identity, method, effects } = proof;
        if !identity.is_active() {
            return Err(SubmitError::general(messages::account_disabled()));
        }
        let cx = &acting_as(cx, identity.id);
        let used = method.method;
        let return_to = self.login_return_to(flow, used)?;
        let hooks = self.hooks_after(FlowKind::Login, used);
        let same_person = current.as_ref().is_some_and(|current| current.session.identity_id == identity.id);
        let mut signed_in = self.next_session(cx, visitor, identity.id, &method, current.filter(|_| same_person));

        let must_verify =
            hooks.require_verified_address && !identity.verifiable_addresses.iter().any(|address| address.verified);
        if must_verify && identity.verifiable_addresses.is_empty() {
            return Err(FlowError::NothingToVerify.into());
        }
        if must_verify && used == CredentialType::Password && self.refuses_unverified_in_the_form() {
            return Err(SubmitError::general(validation::address_not_verified()));
        }
        let is_first_step = flow.details.requested_aal <= Aal::Aal1;
        let begins_verification = must_verify || (self.verification_enabled() && hooks.verification && is_first_step);
        let to_verify = Self::address_to_verify(&identity, None).filter(|_| begins_verification);

        // Whoever knew the browser's secret before is not whoever signs in now.
        let next_browser = if same_person || must_verify { browser.clone() } else { Browser::renewed(&self.rng) };

        let mut tx = self.database.write(cx.tenant).await?;
        Self::require_unchanged(&mut tx, &identity).await?;
        let proved_address = effects.write(&mut tx, Redeeming { service: self, cx, person: identity.id }).await?;
        let verification = match to_verify {
            Some(address) => {
                let of = VerificationOf {
                    person: &identity,
                    is_real: true,
                    flow_type: flow.flow_type,
                    request_url: &flow.request_url,
                    return_to: flow.requested("after_verification_return_to").or_else(|| flow.wanted_return_to()),
                    browser: &next_browser,
                    session_id: (!must_verify).then_some(signed_in.session.id),
                    oauth2: if must_verify { None } else { flow.details.oauth2.clone() },
                    newcomer: None,
                    transient_payload: effects.transient_payload.clone(),
                    caller,
                };
                Some(self.begin_verification_of(&mut tx, &self.in_language_of(cx, flow), of, address).await?)
            }
            None => None,
        };
        if must_verify {
            let failed = FlowEvent::named(FlowKind::Login.failed_event()).about(identity.id);
            events::append(&mut tx, cx, flow, failed.because(Some("the address is not verified"))).await?;
            tx.commit().await?;
            let begun =
                verification.ok_or(FlowError::Broken("an unverified identity without an unverified address"))?;
            if flow.is_browser() && visitor.wants == Wants::Html {
                return Ok(Answer::redirect(begun.url));
            }
            return Err(
                FlowError::AddressNotVerified { flow: begun.flow.id, address: begun.address, url: begun.url }.into()
            );
        }
        if signed_in.is_new {
            storage::sessions::insert(&mut tx, &signed_in.session).await?;
        } else {
            signed_in.session = self.record_proof(&mut tx, cx, signed_in.session.id, method).await?;
        }
        // Only a complete sign-in makes a device familiar: a stolen password alone must not.
        let is_complete = signed_in.session.aal >= identity.available_aal;
        let new_device = if is_complete {
            let is_browser = flow.is_browser();
            self.remember_caller(&mut tx, cx, caller, identity.id, &effects.familiar, is_browser).await?
        } else {
            None
        };
        if hooks.revoke_active_sessions || (proved_address && self.revokes_active_sessions()) {
            self.end_other_sessions(&mut tx, cx, identity.id, signed_in.session.id).await?;
        }
        events::append(&mut tx, cx, flow, FlowEvent::named("LoginSucceeded").about(identity.id)).await?;
        self.session_event(
            &mut tx,
            cx,
            if signed_in.is_new { "SessionIssued" } else { "SessionChanged" },
            &signed_in.session,
        )
        .await?;
        tx.commit().await?;

        let answer = self
            .signed_in_answer(
                cx,
                visitor,
                flow,
                &identity,
                signed_in,
                return_to,
                verification.filter(|_| hooks.show_verification_ui),
                next_browser,
            )
            .await?;
        Ok(answer.with_device(new_device))
    }

    /// The session that the proof is recorded in: the present one of the same person, else a new one.
    fn next_session(
        &self,
        cx: &Context,
        visitor: &Visitor,
        person: IdentityId,
        method: &AuthenticationMethod,
        current: Option<Current>,
    ) -> SignedIn {
        if let Some(Current { session, token, .. }) = current {
            return SignedIn { session, token, is_new: false };
        }
        let (device, lifespan) = (visitor.device(&self.rng), self.session_lifespan());
        let (session, token) = Session::issue(&self.rng, person, method.clone(), device, lifespan, cx.now);
        SignedIn { session, token, is_new: true }
    }

    /// Adds a proof to those that the session has by now: another one may have come at the same time.
    pub(crate) async fn record_proof(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        id: SessionId,
        method: AuthenticationMethod,
    ) -> Result<Session, FlowError> {
        let before = storage::sessions::lock(tx, id).await?.filter(|session| session.is_alive(cx.now));
        let before = before.ok_or(FlowError::SessionInactive)?;
        let mut session = before.clone();
        session.authenticate(method, self.session_lifespan(), cx.now);
        let is_written = storage::sessions::update(tx, &before, &session).await?;
        if is_written { Ok(session) } else { Err(FlowError::SessionInactive) }
    }

    /// What was proved was proved about this very state of the person: not disabled, no other password since.
    async fn require_unchanged(tx: &mut WriteTx, proved: &domain::Identity) -> Result<(), SubmitError> {
        match storage::identities::lock_unchanged(tx, proved).await? {
            Unchanged::Yes => Ok(()),
            Unchanged::No => Err(SubmitError::general(validation::invalid_credentials())),
            Unchanged::Inactive => Err(SubmitError::general(messages::account_disabled())),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one answer, each from another step")]
    async fn signed_in_answer(
        &self,
        cx: &Context,
        visitor: &Visitor,
        flow: &Flow<Login>,
        identity: &domain::Identity,
        signed_in: SignedIn,
        return_to: url::Url,
        verification: Option<BegunVerification>,
        next_browser: Browser,
    ) -> Result<Answer, FlowError> {
        let SignedIn { session, token, .. } = signed_in;
        let reaches = self.whoami_required_aal().is_met(session.aal, identity.available_aal);
        let mut continue_with: Vec<ContinueWith> = verification.iter().map(BegunVerification::continue_with).collect();
        if flow.flow_type == FlowType::Api {
            let shown = wire::session(&session, reaches.then_some(identity), self.public_url(), cx.now);
            let json = json!({
                "session_token": ShownToken(token),
                "session": shown,
                "continue_with": some_if_any(continue_with),
            });
            return Ok(Answer::new(FlowType::Api, Content::Done { json: Some(json), redirect: return_to.into() }));
        }

        let content = if !reaches {
            Content::Elsewhere { url: self.second_factor_url(flow) }
        } else if let Some(oauth2) = &flow.details.oauth2 {
            match &verification {
                Some(begun) if visitor.wants_strictly == Wants::Html => Content::Redirect { url: begun.url.clone() },
                Some(_) | None => Content::Elsewhere { url: self.accept_login(cx, oauth2, &session, identity).await? },
            }
        } else {
            continue_with.push(ContinueWith::RedirectBrowserTo { redirect_browser_to: return_to.to_string() });
            let json = json!({
                "session": wire::session(&session, Some(identity), self.public_url(), cx.now),
                "continue_with": some_if_any(continue_with),
            });
            let redirect = verification.map_or_else(|| return_to.to_string(), |begun| begun.url);
            Content::Done { json: Some(json), redirect }
        };
        let answer = Answer::new(FlowType::Browser, content)
            .with(CookieChange::Session { token, expires_at: session.expires_at });
        Ok(if next_browser.is_new { answer.with(CookieChange::Csrf(next_browser.secret)) } else { answer })
    }

    /// Where a second factor is asked for before this login counts.
    fn second_factor_url(&self, flow: &Flow<Login>) -> String {
        let mut url = endpoint(self.public_url(), "self-service/login/browser");
        url.query_pairs_mut().append_pair("aal", Aal::Aal2.as_str());
        for name in ["return_to", "login_challenge"] {
            if let Some(value) = flow.requested(name) {
                url.query_pairs_mut().append_pair(name, &value);
            }
        }
        url.into()
    }

    pub(crate) async fn session_event(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        name: &'static str,
        session: &Session,
    ) -> Result<(), database::Error> {
        let attributes = json!({
            "IdentityID": session.identity_id,
            "SessionID": session.id,
            "SessionAAL": session.aal,
            "SessionExpiresAt": session.expires_at,
        });
        jobs::append_event(tx, cx, Event { name, subject: session.identity_id.to_string(), attributes }).await
    }
}

pub(crate) fn some_if_any<T>(items: Vec<T>) -> Option<Vec<T>> {
    if items.is_empty() { None } else { Some(items) }
}
