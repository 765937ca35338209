//! The conditions of an error handler (`when`): at least one of the items must match, and an item matches if all its parts
//! do.

use std::net::IpAddr;

use http::header::{ACCEPT, CONTENT_TYPE, HeaderName};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use web::{Network, media_types};

use super::FailedRequest;
use crate::domain::failure::Failure;
use crate::pipeline::settings;

/// Always matches when empty.
#[derive(Debug)]
pub(crate) struct When(Vec<Item>);

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Item {
    /// The errors that this handler handles: `unauthorized`, `forbidden`, `not_found`, `internal_server_error`.
    error: Vec<String>,
    request: RequestCondition,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct RequestCondition {
    /// The networks of clients that this handler handles.
    cidr: Vec<Network>,
    remote_ip: RemoteIp,
    header: HeaderCondition,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct RemoteIp {
    /// The networks of clients that this handler handles.
    #[serde(rename = "match")]
    networks: Vec<Network>,
    /// Accepted for files of Oathkeeper. The client's address always comes from the listed proxies.
    #[serde(rename = "respect_forwarded_for_header")]
    _respect_forwarded_for_header: bool,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct HeaderCondition {
    /// The media types of requests that this handler handles.
    content_type: Vec<String>,
    /// The media types that a client must accept.
    accept: Vec<String>,
}

const ERRORS: [&str; 4] = ["unauthorized", "forbidden", "internal_server_error", "not_found"];

impl When {
    pub(super) fn compile(settings: Value) -> Result<Self, String> {
        let items: Option<Vec<Item>> = settings::read(settings)?;
        let items = items.unwrap_or_default();
        match items.iter().flat_map(|item| &item.error).find(|error| !ERRORS.contains(&error.as_str())) {
            Some(unknown) => Err(format!("has a condition on the error `{unknown}`, which does not exist")),
            None => Ok(Self(items)),
        }
    }

    pub(super) fn holds(&self, failure: &Failure, request: FailedRequest<'_>) -> bool {
        self.0.is_empty() || self.0.iter().any(|item| item.holds(failure, request))
    }
}

impl Item {
    fn holds(&self, failure: &Failure, request: FailedRequest<'_>) -> bool {
        let RequestCondition { cidr, remote_ip, header } = &self.request;
        self.holds_for(failure)
            && is_among(cidr, request.client_address)
            && is_among(&remote_ip.networks, request.client_address)
            && is_wanted(&header.content_type, request, &CONTENT_TYPE)
            && is_wanted(&header.accept, request, &ACCEPT)
    }

    /// Failures without a name of their own count as internal server errors.
    fn holds_for(&self, failure: &Failure) -> bool {
        let condition = failure.condition();
        let condition = if ERRORS.contains(&condition.as_str()) { &condition } else { "internal_server_error" };
        self.error.is_empty() || self.error.iter().any(|error| error == condition)
    }
}

fn is_among(networks: &[Network], address: Option<IpAddr>) -> bool {
    networks.is_empty() || address.is_some_and(|address| networks.iter().any(|network| network.contains(address)))
}

/// Whether one of the media types of the header is among those of the condition. A wildcard of the client matches only
/// itself: a browser that accepts `*/*` as a last resort did not request JSON.
fn is_wanted(wanted: &[String], request: FailedRequest<'_>, name: &HeaderName) -> bool {
    if wanted.is_empty() {
        return true;
    }
    let sent: Vec<&str> = request.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    let sent = if sent.is_empty() { vec!["application/octet-stream"] } else { sent };
    let mut types = sent.into_iter().flat_map(media_types::listed);
    types.any(|media_type| {
        let is_range = media_type.subty == media_types::WILDCARD;
        let mut patterns = wanted.iter().flat_map(|pattern| media_types::listed(pattern));
        patterns.any(|pattern| match media_types::specificity(&pattern, &media_type) {
            0 => false,
            1 | 2 => !is_range,
            _ => true,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, HeaderValue};
    use serde_json::json;

    fn holds(when: Value, failure: &Failure, headers: &[(&'static str, &'static str)], address: &str) -> bool {
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect();
        let request = FailedRequest { headers: &headers, client_address: address.parse().ok(), original_url: None };
        When::compile(when).unwrap().holds(failure, request)
    }

    #[test]
    fn items_are_alternatives_and_their_parts_are_not() {
        let when = json!([
            {"error": ["forbidden"]},
            {"error": ["unauthorized"], "request": {"header": {"accept": ["text/html"]}}}
        ]);
        let html: &[_] = &[("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")];
        assert!(holds(when.clone(), &Failure::forbidden(), &[], ""));
        assert!(holds(when.clone(), &Failure::unauthorized(), html, ""));
        assert!(!holds(when.clone(), &Failure::unauthorized(), &[("accept", "application/json")], ""));
        assert!(!holds(when, &Failure::no_rule(), html, ""));
        assert!(holds(json!([]), &Failure::no_rule(), &[], "") && holds(Value::Null, &Failure::no_rule(), &[], ""));
    }

    #[test]
    fn a_wildcard_of_the_client_matches_only_itself() {
        let accept = |pattern: &str, sent: &'static str| {
            let when = json!([{"request": {"header": {"accept": [pattern]}}}]);
            holds(when, &Failure::forbidden(), &[("accept", sent)], "")
        };
        assert!(accept("text/*", "text/html") && accept("*/*", "a/b") && accept("*/*", "*/*"));
        assert!(!accept("text/html", "*/*") && !accept("text/html", "text/*") && !accept("text/*", "*/*"));
        assert!(accept("TEXT/HTML", "text/Html;level=1"));
    }

    #[test]
    fn a_missing_content_type_is_an_octet_stream() {
        let when = |media_type: &str| json!([{"request": {"header": {"content_type": [media_type]}}}]);
        assert!(holds(when("application/octet-stream"), &Failure::forbidden(), &[], ""));
        assert!(!holds(when("application/json"), &Failure::forbidden(), &[], ""));
    }

    #[test]
    fn addresses_are_enforced_under_both_names() {
        for when in [
            json!([{"request": {"cidr": ["10.0.0.0/8"]}}]),
            json!([{"request": {"remote_ip": {"match": ["10.0.0.0/8"], "respect_forwarded_for_header": true}}}]),
        ] {
            assert!(holds(when.clone(), &Failure::forbidden(), &[], "10.1.2.3"));
            assert!(!holds(when.clone(), &Failure::forbidden(), &[], "11.1.2.3"));
            assert!(!holds(when, &Failure::forbidden(), &[], ""));
        }
    }

    #[test]
    fn other_failures_count_as_internal() {
        let when = json!([{"error": ["internal_server_error"]}]);
        assert!(holds(when.clone(), &Failure::too_many_requests(), &[], ""));
        assert!(!holds(when, &Failure::forbidden(), &[], ""));
        assert!(When::compile(json!([{"error": ["teapot"]}])).is_err());
        assert!(When::compile(json!([{"request": {"cidr": ["x"]}}])).is_err());
    }
}
