//! The gateway with the real identity service: a session is checked by a function call, and an application receives the headers
//! of the rule.

mod authorization;
mod bearers;
mod decisions;
mod elsewhere;
mod guide;
mod paths;
mod permissions;
mod rules;
mod signatures;
mod visitors;

use acceptance::page::Page;
use acceptance::suite::{Suite, with_config_on_both_engines};
use acceptance::upstream::Upstream;
use anyhow::{Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

/// Runs `test` with an application behind the rules that `rules` returns for its URL.
pub(crate) async fn behind(rules: impl Fn(&str) -> Value, test: impl AsyncFn(&mut Suite) -> Result<()>) -> Result<()> {
    let upstream = Upstream::start().await?;
    with_config_on_both_engines(config(&rules(&upstream.url())), test).await
}

/// A suite whose gateway has these rules, and people who may sign in.
pub(crate) fn config(rules: &Value) -> Value {
    let rules = STANDARD.encode(rules.to_string());
    let mut config = super::identity::config();
    config["gateway"] = json!({
        "access_rules": { "repositories": [format!("inline://{rules}")] },
        "authenticators": {
            "anonymous": { "enabled": true, "config": { "subject": "anonymous" } },
            "cookie_session": {
                "enabled": true,
                // A function call: identity runs in the same process.
                "config": {
                    "check_session_url": "kleis://identity/sessions/whoami",
                    "only": ["ory_kratos_session"],
                    "subject_from": "identity.id",
                },
            },
            "oauth2_introspection": { "enabled": true, "config": { "introspection_url": "kleis://oauth/introspect" } },
            "jwt": { "enabled": true, "config": { "jwks_urls": ["base64://eyJrZXlzIjpbXX0="] } },
            "bearer_token": { "enabled": true, "config": { "check_session_url": "kleis://identity/sessions/whoami" } },
            "noop": { "enabled": true },
        },
        "authorizers": {
            "allow": { "enabled": true },
            "remote": { "enabled": true, "config": { "remote": "http://127.0.0.1:1/" } },
            "remote_json": { "enabled": true, "config": { "remote": "http://127.0.0.1:1/", "payload": "{}" } },
        },
        "mutators": {
            "noop": { "enabled": true },
            "header": { "enabled": true, "config": { "headers": { "X-User-Id": "{{ print .Subject }}" } } },
        },
        "errors": { "fallback": ["json"], "handlers": { "json": { "enabled": true, "config": { "verbose": true } } } },
    });
    config
}

/// A rule for everything under `/<name>/`, with these authenticators.
pub(crate) fn rule(name: &str, upstream: &str, authenticators: &Value) -> Value {
    json!({
        "id": name,
        "match": { "url": format!("http://<localhost|127.0.0.1>:<[0-9]+>/{name}/<.*>"), "methods": ["GET", "POST"] },
        "upstream": { "url": upstream },
        "authenticators": authenticators,
        "authorizer": { "handler": "allow" },
        "mutators": [{ "handler": "header" }],
    })
}

/// Two rules for the same application: `/strict-<name>/` with Oathkeeper's features only, `/lenient-<name>/` with all additions
/// that a rule can enable. `first` is the authenticator in front of `last`.
pub(crate) fn pair(name: &str, upstream: &str, first: &Value, last: &str) -> Vec<Value> {
    let strict = rule(&format!("strict-{name}"), upstream, &json!([first, { "handler": last }]));
    let mut willing = first.clone();
    willing["on_invalid"] = json!("next");
    willing["on_unavailable"] = json!("next");
    let mut last = json!({ "handler": last });
    if last["handler"] == "anonymous" {
        last["config"] = json!({ "ignore_authorization_header": true });
    }
    let mut lenient = rule(&format!("lenient-{name}"), upstream, &json!([willing, last]));
    lenient["mutators"][0]["config"] = json!({
        "omit_empty": true, "headers": { "X-User-Id": "{{ if .Authenticated }}{{ print .Subject }}{{ end }}" },
    });
    vec![strict, lenient]
}

/// The outcome of a request: the user that the application receives, `-` when it receives none, or the status of the refusal.
pub(crate) fn outcome(page: &Page) -> String {
    if page.status != http::StatusCode::OK {
        return page.status.as_str().to_owned();
    }
    page.at("/headers/x-user-id/0").as_str().unwrap_or("-").to_owned()
}

/// A request, and its outcome under the two rules of a pair.
pub(crate) struct Visit<'a> {
    pub(crate) what: &'a str,
    pub(crate) rule: &'a str,
    pub(crate) method: Method,
    pub(crate) headers: Vec<(&'a str, &'a str)>,
    pub(crate) strict: &'a str,
    pub(crate) lenient: &'a str,
}

impl<'a> Visit<'a> {
    /// A `GET` with one header.
    pub(crate) fn get(
        what: &'a str,
        rule: &'a str,
        header: (&'a str, &'a str),
        strict: &'a str,
        lenient: &'a str,
    ) -> Self {
        Self { what, rule, method: Method::GET, headers: vec![header], strict, lenient }
    }

    /// Sends the request to both rules.
    pub(crate) async fn check(&self, suite: &Suite) -> Result<()> {
        for (mode, expected) in [("strict", self.strict), ("lenient", self.lenient)] {
            let client = suite.api();
            let mut client = self.headers.iter().fold(client, |it, (name, value)| it.with_header(name, value));
            let url = suite.gateway(&format!("/{mode}-{}/page", self.rule));
            let page = client.json(self.method.clone(), url, &Value::Null).await?;
            let got = outcome(&page);
            ensure!(got == expected, "{} ({mode}): {got} instead of {expected}: {}", self.what, page.summary());
        }
        Ok(())
    }
}
