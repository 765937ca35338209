//! The sign-in methods, a folder for each: how a user proves their identity, and what they can change about it.
//!
//! A folder contains the logic of its method: its section of the configuration (`config.rs`), its stored data
//! (`credential.rs`), what an administrator imports (`import.rs`), the nodes of its forms (`nodes.rs`), its step in each flow
//! (`login.rs`, `registration.rs`, `settings.rs`) and its messages (`messages.rs`; those about passwords, codes and links are in
//! `domain/message.rs`). [`Method`] is the interface to the flows. The methods are listed in `list.rs`, their credentials in
//! `credential.rs`, their imports in `domain/import.rs`. See `docs/guides/add-a-sign-in-method.md`.
//!
//! Invariants:
//! - Login, registration and settings try the methods in the order of the list; the first one that accepts a submission
//!   handles it. Recovery and verification support only code and link, and use their forms.
//! - A method does not import another method.
//! - `credential.rs`, `import.rs` and [`credential`] belong to the domain: they are pure.

pub mod code;
pub mod credential;
pub mod identifier_first;
mod labels;
pub mod link;
mod list;
pub mod lookup_secret;
mod method;
pub mod oidc;
pub mod password;
pub mod profile;
pub mod sections;
pub mod totp;
pub mod webauthn;

pub(crate) use labels::{identifier_input, identifier_label};
pub(crate) use method::{LoginForm, Method};

macro_rules! all {
    ($($name:ident: $method:expr $(, $section:ty)?;)+) => {
        /// Every method, in the order in which submissions are offered to them.
        pub(crate) static ALL: &[&dyn Method] = &[$(&$method,)+];
    };
}

list::methods!(all);

/// The names of the nodes of all methods, in the order of each.
pub(crate) fn node_order() -> impl Iterator<Item = &'static str> {
    ALL.iter().flat_map(|method| method.node_order()).copied()
}
