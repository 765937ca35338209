//! Issues tokens: sealed or signed access tokens, and ID tokens. Nothing is stored here; the calling operations write their
//! grants.

use std::time::Duration;

use base::Context;
use jose::SignError;
use oauth_types::TokenType;
use serde_json::{Map, Value, json};

use super::Tokens;
use crate::components::signing_keys::SigningKeyError;
use crate::domain::access_token::{AccessToken, Provenance};
use crate::domain::claims::IdToken;
use crate::domain::client::{AccessTokenStrategy, Client};
use crate::domain::grant::Grant;
use crate::domain::lifespan::Lifespans;
use crate::domain::signing_key::{ACCESS_TOKEN_SET, ID_TOKEN_SET};

#[derive(Debug, thiserror::Error)]
pub enum MintError {
    #[error(transparent)]
    Key(#[from] SigningKeyError),
    #[error("the token could not be signed")]
    Sign(#[from] SignError),
}

/// The tokens of one response.
#[derive(Clone)]
pub struct IssuedTokens {
    pub access_token: String,
    pub expires_in_seconds: i64,
    pub id_token: Option<String>,
    pub refresh_token: Option<String>,
    pub scope: String,
}

/// The code and the access token that are issued with an ID token, which contains their hashes.
#[derive(Clone, Copy, Default)]
pub(crate) struct IssuedWith<'a> {
    pub access_token: Option<&'a str>,
    pub code: Option<&'a str>,
}

impl<'a> IssuedWith<'a> {
    pub(crate) fn token(access_token: &'a str) -> Self {
        Self { access_token: Some(access_token), code: None }
    }
}

impl Tokens {
    /// An access token in the format of its client. `custom` are the claims of the consent application.
    pub(crate) async fn mint_access(
        &self,
        cx: &Context,
        client: &Client,
        token: &AccessToken,
        custom: &Map<String, Value>,
    ) -> Result<String, MintError> {
        let configured = self.settings.strategy;
        match client.metadata.access_token_strategy.unwrap_or(configured) {
            AccessTokenStrategy::Opaque => Ok(token.seal(&self.sealer, cx.tenant).expose().to_owned()),
            AccessTokenStrategy::Jwt => {
                let jti = token.provenance.seal_as_jti(&self.sealer, cx.tenant);
                let claims = self.settings.claims.of(token, &self.settings.issuer, &jti, custom);
                Ok(self.keys.signer(cx, ACCESS_TOKEN_SET).await?.sign(&claims)?)
            }
        }
    }

    pub(crate) async fn mint_id(
        &self,
        cx: &Context,
        grant: &Grant,
        lifetime: Duration,
        with: IssuedWith<'_>,
    ) -> Result<String, MintError> {
        let key = self.keys.signer(cx, ID_TOKEN_SET).await?;
        let token = IdToken {
            issuer: &self.settings.issuer,
            jti: &self.rng.uuid().to_string(),
            algorithm: key.algorithm(),
            issued_at: cx.now,
            expires_at: cx.now.plus(lifetime),
            access_token: with.access_token,
        };
        let mut claims = token.claims(grant);
        if let Some(code) = with.code {
            // OpenID Connect Core section 3.3.2.11: prevents the substitution of the code.
            claims.insert("c_hash".to_owned(), json!(jose::left_half_hash(key.algorithm(), code)));
        }
        Ok(key.sign(&claims)?)
    }

    /// Access token and, with `openid`, ID token of a grant, as they are at `generation`.
    pub(crate) async fn mint_of_grant(
        &self,
        cx: &Context,
        client: &Client,
        grant: &Grant,
        generation: i32,
        lifespans: &Lifespans,
    ) -> Result<IssuedTokens, MintError> {
        let provenance =
            Provenance { jti: self.rng.uuid(), epoch: client.token_epoch, grant: Some((grant.id, generation)) };
        let token = AccessToken::of_grant(grant, provenance, cx.now, lifespans.access_token);
        let access_token = self.mint_access(cx, client, &token, &grant.session.access_token).await?;
        let id_token = if grant.scope.contains("openid") {
            Some(self.mint_id(cx, grant, lifespans.id_token, IssuedWith::token(&access_token)).await?)
        } else {
            None
        };
        Ok(IssuedTokens {
            access_token,
            expires_in_seconds: i64::try_from(lifespans.access_token.as_secs()).unwrap_or(i64::MAX),
            id_token,
            refresh_token: None,
            scope: grant.scope.to_string(),
        })
    }
}

impl From<IssuedTokens> for oauth_types::TokenResponse {
    fn from(tokens: IssuedTokens) -> Self {
        Self {
            access_token: tokens.access_token,
            expires_in: tokens.expires_in_seconds,
            id_token: tokens.id_token,
            refresh_token: tokens.refresh_token,
            scope: tokens.scope,
            token_type: TokenType::Bearer,
        }
    }
}

impl std::fmt::Debug for IssuedTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedTokens").field("scope", &self.scope).finish_non_exhaustive()
    }
}
