//! Issues an authorization code: writes the grant that it stands for (RFC 6749 section 4.1.2).
//!
//! The grant takes the id that the flow had from its beginning, so a flow leads to one code at most, whatever is replayed.

use std::time::Duration;

use base::{Context, PlainToken, Timestamp};
use database::WriteTx;
use oauth_types::{ErrorCode, GrantType, OAuthError, ScopeSet};
use serde_json::json;

use super::consent_sessions::CONSENT_DETAILS;
use crate::OAuth;
use crate::domain::authorization_code;
use crate::domain::authorization_request::{AuthorizationRequest, Refusal, ResponseTarget};
use crate::domain::client::Client;
use crate::domain::consent::{self, AcceptedConsent, Consent, ConsentDetails, ConsentFlow};
use crate::domain::grant::{CodeState, Grant, GrantSession, IssuedCode as StoredCode};
use crate::domain::lifespan::Lifespans;
use crate::domain::subject_identifier::shown_subject;
use crate::storage::{consents, forced_subjects, grants};

/// How long after its expiry a code is still recognised, so that a replay can be told from nonsense.
const REPLAY_MEMORY: Duration = Duration::from_mins(30);

/// A code on its way to the client.
#[derive(Debug)]
pub struct IssuedCode {
    pub target: ResponseTarget,
    pub code: PlainToken,
    pub scope: ScopeSet,
}

#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl OAuth {
    /// Commits `tx`. `client` was read in it, so what is issued is what this client may have at this moment.
    pub(super) async fn issue_code(
        &self,
        cx: &Context,
        mut tx: WriteTx,
        client: Client,
        consent: &ConsentFlow,
        accepted: AcceptedConsent,
    ) -> Result<IssuedCode, IssueError> {
        let flow = &consent.flow;
        let parameters = flow.parameters();
        let request = AuthorizationRequest::validate(&parameters, &client, self.authorization_rules())?;
        if request.target != flow.target {
            let error = OAuthError::new(ErrorCode::InvalidRequest, "The client was changed meanwhile: start again.");
            return Err(Refusal::to_person(error.code, error.hint).into());
        }
        let forced = forced_subjects::find_if_pairwise(&mut tx, &client, &consent.login.subject).await?;
        let shown = shown_subject(&client, &consent.login.subject, forced.as_deref(), self.pairwise_salt());

        let code = authorization_code::issue(self.sealer(), self.rng(), cx.tenant, flow.id);
        let grant = self.new_grant(cx, &client, &request, consent, &accepted, &code, shown);
        if !grants::insert(&mut tx, self.sealer(), &grant).await? {
            let hint = "This authorization was completed before.";
            return Err(Refusal::to_person(ErrorCode::AccessDenied, hint).into());
        }
        if !consent.skip {
            self.write_consent(cx, &mut tx, consent, &accepted, self.tokens_expire_at(&client, &accepted, cx.now))
                .await?;
        }
        let event = jobs::Event {
            name: "OAuth2ConsentAccepted",
            subject: grant.subject.clone(),
            attributes: json!({"client_id": client.id, "consent_request_id": flow.id, "scope": accepted.scope}),
        };
        jobs::append_event(&mut tx, cx, event).await?;
        tx.commit().await?;
        Ok(IssuedCode { target: request.target, code, scope: accepted.scope })
    }

    #[expect(clippy::too_many_arguments, reason = "one place where everything that a grant remembers comes together")]
    fn new_grant(
        &self,
        cx: &Context,
        client: &Client,
        request: &AuthorizationRequest,
        consent: &ConsentFlow,
        accepted: &AcceptedConsent,
        code: &PlainToken,
        shown_subject: String,
    ) -> Grant {
        let (flow, login) = (&consent.flow, &consent.login);
        let code_expires_at = cx.now.plus(self.config().ttl.auth_code.get());
        let mut expires_at = code_expires_at.plus(REPLAY_MEMORY);
        // Signing out must reach the client as long as the login lives, so its grant is remembered as long.
        let metadata = &client.metadata;
        if !metadata.backchannel_logout_uri.is_empty() || !metadata.frontchannel_logout_uri.is_empty() {
            expires_at = expires_at.max(cx.now.plus(self.config().ttl.authentication_session.get()));
        }
        Grant {
            id: flow.id,
            client_id: client.id.clone(),
            subject: login.subject.clone(),
            login_session_id: Some(flow.session_id),
            requested_scope: request.scope.clone(),
            scope: accepted.scope.clone(),
            audience: accepted.audience.clone(),
            code: Some(StoredCode {
                digest: code.digest(),
                state: CodeState::Issued,
                expires_at: code_expires_at,
                challenge: request.code_challenge.clone(),
                redirect_uri: request.redirect_uri_sent.then(|| request.target.redirect_uri.clone()),
            }),
            nonce: request.nonce.clone(),
            acr: login.acr.clone(),
            amr: login.amr.clone(),
            authenticated_at: Some(login.authenticated_at),
            requested_at: flow.requested_at,
            session: GrantSession {
                shown_subject: (shown_subject != login.subject).then_some(shown_subject),
                access_token: accepted.session.access_token.clone(),
                id_token: accepted.session.id_token.clone(),
            },
            refresh: None,
            revoked_at: None,
            created_at: cx.now,
            expires_at,
        }
    }

    /// When the last token that a consent leads to expires, if none is refreshed.
    fn tokens_expire_at(&self, client: &Client, accepted: &AcceptedConsent, now: Timestamp) -> Timestamp {
        let lifespans = Lifespans::of_authorization_code(&self.config().ttl, &client.metadata.lifespans);
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
        if row.remember {
            consents::supersede(tx, &row.subject, &row.client_id, tokens_expire_at).await?;
        }
        consents::insert(tx, &row, &self.sealer().seal(CONSENT_DETAILS, cx.tenant, &details)).await
    }
}
