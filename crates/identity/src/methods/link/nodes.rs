//! The form of the link method. It asks for the address, also after a link was sent.

use crate::domain::message::label;
use crate::domain::ui::Ui;
use crate::domain::ui_node::{Group, InputKind, Node, Nodes};

/// The form that asks for the address, prefilled with the previous one.
pub(crate) fn form(ui: &mut Ui, typed: Option<&str>) {
    ui.nodes = Nodes::default();
    ui.nodes.upsert(Node::csrf());
    let input = Node::input(Group::Link, "email", InputKind::Email).required().label(label::email());
    ui.nodes.upsert(match typed {
        Some(typed) => input.value(typed),
        None => input,
    });
    ui.nodes.append(Node::submit(Group::Link, "method", "link", label::continue_()));
}
