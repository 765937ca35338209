//! The flow from a request to a code through the router, as seen by browsers, login applications and operators.

mod clients;
mod code_flow;
mod events;
mod front_channel;
mod guarantees;
mod logout;
mod official_models;
mod one_time;
mod pages;
mod sessions;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{Method, StatusCode, header};
use base::{Context, ManualClock, RequestId, Rng, Sealer, Secret, TenantId, Timestamp};
use contracts::Link;
use database::Database;
use serde_json::{Value, json};
use test_client::{Client, FORM, Kind, Reply, parameter};
use url::Url;
use uuid::Uuid;

use crate::{Config, OAuth, Parts};

const ISSUER: &str = "https://op.example";

pub(super) const CALLBACK: &str = "https://shop.example/cb";

/// The service with a fixed clock and a seeded random source.
pub(super) struct TestServer {
    pub(super) oauth: Arc<OAuth>,
    pub(super) clock: ManualClock,
    public: Router,
    admin: Router,
}

impl TestServer {
    /// The service with the operator's login, consent and logout applications.
    pub(super) fn with_applications(database: Database) -> Self {
        Self::new(database, Self::applications())
    }

    pub(super) fn applications() -> Value {
        json!({"urls": {
            "self": {"issuer": "https://op.example/"},
            "login": "https://ui.example/login?x=1", "consent": "https://ui.example/consent",
            "logout": "https://ui.example/logout", "post_logout_redirect": "https://ui.example/bye",
        }})
    }

    /// The service with the built-in pages; only the login page is external.
    pub(super) fn with_own_pages(database: Database) -> Self {
        Self::new(
            database,
            json!({"urls": {"self": {"issuer": "https://op.example/"}, "login": "https://id.example/login"}}),
        )
    }

    pub(super) fn new(database: Database, config: Value) -> Self {
        Self::seeded(database, config, 7)
    }

    /// Services on one database need different seeds.
    pub(super) fn seeded(database: Database, config: Value, seed: u64) -> Self {
        let clock = ManualClock::starting_at("2026-11-22T10:00:00Z".parse::<Timestamp>().unwrap());
        let rng = Rng::seeded(seed);
        let config: Config = serde_json::from_value(config).unwrap();
        let sealer = Sealer::new(&[Secret::new("a secret for the tests of oauth".to_owned())], rng.clone()).unwrap();
        let oauth = OAuth::new(Parts {
            config,
            database,
            clock: clock.clock(),
            rng,
            sealer,
            http: web::outbound::Client::new(web::outbound::Destinations::Any, &base::TrustStore::bundled()),
            sessions: Link::unset(),
            ui: ui::Ui::new(ui::Config::default()).unwrap(),
        })
        .unwrap();
        Self { public: oauth.public_router(), admin: oauth.admin_router(), oauth, clock }
    }

    pub(super) fn cx(&self) -> Context {
        Context::for_background(self.clock.clock().now(), TenantId::DEFAULT, RequestId(Uuid::nil()))
    }

    pub(super) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// A new browser. Every cookie must work in a redirect from another site, and only over HTTPS.
    pub(super) fn browser(&self) -> Client {
        Client::new(Kind::Browser, &self.public, ISSUER, &self.clock.clock()).checking_cookies(|cookie| {
            assert!(cookie.http_only() == Some(true) && cookie.secure() == Some(true), "{cookie}");
            assert!(cookie.same_site().is_some_and(|it| it.is_none()), "{cookie}");
        })
    }

    /// A program that calls the public API.
    pub(super) fn program(&self) -> Client {
        Client::new(Kind::Native, &self.public, ISSUER, &self.clock.clock())
    }

    /// A program that calls the admin API.
    pub(super) fn operator(&self) -> Client {
        Client::new(Kind::Native, &self.admin, ISSUER, &self.clock.clock())
    }

    pub(super) async fn admin(&self, method: Method, path: &str, body: Value) -> Reply {
        self.operator().json(method, path, &body).await
    }

