//! Identities with their addresses. Credentials come along where a function says so.

mod addresses;
mod list;

use database::{Error, Read, Row, WriteTx, values};

use super::{Vault, credentials, familiar_clients, json, word};
use crate::domain::{Aal, CredentialType, Identity, IdentityId, State};

pub(super) use addresses::read_addresses;
pub use addresses::{find_recovery, find_verifiable, mark_sent, mark_verified};
pub use list::{Filter, ListKey, count, list};

const TABLE: &str = "identity_identities";

/// The columns of an identity, in the order in which [`read`] takes them.
macro_rules! columns {
    () => {
        "id, schema_id, state, state_changed_at, traits, metadata_public, metadata_admin, external_id, organization_id, \
         available_aal, created_at, updated_at, version"
    };
}
use columns;

database::statements! {
    FIND = concat!("SELECT ", columns!(), " FROM identity_identities WHERE tenant_id = $1 AND id = $2");
    FIND_BY_EXTERNAL_ID =
        concat!("SELECT ", columns!(), " FROM identity_identities WHERE tenant_id = $1 AND external_id = $2");
    /// The row is held until the transaction ends, so that two changes of one identity follow each other.
    LOCK = {
        sqlite: concat!("SELECT ", columns!(), " FROM identity_identities WHERE tenant_id = $1 AND id = $2"),
        postgres: concat!("SELECT ", columns!(), " FROM identity_identities WHERE tenant_id = $1 AND id = $2 FOR UPDATE"),
    };
    INSERT = "INSERT INTO identity_identities (tenant_id, id, schema_id, state, state_changed_at, traits, metadata_public, \
              metadata_admin, external_id, organization_id, available_aal, created_at, updated_at, version) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING";
    /// The state and version of an identity, which nobody changes until the transaction ends.
    LOCK_VERSION = {
        sqlite: "SELECT state, version FROM identity_identities WHERE tenant_id = $1 AND id = $2",
        postgres: "SELECT state, version FROM identity_identities WHERE tenant_id = $1 AND id = $2 FOR SHARE",
    };
    /// Only the version that was read.
    UPDATE = "UPDATE identity_identities SET schema_id = $3, state = $4, state_changed_at = $5, traits = $6, \
              metadata_public = $7, metadata_admin = $8, organization_id = $9, available_aal = $10, updated_at = $11, \
              version = version + 1 WHERE tenant_id = $1 AND id = $2 AND version = $12";
    UPDATE_EXTERNAL_ID = "UPDATE identity_identities SET external_id = $3 WHERE tenant_id = $1 AND id = $2";
    DELETE = "DELETE FROM identity_identities WHERE tenant_id = $1 AND id = $2";
    DELETE_FLOWS = "DELETE FROM identity_flows WHERE tenant_id = $1 AND identity_id = $2";
    DELETE_CODES = "DELETE FROM identity_codes WHERE tenant_id = $1 AND identity_id = $2";
    DELETE_CONTINUITIES = "DELETE FROM identity_continuities WHERE tenant_id = $1 AND identity_id = $2";
}

pub(crate) const STATEMENTS_OF_ADDRESSES: &[&database::Statement] = addresses::STATEMENTS;
pub(crate) const STATEMENTS_OF_LISTS: &[&database::Statement] = list::STATEMENTS;

/// What another identity has already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    Identifier { kind: CredentialType, identifier: String },
    VerifiableAddress(String),
    RecoveryAddress(String),
    ExternalId,
}

/// What became of an identity since it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unchanged {
    Yes,
    /// It was changed or deleted.
    No,
    Inactive,
}

/// The write did not happen; the transaction must not commit.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("another identity has this identifier, address or external id")]
    Taken(Taken),
    #[error("the identity was changed or deleted after it was read")]
    Stale,
    #[error(transparent)]
    Database(#[from] Error),
}

/// An identity with its addresses, without its credentials.
pub async fn find(tx: &mut impl Read, id: IdentityId) -> Result<Option<Identity>, Error> {
    let row = tx.query_opt(&FIND, &values![id.as_uuid()]).await?;
    with_addresses(tx, row).await
}

/// As [`find`], with the credentials.
pub async fn find_whole(tx: &mut impl Read, vault: Vault<'_>, id: IdentityId) -> Result<Option<Identity>, Error> {
    let identity = find(tx, id).await?;
    with_credentials(tx, vault, identity).await
}

/// As [`find_whole`], and nobody else changes the identity until the transaction ends.
pub async fn lock_whole(tx: &mut WriteTx, vault: Vault<'_>, id: IdentityId) -> Result<Option<Identity>, Error> {
    let row = tx.query_opt(&LOCK, &values![id.as_uuid()]).await?;
    let identity = with_addresses(tx, row).await?;
    with_credentials(tx, vault, identity).await
}

/// Whether the identity is as it was read, and active. It stays so until the transaction ends.
pub async fn lock_unchanged(tx: &mut WriteTx, read: &Identity) -> Result<Unchanged, Error> {
    let Some(row) = tx.query_opt(&LOCK_VERSION, &values![read.id.as_uuid()]).await? else {
        return Ok(Unchanged::No);
    };
    Ok(match word(TABLE, &row.get::<String>(0)?, State::parse)? {
        State::Inactive => Unchanged::Inactive,
        State::Active if row.get::<i64>(1)? == read.version => Unchanged::Yes,
        State::Active => Unchanged::No,
    })
}

pub async fn find_by_external_id(tx: &mut impl Read, external_id: &str) -> Result<Option<Identity>, Error> {
    let row = tx.query_opt(&FIND_BY_EXTERNAL_ID, &values![external_id]).await?;
    with_addresses(tx, row).await
}

