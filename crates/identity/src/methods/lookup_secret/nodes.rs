//! The forms of backup codes.

use crate::domain::message::Message;
use crate::domain::ui::Ui;
use crate::domain::ui_node::{Attributes, Group, InputKind, Node};

use super::credential::LookupCode;
use super::messages;

const CODES: &str = "lookup_secret_codes";

/// The order in the settings.
pub(super) const ORDER: &[&str] = &["lookup_secret_reveal", "lookup_secret_regenerate", CODES, "lookup_secret_confirm"];

pub(super) fn login_form(ui: &mut Ui) {
    let code = Node::input(Group::LookupSecret, "lookup_secret", InputKind::Text).required();
    ui.nodes.upsert(code.label(messages::code()));
    ui.nodes.append(Node::submit(Group::LookupSecret, "method", "lookup_secret", messages::use_code()));
}

/// The form for a user without codes.
pub(super) fn empty_form(ui: &mut Ui) {
    button(ui, "lookup_secret_regenerate", messages::regenerate());
}

/// The form for a user with codes.
pub(super) fn hidden_form(ui: &mut Ui) {
    button(ui, "lookup_secret_reveal", messages::reveal());
    button(ui, "lookup_secret_disable", messages::disable());
}

/// The form with the codes, which [`show`] inserts.
pub(super) fn revealed_form(ui: &mut Ui) {
    clear(ui);
    codes_node(ui);
    button(ui, "lookup_secret_disable", messages::disable());
    button(ui, "lookup_secret_regenerate", messages::regenerate());
}

/// The form with new codes, which become valid when they are confirmed.
pub(super) fn regenerated_form(ui: &mut Ui) {
    clear(ui);
    codes_node(ui);
    button(ui, "lookup_secret_confirm", messages::confirm());
}

/// Inserts the codes into a form that shows codes.
pub(super) fn show(ui: &mut Ui, codes: &[LookupCode]) {
    if let Some(Attributes::Text { text, .. }) = ui.nodes.find_mut(CODES).map(|node| &mut node.attributes) {
        *text = messages::list(codes);
    }
}

fn clear(ui: &mut Ui) {
    ui.nodes.retain(|node| node.group != Group::LookupSecret);
}

fn codes_node(ui: &mut Ui) {
    ui.nodes.upsert(Node::text(Group::LookupSecret, CODES, messages::list(&[])).label(messages::list_label()));
}

fn button(ui: &mut Ui, name: &str, label: Message) {
    ui.nodes.upsert(Node::submit(Group::LookupSecret, name, "true", label));
}
