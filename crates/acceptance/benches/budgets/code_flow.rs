//! The cost of a login by the authorization code flow in statements and write transactions, counted by the program itself.

use acceptance::browser::Browser;
use acceptance::page::query;
use anyhow::{Context as _, Result};
use base::Clock;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::program::Program;
use crate::report::Report;

const CALLBACK: &str = "http://127.0.0.1:1/callback";
/// The URL of a login and consent application, whose work is done through the admin API.
const LOGIN: &str = "http://127.0.0.1:1/login";
const CONSENT: &str = "http://127.0.0.1:1/consent";
const VERIFIER: &str = "a-code-verifier-that-is-long-enough-0123456789";

/// The number of logins that are counted together, so that background statements have little weight.
const LOGINS: u32 = 20;

pub(crate) fn config() -> Value {
    json!({ "oauth": { "urls": { "login": LOGIN, "consent": CONSENT } } })
}

pub(crate) async fn measure(program: &Program, report: &mut Report) -> Result<()> {
    let admin = program.ports.oauth_admin;
    let client = client(program).await?;
    // The first login fills the caches.
    log_in(program, &client).await?;
    let statements = program.metric(admin, "sql_statements_total").await?;
    let transactions = program.metric(admin, "sql_write_transactions_total").await?;
    for _ in 0..LOGINS {
        log_in(program, &client).await?;
    }
    let each = |after: f64, before: f64| ((after - before) / f64::from(LOGINS)).round();
    let statements = each(program.metric(admin, "sql_statements_total").await?, statements);
    let transactions = each(program.metric(admin, "sql_write_transactions_total").await?, transactions);
    report.at_most("code-flow login, own login application", statements, "statements", 8.0);
    report.at_most("code-flow login, own login application", transactions, "write transactions", 3.0);
    Ok(())
}

/// Registers a client that logs people in.
pub(crate) async fn client(program: &Program) -> Result<Value> {
    let client = json!({
        "redirect_uris": [CALLBACK], "scope": "openid offline_access",
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
    });
    let url = format!("http://{}/admin/clients", program.ports.oauth_admin);
    let created = Browser::api(Clock::system()).json(Method::POST, url, &client).await?;
    Ok(created.expect_status(StatusCode::CREATED)?.at(""))
}

/// A login with its consent and the redemption of its code; returns the answer of the token endpoint.
pub(crate) async fn log_in(program: &Program, client: &Value) -> Result<Value> {
    let (public, admin) = (program.ports.oauth, program.ports.oauth_admin);
    let id = client["client_id"].as_str().context("a client has an id")?;
    let secret = client["client_secret"].as_str().context("a client has a secret")?;
    let mut url = Url::parse(&format!("http://{public}/oauth2/auth"))?;
    url.query_pairs_mut()
        .append_pair("client_id", id)
        .append_pair("response_type", "code")
        .append_pair("redirect_uri", CALLBACK)
        .append_pair("scope", "openid offline_access")
        .append_pair("state", "a-state-of-the-bench")
        .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER)))
        .append_pair("code_challenge_method", "S256");
    let mut browser = Browser::new(Clock::system());
    let mut api = Browser::api(Clock::system());
    let page = browser.get(&url).await?;
    let login = browser.follow_until(page, LOGIN).await?;
    let next = accept(&mut api, program, "login", &login, |_| json!({ "subject": "alice" })).await?;
    let page = browser.get(next).await?;
    let consent = browser.follow_until(page, CONSENT).await?;
    let grant = |request: &Value| json!({ "grant_scope": request["requested_scope"] });
    let next = accept(&mut api, program, "consent", &consent, grant).await?;
    let page = browser.get(next).await?;
    let callback = browser.follow_until(page, CALLBACK).await?;
    let code = query(&callback, "code").with_context(|| format!("no code in {callback}; admin {admin}"))?;
    let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let answer =
        api.with_header("authorization", &basic).post(format!("http://{public}/oauth2/token"), &fields).await?;
    Ok(answer.expect_status(StatusCode::OK)?.at(""))
}

/// The work of a login or consent application: it reads the request and accepts it.
async fn accept(
    api: &mut Browser,
    program: &Program,
    what: &str,
    page: &Url,
    answer: impl Fn(&Value) -> Value,
) -> Result<String> {
    let challenge = query(page, &format!("{what}_challenge")).context("a challenge")?;
    let base = format!("http://{}/admin/oauth2/auth/requests/{what}", program.ports.oauth_admin);
    let parameter = Url::parse_with_params(&base, [(format!("{what}_challenge"), &challenge)])?;
    let request = api.get(parameter.clone()).await?.expect_status(StatusCode::OK)?.at("");
    let mut url = parameter;
    url.set_path(&format!("{}/accept", url.path()));
    let accepted = api.json(Method::PUT, url, &answer(&request)).await?.expect_status(StatusCode::OK)?;
    accepted.at("/redirect_to").as_str().map(str::to_owned).context("a redirect_to URL")
}
