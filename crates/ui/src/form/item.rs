//! An item of a form that is not a button: a field, or text to read.

use askama::Template;
use serde_json::Value;

use super::{FlowKind, methods};
use crate::components::{Checkbox, Field, Select, SelectOption, component};
use crate::nodes::{Attributes, Input, Node, plain};
use crate::{FlowContext, Localizer, Message, MessageKind, OutsideText, PageLink, Strings};

#[derive(Clone, Debug, Template)]
#[template(path = "form/item.html")]
pub enum Item {
    Field(Field),
    Checkbox(Checkbox),
    Select(Select),
    /// A text to copy, such as the key of an authenticator app, which is easier to type in groups. There is no space between
    /// the groups, so that a copy contains none.
    Secret {
        label: Option<String>,
        groups: Vec<String>,
    },
    /// Backup codes to save, on a page that was requested to show them: it has its focus on them.
    Codes {
        strings: &'static Strings,
        label: Option<String>,
        codes: Vec<Code>,
        autofocus: bool,
    },
    /// The account of the form, or the address that a code was sent to; without the address when the message above contains it.
    Recipient {
        label: &'static str,
        address: Option<OutsideText>,
        change: Option<PageLink>,
    },
    Image {
        src: String,
        alt: String,
        width: u32,
        height: u32,
    },
    Link {
        href: String,
        label: String,
    },
}

component! { Item }

/// A backup code, and when it was used, if it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    text: String,
    is_used: bool,
}

impl Code {
    fn of(secret: &Value, words: Localizer<'_>) -> Self {
        serde_json::from_value::<Message>(secret.clone()).map_or_else(
            |_| Self { text: plain(secret), is_used: false },
            |message| Self { text: words.text(&message, None), is_used: message.context.contains_key("used_at") },
        )
    }
}

impl Item {
    pub(super) fn from_node(
        kind: FlowKind,
        bucket: &str,
        node: &Node,
        words: Localizer<'_>,
        context: &FlowContext,
    ) -> Option<Self> {
        let label = |name: Option<&str>| node.meta.label.as_ref().map(|label| words.text(label, name));
        match &node.attributes {
            Attributes::Input(input) => Some(Builder { kind, bucket, node, input, words, context }.build()),
            Attributes::Text { text } => Some(match text.context.get("secrets").and_then(|it| it.as_array()) {
                Some(secrets) => Self::Codes {
                    strings: words.strings(),
                    label: label(None),
                    codes: secrets.iter().map(|secret| Code::of(secret, words)).collect(),
                    autofocus: false,
                },
                None => Self::Secret { label: label(None), groups: groups(text, words) },
            }),
            Attributes::Img { src, width, height } => Some(Self::Image {
                src: src.clone(),
                alt: label(None).unwrap_or_default(),
                width: *width,
                height: *height,
            }),
            Attributes::A { href, title } => Some(Self::Link {
                href: href.clone(),
                label: label(None)
                    .or_else(|| title.as_ref().map(|title| words.text(title, None)))
                    .unwrap_or_else(|| words.strings().continue_.to_owned()),
            }),
            Attributes::Script { .. } | Attributes::Div {} => None,
        }
    }

    pub(super) const fn as_field(&self) -> Option<&Field> {
        match self {
            Self::Field(field) => Some(field),
            Self::Checkbox(_)
            | Self::Select(_)
            | Self::Secret { .. }
            | Self::Codes { .. }
            | Self::Recipient { .. }
            | Self::Image { .. }
            | Self::Link { .. } => None,
        }
    }

    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Field(field) => Some(&field.name),
            Self::Checkbox(checkbox) => Some(&checkbox.name),
            Self::Select(select) => Some(&select.name),
            Self::Secret { .. }
            | Self::Codes { .. }
            | Self::Recipient { .. }
            | Self::Image { .. }
            | Self::Link { .. } => None,
        }
    }

    /// Whether the field asks for the name that a person signs in with.
    pub(super) fn names_a_person(&self) -> bool {
        matches!(self.name(), Some("identifier" | "traits.username" | "traits.email" | "traits.phone"))
    }

    pub(super) fn has_problem(&self) -> bool {
        match self {
            Self::Field(field) => field.problem.is_some(),
            Self::Checkbox(checkbox) => checkbox.problem.is_some(),
            Self::Select(select) => select.problem.is_some(),
            Self::Secret { .. }
            | Self::Codes { .. }
            | Self::Recipient { .. }
            | Self::Image { .. }
            | Self::Link { .. } => false,
        }
    }

    pub(super) const fn shows_codes(&self) -> bool {
        matches!(self, Self::Codes { .. })
    }

    pub(super) fn is_empty_field(&self) -> bool {
        self.as_field().is_some_and(|field| field.value.is_empty() && !field.disabled)
    }

    pub(super) fn take_focus(&mut self, follows_problem: bool) {
        match self {
            Self::Field(field) => {
                field.autofocus = true;
                field.follows_problem = follows_problem;
            }
            Self::Codes { autofocus, .. } => *autofocus = true,
            Self::Checkbox(_)
            | Self::Select(_)
            | Self::Secret { .. }
            | Self::Recipient { .. }
            | Self::Image { .. }
            | Self::Link { .. } => {}
        }
    }
}

struct Builder<'a> {
    kind: FlowKind,
    bucket: &'a str,
    node: &'a Node,
    input: &'a Input,
    words: Localizer<'a>,
    context: &'a FlowContext,
}

