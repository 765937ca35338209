//! A server with all its listeners, and one of every object that a request can refer to.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use acceptance::browser::Browser;
use acceptance::page::query;
use acceptance::suite::{Engine, Suite};
use acceptance::upstream::Upstream;
use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::panics;
use super::routes::Place;
use crate::identity::{PASSWORD, register};
use crate::oauth::{self, Credentials};

pub(crate) const ALICE: &str = "alice@example.org";
const LOGOUT: &str = "http://127.0.0.1:1/logout";

/// A valid id that does not exist.
const UUID: &str = "3f2c1b0a-0000-4000-8000-00000000beef";

pub(crate) struct World {
    pub(crate) suite: Suite,
    pub(crate) client: Credentials,
    pub(crate) session_token: String,
    /// Alice's browser, signed in at identity.
    pub(crate) browser: Browser,
    /// The tokens of a completed code flow: `access_token`, `refresh_token`, `id_token`.
    pub(crate) tokens: Value,
    names: BTreeMap<&'static str, String>,
    _upstream: Upstream,
}

impl World {
    pub(crate) async fn on_sqlite() -> Result<Self> {
        Self::start(Engine::Sqlite, json!({})).await
    }

    /// Runs `test` in a world on SQLite and in one on PostgreSQL.
    pub(crate) async fn on_both_engines(test: impl AsyncFn(&World) -> Result<()>) -> Result<()> {
        for engine in [Engine::Sqlite, Engine::Postgres] {
            let world = Self::start(engine, json!({})).await?;
            test(&world).await.with_context(|| format!("on {engine:?}"))?;
            world.end().await?;
        }
        Ok(())
    }

    /// `more` is merged into the configuration, by section.
    pub(crate) async fn start(engine: Engine, more: Value) -> Result<Self> {
        panics::watch();
        let upstream = Upstream::start().await?;
        let mut config = config(&upstream.url());
        for (section, settings) in more.as_object().into_iter().flatten() {
            for (key, value) in settings.as_object().into_iter().flatten() {
                config[section][key] = value.clone();
            }
        }
        let suite = Suite::start_with(engine, config).await?;
        let mut names = BTreeMap::from([("uuid", UUID.to_owned()), ("garbage", "bm90aGluZw".to_owned())]);
        let (session_token, browser) = people(&suite, &mut names).await?;
        let page = suite.browser().get(suite.identity("/ui/signed-out")).await?.expect_status(StatusCode::OK)?.text();
        let style = page.split_once("/ui/static/").and_then(|(_, rest)| rest.split('"').next());
        names.insert("style", style.context("a style sheet")?.to_owned());
        let client = oauth::register(&suite, oauth::web_client()).await?;
        let spare = oauth::register(&suite, oauth::web_client()).await?;
        names.extend([("client", client.id.clone()), ("spare", spare.id)]);
        let tokens = grants(&suite, &client, &mut names).await?;
        keys(&suite, &mut names).await?;
        relation_tuple(&suite).await?;
        Ok(Self { suite, client, session_token, browser, tokens, names, _upstream: upstream })
    }

    /// Checks that nothing panicked and that the server still works.
    pub(crate) async fn end(self) -> Result<()> {
        let alive = self.suite.api().get(self.suite.identity("/health/ready")).await?;
        alive.expect_status(StatusCode::OK)?;
        self.suite.stop().await;
        panics::none()
    }

