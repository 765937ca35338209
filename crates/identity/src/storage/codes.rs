//! One-time codes and the tokens of links. A code belongs to one flow and one purpose, is redeemed by one conditional
//! update, and is stored sealed or as a digest.

use base::{Timestamp, seal::Purpose};
use database::{Error, Read, Row, WriteTx, values};
use uuid::Uuid;

use crate::domain::code::{AskedBy, Code, CodeId, CodePurpose};
use crate::domain::flow::FlowId;
use crate::domain::{IdentityId, Via};

database::statements! {
    /// The codes of a flow that were not redeemed, including superseded ones.
    OPEN_CODES = "SELECT id, digest, identity_id, via, address, attempts, created_at, expires_at, asked_by FROM identity_codes \
                  WHERE tenant_id = $1 AND flow_id = $2 AND purpose = $3 AND used_at IS NULL ORDER BY created_at DESC";
    INSERT = "INSERT INTO identity_codes (tenant_id, id, purpose, flow_id, digest, identity_id, via, address, attempts, created_at, expires_at, used_at, asked_by) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, NULL, $12)";
    COUNT_ATTEMPT = "UPDATE identity_codes SET attempts = attempts + 1 \
                     WHERE tenant_id = $1 AND flow_id = $2 AND purpose = $3 AND used_at IS NULL";
    REDEEM = "UPDATE identity_codes SET used_at = $3 WHERE tenant_id = $1 AND id = $2 AND used_at IS NULL AND length(digest) > 0";
    DELETE_OF_FLOW = "DELETE FROM identity_codes WHERE tenant_id = $1 AND flow_id = $2 AND purpose = $3 AND used_at IS NULL";
    /// An empty digest matches no guess.
    SUPERSEDE = "UPDATE identity_codes SET digest = $6 WHERE tenant_id = $1 AND identity_id = $2 AND purpose IN ($3, $4) \
                 AND asked_by = $5 AND used_at IS NULL";
    VOID_RECOVERY = "UPDATE identity_codes SET digest = $3 WHERE tenant_id = $1 AND identity_id = $2 \
                     AND purpose IN ('recovery', 'recovery_link') AND used_at IS NULL";
}

/// The purpose that digits are sealed for.
pub const SEALED: Purpose = Purpose("identity code");

pub async fn insert(tx: &mut WriteTx, code: &Code) -> Result<(), Error> {
    let values = values![
        code.id.as_uuid(),
        code.purpose.as_str(),
        code.flow_id.as_uuid(),
        &code.at_rest,
        code.identity_id.map(IdentityId::as_uuid),
        code.via.as_str(),
        &code.address,
        code.attempts,
        code.created_at,
        code.expires_at,
        code.asked_by.as_str(),
    ];
    tx.execute(&INSERT, &values).await.map(|_| ())
}

pub async fn open(tx: &mut impl Read, flow: FlowId, purpose: CodePurpose) -> Result<Vec<Code>, Error> {
    let rows = tx.query(&OPEN_CODES, &values![flow.as_uuid(), purpose.as_str()]).await?;
    rows.into_iter().map(|row| read(&row, flow, purpose)).collect()
}

/// Counts a wrong guess for every open code of the flow.
pub async fn count_attempt(tx: &mut WriteTx, flow: FlowId, purpose: CodePurpose) -> Result<(), Error> {
    tx.execute(&COUNT_ATTEMPT, &values![flow.as_uuid(), purpose.as_str()]).await.map(|_| ())
}

/// Redeems the code; `false` when it was redeemed concurrently or superseded.
pub async fn redeem(tx: &mut WriteTx, code: CodeId, now: Timestamp) -> Result<bool, Error> {
    Ok(tx.execute(&REDEEM, &values![code.as_uuid(), now]).await? == 1)
}

/// Deletes the codes of a flow that were not redeemed, because new ones are sent.
pub async fn delete_open(tx: &mut WriteTx, flow: FlowId, purpose: CodePurpose) -> Result<(), Error> {
    tx.execute(&DELETE_OF_FLOW, &values![flow.as_uuid(), purpose.as_str()]).await.map(|_| ())
}

/// Invalidates the user's open codes for these purposes, because new ones are sent to the same kind of requester. The rows
/// remain and continue to count guesses: a flow with a superseded code must be indistinguishable from the flow of an unknown
/// account, whose code is never superseded.
pub async fn supersede_of_person(
    tx: &mut WriteTx,
    person: IdentityId,
    purposes: [CodePurpose; 2],
    asked_by: AskedBy,
) -> Result<(), Error> {
    let nothing: &[u8] = b"";
    let [first, second] = purposes.map(CodePurpose::as_str);
    let values = values![person.as_uuid(), first, second, asked_by.as_str(), nothing];
    tx.execute(&SUPERSEDE, &values).await.map(|_| ())
}

/// Invalidates every recovery code and link of a user, whoever requested it: the account was recovered or its password
/// changed after they were sent.
pub async fn invalidate_recovery(tx: &mut WriteTx, person: IdentityId) -> Result<(), Error> {
    let nothing: &[u8] = b"";
    tx.execute(&VOID_RECOVERY, &values![person.as_uuid(), nothing]).await.map(|_| ())
}

fn read(row: &Row, flow_id: FlowId, purpose: CodePurpose) -> Result<Code, Error> {
    let via: String = row.get(3)?;
    let asked_by: String = row.get(8)?;
    Ok(Code {
        id: CodeId::from_uuid(row.get(0)?),
        purpose,
        flow_id,
        at_rest: row.get(1)?,
        identity_id: row.get::<Option<Uuid>>(2)?.map(IdentityId::from_uuid),
        via: Via::parse(&via)
            .ok_or_else(|| Error::inconsistent("identity_codes", format!("unknown channel {via:?}")))?,
        address: row.get(4)?,
        asked_by: super::word("identity_codes", &asked_by, AskedBy::parse)?,
        attempts: row.get(5)?,
        created_at: row.get(6)?,
        expires_at: row.get(7)?,
    })
}
