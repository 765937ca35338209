//! A database file that is truncated while it is open, for instance when a backup is copied over it.

use base::{TenantId, Timestamp};
use database::{Database, Dsn, Error, Migration, MigrationSet, Read as _, values};

const TABLE: &str = "CREATE TABLE test_rows (tenant_id integer, id integer, body text, PRIMARY KEY (tenant_id, id))";

const SET: MigrationSet = MigrationSet {
    service: "test",
    migrations: &[Migration { version: 1, name: "rows", sqlite: TABLE, postgres: TABLE }],
};

database::statements! {
    FILL = "WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < $2)
            INSERT INTO test_rows (tenant_id, id, body) SELECT $1, i, printf('%01000d', i) FROM numbers";
    SUM = "SELECT sum(length(body)) FROM test_rows WHERE tenant_id = $1";
}

#[tokio::test]
async fn a_truncated_file_is_an_error_and_does_not_end_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kleis.db");
    let database = Database::open(&Dsn::sqlite(path.clone())).await.unwrap();
    database.migrate(&[SET], Timestamp::EPOCH).await.unwrap();
    let mut tx = database.write(TenantId::DEFAULT).await.unwrap();
    // More rows than a connection keeps in memory.
    tx.execute(&FILL, &values![10_000]).await.unwrap();
    tx.commit().await.unwrap();
    drop(database);

    let database = Database::open(&Dsn::sqlite(path.clone())).await.unwrap();
    database.ping().await.unwrap();
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(64 * 1024).unwrap();
    let refused = database.read(TenantId::DEFAULT).query(&SUM, &[]).await.unwrap_err();
    assert!(matches!(refused, Error::Driver { .. } | Error::Unavailable { .. }), "{refused:?}");
}
