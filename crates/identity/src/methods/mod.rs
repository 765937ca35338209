//! The sign-in methods, a room for each: what a person can prove who they are by, and what they can change about it.
//!
//! A room has everything that is about its method: its section of the configuration (`config.rs`), what is stored of it
//! (`credential.rs`), the nodes of its forms (`nodes.rs`), its step in each flow (`login.rs`, `registration.rs`,
//! `settings.rs`) and its messages (`messages.rs`). [`Method`] is what a flow asks of a room; `list.rs` is the only list.
//! See `docs/guides/add-a-sign-in-method.md`.
//!
//! What always holds:
//! - Login, registration and settings ask each method in the order of the list; the first that takes a submission answers
//!   it. Recovery and verification work by code or link alone, and use their forms.
//! - A room imports no other room.
//! - `credential.rs` and [`credential`] belong to the domain: they are pure.

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
        /// Every method, in the order in which a submission is offered to them.
        pub(crate) static ALL: &[&dyn Method] = &[$(&$method,)+];
    };
}

list::methods!(all);
