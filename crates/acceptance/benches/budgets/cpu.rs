//! The CPU time of the server per request, compared with its empty handler. Unlike a rate it does not depend on the share of
//! the machine that the load generator and other programs use.

use std::path::Path;

use acceptance::browser::Browser;
use acceptance::upstream::Upstream;
use anyhow::{Context as _, Result};
use base::Clock;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::load::{Shot, fire};
use crate::program::{Ports, Program};
use crate::report::Report;
use crate::{CONNECTIONS, SLICE, SLICES, gateway, identity, median};

pub(crate) async fn measure(binary: &Path, report: &mut Report) -> Result<()> {
    let upstream = Upstream::start().await?;
    let program = Program::start_knowing_ports(binary, |ports| config(&upstream.url(), ports)).await?;
    let ports = program.ports;
    let cookie = identity::create_and_sign_in(&program).await?;
    let token = identity::sign_in(&program).await?;
    let basic = client(&program, "opaque").await?;
    let signed = client(&program, "jwt").await?;
    let opaque_token = access_token(&program, &basic).await?;
    let jwt = access_token(&program, &signed).await?;
    let grant = [("grant_type", "client_credentials"), ("scope", "read")];
    let rows = [
        ("whoami", Shot::get(ports.identity, "/sessions/whoami").with_header("x-session-token", &token)?, Some(1.7)),
        (
            "introspection",
            Shot::form(ports.oauth_admin, "/admin/oauth2/introspect", &[("token", &opaque_token)]),
            Some(1.7),
        ),
        (
            "client credentials",
            Shot::form(ports.oauth, "/oauth2/token", &grant).with_header("authorization", &basic)?,
            Some(2.0),
        ),
        ("password sign-in begins", Shot::get(ports.identity, "/self-service/login/api"), None),
        ("gateway, open", Shot::get(ports.gateway, "/open/x"), None),
        ("gateway with session", Shot::get(ports.gateway, "/checked/x").with_header("cookie", &cookie)?, None),
        (
            "gateway with JWT",
            Shot::get(ports.gateway, "/signed/x").with_header("authorization", &format!("Bearer {jwt}"))?,
            None,
        ),
        ("admin list of 250 identities", Shot::get(ports.identity_admin, "/admin/identities?page_size=250"), None),
        ("admin list of 250 sessions", Shot::get(ports.identity_admin, "/admin/sessions?page_size=250"), None),
        ("admin list of 250 clients", Shot::get(ports.oauth_admin, "/admin/clients?page_size=250"), None),
    ];
    fill_lists(&program).await?;
    let empty = Shot::get(ports.identity, "/health/alive");
    for (what, shot, budget) in rows {
        let (mut costs, mut limits) = (Vec::new(), Vec::new());
        fire(&shot, CONNECTIONS, SLICE / 2).await.with_context(|| what.to_owned())?;
        for _ in 0..SLICES {
            costs.push(microseconds(&program, &shot).await?);
            limits.push(microseconds(&program, &empty).await?);
        }
        let (cost, limit) = (median(&mut costs), median(&mut limits));
        report.cost(&format!("processor time, {what}"), cost, "empty handler", limit, budget);
    }
    Ok(())
}

/// The CPU time of one request.
async fn microseconds(program: &Program, shot: &Shot) -> Result<f64> {
    let before = program.processor_time()?;
    let outcome = fire(shot, CONNECTIONS, SLICE).await?;
    let spent = program.processor_time()?.saturating_sub(before);
    Ok(spent.as_secs_f64() * 1e6 / outcome.count())
}

/// A third rule in addition to those of the gateway's own measurement: `/signed/` accepts access tokens that are JWTs.
fn config(upstream: &str, ports: &Ports) -> Value {
    let mut config = crate::config(upstream);
    let jwks = format!("http://{}/.well-known/jwks.json", ports.oauth);
    let settings = json!({ "jwks_urls": [jwks], "allowed_algorithms": ["RS256", "ES256"] });
    config["gateway"]["authenticators"]["jwt"] = json!({ "enabled": true, "config": settings });
    config["gateway"]["access_rules"] = gateway::rules(upstream, &[("signed", "jwt", "header")]);
    config["oauth"] = json!({ "oauth2": { "keys": { "algorithm": "ES256" } } });
    config
}

/// Registers a client, and returns its `Authorization` header.
async fn client(program: &Program, strategy: &str) -> Result<String> {
    let url = format!("http://{}/admin/clients", program.ports.oauth_admin);
    let client = json!({
        "grant_types": ["client_credentials"], "scope": "read", "access_token_strategy": strategy,
    });
    let client = Browser::api(Clock::system()).json(Method::POST, url, &client).await?;
    let client = client.expect_status(StatusCode::CREATED)?;
    let text = |name: &str| client.at(name).as_str().unwrap_or_default().to_owned();
    Ok(format!("Basic {}", STANDARD.encode(format!("{}:{}", text("/client_id"), text("/client_secret")))))
}

async fn access_token(program: &Program, basic: &str) -> Result<String> {
    let fields = [("grant_type", "client_credentials"), ("scope", "read")];
    let mut api = Browser::api(Clock::system()).with_header("authorization", basic);
    let answer = api.post(format!("http://{}/oauth2/token", program.ports.oauth), &fields).await?;
    answer.expect_status(StatusCode::OK)?.at("/access_token").as_str().map(str::to_owned).context("a token")
}

/// Enough rows for a page of each list.
async fn fill_lists(program: &Program) -> Result<()> {
    const ROWS: u32 = 250;
    let dsn = database::Dsn::sqlite(program.folder().join("kleis-data/kleis.db"));
    let database = database::Database::open(&dsn).await?;
    crate::population::write_identities(&database, 0..ROWS).await?;
    crate::population::write_sessions(&database, 0..ROWS).await?;
    for _ in 0..ROWS {
        client(program, "opaque").await?;
    }
    Ok(())
}
