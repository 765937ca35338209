//! The end of a recovery: whoever brought the code or the link back is let in.

use base::{Context, PlainToken};
use database::WriteTx;

use crate::Identity;
use crate::components::attempts::FamiliarClients;
use crate::domain::client_kind::FlowType;
use crate::domain::code::{AskedBy, Code};
use crate::domain::continue_with::{ContinueWith, FlowUi, ShownToken};
use crate::domain::event::{Event, FlowOutcome};
use crate::domain::flow::{Flow, FlowKind, FlowState, Recovery, Settings, with_flow};
use crate::domain::message::recovery as messages;
use crate::domain::session::AuthenticationMethod;
use crate::domain::{self, Aal, CredentialType, Session};
use crate::flows::answer::{Answer, Content, CookieChange};
use crate::flows::error::FlowError;
use crate::flows::events::acting_as;
use crate::flows::views::Body;
use crate::flows::visitor::{Browser, Visitor};
use crate::storage;
use crate::storage::identities::StoreError;

/// What the recovery left behind.
struct LetIn {
    session: Session,
    token: PlainToken,
    settings: Option<Flow<Settings>>,
    browser: Browser,
    new_device: Option<PlainToken>,
    /// A link ends in the browser that opened it, whoever began the flow.
    by_link: bool,
    /// Where the login goes on that the recovery was begun within.
    next: Option<String>,
}

impl Identity {
    /// Lets the person in; `None` when the code was used by another request meanwhile, or its person is no more.
    pub(super) async fn pass_recovery(
        &self,
        cx: &Context,
        visitor: &Visitor,
        flow: &Flow<Recovery>,
        code: &Code,
    ) -> Result<Option<Answer>, FlowError> {
        let owner = code.identity_id.ok_or(FlowError::Broken("a recovery code of nobody"))?;
        let mut tx = self.database.write(cx.tenant).await?;
        // Other submissions may have changed the form since the flow was read; only its end is final.
        let stored = storage::flows::lock::<Recovery>(&mut tx, flow.id).await?;
        let Some(mut flow) = stored.filter(|flow| !flow.state.is_final()) else { return Ok(None) };
        let is_own = code.asked_by != AskedBy::Administrator;
        // Before any code is touched: two recoveries of one person void each other's codes below, and must not wait for each
        // other in a circle.
        let person = storage::identities::lock_whole(&mut tx, self.tenant_sealer(cx), owner).await?;
        if !storage::codes::redeem(&mut tx, code.id, cx.now).await? {
            return Ok(None);
        }
        // The person may have given the address up since the code was sent. An administrator's code was sent to none.
        let may_recover =
            |person: &domain::Identity| person.is_active() && (!is_own || person.recovers_by(code.via, &code.address));
        let Some(mut person) = person.filter(may_recover) else { return Ok(None) };

        // A link is opened wherever the mail is read; the login waits in the browser that began it.
        let is_at_home = flow.is_browser() && self.browser(visitor).is_home_of(&flow);
        let oauth2 = flow.details.oauth2.take().filter(|_| is_at_home);
        flow.state = FlowState::PassedChallenge;
        storage::flows::update(&mut tx, &mut flow).await?;
        let cx = &acting_as(cx, person.id);
        if let (true, Some(address)) = (is_own, person.verifiable_address(code.via, &code.address)) {
            let address = address.id;
            if !person.has_verified_address() {
                person = self.forget_unproved(&mut tx, cx, person).await?;
            }
            storage::identities::mark_verified(&mut tx, address, cx.now).await?;
        }
        let by_link = code.purpose.is_link();
        let kind = if by_link { CredentialType::LinkRecovery } else { CredentialType::CodeRecovery };
        let method = AuthenticationMethod::new(kind, Aal::Aal1, cx.now);
        let device = visitor.device(&self.rng);
        let (session, token) =
            Session::issue(&self.rng, person.id, method, device, self.session_policy.lifespan(), cx.now);
        storage::sessions::insert(&mut tx, &session).await?;
        storage::codes::void_recovery(&mut tx, person.id).await?;
        // A familiar device or network may be the attacker's.
        storage::familiar_clients::delete_of_identity(&mut tx, person.id).await?;
        let caller = visitor.caller(cx, None);
        let is_browser = by_link || flow.is_browser();
        let new_device = if session.aal >= person.available_aal {
            self.attempts.remember(&mut tx, cx, &caller, person.id, &FamiliarClients::default(), is_browser).await?
        } else {
            None
        };
        if self.flow_policy.hooks_after(FlowKind::Recovery, CredentialType::Code).revoke_active_sessions {
            self.sessions.end_all(&mut tx, cx, person.id, Some(session.id)).await?;
        }
        let browser = Browser::renewed(&self.rng);
        let settings = if flow.details.skip_settings {
            None
        } else {
            let flow_type = if by_link { FlowType::Browser } else { flow.flow_type };
            let mut settings = self.begin_settings_for(&mut tx, cx, visitor, &browser, flow_type, &person).await?;
            let until = cx.now.plus(self.session_policy.privileged_max_age().unwrap_or(self.session_policy.lifespan()));
            settings.ui.messages.push(messages::recovered(cx.now, until));
            settings.details.oauth2.clone_from(&oauth2);
            settings.return_to = flow
                .wanted_return_to()
                .or_else(|| self.urls.configured_after(FlowKind::Recovery, None).map(String::from));
            storage::flows::update(&mut tx, &mut settings).await?;
            Some(settings)
        };
        let succeeded = Event::of_flow(&flow, FlowOutcome::Succeeded, person.id, None);
        jobs::append(&mut tx, cx, &[succeeded, Event::SessionIssued((&session).into())]).await?;
        tx.commit().await?;
        let next = match oauth2.filter(|_| settings.is_none()) {
            Some(oauth2) => self.go_on_with_login(cx, &oauth2, &session, &person).await?,
            None => None,
        };
        let let_in = LetIn { session, token, settings, browser, new_device, by_link, next };
        Ok(Some(self.recovered_answer(&flow, let_in)?))
    }

