//! How the forms present the nodes of each sign-in method: headings, buttons, order, codes, autofill. The texts are in
//! `strings.rs` and `locales/`.
//!
//! Nodes are recognized by their names, which are part of the wire contract.

use crate::components::{ButtonKind, CodeKind, Confirmation};
use crate::nodes::{Attributes, Container, Node};
use crate::{Localizer, Message};

/// The id of the heading of the backup codes in the settings.
pub(super) const BACKUP_CODES: &str = "lookup_secret-heading";

/// The title and the introduction of a method's section in the settings.
pub(super) fn heading(group: &str, words: Localizer<'_>) -> (&'static str, Option<&'static str>) {
    let strings = words.strings();
    match group {
        "profile" => (strings.section_profile, Some(strings.section_profile_intro)),
        "password" => (strings.section_password, Some(strings.section_password_intro)),
        "oidc" | "saml" => (strings.section_social, Some(strings.section_social_intro)),
        "totp" => (strings.section_totp, Some(strings.section_totp_intro)),
        "lookup_secret" => (strings.section_lookup, Some(strings.section_lookup_intro)),
        "webauthn" => (strings.section_webauthn, Some(strings.section_webauthn_intro)),
        "passkey" => (strings.section_passkey, Some(strings.section_passkey_intro)),
        _ => (strings.section_other, None),
    }
}

/// The kind of the button that submits this value.
pub(super) fn button_kind(name: &str) -> ButtonKind {
    match name {
        name if sends_again(name) || matches!(name, "screen" | "recovery_confirm_address") => ButtonKind::Quiet,
        "unlink" | "webauthn_remove" | "passkey_remove" | "totp_unlink" | "lookup_secret_disable" => ButtonKind::Danger,
        "provider" | "address" | "recovery_select_address" | "link" | "lookup_secret_reveal" => ButtonKind::Secondary,
        _ => ButtonKind::Primary,
    }
}

/// The question before a credential is removed.
pub(super) fn confirmation(name: &str, words: Localizer<'_>) -> Option<Confirmation> {
    let strings = words.strings();
    let question = match name {
        "totp_unlink" => strings.remove_app,
        "lookup_secret_disable" => strings.remove_codes,
        _ if button_kind(name) == ButtonKind::Danger => strings.remove_other,
        _ => return None,
    };
    Some(Confirmation { question, answer: strings.confirm_removal })
}

/// Whether an authenticator app is set up without backup codes: a person who loses the app cannot sign in.
pub(super) fn lacks_backup_codes(container: &Container) -> bool {
    let offers = |name: &str| {
        let is_button = |node: &Node| matches!(&node.attributes, Attributes::Input(input) if input.name == name);
        container.nodes.iter().any(is_button)
    };
    let has_codes = || ["lookup_secret_reveal", "lookup_secret_disable"].into_iter().any(offers);
    offers("totp_unlink") && offers("lookup_secret_regenerate") && !has_codes()
}

/// Whether a button of this name sends another code.
pub(super) fn sends_again(name: &str) -> bool {
    matches!(name, "resend" | "email" | "sms")
}

/// Whether the field takes the proof of a second factor.
pub(crate) fn proves_second_factor(field: &str) -> bool {
    matches!(field, "totp_code" | "lookup_secret")
}

/// Whether the method stands in for another one, after which it is shown in the settings.
pub(super) fn replaces_another(group: &str) -> bool {
    group == "lookup_secret"
}

/// Whether the method continues at another site; its form comes last.
pub(super) fn is_elsewhere(group: &str) -> bool {
    group == "oidc"
}

/// The kind of code that a field takes.
pub(super) fn code_kind(name: &str) -> Option<CodeKind> {
    match name {
        "code" | "totp_code" => Some(CodeKind::Digits),
        "lookup_secret" => Some(CodeKind::Letters),
        _ => None,
    }
}

/// The purpose of a field as a token of HTML's autofill (WCAG 1.3.5), if the flow does not have it.
pub(super) fn purpose(name: &str) -> Option<&'static str> {
    match name {
        "identifier" | "traits.username" => Some("username"),
        "totp_code" | "code" => Some("one-time-code"),
        // A code is valid once: a browser that stores it would offer an invalid one.
        "lookup_secret" => Some("off"),
        "email" | "traits.email" => Some("email"),
        "traits.phone" | "traits.phone_number" => Some("tel"),
        "traits.name" => Some("name"),
        "traits.name.first" | "traits.first_name" | "traits.given_name" => Some("given-name"),
        "traits.name.last" | "traits.last_name" | "traits.family_name" => Some("family-name"),
        _ => None,
    }
}

/// The field that a message above the forms refers to, if it is not the first one.
pub(super) fn field_of_alert(container: &Container) -> Option<&'static str> {
    let is_about_backup_code = |message: &Message| matches!(message.id, 4_000_012 | 4_000_016);
    container.messages.iter().any(is_about_backup_code).then_some("lookup_secret")
}
