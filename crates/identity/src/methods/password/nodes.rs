//! The forms of the password method.

use crate::domain::message::{label, login, registration};
use crate::domain::ui::Ui;
use crate::domain::ui_node::{Group, InputKind, Node};

/// Asks for the current password.
pub(super) fn login_form(ui: &mut Ui) {
    ui.nodes.upsert(current_password());
    ui.nodes.append(Node::submit(Group::Password, "method", "password", login::sign_in_with_password()));
}

/// Asks a signed-in user for the password again.
pub(super) fn refresh_form(ui: &mut Ui, identifier: &str) {
    ui.nodes.upsert(Node::hidden(Group::Default, "identifier", identifier));
    ui.nodes.upsert(current_password());
    ui.nodes.append(Node::submit(Group::Password, "method", "password", login::sign_in()));
}

pub(super) fn registration_form(ui: &mut Ui) {
    ui.nodes.upsert(new_password());
    ui.nodes.append(Node::submit(Group::Password, "method", "password", registration::sign_up()));
}

pub(super) fn settings_form(ui: &mut Ui) {
    ui.nodes.upsert(new_password());
    ui.nodes.append(Node::submit(Group::Password, "method", "password", label::save()));
}

fn current_password() -> Node {
    password("current-password")
}

fn new_password() -> Node {
    password("new-password")
}

fn password(autocomplete: &str) -> Node {
    Node::input(Group::Password, "password", InputKind::Password)
        .required()
        .autocomplete(autocomplete)
        .label(label::password())
}
