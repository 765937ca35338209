//! Tokens and introspection.

use std::time::Instant;

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
use crate::{CONNECTIONS, SLICE, in_turns};

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

/// Tokens that are signed with ES256. The limit is a server that only answers and signs: the sum of the two times.
pub(crate) async fn measure_signed(program: &Program, report: &mut Report) -> Result<()> {
    let (public, admin) = (program.ports.oauth, program.ports.oauth_admin);
    let mut api = Browser::api(Clock::system());
    let client = json!({ "grant_types": ["client_credentials"], "scope": "read", "access_token_strategy": "jwt" });
    let client = api.json(Method::POST, format!("http://{admin}/admin/clients"), &client).await?;
    let client = client.expect_status(StatusCode::CREATED)?;
    let text = |name: &str| client.at(name).as_str().unwrap_or_default().to_owned();
    let basic = format!("Basic {}", STANDARD.encode(format!("{}:{}", text("/client_id"), text("/client_secret"))));
    let fields = [("grant_type", "client_credentials"), ("scope", "read")];
    let answer =
        api.with_header("authorization", &basic).post(format!("http://{public}/oauth2/token"), &fields).await?;
    let token = answer.at("/access_token").as_str().context("a token")?.to_owned();
    anyhow::ensure!(jose::Jws::parse(&token)?.unverified_header().alg == "ES256", "not signed with ES256");
    let shot = Shot::form(public, "/oauth2/token", &fields).with_header("authorization", &basic)?;
    let empty = Shot::get(public, "/health/alive");
    let (rate, answers) = in_turns(&shot, &empty, CONNECTIONS).await?;
    let signatures = signatures_per_second(&token)?;
    let limit = 1.0 / (1.0 / answers + 1.0 / signatures);
    report.ratio("client-credentials token, ES256", rate, "empty handler and a signature", limit, 0.5);
    Ok(())
}

/// Signs the same claims on as many threads as there are cores.
fn signatures_per_second(token: &str) -> Result<f64> {
    let claims: serde_json::Value = jose::Jws::parse(token)?.unverified_claims().context("claims")?;
    let key = jose::SigningKey::new(&jose::Jwk::generate(jose::Algorithm::ES256, "bench".to_owned())?)?;
    let started = Instant::now();
    let cores = std::thread::available_parallelism()?.get();
    let counts = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores)
            .map(|_| {
                scope.spawn(|| {
                    let mut count = 0.0;
                    while started.elapsed() < SLICE {
                        if key.sign(&claims).is_ok() {
                            count += 1.0;
                        }
                    }
                    count
                })
            })
            .collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).sum::<f64>()
    });
    Ok(counts / started.elapsed().as_secs_f64())
}
