//! The messages of flows in the language of the reader, by their numeric id. The texts are in `locales/`, named `message-` and
//! the id.
//!
//! Clients translate a message by its id and its context, and so do these pages. The text of the message itself is shown only
//! when the id is unknown, or when its context lacks a value of the text.

use std::borrow::Cow;
use std::collections::BTreeMap;

use fluent_bundle::FluentArgs;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::outside_text::{isolated, reads_right_to_left};
use crate::{Language, Sentence, Strings};

/// A message as the API has it: `{id, text, type, context?}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Message {
    pub id: u64,
    pub text: String,
    #[serde(rename = "type")]
    pub kind: MessageKind,
    #[serde(default)]
    pub context: Map<String, Value>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageKind {
    #[default]
    Info,
    Success,
    Error,
}

/// Whether there is a text for this message id.
pub fn is_known(id: u64) -> bool {
    Language::english().message(id, None).is_some()
}

/// The texts for one reader: page strings, and messages with the operator's overrides.
#[derive(Clone, Copy, Debug)]
pub struct Localizer<'a> {
    language: Language,
    overrides: Option<&'a BTreeMap<String, String>>,
}

impl<'a> Localizer<'a> {
    pub fn new(language: Language, overrides: &'a BTreeMap<Language, BTreeMap<String, String>>) -> Self {
        Self { language, overrides: overrides.get(&language) }
    }

    /// The built-in texts, without overrides.
    pub const fn plain(language: Language) -> Self {
        Self { language, overrides: None }
    }

    pub const fn language(self) -> Language {
        self.language
    }

    pub fn strings(self) -> &'static Strings {
        Strings::of(self.language)
    }

    /// The text of `message` for the reader. `name` is the field to which it belongs, if any.
    pub fn text(self, message: &Message, name: Option<&str>) -> String {
        let field = name.or_else(|| message.context.get("name").and_then(Value::as_str));
        let text = if let Some(template) = self.own_words(message.id, field) {
            self.fill(template, &message.context)
        } else {
            let variant = message.context.get("variant").and_then(Value::as_str);
            let words = self.language.message(message.id, variant);
            words.and_then(|words| self.fill_sentence(words, &message.context))
        };
        text.filter(|text| !text.is_empty()).unwrap_or_else(|| message.text.clone())
    }

    fn own_words(self, id: u64, field: Option<&str>) -> Option<&'a str> {
        let overrides = self.overrides?;
        field
            .and_then(|field| overrides.get(&format!("{id}:{field}")))
            .or_else(|| overrides.get(&id.to_string()))
            .map(String::as_str)
    }

    /// Fills the context's values into a built-in text; `None` when one is missing.
    fn fill_sentence(self, words: Sentence, context: &Map<String, Value>) -> Option<String> {
        let filled = match words {
            Sentence::Fixed(text) => return Some(text.to_owned()),
            Sentence::Filled(filled) => filled,
        };
        let mut values = FluentArgs::with_capacity(filled.shape.values.len());
        for &name in &filled.shape.values {
            let value = context.get(name)?;
            // A text may depend on a number.
            if let Some(number) = exact_number(value) {
                values.set(name, number);
                continue;
            }
            let value = self.value(name, value)?;
            let is_isolated = !filled.shape.is_one_value && self.must_be_isolated(name, &value);
            values.set(name, if is_isolated { isolated(&value).into() } else { value });
        }
        Some(filled.write(&values))
    }

    /// Replaces the names in braces of an operator's text by the context's values; `None` when one is missing.
    fn fill(self, template: &str, context: &Map<String, Value>) -> Option<String> {
        let mut text = String::with_capacity(template.len() + 16);
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}')?;
            text.push_str(before);
            let value = self.value(name, context.get(name)?)?;
            // A value that is the whole text, such as a secret to copy, is not changed.
            let is_whole = text.is_empty() && after.is_empty();
            if !is_whole && self.must_be_isolated(name, &value) {
                text.push_str(&isolated(&value));
            } else {
                text.push_str(&value);
            }
            rest = after;
        }
        text.push_str(rest);
        Some(text)
    }

    /// Whether a value may have another direction than the sentence around it.
    fn must_be_isolated(self, name: &str, value: &str) -> bool {
        let is_ours = name == "title" || name.ends_with("_at") || value.bytes().all(|byte| byte.is_ascii_digit());
        !is_ours && (self.language.direction() == "rtl" || reads_right_to_left(value))
    }

    fn value(self, name: &str, value: &Value) -> Option<Cow<'static, str>> {
        match value {
            Value::String(text) if name == "title" => Some(self.title(text)),
            Value::String(text) if name.ends_with("_at") => {
                let at = text.parse().ok()?;
                Some(crate::Moment::new(at, self.language).words().into())
            }
            Value::String(text) => Some(text.clone().into()),
            Value::Number(number) => Some(number.to_string().into()),
            Value::Array(items) => {
                let words: Option<Vec<_>> = items.iter().map(|item| self.value("", item)).collect();
                words.map(|words| words.join(", ").into())
            }
            Value::Bool(_) | Value::Null | Value::Object(_) => None,
        }
    }

    /// The title of a field is the operator's own text; common ones are translated.
    fn title(self, title: &str) -> Cow<'static, str> {
        self.language.title(title).map_or_else(|| title.to_owned().into(), Cow::Borrowed)
    }
}

