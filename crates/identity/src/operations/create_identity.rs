//! Creating an identity with the admin API, including credentials of another system.
//!
//! Schema, import and hashing come first, without the database; then one transaction writes everything.

use std::sync::Arc;

use base::Context;
use database::WriteTx;
use serde_json::Value;
use uuid::Uuid;

use crate::Identity;
use crate::components::hashing::HashError;
use crate::domain::event::Event;
use crate::domain::identifier::MAX_IDENTIFIER;
use crate::domain::identity::State;
use crate::domain::import::{ImportError, ImportedCredentials};
use crate::domain::imported_config::Import;
use crate::domain::traits_schema::{TraitError, TraitsSchema};
use crate::domain::{
    self, AddressStatus, IdentityId, RecoveryAddress, RecoveryAddressId, VerifiableAddress, VerifiableAddressId, Via,
    identifier,
};
use crate::storage::identities::{self, StoreError, Taken};

/// The requested identity.
#[derive(Clone, Debug, Default)]
pub struct NewIdentity {
    /// `None` is the default schema.
    pub schema_id: Option<String>,
    pub traits: Value,
    pub state: State,
    pub credentials: ImportedCredentials,
    pub metadata_public: Option<Value>,
    pub metadata_admin: Option<Value>,
    pub external_id: Option<String>,
    pub organization_id: Option<Uuid>,
    /// The status of addresses. Addresses that the traits do not contain are dropped.
    pub verifiable_addresses: Vec<KnownAddress>,
    pub recovery_addresses: Vec<(Via, String)>,
}

/// The status of an address in another system.
#[derive(Clone, Debug)]
pub struct KnownAddress {
    pub via: Via,
    pub value: String,
    pub verified: bool,
    pub verified_at: Option<base::Timestamp>,
    pub status: Option<AddressStatus>,
}

/// Why an identity cannot be composed.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    #[error("the identity schema \"{0}\" is unknown")]
    UnknownSchema(String),
    #[error("the traits are invalid")]
    Traits(Vec<TraitError>),
    #[error("{0}: must have {MAX_IDENTIFIER} bytes or fewer")]
    TooLong(String),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error(transparent)]
    Hash(#[from] HashError),
}

#[derive(Debug, thiserror::Error)]
pub enum CreateIdentityError {
    #[error(transparent)]
    Compose(#[from] ComposeError),
    #[error("another identity has the same identifier, address or external id")]
    Taken(Taken),
    #[error("another request changed the identity at the same time")]
    Changed,
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl From<StoreError> for CreateIdentityError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken(taken) => Self::Taken(taken),
            StoreError::Stale => Self::Changed,
            StoreError::Database(error) => Self::Database(error),
        }
    }
}

impl Identity {
    pub async fn create_identity(
        &self,
        cx: &Context,
        new: NewIdentity,
    ) -> Result<domain::Identity, CreateIdentityError> {
        let identity = self.compose_identity(cx, new).await?;
        let mut tx = self.database.write(cx.tenant).await?;
        self.store_new_identity(&mut tx, cx, &identity).await?;
        tx.commit().await?;
        Ok(identity)
    }

    /// Writes a composed identity and its event.
    pub(crate) async fn store_new_identity(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        identity: &domain::Identity,
    ) -> Result<(), StoreError> {
        identities::insert(tx, self.tenant_sealer(cx), identity).await?;
        Ok(jobs::append(tx, cx, &[Event::IdentityCreated(identity.into())]).await?)
    }

    /// The schema with this id, or the default one.
    pub(crate) fn traits_schema(&self, id: Option<&str>) -> Result<Arc<TraitsSchema>, ComposeError> {
        let id = id.filter(|id| !id.is_empty()).unwrap_or(self.schemas.default_id());
        self.schemas.get(id).ok_or_else(|| ComposeError::UnknownSchema(id.to_owned()))
    }

    /// Performs all checks that need no database, and hashes the password.
    pub(crate) async fn compose_identity(
        &self,
        cx: &Context,
        new: NewIdentity,
    ) -> Result<domain::Identity, ComposeError> {
        let schema = self.traits_schema(new.schema_id.as_deref())?;
        let mut traits = new.traits;
        let derived = schema.validate(&mut traits).map_err(ComposeError::Traits)?;
        new.credentials.check()?;
        let mut identity = domain::Identity::new(IdentityId::generate(&self.rng), schema.id(), traits, cx.now);
        identity.state = new.state;
        identity.metadata_public = new.metadata_public;
        identity.metadata_admin = new.metadata_admin;
        identity.external_id = new.external_id.filter(|id| !id.is_empty());
        identity.organization_id = new.organization_id;
        identity.verifiable_addresses =
            new.verifiable_addresses.iter().map(|known| self.known_address(cx, known)).collect();
        identity.recovery_addresses = new
            .recovery_addresses
            .iter()
            .map(|(via, value)| RecoveryAddress {
                id: RecoveryAddressId::generate(&self.rng),
                via: *via,
                value: identifier::normalize_address(*via, value),
                created_at: cx.now,
                updated_at: cx.now,
            })
            .collect();
        let hash = self.hash_imported(&new.credentials).await?;
        let import = Import { owner: identity.id, hashed_password: hash.as_deref() };
        new.credentials.apply(import, &mut identity.credentials, cx.now);
        identity.apply_derived(&derived, &self.rng, cx.now);
        identity.refresh_available_aal(self.session_policy.factor_rules());
        match identity.oversized() {
            Some(member) => Err(ComposeError::TooLong(member)),
            None => Ok(identity),
        }
    }

    pub(crate) async fn hash_imported(&self, credentials: &ImportedCredentials) -> Result<Option<String>, HashError> {
        match credentials.plain_password() {
            Some(password) => self.hasher.hash(password).await.map(Some),
            None => Ok(None),
        }
    }

    fn known_address(&self, cx: &Context, known: &KnownAddress) -> VerifiableAddress {
        let value = identifier::normalize_address(known.via, &known.value);
        let id = VerifiableAddressId::generate(&self.rng);
        let mut address = VerifiableAddress::pending(id, known.via, value, cx.now);
        if known.verified {
            address.complete(cx.now);
            address.verified_at = known.verified_at.or(Some(cx.now));
        }
        if let Some(status) = known.status {
            address.status = status;
        }
        address
    }
}
