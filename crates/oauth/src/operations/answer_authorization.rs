//! Completes an authorization request: writes the grant, and issues the requested code and tokens (RFC 6749 sections 4.1.2
//! and 4.2.2, OpenID Connect Core sections 3.2.2.5 and 3.3.2.5).
//!
//! The grant has the id of the flow, so a flow is completed once, even if requests are replayed.

use std::sync::Arc;
use std::time::Duration;

use base::{Context, PlainToken, Timestamp};
use database::WriteTx;
use oauth_types::{ErrorCode, GrantType, OAuthError, ResponseTypes, ScopeSet};

use super::consent_sessions::CONSENT_DETAILS;
use crate::OAuth;
use crate::components::tokens::mint::{IssuedWith, MintError};
use crate::config::Config;
use crate::domain::access_token::{AccessToken, FRONT_CHANNEL, Provenance};
use crate::domain::authorization_code;
use crate::domain::authorization_request::{AuthorizationRequest, Refusal, ResponseTarget};
use crate::domain::client::Client;
use crate::domain::consent::{self, AcceptedConsent, Consent, ConsentDetails, ConsentFlow};
use crate::domain::event::Event;
use crate::domain::grant::{CodeState, Grant, GrantSession, IssuedCode as StoredCode};
use crate::domain::lifespan::Lifespans;
use crate::domain::login_challenge::AuthorizationFlow;
use crate::domain::person_claims::PersonClaims;
use crate::storage::{consents, grants};

/// How long after its expiry a replay of a code is still detected.
const REPLAY_MEMORY: Duration = Duration::from_mins(30);

/// The code, the tokens, or both, for the client.
#[derive(Debug)]
pub struct IssuedAuthorization {
    pub target: ResponseTarget,
    pub code: Option<PlainToken>,
    pub access_token: Option<FrontChannelToken>,
    pub id_token: Option<PlainToken>,
    pub scope: ScopeSet,
}

/// An access token from the authorization endpoint.
#[derive(Debug)]
pub struct FrontChannelToken {
    pub token: PlainToken,
    pub expires_in_seconds: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Mint(#[from] MintError),
    #[error(transparent)]
    Database(#[from] database::Error),
}

/// What the user agreed to, and which claims about them may be issued.
#[derive(Debug)]
pub(super) struct Agreement<'a> {
    pub consent: &'a ConsentFlow,
    pub accepted: AcceptedConsent,
    pub person: PersonClaims,
}

impl OAuth {
    /// Commits `tx`. The request is validated again, so that only what the client may have now is issued.
    pub(super) async fn answer_authorization(
        &self,
        cx: &Context,
        mut tx: WriteTx,
        client: Arc<Client>,
        agreement: Agreement<'_>,
    ) -> Result<IssuedAuthorization, IssueError> {
        let Agreement { consent, accepted, .. } = &agreement;
        let flow = &consent.flow;
        let request = self.validate_again(&client, flow, accepted)?;
        let shown_subject = self.subjects.shown_to(&mut tx, &client, &consent.login.subject).await?;
        let code =
            request.response_types.code.then(|| authorization_code::issue(&self.sealer, &self.rng, cx.tenant, flow.id));
        let new =
            NewGrant { client: &client, request: &request, agreement: &agreement, code: code.as_ref(), shown_subject };
        let grant = new.build(cx, &self.config);
        let challenge = self.challenges.consent_once(flow);
        let Some(inserted) = grants::insert(&mut tx, &self.sealer, &grant, &challenge).await? else {
            let hint = "This authorization was completed before.";
            return Err(Refusal::to_person(ErrorCode::AccessDenied, hint).into());
        };
        // A user who logged out between login and consent gets no grant.
        if inserted.login_expires_at.is_none_or(|expires_at| expires_at <= cx.now) {
            return Err(Refusal::to_client(&request.target, ErrorCode::LoginRequired.into()).into());
        }
        if !consent.skip {
            self.write_consent(cx, &mut tx, consent, accepted, self.tokens_expire_at(&client, accepted, cx.now))
                .await?;
        }
        let event = Event::ConsentAccepted {
            subject: &grant.subject,
            client_id: &client.id,
            consent_request_id: flow.id,
            scope: &accepted.scope,
        };
        jobs::append(&mut tx, cx, &[event]).await?;
        tx.commit().await?;
        let mut issued = IssuedAuthorization {
            target: request.target,
            code,
            access_token: None,
            id_token: None,
            scope: agreement.accepted.scope,
        };
        if request.response_types.token || request.response_types.id_token {
            self.add_tokens(cx, &client, &grant, request.response_types, &mut issued).await?;
        }
        Ok(issued)
    }

