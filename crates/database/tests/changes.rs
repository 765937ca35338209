//! Changes of one node become visible to another one on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]

use std::future::Future as _;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use base::{TenantId, Timestamp};
use database::testing::{on_both_engines, postgres_dsn, read_changes};
use database::{Cacheable, Database, Migration, MigrationSet, Read as _, ReadCache, Statement, Value, values};

const TENANT: TenantId = TenantId::DEFAULT;

const TABLES: &str = "CREATE TABLE test_names (tenant_id integer NOT NULL, name text NOT NULL);";

const SET: MigrationSet = MigrationSet {
    service: "test",
    migrations: &[Migration { version: 1, name: "names", sqlite: TABLES, postgres: TABLES }],
};

database::statements! {
    INSERT = "INSERT INTO test_names (tenant_id, name) VALUES ($1, $2)";
    COUNT = "SELECT count(*) FROM test_names WHERE tenant_id = $1";
    RENAME = "UPDATE test_names SET name = $3 WHERE tenant_id = $1 AND name = $2";
    DELETE = "DELETE FROM test_names WHERE tenant_id = $1 AND name = $2";
    /// Not a plain write, and no row of it is wanted.
    READ = "SELECT name FROM test_names WHERE tenant_id = $1 AND name = $2";
    ADD_TWO = "WITH two(name) AS (SELECT $2 UNION ALL SELECT $3) INSERT INTO test_names (tenant_id, name) SELECT $1, name FROM two";
    FAIL = "INSERT INTO test_names (tenant_id, name) VALUES ($1, NULLIF($2, $2))";
    CHANGES = "SELECT count(*) FROM kleis_changes WHERE $1 > 0";
}

async fn count(database: &Database) -> i64 {
    database.read(TENANT).query_one(&COUNT, &[]).await.unwrap().get(0).unwrap()
}

async fn changes(database: &Database) -> i64 {
    database.read(TENANT).query_one(&CHANGES, &[]).await.unwrap().get(0).unwrap()
}

async fn touch(node: &Database, tenant: TenantId, subject: &[u8]) {
    let mut tx = node.write(tenant).await.unwrap();
    tx.touch(subject);
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_change_of_another_node_invalidates_its_subject() {
    let dsn = postgres_dsn().await;
    let (one, other) = (Database::open(&dsn).await.unwrap(), Database::open(&dsn).await.unwrap());
    one.migrate(&[], Timestamp::EPOCH).await.unwrap();
    let cache = ReadCache::new(one.clone(), 1 << 20, 16);
    let put = |key: &'static str| {
        let read = Cacheable { value: (), subjects: &[key.as_bytes()], bytes: 16 };
        cache.put(cache.start_reading(), TENANT, key, read);
    };
    put("ada");
    put("grace");
    touch(&other, TENANT, b"ada").await;
    touch(&other, TenantId::from_i32(2), b"grace").await;
    read_changes(&one).await;
    assert!(cache.get(TENANT, "ada").is_none());
    assert!(cache.get(TENANT, "grace").is_some(), "another tenant's");
}

/// A statement with its values.
type Bound<'a> = (&'static Statement, &'a [Value<'a>]);

