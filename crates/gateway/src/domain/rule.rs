//! An access rule as written in a rule file and returned by `GET /rules`.
//!
//! Unknown fields are ignored. Handlers and their settings are checked when rules are compiled, so that an invalid rule can
//! still be listed and can still match requests.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) description: String,
    #[serde(rename = "match")]
    pub(crate) matching: Option<Match>,
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) authenticators: Vec<HandlerEntry>,
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) authorizer: HandlerEntry,
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) mutators: Vec<HandlerEntry>,
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) errors: Vec<HandlerEntry>,
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) upstream: Upstream,
}

/// The requests that a rule applies to. A rule with `full_method` is for remote procedure calls, which neither the proxy
/// nor the decision API ever matches.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Match {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) url: String,
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) methods: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) authority: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) full_method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) allow_http_get: Option<bool>,
}

/// One step of a pipeline: the name of a handler, and settings that override the global ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct HandlerEntry {
    pub(crate) handler: String,
    pub(crate) config: Value,
    /// Authenticators only: how to treat an invalid or expired credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) on_invalid: Option<OnFailure>,
    /// Authenticators only: how to treat a credential that cannot be checked at the moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) on_unavailable: Option<OnFailure>,
}

/// Whether a failing authenticator ends the pipeline or passes the request to the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnFailure {
    /// The request fails. The default, because a silent downgrade would be surprising.
    #[default]
    Fail,
    /// The credential counts as absent.
    Next,
}

/// Where the proxy forwards the request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Upstream {
    pub(crate) url: String,
    /// Forward the client's `Host` instead of the host of `url`.
    pub(crate) preserve_host: bool,
    /// The first occurrence of these whole segments is removed from the request's path; surrounding slashes are ignored.
    pub(crate) strip_path: String,
    /// Whether the trailing slash of the client's path is forwarded; matching ignores it. The default depends on
    /// `access_rules.upstream_paths`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) preserve_trailing_slash: Option<bool>,
    /// The upstream supports path parameters (`/a;v=1`): requests with them are accepted when the rule matches them with
    /// and without the parameters. Otherwise they are rejected.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) path_parameters: bool,
    /// Headers such as `X-HTTP-Method-Override`, which frameworks use in place of the request line, that clients may send.
    /// Others are removed.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub(crate) keep_headers: Vec<String>,
    /// Send the client's address, scheme and host to the upstream in `X-Forwarded-For`, `-Proto` and `-Host`.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) forwarded_headers: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

fn null_as_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_rule_round_trips() {
        let rule: Rule = serde_json::from_value(json!({
            "id": "r", "match": {"url": "http://h/<.*>", "methods": ["GET"]},
            "authenticators": [{"handler": "anonymous", "on_invalid": "next"}],
            "authorizer": {"handler": "allow"}, "mutators": [{"handler": "noop", "config": {}}],
            "errors": null, "upstream": {"url": "http://u"}, "something": "else"
        }))
        .unwrap();
        assert_eq!(rule.authenticators[0].on_invalid, Some(OnFailure::Next));
        let shown = serde_json::to_value(&rule).unwrap();
        assert_eq!(shown["match"], json!({"url": "http://h/<.*>", "methods": ["GET"]}));
        assert_eq!(shown["authorizer"], json!({"handler": "allow", "config": null}));
        assert_eq!(shown["upstream"], json!({"url": "http://u", "preserve_host": false, "strip_path": ""}));
    }
}