    /// The request, if the client may have all of it now.
    fn validate_again(
        &self,
        client: &Client,
        flow: &AuthorizationFlow,
        accepted: &AcceptedConsent,
    ) -> Result<AuthorizationRequest, Refusal> {
        let request = AuthorizationRequest::validate(&flow.parameters(), client, self.config.authorization_rules())?;
        if request.target != flow.target {
            let error = OAuthError::new(ErrorCode::InvalidRequest, "The client was changed meanwhile: start again.");
            return Err(Refusal::to_person(error.code, error.hint));
        }
        if request.response_types.id_token && !accepted.scope.contains("openid") {
            let error = OAuthError::new(ErrorCode::InvalidScope, "An ID token needs the scope openid to be granted.");
            return Err(Refusal::to_client(&request.target, error));
        }
        Ok(request)
    }

    /// Makes the tokens that come by the browser, after their grant was written.
    async fn add_tokens(
        &self,
        cx: &Context,
        client: &Client,
        grant: &Grant,
        types: ResponseTypes,
        issued: &mut IssuedAuthorization,
    ) -> Result<(), IssueError> {
        let lifespans = Lifespans::of_implicit(&self.config.ttl, &client.metadata.lifespans);
        if types.token {
            let provenance =
                Provenance { jti: self.rng.uuid(), epoch: client.token_epoch, grant: Some((grant.id, FRONT_CHANNEL)) };
            let token = AccessToken::of_grant(grant, provenance, cx.now, lifespans.access_token);
            let token = self.tokens.mint_access(cx, client, &token, &grant.session.access_token).await?;
            let expires_in_seconds = lifespans.access_token.as_secs();
            issued.access_token = Some(FrontChannelToken { token: PlainToken::received(token), expires_in_seconds });
        }
        if types.id_token {
            let with = IssuedWith {
                access_token: issued.access_token.as_ref().map(|token| token.token.expose()),
                code: issued.code.as_ref().map(PlainToken::expose),
            };
            let token = self.tokens.mint_id(cx, grant, lifespans.id_token, with).await?;
            issued.id_token = Some(PlainToken::received(token));
        }
        Ok(())
    }

    /// When the last token that a consent leads to expires, if none is refreshed.
    fn tokens_expire_at(&self, client: &Client, accepted: &AcceptedConsent, now: Timestamp) -> Timestamp {
        let lifespans = Lifespans::of_authorization_code(&self.config.ttl, &client.metadata.lifespans);
        let refreshes =
            accepted.scope.asks_for_offline_access() && client.allows_grant_type(GrantType::RefreshToken.as_str());
        let refresh = if refreshes { lifespans.refresh_token_expiry(now) } else { now };
        refresh.max(now.plus(lifespans.access_token)).max(now.plus(lifespans.id_token))
    }

