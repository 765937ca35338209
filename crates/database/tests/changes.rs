//! Changes of one node become visible to another one on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]

use std::future::Future as _;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use base::{TenantId, Timestamp};
use database::testing::{on_both_engines, postgres_dsn, read_changes};
use database::{Cacheable, Database, Migration, MigrationSet, Read as _, ReadCache, values};

const TENANT: TenantId = TenantId::DEFAULT;

const TABLES: &str = "CREATE TABLE test_names (tenant_id integer NOT NULL, name text NOT NULL);";

const SET: MigrationSet = MigrationSet {
    service: "test",
    migrations: &[Migration { version: 1, name: "names", sqlite: TABLES, postgres: TABLES }],
};

database::statements! {
    INSERT = "INSERT INTO test_names (tenant_id, name) VALUES ($1, $2)";
    COUNT = "SELECT count(*) FROM test_names WHERE tenant_id = $1";
}

async fn count(database: &Database) -> i64 {
    database.read(TENANT).query_one(&COUNT, &[]).await.unwrap().get(0).unwrap()
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
