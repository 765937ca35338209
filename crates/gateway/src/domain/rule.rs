//! An access rule as it is written in a rule file and shown by `GET /rules`.
//!
//! Unknown fields are ignored. Whether the handlers exist and their settings make sense is decided where rules are
//! compiled, so that a rule that is wrong can still be shown and can still take part in matching.

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

/// Which requests a rule is for. The presence of `full_method` makes it a rule for remote procedure calls, which neither
/// the proxy nor the decision API ever matches.
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

/// One step of a pipeline: a handler by its name, and settings laid over the global ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct HandlerEntry {
    pub(crate) handler: String,
    pub(crate) config: Value,
    /// Authenticators only: what becomes of a credential that is invalid or expired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) on_invalid: Option<OnFailure>,
    /// Authenticators only: what becomes of a request whose credential cannot be checked at the moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) on_unavailable: Option<OnFailure>,
}

/// Whether a failing authenticator ends the pipeline or leaves the request to the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnFailure {
    /// The request fails: the default, because a silent fall to less is a surprise.
    #[default]
    Fail,
    /// As if the request carried no such credential.
    Next,
}

/// Where the proxy sends what a rule lets through.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Upstream {
    pub(crate) url: String,
    /// Send the `Host` that the client sent instead of the host of `url`.
    pub(crate) preserve_host: bool,
    /// Taken out of the request's path, slashes around it aside, where it first occurs as whole segments.
    pub(crate) strip_path: String,
    /// Whether the upstream gets the slash at the end of the client's path, which matching does without. By default as
    /// `access_rules.upstream_paths` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) preserve_trailing_slash: Option<bool>,
    /// The upstream knows path parameters (`/a;v=1`): requests with them are accepted when the rule matches them with
    /// and without the parameters. Otherwise they are refused.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) path_parameters: bool,
    /// Headers such as `X-HTTP-Method-Override`, which frameworks obey in place of the request line, that clients may send.
    /// Without it they are taken away.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub(crate) keep_headers: Vec<String>,
    /// Tell the upstream of the client in `X-Forwarded-For`, `-Proto` and `-Host`.
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
    fn a_rule_is_read_and_shown_again() {
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
