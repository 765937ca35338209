//! Requests, rules and fake services for tests of the pipeline.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use base::{Context, PlainToken, RequestId, Rng, TenantId, Timestamp};
use bytes::Bytes;
use contracts::{
    ActiveSession, Introspection, Link, PermissionCheckError, PermissionChecks, PermissionQuestion, PermissionSubject,
    SessionCheck, SessionCredentials, Sessions, TokenIntrospection, Unavailable, Undeclared,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jose::{Algorithm, Jwk, JwkSet};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use crate::config::Config;
use crate::domain::failure::Failure;
use crate::domain::path::RequestPath;
use crate::domain::rule::Rule;
use crate::domain::session::Session;
use crate::domain::target::{Host, Scheme, Target};
use crate::pipeline::authn::AUTHENTICATORS;
use crate::pipeline::authz::AUTHORIZERS;
use crate::pipeline::errors::ERROR_HANDLERS;
use crate::pipeline::mutate::MUTATORS;
use crate::pipeline::registry::Registry;
use crate::pipeline::{Evaluation, InProcess, Inbound, LocalServices, Pipeline, RequestBody, Services};

/// 2026-11-22T00:00:00Z.
pub(crate) const START: Timestamp = Timestamp::from_unix_seconds(1_795_305_600);

pub(crate) struct Request {
    cx: Context,
    target: Target,
    headers: HeaderMap,
    body: TestBody,
}

impl Request {
    pub(crate) fn new(method: Method, url: &str) -> Self {
        let url: Url = url.parse().unwrap();
        let scheme = Scheme::parse(url.scheme()).unwrap();
        let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
        let path = RequestPath::parse(url.path()).unwrap();
        Self {
            cx: Context::for_background(START, TenantId::DEFAULT, RequestId(Uuid::nil())),
            target: Target::new(method, scheme, &Host::parse(authority).unwrap(), &path, url.query()),
            headers: HeaderMap::new(),
            body: TestBody::default(),
        }
    }

    pub(crate) fn get(url: &str) -> Self {
        Self::new(Method::GET, url)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        self
    }

    pub(crate) fn body(mut self, body: &'static str) -> Self {
        self.body = TestBody(body);
        self
    }

    pub(crate) fn at(mut self, now: Timestamp) -> Self {
        self.cx.now = now;
        self
    }

    pub(crate) fn inbound(&self) -> Inbound<'_> {
        Inbound::new(&self.cx, &self.target, &self.headers, Evaluation::NewRequest(&self.body), &Vec::new)
    }
}

