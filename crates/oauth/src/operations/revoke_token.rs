//! Revokes a token at the request of its client (RFC 7009). A token of a grant ends the whole grant; a token without one is
//! stored as revoked until it would have expired.

use base::{Context, PlainToken};

use crate::OAuth;
use crate::components::client_authenticator::AuthenticatedClient;
use crate::domain::client::{Client, ClientId};
use crate::domain::event::{Event, RevokedTokens};
use crate::domain::grant::GrantId;
use crate::domain::refresh::RefreshToken;
use crate::domain::sealed_token::REFRESH_TOKEN;
use crate::storage::{clients, revocations, revoked_tokens};

/// The basis of a token to revoke.
enum Target {
    Grant(GrantId),
    Token { jti: uuid::Uuid, expires_at: base::Timestamp },
}

impl OAuth {
    /// A token that is unknown, expired or of another client is not an error (RFC 7009 section 2.2).
    pub async fn revoke_token(
        &self,
        cx: &Context,
        client: &AuthenticatedClient,
        token: &PlainToken,
    ) -> Result<(), database::Error> {
        let client = client.client();
        let Some(target) = self.revocation_target(cx, client, token).await? else { return Ok(()) };
        let mut tx = self.database.write(cx.tenant).await?;
        let tokens = match target {
            Target::Grant(id) => {
                if revocations::revoke(&mut tx, id, cx.now).await?.is_none() {
                    return Ok(());
                }
                RevokedTokens::OfGrant { consent_request_id: id }
            }
            Target::Token { jti, expires_at } => {
                revoked_tokens::insert(&mut tx, jti, expires_at).await?;
                RevokedTokens::One { jti }
            }
        };
        jobs::append(&mut tx, cx, &[Event::AccessTokenRevoked { client_id: &client.id, tokens }]).await?;
        tx.commit().await
    }

    async fn revocation_target(
        &self,
        cx: &Context,
        client: &Client,
        token: &PlainToken,
    ) -> Result<Option<Target>, database::Error> {
        if token.expose().starts_with(REFRESH_TOKEN.prefix) {
            let Some(opened) = RefreshToken::open(&self.sealer, cx.tenant, token) else { return Ok(None) };
            let grant = self.grants.find(cx, opened.grant).await?;
            return Ok(grant.filter(|grant| grant.client_id == client.id).map(|grant| Target::Grant(grant.id)));
        }
        let token = self.tokens.open(cx, token).await?;
        Ok(token.filter(|token| token.client_id == client.id && !token.is_expired(cx.now)).map(|token| {
            match token.provenance.grant {
                Some((id, _)) => Target::Grant(id),
                None => Target::Token { jti: token.provenance.jti, expires_at: token.expires_at },
            }
        }))
    }

    /// Revokes every access token of a client, but not its refresh tokens. Returns whether the client exists.
    pub async fn revoke_access_tokens(&self, cx: &Context, id: &ClientId) -> Result<bool, database::Error> {
        let epoch = i64::from_be_bytes(self.rng.bytes());
        let mut tx = self.database.write(cx.tenant).await?;
        if !clients::set_token_epoch(&mut tx, id, epoch).await? {
            return Ok(false);
        }
        let event = Event::AccessTokenRevoked { client_id: id, tokens: RevokedTokens::ALL_ACCESS_TOKENS };
        jobs::append(&mut tx, cx, &[event]).await?;
        tx.commit().await?;
        Ok(true)
    }
}
