//! The browser returns from the login application: writes the login session and decides whether consent is required.

use std::time::Duration;

use base::{Context, Timestamp};
use database::WriteTx;
use oauth_types::{ErrorCode, OAuthError, Prompt};

use super::answer_authorization::{Agreement, IssueError, IssuedAuthorization};
use super::redeem_rejection::{Rejected, RejectedStep};
use super::start_authorization::Browser;
use crate::OAuth;
use crate::domain::authorization_request::{AuthorizationRequest, Refusal};
use crate::domain::client::Client;
use crate::domain::consent::{AcceptedConsent, ConsentFlow, ConsentSession};
use crate::domain::event::Event;
use crate::domain::login_challenge::{AcceptedLogin, AuthorizationFlow, Decision, LoginVerifier};
use crate::domain::login_session::{LoginSession, LoginSessionId, MAX_LIFETIME};
use crate::domain::person_claims::PersonClaims;
use crate::storage::{challenges, consents, forced_subjects, login_sessions};

/// The next step after a login.
#[derive(Debug)]
pub struct RedeemedLogin {
    pub session_cookie: SessionCookie,
    pub next: AfterLogin,
}

#[derive(Debug)]
pub enum AfterLogin {
    /// The consent application decides.
    Consent { flow: Box<ConsentFlow>, challenge: String },
    /// Consent was given before, and no application needs to be called.
    Issued(IssuedAuthorization),
}

/// How to change the browser's session cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionCookie {
    Keep,
    Set { session: LoginSessionId, max_age: Duration },
    Clear,
}

