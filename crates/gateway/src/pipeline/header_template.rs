//! Headers whose values come from templates.

use std::borrow::Cow;

use http::{HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::settings;
use super::template::{Template, TemplateView};
use crate::domain::failure::Failure;

/// How to handle control characters in a value. Headers cannot contain them (RFC 9110 section 5.5), but users may have
/// entered them into a trait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ControlCharacters {
    #[default]
    Remove,
    /// Percent-encoded, `%` included, so that the value can be decoded.
    Encode,
    /// The request fails: a decision that depends on the value must not be made about another value.
    #[serde(skip)]
    Refuse,
}

/// The source of a header's value.
#[derive(Debug)]
pub(super) enum HeaderTemplate {
    Constant(HeaderValue),
    Template(Template),
}

/// The headers of a setting with their templates.
pub(super) fn compile_all(settings: &Map<String, Value>) -> Result<Vec<(HeaderName, HeaderTemplate)>, String> {
    let compile = |(name, template): (&String, &Value)| {
        let text = template.as_str().ok_or_else(|| format!("has a template for `{name}` that is not a string"))?;
        let template = HeaderTemplate::compile(text);
        let template = template.map_err(|reason| format!("has a template for `{name}`: {reason}"))?;
        Ok((settings::settable_header_name(name)?, template))
    };
    settings.iter().map(compile).collect()
}

impl HeaderTemplate {
    fn compile(text: &str) -> Result<Self, String> {
        let template = Template::compile(text).map_err(|error| error.to_string())?;
        let constant = template.constant().map(HeaderValue::from_str).transpose();
        let constant = constant.map_err(|_| "it is not a valid header value".to_owned())?;
        Ok(constant.map_or(Self::Template(template), Self::Constant))
    }

    pub(super) fn value(
        &self,
        name: &HeaderName,
        view: &TemplateView<'_>,
        control_characters: ControlCharacters,
    ) -> Result<HeaderValue, Box<Failure>> {
        let text = match self {
            Self::Constant(value) => return Ok(value.clone()),
            Self::Template(template) => template.render(view).map_err(|error| Failure::internal(error.to_string()))?,
        };
        let value = match control_characters.handled(text) {
            Cow::Borrowed(text) => HeaderValue::from_str(text),
            Cow::Owned(text) => HeaderValue::try_from(text),
        };
        value.map_err(|_| Failure::internal(format!("the value for the header `{name}` is not valid")))
    }
}

impl ControlCharacters {
    fn handled(self, text: Cow<'_, str>) -> Cow<'_, str> {
        match self {
            Self::Refuse => text,
            Self::Remove if !text.contains(char::is_control) => text,
            Self::Remove => Cow::Owned(text.chars().filter(|character| !character.is_control()).collect()),
            Self::Encode => {
                const ENCODED: &AsciiSet = &CONTROLS.add(b'%');
                let mut encoded = String::with_capacity(text.len());
                for character in text.chars() {
                    if character.is_control() || character == '%' {
                        encoded.extend(utf8_percent_encode(character.encode_utf8(&mut [0; 4]), ENCODED));
                    } else {
                        encoded.push(character);
                    }
                }
                Cow::Owned(encoded)
            }
        }
    }
}
