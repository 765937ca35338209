//! Introspects a token (RFC 7662). Opening the token gives its claims; one read determines whether it is active.

use base::{Context, PlainToken};
use oauth_types::{ActiveToken, Introspection, ScopeSet, TokenUse};
use serde_json::Value;

use crate::OAuth;
use crate::components::tokens::LiveAccessToken;
use crate::domain::refresh::RefreshToken;
use crate::domain::sealed_token::REFRESH_TOKEN;

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
            self.tokens.find_live(cx, token).await?.map(|live| self.present(&live))
        };
        let active = active.filter(|active| {
            ScopeSet::parse(&active.scope).first_uncovered(required, self.config.strategies.scope).is_none()
        });
        Ok(active.map_or(Introspection::INACTIVE, Introspection::active))
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
            iss: self.config.issuer().to_owned(),
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
        let Some(opened) = RefreshToken::open(&self.sealer, cx.tenant, token) else { return Ok(None) };
        let Some(grant) = self.grants.find(cx, opened.grant).await? else { return Ok(None) };
        let Some(family) = &grant.refresh else { return Ok(None) };
        let is_current = family.generation == opened.generation && family.digest == token.digest();
        // A token in its grace period still works, so it is active.
        let is_in_grace = family.generation == opened.generation.saturating_add(1)
            && family.rotated_at.is_some_and(|at| cx.now < at.plus(self.config.rotation_grace()));
        let is_live = grant.is_live(cx.now) && family.expires_at > cx.now && (is_current || is_in_grace);
        // The tokens of a deleted client are inactive.
        if !is_live || self.clients.find(cx.tenant, &grant.client_id).await?.is_none() {
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
            iss: self.config.issuer().to_owned(),
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
