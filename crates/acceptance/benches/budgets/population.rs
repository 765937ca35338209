//! Rows for the measurements, written in bulk by SQL: a million identities in seconds. It uses only columns that every version
//! of the program has, so that an earlier version can be measured as well.

use std::ops::Range;
use std::time::Duration;

use anyhow::Result;
use base::{PlainToken, Rng, TenantId};
use database::{Database, Read as _, Statement, values};
use identity::domain::session::AuthenticationMethod;
use identity::domain::{Aal, CredentialType};
use uuid::Uuid;

/// The address of the identity with that number.
pub(crate) fn email(number: u32) -> String {
    format!("person{number}@example.org")
}

/// The session token of the session with that number.
pub(crate) fn token(number: u32) -> String {
    format!("ory_st_of_the_bench_{number:024}")
}

const LIFETIME: Duration = Duration::from_hours(24);

/// The digits of an identity's id. Multiplying by a large odd number spreads them over the whole index, like random
/// identifiers.
macro_rules! sqlite_id {
    () => {
        "CAST(printf('%08x%08x', (i * 2654435761) & 4294967295, i) AS BLOB)"
    };
}
macro_rules! postgres_id {
    () => {
        "md5(i::text)::uuid"
    };
}
macro_rules! sqlite_numbers {
    () => {
        "WITH RECURSIVE numbers (i) AS (SELECT $1 UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < $2) "
    };
}

/// Cache for the indexes of a million rows, on the connection that writes them.
static CACHE_SIZE: Statement =
    Statement::across_tenants("bench::CACHE_SIZE", "PRAGMA cache_size = -400000", "SELECT 1");

static IDENTITIES: Statement = Statement::across_tenants(
    "bench::IDENTITIES",
    concat!(
        sqlite_numbers!(),
        "INSERT INTO identity_identities (tenant_id, id, schema_id, state, traits, available_aal, created_at, updated_at) \
         SELECT 1, ",
        sqlite_id!(),
        ", 'default', 'active', printf('{\"email\":\"person%d@example.org\"}', i), 'aal1', $3, $3 FROM numbers"
    ),
    concat!(
        "INSERT INTO identity_identities (tenant_id, id, schema_id, state, traits, available_aal, created_at, updated_at) \
         SELECT 1, ",
        postgres_id!(),
        ", 'default', 'active', format('{\"email\":\"person%s@example.org\"}', i), 'aal1', $3::bigint, $3::bigint \
         FROM generate_series($1::bigint, $2::bigint - 1) AS i"
    ),
);

static IDENTIFIERS: Statement = Statement::across_tenants(
    "bench::IDENTIFIERS",
    concat!(
        sqlite_numbers!(),
        "INSERT INTO identity_credential_identifiers (tenant_id, identifier, type, identity_id) \
         SELECT 1, printf('person%d@example.org', i), 'password', ",
        sqlite_id!(),
        " FROM numbers"
    ),
    concat!(
        "INSERT INTO identity_credential_identifiers (tenant_id, identifier, type, identity_id) \
         SELECT 1, format('person%s@example.org', i), 'password', ",
        postgres_id!(),
        " FROM generate_series($1::bigint, $2::bigint - 1) AS i"
    ),
);

/// The other data of a million people: two addresses, a password and a session. The password is never checked.
static BELONGINGS: [Statement; 4] = [
    belonging(concat!(
        sqlite_numbers!(),
        "INSERT INTO identity_verifiable_addresses (tenant_id, id, identity_id, via, value, status, verified, created_at, \
         updated_at) SELECT 1, randomblob(16), ",
        sqlite_id!(),
        ", 'email', printf('person%d@example.org', i), 'pending', 0, $3, $3 FROM numbers"
    )),
    belonging(concat!(
        sqlite_numbers!(),
        "INSERT INTO identity_recovery_addresses (tenant_id, id, identity_id, via, value, created_at, updated_at) \
         SELECT 1, randomblob(16), ",
        sqlite_id!(),
        ", 'email', printf('person%d@example.org', i), $3, $3 FROM numbers"
    )),
    belonging(concat!(
        sqlite_numbers!(),
        "INSERT INTO identity_credentials (tenant_id, identity_id, type, config, version, created_at, updated_at) \
         SELECT 1, ",
        sqlite_id!(),
        ", 'password', randomblob(120), 0, $3, $3 FROM numbers WHERE i % $4 <> 0"
    )),
    belonging(concat!(
        sqlite_numbers!(),
        "INSERT INTO identity_sessions (tenant_id, id, identity_id, token_digest, active, aal, authentication_methods, \
         issued_at, authenticated_at, expires_at, created_at, updated_at) SELECT 1, randomblob(16), ",
        sqlite_id!(),
        ", randomblob(32), 1, 'aal1', '[]', $3, $3, $3 + 86400000000, $3, $3 FROM numbers WHERE i % $4 <> 0"
    )),
];

