//! The signing keys of this server: cached, generated when a set has none, and used to verify the server's own tokens.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use base::{Context, Timestamp};
use jose::{
    Algorithm, ClaimError, ClaimsCheck, GenerateError, Jwk, Jws, MalformedJws, SignError, SigningKey, VerifyError,
};
use serde_json::{Map, Value};

use crate::OAuth;
use crate::domain::signing_key::{
    ACCESS_TOKEN_SET, ID_TOKEN_SET, RotationStep, StoredKey, next_algorithm, rotation_step, signer,
};
use crate::jobs::rotate_keys;
use crate::memory::LoadedSet;
use crate::storage::keys;

#[derive(Debug, thiserror::Error)]
pub enum SigningKeyError {
    #[error("the key set '{0}' has no signing key")]
    NoUsableKey(String),
    #[error(transparent)]
    Generate(#[from] GenerateError),
    #[error("the generation of a key was interrupted")]
    Interrupted,
    #[error(transparent)]
    Database(#[from] database::Error),
}

/// Why a token was not signed by this server.
#[derive(Debug, thiserror::Error)]
pub enum OwnTokenError {
    #[error(transparent)]
    Malformed(#[from] MalformedJws),
    #[error(transparent)]
    Signature(#[from] VerifyError),
    #[error(transparent)]
    Claim(#[from] ClaimError),
    #[error("the payload is not a set of claims")]
    NotClaims,
    #[error("the signing keys cannot be read")]
    Keys(#[from] database::Error),
}

impl OAuth {
    /// Generates missing keys. Called once at start, so that no request waits for it.
    pub async fn prepare(&self, cx: &Context) -> Result<(), SigningKeyError> {
        tokio::try_join!(self.signing_key(cx, ID_TOKEN_SET), self.signing_key(cx, ACCESS_TOKEN_SET)).map(|_| ())
    }

    pub(crate) async fn key_set(&self, cx: &Context, set_name: &str) -> Result<Arc<LoadedSet>, database::Error> {
        self.keys().set(self.database(), self.sealer(), cx.tenant, set_name, cx.now).await
    }

    /// The current signing key of a set. A set without one gets one.
    pub(crate) async fn signing_key(&self, cx: &Context, set_name: &str) -> Result<Arc<SigningKey>, SigningKeyError> {
        let set = self.key_set(cx, set_name).await?;
        if let Some(signer) = set.signer(cx.now) {
            Box::pin(self.ask_for_rotation(cx, set_name, &set)).await?;
            return Ok(signer);
        }
        Box::pin(self.make_first_key(cx, set_name, self.algorithm_of_next_key(set_name, &set.keys))).await?;
        let set = self.key_set(cx, set_name).await?;
        set.signer(cx.now).ok_or_else(|| SigningKeyError::NoUsableKey(set_name.to_owned()))
    }

    /// Enqueues the job that publishes the next key, if it is due: once for each state of the set.
    async fn ask_for_rotation(&self, cx: &Context, set_name: &str, set: &LoadedSet) -> Result<(), database::Error> {
        let period = self.config().oauth2.keys.rotation_period.get();
        if period.is_zero()
            || rotation_step(&set.keys, period, cx.now) == RotationStep::Nothing
            || set.rotation_asked.swap(true, Ordering::Relaxed)
        {
            return Ok(());
        }
        let mut tx = self.database().write(cx.tenant).await?;
        jobs::enqueue(&mut tx, cx, self.rng().uuid(), rotate_keys::job(cx)).await?;
        tracing::info!(set_name, "requested the next signing key");
        tx.commit().await
    }

    async fn make_first_key(&self, cx: &Context, set_name: &str, algorithm: Algorithm) -> Result<(), SigningKeyError> {
        let jwk = self.generate_key(algorithm, self.rng().uuid().to_string()).await?;
        let mut tx = self.change_keys(cx).await?;
        // Another node may have created the first key in the meantime.
        let present = keys::list(&mut tx, self.sealer(), cx.tenant, set_name).await?;
        if signer(&present, cx.now).is_none() {
            let key = StoredKey {
                set_name: set_name.to_owned(),
                kid: jwk.kid.clone().unwrap_or_default(),
                jwk,
                position: 0,
                created_at: cx.now,
                active_at: cx.now,
                retired_at: None,
                expires_at: Timestamp::MAX,
            };
            keys::insert(&mut tx, self.sealer(), &key).await?;
            tx.commit().await?;
        }
        self.keys().forget(cx.tenant);
        Ok(())
    }

    /// The configured algorithm, or that of [`next_algorithm`].
    pub(super) fn algorithm_of_next_key(&self, set_name: &str, keys: &[StoredKey]) -> Algorithm {
        self.config().oauth2.keys.algorithm.unwrap_or_else(|| next_algorithm(set_name, keys))
    }

    /// A new key, generated on a blocking thread.
    pub(super) async fn generate_key(&self, algorithm: Algorithm, kid: String) -> Result<Jwk, SigningKeyError> {
        let generate = move || Jwk::generate(algorithm, kid);
        Ok(tokio::task::spawn_blocking(generate).await.map_err(|_| SigningKeyError::Interrupted)??)
    }

    /// The claims of an ID token of this server, even an expired one (OpenID Connect RP-Initiated Logout section 2).
    pub(crate) async fn verify_id_token_hint(
        &self,
        cx: &Context,
        hint: &str,
    ) -> Result<Map<String, Value>, OwnTokenError> {
        let mut claims = self.verify_own_token(cx, ID_TOKEN_SET, hint).await?;
        // RFC 8725 section 3.11: logout tokens are signed with the same keys and are not ID tokens.
        if claims.contains_key("events") {
            return Err(OwnTokenError::NotClaims);
        }
        let expiry = claims.shift_remove("exp");
        let check = ClaimsCheck {
            now: cx.now,
            leeway: super::CLOCK_LEEWAY,
            issuer: Some(self.config().issuer()),
            audiences: &[],
            require_expiry: false,
        };
        check.check(&claims)?;
        if let Some(expiry) = expiry {
            claims.insert("exp".to_owned(), expiry);
        }
        Ok(claims)
    }

    /// The claims of a token that any current key of a set signed; its times are not checked.
    pub(super) async fn verify_own_token(
        &self,
        cx: &Context,
        set_name: &str,
        token: &str,
    ) -> Result<Map<String, Value>, OwnTokenError> {
        let jws = Jws::parse(token)?;
        let set = self.key_set(cx, set_name).await?;
        let verified = jws.verify(&set.verification, &Algorithm::ALL)?;
        verified.claims().ok_or(OwnTokenError::NotClaims)
    }

    /// Signs claims with the key for ID tokens, under the given `typ`.
    pub(crate) async fn sign_typed(
        &self,
        cx: &Context,
        typ: &str,
        claims: &Map<String, Value>,
    ) -> Result<String, SignClaimsError> {
        Ok(self.signing_key(cx, ID_TOKEN_SET).await?.sign_typed(typ, claims)?)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SignClaimsError {
    #[error(transparent)]
    Key(#[from] SigningKeyError),
    #[error(transparent)]
    Sign(#[from] SignError),
}
