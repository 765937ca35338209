//! Credentials and their identifiers. Configurations are stored sealed. Identifiers are normalized, so that lookups compare
//! for equality.

use std::collections::BTreeSet;

use base::Timestamp;
use base::seal::Purpose;
use database::{Error, Read, Row, WriteTx, values};
use serde::Serialize;

use super::{TenantSealer, rows, word};
use crate::domain::credential::CredentialConfig;
use crate::domain::{Credential, CredentialType, Credentials, IdentityId};

const SEALED: Purpose = Purpose("identity credential");
const TABLE: &str = "identity_credentials";

macro_rules! upsert {
    ($config:literal, $rows:literal) => {
        concat!(
            "INSERT INTO identity_credentials (tenant_id, identity_id, type, config, version, created_at, updated_at) \
             SELECT $1, $2, value ->> 0, ",
            $config,
            ", CAST(value ->> 2 AS integer), CAST(value ->> 3 AS bigint), CAST(value ->> 4 AS bigint) FROM ",
            $rows,
            " WHERE TRUE ON CONFLICT (tenant_id, identity_id, type) \
             DO UPDATE SET config = excluded.config, version = excluded.version, updated_at = excluded.updated_at, \
                 used_step = NULL"
        )
    };
}

macro_rules! claim {
    ($rows:literal) => {
        concat!(
            "INSERT INTO identity_credential_identifiers (tenant_id, identifier, type, identity_id) \
             SELECT $1, value ->> 1, value ->> 0, $2 FROM ",
            $rows,
            " WHERE TRUE ON CONFLICT DO NOTHING RETURNING type, identifier"
        )
    };
}

database::statements! {
    /// The owner of an identifier of a kind.
    FIND_OWNER = "SELECT identity_id FROM identity_credential_identifiers \
                  WHERE tenant_id = $1 AND identifier = $2 AND type = $3";
    /// The owners of an identifier of any kind.
    FIND_OWNERS = "SELECT type, identity_id FROM identity_credential_identifiers \
                   WHERE tenant_id = $1 AND identifier = $2 ORDER BY type";
    /// Any number of credentials, as one JSON array.
    UPSERT = {
        sqlite: upsert!("unhex(value ->> 1)", "json_each($3)"),
        postgres: upsert!("decode(value ->> 1, 'hex')", "json_array_elements(CAST(CAST($3 AS text) AS json))"),
    };
    /// The row is locked until the transaction ends, so that two uses of one secret are serialized.
    LOCK = {
        sqlite: "SELECT config, version, created_at, updated_at FROM identity_credentials \
                 WHERE tenant_id = $1 AND identity_id = $2 AND type = $3",
        postgres: "SELECT config, version, created_at, updated_at FROM identity_credentials \
                   WHERE tenant_id = $1 AND identity_id = $2 AND type = $3 FOR UPDATE",
    };
    UPDATE_CONFIG = "UPDATE identity_credentials SET config = $4, updated_at = $5 \
                     WHERE tenant_id = $1 AND identity_id = $2 AND type = $3";
    DELETE = "DELETE FROM identity_credentials WHERE tenant_id = $1 AND identity_id = $2 AND type = $3";
    DELETE_OF_IDENTITY = "DELETE FROM identity_credentials WHERE tenant_id = $1 AND identity_id = $2";
    /// Any number of identifiers, as one JSON array; returns those that nobody else has.
    CLAIM_IDENTIFIERS = {
        sqlite: claim!("json_each($3)"),
        postgres: claim!("json_array_elements(CAST(CAST($3 AS text) AS json))"),
    };
    RELEASE_IDENTIFIER = "DELETE FROM identity_credential_identifiers \
                          WHERE tenant_id = $1 AND identifier = $2 AND type = $3 AND identity_id = $4";
    RELEASE_OF_IDENTITY = "DELETE FROM identity_credential_identifiers WHERE tenant_id = $1 AND identity_id = $2";
}

/// The owner of a normalized identifier of this kind.
pub async fn find_owner(
    tx: &mut impl Read,
    kind: CredentialType,
    identifier: &str,
) -> Result<Option<IdentityId>, Error> {
    let row = tx.query_opt(&FIND_OWNER, &values![identifier, kind.as_str()]).await?;
    row.map(|row| row.get(0).map(IdentityId::from_uuid)).transpose()
}

/// The owners of a normalized identifier of any kind.
pub async fn find_owners(tx: &mut impl Read, identifier: &str) -> Result<Vec<(CredentialType, IdentityId)>, Error> {
    let rows = tx.query(&FIND_OWNERS, &values![identifier]).await?;
    rows.iter()
        .map(|row| {
            let kind = word(TABLE, &row.get::<String>(0)?, CredentialType::parse)?;
            Ok((kind, IdentityId::from_uuid(row.get(1)?)))
        })
        .collect()
}

