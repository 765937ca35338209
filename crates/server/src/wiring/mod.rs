//! How the parts become a running program: database, secrets, listeners, services, and the links between them.

mod checks;
mod findings;
mod parts;
mod placement;
mod prepare;
mod public_urls;
mod running;
mod secret_check;
mod self_signed;
mod services;
mod start;
mod table_sizes;

use schemars::Schema;
use service::configuration::schema_of;

use crate::config::Service;

pub(crate) use findings::Findings;
pub(crate) use placement::is_this_machine;
pub(crate) use prepare::{Purpose, prepare};
pub(crate) use public_urls::public_urls;
pub use running::{Addresses, Running};
pub use secret_check::SecretsError;
pub use start::{Environment, StartError, start};
pub(crate) use start::{is_admin_listener, listener_names, migrations_of, usual_port};

/// What the type of a section reads.
pub(crate) fn section_schema(service: Service) -> Schema {
    match service {
        Service::Identity => schema_of::<identity::Config>(),
        Service::Oauth => schema_of::<oauth::Config>(),
        Service::Gateway => schema_of::<gateway::Config>(),
    }
}
