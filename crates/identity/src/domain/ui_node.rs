//! The nodes of a flow's form: what a client renders, in which group and order, with which messages.
//!
//! A node is found by its name; `method` and `screen` may occur several times. The kind of a node always matches its
//! attributes, because it is derived from them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::message::Message;

/// The part of the form that a node belongs to, usually the method that reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    Default,
    Password,
    Oidc,
    Profile,
    Link,
    Code,
    Totp,
    LookupSecret,
    Webauthn,
    Passkey,
    IdentifierFirst,
}

impl Group {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Password => "password",
            Self::Oidc => "oidc",
            Self::Profile => "profile",
            Self::Link => "link",
            Self::Code => "code",
            Self::Totp => "totp",
            Self::LookupSecret => "lookup_secret",
            Self::Webauthn => "webauthn",
            Self::Passkey => "passkey",
            Self::IdentifierFirst => "identifier_first",
        }
    }
}

/// One element of the form.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub group: Group,
    pub attributes: Attributes,
    pub messages: Vec<Message>,
    pub label: Option<Message>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "node_type")]
pub enum Attributes {
    #[serde(rename = "input")]
    Input(Input),
    #[serde(rename = "text")]
    Text { text: Message, id: String },
    #[serde(rename = "img")]
    Image { src: String, id: String, width: u32, height: u32 },
    #[serde(rename = "a")]
    Anchor { href: String, title: Message, id: String },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Input {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: InputKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub required: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autocomplete: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    pub disabled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maxlength: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<Choice>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    pub value: Value,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputKind {
    #[default]
    Text,
    Password,
    Number,
    Checkbox,
    Hidden,
    Email,
    Tel,
    Submit,
    Button,
    #[serde(rename = "datetime-local")]
    DateTimeLocal,
    Date,
    Url,
}

impl InputKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Password => "password",
            Self::Number => "number",
            Self::Checkbox => "checkbox",
            Self::Hidden => "hidden",
            Self::Email => "email",
            Self::Tel => "tel",
            Self::Submit => "submit",
            Self::Button => "button",
            Self::DateTimeLocal => "datetime-local",
            Self::Date => "date",
            Self::Url => "url",
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde's skip_serializing_if requires")]
fn is_false(value: &bool) -> bool {
    !*value
}

impl Node {
    pub fn input(group: Group, name: impl Into<String>, kind: InputKind) -> Self {
        Self::of(group, Attributes::Input(Input { name: name.into(), kind, ..Input::default() }))
    }

    pub fn hidden(group: Group, name: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::input(group, name, InputKind::Hidden).value(value)
    }

    /// A button that sends the form with `name=value`.
    pub fn submit(group: Group, name: impl Into<String>, value: impl Into<Value>, label: Message) -> Self {
        Self::input(group, name, InputKind::Submit).value(value).label(label)
    }

    /// The anti-CSRF field. Its value is set when the form is shown, because it differs each time.
    pub fn csrf() -> Self {
        Self::input(Group::Default, CSRF_TOKEN, InputKind::Hidden).required()
    }

    /// A text to show.
    pub fn text(group: Group, id: &str, text: Message) -> Self {
        Self::of(group, Attributes::Text { text, id: id.to_owned() })
    }

    /// A square picture, as a data URI.
    pub fn image(group: Group, id: &str, src: String, size: u32) -> Self {
        Self::of(group, Attributes::Image { src, id: id.to_owned(), width: size, height: size })
    }

    pub fn anchor(group: Group, id: &str, href: impl Into<String>, title: Message) -> Self {
        let attributes = Attributes::Anchor { href: href.into(), title: title.clone(), id: id.to_owned() };
        Self::of(group, attributes).label(title)
    }

    fn of(group: Group, attributes: Attributes) -> Self {
        Self { group, attributes, messages: Vec::new(), label: None }
    }

    #[must_use]
    pub fn label(mut self, label: Message) -> Self {
        self.label = Some(label);
        self
    }

    #[must_use]
    pub fn value(mut self, value: impl Into<Value>) -> Self {
        self.set_value(value.into());
        self
    }

    #[must_use]
    pub fn required(self) -> Self {
        self.change(|input| input.required = true)
    }

    #[must_use]
    pub fn autocomplete(self, token: &str) -> Self {
        self.change(|input| input.autocomplete = Some(token.to_owned()))
    }

    #[must_use]
    pub fn change(mut self, change: impl FnOnce(&mut Input)) -> Self {
        if let Attributes::Input(input) = &mut self.attributes {
            change(input);
        }
        self
    }

    /// The name of an input, the id of anything else.
    pub fn name(&self) -> &str {
        match &self.attributes {
            Attributes::Input(input) => &input.name,
            Attributes::Text { id, .. } | Attributes::Image { id, .. } | Attributes::Anchor { id, .. } => id,
        }
    }

    pub fn as_input(&self) -> Option<&Input> {
        match &self.attributes {
            Attributes::Input(input) => Some(input),
            Attributes::Text { .. } | Attributes::Image { .. } | Attributes::Anchor { .. } => None,
        }
    }

    pub fn as_input_mut(&mut self) -> Option<&mut Input> {
        match &mut self.attributes {
            Attributes::Input(input) => Some(input),
            Attributes::Text { .. } | Attributes::Image { .. } | Attributes::Anchor { .. } => None,
        }
    }

    pub fn set_value(&mut self, value: Value) {
        if let Some(input) = self.as_input_mut() {
            input.value = if value.is_null() { None } else { Some(value) };
        }
    }

    fn kind(&self) -> &'static str {
        match self.attributes {
            Attributes::Input(_) => "input",
            Attributes::Text { .. } => "text",
            Attributes::Image { .. } => "img",
            Attributes::Anchor { .. } => "a",
        }
    }
}

/// The name of the anti-CSRF field.
pub const CSRF_TOKEN: &str = "csrf_token";

#[derive(Serialize, Deserialize)]
struct Meta {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<Message>,
}

#[derive(Serialize)]
struct WireOut<'a> {
    r#type: &'static str,
    group: Group,
    attributes: &'a Attributes,
    messages: &'a [Message],
    meta: Meta,
}

