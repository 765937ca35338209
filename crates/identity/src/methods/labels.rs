//! The identifier field, which several methods share.

use crate::domain::message::{Message, label};
use crate::domain::traits_schema::TraitsSchema;
use crate::domain::ui::Ui;
use crate::domain::ui_node::{Group, InputKind, Node};

/// The label of the identifier: the title of the only trait that is an identifier, else a generic label. Disabled methods
/// are considered too, as in the wire contract.
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

/// The identifier field of a login.
pub(crate) fn identifier_input(ui: &mut Ui, label: Message) {
    ui.nodes.upsert(Node::input(Group::Default, "identifier", InputKind::Text).value("").required().label(label));
}
