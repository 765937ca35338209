//! More valid sign-ins at a time than can be hashed: a sign-in that could not be checked must not count as an attempt, so that
//! later ones are not refused.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::json;
use tokio::task::JoinSet;

use acceptance::browser::Browser;
use base::Clock;
use http::{Method, StatusCode};

use crate::program::Program;
use crate::report::Report;

const AT_A_TIME: usize = 128;
const WHILE: Duration = Duration::from_secs(8);
const AFTERWARDS: usize = 20;
const PASSWORD: &str = "correct horse battery staple";

/// The answers to sign-ins.
#[derive(Clone, Copy, Debug, Default)]
struct Answers {
    signed_in: u32,
    overloaded: u32,
    limited: u32,
    other: u32,
}

impl Answers {
    fn count(&mut self, status: StatusCode) {
        *match status {
            StatusCode::OK => &mut self.signed_in,
            StatusCode::SERVICE_UNAVAILABLE => &mut self.overloaded,
            StatusCode::TOO_MANY_REQUESTS => &mut self.limited,
            _ => &mut self.other,
        } += 1;
    }

    fn absorb(&mut self, other: Self) {
        self.signed_in += other.signed_in;
        self.overloaded += other.overloaded;
        self.limited += other.limited;
        self.other += other.other;
    }

    fn text(self) -> String {
        let Self { signed_in, overloaded, limited, other } = self;
        format!("{signed_in} signed in, {overloaded} x 503, {limited} x 429, {other} others")
    }
}

pub(crate) async fn measure(binary: &Path, report: &mut Report) -> Result<()> {
    let config = json!({
        "log": { "level": "error" },
        "identity": { "selfservice": { "methods": { "password": { "config": { "haveibeenpwned_enabled": false } } } } },
    });
    let program = Program::start(binary, config).await?;
    // Hashed once, with the parameters of the server.
    let hash = bcrypt::hash(PASSWORD, 12)?;
    for person in 0..AT_A_TIME {
        create(&program, person, &hash).await?;
    }
    let end = Instant::now() + WHILE;
    let mut people = JoinSet::new();
    for person in 0..AT_A_TIME {
        let address = program.ports.identity;
        people.spawn(async move {
            let mut answers = Answers::default();
            while Instant::now() < end {
                answers.count(sign_in(address, person).await?);
            }
            anyhow::Ok(answers)
        });
    }
    let mut meanwhile = Answers::default();
    while let Some(answers) = people.join_next().await {
        meanwhile.absorb(answers??);
    }
    // The time until the queue is empty.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut afterwards = Answers::default();
    for person in 0..AFTERWARDS {
        afterwards.count(sign_in(program.ports.identity, person).await?);
    }
    report.figure("128 valid sign-ins at a time, for 8 s", &meanwhile.text());
    let refused = afterwards.overloaded + afterwards.limited + afterwards.other;
    eprintln!("    afterwards: {}", afterwards.text());
    report.at_most("valid sign-ins refused during it by a limit", f64::from(meanwhile.limited), "of all", 0.0);
    report.at_most("valid sign-ins refused after it", f64::from(refused), "of 20", 0.0);
    Ok(())
}

fn email(person: usize) -> String {
    format!("honest{person}@example.org")
}

async fn create(program: &Program, person: usize, hash: &str) -> Result<()> {
    let body = json!({
        "schema_id": "default",
        "traits": { "email": email(person) },
        "credentials": { "password": { "config": { "hashed_password": hash } } },
    });
    let url = format!("http://{}/admin/identities", program.ports.identity_admin);
    Browser::api(Clock::system()).json(Method::POST, url, &body).await?.expect_status(StatusCode::CREATED)?;
    Ok(())
}

/// Signs in as a native application; returns the status of the first refusal, or of the last answer.
async fn sign_in(address: std::net::SocketAddr, person: usize) -> Result<StatusCode> {
    let mut api = Browser::api(Clock::system());
    let flow = api.get(format!("http://{address}/self-service/login/api")).await?;
    if flow.status != StatusCode::OK {
        return Ok(flow.status);
    }
    let action = flow.at("/ui/action").as_str().context("a flow has an action")?.to_owned();
    let body = json!({ "method": "password", "identifier": email(person), "password": PASSWORD });
    Ok(api.json(Method::POST, action, &body).await?.status)
}
