//! Permissions: relation tuples over the real listeners, the model that is loaded while the server runs, two nodes, and files of
//! Keto.

mod keto;
mod wire;

use std::time::Duration;

use acceptance::suite::{Engine, Suite, with_config_on_both_engines};
use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use server::config::{Config, Service, Sources};
use url::Url;

const TUPLES: &str = "/admin/relation-tuples";

fn namespaces() -> Value {
    json!({ "permissions": { "namespaces": [{ "name": "Doc" }, { "name": "Group" }] } })
}

fn viewer(object: &str) -> Value {
    json!({ "namespace": "Doc", "object": object, "relation": "viewer", "subject_id": "alice" })
}

async fn list(suite: &Suite, query: &str) -> Result<Vec<Value>> {
    let page = suite.api().get(suite.permissions("read", &format!("/relation-tuples{query}"))).await?;
    let page = page.expect_status(StatusCode::OK)?;
    ensure!(page.at("/next_page_token") == "", "{}", page.summary());
    page.at("/relation_tuples").as_array().cloned().context("a list")
}

#[tokio::test]
async fn tuples_are_written_and_read_on_listeners_of_their_own() -> Result<()> {
    with_config_on_both_engines(namespaces(), async |suite| {
        let mut api = suite.api();
        let created = api.json(Method::PUT, suite.permissions("write", TUPLES), &viewer("a")).await?;
        let created = created.expect_status(StatusCode::CREATED)?;
        let query = created.header("location").strip_prefix("/relation-tuples").context("a location")?.to_owned();
        ensure!(list(suite, &query).await? == [viewer("a")]);
        let deltas = json!([
            { "action": "insert", "relation_tuple": viewer("b") },
            { "action": "delete", "relation_tuple": viewer("a") },
        ]);
        let patched = api.json(Method::PATCH, suite.permissions("write", TUPLES), &deltas).await?;
        patched.expect_status(StatusCode::NO_CONTENT)?;
        ensure!(list(suite, "?namespace=Doc").await? == [viewer("b")]);
        let check = |object: &str| {
            let query = format!("namespace=Doc&object={object}&relation=viewer&subject_id=alice");
            suite.permissions("read", &format!("/relation-tuples/check?{query}"))
        };
        ensure!(api.get(check("b")).await?.expect_status(StatusCode::OK)?.at("/allowed") == true);
        ensure!(api.get(check("a")).await?.expect_status(StatusCode::FORBIDDEN)?.at("/allowed") == false);
        let url = Url::parse(&suite.permissions("write", &format!("{TUPLES}?namespace=Doc")))?;
        api.send(Method::DELETE, &url, None, Bytes::new()).await?.expect_status(StatusCode::NO_CONTENT)?;
        ensure!(list(suite, "").await?.is_empty());
        // Each listener has only its own paths.
        for (listener, path) in
            [("read", TUPLES), ("write", "/relation-tuples"), ("opl", "/namespaces"), ("metrics", "/namespaces")]
        {
            api.get(suite.permissions(listener, path)).await?.expect_status(StatusCode::NOT_FOUND)?;
        }
        for listener in ["read", "write", "opl", "metrics"] {
            let metrics = api.get(suite.permissions(listener, "/metrics/prometheus")).await?;
            ensure!(metrics.expect_status(StatusCode::OK)?.text().contains("http_requests_total"));
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_change_of_one_node_is_read_at_the_other_with_its_token() -> Result<()> {
    let [first, second] = Suite::start_two_nodes(namespaces()).await?;
    for number in 0..20 {
        let (writer, reader) = if number % 2 == 0 { (&first, &second) } else { (&second, &first) };
        let tuple = viewer(&number.to_string());
        let created = writer.api().json(Method::PUT, writer.permissions("write", TUPLES), &tuple).await?;
        let token = created.expect_status(StatusCode::CREATED)?.header("snaptoken").to_owned();
        ensure!(!token.is_empty());
        let found = list(reader, &format!("?namespace=Doc&object={number}&snaptoken={token}")).await?;
        ensure!(found == [tuple], "{found:?}");
    }
    let page = first.api().get(first.permissions("read", "/relation-tuples?page_size=15")).await?;
    let next = page.at("/next_page_token").as_str().context("a token")?.to_owned();
    let rest = list(&second, &format!("?page_size=15&page_token={next}")).await?;
    ensure!(rest.len() == 5, "{rest:?}");
    first.stop().await;
    second.stop().await;
    Ok(())
}

/// Repeats the request until the answer has that status: a change is noticed within seconds.
async fn eventually(suite: &Suite, url: &str, status: StatusCode) -> Result<()> {
    for _ in 0..300 {
        if suite.api().get(url).await?.status == status {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    suite.api().get(url).await?.expect_status(status).map(|_| ())
}

#[tokio::test]
async fn a_server_is_ready_with_its_first_model_and_follows_the_files() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let location = format!("file://{}", folder.path().join("namespaces").display());
    let suite = Suite::start_with(Engine::Sqlite, json!({ "permissions": { "namespaces": location } })).await?;
    let ready = suite.permissions("read", "/health/ready");
    let page = suite.api().get(&ready).await?.expect_status(StatusCode::SERVICE_UNAVAILABLE)?;
    let reason = page.at("/errors/model_loaded").as_str().context("a reason")?.to_owned();
    ensure!(reason.contains("cannot be loaded") && reason.contains("namespaces"), "{reason}");
    let doc = suite.permissions("read", "/relation-tuples?namespace=Doc");
    suite.api().get(&doc).await?.expect_status(StatusCode::SERVICE_UNAVAILABLE)?;

    std::fs::create_dir(folder.path().join("namespaces"))?;
    let write = |name: &str, text: &str| std::fs::write(folder.path().join("namespaces").join(name), text);
    write("doc.yml", "name: Doc\nid: 0\n")?;
    eventually(&suite, &ready, StatusCode::OK).await?;
    eventually(&suite, &doc, StatusCode::OK).await?;
    write("group.json", r#"{"name": "Group"}"#)?;
    eventually(&suite, &suite.permissions("read", "/relation-tuples?namespace=Group"), StatusCode::OK).await?;
    // A file that is not valid keeps the model.
    write("doc.yml", "nam: Doc\n")?;
    write("more.toml", "name = \"More\"\n")?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    suite.api().get(&doc).await?.expect_status(StatusCode::OK)?;
    suite.api().get(&ready).await?.expect_status(StatusCode::OK)?;
    write("doc.yml", "name: Files\n")?;
    eventually(&suite, &doc, StatusCode::NOT_FOUND).await?;
    eventually(&suite, &suite.permissions("read", "/relation-tuples?namespace=More"), StatusCode::OK).await?;
    suite.stop().await;
    Ok(())
}

#[tokio::test]
async fn the_service_runs_alone() -> Result<()> {
    let suite = Suite::start_services(&[Service::PERMISSIONS], namespaces()).await?;
    suite.api().get(suite.permissions("read", "/health/ready")).await?.expect_status(StatusCode::OK)?;
    let created = suite.api().json(Method::PUT, suite.permissions("write", TUPLES), &viewer("a")).await?;
    created.expect_status(StatusCode::CREATED)?;
    ensure!(list(&suite, "").await? == [viewer("a")]);
    suite.stop().await;
    Ok(())
}

/// The reference configuration of Keto, with every key.
const KETO: &str = r#"
version: v0.14.0
dsn: memory
log: { level: debug, format: json }
tracing: { provider: otel, service_name: keto }
serve:
  read:
    host: 127.0.0.1
    port: 4466
    write_listen_file: file:///tmp/keto-read
    cors: { enabled: true, allowed_origins: ["https://*.example.com"], allowed_methods: [GET], debug: true }
  write: { host: 127.0.0.1, port: 4467 }
  metrics: { host: 127.0.0.1, port: 4468 }
  opl: { host: 127.0.0.1, port: 4469 }
profiling: cpu
namespaces:
  - { id: 0, name: videos }
limit:
  max_read_depth: 10
  max_read_width: 200
  max_batch_check_size: 20
  batch_check_max_parallelization: 3
  max_expand_size: 1000
secrets:
  pagination: [a secret of sixteen or more characters]
clients: { http: { disallow_private_ip_ranges: true } }
feature_flags: { strict_mode: false, expand_rewrites: true }
"#;

#[test]
fn a_file_of_keto_is_accepted_as_it_is() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("keto.yml");
    std::fs::write(&file, KETO)?;
    // Without a name it is recognized by its keys.
    for services in [vec![Service::PERMISSIONS], Vec::new()] {
        let config = Config::load(&Sources { services, files: vec![file.clone()], ..Sources::default() });
        let config = config.map_err(|faults| anyhow::anyhow!("{faults}"))?;
        let value = |key: &str| config.value(Service::PERMISSIONS, key).cloned().unwrap_or_default();
        ensure!(value("namespaces.0.name").is_null() && value("namespaces") == json!([{ "id": 0, "name": "videos" }]));
        // The default of a kleis.yml does not apply.
        ensure!(value("write_validation").is_null());
    }
    let environment = [("NAMESPACES_LOCATION", "file:///etc/keto/model.ts"), ("SERVE_READ_PORT", "4566")];
    let environment = environment.map(|(name, text)| (name.to_owned(), text.to_owned())).to_vec();
    let config = Config::load(&Sources { services: vec![Service::PERMISSIONS], environment, ..Sources::default() });
    let config = config.map_err(|faults| anyhow::anyhow!("{faults}"))?;
    let location = config.value(Service::PERMISSIONS, "namespaces.location").cloned();
    ensure!(location == Some(json!("file:///etc/keto/model.ts")), "{location:?}");
    ensure!(config.value(Service::PERMISSIONS, "serve.read.port") == Some(&json!(4566)));
    Ok(())
}
