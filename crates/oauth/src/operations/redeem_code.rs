//! Redeems an authorization code for tokens (RFC 6749 section 4.1.3).
//!
//! The grant is read and checked, the tokens are created, then one conditional update redeems the code: of two concurrent
//! requests one finds the code already redeemed, which is a replay and ends the family.

use base::{Context, Timestamp};
use oauth_types::GrantType;

use crate::OAuth;
use crate::components::client_authenticator::AuthenticatedClient;
use crate::components::token_hooks::HookError;
use crate::components::tokens::mint::{IssuedTokens, MintError};
use crate::domain::authorization_code;
use crate::domain::client::Client;
use crate::domain::event::{Event, ExchangeFailure};
use crate::domain::grant::Grant;
use crate::domain::lifespan::Lifespans;
use crate::domain::redemption::{CodeRefusal, PkcePolicy, RedeemCode, Redemption};
use crate::domain::refresh::RefreshToken;
use crate::storage::grants::{self, NewRefreshToken};

#[derive(Debug, thiserror::Error)]
pub enum RedeemCodeError {
    #[error("the client is not registered for the grant type authorization_code")]
    GrantTypeNotAllowed,
    #[error(transparent)]
    Refused(#[from] CodeRefusal),
    /// The family was revoked.
    #[error("the authorization code was redeemed before")]
    Replayed,
    #[error(transparent)]
    Hook(#[from] HookError),
    #[error(transparent)]
    Mint(#[from] MintError),
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl OAuth {
    pub async fn redeem_code(
        &self,
        cx: &Context,
        client: &AuthenticatedClient,
        request: RedeemCode,
    ) -> Result<IssuedTokens, RedeemCodeError> {
        let client = client.client();
        if !client.allows_grant_type(GrantType::AuthorizationCode.as_str()) {
            return Err(RedeemCodeError::GrantTypeNotAllowed);
        }
        let id = authorization_code::open(&self.sealer, cx.tenant, &request.code).ok_or(CodeRefusal::Unknown)?;
        let grant = self.grants.find(cx, id).await?.ok_or(CodeRefusal::Unknown)?;
        let pkce = &self.config.oauth2.pkce;
        let pkce =
            PkcePolicy { enforced: pkce.enforced, enforced_for_public_clients: pkce.enforced_for_public_clients };
        match grant.redeem(client, &request, pkce, cx.now) {
            Redemption::Granted => self.issue_for_code(cx, client, grant, &request).await,
            Redemption::Replayed => self.revoke_replayed(cx, &grant).await,
            Redemption::Invalidated(reason) => {
                let mut tx = self.database.write(cx.tenant).await?;
                grants::mark_invalidated(&mut tx, grant.id, request.code.digest()).await?;
                let event = Event::exchange_failed(&grant, ExchangeFailure::CodeInvalidated);
                jobs::append(&mut tx, cx, &[event]).await?;
                tx.commit().await?;
                Err(reason.into())
            }
            Redemption::Refused(reason) => Err(reason.into()),
        }
    }

    async fn issue_for_code(
        &self,
        cx: &Context,
        client: &Client,
        mut grant: Grant,
        request: &RedeemCode,
    ) -> Result<IssuedTokens, RedeemCodeError> {
        grant.session = self.token_hooks.ask_about_grant(cx, client, &grant, GrantType::AuthorizationCode).await?;
        let lifespans = Lifespans::of_authorization_code(&self.config.ttl, &client.metadata.lifespans);
        let refresh_token = may_refresh(client, &grant)
            .then(|| RefreshToken { grant: grant.id, generation: 1 }.seal(&self.sealer, &self.rng, cx.tenant));
        let stored = refresh_token.as_ref().map(|token| NewRefreshToken {
            digest: token.digest(),
            expires_at: lifespans.refresh_token_expiry(cx.now),
        });
        let tokens = self.tokens.mint_of_grant(cx, client, &grant, i32::from(stored.is_some()), &lifespans).await?;
        let tokens = IssuedTokens { refresh_token: refresh_token.map(|it| it.expose().to_owned()), ..tokens };

        let expires_at = grant_expiry(cx.now, &grant, &lifespans, stored.as_ref());
        let mut tx = self.database.write(cx.tenant).await?;
        if !grants::mark_redeemed(&mut tx, &self.sealer, &grant, request.code.digest(), stored, expires_at).await? {
            drop(tx);
            return self.revoke_replayed(cx, &grant).await;
        }
        jobs::append(&mut tx, cx, &[Event::token_issued(&grant, GrantType::AuthorizationCode)]).await?;
        tx.commit().await?;
        Ok(tokens)
    }

    /// RFC 6749 section 4.1.2: a second use of a code revokes its tokens and fails.
    async fn revoke_replayed(&self, cx: &Context, grant: &Grant) -> Result<IssuedTokens, RedeemCodeError> {
        self.grants.end_misused(cx, grant, ExchangeFailure::CodeReplayed).await?;
        Err(RedeemCodeError::Replayed)
    }
}

/// When the last token of a grant has expired; never earlier than the current expiry of the row.
pub(super) fn grant_expiry(
    now: Timestamp,
    grant: &Grant,
    lifespans: &Lifespans,
    refresh_token: Option<&NewRefreshToken>,
) -> Timestamp {
    let access_token = now.plus(lifespans.access_token);
    let refresh_token = refresh_token.map_or(access_token, |token| token.expires_at);
    grant.expires_at.max(access_token).max(refresh_token)
}

fn may_refresh(client: &Client, grant: &Grant) -> bool {
    grant.scope.asks_for_offline_access() && client.allows_grant_type(GrantType::RefreshToken.as_str())
}