#[derive(Deserialize)]
struct WireIn {
    group: Group,
    attributes: Attributes,
    messages: Vec<Message>,
    meta: Meta,
}

impl Serialize for Node {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { group, attributes, messages, label } = self;
        let meta = Meta { label: label.clone() };
        WireOut { r#type: self.kind(), group: *group, attributes, messages, meta }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let WireIn { group, attributes, messages, meta } = WireIn::deserialize(deserializer)?;
        Ok(Self { group, attributes, messages, label: meta.label })
    }
}

/// The nodes of a form, in the order in which they are shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nodes(Vec<Node>);

impl Nodes {
    pub fn iter(&self) -> std::slice::Iter<'_, Node> {
        self.0.iter()
    }

    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, Node> {
        self.0.iter_mut()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn retain(&mut self, keep: impl FnMut(&Node) -> bool) {
        self.0.retain(keep);
    }

    pub fn find(&self, name: &str) -> Option<&Node> {
        self.0.iter().find(|node| node.name() == name)
    }

    pub fn find_mut(&mut self, name: &str) -> Option<&mut Node> {
        self.0.iter_mut().find(|node| node.name() == name)
    }

    /// Adds a node, even if one of the same name exists.
    pub fn append(&mut self, node: Node) {
        self.0.push(node);
    }

    /// Replaces the node of the same name, or appends the node.
    pub fn upsert(&mut self, node: Node) {
        match self.find_mut(node.name()) {
            Some(place) => *place = node,
            None => self.0.push(node),
        }
    }

    pub fn remove(&mut self, name: &str) {
        self.0.retain(|node| node.name() != name);
    }

    pub fn clear_messages(&mut self) {
        for node in &mut self.0 {
            node.messages.clear();
        }
    }

    /// Sorts the nodes by `order`. Groups that it does not list come first. Inside a group the keys decide, `method` comes
    /// last, and equal keys are sorted by their values. Adjacent `default` and `password` nodes are sorted as one group,
    /// which puts the password after the first trait.
    pub fn sort(&mut self, order: &NodeOrder) {
        let nodes = &mut self.0;
        nodes.sort_by_key(|node| order.groups.iter().position(|group| *group == node.group).map_or(0, |at| at + 1));
        let mut start = 0;
        while start < nodes.len() {
            let family = family(nodes[start].group);
            let length = nodes[start..].iter().take_while(|node| self::family(node.group) == family).count();
            nodes[start..start + length]
                .sort_by(|a, b| order.key(a).cmp(&order.key(b)).then_with(|| value_text(a).cmp(&value_text(b))));
            start += length;
        }
    }
}