#[derive(Default)]
struct TestBody(&'static str);

#[async_trait]
impl RequestBody for TestBody {
    async fn read(&self, _: usize) -> Result<Bytes, Box<Failure>> {
        Ok(Bytes::from_static(self.0.as_bytes()))
    }
}

pub(crate) fn services() -> Services {
    services_beside(Link::unset(), Link::unset())
}

pub(crate) fn services_beside(sessions: Link<dyn Sessions>, introspection: Link<dyn TokenIntrospection>) -> Services {
    let urls = LocalServices {
        identity: vec!["http://identity.local/".parse().unwrap()],
        oauth: vec!["http://oauth.local".parse().unwrap()],
    };
    Services::new(
        Rng::seeded(1),
        web::outbound::Client::new(web::outbound::Destinations::Any, &base::TrustStore::bundled()),
        InProcess { sessions, introspection, permissions: Link::to(Arc::new(FakePermissions)), urls },
        JwkSet { keys: vec![Jwk::generate(Algorithm::ES256, "gateway".to_owned()).unwrap()] },
    )
}

/// Every handler is enabled, including unsupported ones.
pub(crate) fn config() -> Config {
    serde_json::from_value(every_handler_enabled()).unwrap()
}

/// The sections of the configuration that enable every handler.
pub(crate) fn every_handler_enabled() -> Value {
    json!({
        "authenticators": enabled(&AUTHENTICATORS),
        "authorizers": enabled(&AUTHORIZERS),
        "mutators": enabled(&MUTATORS),
        "errors": {"handlers": enabled(&ERROR_HANDLERS)},
    })
}

fn enabled<H: ?Sized, N: ?Sized>(registry: &Registry<H, N>) -> Value {
    let absent = registry.absent.iter().map(|(name, _)| *name);
    let names = registry.offered.iter().map(|definition| definition.name).chain(absent);
    names.map(|name| (name.to_owned(), json!({"enabled": true}))).collect::<serde_json::Map<_, _>>().into()
}

/// Runs a request through a rule that accepts every request, with changes.
pub(crate) async fn run(rule: Value, request: &Request, services: &Services) -> Result<Session, Box<Failure>> {
    let pipeline = Pipeline::compile(&self::rule(rule), &config(), services).unwrap();
    pipeline.run(&request.inbound(), services).await
}

/// A rule that accepts every request, with changes.
pub(crate) fn rule(changes: Value) -> Rule {
    let mut rule = json!({
        "id": "test",
        "match": {"url": "http://h/<.*>", "methods": ["GET", "POST"]},
        "authenticators": [{"handler": "noop"}],
        "authorizer": {"handler": "allow"},
        "mutators": [{"handler": "noop"}],
    });
    rule.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    serde_json::from_value(rule).unwrap()
}

/// A fake identity service, controlled by the value of the cookie `session` or by a session token.
#[derive(Default)]
pub(crate) struct FakeSessions {
    pub(crate) seen: Mutex<Vec<SessionCredentials>>,
}

impl FakeSessions {
    fn is_new(&self, credentials: &SessionCredentials) -> bool {
        self.seen.lock().unwrap().iter().filter(|seen| seen.cookie == credentials.cookie).count() == 1
    }
}

#[async_trait]
impl Sessions for FakeSessions {
    async fn check(&self, _: &Context, credentials: &SessionCredentials) -> Result<SessionCheck, Unavailable> {
        self.seen.lock().unwrap().push(credentials.clone());
        let token = credentials.session_token.as_ref().map_or("", |token| token.expose());
        if let Some(user) = token.strip_prefix("ory_st_") {
            return Ok(match user.strip_prefix("valid-") {
                Some(user) => SessionCheck::Active(Box::new(active(user))),
                None => SessionCheck::Invalid,
            });
        }
        let cookie = credentials.cookie.clone().unwrap_or_default();
        match web::cookies::parse(&cookie).find(|(name, _)| *name == "session").map(|(_, value)| value) {
            None => Ok(SessionCheck::Absent),
            Some("outage") => Err(Unavailable::new("identity", "down for the test")),
            Some("aal1") => Ok(SessionCheck::NeedsSecondFactor),
            // A session that ends after its first check.
            Some(user) if user.starts_with("once-") && self.is_new(credentials) => {
                Ok(SessionCheck::Active(Box::new(active(&user[5..]))))
            }
            Some(user) if user.starts_with("valid-") => Ok(SessionCheck::Active(Box::new(active(&user[6..])))),
            Some(_) => Ok(SessionCheck::Invalid),
        }
    }

    async fn end(&self, _: &Context, _: Uuid) -> Result<(), Unavailable> {
        Ok(())
    }
}

fn active(user: &str) -> ActiveSession {
    ActiveSession {
        session_id: Uuid::nil(),
        identity_id: Uuid::nil(),
        authenticated_at: START,
        expires_at: START,
        aal: "aal1".to_owned(),
        amr: vec!["password".to_owned()],
        whoami: json!({"active": true, "identity": {"id": user, "traits": {"email": format!("{user}@example")}}})
            .into(),
    }
}

/// A fake OAuth2 service with two tokens.
pub(crate) struct FakeIntrospection;

#[async_trait]
impl TokenIntrospection for FakeIntrospection {
    async fn introspect(&self, _: &Context, token: &PlainToken) -> Result<Introspection, Unavailable> {
        match token.expose() {
            "good" => {
                let claims = json!({"sub": "alice", "scope": "a b", "client_id": "c", "ext": {"k": "v"}});
                Ok(Introspection { active: true, claims: claims.as_object().unwrap().clone() })
            }
            "reader" => {
                let claims = json!({"sub": "bob", "scope": "orders.read", "client_id": "c"});
                Ok(Introspection { active: true, claims: claims.as_object().unwrap().clone() })
            }
            "outage" => Err(Unavailable::new("oauth", "down for the test")),
            _ => Ok(Introspection::default()),
        }
    }
}

/// A fake permission service: everybody may read; the author of a document, who is in the context, may edit it.
pub(crate) struct FakePermissions;

#[async_trait]
impl PermissionChecks for FakePermissions {
    async fn check(&self, _: &Context, question: &PermissionQuestion<'_>) -> Result<bool, PermissionCheckError> {
        if let Some(name) = self.undeclared(question.namespace, Some(question.relation)) {
            return Err(PermissionCheckError::Undeclared(name));
        }
        if let PermissionSubject::Set { namespace, relation, .. } = question.subject
            && let Some(name) = self.undeclared(namespace, Some(relation))
        {
            return Err(PermissionCheckError::UndeclaredSubject(name));
        }
        let author = question.context.and_then(|context| context.get("author")?.as_str());
        match (question.object, question.relation) {
            ("outage", _) => Err(Unavailable::new("permissions", "down for the test").into()),
            (_, "read") => Ok(question.namespace == "Doc"),
            (_, "edit") => Ok(match question.subject {
                PermissionSubject::Id(id) => author == Some(id),
                PermissionSubject::Set { namespace: "User", object, relation: "" } => author == Some(object),
                PermissionSubject::Set { namespace: "Group", relation: "members", .. } => true,
                PermissionSubject::Set { .. } => false,
            }),
            (_, relation) => Err(PermissionCheckError::Undecided(format!("a limit was reached at {relation}"))),
        }
    }

    fn undeclared(&self, namespace: &str, relation: Option<&str>) -> Option<Undeclared> {
        const MODEL: [(&str, &[&str]); 4] = [
            ("Doc", &["read", "edit", "limited"]),
            ("Folder", &["read"]),
            ("User", &[""]),
            ("Group", &["", "members"]),
        ];
        let Some((_, relations)) = MODEL.iter().find(|(name, _)| *name == namespace) else {
            return Some(Undeclared::Namespace(namespace.to_owned()));
        };
        let relation = relation.filter(|relation| !relations.contains(relation))?;
        Some(Undeclared::Relation { namespace: namespace.to_owned(), relation: relation.to_owned() })
    }
}

pub(crate) fn fake_sessions() -> (Arc<FakeSessions>, Link<dyn Sessions>) {
    let fake = Arc::new(FakeSessions::default());
    (fake.clone(), Link::to(fake))
}

/// A server that stops with the test's runtime.
#[expect(clippy::disallowed_methods, reason = "the runtime of a test ends with it")]
pub(crate) fn spawn<F>(task: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    tokio::spawn(task)
}
