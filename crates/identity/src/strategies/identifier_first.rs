//! Signing in by naming oneself first: one field, then the ways that this person has.

use crate::domain::message::{Message, label};
use crate::domain::ui::Ui;
use crate::domain::ui_node::{Group, InputKind, Node};

const AUTOCOMPLETE: &str = "username webauthn";

/// The first step: who are you?
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

/// The second step keeps what was typed and offers what follows from it.
pub(crate) fn keep_identifier(ui: &mut Ui, identifier: &str) {
    ui.nodes.retain(|node| node.group != Group::IdentifierFirst);
    let mut node = Node::hidden(Group::IdentifierFirst, "identifier", identifier).required();
    node = node.autocomplete(AUTOCOMPLETE);
    ui.nodes.upsert(node);
}
