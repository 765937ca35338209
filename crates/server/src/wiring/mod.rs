//! Assembles the running program: database, secrets, listeners, services, and the links between them.

mod checks;
mod environment;
mod findings;
mod parts;
mod placement;
mod prepare;
mod public_urls;
mod running;
mod secret_check;
mod selection;
mod self_signed;
mod services;
mod start;
mod table_sizes;

pub use environment::Environment;
pub(crate) use environment::Purpose;
pub(crate) use findings::Findings;
pub(crate) use placement::is_this_machine;
pub(crate) use prepare::prepare;
pub(crate) use public_urls::public_urls;
pub use running::{Addresses, Running};
pub use secret_check::SecretsError;
pub(crate) use selection::migrations_of;
pub use start::{StartError, start};
