//! Sessions and passwords. Returns a browser's session cookie, for the gateway.

use std::time::{Duration, Instant};

use acceptance::browser::Browser;
use anyhow::{Context as _, Result};
use base::Clock;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::load::Shot;
use crate::program::Program;
use crate::report::Report;
use crate::{CONNECTIONS, in_turns};

const EMAIL: &str = "bench@example.org";
const PASSWORD: &str = "correct horse battery staple";

/// Long enough for several dozen slow hashes.
const WHILE: Duration = Duration::from_secs(6);

pub(crate) async fn measure(program: &Program, report: &mut Report) -> Result<String> {
    let public = program.ports.identity;
    let cookie = create_and_sign_in(program).await?;
    let token = sign_in(program).await?;

    let whoami = Shot::get(public, "/sessions/whoami").with_header("x-session-token", &token)?;
    let empty = Shot::get(public, "/health/alive");
    let (rate, limit) = in_turns(&whoami, &empty, CONNECTIONS).await?;
    report.ratio("whoami", rate, "empty handler", limit, 0.6);

    let hashes = hashes_per_second(program).await?;
    let sign_ins = sign_ins_per_second(program).await?;
    report.ratio("password sign-in", sign_ins, "bare hash", hashes, 0.9);
    Ok(cookie)
}

/// Creates the person of these measurements, and returns the `Cookie` header of a browser that signed in.
pub(crate) async fn create_and_sign_in(program: &Program) -> Result<String> {
    let admin = format!("http://{}/admin/identities", program.ports.identity_admin);
    let body = json!({
        "schema_id": "default",
        "traits": { "email": EMAIL },
        "credentials": { "password": { "config": { "password": PASSWORD } } },
    });
    let created = Browser::api(Clock::system()).json(Method::POST, &admin, &body).await?;
    created.expect_status(StatusCode::CREATED)?;
    session_cookie(program).await
}

/// Signs in as a single-page application, and returns its `Cookie` header.
async fn session_cookie(program: &Program) -> Result<String> {
    let mut app = Browser::api(Clock::system());
    let start = format!("http://{}/self-service/login/browser", program.ports.identity);
    let flow = app.get(&start).await?.expect_status(StatusCode::OK)?;
    let action = flow.at("/ui/action").as_str().context("a flow has an action")?.to_owned();
    let nodes = flow.at("/ui/nodes");
    let csrf = nodes.as_array().context("nodes")?.iter().find(|node| node["attributes"]["name"] == "csrf_token");
    let csrf = csrf.context("a CSRF token")?["attributes"]["value"].clone();
    let body = json!({ "method": "password", "identifier": EMAIL, "password": PASSWORD, "csrf_token": csrf });
    app.json(Method::POST, action, &body).await?.expect_status(StatusCode::OK)?;
    app.cookies.header(&url::Url::parse(&start)?).context("a session cookie")
}

/// Signs in as a native application, and returns the session token.
pub(crate) async fn sign_in(program: &Program) -> Result<String> {
    let mut api = Browser::api(Clock::system());
    let flow = api.get(format!("http://{}/self-service/login/api", program.ports.identity)).await?;
    let action = flow.at("/ui/action").as_str().context("a flow has an action")?.to_owned();
    let body = json!({ "method": "password", "identifier": EMAIL, "password": PASSWORD });
    let done = api.json(Method::POST, action, &body).await?.expect_status(StatusCode::OK)?;
    done.at("/session_token").as_str().map(str::to_owned).context("a login has a token")
}

async fn sign_ins_per_second(program: &Program) -> Result<f64> {
    let started = Instant::now();
    let mut count = 0.0;
    while started.elapsed() < WHILE {
        // One round after the other, so that the hashing pool is busy and its queue is short.
        let (one, two, three, four) =
            tokio::join!(sign_in(program), sign_in(program), sign_in(program), sign_in(program));
        for token in [one, two, three, four] {
            token?;
            count += 1.0;
        }
    }
    Ok(count / started.elapsed().as_secs_f64())
}

/// Hashes with the parameters that the server stored the password with, on as many threads as there are cores.
async fn hashes_per_second(program: &Program) -> Result<f64> {
    let url = format!("http://{}/admin/identities?include_credential=password", program.ports.identity_admin);
    let listed: Value = Browser::api(Clock::system()).get(url).await?.expect_status(StatusCode::OK)?.at("/0");
    let hash = listed["credentials"]["password"]["config"]["hashed_password"].as_str();
    let hash = hash.context("the admin API does not show the parameters of the hash")?.to_owned();
    let cores = std::thread::available_parallelism()?.get();
    let started = Instant::now();
    let mut threads = JoinSet::new();
    for _ in 0..cores {
        let hash = hash.clone();
        threads.spawn_blocking(move || {
            let mut count = 0.0;
            while started.elapsed() < WHILE {
                verify(&hash)?;
                count += 1.0;
            }
            anyhow::Ok(count)
        });
    }
    let mut total = 0.0;
    while let Some(count) = threads.join_next().await {
        total += count??;
    }
    Ok(total / started.elapsed().as_secs_f64())
}

fn verify(hash: &str) -> Result<()> {
    if hash.starts_with("$2") {
        bcrypt::verify(PASSWORD, hash)?;
        return Ok(());
    }
    anyhow::bail!("no bare measurement for this hash format")
}
