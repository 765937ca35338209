//! Redaction of sensitive values in logs.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::LogConfig;

/// Headers that contain bearer values.
const HEADERS: &[&str] =
    &["authorization", "proxy-authorization", "cookie", "set-cookie", "x-session-token", "x-api-key"];

/// Fields that contain bearer values.
const FIELDS: &[&str] = &[
    "authorization",
    "client_secret",
    "code",
    "code_verifier",
    "cookie",
    "csrf_token",
    "password",
    "query",
    "refresh_token",
    "access_token",
    "id_token",
    "secret",
    "session_token",
    "set-cookie",
    "token",
    "x-session-token",
];

const DEFAULT_TEXT: &str = "[redacted; log.leak_sensitive_values shows it]";

/// Replaces sensitive values before they are written.
#[derive(Clone, Debug)]
pub struct Redaction {
    leak: bool,
    text: String,
    headers: HashSet<String>,
}

impl Redaction {
    pub fn new(config: &LogConfig) -> Self {
        let configured = config.additional_redacted_headers.iter().map(|name| name.to_ascii_lowercase());
        Self {
            leak: config.leak_sensitive_values,
            text: config.redaction_text.clone().unwrap_or_else(|| DEFAULT_TEXT.to_owned()),
            headers: HEADERS.iter().map(|name| (*name).to_owned()).chain(configured).collect(),
        }
    }

    /// The value of a header for the log. `name` is in lower case, as HTTP libraries have it.
    pub fn header<'a>(&'a self, name: &str, value: &'a str) -> Cow<'a, str> {
        if self.leak || !self.headers.contains(name) { Cow::Borrowed(value) } else { Cow::Borrowed(&self.text) }
    }

    /// A query string for the log. It may contain challenges, codes and tokens, so it is replaced as a whole.
    pub fn query<'a>(&'a self, query: &'a str) -> Cow<'a, str> {
        if self.leak || query.is_empty() { Cow::Borrowed(query) } else { Cow::Borrowed(&self.text) }
    }

    /// The replacement for a field of this name (the part after its last dot), if it needs one.
    pub(crate) fn replaces(&self, field: &str) -> Option<&str> {
        let name = field.rsplit('.').next().unwrap_or(field);
        let sensitive = !self.leak && (FIELDS.contains(&name) || self.headers.contains(name));
        sensitive.then_some(self.text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bearer_values_are_replaced_and_others_are_not() {
        let config = LogConfig { additional_redacted_headers: vec!["X-Tenant-Key".to_owned()], ..LogConfig::default() };
        let redaction = Redaction::new(&config);
        for name in ["authorization", "cookie", "set-cookie", "x-session-token", "x-tenant-key"] {
            assert_eq!(redaction.header(name, "planted"), DEFAULT_TEXT, "{name}");
        }
        assert_eq!(redaction.header("accept", "text/html"), "text/html");
        assert_eq!(redaction.query("login_challenge=planted"), DEFAULT_TEXT);
        assert_eq!(redaction.query(""), "");
        assert!(redaction.replaces("http_request.query").is_some());
        assert!(redaction.replaces("http_request.path").is_none());
    }

    #[test]
    fn sensitive_values_are_shown_if_configured() {
        let config = LogConfig { leak_sensitive_values: true, ..LogConfig::default() };
        assert_eq!(Redaction::new(&config).header("cookie", "a=b"), "a=b");
    }
}
