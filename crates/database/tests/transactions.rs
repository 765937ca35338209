//! The guarantees of both engines.

#![expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]
#![expect(clippy::disallowed_methods, reason = "racing writers are tasks of the test, which waits for them")]

use base::{TenantId, Timestamp, TokenDigest};
use database::testing::{assert_parsed_once, on_both_engines, prepare_all};
use database::{
    Database, Dsn, Error, Migration, MigrationSet, MigrationState, Read, Reaper, Retention, TableStatistics, WriteTx,
    values,
};
use uuid::Uuid;

const TABLES: &str = "
CREATE TABLE test_items (
    tenant_id integer NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    flag boolean NOT NULL,
    digest bytea,
    count integer NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX test_items_name ON test_items (tenant_id, name);
CREATE INDEX test_items_expires_at ON test_items (expires_at);
";

const SET: MigrationSet = MigrationSet {
    service: "test",
    migrations: &[Migration { version: 1, name: "items", sqlite: TABLES, postgres: TABLES }],
};

database::statements! {
    INSERT = "INSERT INTO test_items (tenant_id, id, name, flag, digest, count, expires_at)
              VALUES ($1, $2, $3, $4, $5, $6, $7)";
    FIND = "SELECT name, flag, digest, count, expires_at FROM test_items WHERE tenant_id = $1 AND id = $2";
    COUNT = "SELECT count(*) FROM test_items WHERE tenant_id = $1";
    RAISE = "UPDATE test_items SET count = count + 1 WHERE tenant_id = $1 AND id = $2 AND count = $3";
    across_tenants COUNT_ALL = "SELECT count(*) FROM test_items WHERE expires_at > $1";
}

const TENANT: TenantId = TenantId::DEFAULT;

async fn insert(database: &Database, tenant: TenantId, id: u128, name: &str, expires_at: i64) -> Result<(), Error> {
    let mut tx = database.write(tenant).await?;
    let digest = TokenDigest::from_bytes([7; 32]);
    tx.execute(&INSERT, &values![Uuid::from_u128(id), name, true, digest, 0, expires_at]).await?;
    tx.commit().await
}

async fn count(database: &Database, tenant: TenantId) -> i64 {
    database.read(tenant).query_one(&COUNT, &[]).await.unwrap().get(0).unwrap()
}

#[tokio::test]
async fn every_statement_is_prepared_on_both_engines() {
    prepare_all(&[SET], &[STATEMENTS]).await;
}

#[tokio::test]
async fn a_statement_is_parsed_once() {
    assert_parsed_once(&[SET], &[STATEMENTS]).await;
}

#[tokio::test]
async fn scalars_keep_their_values_and_nulls() {
    on_both_engines(&[SET], |database| async move {
        insert(&database, TENANT, 1, "Ünïcode 'quoted'", 5).await.unwrap();
        let row = database.read(TENANT).query_one(&FIND, &values![Uuid::from_u128(1)]).await.unwrap();
        assert_eq!(row.get::<String>(0).unwrap(), "Ünïcode 'quoted'");
        assert!(row.get::<bool>(1).unwrap());
        assert_eq!(row.get::<Option<TokenDigest>>(2).unwrap(), Some(TokenDigest::from_bytes([7; 32])));
        assert_eq!(row.get::<i32>(3).unwrap(), 0);
        assert_eq!(row.get::<Timestamp>(4).unwrap(), Timestamp::from_unix_micros(5));
        assert!(matches!(row.get::<Uuid>(0), Err(Error::Inconsistent { .. })));
        let mut tx = database.write(TENANT).await.unwrap();
        tx.execute(&INSERT, &values![Uuid::from_u128(2), "b", false, None::<Vec<u8>>, 1, 1_i64]).await.unwrap();
        let row = tx.query_one(&FIND, &values![Uuid::from_u128(2)]).await.unwrap();
        assert_eq!(row.get::<Option<Vec<u8>>>(2).unwrap(), None);
        assert!(!row.get::<bool>(1).unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_task_of_many_reads_lets_the_other_tasks_of_its_thread_run() {
    on_both_engines(&[SET], |database| async move {
        let reader = database.clone();
        // Both run on the one thread of this test.
        let reads = tokio::spawn(async move {
            for _ in 0..1_000 {
                count(&reader, TENANT).await;
            }
        });
        let mut turns = 0;
        while !reads.is_finished() {
            turns += 1;
            tokio::task::yield_now().await;
        }
        assert!(turns > 3, "{turns}");
    })
    .await;
}

#[tokio::test]
async fn a_tenant_sees_its_own_rows_alone() {
    on_both_engines(&[SET], |database| async move {
        insert(&database, TENANT, 1, "a", 5).await.unwrap();
        insert(&database, TenantId::from_i32(2), 1, "a", 5).await.unwrap();
        insert(&database, TenantId::from_i32(2), 2, "b", 5).await.unwrap();
        assert_eq!(count(&database, TENANT).await, 1);
        assert_eq!(count(&database, TenantId::from_i32(2)).await, 2);
        let all = database.read(TENANT).query_one(&COUNT_ALL, &values![0_i64]).await.unwrap();
        assert_eq!(all.get::<i64>(0).unwrap(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_dropped_or_failed_transaction_leaves_nothing() {
    on_both_engines(&[SET], |database| async move {
        insert(&database, TENANT, 1, "taken", 5).await.unwrap();
        let mut tx = database.write(TENANT).await.unwrap();
        tx.execute(&INSERT, &values![Uuid::from_u128(2), "dropped", true, None::<Vec<u8>>, 0, 1_i64]).await.unwrap();
        drop(tx);
        let mut tx = database.write(TENANT).await.unwrap();
        tx.execute(&INSERT, &values![Uuid::from_u128(3), "before", true, None::<Vec<u8>>, 0, 1_i64]).await.unwrap();
        let same = values![Uuid::from_u128(4), "taken", true, None::<Vec<u8>>, 0, 1_i64];
        assert!(tx.execute(&INSERT, &same).await.unwrap_err().is_conflict());
        assert!(matches!(tx.query(&COUNT, &[]).await, Err(Error::Unavailable { .. })));
        assert!(tx.commit().await.is_err());
        assert_eq!(count(&database, TENANT).await, 1);
    })
    .await;
}

#[tokio::test]
async fn appended_statements_are_written_in_order() {
    on_both_engines(&[SET], |database| async move {
        let name = |id: u128| format!("appended {id}");
        let append = async |tx: &mut WriteTx, id: u128| {
            let row = values![Uuid::from_u128(id), name(id), true, None::<Vec<u8>>, 0, 1_i64];
            tx.append(&INSERT, &row).await.unwrap();
        };
        let mut tx = database.write(TENANT).await.unwrap();
        append(&mut tx, 1).await;
        tx.commit().await.unwrap();
        assert_eq!(count(&database, TENANT).await, 1);
        let mut tx = database.write(TENANT).await.unwrap();
        append(&mut tx, 2).await;
        assert_eq!(tx.execute(&RAISE, &values![Uuid::from_u128(2), 0]).await.unwrap(), 1, "the next statement sees it");
        for id in 3..50 {
            append(&mut tx, id).await;
        }
        assert_eq!(tx.query_one(&COUNT, &[]).await.unwrap().get::<i64>(0).unwrap(), 49);
        append(&mut tx, 50).await;
        append(&mut tx, 51).await;
        tx.commit().await.unwrap();
        assert_eq!(count(&database, TENANT).await, 51);
        let mut tx = database.write(TENANT).await.unwrap();
        append(&mut tx, 52).await;
        drop(tx);
        assert_eq!(count(&database, TENANT).await, 51);
    })
    .await;
}

#[tokio::test]
async fn a_failed_appended_statement_fails_its_transaction() {
    on_both_engines(&[SET], |database| async move {
        insert(&database, TENANT, 1, "taken", 5).await.unwrap();
        for others in [0, 1, 3] {
            let mut tx = database.write(TENANT).await.unwrap();
            for id in 0..others {
                let row = values![Uuid::from_u128(10 + id), format!("other {id}"), true, None::<Vec<u8>>, 0, 1_i64];
                tx.execute(&INSERT, &row).await.unwrap();
            }
            let same = values![Uuid::from_u128(2), "taken", true, None::<Vec<u8>>, 0, 1_i64];
            let refused = match tx.append(&INSERT, &same).await {
                Ok(()) => tx.commit().await.unwrap_err(),
                Err(refused) => refused,
            };
            assert!(refused.is_conflict(), "{refused}");
            assert_eq!(count(&database, TENANT).await, 1);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_racing_updates_one_wins_and_no_write_is_lost() {
    on_both_engines(&[SET], |database| async move {
        insert(&database, TENANT, 1, "counter", 5).await.unwrap();
        let mut tasks = Vec::new();
        for writer in 0..64_u128 {
            let database = database.clone();
            tasks.push(tokio::spawn(async move {
                let mut tx = database.write(TENANT).await.unwrap();
                let won = tx.execute(&RAISE, &values![Uuid::from_u128(1), 0]).await.unwrap();
                let id = Uuid::from_u128(100 + writer);
                tx.execute(&INSERT, &values![id, &format!("w{writer}"), true, None::<Vec<u8>>, 0, 9_i64])
                    .await
                    .unwrap();
                if writer % 4 == 3 {
                    drop(tx);
                    return (0, 0);
                }
                tx.commit().await.unwrap();
                (won, 1)
            }));
        }
        let (mut won, mut committed) = (0, 0);
        for task in tasks {
            let (w, c) = task.await.unwrap();
            won += w;
            committed += c;
        }
        assert_eq!(committed, 48);
        assert!(won <= 1, "{won} writers moved the counter from 0 to 1");
        assert_eq!(count(&database, TENANT).await, 49);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelled_operations_do_not_block_the_others() {
    on_both_engines(&[SET], |database| async move {
        let mut tasks = Vec::new();
        for writer in 0..40_u128 {
            let database = database.clone();
            tasks.push(tokio::spawn(async move { insert(&database, TENANT, writer, &format!("w{writer}"), 1).await }));
        }
        for task in tasks.iter().step_by(2) {
            task.abort();
        }
        for (writer, task) in tasks.into_iter().enumerate() {
            let outcome = task.await;
            assert!(outcome.is_err() && writer % 2 == 0 || outcome.unwrap().is_ok());
        }
        insert(&database, TENANT, 1000, "last", 1).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn migrations_run_once_and_a_changed_one_stops_the_start() {
    on_both_engines(&[], |database| async move {
        let now = Timestamp::EPOCH;
        // The tables of the crate itself come first, and exist already.
        let status = database.migration_status(&[SET]).await.unwrap();
        let states: Vec<_> = status.iter().map(|it| (it.service.as_str(), it.state)).collect();
        assert_eq!(states, [("database", MigrationState::Applied), ("test", MigrationState::Pending)]);
        assert_eq!(database.migrate(&[SET], now).await.unwrap().len(), 1);
        assert_eq!(database.migrate(&[SET], now).await.unwrap().len(), 0);
        let changed = MigrationSet {
            service: "test",
            migrations: &[Migration { version: 1, name: "items", sqlite: "SELECT 1", postgres: "SELECT 1" }],
        };
        assert!(database.migrate(&[changed], now).await.is_err());
        let broken = MigrationSet {
            service: "broken",
            migrations: &[
                Migration { version: 1, name: "fine", sqlite: TABLES_TWO, postgres: TABLES_TWO },
                Migration { version: 2, name: "nonsense", sqlite: "CREATE NONSENSE", postgres: "CREATE NONSENSE" },
            ],
        };
        assert!(database.migrate(&[broken], now).await.is_err());
        let status = database.migration_status(&[broken]).await.unwrap();
        let mut states = status.iter().filter(|it| it.service == "broken").map(|it| it.state);
        assert!(states.all(|state| state == MigrationState::Pending), "a failed run left something behind");
    })
    .await;
}

const TABLES_TWO: &str = "CREATE TABLE test_two (tenant_id integer NOT NULL PRIMARY KEY);";

#[tokio::test]
async fn the_reaper_deletes_what_expired_in_batches() {
    on_both_engines(&[SET], |database| async move {
        for id in 0..1200_u128 {
            let expires_at = if id < 1100 { 10 } else { 1000 };
            let row = values![Uuid::from_u128(id), format!("r{id}"), true, None::<Vec<u8>>, 0, expires_at];
            database.write_once(TENANT, &INSERT, &row).await.unwrap();
        }
        let rule = Retention { table: "test_items", key: "tenant_id, id", expired: "expires_at < $1" };
        let reaper = Reaper::new(database.clone(), [rule]);
        let now = Timestamp::from_unix_micros(500);
        assert_eq!(reaper.reap(now, 1).await.unwrap()[0].rows, 500);
        assert_eq!(reaper.reap(now, 10).await.unwrap()[0].rows, 600);
        assert_eq!(reaper.reap(now, 10).await.unwrap(), []);
        assert_eq!(count(&database, TENANT).await, 100);
    })
    .await;
}

#[tokio::test]
async fn an_acknowledged_write_exists_after_reopening_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let dsn = Dsn::sqlite(directory.path().join("kleis.db"));
    let database = Database::open(&dsn).await.unwrap();
    database.migrate(&[SET], Timestamp::EPOCH).await.unwrap();
    insert(&database, TENANT, 1, "kept", 1).await.unwrap();
    drop(database);
    let database = Database::open(&dsn).await.unwrap();
    assert_eq!(count(&database, TENANT).await, 1);
}

#[tokio::test]
async fn a_file_is_reserved_once_at_a_time_under_each_of_its_names() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kleis.db");
    let first = Database::open(&Dsn::sqlite(&path)).await.unwrap();
    let reservation = first.reserve().unwrap();
    let link = directory.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for name in [&path, &link] {
        let second = Database::open(&Dsn::sqlite(name)).await.unwrap();
        let refused = second.reserve().unwrap_err().to_string();
        let expected = format!("another process serves the database file {}: stop it first", name.display());
        assert!(refused.starts_with(&expected), "{refused}");
    }
    let other = Database::open(&Dsn::sqlite(directory.path().join("other.db"))).await.unwrap();
    other.reserve().unwrap();
    drop(reservation);
    Database::open(&Dsn::sqlite(&path)).await.unwrap().reserve().unwrap();
}

#[tokio::test]
async fn a_server_is_shared_by_processes() {
    let dsn = database::testing::postgres_dsn().await;
    let _first = Database::open(&dsn).await.unwrap().reserve().unwrap();
    Database::open(&dsn).await.unwrap().reserve().unwrap();
}

#[tokio::test]
async fn statistics_count_rows_and_find_the_oldest() {
    on_both_engines(&[SET], |database| async move {
        for (id, expires_at) in [(1, 30), (2, 10), (3, 20)] {
            insert(&database, TENANT, id, &id.to_string(), expires_at).await.unwrap();
        }
        let retention = Retention { table: "test_items", key: "tenant_id, id", expired: "expires_at < $1" };
        let sizes = TableStatistics::new(database.clone(), [retention]).take().await.unwrap();
        let size = sizes.iter().find(|size| size.table == "test_items").unwrap();
        assert_eq!(size.oldest, Some(Timestamp::from_unix_micros(10)));
        if database.engine_name() == "sqlite" {
            assert_eq!((size.rows, size.bytes), (3, None));
        } else {
            // The server updates its statistics at its own times.
            assert!(size.rows >= 0 && size.bytes.is_some_and(|bytes| bytes > 0), "{size:?}");
        }
    })
    .await;
}