impl Builder<'_> {
    fn build(self) -> Item {
        if self.input.kind == "checkbox" {
            return Item::Checkbox(self.checkbox());
        }
        if !self.input.options.is_empty() {
            return Item::Select(self.select());
        }
        Item::Field(self.field())
    }

    /// Unique on the page, because a form's fields carry its name.
    fn id(&self) -> String {
        let name: String = self.input.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        format!("{}-{name}", self.bucket)
    }

    fn label(&self) -> String {
        if self.kind == FlowKind::Settings && self.input.name == "password" {
            return self.words.strings().new_password.to_owned();
        }
        match &self.node.meta.label {
            Some(label) => self.words.text(label, Some(&self.input.name)),
            None => spoken(&self.input.name),
        }
    }

    fn texts_of(&self, wanted: impl Fn(MessageKind) -> bool) -> Option<String> {
        let texts: Vec<_> = self
            .node
            .messages
            .iter()
            .filter(|message| wanted(message.kind))
            .map(|message| self.words.text(message, Some(&self.input.name)))
            .collect();
        (!texts.is_empty()).then(|| texts.join(" "))
    }

    fn is_password(&self) -> bool {
        self.input.kind == "password"
    }

    /// Whether the field is for a new password.
    fn chooses_password(&self) -> bool {
        let is_new = matches!(self.kind, FlowKind::Registration | FlowKind::Settings);
        self.is_password() && (is_new || self.input.autocomplete.as_deref() == Some("new-password"))
    }

    fn problem(&self) -> Option<String> {
        self.texts_of(|kind| kind == MessageKind::Error)
    }

    /// The rules for the value, shown before a value is refused.
    fn hint(&self) -> Option<String> {
        let rules = self.context.password_rules.filter(|_| self.chooses_password());
        let rules = rules.map(|rules| rules.words(self.words.strings()));
        let texts = [rules, self.texts_of(|kind| kind != MessageKind::Error)];
        texts.into_iter().flatten().reduce(|all, text| format!("{all} {text}"))
    }

    fn beside(&self) -> Option<PageLink> {
        let href = self.context.forgot_password.as_ref();
        let href = href.filter(|_| self.kind == FlowKind::Login && self.is_password() && !self.chooses_password())?;
        Some(PageLink::new(self.words.strings().forgot_password, href.clone()))
    }

    /// Forms with traits mark optional fields; the other forms have none.
    fn optional_mark(&self) -> Option<&'static str> {
        let about_a_person = matches!(self.kind, FlowKind::Registration | FlowKind::Settings);
        (about_a_person && !self.input.required && self.input.name.starts_with("traits."))
            .then(|| self.words.strings().optional)
    }

    fn field(&self) -> Field {
        let input = self.input;
        Field {
            id: self.id(),
            name: input.name.clone(),
            kind: if input.kind.is_empty() { "text".into() } else { input.kind.clone() },
            label: self.label(),
            // A password is never written into a page.
            value: if input.kind == "password" { String::new() } else { input.value_text() },
            hint: self.hint(),
            problem: self.problem(),
            autocomplete: input.autocomplete.clone().or_else(|| methods::purpose(&input.name).map(str::to_owned)),
            pattern: input.pattern.clone(),
            maxlength: input.maxlength,
            required: input.required,
            disabled: input.disabled,
            autofocus: false,
            follows_problem: false,
            code: methods::code_kind(&input.name),
            optional_mark: self.optional_mark(),
            beside: self.beside(),
            reveal: (self.is_password() && !input.disabled).then(|| self.words.strings().show_password),
            problem_prefix: self.words.strings().error_prefix,
        }
    }

    fn checkbox(&self) -> Checkbox {
        let input = self.input;
        Checkbox {
            id: self.id(),
            name: input.name.clone(),
            label: self.label(),
            value: "true".into(),
            hint: self.hint(),
            problem: self.problem(),
            checked: input.value_text() == "true",
            required: input.required,
            disabled: input.disabled,
            sends_false: !input.disabled,
            problem_prefix: self.words.strings().error_prefix,
        }
    }

    fn select(&self) -> Select {
        let input = self.input;
        let value = input.value_text();
        Select {
            id: self.id(),
            name: input.name.clone(),
            label: self.label(),
            options: input
                .options
                .iter()
                .map(|choice| plain(&choice.value))
                .map(|choice| SelectOption { selected: choice == value, label: choice.clone(), value: choice })
                .collect(),
            placeholder: self.words.strings().choose,
            problem: self.problem(),
            required: input.required,
            disabled: input.disabled,
            optional_mark: self.optional_mark(),
            problem_prefix: self.words.strings().error_prefix,
        }
    }
}

/// A text that consists of a secret is split into groups of four characters.
fn groups(text: &Message, words: Localizer<'_>) -> Vec<String> {
    let shown = words.text(text, None);
    if text.context.get("secret").is_none_or(|secret| plain(secret) != shown) {
        return vec![shown];
    }
    let characters: Vec<char> = shown.chars().collect();
    characters.chunks(4).map(|group| group.iter().collect()).collect()
}

/// The label of a field whose schema has no title, made from its name: `traits.first_name` is `First name`.
fn spoken(name: &str) -> String {
    let last = name.rsplit('.').next().unwrap_or(name).replace(['_', '-'], " ");
    let mut letters = last.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_without_title_is_named_after_itself() {
        assert_eq!(spoken("traits.first_name"), "First name");
        assert_eq!(spoken("identifier"), "Identifier");
        assert_eq!(spoken(""), "");
    }
}
