//! The two forms: one field, then the methods that the account has.

use crate::domain::message::{Message, label};
use crate::domain::ui::Ui;
use crate::domain::ui_node::{Group, InputKind, Node};

const AUTOCOMPLETE: &str = "username webauthn";

/// The first step, with the identifier only.
pub(crate) fn identification_form(ui: &mut Ui, identifier_label: Message) {
    ui.nodes.upsert(
        Node::input(Group::IdentifierFirst, "identifier", InputKind::Text)
            .value("")
            .required()
            .autocomplete(AUTOCOMPLETE)
            .label(identifier_label),
    );
    ui.nodes.append(Node::submit(Group::IdentifierFirst, "method", "identifier_first", label::continue_()));
}

/// The second form keeps the identifier as a hidden field in its place. The nodes of other methods are removed: each method
/// adds its own again if the account has it.
pub(super) fn keep_identifier(ui: &mut Ui, identifier: &str) {
    ui.nodes.retain(|node| {
        let is_button = node.group == Group::IdentifierFirst && node.name() == "method";
        !is_button && matches!(node.group, Group::Default | Group::IdentifierFirst)
    });
    if let Some(input) = ui.nodes.find_mut("identifier").and_then(Node::as_input_mut) {
        input.kind = InputKind::Hidden;
        input.autocomplete = Some(AUTOCOMPLETE.to_owned());
        input.value = Some(identifier.into());
    }
}
