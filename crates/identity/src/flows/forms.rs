//! Parts of forms that several flows share.

use crate::domain::message::Message;
use crate::domain::ui::{Complaint, Ui};
use crate::domain::ui_node::{Group, InputKind, Node};
use crate::domain::{TraitError, message};

/// The field that asks who is signing in.
pub(super) fn identifier_input(ui: &mut Ui, label: Message) {
    ui.nodes.upsert(Node::input(Group::Default, "identifier", InputKind::Text).value("").required().label(label));
}

/// What the schema says against the traits, each at its node.
pub(super) fn trait_complaints(errors: &[TraitError]) -> Vec<Complaint> {
    errors
        .iter()
        .map(|error| {
            let message = message::validation::of_trait(&error.problem);
            let path = error.pointer.trim_start_matches('/').replace('/', ".").replace("~1", "/").replace("~0", "~");
            match path.as_str() {
                "" | "traits" => Complaint::general(message),
                _ => Complaint::at(path, message),
            }
        })
        .collect()
}
