//! Rotates a refresh token (RFC 6749 section 6).
//!
//! One compare-and-set on the family's generation decides which request rotates, so that concurrent requests create one
//! successor. Requests that lose the race get the same successor in the grace period, and an error without it.

use base::{Context, PlainToken};
use database::WriteTx;
use oauth_types::{GrantType, ScopeSet};

use super::redeem_code::grant_expiry;
use crate::OAuth;
use crate::components::client_authenticator::AuthenticatedClient;
use crate::components::token_hooks::HookError;
use crate::components::tokens::mint::{IssuedTokens, MintError};
use crate::domain::audience;
use crate::domain::client::Client;
use crate::domain::event::{Event, ExchangeFailure};
use crate::domain::grant::{Grant, GrantId};
use crate::domain::lifespan::Lifespans;
use crate::domain::refresh::{GracePolicy, RefreshRefusal, RefreshToken, Rotation, open_successor, seal_successor};
use crate::storage::grants::{self, NewRefreshToken, Successor};

/// The maximum number of attempts: after each lost race another request has made progress.
const MAX_ATTEMPTS: usize = 4;

/// The client's request.
#[derive(Debug)]
pub struct RefreshRequest {
    pub refresh_token: PlainToken,
    /// A subset of the granted scopes, for the new access token.
    pub scope: Option<ScopeSet>,
}

