//! Tests of the self-service contract over the router: one server per test, on both engines, with a fixed clock, and clients
//! of the three kinds.

mod attempts;
mod concurrency;
mod confirmation;
mod forms;
mod link;
mod login;
mod lookup_secret;
mod messages;
mod oauth2;
mod recovery;
mod registration;
mod revocation;
mod sessions;
mod settings;
mod stolen_password;
mod submissions;
mod totp;
mod unstored;
mod verification;

use std::sync::Arc;

use std::collections::BTreeMap;
use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use base::{Context, Locale, ManualClock, Page, PageRequest, RequestId, Rng, Sealer, Secret, TenantId, Timestamp};
use contracts::{Link, LoginRequests, SubjectObserver};
use database::Database;
use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use web::outbound::{Client as Outbound, Destinations};

use crate::domain::code::CodePurpose;
use crate::domain::flow::FlowId;
use crate::domain::message_queue::Message;
use crate::storage;
use crate::{Config, Identity, Parts};

pub(super) const PUBLIC: &str = "http://id.example:4433";

/// An identity service without a network.
pub(super) struct TestServer {
    pub identity: Arc<Identity>,
    pub clock: ManualClock,
    pub login_requests: Link<dyn LoginRequests>,
    pub subject_observer: Link<dyn SubjectObserver>,
    router: Router,
}

/// Runs a test on both engines, with `change` merged over the usual configuration.
pub(super) async fn with_server<F: Future<Output = ()>>(change: Value, test: impl Fn(TestServer) -> F) {
    database::testing::on_both_engines(&[jobs::MIGRATIONS, crate::MIGRATIONS], |database| async {
        test(TestServer::new(database, &change)).await;
    })
    .await;
}

fn merge(into: &mut Value, change: &Value) {
    match (into, change) {
        (Value::Object(into), Value::Object(change)) => {
            for (key, value) in change {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, change) => *into = change.clone(),
    }
}

impl TestServer {
    fn new(database: Database, change: &Value) -> Self {
        let mut config = json!({
            "dev": true,
            "serve": {"public": {"base_url": format!("{PUBLIC}/")}},
            "selfservice": {
                "default_browser_return_url": "http://www.example/",
                "allowed_return_urls": ["http://www.example/app"],
                "flows": {
                    "login": {"ui_url": "http://ui.example/login"},
                    "registration": {"ui_url": "http://ui.example/registration", "style": "unified", "after": {"password": {"hooks": [{"hook": "session"}]}}},
                    "settings": {"ui_url": "http://ui.example/settings"},
                    "recovery": {"ui_url": "http://ui.example/recovery", "enabled": true},
                    "verification": {"ui_url": "http://ui.example/verification", "enabled": true},
                    "error": {"ui_url": "http://ui.example/error"},
                },
                "methods": {"password": {"config": {"haveibeenpwned_enabled": false}}},
            },
            "hashers": {"bcrypt": {"cost": 4}},
        });
        merge(&mut config, change);
        let config: Config = serde_json::from_value(config).unwrap();
        let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(1_800_000_000));
        let rng = Rng::seeded(7);
        let sealer = Sealer::new(&[Secret::new("a secret of the tests".to_owned())], rng.clone()).unwrap();
        let (login_requests, subject_observer) = (Link::unset(), Link::unset());
        let identity = Identity::new(Parts {
            config,
            database,
            clock: clock.clock(),
            rng,
            sealer,
            http: Outbound::new(Destinations::Any, &base::TrustStore::bundled()),
            ui: ui::Ui::new(ui::Config::default()).unwrap(),
            login_requests: login_requests.clone(),
            subject_observer: subject_observer.clone(),
            connections: Link::unset(),
        })
        .unwrap();
        Self { router: identity.public_router(), clock, identity, login_requests, subject_observer }
    }

    pub(super) fn cx(&self) -> Context {
        let id = RequestId(base::uuid::Uuid::nil());
        let mut cx = Context::for_background(self.clock.clock().now(), TenantId::DEFAULT, id);
        cx.client_address = Some([192, 0, 2, 1].into());
        cx
    }

    pub(super) fn browser(&self) -> Client<'_> {
        let (address, locale) = ([192, 0, 2, 1].into(), Locale::ENGLISH);
        let (kind, cookies) = (Kind::Browser, BTreeMap::new());
        Client { server: self, kind, cookies, token: None, address, locale, fetch_site: None }
    }

    pub(super) fn spa(&self) -> Client<'_> {
        Client { kind: Kind::Spa, ..self.browser() }
    }

    pub(super) fn native(&self) -> Client<'_> {
        Client { kind: Kind::Native, ..self.browser() }
    }

    /// The code that a flow expects, as in the message to its recipient.
    pub(super) async fn code(&self, flow: &str, purpose: CodePurpose) -> String {
        let mut tx = self.identity.database.read(TenantId::DEFAULT);
        let flow: FlowId = flow.parse().unwrap();
        let codes = storage::codes::open(&mut tx, flow, purpose).await.unwrap();
        let sealed = &codes.first().expect("an open code").at_rest;
        let plain = self.identity.sealer.open(storage::codes::SEALED, TenantId::DEFAULT, sealed).unwrap();
        String::from_utf8(plain).unwrap()
    }

    pub(super) async fn mails(&self) -> Vec<Message> {
        let cx = self.cx();
        let mut tx = self.identity.database.read(cx.tenant);
        let page = PageRequest { size: 100, after: None };
        let found: Page<Message, _> =
            storage::messages::list(&mut tx, self.identity.tenant_sealer(&cx), None, None, &page).await.unwrap();
        found.items
    }

    pub(super) async fn events(&self) -> Vec<String> {
        self.whole_events().await.into_iter().map(|event| event.name).collect()
    }

    pub(super) async fn whole_events(&self) -> Vec<jobs::StoredEvent> {
        let page = PageRequest { size: 1000, after: None };
        jobs::list_events(&mut self.identity.database.read(TenantId::DEFAULT), page).await.unwrap().items
    }

    pub(super) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Browser,
    Spa,
    Native,
}