    /// Removes the password and the second factors that were set up before anybody proved an address of the account: whoever
    /// set them up may have signed up with another person's address, and would keep its owner out.
    async fn forget_unproved(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        person: domain::Identity,
    ) -> Result<domain::Identity, FlowError> {
        let mut after = person.clone();
        if !self.session_policy.revokes_active_sessions()
            || !after.forget_proofs(self.session_policy.factor_rules(), cx.now)
        {
            return Ok(person);
        }
        after.refresh_available_aal(self.session_policy.factor_rules());
        match storage::identities::update(tx, self.tenant_sealer(cx), &person, &after).await {
            Ok(()) => jobs::append(tx, cx, &[Event::IdentityUpdated((&after).into())]).await?,
            Err(StoreError::Stale) => return Err(FlowError::FlowChanged),
            Err(StoreError::Database(error)) => return Err(error.into()),
            Err(StoreError::Taken(_)) => return Err(FlowError::Broken("a removal claimed an identifier")),
        }
        Ok(after)
    }

    fn recovered_answer(&self, flow: &Flow<Recovery>, let_in: LetIn) -> Result<Answer, FlowError> {
        let LetIn { session, token, settings, browser, new_device, by_link, next } = let_in;
        let is_native = flow.flow_type == FlowType::Api && !by_link;
        let view = self.view(flow, &browser);
        let mut continue_with = Vec::new();
        if is_native {
            continue_with.push(ContinueWith::SetOrySessionToken { ory_session_token: ShownToken(token.clone()) });
        }
        let url = if let Some(settings) = &settings {
            with_flow(&self.urls.page(FlowKind::Settings), settings.id)
        } else if let Some(next) = next {
            next
        } else {
            let home = self.urls.returns().default_url().clone();
            self.urls.returns().resolve(flow.wanted_return_to().as_deref(), &home)?.into()
        };
        let content = match settings {
            _ if by_link => Content::Redirect { url },
            None => Content::Done { body: Some(Body::Flow(Box::new(view.completed(continue_with)))), redirect: url },
            // A native client can do nothing with a redirect: it is always given its token.
            Some(settings) if is_native || self.flow_policy.uses_continue_with_transitions() => {
                let shown = flow.is_browser().then(|| url.clone());
                continue_with.push(ContinueWith::ShowSettingsUi { flow: FlowUi { id: settings.id, url: shown } });
                Content::Done { body: Some(Body::Flow(Box::new(view.completed(continue_with)))), redirect: url }
            }
            Some(_) => Content::Elsewhere { url },
        };
        if is_native {
            return Ok(Answer::new(FlowType::Api, content));
        }
        Ok(Answer::new(FlowType::Browser, content)
            .with(CookieChange::Session { token, expires_at: session.expires_at })
            .with(CookieChange::Csrf(browser.secret))
            .with_device(new_device))
    }
}