    async fn write_consent(
        &self,
        cx: &Context,
        tx: &mut WriteTx,
        consent: &ConsentFlow,
        accepted: &AcceptedConsent,
        tokens_expire_at: Timestamp,
    ) -> Result<(), database::Error> {
        let flow = &consent.flow;
        let details = ConsentDetails {
            flow: flow.clone(),
            login: consent.login.clone(),
            session: accepted.session.clone(),
            context: accepted.context.clone(),
        };
        let details = serde_json::to_vec(&details)
            .map_err(|error| database::Error::inconsistent("oauth_consents", error.to_string()))?;
        let row = Consent {
            id: flow.id,
            subject: consent.login.subject.clone(),
            client_id: flow.client_id.clone(),
            login_session_id: Some(flow.session_id),
            scope: accepted.scope.clone(),
            audience: accepted.audience.clone(),
            remember: accepted.remember,
            remember_for: accepted.remember_for,
            handled_at: accepted.handled_at,
            expires_at: consent::expires_at(accepted, flow.requested_at, tokens_expire_at),
        };
        let details = self.sealer.seal(CONSENT_DETAILS, cx.tenant, &details);
        if consents::insert(tx, &row, &details).await? && row.remember {
            consents::supersede(tx, &row, tokens_expire_at).await?;
        }
        Ok(())
    }
}

/// What a grant is made of.
struct NewGrant<'a> {
    client: &'a Client,
    request: &'a AuthorizationRequest,
    agreement: &'a Agreement<'a>,
    code: Option<&'a PlainToken>,
    /// The `sub` that the client is shown.
    shown_subject: String,
}

impl NewGrant<'_> {
    fn build(self, cx: &Context, config: &Config) -> Grant {
        let expires_at = self.expires_at(cx, config);
        let Self { client, request, agreement, code, shown_subject } = self;
        let Agreement { consent, accepted, person } = agreement;
        let (flow, login) = (&consent.flow, &consent.login);
        Grant {
            id: flow.id,
            client_id: client.id.clone(),
            subject: login.subject.clone(),
            login_session_id: Some(flow.session_id),
            requested_scope: request.scope.clone(),
            scope: accepted.scope.clone(),
            audience: accepted.audience.clone(),
            code: code.map(|code| StoredCode {
                digest: code.digest(),
                state: CodeState::Issued,
                expires_at: cx.now.plus(config.ttl.auth_code.get()),
                challenge: request.code_challenge.clone(),
                redirect_uri: request.redirect_uri_sent.then(|| request.target.redirect_uri.clone()),
            }),
            nonce: request.nonce.clone(),
            // OpenID Connect Core section 2: "0" says that what was asked for was not reached.
            acr: login.acr.clone().or_else(|| (!request.acr_values.is_empty()).then(|| "0".to_owned())),
            amr: login.amr.clone(),
            authenticated_at: Some(login.authenticated_at),
            requested_at: flow.requested_at,
            session: GrantSession {
                shown_subject: (shown_subject != login.subject).then_some(shown_subject),
                access_token: accepted.session.access_token.clone(),
                id_token: accepted.session.id_token.clone(),
                person: person.clone(),
            },
            refresh: None,
            revoked_at: None,
            created_at: cx.now,
            expires_at,
        }
    }

    fn expires_at(&self, cx: &Context, config: &Config) -> Timestamp {
        let code_expires_at = cx.now.plus(config.ttl.auth_code.get());
        // The row also shows that the consent challenge was redeemed.
        let challenge_expires_at = self.agreement.consent.flow.expires_at(config.challenge_lifetime());
        let mut expires_at = code_expires_at.plus(REPLAY_MEMORY).max(challenge_expires_at);
        let metadata = &self.client.metadata;
        if self.request.response_types.token {
            let lifespans = Lifespans::of_implicit(&config.ttl, &metadata.lifespans);
            expires_at = expires_at.max(cx.now.plus(lifespans.access_token));
        }
        // Signing out must reach the client as long as the login lives, so its grant is remembered as long.
        if !metadata.backchannel_logout_uri.is_empty() || !metadata.frontchannel_logout_uri.is_empty() {
            expires_at = expires_at.max(cx.now.plus(config.ttl.authentication_session.get()));
        }
        expires_at
    }
}