const fn belonging(sql: &'static str) -> Statement {
    shared("bench::BELONGINGS", sql)
}

/// For the identity with the identifier `$2`.
static SESSION: Statement = shared(
    "bench::SESSION",
    "INSERT INTO identity_sessions (tenant_id, id, identity_id, token_digest, active, aal, authentication_methods, \
     issued_at, authenticated_at, expires_at, created_at, updated_at) \
     SELECT 1, $1, identity_id, $3, true, 'aal1', $4, $5, $5, $6, $5, $5 FROM identity_credential_identifiers \
     WHERE tenant_id = 1 AND identifier = $2 AND type = 'password'",
);

/// Otherwise the planner's statistics are those of the last automatic analysis.
static ANALYZE: Statement = shared("bench::ANALYZE", "ANALYZE");

const fn shared(name: &'static str, sql: &'static str) -> Statement {
    Statement::across_tenants(name, sql, sql)
}

/// Identities with one identifier each, in one transaction.
pub(crate) async fn write_identities(database: &Database, numbers: Range<u32>) -> Result<()> {
    let now = base::Clock::system().now();
    let mut tx = database.write(TenantId::DEFAULT).await?;
    tx.query(&CACHE_SIZE, &[]).await?;
    tx.execute(&IDENTITIES, &values![numbers.start, numbers.end, now]).await?;
    tx.execute(&IDENTIFIERS, &values![numbers.start, numbers.end]).await?;
    tx.commit().await?;
    analyze(database).await
}

/// The other data of written identities, on SQLite. One in `every` has no password and no session yet: see [`write_sessions`].
pub(crate) async fn write_belongings(database: &Database, numbers: Range<u32>, every: u32) -> Result<()> {
    let now = base::Clock::system().now();
    let mut tx = database.write(TenantId::DEFAULT).await?;
    for (position, statement) in BELONGINGS.iter().enumerate() {
        let values = values![numbers.start, numbers.end, now, every];
        // All identities have addresses.
        tx.execute(statement, if position < 2 { &values[..3] } else { &values }).await?;
    }
    tx.commit().await?;
    analyze(database).await
}

/// The id of an identity on SQLite.
pub(crate) fn sqlite_id(number: u32) -> Result<Uuid> {
    let spread = (u64::from(number) * 2_654_435_761) & 0xffff_ffff;
    Ok(Uuid::from_slice(format!("{spread:08x}{number:08x}").as_bytes())?)
}

async fn analyze(database: &Database) -> Result<()> {
    let mut tx = database.write(TenantId::DEFAULT).await?;
    tx.execute(&ANALYZE, &[]).await?;
    Ok(tx.commit().await?)
}

/// A session for each of these identities.
pub(crate) async fn write_sessions(database: &Database, numbers: impl Iterator<Item = u32>) -> Result<()> {
    let rng = Rng::system();
    let now = base::Clock::system().now();
    let method = AuthenticationMethod::new(CredentialType::Password, Aal::Aal1, now);
    let methods = serde_json::to_string(&[method])?;
    let mut tx = database.write(TenantId::DEFAULT).await?;
    for number in numbers {
        let digest = PlainToken::received(token(number)).digest();
        let expires_at = now.plus(LIFETIME);
        tx.append(&SESSION, &values![rng.uuid(), email(number), digest, &methods, now, expires_at]).await?;
    }
    Ok(tx.commit().await?)
}
