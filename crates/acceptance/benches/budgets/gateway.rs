//! The proxy with a session check and a header, compared with the same proxy without a check.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::load::Shot;
use crate::program::Program;
use crate::report::Report;
use crate::{CONNECTIONS, in_turns};

/// Rules for the same application, each for the paths below its name: `/checked/`, `/open/`, and those in `more` with their
/// authenticator and mutator.
pub(crate) fn rules(upstream: &str, more: &[(&str, &str, &str)]) -> Value {
    let rule = |(name, authenticator, mutator): &(&str, &str, &str)| {
        json!({
            "id": name,
            "match": { "url": format!("http://<localhost|127.0.0.1>:<[0-9]+>/{name}/<.*>"), "methods": ["GET"] },
            "upstream": { "url": upstream },
            "authenticators": [{ "handler": authenticator }],
            "authorizer": { "handler": "allow" },
            "mutators": [{ "handler": mutator }],
        })
    };
    let rules = [("checked", "cookie_session", "header"), ("open", "noop", "noop")];
    let rules: Value = rules.iter().chain(more).map(rule).collect();
    json!({ "repositories": [format!("inline://{}", STANDARD.encode(rules.to_string()))] })
}

pub(crate) fn config(upstream: &str) -> Value {
    let session = json!({
        "check_session_url": "kleis://identity/sessions/whoami",
        "subject_from": "identity.id",
    });
    json!({
        "access_rules": rules(upstream, &[]),
        "authenticators": { "noop": { "enabled": true }, "cookie_session": { "enabled": true, "config": session } },
        "authorizers": { "allow": { "enabled": true } },
        "mutators": {
            "noop": { "enabled": true },
            "header": { "enabled": true, "config": { "headers": { "X-User-Id": "{{ print .Subject }}" } } },
        },
    })
}

pub(crate) async fn measure(program: &Program, cookie: Option<&str>, report: &mut Report) -> Result<()> {
    let cookie = cookie.context("there is no session to check")?;
    let gateway = program.ports.gateway;
    let checked = Shot::get(gateway, "/checked/x").with_header("cookie", cookie)?;
    let open = Shot::get(gateway, "/open/x").with_header("cookie", cookie)?;
    let (rate, limit) = in_turns(&checked, &open, CONNECTIONS).await?;
    report.ratio("gateway with session header", rate, "the same proxy, unchecked", limit, 0.7);
    Ok(())
}
