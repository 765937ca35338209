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

pub(crate) use findings::Findings;
pub(crate) use placement::is_this_machine;
pub(crate) use prepare::{Purpose, prepare};
pub(crate) use public_urls::public_urls;
pub use running::{Addresses, Running};
pub use secret_check::SecretsError;
pub(crate) use start::migrations_of;
pub use start::{Environment, StartError, start};
