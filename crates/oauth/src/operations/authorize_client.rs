//! Issues a token to a client that acts for itself (RFC 6749 section 4.4). Nothing is stored: the token contains all data.

use base::Context;
use oauth_types::{GrantType, ScopeSet};

use crate::OAuth;
use crate::components::client_authenticator::AuthenticatedClient;
use crate::components::token_hooks::HookError;
use crate::components::tokens::mint::{IssuedTokens, MintError};
use crate::domain::access_token::{AccessToken, Provenance};
use crate::domain::audience;
use crate::domain::client::Client;
use crate::domain::lifespan::Lifespans;

/// The client's request.
#[derive(Debug, Default)]
pub struct AuthorizeClientRequest {
    pub scope: ScopeSet,
    pub audience: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum AuthorizeClientError {
    #[error("a public client cannot act for itself")]
    PublicClient,
    #[error("the client is not registered for the grant type client_credentials")]
    GrantTypeNotAllowed,
    #[error("the client may not request the scope '{0}'")]
    ScopeNotAllowed(String),
    #[error("the client may not request the audience '{0}'")]
    AudienceNotAllowed(String),
    #[error(transparent)]
    Hook(#[from] HookError),
    #[error(transparent)]
    Mint(#[from] MintError),
}

impl OAuth {
    pub async fn authorize_client(
        &self,
        cx: &Context,
        client: &AuthenticatedClient,
        request: AuthorizeClientRequest,
    ) -> Result<IssuedTokens, AuthorizeClientError> {
        let client = client.client();
        let requested_scope = request.scope;
        let scope = self.scope_of_client(client, requested_scope.clone())?;
        if let Some(refused) = audience::first_uncovered(&client.metadata.audience, &request.audience) {
            return Err(AuthorizeClientError::AudienceNotAllowed(refused.to_owned()));
        }
        let lifespans = Lifespans::of_client_credentials(&self.config.ttl, &client.metadata.lifespans);
        let session =
            self.token_hooks.ask_about_client(cx, client, &requested_scope, &scope, &request.audience).await?;
        let token = AccessToken {
            provenance: Provenance { jti: self.rng.uuid(), epoch: client.token_epoch, grant: None },
            client_id: client.id.clone(),
            subject: client.id.as_str().to_owned(),
            scope,
            audience: request.audience,
            ext: session.access_token,
            issued_at: cx.now,
            expires_at: cx.now.plus(lifespans.access_token),
        };
        Ok(IssuedTokens {
            access_token: self.tokens.mint_access(cx, client, &token, &token.ext).await?,
            expires_in_seconds: i64::try_from(lifespans.access_token.as_secs()).unwrap_or(i64::MAX),
            id_token: None,
            refresh_token: None,
            scope: token.scope.to_string(),
        })
    }

    fn scope_of_client(&self, client: &Client, requested: ScopeSet) -> Result<ScopeSet, AuthorizeClientError> {
        if client.is_public() {
            return Err(AuthorizeClientError::PublicClient);
        }
        if !client.allows_grant_type(GrantType::ClientCredentials.as_str()) {
            return Err(AuthorizeClientError::GrantTypeNotAllowed);
        }
        let registered: ScopeSet = client.scopes().collect();
        if requested.is_empty() && self.config.oauth2.client_credentials.default_grant_allowed_scope {
            return Ok(registered);
        }
        match registered.first_uncovered(&requested, self.config.strategies.scope) {
            Some(scope) => Err(AuthorizeClientError::ScopeNotAllowed(scope.to_owned())),
            None => Ok(requested),
        }
    }
}
