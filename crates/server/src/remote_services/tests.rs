//! Tests against a remote service that answers as each test defines.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use base::{Context, PlainToken, RequestId, Rng, TenantId, Timestamp, uuid};
use contracts::{
    AcceptLogin, Connections, LoginRequestError, LoginRequests, PermissionCheckError, PermissionChecks,
    PermissionQuestion, PermissionSubject, QuestionPart, RejectLogin, SessionCheck, SessionCredentials, Sessions,
    Undeclared,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use uuid::Uuid;
use web::listener::{Listener, ListenerLimits};
use web::outbound::{Client, Destinations};

use service::Links;

use crate::config::{Config, Fault, Service};

/// The received requests: method, path with query, the header `authorization`, the body.
type ReceivedRequests = Arc<Mutex<Vec<(String, String, String, Value)>>>;

struct StubServer {
    url: String,
    received: ReceivedRequests,
    _stop: watch::Sender<bool>,
}

impl StubServer {
    /// Answers every request with `status` and `body`.
    async fn answering(status: u16, body: Value) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        let received = ReceivedRequests::default();
        let router = Router::new().fallback(answer).with_state((received.clone(), status, body));
        let (stop, stopped) = watch::channel(false);
        let listener = Listener { socket, tls: None, limits: ListenerLimits::default(), router };
        spawn(listener.serve(stopped));
        Self { url, received, _stop: stop }
    }

    fn last(&self) -> (String, String, String, Value) {
        self.received.lock().unwrap().last().cloned().unwrap()
    }

    fn login_requests(&self) -> Arc<dyn LoginRequests> {
        let provider =
            json!({ "url": format!("{}/base/", self.url), "headers": { "Authorization": "Bearer planted" } });
        let config = config(Service::IDENTITY, json!({ "identity": { "oauth2_provider": provider } }));
        elsewhere(&config).unwrap().login_requests.get().cloned().unwrap()
    }

    fn connections(&self) -> Arc<dyn Connections> {
        let config = config(Service::IDENTITY, json!({ "identity": { "oauth2_provider": { "url": self.url } } }));
        elsewhere(&config).unwrap().connections.get().cloned().unwrap()
    }

    fn sessions(&self) -> Arc<dyn Sessions> {
        let provider = json!({ "url": self.url, "publicUrl": self.url });
        let config = config(Service::OAUTH, json!({ "oauth": { "urls": { "identity_provider": provider } } }));
        elsewhere(&config).unwrap().sessions.get().cloned().unwrap()
    }
}

impl StubServer {
    fn permissions(&self) -> Arc<dyn PermissionChecks> {
        let there = json!({ "url": self.url, "headers": { "Authorization": "Bearer planted" } });
        let config = config(Service::GATEWAY, json!({ "gateway": { "permissions": there } }));
        elsewhere(&config).unwrap().permissions.get().cloned().unwrap()
    }
}

#[expect(clippy::disallowed_methods, reason = "the other service is a task of the test")]
fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(task);
}

async fn answer(State((received, status, body)): State<(ReceivedRequests, u16, Value)>, request: Request) -> Response {
    let authorization = request.headers().get("authorization").map(|it| it.to_str().unwrap().to_owned());
    let (method, path) = (request.method().to_string(), request.uri().to_string());
    let sent = axum::body::to_bytes(request.into_body(), 64 * 1024).await.unwrap();
    let sent = serde_json::from_slice(&sent).unwrap_or_default();
    received.lock().unwrap().push((method, path, authorization.unwrap_or_default(), sent));
    let status = http::StatusCode::from_u16(status).unwrap();
    (status, [("location", "http://127.0.0.1:1/elsewhere")], axum::Json(body)).into_response()
}

fn config(service: Service, tree: Value) -> Config {
    Config::from_value(&[service], tree).unwrap()
}

fn client() -> Client {
    Client::new(Destinations::Any, &base::TrustStore::bundled())
}

fn elsewhere(config: &Config) -> Result<Links, Fault> {
    let tied = super::tie(config, config.services[0], &Links::default(), &client(), &Rng::seeded(1));
    tied.map(|(links, _)| links)
}

fn cx() -> Context {
    Context::for_background(Timestamp::EPOCH, TenantId::DEFAULT, RequestId(Uuid::nil()))
}

