//! Starts an authorization: validates the request and reads the remembered login of the browser (RFC 6749 section 4.1.1,
//! OpenID Connect Core section 3.1.2.2). Nothing is written.

use base::{Context, Secret};
use oauth_types::{ErrorCode, OAuthError, Parameters, Prompt};
use serde_json::{Map, Value};

use crate::OAuth;
use crate::domain::authorization_request::{AuthorizationRequest, Refusal};
use crate::domain::client::{Client, ClientId};
use crate::domain::grant::GrantId;
use crate::domain::login_challenge::{AuthorizationFlow, RememberedLogin};
use crate::domain::login_session::{LoginSession, LoginSessionId};
use crate::storage::login_sessions;

/// The opened cookies of the browser.
#[derive(Clone, Default)]
pub struct Browser {
    pub login_csrf: Option<String>,
    pub consent_csrf: Option<String>,
    pub session: Option<LoginSessionId>,
    /// All cookies as received: the identity service selects its own.
    pub cookies: Option<Secret<String>>,
}

/// The redirect to the login application.
#[derive(Debug)]
pub struct StartedAuthorization {
    pub client_id: ClientId,
    pub challenge: String,
    /// The value of the browser's login cookie.
    pub login_csrf: String,
    /// The registration page is requested.
    pub registration: bool,
    pub identity_schema: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum AuthorizeError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl OAuth {
    pub async fn start_authorization(
        &self,
        cx: &Context,
        parameters: &Parameters,
        browser: &Browser,
    ) -> Result<StartedAuthorization, AuthorizeError> {
        let mut tx = self.database.read(cx.tenant);
        let client = match parameters.get("client_id").and_then(|id| ClientId::parse(id).ok()) {
            Some(id) => self.clients.find(cx.tenant, &id).await?,
            None => None,
        };
        let client = client.ok_or_else(|| Refusal::to_person(ErrorCode::InvalidClient, "There is no such client."))?;
        let request = AuthorizationRequest::validate(parameters, &client, self.config.authorization_rules())?;
        let hint_claims = self.verified_hint(cx, &request).await?;

        let session = match browser.session {
            Some(id) => login_sessions::find(&mut tx, id).await?,
            None => None,
        };
        let session = session.filter(|session| session.satisfies(&request, cx.now));
        if let (Some(claims), Some(session)) = (&hint_claims, &session) {
            self.check_hint(&mut tx, &client, claims, session, &request).await?;
        }
        if request.is_silent() {
            check_silence(&request, &client, session.as_ref())?;
        }

        let flow = AuthorizationFlow {
            id: GrantId::generate(&self.rng),
            client_id: client.id.clone(),
            query: parameters.to_query(),
            requested_at: cx.now,
            // Another tab with the same client shares the cookie, so it must share the value.
            csrf: browser.login_csrf.clone().unwrap_or_else(|| self.rng.base64url::<16>()),
            session_id: session.as_ref().map_or_else(|| LoginSessionId::generate(&self.rng), |session| session.id),
            remembered: session.map(RememberedLogin::from),
            hint_claims,
            may_skip_consent: request.may_skip_consent(&client),
            target: request.target,
        };
        self.challenges.note_unused(cx, &self.challenges.login_once(&flow));
        Ok(StartedAuthorization {
            challenge: self.challenges.seal(cx, &flow),
            client_id: flow.client_id,
            login_csrf: flow.csrf,
            registration: request.prompt.contains(Prompt::Create),
            identity_schema: request.identity_schema,
        })
    }

    /// OpenID Connect Core section 3.1.2.1: an ID token of this server, which may have expired.
    async fn verified_hint(
        &self,
        cx: &Context,
        request: &AuthorizationRequest,
    ) -> Result<Option<Map<String, Value>>, AuthorizeError> {
        let Some(hint) = &request.id_token_hint else { return Ok(None) };
        match self.keys.verify_id_token_hint(cx, hint).await {
            Ok(claims) => Ok(Some(claims)),
            Err(error) => {
                let error = OAuthError::new(ErrorCode::InvalidRequest, format!("id_token_hint: {error}."));
                Err(Refusal::to_client(&request.target, error).into())
            }
        }
    }

    /// The remembered user must be the one of the hint.
    async fn check_hint(
        &self,
        tx: &mut impl database::Read,
        client: &Client,
        claims: &Map<String, Value>,
        session: &LoginSession,
        request: &AuthorizationRequest,
    ) -> Result<(), AuthorizeError> {
        if self.subjects.hint_names(tx, client, claims, &session.subject).await? {
            return Ok(());
        }
        let error = OAuthError::new(
            ErrorCode::LoginRequired,
            "The signed-in user is not the one that the id_token_hint identifies.",
        );
        Err(Refusal::to_client(&request.target, error).into())
    }
}

/// `prompt=none` forbids any interaction, so required interaction is an error (OpenID Connect Core section 3.1.2.6).
/// Whether consent is required is known only after the login.
fn check_silence(
    request: &AuthorizationRequest,
    client: &Client,
    session: Option<&LoginSession>,
) -> Result<(), AuthorizeError> {
    let code = match session {
        None => ErrorCode::LoginRequired,
        Some(_) if !request.may_skip_consent(client) => ErrorCode::ConsentRequired,
        Some(_) => return Ok(()),
    };
    Err(Refusal::to_client(&request.target, code.into()).into())
}
