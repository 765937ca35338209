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
mod second_factor;
mod sessions;
mod settings;
mod statements;
mod stolen_password;
mod submissions;
mod totp;
mod unstored;
mod verification;

use std::future::Future;
use std::time::Duration;

use base::{Page, PageRequest, TenantId};
use database::Database;
use http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use test_client::{FORM, JSON, Kind, Reply, merge};

use super::TestServer;
use crate::domain::code::CodePurpose;
use crate::domain::flow::FlowId;
use crate::domain::message_queue::Message;
use crate::storage;

pub(super) const PUBLIC: &str = "http://id.example:4433";

/// Runs a test on both engines, with `change` merged over the usual configuration.
pub(super) async fn with_server<F: Future<Output = ()>>(change: Value, test: impl Fn(TestServer) -> F) {
    database::testing::on_both_engines(&[jobs::MIGRATIONS, crate::MIGRATIONS], |database| async {
        test(server(database, change.clone())).await;
    })
    .await;
}

fn server(database: Database, change: Value) -> TestServer {
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
    TestServer::start(database, config)
}

impl TestServer {
    pub(super) fn browser(&self) -> Client {
        Client { http: self.client(Kind::Browser, PUBLIC), token: None }
    }

    pub(super) fn spa(&self) -> Client {
        Client { http: self.client(Kind::SinglePage, PUBLIC), token: None }
    }

    pub(super) fn native(&self) -> Client {
        Client { http: self.client(Kind::Native, PUBLIC), token: None }
    }

    /// Verifies an address with the code that is sent to it.
    pub(super) async fn verify(&self, client: &mut Client, address: &str) {
        let id = client.begin("verification").await;
        client.submit("verification", &id, json!({"method": "code", "email": address})).await.expect(200);
        let code = self.code(&id, CodePurpose::Verification).await;
        client.submit("verification", &id, json!({"method": "code", "code": code})).await.expect(200);
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

    pub(super) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

/// One client, which takes the steps of flows.
#[derive(Clone)]
pub(super) struct Client {
    pub http: test_client::Client,
    /// The session token of a native client.
    pub token: Option<String>,
}

/// What a test reads of a flow.
pub(super) trait FlowReply {
    fn error_id(&self) -> &str;
    /// A parameter of the URL that the browser is redirected to.
    fn sent_to(&self, parameter: &str) -> String;
    fn messages(&self) -> Vec<i64>;
    fn node(&self, name: &str) -> &Value;
    fn node_messages(&self, name: &str) -> Vec<i64>;
    /// Every node as `group/name/type/value`, in order.
    fn nodes(&self) -> Vec<String>;
    fn continue_with(&self) -> Vec<String>;
}

impl FlowReply for Reply {
    fn error_id(&self) -> &str {
        self.json["error"]["id"].as_str().unwrap_or_default()
    }

    fn sent_to(&self, parameter: &str) -> String {
        self.parameter(parameter).unwrap_or_default()
    }

    fn messages(&self) -> Vec<i64> {
        ids(&self.json["ui"]["messages"])
    }

    fn node(&self, name: &str) -> &Value {
        let nodes = self.json["ui"]["nodes"].as_array().expect("a flow");
        nodes.iter().find(|node| node["attributes"]["name"] == name).unwrap_or(&Value::Null)
    }

    fn node_messages(&self, name: &str) -> Vec<i64> {
        ids(&self.node(name)["messages"])
    }

    fn nodes(&self) -> Vec<String> {
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

    fn continue_with(&self) -> Vec<String> {
        let items = self.json["continue_with"].as_array().cloned().unwrap_or_default();
        items.iter().map(|item| item["action"].as_str().unwrap().to_owned()).collect()
    }
}

fn ids(messages: &Value) -> Vec<i64> {
    messages.as_array().into_iter().flatten().map(|message| message["id"].as_i64().unwrap()).collect()
}

impl Client {
    /// The flow type of this client.
    pub(super) fn flow_type(&self) -> &'static str {
        if self.http.kind == Kind::Native { "api" } else { "browser" }
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
        self.send(Method::DELETE, path, body.map(|body| (JSON, body.to_string()))).await
    }

    pub(super) async fn post(&mut self, path: &str, content_type: &str, body: &str) -> Reply {
        self.send(Method::POST, path, Some((content_type, body.to_owned()))).await
    }

    /// Submits to a flow. Browsers send a form with their anti-CSRF token.
    pub(super) async fn submit(&mut self, flow: &str, id: &str, mut body: Value) -> Reply {
        if self.http.kind != Kind::Native && body.get("csrf_token").is_none() {
            body["csrf_token"] = json!(self.csrf_token(flow, id).await);
        }
        let path = format!("/self-service/{flow}?flow={id}");
        let body = match self.http.kind {
            Kind::Browser => (FORM, form(&body)),
            Kind::SinglePage | Kind::Native => (JSON, body.to_string()),
        };
        self.send(Method::POST, &path, Some(body)).await
    }

    /// Initializes a flow and returns its id.
    pub(super) async fn begin(&mut self, flow: &str) -> String {
        self.begin_with(flow, "").await
    }

    pub(super) async fn begin_with(&mut self, flow: &str, query: &str) -> String {
        let reply = self.get(&format!("/self-service/{flow}/{}{query}", self.flow_type())).await;
        match self.http.kind {
            Kind::Browser => reply.expect(303).sent_to("flow"),
            Kind::SinglePage | Kind::Native => reply.expect(200).json["id"].as_str().unwrap().to_owned(),
        }
    }

    /// The flow as a page reads it.
    pub(super) async fn fetch(&mut self, flow: &str, id: &str) -> Reply {
        let kind = std::mem::replace(&mut self.http.kind, Kind::SinglePage);
        let reply = self.get(&format!("/self-service/{flow}/flows?id={id}")).await;
        self.http.kind = kind;
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
        let body = json!({"method": "password", "password": PASSWORD, "traits": {"email": email}});
        self.enter("registration", body).await
    }

    pub(super) async fn sign_in(&mut self, email: &str, password: &str) -> Reply {
        self.enter("login", json!({"method": "password", "identifier": email, "password": password})).await
    }

    async fn enter(&mut self, flow: &str, body: Value) -> Reply {
        let id = self.begin(flow).await;
        let reply = self.submit(flow, &id, body).await;
        if let Some(token) = reply.json["session_token"].as_str() {
            self.token = Some(token.to_owned());
        }
        reply
    }

    async fn send(&mut self, method: Method, path: &str, body: Option<(&str, String)>) -> Reply {
        match &self.token {
            Some(token) => self.http.headers.insert("x-session-token", HeaderValue::from_str(token).unwrap()),
            None => self.http.headers.remove("x-session-token"),
        };
        self.http.request(method, path, body).await
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
