//! The signing keys of this server: cached, generated when a set has none, and used to verify the server's own tokens.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use base::{Context, Rng, Sealer, Timestamp};
use database::{Database, WriteTx};
use jose::{
    Algorithm, ClaimError, ClaimsCheck, GenerateError, Jwk, Jws, MalformedJws, SignError, SigningKey, VerifyError,
};
use serde_json::{Map, Value};

use super::{CLOCK_LEEWAY, KeyRing, LoadedSet};
use crate::domain::effect;
use crate::domain::signing_key::{
    ACCESS_TOKEN_SET, ID_TOKEN_SET, RotationStep, StoredKey, next_algorithm, rotation_step, signer,
};
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
pub(crate) enum OwnTokenError {
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

/// What the configuration says about keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeySettings {
    /// Of new keys; otherwise the one that [`next_algorithm`] names.
    pub(crate) algorithm: Option<Algorithm>,
    /// Zero: keys are not rotated.
    pub(crate) rotation_period: Duration,
}

pub(crate) struct SigningKeys {
    database: Database,
    sealer: Sealer,
    rng: Rng,
    ring: KeyRing,
    issuer: String,
    settings: KeySettings,
}

impl SigningKeys {
    pub(crate) fn new(database: Database, sealer: Sealer, rng: Rng, issuer: &str, settings: KeySettings) -> Self {
        let ring = KeyRing::new(database.clone(), sealer.clone());
        Self { database, sealer, rng, ring, issuer: issuer.to_owned(), settings }
    }

    /// Makes the keys that are missing. To be called once at start, so that no request waits for it.
    pub(crate) async fn prepare(&self, cx: &Context) -> Result<(), SigningKeyError> {
        tokio::try_join!(self.signer(cx, ID_TOKEN_SET), self.signer(cx, ACCESS_TOKEN_SET)).map(|_| ())
    }

    /// A set as it is now, possibly empty.
    pub(crate) async fn set(&self, cx: &Context, set_name: &str) -> Result<Arc<LoadedSet>, database::Error> {
        self.ring.set(cx, set_name).await
    }

    /// A transaction beside which no other changes keys. What it commits counts after [`SigningKeys::forget`].
    pub(crate) async fn change(&self, cx: &Context) -> Result<WriteTx, database::Error> {
        self.ring.change(cx).await
    }

    /// Makes the next use read again: called after a commit that changed keys.
    pub(crate) fn forget(&self, cx: &Context) {
        self.ring.forget(cx.tenant);
    }

    /// The current signing key of a set. A set without one gets one.
    pub(crate) async fn signer(&self, cx: &Context, set_name: &str) -> Result<Arc<SigningKey>, SigningKeyError> {
        let set = self.set(cx, set_name).await?;
        if let Some(signer) = set.signer(cx.now) {
            Box::pin(self.ask_for_rotation(cx, set_name, &set)).await?;
            return Ok(signer);
        }
        Box::pin(self.make_first_key(cx, set_name, self.next_algorithm(set_name, &set.keys))).await?;
        let set = self.set(cx, set_name).await?;
        set.signer(cx.now).ok_or_else(|| SigningKeyError::NoUsableKey(set_name.to_owned()))
    }

    /// Enqueues the job that publishes the next key, if it is due: once for each state of the set.
    async fn ask_for_rotation(&self, cx: &Context, set_name: &str, set: &LoadedSet) -> Result<(), database::Error> {
        let period = self.settings.rotation_period;
        if period.is_zero()
            || rotation_step(&set.keys, period, cx.now) == RotationStep::Nothing
            || set.rotation_asked.swap(true, Ordering::Relaxed)
        {
            return Ok(());
        }
        let mut tx = self.database.write(cx.tenant).await?;
        jobs::enqueue(&mut tx, cx, self.rng.uuid(), effect::rotate_keys(cx)).await?;
        tracing::info!(set_name, "asked for the next signing key");
        tx.commit().await
    }

    async fn make_first_key(&self, cx: &Context, set_name: &str, algorithm: Algorithm) -> Result<(), SigningKeyError> {
        let jwk = self.generate(algorithm, self.rng.uuid().to_string()).await?;
        let mut tx = self.change(cx).await?;
        // Another node may have created the first key in the meantime.
        let present = keys::list(&mut tx, &self.sealer, cx.tenant, set_name).await?;
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
            keys::insert(&mut tx, &self.sealer, &key).await?;
            tx.commit().await?;
        }
        self.forget(cx);
        Ok(())
    }

    /// The configured algorithm, or the one that [`next_algorithm`] names.
    pub(crate) fn next_algorithm(&self, set_name: &str, keys: &[StoredKey]) -> Algorithm {
        self.settings.algorithm.unwrap_or_else(|| next_algorithm(set_name, keys))
    }

    /// A new key, made on a thread that may take its time.
    pub(crate) async fn generate(&self, algorithm: Algorithm, kid: String) -> Result<Jwk, SigningKeyError> {
        let generate = move || Jwk::generate(algorithm, kid);
        Ok(tokio::task::spawn_blocking(generate).await.map_err(|_| SigningKeyError::Interrupted)??)
    }

    /// The claims of an ID token of this server, even an expired one (OpenID Connect RP-Initiated Logout section 2).
    pub(crate) async fn verify_id_token_hint(
        &self,
        cx: &Context,
        hint: &str,
    ) -> Result<Map<String, Value>, OwnTokenError> {
        let mut claims = self.verify(cx, ID_TOKEN_SET, hint).await?;
        // RFC 8725 section 3.11: logout tokens are signed with the same keys and are not ID tokens.
        if claims.contains_key("events") {
            return Err(OwnTokenError::NotClaims);
        }
        let expiry = claims.shift_remove("exp");
        let check = ClaimsCheck {
            now: cx.now,
            leeway: CLOCK_LEEWAY,
            issuer: Some(&self.issuer),
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
    pub(crate) async fn verify(
        &self,
        cx: &Context,
        set_name: &str,
        token: &str,
    ) -> Result<Map<String, Value>, OwnTokenError> {
        let jws = Jws::parse(token)?;
        let set = self.set(cx, set_name).await?;
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
        Ok(self.signer(cx, ID_TOKEN_SET).await?.sign_typed(typ, claims)?)
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum SignClaimsError {
    #[error(transparent)]
    Key(#[from] SigningKeyError),
    #[error(transparent)]
    Sign(#[from] SignError),
}