fn login_request() -> Value {
    json!({
        "challenge": "other", "client": { "client_id": "c", "client_name": "App", "metadata": null, "contacts": ["a"] },
        "request_url": "http://127.0.0.1:4444/oauth2/auth?x=1", "requested_scope": ["openid"],
        "requested_access_token_audience": null, "skip": true, "subject": "s", "session_id": null, "oidc_context": {},
    })
}

#[tokio::test]
async fn a_login_request_is_fetched_and_answered_at_the_admin_api() {
    let stub = StubServer::answering(200, login_request()).await;
    let request = stub.login_requests().get(&cx(), "a b&c").await.unwrap();
    assert_eq!((request.challenge.as_str(), request.subject.as_str(), request.skip), ("a b&c", "s", true));
    assert_eq!((request.client.client_name.as_str(), &request.client.rest["contacts"]), ("App", &json!(["a"])));
    let (method, path, authorization, _) = stub.last();
    assert_eq!(path, "/base/admin/oauth2/auth/requests/login?login_challenge=a+b%26c");
    assert_eq!((method.as_str(), authorization.as_str()), ("GET", "Bearer planted"));

    let stub = StubServer::answering(200, json!({ "redirect_to": "http://127.0.0.1:4444/on" })).await;
    let login = AcceptLogin { subject: "s".to_owned(), remember: true, remember_for: 60, ..AcceptLogin::default() };
    assert_eq!(stub.login_requests().accept(&cx(), "c", login).await.unwrap(), "http://127.0.0.1:4444/on");
    let (method, path, _, body) = stub.last();
    assert_eq!(
        (method.as_str(), path.as_str()),
        ("PUT", "/base/admin/oauth2/auth/requests/login/accept?login_challenge=c")
    );
    assert_eq!((&body["subject"], &body["remember"], &body["remember_for"]), (&json!("s"), &json!(true), &json!(60)));

    let reason = RejectLogin { error: "access_denied".to_owned(), ..RejectLogin::default() };
    stub.login_requests().reject(&cx(), "c", reason).await.unwrap();
    let (_, path, _, body) = stub.last();
    assert!(path.ends_with("/login/reject?login_challenge=c") && body["error"] == "access_denied", "{path} {body}");
}

