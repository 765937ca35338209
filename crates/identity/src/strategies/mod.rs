//! The ways to prove who one is, and the forms that ask for them: one file per method, used by each flow that knows it.

pub(crate) mod code;
pub(crate) mod identifier_first;
pub(crate) mod link;
pub(crate) mod password;
pub(crate) mod profile;

use crate::domain::CredentialType;
use crate::domain::message::{Message, label};
use crate::domain::traits_schema::TraitsSchema;

/// The label of the identifier: the title of the only trait that is one, else a word that fits all.
pub(crate) fn identifier_label(schema: &TraitsSchema, kinds: &[CredentialType]) -> Message {
    let mut identifiers = schema.fields().iter().filter(|field| {
        kinds.iter().any(|kind| match kind {
            CredentialType::Password => field.extension.password_identifier,
            CredentialType::Code => field.extension.code_identifier,
            CredentialType::Webauthn => field.extension.webauthn_identifier,
            _ => false,
        })
    });
    match (identifiers.next().map(|field| field.title.as_deref()), identifiers.next()) {
        (Some(Some(title)), None) => label::trait_title(title, "identifier"),
        _ => label::identifier(),
    }
}
