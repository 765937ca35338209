//! Devices and networks that a user signed in from, as digests: a limited number per user, for a limited time.

use base::Timestamp;
use database::{Error, WriteTx, values};

use crate::domain::IdentityId;
use crate::domain::attempt_limit::{Counter, MAX_FAMILIAR};

database::statements! {
    UPSERT = "INSERT INTO identity_familiar_clients (tenant_id, identity_id, client, seen_at, expires_at) VALUES ($1, $2, $3, $4, $5) \
              ON CONFLICT (tenant_id, identity_id, client) DO UPDATE SET seen_at = $4, expires_at = $5";
    UPSERT_TWO = "INSERT INTO identity_familiar_clients (tenant_id, identity_id, client, seen_at, expires_at) \
                  VALUES ($1, $2, $3, $4, $5), ($1, $2, $6, $4, $5) \
                  ON CONFLICT (tenant_id, identity_id, client) DO UPDATE SET seen_at = $4, expires_at = $5";
    /// Deletes all but the latest.
    DELETE_OLDEST = "DELETE FROM identity_familiar_clients WHERE tenant_id = $1 AND identity_id = $2 AND client IN \
                     (SELECT client FROM identity_familiar_clients WHERE tenant_id = $1 AND identity_id = $2 \
                      ORDER BY seen_at DESC, client LIMIT 1000 OFFSET $3)";
    DELETE_OF_IDENTITY = "DELETE FROM identity_familiar_clients WHERE tenant_id = $1 AND identity_id = $2";
}

/// Records that the user signed in from this device or network, or from both.
pub async fn insert(
    tx: &mut WriteTx,
    person: IdentityId,
    clients: &[Counter],
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), Error> {
    let person = person.as_uuid();
    match clients {
        [first, second] if first != second => {
            let values = values![person, first.as_bytes(), now, expires_at, second.as_bytes()];
            tx.append(&UPSERT_TWO, &values).await
        }
        [client, ..] => tx.append(&UPSERT, &values![person, client.as_bytes(), now, expires_at]).await,
        [] => Ok(()),
    }
}

/// Deletes all but the latest clients of a user.
pub async fn delete_oldest(tx: &mut WriteTx, person: IdentityId) -> Result<(), Error> {
    tx.append(&DELETE_OLDEST, &values![person.as_uuid(), i64::from(MAX_FAMILIAR)]).await
}

pub async fn delete_of_identity(tx: &mut WriteTx, person: IdentityId) -> Result<(), Error> {
    tx.execute(&DELETE_OF_IDENTITY, &values![person.as_uuid()]).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use base::{Rng, TenantId};

    use super::*;
    use crate::storage::attempts;

    #[tokio::test]
    async fn only_the_latest_clients_of_a_person_are_kept_and_they_expire() {
        database::testing::on_both_engines(&[jobs::MIGRATIONS, crate::MIGRATIONS], |database| async move {
            let rng = Rng::seeded(1);
            let (person, other) = (IdentityId::generate(&rng), IdentityId::generate(&rng));
            let client = |number: i64| Counter::network(&number.to_string());
            let at = Timestamp::from_unix_seconds;
            let most = i64::from(MAX_FAMILIAR);
            let mut tx = database.write(TenantId::DEFAULT).await.unwrap();
            insert(&mut tx, other, &[client(1)], at(1), at(1_000)).await.unwrap();
            for number in 1..=most + 4 {
                insert(&mut tx, person, &[client(number)], at(number), at(1_000)).await.unwrap();
            }
            delete_oldest(&mut tx, person).await.unwrap();
            for (person, number, now, is_known) in [
                (person, 4, 100, false),
                (person, 5, 100, true),
                (person, most + 4, 100, true),
                (person, most + 4, 1_000, false),
                (other, 1, 100, true),
            ] {
                let found = attempts::familiar(&mut tx, person, &[client(number)], at(now)).await.unwrap();
                assert_eq!(found.contains_key(&client(number)), is_known, "{number} at {now}");
            }
            delete_of_identity(&mut tx, person).await.unwrap();
            assert!(attempts::familiar(&mut tx, person, &[client(10)], at(100)).await.unwrap().is_empty());
            tx.commit().await.unwrap();
        })
        .await;
    }
}
