//! Returns the claims about the user of an access token (OpenID Connect Core section 5.3).

use base::{Context, PlainToken};
use jose::SignError;
use serde_json::{Map, Value, json};

use crate::OAuth;
use crate::components::signing_keys::SigningKeyError;
use crate::domain::claims::userinfo_claims;
use crate::domain::client::ClientId;
use crate::domain::signing_key::ID_TOKEN_SET;

/// The response, in the registered format of the client.
#[derive(Debug)]
pub enum Userinfo {
    Claims(Map<String, Value>),
    /// `application/jwt` (OpenID Connect Core section 5.3.2).
    Signed(String),
}

#[derive(Debug, thiserror::Error)]
pub enum UserinfoError {
    #[error("the access token is unknown, expired or revoked")]
    TokenInactive,
    /// Without `openid` the token has no claims about a user.
    #[error("the access token lacks the scope openid")]
    NotOpenId,
    #[error(transparent)]
    Key(#[from] SigningKeyError),
    #[error("the response could not be signed")]
    Sign(#[from] SignError),
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl OAuth {
    /// The client of a token, whether or not it is active.
    pub async fn client_of_access_token(
        &self,
        cx: &Context,
        token: &PlainToken,
    ) -> Result<Option<ClientId>, database::Error> {
        Ok(self.tokens.open(cx, token).await?.map(|token| token.client_id))
    }

    pub async fn userinfo(&self, cx: &Context, token: &PlainToken) -> Result<Userinfo, UserinfoError> {
        let live = self.tokens.find_live(cx, token).await?.ok_or(UserinfoError::TokenInactive)?;
        let (Some((id, _)), true) = (live.token.provenance.grant, live.token.scope.contains("openid")) else {
            return Err(UserinfoError::NotOpenId);
        };
        let grant = self.grants.find(cx, id).await?.ok_or(UserinfoError::TokenInactive)?;
        let client = self.clients.find(cx.tenant, &grant.client_id).await?;
        let client = client.ok_or(UserinfoError::TokenInactive)?;
        let mut claims = userinfo_claims(self.config.issuer(), &grant, &live.token.scope);
        match client.metadata.userinfo_signed_response_alg.as_str() {
            "" | "none" => Ok(Userinfo::Claims(claims)),
            // Whatever the client registered, the server has one signing key: discovery lists its algorithm.
            _ => {
                claims.insert("iat".to_owned(), json!(cx.now.unix_seconds()));
                claims.insert("jti".to_owned(), json!(self.rng.uuid()));
                Ok(Userinfo::Signed(self.keys.signer(cx, ID_TOKEN_SET).await?.sign(&claims)?))
            }
        }
    }
}
