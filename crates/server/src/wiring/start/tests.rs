use base::{Clock, Rng, TrustStore};
use bytes::Bytes;
use serde_json::{Value, json};
use web::outbound::{Client, Destinations};

use super::{Environment, start};
use crate::config::{Config, Service};
use crate::wiring::Running;

fn environment(place: &tempfile::TempDir) -> Environment {
    Environment {
        clock: Clock::system(),
        rng: Rng::system(),
        data_dir: place.path().join("data"),
        free_ports: true,
        ..Environment::system()
    }
}

async fn running(tree: Value) -> Running {
    let place = tempfile::tempdir().unwrap();
    let config = Config::from_value(&[], tree).unwrap();
    let running = start(config, environment(&place)).await.unwrap();
    assert!(!place.path().join("data").exists(), "a database in memory leaves nothing behind");
    running
}

async fn get(running: &Running, service: Service, listener: &'static str, path: &str, token: &str) -> (u16, String) {
    let url = running.addresses.base_url(service, listener).unwrap();
    let mut request = http::Request::get(format!("{url}{}", path.trim_start_matches('/')));
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let answer =
        Client::new(Destinations::Any, &TrustStore::bundled()).send(request.body(Bytes::new()).unwrap()).await.unwrap();
    (answer.status().as_u16(), String::from_utf8(answer.body().to_vec()).unwrap())
}