/// The identity, with its credentials, that a normalised identifier of this kind means.
pub async fn find_by_identifier(
    tx: &mut impl Read,
    vault: Vault<'_>,
    kind: CredentialType,
    identifier: &str,
) -> Result<Option<Identity>, Error> {
    match credentials::find_owner(tx, kind, identifier).await? {
        Some(id) => find_whole(tx, vault, id).await,
        None => Ok(None),
    }
}

pub async fn insert(tx: &mut WriteTx, vault: Vault<'_>, identity: &Identity) -> Result<(), StoreError> {
    let values = values![
        identity.id.as_uuid(),
        &identity.schema_id,
        identity.state.as_str(),
        identity.state_changed_at,
        identity.traits.to_string(),
        identity.metadata_public.as_ref().map(ToString::to_string),
        identity.metadata_admin.as_ref().map(ToString::to_string),
        identity.external_id.as_deref(),
        identity.organization_id,
        identity.available_aal.as_str(),
        identity.created_at,
        identity.updated_at,
        identity.version,
    ];
    if tx.execute(&INSERT, &values).await? == 0 {
        return Err(StoreError::Taken(Taken::ExternalId));
    }
    store_parts(tx, vault, None, identity).await
}

/// Writes what changed since `before`. Fails when `before` is not what is stored.
pub async fn update(tx: &mut WriteTx, vault: Vault<'_>, before: &Identity, after: &Identity) -> Result<(), StoreError> {
    let id = after.id.as_uuid();
    tx.touch(id.as_bytes());
    let values = values![
        id,
        &after.schema_id,
        after.state.as_str(),
        after.state_changed_at,
        after.traits.to_string(),
        after.metadata_public.as_ref().map(ToString::to_string),
        after.metadata_admin.as_ref().map(ToString::to_string),
        after.organization_id,
        after.available_aal.as_str(),
        after.updated_at,
        before.version,
    ];
    if tx.execute(&UPDATE, &values).await? != 1 {
        return Err(StoreError::Stale);
    }
    if before.external_id != after.external_id {
        let result = tx.execute(&UPDATE_EXTERNAL_ID, &values![id, after.external_id.as_deref()]).await;
        match result {
            Err(error) if error.is_conflict() => return Err(StoreError::Taken(Taken::ExternalId)),
            other => other?,
        };
    }
    store_parts(tx, vault, Some(before), after).await
}

/// Deletes the identity with its credentials and addresses and whatever it was in the middle of; `false` when there is
/// none. Its sessions are the caller's.
pub async fn delete(tx: &mut WriteTx, id: IdentityId) -> Result<bool, Error> {
    tx.touch(id.as_uuid().as_bytes());
    for statement in [&DELETE_FLOWS, &DELETE_CODES, &DELETE_CONTINUITIES] {
        tx.execute(statement, &values![id.as_uuid()]).await?;
    }
    familiar_clients::delete_of_identity(tx, id).await?;
    credentials::delete_of_identity(tx, id).await?;
    addresses::delete_of_identity(tx, id).await?;
    Ok(tx.execute(&DELETE, &values![id.as_uuid()]).await? == 1)
}

async fn store_parts(
    tx: &mut WriteTx,
    vault: Vault<'_>,
    before: Option<&Identity>,
    after: &Identity,
) -> Result<(), StoreError> {
    let nothing = crate::domain::Credentials::new();
    let old = before.map_or(&nothing, |before| &before.credentials);
    if let Some((kind, identifier)) = credentials::store(tx, vault, after.id, old, &after.credentials).await? {
        return Err(StoreError::Taken(Taken::Identifier { kind, identifier }));
    }
    addresses::store(tx, before, after).await
}

async fn with_addresses(tx: &mut impl Read, row: Option<Row>) -> Result<Option<Identity>, Error> {
    let Some(row) = row else { return Ok(None) };
    let mut identity = read(&row, 0)?;
    addresses::load(tx, &mut identity).await?;
    Ok(Some(identity))
}

async fn with_credentials(
    tx: &mut impl Read,
    vault: Vault<'_>,
    identity: Option<Identity>,
) -> Result<Option<Identity>, Error> {
    let Some(mut identity) = identity else { return Ok(None) };
    identity.credentials = credentials::load(tx, vault, identity.id).await?;
    Ok(Some(identity))
}

/// Reads the columns of [`columns`] from position `at` on.
pub(super) fn read(row: &Row, at: usize) -> Result<Identity, Error> {
    let optional_json =
        |position: usize| row.get::<Option<String>>(at + position)?.map(|text| json(TABLE, &text)).transpose();
    Ok(Identity {
        id: IdentityId::from_uuid(row.get(at)?),
        schema_id: row.get(at + 1)?,
        state: word(TABLE, &row.get::<String>(at + 2)?, State::parse)?,
        state_changed_at: row.get(at + 3)?,
        traits: json(TABLE, &row.get::<String>(at + 4)?)?,
        metadata_public: optional_json(5)?,
        metadata_admin: optional_json(6)?,
        external_id: row.get(at + 7)?,
        organization_id: row.get(at + 8)?,
        available_aal: word(TABLE, &row.get::<String>(at + 9)?, Aal::parse)?,
        verifiable_addresses: Vec::new(),
        recovery_addresses: Vec::new(),
        credentials: crate::domain::Credentials::new(),
        created_at: row.get(at + 10)?,
        updated_at: row.get(at + 11)?,
        version: row.get(at + 12)?,
    })
}

#[cfg(test)]
mod tests;
