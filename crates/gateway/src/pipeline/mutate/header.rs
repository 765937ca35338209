//! `header`: headers for the upstream, each from a template.

use std::borrow::Cow;

use http::{HeaderName, HeaderValue};
use serde::Deserialize;
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
}

/// Where a value comes from.
#[derive(Debug)]
enum Source {
    Constant(HeaderValue),
    Template(Template),
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    headers: Option<Map<String, Value>>,
    /// Ours: a header whose template renders to nothing is not sent at all.
    omit_empty: bool,
    /// Ours: headers of the request that the upstream must not see.
    remove: Vec<String>,
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
        Ok(Self { headers, omit_empty: settings.omit_empty, remove })
    }

    pub(super) fn mutate(&self, inbound: &Inbound<'_>, session: &mut Session) -> Result<(), Box<Failure>> {
        for (name, source) in &self.headers {
            let value = source.value(name, &TemplateView { session, inbound })?;
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

    fn value(&self, name: &HeaderName, view: &TemplateView<'_>) -> Result<HeaderValue, Box<Failure>> {
        let text = match self {
            Self::Constant(value) => return Ok(value.clone()),
            Self::Template(template) => template.render(view).map_err(|error| Failure::internal(error.to_string()))?,
        };
        let value = match text {
            Cow::Borrowed(text) => HeaderValue::from_str(text),
            Cow::Owned(text) => HeaderValue::try_from(text),
        };
        value.map_err(|_| Failure::internal(format!("the value for the header `{name}` does not fit into a header")))
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
    fn a_value_that_no_header_can_carry_fails_the_request() {
        let failure = run(json!({"headers": {"X-User": "{{ print .Subject }}"}}), "a\nX-Admin: 1").unwrap_err();
        assert_eq!(failure.status, http::StatusCode::INTERNAL_SERVER_ERROR);
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
        ] {
            assert!(Header::compile(settings.clone()).is_err(), "{settings}");
        }
    }
}
