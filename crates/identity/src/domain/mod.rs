//! Values, states and decisions of the identity service. The domain is pure and synchronous, without input or output.

pub mod aal;
pub mod address;
pub mod attempt_limit;
pub mod client_kind;
pub mod code;
#[cfg(test)]
mod combinations;
pub mod continue_with;
pub mod credential;
pub mod credential_type;
pub mod csrf;
pub mod device;
pub mod event;
pub mod factors;
pub mod flow;
pub mod form;
pub mod hooks;
pub mod identifier;
pub mod identity;
pub mod import;
pub mod imported_config;
pub mod login;
pub mod message;
pub mod message_queue;
pub mod password;
pub mod password_hash;
pub mod password_policy;
pub mod recovery;
pub mod registration;
pub mod return_to;
pub mod session;
pub mod settings;
pub mod stored_credential;
pub mod traits_schema;
pub mod ui;
pub mod ui_node;
pub mod verification;
pub(crate) mod views;

pub use aal::Aal;
pub use address::{AddressStatus, RecoveryAddress, RecoveryAddressId, VerifiableAddress, VerifiableAddressId, Via};
pub use credential::{Credential, Credentials};
pub use credential_type::CredentialType;
pub use device::{Device, DeviceId};
pub use identity::{Identity, IdentityId, State};
pub use session::{AuthenticationMethod, RequiredAal, Session, SessionId};
pub use traits_schema::{TraitError, TraitProblem, TraitsSchema};
