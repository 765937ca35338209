//! Issues tokens: sealed or signed access tokens, and ID tokens. Nothing is stored here; the calling operations write their
//! grants.

use std::time::Duration;

use base::Context;
use jose::SignError;
use oauth_types::TokenType;
use serde_json::{Map, Value, json};

use super::signing_keys::SigningKeyError;
use crate::OAuth;
use crate::domain::access_token::AccessToken;
use crate::domain::claims::IdToken;
use crate::domain::client::{AccessTokenStrategy, Client};
use crate::domain::grant::Grant;
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
pub(super) struct IssuedWith<'a> {
    pub access_token: Option<&'a str>,
    pub code: Option<&'a str>,
}

impl<'a> IssuedWith<'a> {
    pub(super) fn token(access_token: &'a str) -> Self {
        Self { access_token: Some(access_token), code: None }
    }
}

impl OAuth {
    /// An access token in the format of its client. `custom` are the claims of the consent application.
    pub(super) async fn mint_access_token(
        &self,
        cx: &Context,
        client: &Client,
        token: &AccessToken,
        custom: &Map<String, Value>,
    ) -> Result<String, MintError> {
        let configured = self.config().strategies.access_token.0;
        match client.metadata.access_token_strategy.unwrap_or(configured) {
            AccessTokenStrategy::Opaque => Ok(token.seal(self.sealer(), cx.tenant).expose().to_owned()),
            AccessTokenStrategy::Jwt => {
                let jti = token.provenance.seal_as_jti(self.sealer(), cx.tenant);
                let claims = self.access_token_claims().of(token, self.config().issuer(), &jti, custom);
                Ok(self.signing_key(cx, ACCESS_TOKEN_SET).await?.sign(&claims)?)
            }
        }
    }

    pub(super) async fn mint_id_token(
        &self,
        cx: &Context,
        grant: &Grant,
        lifetime: Duration,
        with: IssuedWith<'_>,
    ) -> Result<String, MintError> {
        let key = self.signing_key(cx, ID_TOKEN_SET).await?;
        let token = IdToken {
            issuer: self.config().issuer(),
            jti: &self.rng().uuid().to_string(),
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
