//! What one node changes on PostgreSQL, another one learns.

#![expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]

use base::{TenantId, Timestamp};
use database::testing::{postgres_dsn, read_changes};
use database::{Cacheable, Database, ReadCache};

const TENANT: TenantId = TenantId::DEFAULT;

async fn touch(node: &Database, tenant: TenantId, subject: &[u8]) {
    let mut tx = node.write(tenant).await.unwrap();
    tx.touch(subject);
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_change_of_another_node_invalidates_what_it_is_about() {
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
