//! The operations on key sets: read, generate, import, delete; and their rotation.
//!
//! A key that an operator adds signs at once, as in Ory Hydra; a rotation publishes the next key first.

use std::time::Duration;

use base::{Context, Timestamp};
use database::WriteTx;
use jose::{Algorithm, Jwk, JwkSet, KeyUse, UnknownAlgorithm};

use crate::components::KeySets;
use crate::components::signing_keys::SigningKeyError;
use crate::domain::event::Event;
use crate::domain::signing_key::{ACCESS_TOKEN_SET, ID_TOKEN_SET, RotationStep, StoredKey, rotation_step};
use crate::storage::keys;

/// The limit for the names of sets and keys: together they fit in one index entry of PostgreSQL, which holds 2704 bytes.
const MAX_NAME: usize = 1024;

/// A key to generate.
#[derive(Debug)]
pub struct NewKey {
    pub algorithm: String,
    /// A UUID when empty.
    pub kid: String,
    /// `sig`, `enc`, or empty for `sig`.
    pub key_use: String,
}

#[derive(Debug, thiserror::Error)]
pub enum ManageKeysError {
    #[error("'alg' must be one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA")]
    Algorithm(#[from] UnknownAlgorithm),
    #[error("'use' must be 'sig' or 'enc'")]
    KeyUse,
    #[error("the set already has a key named '{0}'")]
    KidTaken(String),
    #[error("a key in the set has no 'kid'")]
    KidMissing,
    #[error("'{0}' must have {MAX_NAME} bytes or fewer")]
    NameTooLong(&'static str),
    #[error("the key set would have no signing key left")]
    NothingSigns,
    #[error("the key does not exist")]
    NotFound,
    #[error(transparent)]
    Key(#[from] SigningKeyError),
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl KeySets {
    /// The keys of a set with their private parts, newest first; `NotFound` without keys.
    pub(crate) async fn get_set(&self, cx: &Context, set_name: &str) -> Result<JwkSet, ManageKeysError> {
        let set = self.keys.set(cx, set_name).await?;
        let keys: Vec<Jwk> = set.keys.iter().filter(|it| !it.is_expired(cx.now)).map(|it| it.jwk.clone()).collect();
        if keys.is_empty() { Err(ManageKeysError::NotFound) } else { Ok(JwkSet { keys }) }
    }

    pub(crate) async fn get(&self, cx: &Context, set_name: &str, kid: &str) -> Result<Jwk, ManageKeysError> {
        let set = self.get_set(cx, set_name).await?;
        set.keys.into_iter().find(|key| key.kid.as_deref() == Some(kid)).ok_or(ManageKeysError::NotFound)
    }

    /// What the public may verify with: the sets that sign, then the configured ones; public parts alone.
    pub(crate) async fn published(&self, cx: &Context) -> Result<JwkSet, SigningKeyError> {
        // A relying party that comes before the first token finds the key that will sign it.
        Box::pin(self.keys.prepare(cx)).await?;
        let mut names = self.broadcast.clone();
        for name in [ID_TOKEN_SET, ACCESS_TOKEN_SET] {
            if !names.iter().any(|it| it == name) {
                names.push(name.to_owned());
            }
        }
        let mut published = JwkSet::default();
        for name in names {
            let set = self.keys.set(cx, &name).await?;
            published.keys.extend(set.keys.iter().filter(|it| !it.is_expired(cx.now)).map(|it| it.jwk.to_public()));
        }
        Ok(published)
    }

    pub(crate) async fn create(&self, cx: &Context, set_name: &str, new: NewKey) -> Result<Jwk, ManageKeysError> {
        let algorithm: Algorithm = new.algorithm.parse()?;
        let key_use = match new.key_use.as_str() {
            "" | "sig" => KeyUse::Signature,
            "enc" => KeyUse::Encryption,
            _ => return Err(ManageKeysError::KeyUse),
        };
        let kid = if new.kid.is_empty() { self.rng.uuid().to_string() } else { new.kid };
        let mut jwk = self.keys.generate(algorithm, kid.clone()).await?;
        jwk.key_use = Some(key_use);
        let mut tx = self.keys.change(cx).await?;
        // The newest key signs, even when another one was created at the same instant.
        let present = keys::list(&mut tx, &self.sealer, cx.tenant, set_name).await?;
        let position = present.iter().map(|key| key.position).min().map_or(0, |first| first.saturating_sub(1));
        let key = stored_key(cx, set_name, jwk.clone(), position)?;
        if !keys::insert(&mut tx, &self.sealer, &key).await? {
            return Err(ManageKeysError::KidTaken(kid));
        }
        self.commit(cx, tx, Event::KeyCreated { set: set_name, kid: &kid }).await?;
        Ok(jwk)
    }

    /// Replaces all keys of the set.
    pub(crate) async fn replace_set(
        &self,
        cx: &Context,
        set_name: &str,
        set: JwkSet,
    ) -> Result<JwkSet, ManageKeysError> {
        let signs = |key: &Jwk| key.is_private() && !key.algorithms().is_empty();
        if is_own_set(set_name) && !set.keys.iter().any(signs) {
            return Err(ManageKeysError::NothingSigns);
        }
        let mut tx = self.keys.change(cx).await?;
        keys::delete_set(&mut tx, set_name).await?;
        for (position, jwk) in (0..).zip(&set.keys) {
            let key = stored_key(cx, set_name, jwk.clone(), position)?;
            if !keys::insert(&mut tx, &self.sealer, &key).await? {
                return Err(ManageKeysError::KidTaken(key.kid));
            }
        }
        self.commit(cx, tx, Event::KeySetReplaced { set: set_name }).await?;
        Ok(set)
    }

    /// Replaces the key with the same name, or adds it.
    pub(crate) async fn replace(
        &self,
        cx: &Context,
        set_name: &str,
        kid: &str,
        mut jwk: Jwk,
    ) -> Result<Jwk, ManageKeysError> {
        jwk.kid = Some(kid.to_owned());
        let mut tx = self.keys.change(cx).await?;
        keys::delete(&mut tx, set_name, kid).await?;
        keys::insert(&mut tx, &self.sealer, &stored_key(cx, set_name, jwk.clone(), 0)?).await?;
        self.commit(cx, tx, Event::KeyReplaced { set: set_name, kid }).await?;
        Ok(jwk)
    }

    /// A set that does not exist is not an error.
    pub(crate) async fn delete_set(&self, cx: &Context, set_name: &str) -> Result<(), ManageKeysError> {
        let mut tx = self.keys.change(cx).await?;
        if keys::delete_set(&mut tx, set_name).await? == 0 {
            return Ok(());
        }
        self.commit(cx, tx, Event::KeySetDeleted { set: set_name }).await
    }

    /// A key that does not exist is not an error.
    pub(crate) async fn delete(&self, cx: &Context, set_name: &str, kid: &str) -> Result<(), ManageKeysError> {
        let mut tx = self.keys.change(cx).await?;
        if !keys::delete(&mut tx, set_name, kid).await? {
            return Ok(());
        }
        self.commit(cx, tx, Event::KeyDeleted { set: set_name, kid }).await
    }

    /// Publishes the next key of each signing set, if it is due.
    pub(crate) async fn rotate(&self, cx: &Context) -> Result<(), ManageKeysError> {
        for set_name in [ID_TOKEN_SET, ACCESS_TOKEN_SET] {
            let period = self.rotation_period;
            let set = self.keys.set(cx, set_name).await?;
            let RotationStep::Publish { active_at } = rotation_step(&set.keys, period, cx.now) else { continue };
            let algorithm = self.keys.next_algorithm(set_name, &set.keys);
            self.publish_next(cx, set_name, algorithm, period, active_at).await?;
        }
        Ok(())
    }

    async fn publish_next(
        &self,
        cx: &Context,
        set_name: &str,
        algorithm: Algorithm,
        period: Duration,
        active_at: Timestamp,
    ) -> Result<(), ManageKeysError> {
        let jwk = self.keys.generate(algorithm, self.rng.uuid().to_string()).await?;
        let mut tx = self.keys.change(cx).await?;
        // Another node may have published one in the meantime.
        let present = keys::list(&mut tx, &self.sealer, cx.tenant, set_name).await?;
        if rotation_step(&present, period, cx.now) == RotationStep::Nothing {
            return Ok(());
        }
        let key = StoredKey { active_at, ..stored_key(cx, set_name, jwk, 0)? };
        keys::insert(&mut tx, &self.sealer, &key).await?;
        keys::retire_others(&mut tx, set_name, &key.kid, active_at, active_at.plus(self.longest_signed_lifespan))
            .await?;
        self.commit(cx, tx, Event::KeyRotated { set: set_name, kid: &key.kid }).await
    }

    async fn commit(&self, cx: &Context, mut tx: WriteTx, event: Event<'_>) -> Result<(), ManageKeysError> {
        jobs::append(&mut tx, cx, &[event]).await?;
        tx.commit().await?;
        self.keys.forget(cx);
        Ok(())
    }
}

fn stored_key(cx: &Context, set_name: &str, jwk: Jwk, position: i32) -> Result<StoredKey, ManageKeysError> {
    let kid = jwk.kid.clone().filter(|kid| !kid.is_empty()).ok_or(ManageKeysError::KidMissing)?;
    for (what, name) in [("set", set_name), ("kid", kid.as_str())] {
        if name.len() > MAX_NAME {
            return Err(ManageKeysError::NameTooLong(what));
        }
    }
    Ok(StoredKey {
        set_name: set_name.to_owned(),
        kid,
        jwk,
        position,
        created_at: cx.now,
        active_at: cx.now,
        retired_at: None,
        expires_at: Timestamp::MAX,
    })
}

fn is_own_set(set_name: &str) -> bool {
    matches!(set_name, ID_TOKEN_SET | ACCESS_TOKEN_SET)
}
