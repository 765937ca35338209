//! The probe for readiness on a disk without space. A limit on the size of files stands for the disk: the process of this test
//! starts itself again below that limit, because a limit holds for a whole process.

use std::path::Path;
use std::process::Command;

use base::{TenantId, Timestamp};
use database::{Database, Dsn, Migration, MigrationSet, values};

const TABLE: &str = "CREATE TABLE test_rows (tenant_id integer, id integer, body text, PRIMARY KEY (tenant_id, id))";

const SET: MigrationSet = MigrationSet {
    service: "test",
    migrations: &[Migration { version: 1, name: "rows", sqlite: TABLE, postgres: TABLE }],
};

database::statements! {
    ADD = "INSERT INTO test_rows (tenant_id, id, body) VALUES ($1, $2, $3)";
}

const FOLDER: &str = "KLEIS_TEST_FULL_DISK";

#[test]
fn a_full_disk_is_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    // Without its signal, a write beyond the limit fails as one on a full disk.
    let below_a_limit = "trap '' XFSZ; ulimit -f 512; exec \"$0\" --exact below_the_limit --ignored --nocapture";
    let this = std::env::current_exe().unwrap();
    let output = Command::new("sh").arg("-c").arg(below_a_limit).arg(this).env(FOLDER, folder.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[tokio::test]
#[ignore = "needs the limit that a_full_disk_is_not_ready sets"]
async fn below_the_limit() {
    #[expect(clippy::disallowed_methods, reason = "the process that sets the limit names the folder")]
    let folder = std::env::var_os(FOLDER).expect("started by a_full_disk_is_not_ready");
    let database = Database::open(&Dsn::sqlite(Path::new(&folder).join("kleis.db"))).await.unwrap();
    database.migrate(&[SET], Timestamp::EPOCH).await.unwrap();
    database.probe_write().await.unwrap();
    assert!(fills(&database).await, "the limit was never reached");
    // There may be room for one more page.
    let mut refusal = None;
    for _ in 0..5 {
        refusal = refusal.or(database.probe_write().await.err());
    }
    assert!(refusal.is_some(), "every write of a row is refused, and the probe is not");
}

/// Whether a row is refused after many were added.
async fn fills(database: &Database) -> bool {
    for id in 0..10_000 {
        let body = "x".repeat(1000);
        let Ok(mut tx) = database.write(TenantId::DEFAULT).await else { return true };
        let added = tx.execute(&ADD, &values![id, body.as_str()]).await;
        let committed = if added.is_ok() { tx.commit().await } else { added.map(|_| ()) };
        if committed.is_err() {
            return true;
        }
    }
    false
}