/// A login with a new or existing session.
struct SignedIn {
    session_cookie: SessionCookie,
    /// `false` when there is certainly no remembered consent.
    may_have_consented: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum RedeemError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Issue(#[from] IssueError),
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl OAuth {
    pub async fn redeem_login(
        &self,
        cx: &Context,
        verifier: &str,
        browser: &Browser,
    ) -> Result<RedeemedLogin, RedeemError> {
        let LoginVerifier { flow, decision } = self
            .challenges
            .open_verifier::<LoginVerifier>(cx, verifier)
            .map_err(|_| Refusal::to_person(ErrorCode::AccessDenied, "The login verifier is not valid."))?;
        self.challenges.check_return(cx, &flow, browser.login_csrf.as_deref(), &flow.csrf)?;
        match decision {
            Decision::Accepted(login) => self.redeem_accepted_login(cx, flow, login, browser).await,
            Decision::Rejected(rejection) => {
                let rejected = Rejected {
                    step: RejectedStep::Login,
                    subject: flow.remembered.as_ref().map_or("", |login| &login.subject),
                    flow: &flow,
                    challenge: self.challenges.login_once(&flow),
                };
                Err(self.redeem_rejection(cx, rejected, &rejection).await?.into())
            }
        }
    }

    async fn redeem_accepted_login(
        &self,
        cx: &Context,
        flow: AuthorizationFlow,
        login: AcceptedLogin,
        browser: &Browser,
    ) -> Result<RedeemedLogin, RedeemError> {
        let request = flow.request().map_err(|error| Refusal::to_client(&flow.target, error))?;
        let client = self.clients.find(cx.tenant, &flow.client_id).await?.ok_or_else(unknown_client)?;
        // If consent is skipped, all requested scopes are granted below.
        let may_skip = client.metadata.skip_consent || flow.may_skip_consent;
        let person = if may_skip {
            self.claims_of_person(cx, &login, &request.scope, browser).await?
        } else {
            PersonClaims::default()
        };
        let mut tx = self.database.write(cx.tenant).await?;
        if let Some(forced) = &login.force_subject_identifier {
            forced_subjects::upsert(&mut tx, &client.id, &login.subject, forced, cx.now).await?;
        }
        self.check_hinted_subject(&mut tx, &client, &flow, &login).await?;
        let signed_in = self.write_session(cx, &mut tx, &flow, &login, browser).await?;
        let session_cookie = signed_in.session_cookie;
        // Two tabs that wait for consent share the cookie, so they share the value.
        let csrf = browser.consent_csrf.clone().unwrap_or_else(|| self.rng.base64url::<16>());
        let mut consent = ConsentFlow { flow, login, csrf, skip: false };
        consent.skip = if client.metadata.skip_consent {
            // The operator trusts this client; consent is required only if the client requests it.
            !request.prompt.contains(Prompt::Consent)
        } else {
            consent.flow.may_skip_consent
                && signed_in.may_have_consented
                && self.remembered_consent_covers(cx, &mut tx, &consent, &request).await?
        };
        if request.is_silent() && !consent.skip {
            return Err(Refusal::to_client(&consent.flow.target, ErrorCode::ConsentRequired.into()).into());
        }
        let event = Event::LoginAccepted {
            subject: &consent.login.subject,
            client_id: &client.id,
            login_session_id: consent.flow.session_id,
        };
        jobs::append(&mut tx, cx, &[event]).await?;

        if consent.skip && self.config.urls.consent.is_none() {
            // The user agreed to everything before, and no application adds claims.
            let accepted = Self::built_in_consent(&request, &consent, false, cx.now);
            let agreement = Agreement { consent: &consent, accepted, person };
            let issued = self.answer_authorization(cx, tx, client, agreement).await?;
            return Ok(RedeemedLogin { session_cookie, next: AfterLogin::Issued(issued) });
        }
        tx.commit().await?;
        let one_time = self.challenges.consent_once(&consent.flow);
        self.challenges.note_unused(cx, &one_time);
        let challenge = self.challenges.seal(cx, &consent);
        Ok(RedeemedLogin { session_cookie, next: AfterLogin::Consent { flow: Box::new(consent), challenge } })
    }

    async fn check_hinted_subject(
        &self,
        tx: &mut WriteTx,
        client: &Client,
        flow: &AuthorizationFlow,
        login: &AcceptedLogin,
    ) -> Result<(), RedeemError> {
        let Some(claims) = &flow.hint_claims else { return Ok(()) };
        if self.subjects.hint_names(tx, client, claims, &login.subject).await? {
            return Ok(());
        }
        let error = OAuthError::new(
            ErrorCode::LoginRequired,
            "The signed-in user is not the one that the id_token_hint identifies.",
        );
        Err(Refusal::to_client(&flow.target, error).into())
    }

    async fn write_session(
        &self,
        cx: &Context,
        tx: &mut WriteTx,
        flow: &AuthorizationFlow,
        login: &AcceptedLogin,
        browser: &Browser,
    ) -> Result<SignedIn, RedeemError> {
        let lifetime = self.config.ttl.authentication_session.get().min(MAX_LIFETIME);
        let max_age = remembered_for(lifetime, login.remember_for);
        let session = LoginSession {
            id: flow.session_id,
            subject: login.subject.clone(),
            remember: login.remember,
            acr: login.acr.clone(),
            amr: login.amr.clone(),
            authenticated_at: login.authenticated_at,
            remembered_until: cx.now.plus(max_age),
            expires_at: cx.now.plus(lifetime),
            identity_provider_session_id: login.identity_provider_session_id.clone(),
            accepted_at: login.accepted_at,
        };
        let challenge = self.challenges.login_once(flow);
        if flow.skip() {
            let session_cookie = self.use_session_again(cx, tx, flow, login, session).await?;
            if !challenges::mark(tx, &challenge).await? {
                return Err(used_before().into());
            }
            return Ok(SignedIn { session_cookie, may_have_consented: true });
        }
        let inserted = login_sessions::insert(tx, &session, &challenge, &flow.client_id, cx.now).await?;
        let inserted = inserted.ok_or_else(used_before)?;
        // An account that was disabled, deleted or logged out in the meantime gets no session.
        if inserted.ended_at_provider {
            return Err(Refusal::to_client(&flow.target, ErrorCode::LoginRequired.into()).into());
        }
        let session_cookie = if login.remember {
            SessionCookie::Set { session: session.id, max_age }
        } else {
            // A login without `remember` also removes the remembered login.
            if let Some(former) = browser.session {
                login_sessions::end(tx, former, cx.now).await?;
            }
            SessionCookie::Clear
        };
        Ok(SignedIn { session_cookie, may_have_consented: inserted.has_remembered_consent })
    }

    async fn use_session_again(
        &self,
        cx: &Context,
        tx: &mut WriteTx,
        flow: &AuthorizationFlow,
        login: &AcceptedLogin,
        session: LoginSession,
    ) -> Result<SessionCookie, RedeemError> {
        let ended = || Refusal::to_client(&flow.target, ErrorCode::LoginRequired.into());
        let stored = login_sessions::find(tx, session.id).await?.ok_or_else(ended)?;
        if stored.subject != session.subject || stored.remembered_until <= cx.now {
            return Err(ended().into());
        }
        if !login.extend_session_lifespan {
            return Ok(SessionCookie::Keep);
        }
        let provider_session = session.identity_provider_session_id.or(stored.identity_provider_session_id);
        let extended = LoginSession { identity_provider_session_id: provider_session, ..session };
        if !login_sessions::touch(tx, &extended, cx.now).await? {
            return Err(ended().into());
        }
        let max_age = extended.remembered_until.since(cx.now);
        Ok(SessionCookie::Set { session: extended.id, max_age })
    }

    async fn remembered_consent_covers(
        &self,
        cx: &Context,
        tx: &mut WriteTx,
        consent: &ConsentFlow,
        request: &AuthorizationRequest,
    ) -> Result<bool, RedeemError> {
        let (subject, client) = (&consent.login.subject, &consent.flow.client_id);
        let known = consents::find_remembered(tx, subject, client, cx.now).await?;
        Ok(known.is_some_and(|known| known.covers(request, self.config.strategies.scope, cx.now)))
    }

    /// The acceptance of the built-in consent page: everything that was requested, and no claims.
    pub(super) fn built_in_consent(
        request: &AuthorizationRequest,
        consent: &ConsentFlow,
        remember: bool,
        now: Timestamp,
    ) -> AcceptedConsent {
        AcceptedConsent {
            scope: request.scope.clone(),
            audience: request.audience.clone(),
            remember,
            remember_for: 0,
            session: ConsentSession::default(),
            context: consent.login.context.clone(),
            handled_at: now,
        }
    }
}

/// `remember_for` limits how long a login is remembered, on the server and in the browser.
fn remembered_for(lifetime: Duration, remember_for: u64) -> Duration {
    if remember_for == 0 { lifetime } else { lifetime.min(Duration::from_secs(remember_for)) }
}

fn used_before() -> Refusal {
    Refusal::to_person(ErrorCode::AccessDenied, "The login verifier was used before.")
}

pub(super) fn unknown_client() -> Refusal {
    Refusal::to_person(ErrorCode::InvalidClient, "The client no longer exists.")
}
