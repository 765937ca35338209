//! Introspects a token (RFC 7662). Opening the token gives its claims; one read determines whether it is active.

use std::sync::Arc;

use base::{Context, PlainToken};
use database::{Cacheable, memory_of_json};
use jose::ClaimsCheck;
use oauth_types::{ActiveToken, Introspection, ScopeSet, TokenUse};
use serde_json::{Map, Value};

use super::signing_keys::OwnTokenError;
use crate::OAuth;
use crate::domain::access_token::{AccessToken, FRONT_CHANNEL, Provenance};
use crate::domain::client::ClientId;
use crate::domain::refresh::RefreshToken;
use crate::domain::sealed_token::{ACCESS_TOKEN, REFRESH_TOKEN};
use crate::domain::signing_key::ACCESS_TOKEN_SET;
use crate::storage::{grants, revoked_tokens, versions};

/// The approximate size of a cached access token.
pub(crate) const LIVE_TOKEN_BYTES: usize = 2 << 10;

/// An active access token, with the claims from the consent application.
#[derive(Clone, Debug)]
pub struct LiveAccessToken {
    pub token: AccessToken,
    pub shown_subject: Option<String>,
    pub ext: Map<String, Value>,
}

impl OAuth {
    /// `required` are scopes that an active token must have.
    pub async fn introspect_token(
        &self,
        cx: &Context,
        token: &PlainToken,
        required: &ScopeSet,
    ) -> Result<Introspection, database::Error> {
        let active = if token.expose().starts_with(REFRESH_TOKEN.prefix) {
            self.introspect_refresh_token(cx, token).await?
        } else {
            self.find_live_access_token(cx, token).await?.map(|live| self.present(&live))
        };
        let active = active.filter(|active| {
            ScopeSet::parse(&active.scope).first_uncovered(required, self.config().strategies.scope).is_none()
        });
        Ok(active.map_or(Introspection::INACTIVE, Introspection::active))
    }

    /// An active access token of this service, in either format.
    pub(super) async fn find_live_access_token(
        &self,
        cx: &Context,
        token: &PlainToken,
    ) -> Result<Option<Arc<LiveAccessToken>>, database::Error> {
        let key = *token.digest().as_bytes();
        let live = match self.live_tokens().get(cx.tenant, key) {
            Some(live) => Some(live),
            None => self.read_live_access_token(cx, token, key).await?,
        };
        Ok(live.filter(|live| !live.token.is_expired(cx.now)))
    }

    async fn read_live_access_token(
        &self,
        cx: &Context,
        token: &PlainToken,
        key: [u8; 32],
    ) -> Result<Option<Arc<LiveAccessToken>>, database::Error> {
        let start = self.live_tokens().start_reading();
        let Some(token) = self.open_access_token(cx, token).await? else { return Ok(None) };
        if token.is_expired(cx.now) {
            return Ok(None);
        }
        let Some(live) = self.find_liveness(cx, token).await? else { return Ok(None) };
        let Provenance { jti, grant, .. } = live.token.provenance;
        let grant = grant.map_or(jti, |(grant, _)| grant.as_uuid());
        // The cache entry depends on all grants of the subject and of the client.
        let (client, subject) = (live.token.client_id.as_str().to_owned(), live.token.subject.clone());
        let keys = versions::KEYS.as_bytes();
        let subjects: &[&[u8]] = &[jti.as_bytes(), grant.as_bytes(), client.as_bytes(), subject.as_bytes(), keys];
        // Claims of the login application may be large.
        let claims = |claims: &Map<String, Value>| {
            serde_json::to_vec(claims).map_or(0, |text| if claims.is_empty() { 0 } else { memory_of_json(&text) })
        };
        let bytes = LIVE_TOKEN_BYTES + claims(&live.ext) + claims(&live.token.ext);
        let read = Cacheable { value: live, subjects, bytes };
        Ok(Some(self.live_tokens().put(start, cx.tenant, key, read)))
    }

    /// Reads from the tables whether an access token is active.
    async fn find_liveness(
        &self,
        cx: &Context,
        token: AccessToken,
    ) -> Result<Option<LiveAccessToken>, database::Error> {
        let mut tx = self.database().read(cx.tenant);
        let Provenance { jti, epoch, grant } = token.provenance;
        let Some((id, generation)) = grant else {
            let liveness = revoked_tokens::find_liveness(&mut tx, &token.client_id, jti).await?;
            let is_live = liveness.is_some_and(|it| !it.is_revoked && it.client_epoch == epoch);
            return Ok(is_live.then(|| LiveAccessToken { ext: token.ext.clone(), token, shown_subject: None }));
        };
        let liveness = grants::find_liveness(&mut tx, self.sealer(), cx.tenant, id).await?;
        let is_current = |live: i32| generation == live || generation == FRONT_CHANNEL;
        let live = liveness.filter(|it| !it.is_revoked && is_current(it.generation) && it.client_epoch == epoch);
        Ok(live.map(|it| LiveAccessToken {
            token,
            shown_subject: it.session.shown_subject,
            ext: it.session.access_token,
        }))
    }