    /// Replaces the `{names}` of a path by existing ids.
    pub(crate) fn fill(&self, path: &str) -> String {
        self.names.iter().fold(path.to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value))
    }

    pub(crate) fn name(&self, name: &str) -> &str {
        self.names.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Host and port of a listener.
    pub(crate) fn authority(&self, place: Place) -> Result<String> {
        let url = match place {
            Place::IdentityPublic => self.suite.identity("/"),
            Place::IdentityAdmin => self.suite.identity_admin("/"),
            Place::OauthPublic => self.suite.oauth("/"),
            Place::OauthAdmin => self.suite.oauth_admin("/"),
            Place::PermissionsRead => self.suite.permissions("read", "/"),
            Place::PermissionsWrite => self.suite.permissions("write", "/"),
            Place::PermissionsOpl => self.suite.permissions("opl", "/"),
            Place::GatewayProxy => self.suite.gateway("/"),
            Place::GatewayApi => self.suite.gateway_api("/"),
        };
        let url = url::Url::parse(&url)?;
        Ok(format!("127.0.0.1:{}", url.port().context("a port")?))
    }

    /// A member of the tokens of the completed code flow.
    pub(crate) fn token(&self, member: &str) -> &str {
        self.tokens[member].as_str().unwrap_or_default()
    }
}

fn config(upstream: &str) -> Value {
    let rule = |name: &str, authenticator: &str| {
        json!({
            "id": name,
            "match": { "url": format!("http://<localhost|127.0.0.1>:<[0-9]+>/{name}/<.*>"), "methods": ["GET", "POST"] },
            "upstream": { "url": upstream },
            "authenticators": [{ "handler": authenticator }],
            "authorizer": { "handler": "allow" },
            "mutators": [{ "handler": "noop" }],
        })
    };
    let rules = STANDARD.encode(json!([rule("open", "noop"), rule("guarded", "cookie_session")]).to_string());
    let mut config = crate::identity::config();
    // Keys are read, changed a little, and written back.
    config["admin"] = json!({ "serve_private_keys": true });
    config["oauth"] = oauth::config()["oauth"].clone();
    config["oauth"]["urls"]["logout"] = json!(LOGOUT);
    config["identity"]["selfservice"]["methods"] = json!({
        "code": { "enabled": true, "passwordless_enabled": true },
        "link": { "enabled": true },
    });
    config["permissions"] = json!({ "namespaces": [{ "name": "Doc" }, { "name": "Group" }] });
    config["gateway"] = json!({
        "access_rules": { "repositories": [format!("inline://{rules}")] },
        "authenticators": {
            "cookie_session": {
                "enabled": true,
                "config": { "check_session_url": "kleis://identity/sessions/whoami", "only": ["ory_kratos_session"] },
            },
            "noop": { "enabled": true },
        },
        "authorizers": { "allow": { "enabled": true } },
        "mutators": { "noop": { "enabled": true } },
        "errors": { "fallback": ["json"], "handlers": { "json": { "enabled": true, "config": { "verbose": true } } } },
    });
    config
}

/// Alice with a native session and a browser's session, a flow of each kind, and the mail that was sent to Alice.
async fn people(suite: &Suite, names: &mut BTreeMap<&'static str, String>) -> Result<(String, Browser)> {
    let registered = register(suite, ALICE).await?;
    let text = |value: Value| value.as_str().map(str::to_owned).context("a text");
    let token = text(registered.at("/session_token"))?;
    names.insert("identity", text(registered.at("/identity/id"))?);
    names.insert("session", text(registered.at("/session/id"))?);
    let mut native = suite.api().with_header("x-session-token", &token);
    for kind in ["login", "registration", "recovery", "verification"] {
        let flow = suite.api().get(suite.identity(&format!("/self-service/{kind}/api"))).await?;
        names.insert(kind, text(flow.expect_status(StatusCode::OK)?.at("/id"))?);
    }
    let flow = native.get(suite.identity("/self-service/settings/api")).await?.expect_status(StatusCode::OK)?;
    names.insert("settings", text(flow.at("/id"))?);
    let messages = suite.api().get(suite.identity_admin("/admin/courier/messages")).await?;
    names.insert("message", text(messages.at("/0/id"))?);
    Ok((token, sign_in(suite).await?))
}

