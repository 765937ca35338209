//! Access tokens as they come back: opened, and checked against the rows that keep them live. One read decides whether a
//! token is live; what it found is cached.

use std::sync::Arc;

use base::{Context, PlainToken};
use database::{Cacheable, memory_of_json};
use jose::ClaimsCheck;
use oauth_types::ScopeSet;
use serde_json::{Map, Value};

use super::{LIVE_TOKEN_BYTES, LiveAccessToken, Tokens};
use crate::components::CLOCK_LEEWAY;
use crate::components::signing_keys::OwnTokenError;
use crate::domain::access_token::{AccessToken, FRONT_CHANNEL, Provenance};
use crate::domain::client::ClientId;
use crate::domain::sealed_token::ACCESS_TOKEN;
use crate::domain::signing_key::ACCESS_TOKEN_SET;
use crate::storage::{grants, revoked_tokens, versions};

impl Tokens {
    /// An access token in either format, if it is ours and live.
    pub(crate) async fn find_live(
        &self,
        cx: &Context,
        token: &PlainToken,
    ) -> Result<Option<Arc<LiveAccessToken>>, database::Error> {
        let key = *token.digest().as_bytes();
        let live = match self.live.get(cx.tenant, key) {
            Some(live) => Some(live),
            None => self.read_live(cx, token, key).await?,
        };
        Ok(live.filter(|live| !live.token.is_expired(cx.now)))
    }

    async fn read_live(
        &self,
        cx: &Context,
        token: &PlainToken,
        key: [u8; 32],
    ) -> Result<Option<Arc<LiveAccessToken>>, database::Error> {
        let start = self.live.start_reading();
        let Some(token) = self.open(cx, token).await? else { return Ok(None) };
        if token.is_expired(cx.now) {
            return Ok(None);
        }
        let Some(live) = self.find_liveness(cx, token).await? else { return Ok(None) };
        let Provenance { jti, grant, .. } = live.token.provenance;
        let grant = grant.map_or(jti, |(grant, _)| grant.as_uuid());
        // The subject stands for all of its grants, the client for all of its.
        let (client, subject) = (live.token.client_id.as_str().to_owned(), live.token.subject.clone());
        let keys = versions::KEYS.as_bytes();
        let subjects: &[&[u8]] = &[jti.as_bytes(), grant.as_bytes(), client.as_bytes(), subject.as_bytes(), keys];
        // Claims of the login application may be large.
        let claims = |claims: &Map<String, Value>| {
            serde_json::to_vec(claims).map_or(0, |text| if claims.is_empty() { 0 } else { memory_of_json(&text) })
        };
        let bytes = LIVE_TOKEN_BYTES + claims(&live.ext) + claims(&live.token.ext);
        let read = Cacheable { value: live, subjects, bytes };
        Ok(Some(self.live.put(start, cx.tenant, key, read)))
    }

    /// What keeps an access token live, asked of the tables.
    async fn find_liveness(
        &self,
        cx: &Context,
        token: AccessToken,
    ) -> Result<Option<LiveAccessToken>, database::Error> {
        let mut tx = self.database.read(cx.tenant);
        let Provenance { jti, epoch, grant } = token.provenance;
        let Some((id, generation)) = grant else {
            let liveness = revoked_tokens::find_liveness(&mut tx, &token.client_id, jti).await?;
            let is_live = liveness.is_some_and(|it| !it.is_revoked && it.client_epoch == epoch);
            return Ok(is_live.then(|| LiveAccessToken { ext: token.ext.clone(), token, shown_subject: None }));
        };
        let liveness = grants::find_liveness(&mut tx, &self.sealer, cx.tenant, id).await?;
        let is_current = |live: i32| generation == live || generation == FRONT_CHANNEL;
        let live = liveness.filter(|it| !it.is_revoked && is_current(it.generation) && it.client_epoch == epoch);
        Ok(live.map(|it| LiveAccessToken {
            token,
            shown_subject: it.session.shown_subject,
            ext: it.session.access_token,
        }))
    }

    /// What a token says, whether or not it is live; `None` for one that this service did not issue.
    pub(crate) async fn open(&self, cx: &Context, token: &PlainToken) -> Result<Option<AccessToken>, database::Error> {
        // The format is read off the token, not off the client's present setting, which may have changed since.
        if token.expose().starts_with(ACCESS_TOKEN.prefix) {
            return Ok(AccessToken::open(&self.sealer, cx.tenant, token));
        }
        let claims = match self.keys.verify(cx, ACCESS_TOKEN_SET, token.expose()).await {
            Ok(claims) => claims,
            Err(OwnTokenError::Keys(error)) => return Err(error),
            Err(
                OwnTokenError::Malformed(_)
                | OwnTokenError::Signature(_)
                | OwnTokenError::Claim(_)
                | OwnTokenError::NotClaims,
            ) => return Ok(None),
        };
        Ok(self.read_jwt(cx, &claims))
    }

    fn read_jwt(&self, cx: &Context, claims: &Map<String, Value>) -> Option<AccessToken> {
        let check = ClaimsCheck {
            now: cx.now,
            leeway: CLOCK_LEEWAY,
            issuer: Some(&self.settings.issuer),
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
            provenance: Provenance::open_jti(&self.sealer, cx.tenant, text("jti")?)?,
            client_id: ClientId::parse(text("client_id")?).ok()?,
            subject: text("sub")?.to_owned(),
            scope,
            audience: audience.filter_map(Value::as_str).map(str::to_owned).collect(),
            ext: claims.get("ext").and_then(Value::as_object).cloned().unwrap_or_default(),
            issued_at: jose::numeric_date(claims, "iat").ok()??,
            expires_at: jose::numeric_date(claims, "exp").ok()??,
        })
    }
}
