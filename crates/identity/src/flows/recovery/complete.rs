//! The end of a recovery, after a valid code or link.

use base::{Context, PlainToken};
use database::WriteTx;

use crate::Identity;
use crate::components::attempts::FamiliarClients;
use crate::domain::client_kind::FlowType;
use crate::domain::code::{AskedBy, Code};
use crate::domain::continue_with::{ContinueWith, FlowUi, ShownToken};
use crate::domain::event::{Event, FlowOutcome};
use crate::domain::flow::{Flow, FlowKind, FlowState, OAuth2Request, Recovery, Settings, with_flow};
use crate::domain::message::recovery as messages;
use crate::domain::recovery::{Decision, Next, Origin, Proved, Reached, Response, SignIn, Target, decide, next};
use crate::domain::session::AuthenticationMethod;
use crate::domain::{self, Aal, CredentialType, Session};
use crate::flows::answer::{Answer, Content, CookieChange};
use crate::flows::errors::SubmitError;
use crate::flows::events::acting_as;
use crate::flows::settings::SettingsAfterRecovery;
use crate::flows::views::Body;
use crate::flows::visitor::{Browser, Visitor};
use crate::storage;
use crate::storage::identities::StoreError;

/// A recovery with a valid proof, and the rows that its transaction locked.
struct Completion<'a> {
    visitor: &'a Visitor,
    code: &'a Code,
    flow: Flow<Recovery>,
    person: domain::Identity,
}

/// What the transaction of a recovery wrote.
struct Written {
    session: Session,
    token: PlainToken,
    settings: Option<Flow<Settings>>,
    browser: Browser,
    new_device: Option<PlainToken>,
    /// The login that continues now.
    login: Option<OAuth2Request>,
}

impl Identity {
    /// Ends a recovery: gathers, decides, writes in one transaction, and answers. `None` if the proof is no longer
    /// valid: another request redeemed the code, or the identity or the address was removed.
    pub(super) async fn complete_recovery(
        &self,
        cx: &Context,
        visitor: &Visitor,
        flow: &Flow<Recovery>,
        code: &Code,
    ) -> Result<Option<Answer>, SubmitError> {
        let owner = code.identity_id.ok_or(SubmitError::Broken("a recovery code of nobody"))?;
        let mut tx = self.database.write(cx.tenant).await?;
        // Another submission may have changed the form since the flow was read. Only a completed flow rejects this one.
        let Some(flow) = storage::flows::lock::<Recovery>(&mut tx, flow.id).await? else { return Ok(None) };
        // The identity is locked before any code: concurrent recoveries of one account invalidate each other's codes
        // below and would deadlock otherwise.
        let person = storage::identities::lock_whole(&mut tx, self.tenant_sealer(cx), owner).await?;
        let Some(person) = person else { return Ok(None) };
        let is_redeemed = storage::codes::redeem(&mut tx, code.id, cx.now).await?;
        let mut completion = Completion { visitor, code, flow, person };
        let Decision::SignedIn(sign_in) = decide(&self.facts_of_recovery(&completion, is_redeemed)) else {
            return Ok(None);
        };
        let cx = &acting_as(cx, completion.person.id);
        let written = self.write_recovery(&mut tx, cx, &mut completion, sign_in).await?;
        tx.commit().await?;
        Ok(Some(self.recovered_answer(cx, &completion, sign_in, written).await?))
    }

    /// The facts of the decision.
    fn facts_of_recovery(&self, completion: &Completion<'_>, is_redeemed: bool) -> Proved {
        let Completion { visitor, code, flow, person } = completion;
        let origin = if code.asked_by == AskedBy::Administrator {
            Origin::Administrator
        } else {
            Origin::Address {
                // The user may have removed the address since the code was sent.
                recovers: person.recovers_by(code.via, &code.address),
                is_verifiable: person.verifiable_address(code.via, &code.address).is_some(),
            }
        };
        Proved {
            flow_type: flow.flow_type,
            origin,
            is_link: code.purpose.is_link(),
            is_open: !flow.state.is_final(),
            is_redeemed,
            is_active: person.is_active(),
            has_proved_address: person.has_proved_address(),
            has_login: flow.details.oauth2.is_some(),
            is_same_browser: self.browser(visitor).owns(flow),
            skips_settings: flow.details.skip_settings,
            revokes_unproved: self.session_policy.revokes_active_sessions(),
            revokes_sessions: self
                .flow_policy
                .hooks_after(FlowKind::Recovery, CredentialType::Code)
                .revoke_active_sessions,
        }
    }

