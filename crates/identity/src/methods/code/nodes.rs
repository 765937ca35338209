//! The forms of the code method. They ask for an address first, then for the code that was sent to it.

use crate::domain::Via;
use crate::domain::client_kind::FlowType;
use crate::domain::code::DIGITS;
use crate::domain::message::{Message, label, login, registration};
use crate::domain::ui::Ui;
use crate::domain::ui_node::{CSRF_TOKEN, Group, InputKind, Node, Nodes};

/// The button that sends a sign-in code.
pub(crate) fn login_form(ui: &mut Ui) {
    ui.nodes.append(Node::submit(Group::Code, "method", "code", login::send_code()));
}

/// One button for each address that a second factor can be sent to.
pub(crate) fn second_factor_form(ui: &mut Ui, addresses: &[(Via, String)]) {
    for (via, address) in addresses {
        let label = login::send_code_to(address, via.as_str());
        ui.nodes.append(Node::submit(Group::Code, "address", address.clone(), label));
    }
}

/// The form after a sign-in code was sent. The field or button with the recipient becomes a hidden field with the same group
/// and label. The order is that of the wire contract. A native flow has no anti-CSRF field in this state.
pub(crate) fn login_sent_form(ui: &mut Ui, identifier: &str, flow_type: FlowType, message: Message) {
    let named = |node: &&Node| match node.name() {
        "identifier" => true,
        "address" => node.as_input().and_then(|input| input.value.as_ref()).is_some_and(|value| value == identifier),
        _ => false,
    };
    let recipient = ui.nodes.iter().find(named).cloned();
    let recipient = recipient.unwrap_or_else(|| Node::hidden(Group::Default, "identifier", identifier));
    ui.nodes = Nodes::default();
    ui.nodes.append(recipient.change(|input| {
        "identifier".clone_into(&mut input.name);
        input.kind = InputKind::Hidden;
        input.value = Some(identifier.into());
    }));
    ui.nodes.append(Node::hidden(Group::Code, "method", "code"));
    ui.nodes.upsert(code_input(label::login_code()));
    ui.nodes.append(Node::submit(Group::Code, "method", "code", label::continue_()));
    ui.nodes.upsert(Node::submit(Group::Code, "resend", "code", label::resend_code()));
    if flow_type == FlowType::Browser {
        ui.nodes.append(Node::csrf());
    }
    ui.messages.push(message);
}

/// After a rejected code, the form has its anti-CSRF field again and a plain hidden identifier.
pub(crate) fn login_refused_form(ui: &mut Ui, identifier: &str) {
    if ui.nodes.find(CSRF_TOKEN).is_none() {
        ui.nodes.append(Node::csrf());
    }
    ui.nodes.upsert(Node::hidden(Group::Default, "identifier", identifier));
}

/// The button that sends a sign-up code.
pub(crate) fn registration_form(ui: &mut Ui) {
    ui.nodes.append(Node::submit(Group::Code, "method", "code", registration::send_code()));
}

/// The form after a sign-up code was sent, with the traits in hidden fields. The order is that of the wire contract.
pub(crate) fn registration_sent_form(ui: &mut Ui, traits: Vec<Node>, is_two_step: bool) {
    ui.nodes = Nodes::default();
    ui.nodes.upsert(Node::csrf());
    for node in traits {
        ui.nodes.upsert(node);
    }
    ui.nodes.append(Node::hidden(Group::Code, "method", "code"));
    ui.nodes.upsert(code_input(label::registration_code()));
    ui.nodes.append(Node::submit(Group::Code, "method", "code", label::continue_()));
    ui.nodes.upsert(Node::submit(Group::Code, "resend", "code", label::resend_code()));
    if is_two_step {
        let back = Node::submit(Group::Profile, "screen", "credential-selection", registration::back());
        ui.nodes.append(back);
    }
    ui.messages.push(registration::code_sent());
}

/// The form that asks for the recovery address.
pub(crate) fn recovery_form(ui: &mut Ui) {
    ui.nodes.upsert(Node::csrf());
    ui.nodes.upsert(Node::input(Group::Code, "email", InputKind::Email).required().label(label::email()));
    ui.nodes.append(Node::submit(Group::Code, "method", "code", label::continue_()));
}

/// The form after a recovery code was sent. A flow that an administrator created has no address to send another code to, and
/// belongs to no browser.
pub(crate) fn recovery_sent_form(ui: &mut Ui, address: Option<&str>) {
    ui.nodes = Nodes::default();
    if address.is_some() {
        ui.nodes.upsert(Node::csrf());
    }
    let digits = u32::try_from(DIGITS).unwrap_or(u32::MAX);
    ui.nodes.upsert(code_input(label::recovery_code()).change(|input| {
        input.pattern = Some("[0-9]+".to_owned());
        input.maxlength = Some(digits);
    }));
    if address.is_some() {
        ui.nodes.append(Node::hidden(Group::Code, "method", "code"));
    }
    ui.nodes.append(Node::submit(Group::Code, "method", "code", label::continue_()));
    if let Some(address) = address {
        ui.nodes.append(Node::submit(Group::Code, "email", address, label::resend_code()));
    }
}

/// The form that asks for the address to verify.
pub(crate) fn verification_form(ui: &mut Ui, takes_phone_numbers: bool) {
    let input = if takes_phone_numbers {
        Node::input(Group::Code, "email", InputKind::Text).label(label::email_or_phone())
    } else {
        Node::input(Group::Code, "email", InputKind::Email).label(label::email())
    };
    ui.nodes.upsert(input.required());
    ui.nodes.append(Node::submit(Group::Code, "method", "code", label::continue_()));
    ui.nodes.upsert(Node::csrf());
}

/// The form after a verification code was sent.
pub(crate) fn verification_sent_form(ui: &mut Ui, address: &str) {
    ui.nodes = Nodes::default();
    ui.nodes.append(Node::hidden(Group::Code, "method", "code"));
    ui.nodes.upsert(code_input(label::verification_code()));
    ui.nodes.append(Node::submit(Group::Code, "method", "code", label::continue_()));
    ui.nodes.upsert(Node::csrf());
    ui.nodes.append(Node::submit(Group::Code, "email", address, label::resend_code()));
}

/// The completed verification: one link to continue.
pub(crate) fn verification_passed_form(ui: &mut Ui, group: Group, continue_url: &str, message: Message) {
    "GET".clone_into(&mut ui.method);
    continue_url.clone_into(&mut ui.action);
    ui.nodes = Nodes::default();
    ui.nodes.append(Node::anchor(group, "continue", continue_url, label::continue_()));
    ui.messages = vec![message];
}

fn code_input(label: Message) -> Node {
    Node::input(Group::Code, "code", InputKind::Text).required().autocomplete("one-time-code").label(label)
}