    /// The content of a token, whether or not it is active; `None` when it was not issued by this service.
    pub(super) async fn open_access_token(
        &self,
        cx: &Context,
        token: &PlainToken,
    ) -> Result<Option<AccessToken>, database::Error> {
        // The format is determined from the token, not from the client's current setting, which may have changed.
        if token.expose().starts_with(ACCESS_TOKEN.prefix) {
            return Ok(AccessToken::open(self.sealer(), cx.tenant, token));
        }
        let claims = match self.verify_own_token(cx, ACCESS_TOKEN_SET, token.expose()).await {
            Ok(claims) => claims,
            Err(OwnTokenError::Keys(error)) => return Err(error),
            Err(
                OwnTokenError::Malformed(_)
                | OwnTokenError::Signature(_)
                | OwnTokenError::Claim(_)
                | OwnTokenError::NotClaims,
            ) => return Ok(None),
        };
        Ok(self.read_jwt_access_token(cx, &claims))
    }

    fn read_jwt_access_token(&self, cx: &Context, claims: &Map<String, Value>) -> Option<AccessToken> {
        let check = ClaimsCheck {
            now: cx.now,
            leeway: super::CLOCK_LEEWAY,
            issuer: Some(self.config().issuer()),
            audiences: &[],
            require_expiry: true,
        };
        check.check(claims).ok()?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let scope = match (claims.get("scp").and_then(Value::as_array), text("scope")) {
            (Some(list), _) => list.iter().filter_map(Value::as_str).collect(),
            (None, Some(text)) => ScopeSet::parse(text),
            (None, None) => ScopeSet::default(),
        };
        let audience = claims.get("aud").and_then(Value::as_array).into_iter().flatten();
        Some(AccessToken {
            provenance: Provenance::open_jti(self.sealer(), cx.tenant, text("jti")?)?,
            client_id: ClientId::parse(text("client_id")?).ok()?,
            subject: text("sub")?.to_owned(),
            scope,
            audience: audience.filter_map(Value::as_str).map(str::to_owned).collect(),
            ext: claims.get("ext").and_then(Value::as_object).cloned().unwrap_or_default(),
            issued_at: jose::numeric_date(claims, "iat").ok()??,
            expires_at: jose::numeric_date(claims, "exp").ok()??,
        })
    }

    fn present(&self, live: &LiveAccessToken) -> ActiveToken {
        let LiveAccessToken { token, shown_subject, ext } = live.clone();
        ActiveToken {
            active: true,
            scope: token.scope.to_string(),
            client_id: token.client_id.as_str().to_owned(),
            sub: token.subject,
            exp: token.expires_at.unix_seconds(),
            iat: token.issued_at.unix_seconds(),
            nbf: token.issued_at.unix_seconds(),
            aud: token.audience,
            iss: self.config().issuer().to_owned(),
            token_type: "Bearer".to_owned(),
            token_use: TokenUse::AccessToken,
            obfuscated_subject: shown_subject,
            ext,
        }
    }

    async fn introspect_refresh_token(
        &self,
        cx: &Context,
        token: &PlainToken,
    ) -> Result<Option<ActiveToken>, database::Error> {
        let Some(opened) = RefreshToken::open(self.sealer(), cx.tenant, token) else { return Ok(None) };
        let Some(grant) = self.find_grant(cx, opened.grant).await? else { return Ok(None) };
        let Some(family) = &grant.refresh else { return Ok(None) };
        let is_current = family.generation == opened.generation && family.digest == token.digest();
        // A token in its grace period still works, so it is active.
        let is_in_grace = family.generation == opened.generation.saturating_add(1)
            && family.rotated_at.is_some_and(|at| cx.now < at.plus(self.config().rotation_grace()));
        let is_live = grant.is_live(cx.now) && family.expires_at > cx.now && (is_current || is_in_grace);
        // The tokens of a deleted client are inactive.
        if !is_live || self.clients().find(cx.tenant, &grant.client_id).await?.is_none() {
            return Ok(None);
        }
        let issued_at = family.rotated_at.unwrap_or(grant.created_at).unix_seconds();
        let obfuscated_subject = grant.session.shown_subject;
        Ok(Some(ActiveToken {
            active: true,
            scope: grant.scope.to_string(),
            client_id: grant.client_id.as_str().to_owned(),
            sub: grant.subject,
            exp: family.expires_at.unix_seconds(),
            iat: issued_at,
            nbf: issued_at,
            aud: grant.audience,
            iss: self.config().issuer().to_owned(),
            token_type: "Bearer".to_owned(),
            token_use: TokenUse::RefreshToken,
            obfuscated_subject,
            ext: grant.session.access_token,
        }))
    }
}

#[async_trait::async_trait]
impl contracts::TokenIntrospection for OAuth {
    async fn introspect(
        &self,
        cx: &Context,
        token: &PlainToken,
    ) -> Result<contracts::Introspection, contracts::Unavailable> {
        let introspection = self
            .introspect_token(cx, token, &ScopeSet::default())
            .await
            .map_err(|error| contracts::Unavailable::new("oauth", error))?;
        let Some(active) = introspection.as_active() else { return Ok(contracts::Introspection::default()) };
        let Ok(Value::Object(mut claims)) = serde_json::to_value(active) else {
            return Err(contracts::Unavailable::new("oauth", "the introspection cannot be serialized as JSON"));
        };
        claims.shift_remove("active");
        Ok(contracts::Introspection { active: true, claims })
    }
}