    /// Writes what was decided.
    async fn write_recovery(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        completion: &mut Completion<'_>,
        sign_in: SignIn,
    ) -> Result<Written, SubmitError> {
        let Completion { visitor, code, flow, person } = completion;
        let login = flow.details.oauth2.take().filter(|_| sign_in.keeps_login);
        flow.state = FlowState::PassedChallenge;
        storage::flows::update(tx, flow).await?;
        let is_changed = sign_in.removes_unproved && self.remove_unproved(tx, cx, person).await?;
        if let Some(address) = person.verifiable_address(code.via, &code.address).filter(|_| sign_in.verifies_address) {
            storage::identities::mark_verified(tx, address.id, cx.now).await?;
        }
        let kind = if code.purpose.is_link() { CredentialType::LinkRecovery } else { CredentialType::CodeRecovery };
        let method = AuthenticationMethod::new(kind, Aal::Aal1, cx.now);
        let (device, lifespan) = (visitor.device(&self.rng), self.session_policy.lifespan());
        let (session, token) = Session::issue(&self.rng, person.id, method, device, lifespan, cx.now);
        storage::sessions::insert(tx, &session).await?;
        storage::codes::invalidate_recovery(tx, person.id).await?;
        // A familiar device or network may be the attacker's.
        storage::familiar_clients::delete_of_identity(tx, person.id).await?;
        // Only a complete sign-in makes a device familiar.
        let new_device = if session.aal >= person.available_aal {
            let (caller, none) = (visitor.caller(cx, None), FamiliarClients::default());
            let is_browser = sign_in.holder == FlowType::Browser;
            self.attempts.remember(tx, cx, &caller, person.id, &none, is_browser).await?
        } else {
            None
        };
        if sign_in.revokes_sessions {
            self.sessions.end_all(tx, cx, person.id, Some(session.id)).await?;
        }
        let browser = Browser::renewed(&self.rng);
        let settings = if sign_in.starts_settings {
            let of = SettingsAfterRecovery { visitor, browser: &browser, flow_type: sign_in.holder, person };
            Some(self.start_settings(tx, cx, flow, of, login.clone()).await?)
        } else {
            None
        };
        let mut happened: Vec<Event<'_>> =
            is_changed.then(|| Event::IdentityUpdated((&*person).into())).into_iter().collect();
        happened.push(Event::of_flow(flow, FlowOutcome::Succeeded, person.id, None));
        happened.push(Event::SessionIssued((&session).into()));
        jobs::append(tx, cx, &happened).await?;
        // With a settings flow, the login continues at its end.
        let login = login.filter(|_| settings.is_none());
        Ok(Written { session, token, settings, browser, new_device, login })
    }

    /// The settings flow in which the user sets a new password.
    async fn start_settings(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        flow: &Flow<Recovery>,
        of: SettingsAfterRecovery<'_>,
        login: Option<OAuth2Request>,
    ) -> Result<Flow<Settings>, SubmitError> {
        let mut settings = self.settings_after(cx, of)?;
        let until = cx.now.plus(self.session_policy.privileged_max_age().unwrap_or(self.session_policy.lifespan()));
        settings.ui.messages.push(messages::recovered(cx.now, until));
        settings.details.oauth2 = login;
        settings.return_to =
            flow.wanted_return_to().or_else(|| self.urls.configured_after(FlowKind::Recovery, None).map(String::from));
        storage::flows::insert(tx, &settings).await?;
        Ok(settings)
    }

    /// Removes the password and the second factors that were set up before an address of the account was verified: they
    /// may be those of an attacker who registered with another person's address. Returns whether there were any.
    async fn remove_unproved(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        person: &mut domain::Identity,
    ) -> Result<bool, SubmitError> {
        let mut after = person.clone();
        if !after.remove_unproved_credentials(self.session_policy.factor_rules(), cx.now) {
            return Ok(false);
        }
        after.refresh_available_aal(self.session_policy.factor_rules());
        match storage::identities::update(tx, self.tenant_sealer(cx), person, &after).await {
            Ok(()) => {}
            Err(StoreError::Stale) => return Err(SubmitError::FlowChanged),
            Err(StoreError::Database(error)) => return Err(error.into()),
            Err(StoreError::Taken(_)) => return Err(SubmitError::Broken("a removal claimed an identifier")),
        }
        *person = after;
        Ok(true)
    }

    async fn recovered_answer(
        &self,
        cx: &Context,
        completion: &Completion<'_>,
        sign_in: SignIn,
        written: Written,
    ) -> Result<Answer, SubmitError> {
        let Completion { code, flow, person, .. } = completion;
        let Written { session, token, settings, browser, new_device, login } = written;
        let mut reached = Reached {
            holder: sign_in.holder,
            is_link: code.purpose.is_link(),
            has_settings: settings.is_some(),
            has_login: login.is_some(),
            is_sufficient: self.session_policy.whoami_required_aal().is_met(session.aal, person.available_aal),
            uses_transitions: self.flow_policy.uses_continue_with_transitions(),
        };
        let mut accepted = None;
        if let (Target::Login, Some(login)) = (next(&reached).to, &login) {
            accepted = self.go_on_with_login(cx, login, &session, person).await?;
            // The login may have ended in the meantime.
            reached.has_login = accepted.is_some();
        }
        let Next { to, response } = next(&reached);
        let url = match (to, &settings, accepted, &login) {
            (Target::Settings, Some(settings), _, _) => with_flow(self.urls.page(FlowKind::Settings), settings.id),
            (Target::Login, _, Some(accepted), _) => accepted,
            (Target::SecondFactor, _, _, Some(login)) => self.urls.second_factor_for(&login.challenge),
            _ => {
                let home = self.urls.returns().default_url().clone();
                self.urls.returns().resolve(flow.wanted_return_to().as_deref(), &home)?.into()
            }
        };
        let content = match response {
            Response::Redirect => Content::Redirect { url },
            Response::Elsewhere => Content::Elsewhere { url },
            Response::Flow { has_token, has_settings } => {
                let view = self.view(flow, &browser);
                let mut continue_with = Vec::new();
                if has_token {
                    let ory_session_token = ShownToken(token.clone());
                    continue_with.push(ContinueWith::SetOrySessionToken { ory_session_token });
                }
                if let Some(settings) = settings.filter(|_| has_settings) {
                    let shown = flow.is_browser().then(|| url.clone());
                    continue_with.push(ContinueWith::ShowSettingsUi { flow: FlowUi { id: settings.id, url: shown } });
                }
                Content::Done { body: Some(Body::Flow(Box::new(view.completed(continue_with)))), redirect: url }
            }
        };
        if sign_in.holder == FlowType::Api {
            return Ok(Answer::new(FlowType::Api, content));
        }
        Ok(Answer::new(FlowType::Browser, content)
            .with(CookieChange::Session { token, expires_at: session.expires_at })
            .with(CookieChange::Csrf(browser.secret))
            .with_device(new_device))
    }
}
