//! The only SQL of this service, one file per table group. Reads accept any transaction, writes require a write transaction.

pub mod attempts;
pub mod codes;
pub mod continuities;
pub mod credentials;
pub mod errors;
pub mod familiar_clients;
pub mod flows;
pub mod identities;
pub mod messages;
pub mod sessions;

use base::{Sealer, TenantId, seal::Purpose};
use database::{Error, Retention, Row, Statement};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Every statement, for the test that prepares them on both engines.
pub const ALL: &[&[&Statement]] = &[
    attempts::STATEMENTS,
    codes::STATEMENTS,
    continuities::STATEMENTS,
    credentials::STATEMENTS,
    errors::STATEMENTS,
    familiar_clients::STATEMENTS,
    flows::STATEMENTS,
    identities::STATEMENTS,
    identities::STATEMENTS_OF_ADDRESSES,
    identities::STATEMENTS_OF_LISTS,
    messages::STATEMENTS,
    sessions::STATEMENTS,
    crate::methods::totp::storage::STATEMENTS,
];

/// The expiry of rows. Flows and sessions stay readable for a day after they expired, so that a late request gets an
/// accurate error.
pub const RETENTION: &[Retention] = &[
    Retention { table: "identity_sessions", key: "tenant_id, id", expired: "expires_at < $1 - 86400000000" },
    Retention { table: "identity_session_devices", key: "tenant_id, id", expired: "expires_at < $1 - 86400000000" },
    Retention { table: "identity_flows", key: "tenant_id, id", expired: "expires_at < $1 - 86400000000" },
    Retention { table: "identity_codes", key: "tenant_id, id", expired: "expires_at < $1 - 86400000000" },
    Retention { table: "identity_continuities", key: "tenant_id, id", expired: "expires_at < $1" },
    Retention { table: "identity_errors", key: "tenant_id, id", expired: "expires_at < $1" },
    Retention { table: "identity_attempts", key: "tenant_id, kind, subject", expired: "expires_at < $1" },
    Retention { table: "identity_familiar_clients", key: "tenant_id, identity_id, client", expired: "expires_at < $1" },
    Retention { table: "identity_messages", key: "tenant_id, id", expired: "expires_at < $1" },
    Retention { table: "identity_message_dispatches", key: "tenant_id, id", expired: "expires_at < $1" },
];

/// Seals data that must not be readable in the database: configurations of credentials, contents of messages. Bound to a
/// tenant.
#[derive(Clone, Copy, Debug)]
pub struct TenantSealer<'s> {
    sealer: &'s Sealer,
    tenant: TenantId,
}

impl<'s> TenantSealer<'s> {
    pub const fn new(sealer: &'s Sealer, tenant: TenantId) -> Self {
        Self { sealer, tenant }
    }

    fn seal(&self, purpose: Purpose, value: &Value) -> Vec<u8> {
        self.sealer.seal(purpose, self.tenant, value.to_string().as_bytes())
    }

    fn open(&self, purpose: Purpose, table: &'static str, sealed: &[u8]) -> Result<Value, Error> {
        let plain = self
            .sealer
            .open(purpose, self.tenant, sealed)
            .map_err(|_| Error::inconsistent(table, "sealed under a secret that is not configured"))?;
        serde_json::from_slice(&plain).map_err(|_| Error::inconsistent(table, "the sealed value is not JSON"))
    }
}

/// A JSON column.
fn json(table: &'static str, text: &str) -> Result<Value, Error> {
    serde_json::from_str(text).map_err(|_| Error::inconsistent(table, "a column does not contain JSON"))
}

/// The rows that a statement returned as a JSON array; PostgreSQL returns NULL for no rows.
fn rows<T: DeserializeOwned>(table: &'static str, row: &Row, position: usize) -> Result<Vec<T>, Error> {
    let Some(text) = row.get::<Option<String>>(position)? else { return Ok(Vec::new()) };
    serde_json::from_str(&text).map_err(|error| Error::inconsistent(table, error.to_string()))
}

/// A column with one of a few fixed values.
fn word<T>(table: &'static str, text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Error> {
    parse(text).ok_or_else(|| Error::inconsistent(table, format!("unknown word {text:?}")))
}

#[cfg(test)]
pub(crate) mod tests {
    use base::TenantId;
    use database::{Database, Read as _};

    database::statements! {
        ATTEMPTS = "SELECT count(*) FROM identity_attempts WHERE tenant_id = $1";
        CODES = "SELECT count(*) FROM identity_codes WHERE tenant_id = $1 AND purpose = 'recovery' AND used_at IS NULL AND length(digest) > 0";
        MESSAGES = "SELECT count(*) FROM identity_messages WHERE tenant_id = $1";
        FLOWS = "SELECT count(*) FROM identity_flows WHERE tenant_id = $1";
    }

    const EXCEPTIONS: &[&str] = &[
        // These sort the rows of one identity, flow or message.
        "codes::OPEN_CODES",
        "familiar_clients::DELETE_OLDEST",
        "messages::DISPATCHES",
        // Sorts the sessions that expired within a day.
        "sessions::LIST_OVER",
        // These count identities one by one, as the older paging requires.
        "list::OFFSET",
        "list::COUNT",
    ];

    /// The numbers of budgets that are not full, open recovery codes, and queued messages.
    pub(crate) async fn count_rows(database: &Database) -> [i64; 3] {
        let mut tx = database.read(TenantId::DEFAULT);
        let mut counts = [0; 3];
        for (count, statement) in counts.iter_mut().zip([&ATTEMPTS, &CODES, &MESSAGES]) {
            *count = tx.query_one(statement, &[]).await.unwrap().get(0).unwrap();
        }
        counts
    }

    pub(crate) async fn count_flows(database: &Database) -> i64 {
        database.read(TenantId::DEFAULT).query_one(&FLOWS, &[]).await.unwrap().get(0).unwrap()
    }

    #[tokio::test]
    async fn no_list_reads_or_sorts_a_whole_table() {
        database::testing::assert_index_ranges(&[crate::MIGRATIONS], super::ALL, EXCEPTIONS).await;
    }

    #[tokio::test]
    async fn a_statement_is_parsed_once() {
        database::testing::assert_parsed_once(&[crate::MIGRATIONS], super::ALL).await;
    }

    #[tokio::test]
    async fn every_statement_is_valid_on_both_engines() {
        database::testing::prepare_all(&[crate::MIGRATIONS], super::ALL).await;
    }
}