/// One client with its cookies.
#[derive(Clone)]
pub(super) struct Client<'h> {
    server: &'h TestServer,
    kind: Kind,
    pub cookies: BTreeMap<String, String>,
    pub token: Option<String>,
    /// The network address of its requests.
    pub address: IpAddr,
    /// The language of its user.
    pub locale: Locale,
    /// The `Sec-Fetch-Site` header of a browser.
    pub fetch_site: Option<&'static str>,
}

pub(super) struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub json: Value,
    pub text: String,
}

impl Reply {
    pub(super) fn location(&self) -> &str {
        self.headers.get(LOCATION).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(super) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{} {}", self.json, self.location());
        self
    }

    pub(super) fn error_id(&self) -> &str {
        self.json["error"]["id"].as_str().unwrap_or_default()
    }

    /// A parameter of the URL that the browser is redirected to.
    pub(super) fn sent_to(&self, parameter: &str) -> String {
        let url = url::Url::parse(self.location()).unwrap();
        url.query_pairs().find(|(key, _)| key == parameter).map(|(_, value)| value.into_owned()).unwrap_or_default()
    }

    pub(super) fn messages(&self) -> Vec<i64> {
        ids(&self.json["ui"]["messages"])
    }

    pub(super) fn node(&self, name: &str) -> &Value {
        let nodes = self.json["ui"]["nodes"].as_array().expect("a flow");
        nodes.iter().find(|node| node["attributes"]["name"] == name).unwrap_or(&Value::Null)
    }

    pub(super) fn node_messages(&self, name: &str) -> Vec<i64> {
        ids(&self.node(name)["messages"])
    }

    /// Every node as `group/name/type/value`, in order.
    pub(super) fn nodes(&self) -> Vec<String> {
        let nodes = self.json["ui"]["nodes"].as_array().expect("a flow");
        nodes
            .iter()
            .map(|node| {
                let attributes = &node["attributes"];
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let name = text(&attributes["name"]);
                let value = if name == "csrf_token" { String::new() } else { text(&attributes["value"]) };
                format!("{}/{name}/{}/{value}", text(&node["group"]), text(&attributes["type"]))
            })
            .collect()
    }

    pub(super) fn continue_with(&self) -> Vec<String> {
        let items = self.json["continue_with"].as_array().cloned().unwrap_or_default();
        items.iter().map(|item| item["action"].as_str().unwrap().to_owned()).collect()
    }
}

fn ids(messages: &Value) -> Vec<i64> {
    messages.as_array().into_iter().flatten().map(|message| message["id"].as_i64().unwrap()).collect()
}

