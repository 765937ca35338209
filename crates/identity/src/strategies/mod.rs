//! The ways to prove who one is, and the forms that ask for them: one file per method, used by each flow that knows it.

pub(crate) mod code;
pub(crate) mod identifier_first;
pub(crate) mod link;
pub(crate) mod password;
pub(crate) mod profile;

use crate::domain::message::{Message, label};
use crate::domain::traits_schema::TraitsSchema;

/// The label of the identifier: the title of the only trait that names a person, else a general one. Methods that are off
/// count too, as in the wire contract.
pub(crate) fn identifier_label(schema: &TraitsSchema) -> Message {
    let mut identifiers = schema.fields().iter().filter(|field| {
        let extension = field.extension;
        extension.is_identifier() || extension.passkey_display_name || extension.totp_account_name
    });
    match (identifiers.next(), identifiers.next()) {
        (Some(field), None) => match field.title.as_deref().filter(|title| !title.is_empty()) {
            Some(title) => label::trait_title(title, &field.name),
            None => label::identifier(),
        },
        _ => label::identifier(),
    }
}