#[tokio::test]
async fn every_listener_reports_its_health() {
    let running = running(json!({"dsn": "memory"})).await;
    for (service, listener) in [
        (Service::IDENTITY, "public"),
        (Service::IDENTITY, "admin"),
        (Service::OAUTH, "public"),
        (Service::OAUTH, "admin"),
    ] {
        for path in ["/health/alive", "/health/ready", "/health/ready/"] {
            let answer = get(&running, service, listener, path, "").await;
            assert_eq!(answer, (200, r#"{"status":"ok"}"#.to_owned()), "{service} {listener} {path}");
        }
    }
    let (status, body) = get(&running, Service::IDENTITY, "admin", "/admin/version", "").await;
    assert_eq!((status, body), (200, format!(r#"{{"version":"{}"}}"#, crate::VERSION)));
    let (status, body) = get(&running, Service::IDENTITY, "admin", "/metrics/prometheus", "").await;
    assert_eq!(status, 200);
    assert!(body.contains(r#"endpoint="/health/ready"} "#), "{body}");
    assert!(body.contains("sql_statements_total"), "{body}");
    tables_are_counted(&running).await;
    let (status, body) = get(&running, Service::IDENTITY, "public", "/metrics/prometheus", "").await;
    assert_eq!(status, 404, "{body}");
    running.shutdown().await;
}

/// The statistics are computed in the background; each service shows its own tables.
async fn tables_are_counted(running: &Running) {
    for _ in 0..100 {
        let (_, body) = get(running, Service::IDENTITY, "admin", "/metrics/prometheus", "").await;
        if let Some(line) = body.lines().find(|line| line.contains(r#"table="identity_sessions""#)) {
            assert!(line.starts_with("database_table_rows{") && line.ends_with(" 0"), "{line}");
            assert!(body.contains(r#"table="jobs_queue""#) && !body.contains(r#"table="oauth_grants""#), "{body}");
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the tables were not counted");
}

#[tokio::test]
async fn the_revision_of_the_configuration_is_shown_at_the_admin_listener_of_identity() {
    let running = running(json!({"dsn": "memory", "identity": {"revision": "v7"}})).await;
    let ask = async |service, listener, path| get(&running, service, listener, path, "").await;
    assert_eq!(ask(Service::IDENTITY, "admin", "/health/config").await, (200, "v7".to_owned()));
    assert_eq!(ask(Service::IDENTITY, "admin", "/admin/health/config").await.1, "v7");
    assert_eq!(ask(Service::IDENTITY, "public", "/health/config").await.0, 404);
    running.shutdown().await;
    let digest = |tree| Config::from_value(&[], tree).unwrap().revision(Service::IDENTITY);
    let (one, same) = (digest(json!({"identity": {"dev": true}})), digest(json!({"identity": {"dev": true}})));
    assert!(one == same && one.len() == 64 && one != digest(json!({"identity": {"dev": false}})), "{one}");
}

#[tokio::test]
async fn a_configured_admin_token_is_required() {
    let running = running(json!({"dsn": "memory", "admin": {"tokens": ["0123456789abcdef"]}})).await;
    let ask = async |path: &str, token: &str| get(&running, Service::IDENTITY, "admin", path, token).await.0;
    assert_eq!(ask("/health/ready", "").await, 200);
    assert_eq!(ask("/metrics/prometheus", "").await, 401);
    assert_eq!(ask("/metrics/prometheus", "0123456789abcdeg").await, 401);
    assert_eq!(ask("/metrics/prometheus", "0123456789abcdef").await, 200);
    running.shutdown().await;
}

#[tokio::test]
async fn changes_of_the_admin_api_are_attributed_to_the_admin() {
    let running = running(json!({"dsn": "memory"})).await;
    let url = format!("{}admin/clients", running.addresses.base_url(Service::OAUTH, "admin").unwrap());
    let client = r#"{"client_name": "Nightly", "grant_types": ["client_credentials"]}"#;
    let request =
        http::Request::post(url).header("content-type", "application/json").body(Bytes::from(client)).unwrap();
    let answer = Client::new(Destinations::Any, &TrustStore::bundled()).send(request).await.unwrap();
    assert_eq!(answer.status(), 201, "{:?}", answer.body());
    let mut tx = running.database.read(base::TenantId::DEFAULT);
    let events = jobs::list_events(&mut tx, base::PageRequest { size: 50, after: None }).await.unwrap().items;
    let created = events.iter().find(|event| event.name == "OAuth2ClientCreated").unwrap();
    assert_eq!(created.actor, "admin");
    running.shutdown().await;
}

#[tokio::test]
async fn an_open_admin_listener_stops_the_start() {
    let place = tempfile::tempdir().unwrap();
    let tree = json!({"dsn": "memory", "oauth": {"serve": {"admin": {"host": "0.0.0.0"}}}});
    let config = Config::from_value(&[Service::OAUTH], tree).unwrap();
    let refused = start(config, environment(&place)).await.unwrap_err();
    assert!(refused.to_string().contains("oauth.serve.admin.host: the admin API would be open"), "{refused}");
}

#[tokio::test]
async fn nodes_that_share_a_database_must_share_their_secrets() {
    let place = tempfile::tempdir().unwrap();
    let config = Config::from_value(&[], json!({"dsn": "postgres://127.0.0.1:1/x"})).unwrap();
    let refused = start(config, environment(&place)).await.unwrap_err();
    let text = refused.to_string();
    for wanted in ["secrets.default", "secrets.cipher", "secrets.cookie", "KLEIS_SECRETS_DEFAULT"] {
        assert!(text.contains(wanted), "{text}");
    }
}

#[tokio::test]
async fn a_unix_socket_is_served_with_its_mode_and_removed() {
    use std::os::unix::fs::PermissionsExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("admin.sock");
    let host = format!("unix:{}", path.display());
    let tree = json!({"dsn": "memory", "identity": {"serve": {"admin": {"host": host, "socket": {"mode": 0o600}}}}});
    let config = Config::from_value(&[Service::IDENTITY], tree).unwrap();
    let running = start(config, environment(&place)).await.unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let mut stream = tokio::net::UnixStream::connect(&path).await.unwrap();
    stream.write_all(b"GET /health/alive HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    running.shutdown().await;
    assert!(!path.exists());
}

#[tokio::test]
async fn open_requests_finish_before_the_shutdown_ends() {
    let mut running = running(json!({"dsn": "memory"})).await;
    let begun = std::sync::Arc::new(tokio::sync::Notify::new());
    let slow = axum::Router::new().fallback({
        let begun = begun.clone();
        async move || {
            begun.notify_one();
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            "done"
        }
    });
    let address = running.attach(([127, 0, 0, 1], 0).into(), slow).await.unwrap();
    let url = format!("http://{address}/any/path");
    let request =
        async { Client::new(Destinations::Any, &TrustStore::bundled()).get(&url).await.unwrap().body().clone() };
    let (answer, ()) = tokio::join!(request, async {
        begun.notified().await;
        running.shutdown().await;
    });
    assert_eq!(answer, "done");
    assert!(Client::new(Destinations::Any, &TrustStore::bundled()).get(&url).await.is_err());
}

#[tokio::test]
async fn a_second_start_finds_the_data_of_the_first() {
    let place = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let config = Config::from_value(&[], json!({})).unwrap();
        start(config, environment(&place)).await.unwrap().shutdown().await;
    }
    let names = std::fs::read_dir(place.path().join("data")).unwrap().map(|it| it.unwrap().file_name());
    assert!(names.into_iter().any(|name| name == "kleis.db"));
}
