//! The door, with the real identity service behind it: a session is checked by a function call, and an application sees
//! what the rule says.

mod paths;
mod visitors;

use acceptance::suite::{Suite, with_config_on_both_engines};
use acceptance::upstream::Upstream;
use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Runs `test` with an application behind the rules that `rules` makes for its address.
pub(crate) async fn behind(rules: impl Fn(&str) -> Value, test: impl AsyncFn(&mut Suite) -> Result<()>) -> Result<()> {
    let upstream = Upstream::start().await?;
    let rules = STANDARD.encode(rules(&upstream.url()).to_string());
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
                },
            },
            "noop": { "enabled": true },
        },
        "authorizers": { "allow": { "enabled": true } },
        "mutators": {
            "noop": { "enabled": true },
            "header": { "enabled": true, "config": { "headers": { "X-User-Id": "{{ print .Subject }}" } } },
        },
        "errors": { "fallback": ["json"], "handlers": { "json": { "enabled": true, "config": { "verbose": true } } } },
    });
    with_config_on_both_engines(config, test).await
}

/// A rule for everything under `/<name>/`, with these authenticators.
pub(crate) fn rule(name: &str, upstream: &str, authenticators: &Value) -> Value {
    json!({
        "id": name,
        "match": { "url": format!("http://127.0.0.1:<[0-9]+>/{name}/<.*>"), "methods": ["GET", "POST"] },
        "upstream": { "url": upstream },
        "authenticators": authenticators,
        "authorizer": { "handler": "allow" },
        "mutators": [{ "handler": "header" }],
    })
}
