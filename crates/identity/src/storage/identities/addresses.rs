//! Verifiable and recovery addresses: rows of their own, written and read with their identity.

use base::Timestamp;
use database::{Error, Read, Row, WriteTx, values};
use uuid::Uuid;

use super::{StoreError, Taken};
use crate::domain::{
    AddressStatus, Identity, IdentityId, RecoveryAddress, RecoveryAddressId, VerifiableAddress, VerifiableAddressId,
    Via,
};
use crate::storage::word;

const VERIFIABLE: &str = "identity_verifiable_addresses";
const RECOVERY: &str = "identity_recovery_addresses";

database::statements! {
    /// An address and its owner, by the normalized value that a user entered.
    FIND_VERIFIABLE = "SELECT id, via, value, status, verified, verified_at, created_at, updated_at, identity_id \
                       FROM identity_verifiable_addresses WHERE tenant_id = $1 AND via = $2 AND value = $3";
    FIND_RECOVERY = "SELECT id, via, value, created_at, updated_at, identity_id \
                     FROM identity_recovery_addresses WHERE tenant_id = $1 AND via = $2 AND value = $3";
    INSERT_VERIFIABLE = "INSERT INTO identity_verifiable_addresses (tenant_id, id, identity_id, via, value, status, \
                         verified, verified_at, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
                         ON CONFLICT DO NOTHING";
    /// Only if the state is the one that was read: the verification of an address does not lock its identity.
    UPDATE_VERIFIABLE = "UPDATE identity_verifiable_addresses SET status = $3, verified = $4, verified_at = $5, \
                         updated_at = $6 WHERE tenant_id = $1 AND id = $2 AND status = $7 AND verified = $8";
    /// The user proved ownership of the address.
    MARK_VERIFIED = "UPDATE identity_verifiable_addresses SET status = 'completed', verified = TRUE, verified_at = $3, \
                     updated_at = $3 WHERE tenant_id = $1 AND id = $2 RETURNING identity_id";
    MARK_SENT = "UPDATE identity_verifiable_addresses SET status = 'sent', updated_at = $3 \
                 WHERE tenant_id = $1 AND id = $2 AND status = 'pending' RETURNING identity_id";
    DELETE_VERIFIABLE = "DELETE FROM identity_verifiable_addresses WHERE tenant_id = $1 AND id = $2";
    DELETE_VERIFIABLE_OF_IDENTITY = "DELETE FROM identity_verifiable_addresses WHERE tenant_id = $1 AND identity_id = $2";
    INSERT_RECOVERY = "INSERT INTO identity_recovery_addresses (tenant_id, id, identity_id, via, value, created_at, \
                       updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    DELETE_RECOVERY = "DELETE FROM identity_recovery_addresses WHERE tenant_id = $1 AND id = $2";
    DELETE_RECOVERY_OF_IDENTITY = "DELETE FROM identity_recovery_addresses WHERE tenant_id = $1 AND identity_id = $2";
}

/// A verifiable address and the identity that it belongs to; `value` is normalized.
pub async fn find_verifiable(
    tx: &mut impl Read,
    via: Via,
    value: &str,
) -> Result<Option<(VerifiableAddress, IdentityId)>, Error> {
    let row = tx.query_opt(&FIND_VERIFIABLE, &values![via.as_str(), value]).await?;
    row.map(|row| Ok((read_verifiable(&row)?, IdentityId::from_uuid(row.get(8)?)))).transpose()
}

/// A recovery address and the identity that it belongs to; `value` is normalized.
pub async fn find_recovery(
    tx: &mut impl Read,
    via: Via,
    value: &str,
) -> Result<Option<(RecoveryAddress, IdentityId)>, Error> {
    let row = tx.query_opt(&FIND_RECOVERY, &values![via.as_str(), value]).await?;
    row.map(|row| Ok((read_recovery(&row)?, IdentityId::from_uuid(row.get(5)?)))).transpose()
}

/// Records that the user owns the address; `false` when the address is gone.
pub async fn mark_verified(tx: &mut WriteTx, id: VerifiableAddressId, now: Timestamp) -> Result<bool, Error> {
    let owner = tx.query_opt(&MARK_VERIFIED, &values![id.as_uuid(), now]).await?;
    touch_owner(tx, owner.as_ref())
}