/// A whole number that the formatter, which computes in `f64`, writes as JSON does.
fn exact_number(value: &Value) -> Option<i64> {
    value.as_i64().filter(|number| number.unsigned_abs() < 1 << f64::MANTISSA_DIGITS)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::needless_pass_by_value, reason = "json! makes values")]

    use serde_json::json;

    use super::*;

    fn language(tag: &str) -> Language {
        Language::find(tag).unwrap()
    }

    fn message(id: u64, context: Value) -> Message {
        serde_json::from_value(json!({"id": id, "text": "wire text", "type": "info", "context": context})).unwrap()
    }

    #[test]
    fn values_of_the_context_are_put_in() {
        let german = Localizer::plain(language("de"));
        assert_eq!(german.text(&message(1_010_002, json!({"provider": "Acme"})), None), "Mit Acme anmelden");
        assert_eq!(german.text(&message(1_070_002, json!({"title": "First name"})), None), "Vorname");
        let used = message(1_050_014, json!({"used_at": "2026-03-05T09:07:31Z"}));
        assert_eq!(german.text(&used, None), "benutzt am 05.03.2026, 09:07 UTC");
    }

    #[test]
    fn a_value_of_the_other_direction_does_not_rearrange_its_sentence() {
        let text = |tag, address: &str| {
            let sent = message(1_080_003, json!({"variant": "own_address", "address": address}));
            Localizer::plain(language(tag)).text(&sent, None)
        };
        let arabic = text("ar", "ada@example.org");
        assert_eq!(arabic, "أرسلنا رمزًا إلى \u{2068}ada@example.org\u{2069}. يُرجى إدخاله أدناه.");
        assert_eq!(text("en", "ada@example.org"), "We sent a code to ada@example.org. Please enter it below.");
        // A value cannot end its own isolation.
        let hebrew = text("en", "א\u{2069}\u{202e}b");
        assert_eq!(hebrew, "We sent a code to \u{2068}אb\u{2069}. Please enter it below.");
        let secret = message(1_050_006, json!({"secret": "JBSWY3DP"}));
        assert_eq!(Localizer::plain(language("ar")).text(&secret, None), "JBSWY3DP", "a secret is copied unchanged");
    }

    #[test]
    fn one_id_has_a_text_for_each_of_its_variants() {
        let german = Localizer::plain(language("de"));
        let waiting = json!({"reason": "English words", "variant": "too_many_attempts", "minutes": 5});
        let words = "Zu viele Versuche. Bitte versuchen Sie es in 5 Minuten noch einmal.";
        assert_eq!(german.text(&message(4_000_001, waiting), None), words);
        let other = json!({"reason": "the reason", "variant": "unheard of"});
        assert_eq!(german.text(&message(4_000_001, other), None), "the reason");
    }

    #[test]
    fn an_unknown_message_or_one_without_its_value_keeps_its_own_text() {
        let english = Localizer::plain(language("en"));
        assert_eq!(english.text(&message(1_010_002, json!({})), None), "wire text");
        assert_eq!(english.text(&message(9_999_999, json!({})), None), "wire text");
    }

    #[test]
    fn overrides_take_precedence_and_those_of_the_field_most() {
        let texts = BTreeMap::from([
            ("1070002".to_owned(), "Angabe".to_owned()),
            ("1070002:traits.email".to_owned(), "Dienst-E-Mail".to_owned()),
        ]);
        let all = BTreeMap::from([(language("de"), texts)]);
        let german = Localizer::new(language("de"), &all);
        let label = |name: &str| message(1_070_002, json!({"title": "T", "name": name}));
        assert_eq!(german.text(&label("traits.email"), None), "Dienst-E-Mail");
        assert_eq!(german.text(&label("traits.name"), None), "Angabe");
        assert_eq!(Localizer::new(language("en"), &all).text(&label("traits.name"), None), "T");
    }
}
