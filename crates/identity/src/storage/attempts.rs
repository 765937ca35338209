//! Attempt budgets. A row exists while a budget is not full, and contains the time when it is full again. The key of a
//! budget is stored as a digest: no address or identifier is kept.

use std::collections::HashMap;

use base::{Budget, Timestamp};
use database::{Error, Read, WriteTx, values};
use uuid::Uuid;

use crate::domain::IdentityId;
use crate::domain::attempt_limit::Counter;

/// The kind of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Guess,
    Message,
    TakenName,
}

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Guess => "guess",
            Self::Message => "message",
            Self::TakenName => "taken_name",
        }
    }
}

/// The maximum number of budgets of one guess.
pub const GUESS_COUNTERS: usize = 6;

/// A device and a network.
pub const CLIENTS: usize = 2;

database::statements! {
    /// The budgets of a guess that are not full, and the clients that are familiar to the user.
    GUESS_USAGE = "SELECT 0, subject, expires_at FROM identity_attempts \
                   WHERE tenant_id = $1 AND kind = 'guess' AND subject IN ($2, $3, $4, $5, $6, $7) AND expires_at > $8 \
                   UNION ALL SELECT 1, client, seen_at FROM identity_familiar_clients \
                   WHERE tenant_id = $1 AND identity_id = $9 AND expires_at > $8";
    FAMILIAR = "SELECT client, seen_at FROM identity_familiar_clients \
                WHERE tenant_id = $1 AND identity_id = $2 AND client IN ($3, $4) AND expires_at > $5";
    /// Counts one attempt, whether or not the budget allows it; usage never exceeds the budget.
    SPEND = "INSERT INTO identity_attempts (tenant_id, kind, subject, count, expires_at) VALUES ($1, $2, $3, 1, $4) \
             ON CONFLICT (tenant_id, kind, subject) DO UPDATE SET \
             count = CASE WHEN identity_attempts.expires_at <= $5 THEN 1 ELSE identity_attempts.count + 1 END, \
             expires_at = CASE WHEN identity_attempts.expires_at <= $5 THEN $4 \
             WHEN identity_attempts.expires_at > $8 THEN $6 ELSE identity_attempts.expires_at + $7 END";
    /// Counts one attempt if the budget allows it.
    TRY_SPEND = "INSERT INTO identity_attempts (tenant_id, kind, subject, count, expires_at) VALUES ($1, $2, $3, 1, $4) \
                 ON CONFLICT (tenant_id, kind, subject) DO UPDATE SET \
                 count = CASE WHEN identity_attempts.expires_at <= $5 THEN 1 ELSE identity_attempts.count + 1 END, \
                 expires_at = CASE WHEN identity_attempts.expires_at <= $5 THEN $4 ELSE identity_attempts.expires_at + $6 END \
                 WHERE identity_attempts.expires_at <= $7";
    FULL_AT = "SELECT expires_at FROM identity_attempts WHERE tenant_id = $1 AND kind = $2 AND subject = $3";
}

/// The data that admits or rejects a guess.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    /// The times when budgets that are not full are full again.
    pub full_at: HashMap<Counter, Timestamp>,
    /// The clients that are familiar to the user, with the time of the last sign-in.
    pub familiar: HashMap<Counter, Timestamp>,
}

/// Reads all data about a guess in one statement.
pub async fn guess_usage(
    tx: &mut impl Read,
    counters: &[Counter; GUESS_COUNTERS],
    person: Option<IdentityId>,
    now: Timestamp,
) -> Result<Usage, Error> {
    let [first, second, third, fourth, fifth, sixth] = counters;
    let values = values![
        first.as_bytes(),
        second.as_bytes(),
        third.as_bytes(),
        fourth.as_bytes(),
        fifth.as_bytes(),
        sixth.as_bytes(),
        now,
        person.map_or(Uuid::nil(), IdentityId::as_uuid),
    ];
    let mut usage = Usage::default();
    for row in tx.query(&GUESS_USAGE, &values).await? {
        let counter = counter(row.get(1)?)?;
        let is_client: i32 = row.get(0)?;
        let into = if is_client == 1 { &mut usage.familiar } else { &mut usage.full_at };
        into.insert(counter, row.get(2)?);
    }
    Ok(usage)
}

/// Which of at most two clients are familiar to the user.
pub async fn familiar(
    tx: &mut impl Read,
    person: IdentityId,
    clients: &[Counter],
    now: Timestamp,
) -> Result<HashMap<Counter, Timestamp>, Error> {
    let Some(first) = clients.first() else { return Ok(HashMap::new()) };
    let last = clients.last().unwrap_or(first);
    let rows = tx.query(&FAMILIAR, &values![person.as_uuid(), first.as_bytes(), last.as_bytes(), now]).await?;
    rows.into_iter().map(|row| Ok((counter(row.get(0)?)?, row.get(1)?))).collect()
}