    /// Registers a client with everything that the tests use.
    pub(super) async fn client(&self, changes: Value) -> Value {
        let mut client = json!({
            "client_id": "shop", "client_name": "The Shop", "client_secret": "averylongsecret",
            "redirect_uris": [CALLBACK], "post_logout_redirect_uris": ["https://shop.example/bye"],
            "grant_types": ["authorization_code", "refresh_token"], "scope": "openid offline_access photos.*",
            "audience": ["https://api.example"], "token_endpoint_auth_method": "client_secret_post",
        });
        for (name, value) in changes.as_object().unwrap() {
            client[name] = value.clone();
        }
        self.admin(Method::POST, "/admin/clients", client).await.expect(201).json
    }

    /// Accepts as the login or consent application; returns the redirect URL.
    pub(super) async fn accept(&self, what: &str, challenge: &str, answer: Value) -> Url {
        self.decide(what, challenge, "accept", answer).await
    }

    /// Rejects as the login or consent application; returns the redirect URL.
    pub(super) async fn reject(&self, what: &str, challenge: &str) -> Url {
        self.decide(what, challenge, "reject", json!({"error": "no"})).await
    }

    async fn decide(&self, what: &str, challenge: &str, decision: &str, answer: Value) -> Url {
        let uri = format!("/admin/oauth2/auth/requests/{what}/{decision}?{what}_challenge={challenge}");
        self.admin(Method::PUT, &uri, answer).await.expect(200).string("/redirect_to").parse().unwrap()
    }

    /// Accepts, and returns the answer to the browser at the redirect URL.
    pub(super) async fn pass(&self, browser: &mut Client, what: &str, challenge: &str, answer: Value) -> Reply {
        let back = self.accept(what, challenge, answer).await;
        browser.get(back.as_str()).await
    }

    /// Accepts the login; returns the consent challenge.
    pub(super) async fn log_in(&self, browser: &mut Client, challenge: &str, login: Value) -> String {
        let answer = self.pass(browser, "login", challenge, login).await;
        answer.parameter("consent_challenge").unwrap_or_else(|| panic!("{answer}"))
    }

    /// Reads a challenge as the login or consent application.
    pub(super) async fn look(&self, what: &str, challenge: &str) -> Reply {
        let uri = format!("/admin/oauth2/auth/requests/{what}?{what}_challenge={challenge}");
        self.admin(Method::GET, &uri, Value::Null).await
    }

    /// Starts an authorization and returns its login challenge.
    pub(super) async fn begin(&self, browser: &mut Client, query: &str) -> String {
        let answer = browser.get(&authorize(query)).await.expect(302);
        answer.parameter("login_challenge").unwrap_or_else(|| panic!("{answer}"))
    }

    /// Logs in and consents to everything; returns the client's redirect URL with the code.
    pub(super) async fn sign_in(&self, browser: &mut Client, query: &str, login: Value) -> Url {
        let challenge = self.begin(browser, query).await;
        let challenge = self.log_in(browser, &challenge, login).await;
        let document = self.look("consent", &challenge).await.json;
        let consent = json!({
            "grant_scope": document["requested_scope"],
            "grant_access_token_audience": document["requested_access_token_audience"], "remember": true,
        });
        self.pass(browser, "consent", &challenge, consent).await.redirect()
    }

    /// Redeems a code; returns the token endpoint's response.
    pub(super) async fn redeem(&self, callback: &Url) -> Reply {
        let code = parameter(callback, "code").unwrap_or_else(|| panic!("{callback}"));
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", CALLBACK),
            ("client_id", "shop"),
            ("client_secret", "averylongsecret"),
        ];
        self.program().post_form("/oauth2/token", &fields).await
    }
}

pub(super) fn authorize(query: &str) -> String {
    format!("{ISSUER}/oauth2/auth?{query}")
}

/// A valid request with more parameters.
pub(super) fn request(more: &str) -> String {
    let callback: String = url::form_urlencoded::byte_serialize(CALLBACK.as_bytes()).collect();
    format!("client_id=shop&response_type=code&redirect_uri={callback}&state=some-state&scope=openid+photos.read{more}")
}

async fn is_active(server: &TestServer, token: &Value) -> bool {
    super::token::is_active(server, token.as_str().unwrap()).await
}
