//! Migrations: forward only, embedded in the binary, applied at start under a lock.
//!
//! Each service has a [`MigrationSet`]. Applied migrations are recorded with a checksum: a migration that was changed after it
//! was applied stops the start. Versions that this binary does not know are ignored, so that an old binary keeps working while
//! a new one is rolled out (expand, then contract).

use base::Timestamp;
use sha2::{Digest, Sha256};

use crate::{Database, Engine, Error, Statement};

pub(crate) const CREATE_TABLE: &str = "CREATE TABLE IF NOT EXISTS kleis_migrations (\
    service text NOT NULL, version integer NOT NULL, name text NOT NULL, checksum text NOT NULL, \
    applied_at bigint NOT NULL, PRIMARY KEY (service, version))";
pub(crate) const SELECT_APPLIED: &str = "SELECT service, version, checksum FROM kleis_migrations";
pub(crate) const INSERT_APPLIED: &str =
    "INSERT INTO kleis_migrations (service, version, name, checksum, applied_at) VALUES ($1, $2, $3, $4, $5)";

/// A write that moves one timestamp by a microsecond, back and forth. SQLite does not write a page whose content stays the same, so a
/// write without a change would succeed on a full disk.
pub(crate) static PROBE_WRITE: Statement = {
    const SQL: &str = "UPDATE kleis_migrations SET applied_at = applied_at + 1 - 2 * (applied_at % 2) WHERE service = $1 AND version = 1";
    Statement::across_tenants("probe_write", SQL, SQL)
};

/// The name of the migrations of this crate's own tables.
pub const OWN_TABLES: &str = "database";

const OWN: MigrationSet =
    crate::migrations! { "database", [1 => ("0001_changes.sqlite.sql", "0001_changes.postgres.sql")] };

/// The migrations of one service, in order. Built by [`migrations!`](crate::migrations).
#[derive(Clone, Copy, Debug)]
pub struct MigrationSet {
    pub service: &'static str,
    pub migrations: &'static [Migration],
}

#[derive(Clone, Copy, Debug)]
pub struct Migration {
    pub version: i32,
    pub name: &'static str,
    pub sqlite: &'static str,
    pub postgres: &'static str,
}

