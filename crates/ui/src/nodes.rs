//! The form of a flow as the API has it: an action, nodes and messages. Services pass their flows in this form.

use serde::Deserialize;
use serde_json::Value;

use crate::Message;

/// The `ui` member of a flow.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Container {
    pub action: String,
    pub method: String,
    #[serde(default)]
    pub nodes: Vec<Node>,
    #[serde(default)]
    pub messages: Vec<Message>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Node {
    pub group: String,
    pub attributes: Attributes,
    #[serde(default)]
    pub messages: Vec<Message>,
    #[serde(default)]
    pub meta: Meta,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Meta {
    pub label: Option<Message>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "node_type", rename_all = "lowercase")]
pub enum Attributes {
    Input(Input),
    Text {
        text: Message,
    },
    Img {
        src: String,
        width: u32,
        height: u32,
    },
    A {
        href: String,
        title: Option<Message>,
    },
    Script {
        src: String,
        integrity: String,
    },
    /// A mount point for a script that these pages do not load.
    Div {},
}

/// An `input` node: a field, a hidden value or a button, by its `type`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Input {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub value: Option<Value>,
    pub required: bool,
    pub disabled: bool,
    pub autocomplete: Option<String>,
    pub pattern: Option<String>,
    pub maxlength: Option<u32>,
    pub options: Vec<Choice>,
    /// The function of `webauthn.js` that a click starts.
    #[serde(rename = "onclickTrigger")]
    pub onclick_trigger: Option<String>,
    /// The function of `webauthn.js` that starts by itself.
    #[serde(rename = "onloadTrigger")]
    pub onload_trigger: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Choice {
    pub value: Value,
}

impl Input {
    /// The value as a form would send it; empty when there is none.
    pub fn value_text(&self) -> String {
        self.value.as_ref().map(plain).unwrap_or_default()
    }
}

/// A JSON value as the text of a form field.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}
