//! The form of a flow: its action, its nodes, and the messages above them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::message::Message;
use super::ui_node::{Group, InputKind, Node, Nodes};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ui {
    pub action: String,
    pub method: String,
    pub nodes: Nodes,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Message>,
}

impl Ui {
    pub fn posting_to(action: impl Into<String>) -> Self {
        Self { action: action.into(), method: "POST".to_owned(), nodes: Nodes::default(), messages: Vec::new() }
    }

    /// Removes the messages of an earlier submission.
    pub fn clear_messages(&mut self) {
        self.messages.clear();
        self.nodes.clear_messages();
    }

    /// Adds `message` to its node, or above the form.
    pub fn add_message(&mut self, message: ValidationMessage) {
        let Some(name) = message.node else {
            self.messages.push(message.message);
            return;
        };
        if self.nodes.find(&name).is_none() {
            self.nodes.append(Node::input(Group::Default, name.clone(), InputKind::Text));
        }
        if let Some(node) = self.nodes.find_mut(&name) {
            node.messages.push(message.message);
        }
    }

    /// Sets the value of the input `name`, if it exists.
    pub fn set_value(&mut self, name: &str, value: Value) {
        if let Some(node) = self.nodes.find_mut(name) {
            node.set_value(value);
        }
    }
}

/// A message and the node that it belongs to; it is shown above the form when `node` is `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidationMessage {
    pub node: Option<String>,
    pub message: Message,
}

impl ValidationMessage {
    pub fn at(node: impl Into<String>, message: Message) -> Self {
        Self { node: Some(node.into()), message }
    }

    pub fn general(message: Message) -> Self {
        Self { node: None, message }
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::validation;
    use super::*;

    #[test]
    fn a_message_for_a_missing_node_creates_one() {
        let mut ui = Ui::posting_to("https://id.example/self-service/login?flow=1");
        ui.add_message(ValidationMessage::at("traits.email", validation::missing("email")));
        ui.add_message(ValidationMessage::general(validation::invalid_credentials()));
        assert_eq!(ui.nodes.find("traits.email").unwrap().messages.len(), 1);
        assert_eq!(ui.messages.len(), 1);
        ui.clear_messages();
        assert!(ui.messages.is_empty() && ui.nodes.find("traits.email").unwrap().messages.is_empty());
    }
}
