//! Rules that change while the gateway runs.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::tests::fixtures::spawn;

use super::harness::{Running, config, gateway, rule};

async fn eventually(running: &Running, path: &str, status: u16) {
    let reached = async {
        while running.decide(&format!("/decisions{path}"), &[]).await.status != status {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(10), reached).await.unwrap_or_else(|_| panic!("{path} never became {status}"));
}

fn header_rule(path: &str, value: &str) -> Value {
    rule(path, "", json!({"id": "same", "mutators": [{"handler": "header", "config": {"headers": {"X-V": value}}}]}))
}

#[tokio::test]
async fn a_changed_file_is_loaded_and_an_invalid_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("a.json"), folder.path().join("b.yml"));
    let write = |text: String| std::fs::write(&first, text).unwrap();
    write(json!([header_rule("/a", "one")]).to_string());
    let repositories = json!({"access_rules": {"repositories":
        [format!("file://{}", first.display()), second.display().to_string()]}});
    let gateway = gateway(config(&json!([]), repositories));
    gateway.load_rules().await.expect("a missing file is not an error");
    let running = Running::serve(gateway.clone()).await;
    let (stop, stopped) = watch::channel(false);
    let watched = gateway.clone();
    let watching = spawn(async move { watched.watch_rules(stopped).await });
    assert_eq!(running.decide("/decisions/a", &[]).await.header("x-v"), Some("one"));
    // Wait until the watch is set up, so that the notification and not the next poll finds the change.
    sleep(Duration::from_millis(200)).await;

    // A changed header template under the same rule id takes effect at once.
    write(json!([header_rule("/b", "two")]).to_string());
    eventually(&running, "/b", 200).await;
    assert_eq!(running.decide("/decisions/b", &[]).await.header("x-v"), Some("two"));
    assert_eq!(running.decide("/decisions/a", &[]).await.status, 404);

    write("[{".to_owned());
    std::fs::write(
        &second,
        "- id: c\n  match: {url: 'http://<.*>/c', methods: [GET]}\n  authenticators: [{handler: noop}]\n  \
                             authorizer: {handler: allow}\n  mutators: [{handler: noop}]\n",
    )
    .unwrap();
    eventually(&running, "/c", 200).await;
    assert_eq!(running.decide("/decisions/b", &[]).await.status, 200, "the previous rules stay active");

    std::fs::remove_file(&first).unwrap();
    std::fs::remove_file(&second).unwrap();
    let both_are_missed = async {
        while gateway.rule_faults().await.len() < 2 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(20), both_are_missed).await.unwrap();
    assert_eq!(running.decide("/decisions/b", &[]).await.status, 200);

    // Replaced by a rename, as editors and volumes do.
    let new_file = folder.path().join("new");
    std::fs::write(&new_file, json!([header_rule("/d", "three")]).to_string()).unwrap();
    std::fs::rename(&new_file, &first).unwrap();
    eventually(&running, "/d", 200).await;
    stop.send(true).unwrap();
    timeout(Duration::from_secs(5), watching).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_remote_repository_must_be_reachable_at_start() {
    let start = async |url: String| {
        gateway(config(&json!([]), json!({"access_rules": {"repositories": [url]}}))).load_rules().await
    };
    assert!(start("http://127.0.0.1:1/rules".to_owned()).await.is_err());
    assert!(start("inline://W3s=".to_owned()).await.is_err());
    let rules = json!([rule("/a", "", json!({}))]).to_string();
    let app = axum::Router::new().fallback(move || std::future::ready(rules.clone()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/rules.json", listener.local_addr().unwrap());
    spawn(async move { axum::serve(listener, app).await });
    let running = gateway(config(&json!([]), json!({"access_rules": {"repositories": [url]}})));
    running.load_rules().await.unwrap();
    assert_eq!(running.list_rules(10, 0).len(), 1);
}