/// A browser in which Alice is signed in.
async fn sign_in(suite: &Suite) -> Result<Browser> {
    let mut browser = suite.api();
    let flow = browser.get(suite.identity("/self-service/login/browser")).await?.expect_status(StatusCode::OK)?;
    let action = flow.at("/ui/action").as_str().context("an action")?.to_owned();
    let nodes = flow.at("/ui/nodes");
    let csrf = nodes.as_array().context("nodes")?.iter().find(|node| node["attributes"]["name"] == "csrf_token");
    let csrf = csrf.context("a CSRF token")?["attributes"]["value"].clone();
    let body = json!({ "method": "password", "identifier": ALICE, "password": PASSWORD, "csrf_token": csrf });
    browser.json(Method::POST, action, &body).await?.expect_status(StatusCode::OK)?;
    Ok(browser)
}

/// A completed code flow, and an unanswered challenge of each kind.
async fn grants(suite: &Suite, client: &Credentials, names: &mut BTreeMap<&'static str, String>) -> Result<Value> {
    let mut browser = suite.browser();
    let url = oauth::authorize_url(suite, client, &[])?;
    let callback = oauth::authorize(suite, &mut browser, &url, true).await?;
    names.insert("code", query(&callback, "code").context("a code")?);
    let tokens = oauth::token(suite, client, &oauth::redemption(&callback)?).await?.expect_status(StatusCode::OK)?;
    let tokens = tokens.at("");

    let hint = tokens["id_token"].as_str().unwrap_or_default();
    let page = browser.get(suite.oauth(&format!("/oauth2/sessions/logout?id_token_hint={hint}"))).await?;
    let asked = browser.follow_until(page, LOGOUT).await?;
    names.insert("logout_challenge", query(&asked, "logout_challenge").context("a logout challenge")?);

    let mut stranger = suite.browser();
    let challenge = async |browser: &mut Browser| {
        let page = browser.get(&url).await?;
        let login = browser.follow_until(page, "http://127.0.0.1:1/login").await?;
        query(&login, "login_challenge").context("a login challenge")
    };
    names.insert("login_challenge", challenge(&mut suite.browser()).await?);
    let answered = challenge(&mut stranger).await?;
    let verifier_url = oauth::accept_login(suite, &answered, false).await?;
    let verifier = url::Url::parse(&verifier_url).ok().and_then(|url| query(&url, "login_verifier"));
    names.insert("login_verifier", verifier.context("a login verifier")?);
    let page = stranger.get(verifier_url).await?;
    let consent = stranger.follow_until(page, "http://127.0.0.1:1/consent").await?;
    names.insert("consent_challenge", query(&consent, "consent_challenge").context("a consent challenge")?);
    Ok(tokens)
}

/// A key set for the tests.
async fn keys(suite: &Suite, names: &mut BTreeMap<&'static str, String>) -> Result<()> {
    let body = json!({ "alg": "ES256", "kid": "one", "use": "sig" });
    let made = suite.api().json(Method::POST, suite.oauth_admin("/admin/keys/hostile"), &body).await?;
    made.expect_status(StatusCode::CREATED)?;
    names.extend([("set", "hostile".to_owned()), ("kid", "one".to_owned())]);
    Ok(())
}

/// A relation tuple that exists.
pub(crate) fn granted() -> Value {
    json!({ "namespace": "Doc", "object": "a", "relation": "viewer",
        "subject_set": { "namespace": "Group", "object": "g", "relation": "" } })
}

/// Writes it. The service has it in memory afterwards, so that it answers searches.
async fn relation_tuple(suite: &Suite) -> Result<()> {
    let made = suite.api().json(Method::PUT, suite.permissions("write", "/admin/relation-tuples"), &granted()).await?;
    made.expect_status(StatusCode::CREATED)?;
    let search = json!({
        "subject": { "type": "Group" }, "action": { "name": "viewer" }, "resource": { "type": "Doc", "id": "a" },
    });
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let url = suite.permissions("read", "/access/v1/search/subject");
        let found = suite.api().json(Method::POST, url, &search).await?;
        if found.status == StatusCode::OK {
            return Ok(());
        }
        anyhow::ensure!(Instant::now() < deadline, "the relation tuples are not in memory: {}", found.text());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
