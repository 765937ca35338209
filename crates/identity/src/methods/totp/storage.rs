//! The step of the last used code, in the row of the credential.

use database::{Error, WriteTx, values};

use crate::domain::IdentityId;

database::statements! {
    USE_STEP = "UPDATE identity_credentials SET used_step = $3 \
                WHERE tenant_id = $1 AND identity_id = $2 AND type = 'totp' AND (used_step IS NULL OR used_step < $3)";
}

/// Marks a step as used (RFC 6238 section 5.2: a code is accepted once). `false` when it or a later one is already used, or
/// the credential is gone.
pub(super) async fn use_step(tx: &mut WriteTx, id: IdentityId, step: i64) -> Result<bool, Error> {
    Ok(tx.execute(&USE_STEP, &values![id.as_uuid(), step]).await? == 1)
}