/// Counts a failed attempt.
pub async fn spend(
    tx: &mut WriteTx,
    kind: Kind,
    counter: Counter,
    budget: Budget,
    now: Timestamp,
) -> Result<(), Error> {
    let used_up = now.plus(budget.whole());
    let values = values![
        kind.as_str(),
        counter.as_bytes(),
        budget.spend(None, now),
        now,
        used_up,
        micros(budget),
        used_up.minus(budget.refill),
    ];
    tx.execute(&SPEND, &values).await.map(|_| ())
}

/// Counts one attempt if the budget allows it; `false` when it does not.
pub async fn try_spend(
    tx: &mut WriteTx,
    kind: Kind,
    counter: Counter,
    budget: Budget,
    now: Timestamp,
) -> Result<bool, Error> {
    if budget.burst == 0 {
        return Ok(false);
    }
    let latest = now.plus(budget.whole()).minus(budget.refill);
    let values = values![kind.as_str(), counter.as_bytes(), budget.spend(None, now), now, micros(budget), latest];
    Ok(tx.execute(&TRY_SPEND, &values).await? == 1)
}

/// The time when a budget is full again; `None` when it is full now.
pub async fn full_at(tx: &mut impl Read, kind: Kind, counter: Counter) -> Result<Option<Timestamp>, Error> {
    let row = tx.query_opt(&FULL_AT, &values![kind.as_str(), counter.as_bytes()]).await?;
    row.map(|row| row.get(0)).transpose()
}

fn micros(budget: Budget) -> i64 {
    i64::try_from(budget.refill.as_micros()).unwrap_or(i64::MAX)
}

fn counter(bytes: Vec<u8>) -> Result<Counter, Error> {
    let bytes =
        bytes.try_into().map_err(|_| Error::inconsistent("identity_attempts", "a digest with the wrong length"))?;
    Ok(Counter::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base::TenantId;

    use super::*;

    const BUDGET: Budget = Budget::new(3, Duration::from_mins(1));

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_000_000 + seconds)
    }

    #[tokio::test]
    async fn storage_counts_like_the_budget() {
        database::testing::on_both_engines(&[jobs::MIGRATIONS, crate::MIGRATIONS], |database| async move {
            let counter = Counter::name("a");
            let mut tx = database.write(TenantId::DEFAULT).await.unwrap();
            let mut expected = None;
            for now in [0, 0, 0, 0, 30, 61, 400] {
                spend(&mut tx, Kind::Guess, counter, BUDGET, at(now)).await.unwrap();
                expected = Some(BUDGET.spend(expected, at(now)));
                assert_eq!(full_at(&mut tx, Kind::Guess, counter).await.unwrap(), expected, "at {now}");
            }
            let mut expected = None;
            for now in [0, 0, 0, 0, 59, 60, 61, 400, 400, 400, 400] {
                let is_allowed = BUDGET.admit(expected, 0, at(now)).is_ok();
                let counted = try_spend(&mut tx, Kind::Message, counter, BUDGET, at(now)).await.unwrap();
                assert_eq!(counted, is_allowed, "at {now}");
                if is_allowed {
                    expected = Some(BUDGET.spend(expected, at(now)));
                }
            }
            let none = Budget::new(0, Duration::from_secs(1));
            assert!(!try_spend(&mut tx, Kind::TakenName, counter, none, at(0)).await.unwrap());
            tx.commit().await.unwrap();
        })
        .await;
    }

    #[tokio::test]
    async fn a_guess_reads_its_budgets_in_one_statement() {
        database::testing::on_both_engines(&[jobs::MIGRATIONS, crate::MIGRATIONS], |database| async move {
            let all = ["a", "b", "c", "d", "e", "f"].map(Counter::name);
            let client = Counter::network("y");
            let person = IdentityId::generate(&base::Rng::seeded(1));
            let mut tx = database.write(TenantId::DEFAULT).await.unwrap();
            spend(&mut tx, Kind::Guess, all[1], BUDGET, at(0)).await.unwrap();
            spend(&mut tx, Kind::Message, all[2], BUDGET, at(0)).await.unwrap();
            super::super::familiar_clients::insert(&mut tx, person, &[client], at(0), at(100)).await.unwrap();
            let usage = guess_usage(&mut tx, &all, Some(person), at(1)).await.unwrap();
            assert_eq!(usage.full_at, HashMap::from([(all[1], at(60))]));
            assert_eq!(usage.familiar, HashMap::from([(client, at(0))]));
            let usage = guess_usage(&mut tx, &all, None, at(60)).await.unwrap();
            assert!(usage.full_at.is_empty() && usage.familiar.is_empty());
            tx.commit().await.unwrap();
        })
        .await;
    }
}