impl<'a> IntoIterator for &'a Nodes {
    type Item = &'a Node;
    type IntoIter = std::slice::Iter<'a, Node>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a mut Nodes {
    type Item = &'a mut Node;
    type IntoIter = std::slice::IterMut<'a, Node>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter_mut()
    }
}

impl FromIterator<Node> for Nodes {
    fn from_iter<T: IntoIterator<Item = Node>>(nodes: T) -> Self {
        Self(nodes.into_iter().collect())
    }
}

fn family(group: Group) -> Group {
    if group == Group::Password { Group::Default } else { group }
}

fn value_text(node: &Node) -> String {
    match node.as_input().and_then(|input| input.value.as_ref()) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        // The order of the wire contract compares the texts that Go prints.
        None => "<nil>".to_owned(),
    }
}

/// The order of a kind of form: its groups, then the name prefixes inside a group.
#[derive(Clone, Debug)]
pub struct NodeOrder {
    groups: &'static [Group],
    keys: Vec<String>,
}

impl NodeOrder {
    pub fn login() -> Self {
        use Group::{Code, Default, LookupSecret, Oidc, Passkey, Password, Totp, Webauthn};
        Self {
            groups: &[Oidc, Default, Webauthn, Passkey, Code, Password, Totp, LookupSecret],
            keys: owned(&[CSRF_TOKEN, "identifier", "password"]),
        }
    }

    /// `traits` are the names of the trait nodes in the order of the schema, `methods` those of the sign-in methods.
    pub fn registration(traits: &[String], methods: impl Iterator<Item = &'static str>) -> Self {
        use Group::{Code, Default, Oidc, Passkey, Password, Profile, Webauthn};
        let mut keys = owned(&[CSRF_TOKEN]);
        let (first, rest) = traits.split_at(traits.len().min(1));
        keys.extend_from_slice(first);
        keys.push("password".to_owned());
        keys.extend_from_slice(rest);
        keys.extend(methods.map(str::to_owned));
        Self { groups: &[Oidc, Default, Webauthn, Passkey, Code, Password, Profile], keys }
    }

    pub fn settings(traits: &[String], methods: impl Iterator<Item = &'static str>) -> Self {
        use Group::{Default, LookupSecret, Oidc, Passkey, Password, Profile, Totp, Webauthn};
        let mut keys = traits.to_vec();
        keys.extend(methods.map(str::to_owned));
        Self { groups: &[Default, Profile, Password, Oidc, LookupSecret, Webauthn, Passkey, Totp], keys }
    }

    /// The position of a node in its group: the first key that its name begins with.
    fn key(&self, node: &Node) -> usize {
        let name = node.name();
        if name == "method" {
            return usize::MAX;
        }
        // An exact match takes precedence over a prefix, so that `traits.name` never matches `traits.name_suffix`.
        let whole = self.keys.iter().position(|key| key == name);
        whole.or_else(|| self.keys.iter().position(|key| name.starts_with(key.as_str()))).unwrap_or(self.keys.len())
    }
}

