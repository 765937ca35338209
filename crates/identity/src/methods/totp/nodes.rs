//! The forms of the authenticator app.

use crate::domain::message::label;
use crate::domain::ui::Ui;
use crate::domain::ui_node::{Attributes, Group, InputKind, Node};

use super::key::Key;
use super::{messages, qr};

const QR: &str = "totp_qr";
const SECRET: &str = "totp_secret_key";
/// Width and height of the QR code in pixels.
const QR_SIZE: u32 = 256;

/// The order in the settings.
pub(super) const ORDER: &[&str] = &[QR, SECRET, "totp_unlink", "totp_code"];

pub(super) fn login_form(ui: &mut Ui) {
    let code = Node::input(Group::Totp, "totp_code", InputKind::Text).value("").required();
    ui.nodes.upsert(code.label(messages::code()));
    ui.nodes.append(Node::submit(Group::Totp, "method", "totp", messages::use_authenticator()));
}

/// Asks for the first code of a new secret, which [`show`] inserts.
pub(super) fn link_form(ui: &mut Ui) {
    ui.nodes.upsert(Node::image(Group::Totp, QR, String::new(), QR_SIZE).label(messages::qr_code()));
    ui.nodes.upsert(Node::text(Group::Totp, SECRET, messages::secret("")).label(messages::secret_hint()));
    let code = Node::input(Group::Totp, "totp_code", InputKind::Text).required();
    ui.nodes.upsert(code.label(messages::verify_code()));
    ui.nodes.append(Node::submit(Group::Totp, "method", "totp", label::save()));
}

pub(super) fn unlink_form(ui: &mut Ui) {
    ui.nodes.upsert(Node::submit(Group::Totp, "totp_unlink", "true", messages::unlink()).required());
}

/// Inserts the secret into the form that [`link_form`] created.
pub(super) fn show(ui: &mut Ui, key: &Key) {
    if let Some(Attributes::Image { src, .. }) = ui.nodes.find_mut(QR).map(|node| &mut node.attributes) {
        *src = qr::data_uri(&key.url(), QR_SIZE).unwrap_or_default();
    }
    if let Some(Attributes::Text { text, .. }) = ui.nodes.find_mut(SECRET).map(|node| &mut node.attributes) {
        *text = messages::secret(&key.secret_text());
    }
}
