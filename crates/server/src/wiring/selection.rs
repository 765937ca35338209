//! The migrations and retention rules of the running services, and the URLs of their listeners.

use database::{MigrationSet, Retention};

use crate::config::{Config, Service};
use crate::storage;

/// The tables of the running services.
pub(crate) fn migrations_of(config: &Config) -> Vec<MigrationSet> {
    let services = config.services.iter().filter_map(|service| service.definition().migrations);
    [jobs::MIGRATIONS, storage::MIGRATIONS].into_iter().chain(services).collect()
}

pub(super) fn retention_of(config: &Config) -> Vec<Retention> {
    let services = config.services.iter().map(|service| service.definition().retention);
    std::iter::once(jobs::RETENTION).chain(services).flatten().copied().collect()
}

/// The configured URL under which clients reach a listener.
pub(super) fn configured_url<'a>(
    config: &'a Config,
    service: Service,
    listener: &service::Listener,
) -> Option<&'a str> {
    listener.url_keys.iter().find_map(|key| config.value(service, key)?.as_str())
}
