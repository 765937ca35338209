//! Page tokens and snapshot tokens.
//!
//! Their secret is in the database, so that all nodes have it without configuration. It protects less than what the database
//! holds beside it: a forged token gives access to nothing. Invariants:
//! - A token belongs to one tenant, to one database and to one purpose; a page token also to one query.
//! - A token never reaches SQL as text.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use base::seal::Purpose;
use base::{Context, Rng, Sealer, Secret, TenantId};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use database::Database;

use crate::domain::snapshot::Snapshot;
use crate::storage::state;

const SNAPSHOT: Purpose = Purpose("snapshot of relation tuples");
/// The bytes of a sequence, and of the tag behind it.
const SEQUENCE: usize = 8;
const TAG: usize = 16;

pub(crate) struct Tokens {
    database: Database,
    rng: Rng,
    sealers: RwLock<BTreeMap<TenantId, Sealer>>,
}

/// The token was not made for this tenant by this database, or was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a snapshot token of this database")]
pub struct InvalidSnaptoken;

impl Tokens {
    pub(crate) fn new(database: Database, rng: Rng) -> Self {
        Self { database, rng, sealers: RwLock::default() }
    }

    /// The sealer of the tenant. The first caller of all nodes creates the secret.
    pub(crate) async fn sealer(&self, cx: &Context) -> Result<Sealer, database::Error> {
        let known = self.sealers.read().unwrap_or_else(PoisonError::into_inner).get(&cx.tenant).cloned();
        if let Some(sealer) = known {
            return Ok(sealer);
        }
        let key = match state::find_token_key(&mut self.database.read(cx.tenant)).await? {
            Some(key) => key,
            None => self.create(cx.tenant).await?,
        };
        let sealer = Sealer::new(&[Secret::new(key)], self.rng.clone());
        let sealer = sealer.ok_or_else(|| database::Error::inconsistent("permissions_state", "no secret"))?;
        self.sealers.write().unwrap_or_else(PoisonError::into_inner).insert(cx.tenant, sealer.clone());
        Ok(sealer)
    }

    /// The secret that this node, or another one at the same time, created.
    async fn create(&self, tenant: TenantId) -> Result<String, database::Error> {
        let key = URL_SAFE_NO_PAD.encode(self.rng.bytes::<32>());
        let mut tx = self.database.write(tenant).await?;
        state::insert(&mut tx, &key).await?;
        let kept = state::find_token_key(&mut tx).await?;
        tx.commit().await?;
        Ok(kept.unwrap_or(key))
    }
}

/// The token of a snapshot: its sequence and a tag.
pub(crate) fn snaptoken(sealer: &Sealer, tenant: TenantId, snapshot: Snapshot) -> String {
    let sequence = snapshot.0.to_be_bytes();
    let tag: [u8; TAG] = sealer.tag(SNAPSHOT, tenant, &sequence);
    URL_SAFE_NO_PAD.encode([sequence.as_slice(), &tag].concat())
}

/// The snapshot of a token.
pub(crate) fn open_snaptoken(sealer: &Sealer, tenant: TenantId, token: &str) -> Result<Snapshot, InvalidSnaptoken> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| InvalidSnaptoken)?;
    let (sequence, tag) = bytes.split_first_chunk::<SEQUENCE>().ok_or(InvalidSnaptoken)?;
    let tag: &[u8; TAG] = tag.try_into().map_err(|_| InvalidSnaptoken)?;
    if !sealer.is_tagged(SNAPSHOT, tenant, sequence, tag) {
        return Err(InvalidSnaptoken);
    }
    Ok(Snapshot(i64::from_be_bytes(*sequence)))
}

#[cfg(test)]
mod tests {
    use base::{RequestId, Timestamp};
    use database::testing::on_both_engines;

    use super::*;

    #[tokio::test]
    async fn a_token_belongs_to_its_tenant_and_database_and_opens_on_every_node() {
        on_both_engines(&[jobs::MIGRATIONS, crate::MIGRATIONS], |database| async move {
            let cx = |tenant| {
                let rng = Rng::seeded(3);
                Context::for_background(Timestamp::EPOCH, TenantId::from_i32(tenant), RequestId(rng.uuid()))
            };
            let (first, second) =
                (Tokens::new(database.clone(), Rng::seeded(1)), Tokens::new(database, Rng::seeded(2)));
            let (one, other) = (first.sealer(&cx(1)).await.unwrap(), second.sealer(&cx(1)).await.unwrap());
            let token = snaptoken(&one, TenantId::DEFAULT, Snapshot(7));
            assert_eq!(token.len(), 32);
            assert_eq!(open_snaptoken(&other, TenantId::DEFAULT, &token), Ok(Snapshot(7)));
            let stranger = second.sealer(&cx(2)).await.unwrap();
            assert_eq!(open_snaptoken(&stranger, TenantId::from_i32(2), &token), Err(InvalidSnaptoken));
            assert_eq!(open_snaptoken(&one, TenantId::from_i32(2), &token), Err(InvalidSnaptoken));
            for (index, _) in token.char_indices() {
                let changed = if token.as_bytes()[index] == b'A' { "B" } else { "A" };
                let changed = format!("{}{changed}{}", &token[..index], &token[index + 1..]);
                assert_eq!(open_snaptoken(&one, TenantId::DEFAULT, &changed), Err(InvalidSnaptoken), "{index}");
            }
            for broken in ["", "AAAA", "not a token", &token[..31], &format!("{token}AAAA")] {
                assert_eq!(open_snaptoken(&one, TenantId::DEFAULT, broken), Err(InvalidSnaptoken), "{broken}");
            }
        })
        .await;
    }
}