impl Client<'_> {
    /// The flow type of this client.
    pub(super) fn flow_type(&self) -> &'static str {
        if self.kind == Kind::Native { "api" } else { "browser" }
    }

    pub(super) async fn get(&mut self, path: &str) -> Reply {
        self.send(Method::GET, path, None).await
    }

    /// Opens a link from a mail and submits its form.
    pub(super) async fn follow(&mut self, link: &str) -> Reply {
        let shown = self.get(link).await.expect(200);
        assert!(shown.text.contains("<form method=\"post\">") && !shown.text.contains("token="), "{}", shown.text);
        self.send(Method::POST, link, None).await
    }

    pub(super) async fn head(&mut self, path: &str) -> Reply {
        self.send(Method::HEAD, path, None).await
    }

    pub(super) async fn delete(&mut self, path: &str, body: Option<Value>) -> Reply {
        self.send(Method::DELETE, path, body.map(|body| ("application/json", body.to_string()))).await
    }

    pub(super) async fn post(&mut self, path: &str, content_type: &str, body: &str) -> Reply {
        self.send(Method::POST, path, Some((content_type, body.to_owned()))).await
    }

    /// Submits to a flow. Browsers send a form with their anti-CSRF token.
    pub(super) async fn submit(&mut self, flow: &str, id: &str, mut body: Value) -> Reply {
        if self.kind != Kind::Native && body.get("csrf_token").is_none() {
            body["csrf_token"] = json!(self.csrf_token(flow, id).await);
        }
        let path = format!("/self-service/{flow}?flow={id}");
        let body = match self.kind {
            Kind::Browser => ("application/x-www-form-urlencoded", form(&body)),
            Kind::Spa | Kind::Native => ("application/json", body.to_string()),
        };
        self.send(Method::POST, &path, Some(body)).await
    }

    /// Initializes a flow and returns its id.
    pub(super) async fn begin(&mut self, flow: &str) -> String {
        self.begin_with(flow, "").await
    }

    pub(super) async fn begin_with(&mut self, flow: &str, query: &str) -> String {
        let reply = self.get(&format!("/self-service/{flow}/{}{query}", self.flow_type())).await;
        match self.kind {
            Kind::Browser => reply.expect(303).sent_to("flow"),
            Kind::Spa | Kind::Native => reply.expect(200).json["id"].as_str().unwrap().to_owned(),
        }
    }

    /// The flow as a page reads it.
    pub(super) async fn fetch(&mut self, flow: &str, id: &str) -> Reply {
        let kind = std::mem::replace(&mut self.kind, Kind::Spa);
        let reply = self.get(&format!("/self-service/{flow}/flows?id={id}")).await;
        self.kind = kind;
        reply
    }

    pub(super) async fn csrf_token(&mut self, flow: &str, id: &str) -> String {
        let reply = self.fetch(flow, id).await;
        if reply.status != StatusCode::OK {
            return String::new();
        }
        reply.node("csrf_token")["attributes"]["value"].as_str().unwrap_or_default().to_owned()
    }

    pub(super) async fn whoami(&mut self) -> Reply {
        self.get("/sessions/whoami").await
    }

    /// Registers a person, who is signed in afterwards. The response of a native client contains the session token.
    pub(super) async fn sign_up(&mut self, email: &str) -> Reply {
        let id = self.begin("registration").await;
        let body = json!({"method": "password", "password": PASSWORD, "traits": {"email": email}});
        let reply = self.submit("registration", &id, body).await;
        if let Some(token) = reply.json["session_token"].as_str() {
            self.token = Some(token.to_owned());
        }
        reply
    }

    pub(super) async fn sign_in(&mut self, email: &str, password: &str) -> Reply {
        let id = self.begin("login").await;
        let body = json!({"method": "password", "identifier": email, "password": password});
        let reply = self.submit("login", &id, body).await;
        if let Some(token) = reply.json["session_token"].as_str() {
            self.token = Some(token.to_owned());
        }
        reply
    }

    async fn send(&mut self, method: Method, path: &str, body: Option<(&str, String)>) -> Reply {
        let path = path.strip_prefix(PUBLIC).unwrap_or(path);
        let cx = Context { client_address: Some(self.address), locale: self.locale, ..self.server.cx() };
        let mut request = Request::builder().method(method).uri(path).extension(cx);
        request = request.header(ACCEPT, if self.kind == Kind::Browser { "text/html" } else { "application/json" });
        if !self.cookies.is_empty() {
            let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, pairs.join("; "));
        }
        if let Some(site) = self.fetch_site {
            request = request.header("sec-fetch-site", site);
        }
        if let Some(token) = &self.token {
            request = request.header("x-session-token", token);
        }
        let body = match body {
            Some((content_type, text)) => {
                request = request.header(CONTENT_TYPE, content_type);
                Body::from(text)
            }
            None => Body::empty(),
        };
        let response = self.server.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(SET_COOKIE) {
            let (pair, attributes) = cookie.to_str().unwrap().split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        // A page is not JSON.
        let page = || if text.is_empty() { Value::Null } else { Value::from(text.clone()) };
        let json = serde_json::from_slice(&bytes).unwrap_or_else(|_| page());
        Reply { status: parts.status, headers: parts.headers, json, text }
    }
}

pub(super) const PASSWORD: &str = "correct horse battery";

fn form(body: &Value) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for (key, value) in body.as_object().unwrap() {
        for (name, value) in crate::domain::form::leaves(key, value) {
            form.append_pair(&name, value.as_str().map_or_else(|| value.to_string(), str::to_owned).as_str());
        }
    }
    form.finish()
}
