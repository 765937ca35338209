//! `header`: sets headers for the upstream from templates.

use http::HeaderName;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Answer, Definition, Inbound, Mutator, Services};
use crate::domain::failure::Failure;
use crate::domain::session::Session;
use crate::pipeline::header_template::{self, ControlCharacters, HeaderTemplate};
use crate::pipeline::settings;
use crate::pipeline::template::TemplateView;

pub(super) const HANDLER: Definition<dyn Mutator, Services> =
    Definition::new::<Settings>("header", |settings, _| Ok(Box::new(Header::compile(settings)?)));

#[derive(Debug)]
struct Header {
    headers: Vec<(HeaderName, HeaderTemplate)>,
    omit_empty: bool,
    remove: Vec<HeaderName>,
    control_characters: ControlCharacters,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Settings {
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
    fn compile(settings: Value) -> Result<Self, String> {
        let settings: Settings = settings::read(settings)?;
        if settings.headers.is_none() && settings.remove.is_empty() {
            return Err("requires the setting `headers`".to_owned());
        }
        let headers = header_template::compile_all(settings.headers.as_ref().unwrap_or(&Map::new()))?;
        let remove = settings::header_names(&settings.remove)?;
        let Settings { omit_empty, control_characters, .. } = settings;
        Ok(Self { headers, omit_empty, remove, control_characters })
    }

    fn set_headers(&self, inbound: &Inbound<'_>, session: &mut Session) -> Result<(), Box<Failure>> {
        for (name, template) in &self.headers {
            let value = template.value(name, &TemplateView { session, inbound }, self.control_characters)?;
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
}

impl Mutator for Header {
    fn mutate<'a>(
        &'a self,
        inbound: &'a Inbound<'a>,
        session: &'a mut Session,
        _: &'a Services,
    ) -> Answer<'a, Result<(), Box<Failure>>> {
        Answer::Ready(self.set_headers(inbound, session))
    }

    fn decided_headers(&self) -> Vec<&HeaderName> {
        self.headers.iter().map(|(name, _)| name).chain(&self.remove).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::session::Extra;
    use crate::tests::fixtures::Request;
    use serde_json::json;

    fn run(settings: Value, subject: &str) -> Result<Session, Box<Failure>> {
        let mut session = Session::authenticated("jwt", subject.to_owned(), Extra::new(json!({"role": "admin"})));
        let request = Request::get("http://h/a");
        Header::compile(settings).unwrap().set_headers(&request.inbound(), &mut session).map(|()| session)
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
    fn control_characters_of_a_user_are_removed_or_encoded_and_fail_no_request() {
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
    fn invalid_settings_are_rejected() {
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
