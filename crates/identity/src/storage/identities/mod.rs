//! Identities with their addresses. Functions that also load credentials document it.

mod addresses;
mod list;
mod row;

use database::{Error, Read, WriteTx, values};

use super::{TenantSealer, credentials, familiar_clients, word};
use crate::domain::{CredentialType, Identity, IdentityId, State, Via};

pub use addresses::{find_recovery, find_verifiable, mark_sent, mark_verified};
pub use list::{Filter, ListKey, count, list};
pub(super) use row::{identity, read, read_whole, whole};

const TABLE: &str = "identity_identities";

/// The owner of an identifier of a kind.
macro_rules! of_identifier {
    () => {
        " FROM identity_credential_identifiers c JOIN identity_identities i ON i.tenant_id = $1 AND i.id = c.identity_id \
          WHERE c.tenant_id = $1 AND c.identifier = $2 AND c.type = $3"
    };
}

/// The owner of a recovery address.
macro_rules! of_recovery_address {
    () => {
        " FROM identity_recovery_addresses r JOIN identity_identities i ON i.tenant_id = $1 AND i.id = r.identity_id \
          WHERE r.tenant_id = $1 AND r.via = $2 AND r.value = $3"
    };
}

database::statements! {
    FIND = {
        sqlite: concat!("SELECT ", identity!(sqlite), " FROM identity_identities i WHERE i.tenant_id = $1 AND i.id = $2"),
        postgres: concat!("SELECT ", identity!(postgres), " FROM identity_identities i WHERE i.tenant_id = $1 AND i.id = $2"),
    };
    FIND_WHOLE = {
        sqlite: concat!("SELECT ", whole!(sqlite), " FROM identity_identities i WHERE i.tenant_id = $1 AND i.id = $2"),
        postgres: concat!("SELECT ", whole!(postgres), " FROM identity_identities i WHERE i.tenant_id = $1 AND i.id = $2"),
    };
    FIND_BY_EXTERNAL_ID = {
        sqlite: concat!("SELECT ", whole!(sqlite), " FROM identity_identities i WHERE i.tenant_id = $1 AND i.external_id = $2"),
        postgres: concat!("SELECT ", whole!(postgres), " FROM identity_identities i WHERE i.tenant_id = $1 AND i.external_id = $2"),
    };
    FIND_BY_IDENTIFIER = {
        sqlite: concat!("SELECT ", whole!(sqlite), of_identifier!()),
        postgres: concat!("SELECT ", whole!(postgres), of_identifier!()),
    };
    FIND_BY_RECOVERY_ADDRESS = {
        sqlite: concat!("SELECT ", identity!(sqlite), of_recovery_address!()),
        postgres: concat!("SELECT ", identity!(postgres), of_recovery_address!()),
    };
    /// The row is locked until the transaction ends, so that two changes of one identity are serialized.
    LOCK = {
        sqlite: "SELECT id FROM identity_identities WHERE tenant_id = $1 AND id = $2",
        postgres: "SELECT id FROM identity_identities WHERE tenant_id = $1 AND id = $2 FOR UPDATE",
    };
    INSERT = "INSERT INTO identity_identities (tenant_id, id, schema_id, state, state_changed_at, traits, metadata_public, \
              metadata_admin, external_id, organization_id, available_aal, created_at, updated_at, version) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING";
    /// The state and version of an identity, locked until the transaction ends.
    LOCK_VERSION = {
        sqlite: "SELECT state, version FROM identity_identities WHERE tenant_id = $1 AND id = $2",
        postgres: "SELECT state, version FROM identity_identities WHERE tenant_id = $1 AND id = $2 FOR SHARE",
    };
    /// Only if the version is the one that was read. A verified address may be replaced by this change, so it is recorded that
    /// there was one.
    UPDATE = "UPDATE identity_identities SET schema_id = $3, state = $4, state_changed_at = $5, traits = $6, \
              metadata_public = $7, metadata_admin = $8, organization_id = $9, available_aal = $10, updated_at = $11, \
              version = version + 1, address_proved = address_proved OR EXISTS (SELECT 1 FROM identity_verifiable_addresses x \
              WHERE x.tenant_id = $1 AND x.identity_id = $2 AND x.verified) \
              WHERE tenant_id = $1 AND id = $2 AND version = $12";
    UPDATE_EXTERNAL_ID = "UPDATE identity_identities SET external_id = $3 WHERE tenant_id = $1 AND id = $2";
    DELETE = "DELETE FROM identity_identities WHERE tenant_id = $1 AND id = $2";
    DELETE_FLOWS = "DELETE FROM identity_flows WHERE tenant_id = $1 AND identity_id = $2";
    DELETE_CODES = "DELETE FROM identity_codes WHERE tenant_id = $1 AND identity_id = $2";
    DELETE_CONTINUITIES = "DELETE FROM identity_continuities WHERE tenant_id = $1 AND identity_id = $2";
}

