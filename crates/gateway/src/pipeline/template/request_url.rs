//! `.MatchContext.URL`: the URL of a request with the members of Go's `*url.URL`. It prints as the URL.

use std::collections::BTreeMap;
use std::sync::Arc;

use go_templates::{Members, Object, text};
use gotmpl::Value;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::target::Target;

/// The characters that Go's `url.PathEscape` does not escape.
pub(super) const PATH_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b':')
    .remove(b'=')
    .remove(b'@');

/// The characters that Go does not escape in a path.
const PATH: &AsciiSet = &PATH_SEGMENT.remove(b'/').remove(b',').remove(b';');

/// Go's `*url.URL`: its fields, and its methods without arguments.
pub(super) fn value(target: &Target) -> Value {
    let host = target.host();
    let port_at = host.rfind(':').filter(|at| !host[*at..].contains(']'));
    let (hostname, port) = port_at.map_or((host, ""), |at| (&host[..at], &host[at + 1..]));
    let query = target.query();
    let url = target.original_url();
    let is_default = utf8_percent_encode(target.path(), PATH).to_string() == target.forwarded_path();
    let fields = [
        ("Scheme", text(target.scheme.as_str())),
        ("Opaque", text("")),
        ("User", Value::Nil),
        ("Host", text(host)),
        ("Path", text(target.path())),
        ("RawPath", text(if is_default { "" } else { target.forwarded_path() })),
        ("OmitHost", Value::Bool(false)),
        ("ForceQuery", Value::Bool(query == Some(""))),
        ("RawQuery", text(query.unwrap_or_default())),
        ("Fragment", text("")),
        ("RawFragment", text("")),
    ];
    let methods = [
        ("EscapedFragment", text("")),
        ("EscapedPath", text(target.forwarded_path())),
        ("Hostname", text(hostname.trim_start_matches('[').trim_end_matches(']'))),
        ("IsAbs", Value::Bool(true)),
        ("Port", text(port)),
        ("Query", query_values(query.unwrap_or_default())),
        ("Redacted", text(&url)),
        ("RequestURI", text(request_uri(&url, host))),
        ("String", text(&url)),
        // Null in JSON, and printed as nothing.
        ("User", text("")),
    ];
    let members = |members: &[(&str, Value)]| {
        members.iter().map(|(name, value)| (Arc::from(*name), value.clone())).collect::<Members>()
    };
    Object { type_name: "*url.URL", fields: members(&fields), methods: members(&methods), text: url }.into_value()
}

/// Path and query, as a request line has them.
fn request_uri(url: &str, host: &str) -> String {
    let rest = url.split_once("://").and_then(|(_, rest)| rest.strip_prefix(host)).unwrap_or_default();
    if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") }
}

fn query_values(query: &str) -> Value {
    let mut values: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        values.entry(Arc::from(name.as_ref())).or_default().push(text(&value));
    }
    Value::Map(Arc::new(values.into_iter().map(|(name, values)| (name, Value::List(values.into()))).collect()))
}
