//! Whether the secrets fit the database.
//!
//! The database holds a value that is sealed under the secrets of each service. What always holds:
//! - Secrets that do not open it stop the start, on every node and both engines, before anything is written.
//! - Secrets are never generated beside a database that holds data, and an empty database is never created beside
//!   secrets that were generated for another one.
//! - The value is sealed again under the first secret when secrets are rotated, so that the old one can be removed.

use base::seal::Purpose;
use base::{Sealer, TenantId, Timestamp};
use database::{Database, MigrationState, MigrationStatus};

use crate::config::Service;
use crate::storage::{self, secret_checks};

const CHECK: Purpose = Purpose("secret check");

/// What to do about secrets that are known to be lost.
const ACCEPT: &str =
    "if they are lost, start once with --accept-new-secrets: what was sealed under them stays unreadable";

/// Why the secrets and the database cannot be used together.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    #[error(
        "the secrets of {0} do not fit the database, which was written under other secrets: set the secrets that its other \
         nodes use, or that it was backed up with; {ACCEPT}"
    )]
    Mismatch(Service),
    #[error(
        "the database holds data, and the secrets that it was written under are missing: restore {0} from a backup; {ACCEPT}"
    )]
    Missing(String),
    #[error(
        "the secrets in {0} belong to a database that holds data, and the database is empty: restore it from a backup; to \
         begin with an empty database, start once with --accept-new-secrets"
    )]
    EmptyDatabase(String),
}

/// Where the secrets of this start come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SecretsOrigin {
    /// The configuration, or they live no longer than the process.
    Configured,
    /// A file that an earlier start wrote; the database was made after it.
    Kept { file: String },
    /// They were made now and are not written yet.
    Generated { file: String },
}

/// The services that seal, each with its sealer.
pub(super) type Sealers = Vec<(Service, Sealer)>;

/// Checks the secrets against what lies in the database. Writes nothing. `status` is the state before migrations are
/// applied.
pub(super) async fn check(
    database: &Database,
    status: &[MigrationStatus],
    sealers: &Sealers,
    origin: &SecretsOrigin,
) -> Result<Vec<SecretsError>, database::Error> {
    let is_applied = |step: &MigrationStatus| step.state == MigrationState::Applied;
    let holds_checks = status.iter().any(|step| step.service == storage::MIGRATIONS.service && is_applied(step));
    if !status.iter().any(is_applied) {
        return Ok(match origin {
            SecretsOrigin::Kept { file } => vec![SecretsError::EmptyDatabase(file.clone())],
            SecretsOrigin::Configured | SecretsOrigin::Generated { .. } => Vec::new(),
        });
    }
    if !holds_checks {
        // Written by a version that left no check value. New secrets cannot be those that it was written under.
        return Ok(match origin {
            SecretsOrigin::Generated { file } => vec![SecretsError::Missing(file.clone())],
            SecretsOrigin::Configured | SecretsOrigin::Kept { .. } => Vec::new(),
        });
    }
    let mut errors = Vec::new();
    let mut tx = database.read(TenantId::DEFAULT);
    for (service, sealer) in sealers {
        let Some(sealed) = secret_checks::find(&mut tx, service.name()).await? else { continue };
        if sealer.open_text(CHECK, TenantId::DEFAULT, &sealed).is_ok() {
            continue;
        }
        match origin {
            SecretsOrigin::Generated { file } => return Ok(vec![SecretsError::Missing(file.clone())]),
            SecretsOrigin::Configured | SecretsOrigin::Kept { .. } => errors.push(SecretsError::Mismatch(*service)),
        }
    }
    Ok(errors)
}

/// Leaves a check value for each service, sealed under its first secret. A node that started meanwhile with other secrets
/// wins, and this one is refused. With `replace` whatever is there makes way.
pub(super) async fn record(
    database: &Database,
    sealers: &Sealers,
    replace: bool,
    now: Timestamp,
) -> Result<Vec<SecretsError>, database::Error> {
    let mut errors = Vec::new();
    for (service, sealer) in sealers {
        let name = service.name();
        let found = secret_checks::find(&mut database.read(TenantId::DEFAULT), name).await?;
        let opens = |sealed: &str| sealer.open_text(CHECK, TenantId::DEFAULT, sealed).is_ok();
        if found.as_deref().is_some_and(|sealed| opens(sealed) && !sealer.is_outdated_text(sealed)) {
            continue;
        }
        let mut tx = database.write(TenantId::DEFAULT).await?;
        let fresh = sealer.seal_text(CHECK, TenantId::DEFAULT, &[]);
        let is_written = match &found {
            None => secret_checks::insert(&mut tx, name, &fresh, now).await?,
            Some(sealed) if opens(sealed) || replace => {
                secret_checks::replace(&mut tx, name, sealed, &fresh, now).await?
            }
            Some(_) => false,
        };
        if !is_written {
            let other = secret_checks::find(&mut tx, name).await?;
            if !other.as_deref().is_some_and(opens) {
                errors.push(SecretsError::Mismatch(*service));
            }
        }
        tx.commit().await?;
    }
    Ok(errors)
}

#[cfg(test)]
mod tests;
