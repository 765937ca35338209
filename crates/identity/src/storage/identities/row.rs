//! The columns of an identity and how they are read. All parts of the identity are in the same row, as JSON arrays in no
//! particular order: reading an identity takes one statement, whether by id, identifier or session.

use base::Timestamp;
use database::{Error, Row};

use crate::domain::{
    Aal, AddressStatus, Credentials, Identity, IdentityId, RecoveryAddress, RecoveryAddressId, State,
    VerifiableAddress, VerifiableAddressId, Via,
};
use crate::storage::{TenantSealer, credentials, json, rows, word};

const TABLE: &str = "identity_identities";
const VERIFIABLE: &str = "identity_verifiable_addresses";
const RECOVERY: &str = "identity_recovery_addresses";

/// An identity `i` with its addresses, in the format of [`read`].
macro_rules! identity {
    (sqlite) => { $crate::storage::identities::identity!(@ "json_group_array(json_array", "lower(hex(x.id))") };
    (postgres) => { $crate::storage::identities::identity!(@ "json_agg(json_build_array", "CAST(x.id AS text)") };
    (@ $array:literal, $id:literal) => {
        concat!(
            "i.id, i.schema_id, i.state, i.state_changed_at, i.traits, i.metadata_public, i.metadata_admin, i.external_id, \
             i.organization_id, i.available_aal, i.created_at, i.updated_at, i.version, i.address_proved, \
             CAST((SELECT ", $array, "(", $id, ", x.via, x.value, x.status, CASE WHEN x.verified THEN 1 ELSE 0 END, \
                 x.verified_at, x.created_at, x.updated_at)) FROM identity_verifiable_addresses x \
                 WHERE x.tenant_id = $1 AND x.identity_id = i.id) AS text), \
             CAST((SELECT ", $array, "(", $id, ", x.via, x.value, x.created_at, x.updated_at)) \
                 FROM identity_recovery_addresses x WHERE x.tenant_id = $1 AND x.identity_id = i.id) AS text)"
        )
    };
}
pub(in crate::storage) use identity;

/// The number of columns of [`identity`].
const WIDTH: usize = 16;

/// As [`identity`], with the credentials: see [`read_whole`].
macro_rules! whole {
    (sqlite) => { $crate::storage::identities::whole!(@ sqlite, "json_group_array(json_array", "hex(x.config)") };
    (postgres) => { $crate::storage::identities::whole!(@ postgres, "json_agg(json_build_array", "encode(x.config, 'hex')") };
    (@ $engine:ident, $array:literal, $config:literal) => {
        concat!(
            $crate::storage::identities::identity!($engine),
            ", CAST((SELECT ", $array, "(x.type, ", $config, ", x.version, x.created_at, x.updated_at)) \
                 FROM identity_credentials x WHERE x.tenant_id = $1 AND x.identity_id = i.id) AS text), \
             CAST((SELECT ", $array, "(x.type, x.identifier)) \
                 FROM identity_credential_identifiers x WHERE x.tenant_id = $1 AND x.identity_id = i.id) AS text)"
        )
    };
}
pub(in crate::storage) use whole;

/// Id, channel, value, status, verified flag and time, creation and update time.
type VerifiableRow = (VerifiableAddressId, String, String, String, u8, Option<i64>, i64, i64);
/// Id, channel, value, creation and update time.
type RecoveryRow = (RecoveryAddressId, String, String, i64, i64);

/// Reads the columns of [`identity`], from position `at` on.
pub(in crate::storage) fn read(row: &Row, at: usize) -> Result<Identity, Error> {
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
        verifiable_addresses: verifiable_addresses(row, at + 14)?,
        recovery_addresses: recovery_addresses(row, at + 15)?,
        credentials: Credentials::new(),
        created_at: row.get(at + 10)?,
        updated_at: row.get(at + 11)?,
        version: row.get(at + 12)?,
        address_proved: row.get(at + 13)?,
    })
}

/// Reads the columns of [`whole`], from position `at` on.
pub(in crate::storage) fn read_whole(row: &Row, at: usize, sealer: TenantSealer<'_>) -> Result<Identity, Error> {
    Ok(Identity { credentials: credentials::read(row, at + WIDTH, sealer)?, ..read(row, at)? })
}

fn verifiable_addresses(row: &Row, at: usize) -> Result<Vec<VerifiableAddress>, Error> {
    let read = |(id, via, value, status, verified, verified_at, created_at, updated_at): VerifiableRow| {
        Ok(VerifiableAddress {
            id,
            via: word(VERIFIABLE, &via, Via::parse)?,
            value,
            status: word(VERIFIABLE, &status, AddressStatus::parse)?,
            verified: verified != 0,
            verified_at: verified_at.map(Timestamp::from_unix_micros),
            created_at: Timestamp::from_unix_micros(created_at),
            updated_at: Timestamp::from_unix_micros(updated_at),
        })
    };
    let found = rows(VERIFIABLE, row, at)?;
    let mut found = found.into_iter().map(read).collect::<Result<Vec<VerifiableAddress>, Error>>()?;
    found.sort_by(|a, b| (a.created_at, a.via.as_str(), &a.value).cmp(&(b.created_at, b.via.as_str(), &b.value)));
    Ok(found)
}

fn recovery_addresses(row: &Row, at: usize) -> Result<Vec<RecoveryAddress>, Error> {
    let read = |(id, via, value, created_at, updated_at): RecoveryRow| {
        Ok(RecoveryAddress {
            id,
            via: word(RECOVERY, &via, Via::parse)?,
            value,
            created_at: Timestamp::from_unix_micros(created_at),
            updated_at: Timestamp::from_unix_micros(updated_at),
        })
    };
    let found = rows(RECOVERY, row, at)?;
    let mut found = found.into_iter().map(read).collect::<Result<Vec<RecoveryAddress>, Error>>()?;
    found.sort_by(|a, b| (a.created_at, a.via.as_str(), &a.value).cmp(&(b.created_at, b.via.as_str(), &b.value)));
    Ok(found)
}