pub(crate) const STATEMENTS_OF_ADDRESSES: &[&database::Statement] = addresses::STATEMENTS;
pub(crate) const STATEMENTS_OF_LISTS: &[&database::Statement] = list::STATEMENTS;

/// A value that another identity has already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    Identifier { kind: CredentialType, identifier: String },
    VerifiableAddress(String),
    RecoveryAddress(String),
    ExternalId,
}

/// Whether an identity changed since it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unchanged {
    Yes,
    /// The identity was changed or deleted.
    No,
    Inactive,
}

/// The write failed; the transaction must not commit.
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
    tx.query_opt(&FIND, &values![id.as_uuid()]).await?.map(|row| read(&row, 0)).transpose()
}

/// As [`find`], with the credentials.
pub async fn find_whole(
    tx: &mut impl Read,
    sealer: TenantSealer<'_>,
    id: IdentityId,
) -> Result<Option<Identity>, Error> {
    tx.query_opt(&FIND_WHOLE, &values![id.as_uuid()]).await?.map(|row| read_whole(&row, 0, sealer)).transpose()
}

/// As [`find_whole`], with a lock until the transaction ends. The row is read after it is locked, so that changes that other
/// transactions just committed are visible.
pub async fn lock_whole(tx: &mut WriteTx, sealer: TenantSealer<'_>, id: IdentityId) -> Result<Option<Identity>, Error> {
    match tx.query_opt(&LOCK, &values![id.as_uuid()]).await? {
        Some(_) => find_whole(tx, sealer, id).await,
        None => Ok(None),
    }
}

/// Whether the identity is unchanged since it was read, and active. Locks it until the transaction ends.
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

/// As [`find_whole`], by its external id.
pub async fn find_by_external_id(
    tx: &mut impl Read,
    sealer: TenantSealer<'_>,
    external_id: &str,
) -> Result<Option<Identity>, Error> {
    tx.query_opt(&FIND_BY_EXTERNAL_ID, &values![external_id]).await?.map(|row| read_whole(&row, 0, sealer)).transpose()
}

/// As [`find`], by a recovery address; `value` is normalized.
pub async fn find_by_recovery_address(tx: &mut impl Read, via: Via, value: &str) -> Result<Option<Identity>, Error> {
    let row = tx.query_opt(&FIND_BY_RECOVERY_ADDRESS, &values![via.as_str(), value]).await?;
    row.map(|row| read(&row, 0)).transpose()
}

/// As [`find_whole`], by a normalized identifier of this kind.
pub async fn find_by_identifier(
    tx: &mut impl Read,
    sealer: TenantSealer<'_>,
    kind: CredentialType,
    identifier: &str,
) -> Result<Option<Identity>, Error> {
    let row = tx.query_opt(&FIND_BY_IDENTIFIER, &values![identifier, kind.as_str()]).await?;
    row.map(|row| read_whole(&row, 0, sealer)).transpose()
}

pub async fn insert(tx: &mut WriteTx, sealer: TenantSealer<'_>, identity: &Identity) -> Result<(), StoreError> {
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
    store_parts(tx, sealer, None, identity).await
}

/// Writes the changes since `before`. Fails when `before` is not the stored version.
pub async fn update(
    tx: &mut WriteTx,
    sealer: TenantSealer<'_>,
    before: &Identity,
    after: &Identity,
) -> Result<(), StoreError> {
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
    store_parts(tx, sealer, Some(before), after).await
}

/// Deletes the identity with its credentials, addresses and open flows; `false` when it does not exist. The caller deletes
/// its sessions.
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
    sealer: TenantSealer<'_>,
    before: Option<&Identity>,
    after: &Identity,
) -> Result<(), StoreError> {
    let nothing = crate::domain::Credentials::new();
    let old = before.map_or(&nothing, |before| &before.credentials);
    if let Some((kind, identifier)) = credentials::store(tx, sealer, after.id, old, &after.credentials).await? {
        return Err(StoreError::Taken(Taken::Identifier { kind, identifier }));
    }
    addresses::store(tx, before, after).await
}

#[cfg(test)]
mod tests;
