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

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use base::{Context, ManualClock, RequestId, Rng, Sealer, Secret, TenantId, Timestamp};
use contracts::Link;
use database::Database;
use serde_json::{Value, json};
use tower::ServiceExt;
use url::Url;
use uuid::Uuid;

use crate::{Config, OAuth, Parts};

pub(super) const CALLBACK: &str = "https://shop.example/cb";

/// The service with a fixed clock and a seeded random source.
pub(super) struct House {
    pub(super) oauth: Arc<OAuth>,
    pub(super) clock: ManualClock,
    public: Router,
    admin: Router,
}

/// The response.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{} {}", self.status, self.body))
    }

    #[track_caller]
    pub(super) fn location(&self) -> Url {
        let location = self.headers.get(header::LOCATION);
        let location = location.unwrap_or_else(|| panic!("no redirect: {} {}", self.status, self.body));
        Url::parse(location.to_str().unwrap()).unwrap()
    }

    /// A parameter of the redirect URL.
    #[track_caller]
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        parameter(&self.location(), name)
    }
}

pub(super) fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(its, _)| its == name).map(|(_, value)| value.into_owned())
}

impl House {
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

    async fn send(&self, router: &Router, mut request: Request<Body>) -> Answer {
        request.extensions_mut().insert(self.cx());
        let response = router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    pub(super) async fn admin(&self, method: Method, uri: &str, body: Value) -> Answer {
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let request = Request::builder().method(method).uri(uri).header(header::CONTENT_TYPE, "application/json");
        self.send(&self.admin, request.body(body).unwrap()).await
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
        let answer = self.admin(Method::POST, "/admin/clients", client).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        answer.json()
    }

    /// Accepts as the login or consent application; returns the redirect URL.
    pub(super) async fn accept(&self, what: &str, challenge: &str, answer: Value) -> Url {
        let uri = format!("/admin/oauth2/auth/requests/{what}/accept?{what}_challenge={challenge}");
        let answer = self.admin(Method::PUT, &uri, answer).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        Url::parse(answer.json()["redirect_to"].as_str().unwrap()).unwrap()
    }

    /// Rejects as the login or consent application; returns the redirect URL.
    pub(super) async fn reject(&self, what: &str, challenge: &str) -> Url {
        let uri = format!("/admin/oauth2/auth/requests/{what}/reject?{what}_challenge={challenge}");
        let answer = self.admin(Method::PUT, &uri, json!({"error": "no"})).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        Url::parse(answer.json()["redirect_to"].as_str().unwrap()).unwrap()
    }

    /// Reads a challenge as the login or consent application.
    pub(super) async fn look(&self, what: &str, challenge: &str) -> Answer {
        let uri = format!("/admin/oauth2/auth/requests/{what}?{what}_challenge={challenge}");
        self.admin(Method::GET, &uri, Value::Null).await
    }

    /// Starts an authorization and returns its login challenge.
    pub(super) async fn begin(&self, browser: &mut Browser, query: &str) -> String {
        let answer = browser.get(self, &authorize(query)).await;
        assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.body);
        answer.parameter("login_challenge").unwrap_or_else(|| panic!("{}", answer.location()))
    }

    /// Logs in and consents to everything; returns the client's redirect URL with the code.
    pub(super) async fn sign_in(&self, browser: &mut Browser, query: &str, login: Value) -> Url {
        let challenge = self.begin(browser, query).await;
        let back = self.accept("login", &challenge, login).await;
        let answer = browser.get(self, back.as_str()).await;
        let challenge = answer.parameter("consent_challenge").unwrap_or_else(|| panic!("{}", answer.location()));
        let document = self
            .admin(
                Method::GET,
                &format!("/admin/oauth2/auth/requests/consent?consent_challenge={challenge}"),
                Value::Null,
            )
            .await
            .json();
        let consent = json!({
            "grant_scope": document["requested_scope"],
            "grant_access_token_audience": document["requested_access_token_audience"], "remember": true,
        });
        let back = self.accept("consent", &challenge, consent).await;
        browser.get(self, back.as_str()).await.location()
    }

    /// Redeems a code; returns the token endpoint's response.
    pub(super) async fn redeem(&self, callback: &Url) -> Answer {
        let code = parameter(callback, "code").unwrap_or_else(|| panic!("{callback}"));
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", CALLBACK),
                ("client_id", "shop"),
                ("client_secret", "averylongsecret"),
            ])
            .finish();
        Browser::default().post(self, "https://op.example/oauth2/token", form).await
    }
}

pub(super) fn authorize(query: &str) -> String {
    format!("https://op.example/oauth2/auth?{query}")
}

/// A valid request with more parameters.
pub(super) fn request(more: &str) -> String {
    let callback: String = url::form_urlencoded::byte_serialize(CALLBACK.as_bytes()).collect();
    format!("client_id=shop&response_type=code&redirect_uri={callback}&state=some-state&scope=openid+photos.read{more}")
}

/// A browser with a cookie store.
#[derive(Default)]
pub(super) struct Browser {
    pub(super) cookies: BTreeMap<String, String>,
}

impl Browser {
    pub(super) async fn get(&mut self, house: &House, url: &str) -> Answer {
        self.send(house, Request::get(path(url)), String::new()).await
    }

    pub(super) async fn post(&mut self, house: &House, url: &str, form: String) -> Answer {
        let request = Request::post(path(url)).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(house, request, form).await
    }

    async fn send(&mut self, house: &House, request: axum::http::request::Builder, body: String) -> Answer {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = if cookies.is_empty() { request } else { request.header(header::COOKIE, cookies.join("; ")) };
        let answer = house.send(&house.public, request.body(Body::from(body)).unwrap()).await;
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            assert!(
                cookie.contains("HttpOnly") && cookie.contains("Secure") && cookie.contains("SameSite=None"),
                "{cookie}"
            );
            self.keep(cookie);
        }
        answer
    }
}

impl Browser {
    fn keep(&mut self, cookie: &str) {
        let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
        if cookie.contains("Max-Age=0;") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

fn path(url: &str) -> String {
    let url = Url::parse(url).unwrap();
    assert_eq!(url.origin().ascii_serialization(), "https://op.example", "{url}");
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}
