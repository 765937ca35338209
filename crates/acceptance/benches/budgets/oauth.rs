//! Tokens and introspection.

use acceptance::browser::Browser;
use anyhow::{Context as _, Result};
use base::Clock;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use serde_json::json;

use crate::load::Shot;
use crate::program::Program;
use crate::report::Report;
use crate::{CONNECTIONS, in_turns};

pub(crate) async fn measure(program: &Program, report: &mut Report) -> Result<()> {
    let (public, admin) = (program.ports.oauth, program.ports.oauth_admin);
    let mut api = Browser::api(Clock::system());
    let client = json!({ "grant_types": ["client_credentials"], "scope": "read" });
    let client = api.json(Method::POST, format!("http://{admin}/admin/clients"), &client).await?;
    let client = client.expect_status(StatusCode::CREATED)?;
    let part =
        |name: &str| anyhow::Ok(client.at(name).as_str().context("a client has a name and a secret")?.to_owned());
    let basic = STANDARD.encode(format!("{}:{}", part("/client_id")?, part("/client_secret")?));
    let basic = format!("Basic {basic}");

    let fields = [("grant_type", "client_credentials"), ("scope", "read")];
    let token = Shot::form(public, "/oauth2/token", &fields).with_header("authorization", &basic)?;
    let empty = Shot::get(public, "/health/alive");
    let (rate, limit) = in_turns(&token, &empty, CONNECTIONS).await?;
    report.ratio("client-credentials token, opaque", rate, "empty handler", limit, 0.5);

    let answer =
        api.with_header("authorization", &basic).post(format!("http://{public}/oauth2/token"), &fields).await?;
    let access = answer.at("/access_token").as_str().context("a token")?.to_owned();
    let introspection = Shot::form(admin, "/admin/oauth2/introspect", &[("token", &access)]);
    let empty = Shot::get(admin, "/health/alive");
    let (rate, limit) = in_turns(&introspection, &empty, CONNECTIONS).await?;
    report.ratio("introspection, opaque", rate, "empty handler", limit, 0.6);
    Ok(())
}
