//! A service on the database of a test.

use std::sync::Arc;

use base::{Clock, Rng, TrustStore};
use database::Database;
use serde_json::Value;
use web::outbound::{Client, Destinations};

use super::mismatch::Mismatch;
use crate::{Parts, Permissions};

/// With a section of the configuration, and without a model.
pub fn service(
    database: &Database,
    section: Value,
    read_url: &str,
    clock: &Clock,
) -> Result<Arc<Permissions>, Mismatch> {
    Ok(Permissions::new(Parts {
        config: serde_json::from_value(section)?,
        database: database.clone(),
        clock: clock.clone(),
        rng: Rng::seeded(1),
        read_url: read_url.parse()?,
        http: Client::new(Destinations::public_only([]), &TrustStore::bundled()),
    })?)
}