#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    #[error("the client is not registered for the grant type refresh_token")]
    GrantTypeNotAllowed,
    #[error(transparent)]
    Refused(#[from] RefreshRefusal),
    /// The family was revoked.
    #[error("the refresh token was used before")]
    Reused,
    #[error("the refresh token was rotated by another request at the same time")]
    Outrun,
    #[error("the grant has no scope that allows refresh tokens")]
    OfflineNotGranted,
    #[error("the scope '{0}' was not granted")]
    ScopeNotGranted(String),
    #[error("the client may no longer request the scope '{0}'")]
    ScopeNotAllowed(String),
    #[error("the client may no longer request the audience '{0}'")]
    AudienceNotAllowed(String),
    #[error(transparent)]
    Hook(#[from] HookError),
    #[error(transparent)]
    Mint(#[from] MintError),
    #[error(transparent)]
    Database(#[from] database::Error),
}

/// The result of one attempt.
enum Attempt {
    Done(IssuedTokens),
    /// Another request changed the grant; this is its current state.
    LostRace(Option<Box<Grant>>),
}

impl OAuth {
    pub async fn refresh(
        &self,
        cx: &Context,
        client: &AuthenticatedClient,
        request: RefreshRequest,
    ) -> Result<IssuedTokens, RefreshError> {
        let client = client.client();
        if !client.allows_grant_type(GrantType::RefreshToken.as_str()) {
            return Err(RefreshError::GrantTypeNotAllowed);
        }
        let token = RefreshToken::open(&self.sealer, cx.tenant, &request.refresh_token);
        let token = token.ok_or(RefreshRefusal::Unknown)?;
        let mut grant = self.grants.find(cx, token.grant).await?;
        for _ in 0..MAX_ATTEMPTS {
            match self.try_refresh(cx, client, grant, token, &request).await? {
                Attempt::Done(tokens) => return Ok(tokens),
                // Without a grace period, the winner of this race has the only successor.
                Attempt::LostRace(_) if self.grace().period.is_zero() => return Err(RefreshError::Outrun),
                Attempt::LostRace(present) => grant = present.map(|grant| *grant),
            }
        }
        Err(RefreshError::Outrun)
    }

    async fn try_refresh(
        &self,
        cx: &Context,
        client: &Client,
        grant: Option<Grant>,
        token: RefreshToken,
        request: &RefreshRequest,
    ) -> Result<Attempt, RefreshError> {
        let grant = grant.ok_or(RefreshRefusal::Unknown)?;
        let grace = self.grace();
        match grant.rotate(&client.id, &request.refresh_token, token.generation, grace, cx.now) {
            Rotation::Rotate => {
                let grant = self.narrow(client, grant, request.scope.as_ref())?;
                self.rotate(cx, client, grant, token.generation).await
            }
            Rotation::Repeat => {
                let grant = self.narrow(client, grant, request.scope.as_ref())?;
                self.repeat(cx, client, grant, grace).await
            }
            Rotation::Outrun => Err(RefreshError::Outrun),
            Rotation::Reused => {
                self.grants.end_misused(cx, &grant, ExchangeFailure::RefreshTokenReused).await?;
                Err(RefreshError::Reused)
            }
            Rotation::Refused(reason) => Err(reason.into()),
        }
    }

    /// The grant as the winner of a race left it. It is read in the transaction that lost: another reader may not see the
    /// winner's write until it is durable, which the commit waits for.
    async fn after_lost_race(&self, mut tx: WriteTx, id: GrantId) -> Result<Attempt, RefreshError> {
        let tenant = tx.tenant();
        let present = grants::find(&mut tx, &self.sealer, tenant, id).await?;
        tx.commit().await?;
        Ok(Attempt::LostRace(present.map(Box::new)))
    }

    /// Creates the successor.
    async fn rotate(
        &self,
        cx: &Context,
        client: &Client,
        mut grant: Grant,
        generation: i32,
    ) -> Result<Attempt, RefreshError> {
        grant.session = self.token_hooks.ask_about_grant(cx, client, &grant, GrantType::RefreshToken).await?;
        let lifespans = Lifespans::of_refresh_token(&self.config.ttl, &client.metadata.lifespans);
        let next = RefreshToken { grant: grant.id, generation: generation.saturating_add(1) };
        let refresh_token = next.seal(&self.sealer, &self.rng, cx.tenant);
        let stored =
            NewRefreshToken { digest: refresh_token.digest(), expires_at: lifespans.refresh_token_expiry(cx.now) };
        let expires_at = grant_expiry(cx.now, &grant, &lifespans, Some(&stored));
        let tokens = self.tokens.mint_of_grant(cx, client, &grant, next.generation, &lifespans).await?;
        let may_repeat = !self.grace().period.is_zero();
        let successor = Successor {
            from: generation,
            token: stored,
            sealed: may_repeat.then(|| seal_successor(&self.sealer, cx.tenant, &refresh_token)),
            // The time of the rotation, not of the request's arrival: a request that arrived before it is not an attack.
            rotated_at: self.clock.now(),
        };
        let mut tx = self.database.write(cx.tenant).await?;
        if !grants::mark_rotated(&mut tx, &self.sealer, &grant, &successor, expires_at).await? {
            return self.after_lost_race(tx, grant.id).await;
        }
        jobs::append(&mut tx, cx, &[Event::token_issued(&grant, GrantType::RefreshToken)]).await?;
        tx.commit().await?;
        Ok(Attempt::Done(IssuedTokens { refresh_token: Some(refresh_token.expose().to_owned()), ..tokens }))
    }

    /// Returns the existing successor, with a new access token.
    async fn repeat(
        &self,
        cx: &Context,
        client: &Client,
        grant: Grant,
        grace: GracePolicy,
    ) -> Result<Attempt, RefreshError> {
        let family = grant.refresh.as_ref().ok_or(RefreshRefusal::Unknown)?;
        let sealed = family.successor.as_deref().ok_or(RefreshError::Outrun)?;
        let refresh_token = open_successor(&self.sealer, cx.tenant, sealed).ok_or(RefreshError::Outrun)?;
        if grace.uses > 0 {
            let mut tx = self.database.write(cx.tenant).await?;
            if !grants::count_grace_use(&mut tx, grant.id, family).await? {
                return self.after_lost_race(tx, grant.id).await;
            }
            tx.commit().await?;
        }
        let lifespans = Lifespans::of_refresh_token(&self.config.ttl, &client.metadata.lifespans);
        let tokens = self.tokens.mint_of_grant(cx, client, &grant, family.generation, &lifespans).await?;
        Ok(Attempt::Done(IssuedTokens { refresh_token: Some(refresh_token.expose().to_owned()), ..tokens }))
    }

    /// The grant with the scope of this response (RFC 6749 section 6), limited by the client's current registration.
    fn narrow(&self, client: &Client, mut grant: Grant, requested: Option<&ScopeSet>) -> Result<Grant, RefreshError> {
        if !grant.scope.asks_for_offline_access() {
            return Err(RefreshError::OfflineNotGranted);
        }
        if let Some(requested) = requested {
            if let Some(extra) = requested.iter().find(|scope| !grant.scope.contains(scope)) {
                return Err(RefreshError::ScopeNotGranted(extra.to_owned()));
            }
            grant.scope = requested.clone();
        }
        let registered: ScopeSet = client.scopes().collect();
        if let Some(scope) = registered.first_uncovered(&grant.scope, self.config.strategies.scope) {
            return Err(RefreshError::ScopeNotAllowed(scope.to_owned()));
        }
        if let Some(refused) = audience::first_uncovered(&client.metadata.audience, &grant.audience) {
            return Err(RefreshError::AudienceNotAllowed(refused.to_owned()));
        }
        Ok(grant)
    }

    fn grace(&self) -> GracePolicy {
        GracePolicy {
            period: self.config.rotation_grace(),
            uses: self.config.oauth2.grant.refresh_token.rotation_grace_reuse_count,
        }
    }
}
