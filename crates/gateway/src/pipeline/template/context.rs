//! The data of a template: the session, the request and the rule's captured groups. Only the parts that a template uses are
//! built.

use std::collections::BTreeMap;
use std::sync::Arc;

use go_templates::value_of;
use gotmpl::Value;
use http::HeaderMap;
use http::header::HOST;

use super::request_url;
use crate::domain::session::Session;
use crate::pipeline::Inbound;

/// A session and its request.
pub(crate) struct TemplateView<'a> {
    pub(crate) session: &'a Session,
    pub(crate) inbound: &'a Inbound<'a>,
}

/// The expensive parts of the context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Needs(u8);

impl Needs {
    const EXTRA: Self = Self(1);
    const SESSION_HEADER: Self = Self(2);
    const CAPTURES: Self = Self(4);
    const URL: Self = Self(8);
    const REQUEST_HEADER: Self = Self(16);
    pub(super) const EVERYTHING: Self = Self(31);

    const fn covers(self, part: Self) -> bool {
        self.0 & part.0 != 0
    }

    /// Records a path of field names. Inside `with` and `range` a path does not begin at the root, but there the action
    /// that opened the block named the root's part.
    pub(super) fn add<T: AsRef<str>>(&mut self, path: &[T]) {
        let name = |place: usize| path.get(place).map_or("", AsRef::as_ref);
        let part = match (name(0), name(1)) {
            ("Extra", _) => Self::EXTRA,
            ("Header", _) => Self::SESSION_HEADER,
            ("MatchContext", "RegexpCaptureGroups") => Self::CAPTURES,
            ("MatchContext", "URL") => Self::URL,
            ("MatchContext", "Header") => Self::REQUEST_HEADER,
            ("MatchContext", "") => Self::EVERYTHING,
            _ => Self(0),
        };
        self.0 |= part.0;
    }
}

impl TemplateView<'_> {
    pub(super) fn value(&self, needs: Needs) -> Value {
        let mut root = BTreeMap::new();
        let mut put = |name: &str, value: Value| root.insert(Arc::from(name), value);
        put("Subject", text(&self.session.subject));
        put("Authenticated", Value::Bool(self.session.authenticated));
        put("Authenticator", text(self.session.authenticator));
        if needs.covers(Needs::EXTRA) {
            put("Extra", self.session.extra.get().map_or(Value::Nil, |extra| value_of(&extra)));
        }
        if needs.covers(Needs::SESSION_HEADER) {
            put(
                "Header",
                headers(&self.session.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect()),
            );
        }
        put("MatchContext", self.match_context(needs));
        Value::Map(Arc::new(root))
    }

    fn match_context(&self, needs: Needs) -> Value {
        let mut context = BTreeMap::new();
        context.insert(Arc::from("Method"), text(self.inbound.target.method.as_str()));
        if needs.covers(Needs::CAPTURES) {
            let groups = self.inbound.captures().iter().map(|group| text(group)).collect();
            context.insert(Arc::from("RegexpCaptureGroups"), Value::List(groups));
        }
        if needs.covers(Needs::URL) {
            context.insert(Arc::from("URL"), request_url::value(self.inbound.target));
        }
        if needs.covers(Needs::REQUEST_HEADER) {
            context.insert(Arc::from("Header"), headers(self.inbound.headers));
        }
        Value::Map(Arc::new(context))
    }
}

fn text(text: &str) -> Value {
    Value::String(Arc::from(text))
}

/// Header fields under Go's canonical names, with their values.
fn headers(headers: &HeaderMap) -> Value {
    let mut fields: BTreeMap<Arc<str>, Value> = BTreeMap::new();
    // Go keeps the host of a request beside its headers.
    for name in headers.keys().filter(|name| **name != HOST) {
        let values =
            headers.get_all(name).iter().map(|value| text(&String::from_utf8_lossy(value.as_bytes()))).collect();
        fields.insert(Arc::from(canonical_header_name(name.as_str())), Value::List(values));
    }
    Value::Map(Arc::new(fields))
}

/// The canonical form of Go: `X-Request-Id` for `x-request-id`.
pub(super) fn canonical_header_name(name: &str) -> String {
    let mut upper = true;
    name.chars()
        .map(|character| {
            let letter = if upper { character.to_ascii_uppercase() } else { character.to_ascii_lowercase() };
            upper = character == '-';
            letter
        })
        .collect()
}
