//! Converts the form of a flow for the pages.

use ui::nodes::{Attributes, Choice, Container, Input, Meta, Node};

use crate::domain;
use crate::domain::message::{Message, MessageKind};
use crate::domain::ui::Ui;
use crate::domain::ui_node;

pub(super) fn container_of(ui: &Ui) -> Container {
    Container {
        action: ui.action.clone(),
        method: ui.method.clone(),
        nodes: ui.nodes.iter().map(node).collect(),
        messages: ui.messages.iter().map(message).collect(),
    }
}

fn node(node: &domain::ui_node::Node) -> Node {
    Node {
        group: node.group.as_str().to_owned(),
        attributes: attributes(&node.attributes),
        messages: node.messages.iter().map(message).collect(),
        meta: Meta { label: node.label.as_ref().map(message) },
    }
}

fn attributes(attributes: &ui_node::Attributes) -> Attributes {
    match attributes {
        ui_node::Attributes::Input(input) => Attributes::Input(Input {
            name: input.name.clone(),
            kind: input.kind.as_str().to_owned(),
            value: input.value.clone(),
            required: input.required,
            disabled: input.disabled,
            autocomplete: input.autocomplete.clone(),
            pattern: input.pattern.clone(),
            maxlength: input.maxlength,
            options: input.options.iter().map(|choice| Choice { value: choice.value.clone() }).collect(),
            onclick_trigger: None,
            onload_trigger: None,
        }),
        ui_node::Attributes::Text { text, .. } => Attributes::Text { text: message(text) },
        ui_node::Attributes::Image { src, width, height, .. } => {
            Attributes::Img { src: src.clone(), width: *width, height: *height }
        }
        ui_node::Attributes::Anchor { href, title, .. } => {
            Attributes::A { href: href.clone(), title: Some(message(title)) }
        }
    }
}

fn message(message: &Message) -> ui::Message {
    ui::Message {
        id: u64::try_from(message.id).unwrap_or_default(),
        text: message.text.clone(),
        kind: match message.kind {
            MessageKind::Info => ui::MessageKind::Info,
            MessageKind::Error => ui::MessageKind::Error,
            MessageKind::Success => ui::MessageKind::Success,
        },
        context: message.context.clone().unwrap_or_default(),
    }
}