#[tokio::test]
async fn connected_clients_are_listed_once_and_ended_at_the_admin_api() {
    let consent = |id: &str, name: Value, at: &str| json!({ "handled_at": at, "consent_request": { "client": { "client_id": id, "client_name": name } } });
    let consents = json!([
        consent("b", "Album".into(), "2026-03-05T09:07:31Z"),
        consent("a", Value::Null, "2026-03-04T09:07:31Z"),
        consent("b", "Album".into(), "2026-03-03T09:07:31Z"),
        { "handled_at": null, "consent_request": null },
    ]);
    let stub = StubServer::answering(200, consents).await;
    let listed = stub.connections().list(&cx(), "a person").await.unwrap();
    let listed: Vec<_> =
        listed.into_iter().map(|it| format!("{} {:?} {}", it.client_id, it.client_name, it.consented_at)).collect();
    assert_eq!(listed, [r#"b "Album" 2026-03-05T09:07:31Z"#, r#"a "" 2026-03-04T09:07:31Z"#]);
    let (method, path, ..) = stub.last();
    assert_eq!(method, "GET");
    assert_eq!(path, "/admin/oauth2/auth/sessions/consent?subject=a+person&page_size=100");

    let stub = StubServer::answering(200, json!({})).await;
    stub.connections().end(&cx(), "a person", "b&c").await.unwrap();
    let (method, path, ..) = stub.last();
    assert_eq!(method, "DELETE");
    assert_eq!(path, "/admin/oauth2/auth/sessions/consent?subject=a+person&client=b%26c");

    let stub = StubServer::answering(404, json!({})).await;
    let unknown = stub.connections();
    assert_eq!(unknown.list(&cx(), "nobody").await.unwrap(), []);
    unknown.end(&cx(), "nobody", "b").await.unwrap();
    for (status, body) in [(500, json!([])), (302, json!([])), (401, json!([])), (200, json!("text"))] {
        let stub = StubServer::answering(status, body).await;
        assert!(stub.connections().list(&cx(), "a").await.is_err(), "{status}");
        assert!(status == 200 || stub.connections().end(&cx(), "a", "b").await.is_err(), "{status}");
    }
}

#[tokio::test]
async fn unknown_refused_and_unavailable_are_different_results() {
    let ask = async |status, body| {
        StubServer::answering(status, body).await.login_requests().get(&cx(), "c").await.unwrap_err()
    };
    for status in [404, 410] {
        let error = ask(status, json!({ "redirect_to": "http://127.0.0.1:1/" })).await;
        assert!(matches!(error, LoginRequestError::Unknown), "{status}: {error}");
    }
    for status in [400, 401, 409] {
        let error = ask(status, json!({ "error": "e", "error_description": "no".repeat(400) })).await;
        assert!(matches!(&error, LoginRequestError::Refused(why) if why.len() == 300), "{status}: {error}");
    }
    // Redirects are not followed, and an invalid answer is an error.
    for (status, body) in [(500, json!({})), (302, json!({})), (200, json!("text")), (200, json!({ "client": 1 }))] {
        let error = ask(status, body).await;
        assert!(matches!(error, LoginRequestError::Unavailable(_)), "{status}: {error}");
    }
    let script_url = StubServer::answering(200, json!({ "redirect_to": "javascript:alert(1)" })).await;
    let error = script_url.login_requests().accept(&cx(), "c", AcceptLogin::default()).await.unwrap_err();
    assert!(matches!(error, LoginRequestError::Unavailable(_)), "{error}");
    let unreachable = StubServer {
        url: "http://127.0.0.1:1".to_owned(),
        received: ReceivedRequests::default(),
        _stop: watch::channel(false).0,
    };
    let error = unreachable.login_requests().get(&cx(), "c").await.unwrap_err();
    assert!(matches!(error, LoginRequestError::Unavailable(_)), "{error}");
}

fn with_cookie() -> SessionCredentials {
    SessionCredentials { cookie: Some("ory_kratos_session=x".to_owned()), ..SessionCredentials::default() }
}

#[tokio::test]
async fn a_session_is_checked_at_the_public_listener() {
    let id = "0194f0a4-7a3e-7c4e-9d55-0242ac120002";
    let session = json!({
        "id": id, "active": true, "authenticated_at": "2026-01-01T00:00:00Z", "expires_at": "2026-01-02T00:00:00Z",
        "authenticator_assurance_level": "aal1", "authentication_methods": [{ "method": "password", "aal": "aal1" }],
        "identity": { "id": id, "traits": { "email": "a@example.org" } },
    });
    let stub = StubServer::answering(200, session.clone()).await;
    let check = stub.sessions().check(&cx(), &with_cookie()).await.unwrap();
    let SessionCheck::Active(found) = check else { panic!("{check:?}") };
    assert_eq!(
        (found.session_id.to_string(), found.amr, found.aal),
        (id.to_owned(), vec!["password".to_owned()], "aal1".to_owned())
    );
    assert_eq!(*found.whoami, session);
    assert_eq!(stub.last().1, "/sessions/whoami");
    let nothing = stub.sessions().check(&cx(), &SessionCredentials::default()).await.unwrap();
    assert!(matches!(nothing, SessionCheck::Absent));

    let token = SessionCredentials { bearer: Some(PlainToken::received("t")), ..SessionCredentials::default() };
    let stub = StubServer::answering(401, json!({})).await;
    assert!(matches!(stub.sessions().check(&cx(), &token).await.unwrap(), SessionCheck::Invalid));
    assert_eq!(stub.last().2, "Bearer t");
    assert!(matches!(stub.sessions().check(&cx(), &with_cookie()).await.unwrap(), SessionCheck::Absent));
    let stub = StubServer::answering(403, json!({})).await;
    assert!(matches!(stub.sessions().check(&cx(), &with_cookie()).await.unwrap(), SessionCheck::NeedsSecondFactor));
    let stub = StubServer::answering(503, json!({})).await;
    assert!(stub.sessions().check(&cx(), &with_cookie()).await.is_err());
}

#[tokio::test]
async fn a_session_is_ended_at_the_admin_listener_and_an_unknown_one_is_no_error() {
    for (status, is_ended) in [(204, true), (404, true), (401, false), (500, false)] {
        let stub = StubServer::answering(status, json!({})).await;
        assert_eq!(stub.sessions().end(&cx(), Uuid::nil()).await.is_ok(), is_ended, "{status}");
        let (method, path, ..) = stub.last();
        assert_eq!((method.as_str(), path), ("DELETE", format!("/admin/sessions/{}", Uuid::nil())));
    }
}

#[test]
fn an_unusable_url_is_a_fault_with_its_key() {
    for (provider, fault) in [
        (json!({ "url": "ftp://oauth.internal" }), "identity.oauth2_provider.url: must be an http or https URL"),
        (json!({ "url": "http://name:planted@oauth.internal" }), "identity.oauth2_provider.url: must not contain"),
        (
            json!({ "url": "http://oauth.internal", "headers": { "X-A": "planted\n" } }),
            "identity.oauth2_provider.headers.X-A: is not a header",
        ),
    ] {
        let config = config(Service::IDENTITY, json!({ "identity": { "oauth2_provider": provider } }));
        let Err(found) = elsewhere(&config) else { panic!("{fault} is missing") };
        let found = found.to_string();
        assert!(found.starts_with(fault) && !found.contains("planted"), "{found}");
    }
    assert!(elsewhere(&config(Service::IDENTITY, json!({}))).unwrap().login_requests.get().is_none());
}

#[tokio::test]
async fn a_permission_is_checked_at_the_read_api() {
    let context = json!({ "hour": 10 }).as_object().unwrap().clone();
    let question = PermissionQuestion {
        namespace: "Doc",
        object: "a/b c",
        relation: "view",
        subject: PermissionSubject::Set { namespace: "User", object: "ada", relation: "" },
        context: Some(&context),
    };
    for allowed in [true, false] {
        let stub = StubServer::answering(200, json!({ "allowed": allowed })).await;
        let permissions = stub.permissions();
        assert!(permissions.is_remote());
        assert_eq!(permissions.check(&cx(), &question).await.unwrap(), allowed);
        let (method, path, authorization, body) = stub.last();
        assert_eq!((method.as_str(), path.as_str()), ("POST", "/relation-tuples/check/openapi"));
        assert_eq!(authorization, "Bearer planted");
        let subject = json!({ "namespace": "User", "object": "ada", "relation": "" });
        let tuple = json!({ "namespace": "Doc", "object": "a/b c", "relation": "view", "subject_set": subject, "context": context });
        assert_eq!(body, tuple);
    }
    let stub = StubServer::answering(200, json!({ "allowed": true })).await;
    let by_id = PermissionQuestion { subject: PermissionSubject::Id("ada"), context: None, ..question };
    stub.permissions().check(&cx(), &by_id).await.unwrap();
    let tuple = json!({ "namespace": "Doc", "object": "a/b c", "relation": "view", "subject_id": "ada" });
    assert_eq!(stub.last().3, tuple);
}

#[tokio::test]
async fn only_the_answer_of_a_check_denies_a_permission() {
    let question = PermissionQuestion {
        namespace: "Doc",
        object: "a",
        relation: "view",
        subject: PermissionSubject::Id("ada"),
        context: None,
    };
    let error = json!({ "error": { "code": 400, "message": "m", "reason": "relation \"view\" does not exist" } });
    for (reason, part) in [
        ("object: must have at most 1024 bytes", QuestionPart::Object),
        ("subject_set.object: must have at most 1024 bytes", QuestionPart::Subject),
        ("context.hour is a number beyond 9007199254740991", QuestionPart::Context),
    ] {
        let stub = StubServer::answering(400, json!({ "error": { "code": 400, "reason": reason } })).await;
        let error = stub.permissions().check(&cx(), &question).await.unwrap_err();
        assert!(
            matches!(&error, PermissionCheckError::Invalid { part: found, reason: said } if *found == part && said == reason),
            "{error:?}"
        );
    }
    let stub = StubServer::answering(400, error.clone()).await;
    let undeclared = stub.permissions().check(&cx(), &question).await.unwrap_err();
    assert!(
        matches!(&undeclared, PermissionCheckError::Undeclared(Undeclared::Relation { relation, .. }) if relation == "view"),
        "{undeclared:?}"
    );
    for status in [404, 422] {
        let stub = StubServer::answering(status, error.clone()).await;
        let error = stub.permissions().check(&cx(), &question).await.unwrap_err();
        assert!(
            matches!(&error, PermissionCheckError::Undecided(reason) if reason.contains("view")),
            "{status}: {error}"
        );
    }
    for (status, body) in [
        (403, json!({ "allowed": false })),
        (403, error),
        (404, json!("no page")),
        (302, json!({ "allowed": true })),
        (500, json!({ "allowed": true })),
        (200, json!({ "allowed": "true" })),
        (200, json!({})),
    ] {
        let stub = StubServer::answering(status, body.clone()).await;
        let error = stub.permissions().check(&cx(), &question).await.unwrap_err();
        assert!(matches!(error, PermissionCheckError::Unavailable(_)), "{status} {body}: {error}");
    }
}
