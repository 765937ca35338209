//! The SQL of the OAuth service, one file per group of tables.

use database::{Retention, Statement};

pub mod challenges;
pub mod clients;
pub mod consents;
pub mod forced_subjects;
pub mod grants;
pub mod keys;
pub mod login_sessions;
pub mod provider_ends;
pub mod revocations;
pub mod revoked_tokens;
pub mod used_jtis;
pub mod versions;

/// All statements, for the test that prepares them on both engines.
pub const ALL: &[&[&Statement]] = &[
    challenges::STATEMENTS,
    clients::STATEMENTS,
    consents::STATEMENTS,
    forced_subjects::STATEMENTS,
    grants::STATEMENTS,
    keys::STATEMENTS,
    login_sessions::STATEMENTS,
    provider_ends::STATEMENTS,
    revocations::STATEMENTS,
    revoked_tokens::STATEMENTS,
    used_jtis::STATEMENTS,
    versions::STATEMENTS,
];

const EXPIRED: &str = "expires_at < $1";

/// Expired rows are deleted: each table records how long a row is needed.
pub const RETENTION: &[Retention] = &[
    Retention { table: "oauth_consents", key: "tenant_id, id", expired: EXPIRED },
    Retention { table: "oauth_grants", key: "tenant_id, id", expired: EXPIRED },
    Retention { table: "oauth_keys", key: "tenant_id, set_name, kid", expired: EXPIRED },
    Retention {
        table: "oauth_login_sessions",
        key: "tenant_id, id",
        // Even if the session ended: while its login challenge could be replayed, the row shows that it was redeemed.
        expired: "expires_at < $1 AND challenge_expires_at < $1",
    },
    Retention { table: "oauth_provider_ends", key: "tenant_id, kind, name", expired: EXPIRED },
    Retention { table: "oauth_revoked_tokens", key: "tenant_id, jti", expired: EXPIRED },
    Retention { table: "oauth_used_challenges", key: "tenant_id, digest", expired: EXPIRED },
    Retention { table: "oauth_used_jtis", key: "tenant_id, issuer, jti_digest", expired: EXPIRED },
];

#[cfg(test)]
mod tests {
    use crate::MIGRATIONS;

    /// These sort the keys of one set, or the clients of one login session.
    const EXCEPTIONS: &[&str] = &["keys::LIST", "clients::LIST_OF_LOGIN_SESSION"];

    #[tokio::test]
    async fn no_list_reads_or_sorts_a_whole_table() {
        database::testing::assert_index_ranges(&[crate::MIGRATIONS], super::ALL, EXCEPTIONS).await;
    }

    #[tokio::test]
    async fn a_statement_is_parsed_once() {
        database::testing::assert_parsed_once(&[crate::MIGRATIONS], super::ALL).await;
    }

    #[tokio::test]
    async fn every_statement_is_accepted_by_both_engines() {
        database::testing::prepare_all(&[MIGRATIONS], super::ALL).await;
    }
}