/// Records that a code was sent to an unverified address.
pub async fn mark_sent(tx: &mut WriteTx, id: VerifiableAddressId, now: Timestamp) -> Result<(), Error> {
    let owner = tx.query_opt(&MARK_SENT, &values![id.as_uuid(), now]).await?;
    touch_owner(tx, owner.as_ref()).map(|_| ())
}

/// Invalidates cached data of the owner if an address changed; `false` when none changed.
fn touch_owner(tx: &mut WriteTx, owner: Option<&Row>) -> Result<bool, Error> {
    let Some(owner) = owner else { return Ok(false) };
    tx.touch(owner.get::<Uuid>(0)?.as_bytes());
    Ok(true)
}

/// Writes the difference. Old addresses are deleted first, so that a value may move from one row to another.
pub(super) async fn store(tx: &mut WriteTx, before: Option<&Identity>, after: &Identity) -> Result<(), StoreError> {
    let owner = after.id.as_uuid();
    let (old, old_recovery) =
        before.map_or((&[][..], &[][..]), |before| (&before.verifiable_addresses, &before.recovery_addresses));
    for gone in old.iter().filter(|old| !after.verifiable_addresses.iter().any(|new| new.id == old.id)) {
        tx.execute(&DELETE_VERIFIABLE, &values![gone.id.as_uuid()]).await?;
    }
    for gone in old_recovery.iter().filter(|old| !after.recovery_addresses.iter().any(|new| new.id == old.id)) {
        tx.execute(&DELETE_RECOVERY, &values![gone.id.as_uuid()]).await?;
    }
    for address in &after.verifiable_addresses {
        let VerifiableAddress { id, via, value, status, verified, verified_at, created_at, updated_at } = address;
        let (id, status) = (id.as_uuid(), status.as_str());
        match old.iter().find(|old| old.id == address.id) {
            Some(known) if known == address => {}
            Some(known) => {
                let before = (known.status.as_str(), known.verified);
                let values = values![id, status, *verified, *verified_at, *updated_at, before.0, before.1];
                if tx.execute(&UPDATE_VERIFIABLE, &values).await? != 1 {
                    return Err(StoreError::Stale);
                }
            }
            None => {
                let via = via.as_str();
                let values = values![id, owner, via, value, status, *verified, *verified_at, *created_at, *updated_at];
                if tx.execute(&INSERT_VERIFIABLE, &values).await? == 0 {
                    return Err(StoreError::Taken(Taken::VerifiableAddress(value.clone())));
                }
            }
        }
    }
    for address in &after.recovery_addresses {
        if old_recovery.iter().any(|old| old.id == address.id) {
            continue;
        }
        let RecoveryAddress { id, via, value, created_at, updated_at } = address;
        let values = values![id.as_uuid(), owner, via.as_str(), value, *created_at, *updated_at];
        if tx.execute(&INSERT_RECOVERY, &values).await? == 0 {
            return Err(StoreError::Taken(Taken::RecoveryAddress(value.clone())));
        }
    }
    Ok(())
}

pub(super) async fn delete_of_identity(tx: &mut WriteTx, id: IdentityId) -> Result<(), Error> {
    tx.execute(&DELETE_VERIFIABLE_OF_IDENTITY, &values![id.as_uuid()]).await?;
    tx.execute(&DELETE_RECOVERY_OF_IDENTITY, &values![id.as_uuid()]).await.map(|_| ())
}

fn read_verifiable(row: &Row) -> Result<VerifiableAddress, Error> {
    Ok(VerifiableAddress {
        id: VerifiableAddressId::from_uuid(row.get(0)?),
        via: word(VERIFIABLE, &row.get::<String>(1)?, Via::parse)?,
        value: row.get(2)?,
        status: word(VERIFIABLE, &row.get::<String>(3)?, AddressStatus::parse)?,
        verified: row.get(4)?,
        verified_at: row.get(5)?,
        created_at: row.get(6)?,
        updated_at: row.get(7)?,
    })
}

fn read_recovery(row: &Row) -> Result<RecoveryAddress, Error> {
    Ok(RecoveryAddress {
        id: RecoveryAddressId::from_uuid(row.get(0)?),
        via: word(RECOVERY, &row.get::<String>(1)?, Via::parse)?,
        value: row.get(2)?,
        created_at: row.get(3)?,
        updated_at: row.get(4)?,
    })
}
