//! Slow queries next to quick ones, on both engines.

#![expect(clippy::disallowed_methods, reason = "the slow queries are tasks of the test, which ends them")]

use base::TenantId;
use database::testing::{on_both_engines, sqlite};
use database::{Database, Error, Read, values};
use tokio::task::JoinHandle;

database::statements! {
    /// Runs for a time proportional to its second parameter.
    slow COUNT_UP = "WITH RECURSIVE numbers (n) AS \
                     (SELECT CAST(1 AS bigint) UNION ALL SELECT n + 1 FROM numbers WHERE n < $2) \
                     SELECT max(n) FROM numbers WHERE $1 > 0";
    QUICK = "SELECT 7 WHERE $1 > 0";
    slow PLANS = {
        sqlite: "SELECT 'force_custom_plan' WHERE $1 > 0",
        postgres: "SELECT current_setting('plan_cache_mode') WHERE $1 > 0",
    };
}

const TENANT: TenantId = TenantId::DEFAULT;
const FOR_EVER: i64 = i64::MAX;

fn count_up(database: &Database, limit: i64) -> JoinHandle<Result<i64, Error>> {
    let mut tx = database.read(TENANT);
    tokio::spawn(async move { tx.query_one(&COUNT_UP, &values![limit]).await?.get(0) })
}

#[tokio::test]
async fn the_statements_are_valid_on_both_engines() {
    database::testing::prepare_all(&[], &[STATEMENTS]).await;
}

#[tokio::test]
async fn postgresql_plans_a_slow_query_for_its_values() {
    on_both_engines(&[], |database| async move {
        let row = database.read(TENANT).query_one(&PLANS, &[]).await.unwrap();
        assert_eq!(row.get::<String>(0).unwrap(), "force_custom_plan");
    })
    .await;
}

#[tokio::test]
async fn quick_reads_are_answered_while_slow_queries_run() {
    on_both_engines(&[], |database| async move {
        let cores = std::thread::available_parallelism().unwrap().get();
        // More than may run at the same time: the others wait for their turn.
        let slow: Vec<_> = (0..cores + 3).map(|_| count_up(&database, FOR_EVER)).collect();
        for _ in 0..1000 {
            let row = database.read(TENANT).query_one(&QUICK, &[]).await.unwrap();
            assert_eq!(row.get::<i64>(0).unwrap(), 7);
            tokio::task::yield_now().await;
        }
        assert!(slow.iter().all(|query| !query.is_finished()));
        slow.iter().for_each(JoinHandle::abort);
    })
    .await;
}

#[tokio::test]
async fn a_slow_query_whose_caller_is_gone_makes_room_for_the_next() {
    on_both_engines(&[], |database| async move {
        let cores = std::thread::available_parallelism().unwrap().get();
        for _ in 0..cores + 3 {
            let query = count_up(&database, FOR_EVER);
            database.read(TENANT).query_one(&QUICK, &[]).await.unwrap();
            query.abort();
            assert!(query.await.unwrap_err().is_cancelled());
        }
        assert_eq!(count_up(&database, 1000).await.unwrap().unwrap(), 1000);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_query_that_takes_too_long_is_unavailable() {
    let database = sqlite(&[]).await;
    let query = count_up(&database, FOR_EVER);
    tokio::task::yield_now().await;
    tokio::time::advance(std::time::Duration::from_secs(11)).await;
    assert!(matches!(query.await.unwrap(), Err(Error::Unavailable { .. })));
    assert_eq!(count_up(&database, 10).await.unwrap().unwrap(), 10);
}
