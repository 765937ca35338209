//! `header`: headers for the upstream, each from a template.

use std::borrow::Cow;

use http::{HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Inbound;
use crate::domain::failure::Failure;
use crate::domain::session::Session;
use crate::pipeline::settings;
use crate::pipeline::template::{Template, TemplateView};

#[derive(Debug)]
pub(crate) struct Header {
    headers: Vec<(HeaderName, Source)>,
    omit_empty: bool,
    remove: Vec<HeaderName>,
    control_characters: ControlCharacters,
}

/// What becomes of control characters in a value: no header can carry them (RFC 9110 section 5.5), and a person may have
/// written them into a trait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ControlCharacters {
    #[default]
    Remove,
    /// Percent-encoded, and `%` too, so that the value can be decoded.
    Encode,
}

/// Where a value comes from.
#[derive(Debug)]
enum Source {
    Constant(HeaderValue),
    Template(Template),
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    /// Templates of headers that are added to the request, by name.
    headers: Option<Map<String, Value>>,
    /// Whether a header whose template yields an empty text is left out.
    omit_empty: bool,
    /// Headers of the request that the upstream does not get.
    remove: Vec<String>,
    /// What happens to control characters in a value: `remove`, or `encode` for percent-encoding.
    control_characters: ControlCharacters,
}

impl Header {
    pub(super) fn compile(settings: Value) -> Result<Self, String> {
        let settings: Settings = settings::read(settings)?;
        if settings.headers.is_none() && settings.remove.is_empty() {
            return Err("needs the setting `headers`".to_owned());
        }
        let mut headers = Vec::new();
        for (name, template) in settings.headers.iter().flatten() {
            let text = template.as_str().ok_or_else(|| format!("has a template for `{name}` that is not a text"))?;
            let source = Source::compile(text).map_err(|reason| format!("has a template for `{name}`: {reason}"))?;
            let name = settings::header_name(name)?;
            if crate::domain::headers::is_hop_by_hop(&name) || name == http::header::CONTENT_LENGTH {
                return Err(format!("sets the header `{name}`, which belongs to the connection"));
            }
            headers.push((name, source));
        }
        let remove = settings.remove.iter().map(|name| settings::header_name(name)).collect::<Result<_, _>>()?;
        let Settings { omit_empty, control_characters, .. } = settings;
        Ok(Self { headers, omit_empty, remove, control_characters })
    }

    pub(super) fn mutate(&self, inbound: &Inbound<'_>, session: &mut Session) -> Result<(), Box<Failure>> {
        for (name, source) in &self.headers {
            let value = source.value(name, &TemplateView { session, inbound }, self.control_characters)?;
            if value.is_empty() && self.omit_empty {
                session.headers.remove(name);
                session.removed.push(name.clone());
                continue;
            }
            session.headers.insert(name.clone(), value);
        }
        session.removed.extend(self.remove.iter().cloned());
        Ok(())
    }

    pub(super) fn decided_headers(&self) -> impl Iterator<Item = &HeaderName> {
        self.headers.iter().map(|(name, _)| name).chain(&self.remove)
    }
}

impl Source {
    fn compile(text: &str) -> Result<Self, String> {
        let template = Template::compile(text).map_err(|error| error.to_string())?;
        let constant = template.constant().map(HeaderValue::from_str).transpose();
        let constant = constant.map_err(|_| "no header can carry this text".to_owned())?;
        Ok(constant.map_or(Self::Template(template), Self::Constant))
    }

    fn value(
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
        value.map_err(|_| Failure::internal(format!("the value for the header `{name}` does not fit into a header")))
    }
}

impl ControlCharacters {
    fn handled(self, text: Cow<'_, str>) -> Cow<'_, str> {
        match self {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::session::Extra;
    use crate::pipeline::testing::Request;
    use serde_json::json;

    fn run(settings: Value, subject: &str) -> Result<Session, Box<Failure>> {
        let mut session = Session::authenticated("jwt", subject.to_owned(), Extra::new(json!({"role": "admin"})));
        let request = Request::get("http://h/a");
        Header::compile(settings).unwrap().mutate(&request.inbound(), &mut session).map(|()| session)
    }

    #[test]
    fn headers_come_from_templates() {
        let settings =
            json!({"headers": {"X-User": "{{ print .Subject }}", "X-Role": "r:{{ .Extra.role }}", "X-C": "c"}});
        let session = run(settings, "alice").unwrap();
        assert_eq!(session.headers.get("x-user").unwrap(), "alice");
        assert_eq!(session.headers.get("x-role").unwrap(), "r:admin");
        assert_eq!(session.headers.get("x-c").unwrap(), "c");
    }

    #[test]
    fn an_empty_header_is_sent_unless_the_rule_omits_it() {
        let headers = json!({"X-User": "{{ print .Subject }}"});
        assert_eq!(run(json!({"headers": headers}), "").unwrap().headers.get("x-user").unwrap(), "");
        let session = run(json!({"headers": headers, "omit_empty": true}), "").unwrap();
        assert_eq!(session.headers.iter().count(), 0);
        assert_eq!(session.removed, ["x-user"]);
    }

    #[test]
    fn headers_can_be_removed() {
        assert_eq!(run(json!({"remove": ["Cookie"]}), "a").unwrap().removed, ["cookie"]);
    }

    #[test]
    fn control_characters_of_a_person_are_removed_or_encoded_and_fail_no_request() {
        let value = |settings: Value, subject: &str| {
            let session = run(settings, subject).unwrap();
            String::from_utf8(session.headers.get("x-user").unwrap().as_bytes().to_vec()).unwrap()
        };
        let headers = json!({"X-User": "{{ print .Subject }}"});
        let removed = json!({"headers": headers});
        let encoded = json!({"headers": headers, "control_characters": "encode"});
        for (subject, without, as_escapes) in [
            ("a\r\nX-Admin: 1", "aX-Admin: 1", "a%0D%0AX-Admin: 1"),
            ("\u{0}\u{1}\u{7f}\t\u{85}b", "b", "%00%01%7F%09%C2%85b"),
            ("100% é", "100% é", "100%25 é"),
            ("plain", "plain", "plain"),
        ] {
            assert_eq!(value(removed.clone(), subject), without);
            assert_eq!(value(encoded.clone(), subject), as_escapes);
            let composed = json!({"headers": {"X-User": "<{{ .Subject }}>"}});
            assert_eq!(value(composed, subject), format!("<{without}>"));
        }
        let empty = json!({"headers": headers, "omit_empty": true});
        assert_eq!(run(empty, "\n").unwrap().headers.iter().count(), 0);
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        for settings in [
            json!({}),
            json!({"headers": {"a b": "x"}}),
            json!({"headers": {"X-A": 1}}),
            json!({"headers": {"Connection": "close"}}),
            json!({"headers": {"Content-Length": "1"}}),
            json!({"headers": {"X-A": "{{ env \"HOME\" }}"}}),
            json!({"headers": {"X-A": "a\nb"}}),
            json!({"headers": {}, "control_characters": "keep"}),
        ] {
            assert!(Header::compile(settings.clone()).is_err(), "{settings}");
        }
    }
}