fn owned(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::message::{label, login, registration};
    use super::*;

    #[test]
    fn an_input_is_written_in_the_shape_that_clients_know() {
        let node =
            Node::input(Group::Default, "identifier", InputKind::Text).value("").required().label(label::identifier());
        assert_eq!(
            serde_json::to_value(&node).unwrap(),
            json!({
                "type": "input", "group": "default",
                "attributes": {"name": "identifier", "type": "text", "value": "", "required": true, "disabled": false, "node_type": "input"},
                "messages": [],
                "meta": {"label": {"id": 1_070_004, "text": "ID", "type": "info"}},
            })
        );
        assert_eq!(serde_json::from_value::<Node>(serde_json::to_value(&node).unwrap()).unwrap(), node);
        assert_eq!(serde_json::to_value(Node::csrf()).unwrap()["meta"], json!({}));
    }

    #[test]
    fn groups_and_kinds_have_one_name() {
        for group in [
            Group::Default,
            Group::Password,
            Group::Oidc,
            Group::Profile,
            Group::Link,
            Group::Code,
            Group::Totp,
            Group::LookupSecret,
            Group::Webauthn,
            Group::Passkey,
            Group::IdentifierFirst,
        ] {
            assert_eq!(serde_json::to_value(group).unwrap(), group.as_str());
        }
        for kind in [
            InputKind::Text,
            InputKind::Password,
            InputKind::Number,
            InputKind::Checkbox,
            InputKind::Hidden,
            InputKind::Email,
            InputKind::Tel,
            InputKind::Submit,
            InputKind::Button,
            InputKind::DateTimeLocal,
            InputKind::Date,
            InputKind::Url,
        ] {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }

    fn names(nodes: &Nodes) -> Vec<String> {
        nodes.iter().map(|node| node.name().to_owned()).collect()
    }

    #[test]
    fn the_password_follows_the_first_trait_of_a_one_step_registration() {
        let mut nodes = Nodes::default();
        for name in ["traits.foobar", "traits.username"] {
            nodes.append(Node::input(Group::Default, name, InputKind::Text));
        }
        nodes.append(Node::submit(Group::Password, "method", "password", registration::sign_up()));
        nodes.append(Node::input(Group::Password, "password", InputKind::Password));
        nodes.append(Node::csrf());
        nodes.sort(&NodeOrder::registration(
            &["traits.username".to_owned(), "traits.foobar".to_owned()],
            std::iter::empty(),
        ));
        assert_eq!(names(&nodes), ["csrf_token", "traits.username", "password", "traits.foobar", "method"]);
    }

    #[test]
    fn groups_in_between_separate_default_and_password() {
        let mut nodes = Nodes::default();
        nodes.append(Node::submit(Group::Password, "method", "password", login::sign_in_with_password()));
        nodes.append(Node::input(Group::Password, "password", InputKind::Password));
        nodes.append(Node::submit(Group::Code, "method", "code", login::send_code()));
        nodes.append(Node::input(Group::Default, "identifier", InputKind::Text));
        nodes.append(Node::csrf());
        nodes.append(Node::input(Group::IdentifierFirst, "other", InputKind::Text));
        nodes.sort(&NodeOrder::login());
        assert_eq!(names(&nodes), ["other", "csrf_token", "identifier", "method", "password", "method"]);
    }

    #[test]
    fn a_node_replaces_the_node_of_the_same_name() {
        let mut nodes: Nodes = [Node::csrf(), Node::input(Group::Default, "a", InputKind::Text)].into_iter().collect();
        nodes.upsert(Node::hidden(Group::Default, "csrf_token", "x"));
        assert_eq!(names(&nodes), ["csrf_token", "a"]);
        assert_eq!(nodes.find("csrf_token").unwrap().as_input().unwrap().value, Some(json!("x")));
    }
}
