//! What the pipeline knows about the sender of a request: set by an authenticator, read by templates, and turned into
//! headers for the upstream by mutators.

use std::borrow::Cow;
use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use serde_json::Value;
use smallvec::SmallVec;

use super::json_path::JsonPath;

/// The result of authentication and mutation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Session {
    /// Empty when unknown.
    pub(crate) subject: String,
    pub(crate) extra: Extra,
    /// Set on the request to the upstream, or on the response of the decision API.
    pub(crate) headers: SetHeaders,
    /// Removed from the request, in addition to the headers that clients may never send.
    pub(crate) removed: Vec<HeaderName>,
    /// Whether a credential was verified: false for `anonymous` and `noop`.
    pub(crate) authenticated: bool,
    /// The handler that accepted the request.
    pub(crate) authenticator: &'static str,
    /// Whether the session was checked in this process, where checking again is cheap: an open connection is closed when
    /// its session ends.
    pub(crate) is_watched: bool,
    /// Cookies that are invalid and that the response deletes.
    pub(crate) set_cookies: Vec<HeaderValue>,
}

impl Session {
    /// An authenticated sender.
    pub(crate) fn authenticated(authenticator: &'static str, subject: String, extra: Extra) -> Self {
        Self { subject, extra, authenticated: true, authenticator, ..Self::default() }
    }

    /// An unauthenticated sender, with a subject that the rule configures.
    pub(crate) fn unauthenticated(authenticator: &'static str, subject: &str) -> Self {
        Self { subject: subject.to_owned(), authenticator, ..Self::default() }
    }
}

/// Data about the sender besides the subject: an object, or nothing. It may be a part of a document that requests share,
/// and is looked up on access.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extra(Option<(Arc<Value>, JsonPath)>);

impl Extra {
    pub(crate) fn new(value: Value) -> Self {
        Self::part(Arc::new(value), JsonPath::whole())
    }

    pub(crate) fn part(document: Arc<Value>, path: JsonPath) -> Self {
        Self(Some((document, path)))
    }

    pub(crate) fn get(&self) -> Option<Cow<'_, Value>> {
        let (document, path) = self.0.as_ref()?;
        path.find(document)
    }
}

/// The header fields that a rule sets, one value each. Most rules set one or two, which need no allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SetHeaders(SmallVec<[(HeaderName, HeaderValue); 2]>);

impl SetHeaders {
    pub(crate) fn insert(&mut self, name: HeaderName, value: HeaderValue) {
        match self.0.iter_mut().find(|(its_name, _)| *its_name == name) {
            Some((_, there)) => *there = value,
            None => self.0.push((name, value)),
        }
    }

    pub(crate) fn remove(&mut self, name: &HeaderName) {
        self.0.retain(|(its_name, _)| its_name != name);
    }

    /// By the lowercase name.
    pub(crate) fn get(&self, name: &str) -> Option<&HeaderValue> {
        self.0.iter().find(|(its_name, _)| its_name.as_str() == name).map(|(_, value)| value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        self.0.iter().map(|(name, value)| (name, value))
    }
}

impl IntoIterator for SetHeaders {
    type Item = (HeaderName, HeaderValue);
    type IntoIter = smallvec::IntoIter<[Self::Item; 2]>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_extra_is_a_part_of_a_document() {
        let document = Arc::new(json!({"a": {"b": 1}}));
        let part = |path: &str| Extra::part(document.clone(), JsonPath::parse(path).unwrap());
        assert_eq!(part("a").get().as_deref(), Some(&json!({"b": 1})));
        assert_eq!(part("none").get(), None);
        assert_eq!(Extra::default().get(), None);
    }

    #[test]
    fn a_field_is_set_once() {
        let name = HeaderName::from_static("x-a");
        let mut headers = SetHeaders::default();
        headers.insert(name.clone(), HeaderValue::from_static("1"));
        headers.insert(name.clone(), HeaderValue::from_static("2"));
        assert_eq!(headers.iter().collect::<Vec<_>>(), [(&name, &HeaderValue::from_static("2"))]);
        assert_eq!(headers.get("x-a").unwrap(), "2");
        headers.remove(&name);
        assert_eq!(headers, SetHeaders::default());
    }
}