/// Returns the first identifier that another identity has; the transaction must not commit then.
pub(super) async fn store(
    tx: &mut WriteTx,
    sealer: TenantSealer<'_>,
    id: IdentityId,
    before: &Credentials,
    after: &Credentials,
) -> Result<Option<(CredentialType, String)>, Error> {
    let id = id.as_uuid();
    for (kind, old) in before {
        let kept = after.get(kind).map_or(&[][..], |credential| &credential.identifiers);
        for identifier in old.identifiers.iter().filter(|identifier| !kept.contains(identifier)) {
            tx.execute(&RELEASE_IDENTIFIER, &values![identifier, kind.as_str(), id]).await?;
        }
        if !after.contains_key(kind) {
            tx.execute(&DELETE, &values![id, kind.as_str()]).await?;
        }
    }
    let mut changed: Vec<StoredCredential> = Vec::new();
    let mut claimed: Vec<(CredentialType, String)> = Vec::new();
    for (kind, new) in after {
        let old = before.get(kind);
        if old.is_none_or(|old| !is_stored_alike(old, new)) {
            let config = hex::encode(sealer.seal(SEALED, &new.config.to_json()));
            let times = [new.created_at, new.updated_at].map(Timestamp::unix_micros);
            changed.push((kind.as_str().to_owned(), config, new.version, times[0], times[1]));
        }
        let known = old.map_or(&[][..], |old| &old.identifiers);
        let new = new.identifiers.iter().filter(|identifier| !known.contains(identifier));
        claimed.extend(new.map(|identifier| (*kind, identifier.clone())));
    }
    if !changed.is_empty() {
        tx.append(&UPSERT, &values![id, text(&changed)?]).await?;
    }
    if claimed.is_empty() {
        return Ok(None);
    }
    let rows: Vec<_> = claimed.iter().map(|(kind, identifier)| (kind.as_str(), identifier)).collect();
    let mut free = BTreeSet::new();
    for row in tx.query(&CLAIM_IDENTIFIERS, &values![id, text(&rows)?]).await? {
        free.insert((word(TABLE, &row.get::<String>(0)?, CredentialType::parse)?, row.get::<String>(1)?));
    }
    Ok(claimed.into_iter().find(|claim| !free.contains(claim)))
}

fn text(rows: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(rows).map_err(|error| Error::inconsistent(TABLE, error.to_string()))
}

/// Whether both have the same row; identifiers have rows of their own.
fn is_stored_alike(old: &Credential, new: &Credential) -> bool {
    (&old.config, old.version, old.updated_at) == (&new.config, new.version, new.updated_at)
}

/// Writes one credential of an identity whose identifiers do not change: a new hash, a used recovery code. `false` when the
/// credential is gone. The caller must hold the lock of [`super::identities::lock_unchanged`].
pub async fn update_config(
    tx: &mut WriteTx,
    sealer: TenantSealer<'_>,
    id: IdentityId,
    credential: &Credential,
) -> Result<bool, Error> {
    let config = sealer.seal(SEALED, &credential.config.to_json());
    let values = values![id.as_uuid(), credential.kind().as_str(), config, credential.updated_at];
    Ok(tx.execute(&UPDATE_CONFIG, &values).await? == 1)
}

/// A credential without its identifiers, locked until the transaction ends.
pub async fn lock(
    tx: &mut WriteTx,
    sealer: TenantSealer<'_>,
    id: IdentityId,
    kind: CredentialType,
) -> Result<Option<Credential>, Error> {
    let Some(row) = tx.query_opt(&LOCK, &values![id.as_uuid(), kind.as_str()]).await? else { return Ok(None) };
    let config = open(kind, sealer, &row.get::<Vec<u8>>(0)?)?;
    let (version, created_at, updated_at) = (row.get(1)?, row.get(2)?, row.get(3)?);
    Ok(Some(Credential { identifiers: Vec::new(), config, version, created_at, updated_at }))
}

fn open(kind: CredentialType, sealer: TenantSealer<'_>, sealed: &[u8]) -> Result<CredentialConfig, Error> {
    let config = sealer.open(SEALED, TABLE, sealed)?;
    match CredentialConfig::from_json(kind, config.clone()) {
        Ok(config) => Ok(config),
        Err(error) => {
            // Data that an older release accepted must not block the rest of the account.
            tracing::warn!(%kind, %error, "a stored credential cannot be read and is ignored");
            let members = config.as_object().cloned().unwrap_or_default();
            Ok(CredentialConfig::Opaque(kind, members))
        }
    }
}

pub(super) async fn delete_of_identity(tx: &mut WriteTx, id: IdentityId) -> Result<(), Error> {
    tx.execute(&RELEASE_OF_IDENTITY, &values![id.as_uuid()]).await?;
    tx.execute(&DELETE_OF_IDENTITY, &values![id.as_uuid()]).await.map(|_| ())
}

/// Kind, sealed configuration as hexadecimal text, version, creation and update time.
type StoredCredential = (String, String, i32, i64, i64);

/// Reads the two columns of credentials, from position `at` on.
pub(super) fn read(row: &Row, at: usize, sealer: TenantSealer<'_>) -> Result<Credentials, Error> {
    let mut credentials = Credentials::new();
    for (kind, config, version, created_at, updated_at) in rows::<StoredCredential>(TABLE, row, at)? {
        let kind = word(TABLE, &kind, CredentialType::parse)?;
        let sealed = hex::decode(config).map_err(|error| Error::inconsistent(TABLE, error.to_string()))?;
        let config = open(kind, sealer, &sealed)?;
        let credential = Credential {
            identifiers: Vec::new(),
            config,
            version,
            created_at: Timestamp::from_unix_micros(created_at),
            updated_at: Timestamp::from_unix_micros(updated_at),
        };
        credentials.insert(kind, credential);
    }
    for (kind, identifier) in rows::<(String, String)>(TABLE, row, at + 1)? {
        let kind = word(TABLE, &kind, CredentialType::parse)?;
        if let Some(credential) = credentials.get_mut(&kind) {
            credential.identifiers.push(identifier);
        }
    }
    for credential in credentials.values_mut() {
        credential.identifiers.sort();
    }
    Ok(credentials)
}