/// Embeds a service's migrations from the `migrations/` folder beside its `src/`:
/// `migrations! { "identity", [1 => "0001_identities.sql", 2 => ("0002_x.sqlite.sql", "0002_x.postgres.sql")] }`.
#[macro_export]
macro_rules! migrations {
    ($service:literal, [$($version:literal => $file:tt),+ $(,)?]) => {
        $crate::MigrationSet { service: $service, migrations: &[$($crate::__migration!($version, $file)),+] }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __migration {
    ($version:literal, ($sqlite:literal, $postgres:literal)) => {
        $crate::Migration {
            version: $version,
            name: $crate::__stem_of($sqlite),
            sqlite: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/", $sqlite)),
            postgres: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/", $postgres)),
        }
    };
    ($version:literal, $file:literal) => {
        $crate::Migration {
            version: $version,
            name: $crate::__stem_of($file),
            sqlite: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/", $file)),
            postgres: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/", $file)),
        }
    };
}

/// The name of a file without its extensions, which may name one of the engines.
#[doc(hidden)]
pub const fn __stem_of(file: &'static str) -> &'static str {
    let mut end = 0;
    while end < file.len() && file.as_bytes()[end] != b'.' {
        end += 1;
    }
    file.split_at(end).0
}

/// A line of `kleis migrate status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationStatus {
    pub service: String,
    pub version: i32,
    pub name: String,
    pub state: MigrationState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrationState {
    Applied,
    Pending,
}

#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    #[error("migration {service} {version} was changed after it was applied")]
    Changed { service: &'static str, version: i32 },
    #[error("migration {service} {version} ({name}) failed")]
    Failed {
        service: &'static str,
        version: i32,
        name: &'static str,
        #[source]
        source: Error,
    },
    #[error("the migrations cannot be read or applied")]
    Database(#[source] Error),
}

pub(crate) struct AppliedMigration {
    pub(crate) service: String,
    pub(crate) version: i32,
    pub(crate) checksum: String,
}

pub(crate) struct PendingMigration {
    pub(crate) service: &'static str,
    pub(crate) version: i32,
    pub(crate) name: &'static str,
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
    pub(crate) checksum: String,
}

impl PendingMigration {
    pub(crate) fn failed(&self, source: Error) -> MigrationError {
        MigrationError::Failed { service: self.service, version: self.version, name: self.name, source }
    }
}

impl Database {
    /// Applies missing migrations, in one transaction under a lock, and returns them. Safe to call from many processes at once.
    pub async fn migrate(&self, sets: &[MigrationSet], now: Timestamp) -> Result<Vec<MigrationStatus>, MigrationError> {
        let sets = &with_own(sets);
        // Most starts have nothing to apply and should not wait for the lock.
        if pending(sets, &self.applied_migrations().await?)?.is_empty() {
            return Ok(Vec::new());
        }
        let plan = |applied: &[AppliedMigration]| pending(sets, applied);
        let done = match &self.0.engine {
            Engine::Sqlite(engine) => engine.migrate(plan, now).await?,
            Engine::Postgres(engine) => engine.migrate(plan, now).await?,
        };
        let status = |step: PendingMigration| MigrationStatus {
            service: step.service.to_owned(),
            version: step.version,
            name: step.name.to_owned(),
            state: MigrationState::Applied,
        };
        Ok(done.into_iter().map(status).collect())
    }

    /// Every migration of this binary, and whether it was applied.
    pub async fn migration_status(&self, sets: &[MigrationSet]) -> Result<Vec<MigrationStatus>, MigrationError> {
        let sets = &with_own(sets);
        let pending = pending(sets, &self.applied_migrations().await?)?;
        let mut lines = Vec::new();
        for set in sets {
            for migration in set.migrations {
                let is_pending = pending.iter().any(|it| it.service == set.service && it.version == migration.version);
                lines.push(MigrationStatus {
                    service: set.service.to_owned(),
                    version: migration.version,
                    name: migration.name.to_owned(),
                    state: if is_pending { MigrationState::Pending } else { MigrationState::Applied },
                });
            }
        }
        Ok(lines)
    }

    async fn applied_migrations(&self) -> Result<Vec<AppliedMigration>, MigrationError> {
        match &self.0.engine {
            Engine::Sqlite(engine) => engine.applied_migrations().await,
            Engine::Postgres(engine) => engine.applied_migrations().await,
        }
    }
}

/// The tables of this crate come first.
fn with_own(sets: &[MigrationSet]) -> Vec<MigrationSet> {
    std::iter::once(OWN).chain(sets.iter().copied()).collect()
}

fn pending(sets: &[MigrationSet], applied: &[AppliedMigration]) -> Result<Vec<PendingMigration>, MigrationError> {
    let mut steps = Vec::new();
    for set in sets {
        for migration in set.migrations {
            let checksum = checksum(migration);
            match applied.iter().find(|it| it.service == set.service && it.version == migration.version) {
                Some(it) if it.checksum != checksum => {
                    return Err(MigrationError::Changed { service: set.service, version: migration.version });
                }
                Some(_) => {}
                None => steps.push(PendingMigration {
                    service: set.service,
                    version: migration.version,
                    name: migration.name,
                    sqlite: migration.sqlite,
                    postgres: migration.postgres,
                    checksum,
                }),
            }
        }
    }
    Ok(steps)
}

/// Computed over both texts, so that a database that moves between engines keeps its history.
fn checksum(migration: &Migration) -> String {
    let digest = Sha256::new().chain_update(migration.sqlite).chain_update([0]).chain_update(migration.postgres);
    digest.finalize().iter().take(16).fold(String::new(), |mut text, byte| {
        use std::fmt::Write as _;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_migration_is_shown_without_an_engine() {
        let database = Database::open(&crate::Dsn::memory()).await.unwrap();
        let status = database.migration_status(&[]).await.unwrap();
        assert_eq!(status.iter().map(|step| step.name.as_str()).collect::<Vec<_>>(), ["0001_changes"]);
        assert_eq!(__stem_of("0001_things.sql"), "0001_things");
    }
}