#[tokio::test]
async fn every_way_to_end_a_transaction_publishes_one_change() {
    let dsn = postgres_dsn().await;
    let (one, other) = (Database::open(&dsn).await.unwrap(), Database::open(&dsn).await.unwrap());
    one.migrate(&[SET], Timestamp::EPOCH).await.unwrap();
    let cache = ReadCache::new(one.clone(), 1 << 20, 16);
    let (ada, grace, kay) = (values!["ada"], values!["grace"], values!["ada", "kay"]);
    let inserted: Bound<'_> = (&INSERT, &ada);
    // The statements of a transaction, whether the last one waits for the commit, and the number of names afterwards.
    let ways: [(&[Bound<'_>], bool, i64); 10] = [
        (&[], false, 0),
        (&[inserted], true, 1),
        (&[inserted], false, 2),
        (&[inserted, (&INSERT, &grace)], true, 4),
        (&[inserted, (&INSERT, &grace)], false, 6),
        (&[(&RENAME, &kay)], true, 6),
        (&[inserted, (&READ, &ada)], true, 7),
        (&[(&READ, &ada)], true, 7),
        (&[inserted, (&ADD_TWO, &kay)], true, 10),
        (&[(&DELETE, &grace)], true, 8),
    ];
    for (way, (statements, last_waits, names)) in ways.into_iter().enumerate() {
        cache.put(cache.start_reading(), TENANT, way, Cacheable { value: (), subjects: &[b"names"], bytes: 16 });
        let mut tx = other.write(TENANT).await.unwrap();
        tx.touch(b"names");
        for (at, (statement, values)) in statements.iter().enumerate() {
            if at + 1 == statements.len() && last_waits {
                tx.append(statement, values).await.unwrap();
            } else {
                tx.execute(statement, values).await.unwrap();
            }
        }
        tx.commit().await.unwrap();
        assert_eq!(count(&one).await, names, "{way}");
        assert_eq!(changes(&one).await, i64::try_from(way).unwrap() + 1, "{way}");
        read_changes(&one).await;
        assert!(cache.get(TENANT, way).is_none(), "{way}");
    }
}

#[tokio::test]
async fn a_transaction_that_fails_publishes_nothing() {
    let node = Database::open(&postgres_dsn().await).await.unwrap();
    node.migrate(&[SET], Timestamp::EPOCH).await.unwrap();
    for others in 0..2 {
        let mut tx = node.write(TENANT).await.unwrap();
        tx.touch(b"names");
        for _ in 0..others {
            tx.append(&INSERT, &values!["ada"]).await.unwrap();
        }
        tx.append(&FAIL, &values!["ada"]).await.unwrap();
        tx.commit().await.unwrap_err();
        assert_eq!((count(&node).await, changes(&node).await), (0, 0));
    }
}

#[tokio::test]
async fn a_node_does_not_read_its_own_changes_again() {
    let node = Database::open(&postgres_dsn().await).await.unwrap();
    node.migrate(&[], Timestamp::EPOCH).await.unwrap();
    let cache = ReadCache::new(node.clone(), 1 << 20, 16);
    touch(&node, TENANT, b"ada").await;
    cache.put(cache.start_reading(), TENANT, 1, Cacheable { value: (), subjects: &[b"ada"], bytes: 16 });
    read_changes(&node).await;
    assert!(cache.get(TENANT, 1).is_some());
}

#[tokio::test]
async fn a_commit_without_a_waiting_caller_invalidates_its_subject() {
    on_both_engines(&[SET], |database| async move {
        let cache = ReadCache::new(database.clone(), 1 << 20, 16);
        // The connection prepares the statements of a commit, so that later ones are sent immediately.
        touch(&database, TENANT, b"names").await;
        for _ in 0..20 {
            let before = count(&database).await;
            let mut tx = database.write(TENANT).await.unwrap();
            tx.touch(b"names");
            tx.execute(&INSERT, &values!["ada"]).await.unwrap();
            // The caller is dropped as soon as the commit is sent, as with a client that closed its connection.
            assert!(pin!(tx.commit()).as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            for _ in 0..50 {
                let start = cache.start_reading();
                let value = count(&database).await;
                if value == before {
                    cache.put(start, TENANT, "count", Cacheable { value, subjects: &[b"names"], bytes: 16 });
                }
                tokio::task::yield_now().await;
            }
            let agrees = async {
                while let Some(cached) = cache.get(TENANT, "count") {
                    if *cached == count(&database).await {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            tokio::time::timeout(Duration::from_secs(20), agrees).await.expect("the cache drops outdated values");
        }
        assert!(count(&database).await > 0, "some commits succeeded without a waiting caller");
    })
    .await;
}
