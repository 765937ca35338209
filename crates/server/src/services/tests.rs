//! Tests with a service that is in no list: what `server` does for a service depends only on its definition.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::routing::get;
use base::TrustStore;
use bytes::Bytes;
use database::{Migration, MigrationSet, MigrationState};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use service::configuration::schema_of;
use service::{
    Building, Built, Check, Configuration, Definition, Diagnosing, Diagnosis, ErrorFormat, Kind, Listener, Parts,
    PublicListener, Replaced, Report, Secrets, Verdict,
};
use web::outbound::{Client, Destinations};

use super::Service;
use crate::cli::doctor::examine;
use crate::config::{Config, Sources};
use crate::{Environment, Running, start};

const TABLE: &str = "CREATE TABLE sample_things (tenant_id INTEGER NOT NULL, name TEXT NOT NULL)";

static SAMPLE: Definition = Definition {
    name: "sample",
    replaced: Some(Replaced {
        program: "specimen",
        default_file: None,
        environment_prefix: "SPECIMEN_",
        keys: &["greeting"],
        listeners: &[],
        recognizes: |_| false,
    }),
    configuration: Configuration::new(
        r#"{
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "greeting": { "type": "string" },
                "farewell": { "type": "string" },
                "serve": { "type": "object", "properties": { "public": { "type": "object" }, "calls": { "type": "object" } } }
            }
        }"#,
        schema_of::<Section>,
    ),
    secrets: Secrets::NONE,
    migrations: Some(MigrationSet {
        service: "sample",
        migrations: &[Migration { version: 1, name: "0001_things", sqlite: TABLE, postgres: TABLE }],
    }),
    retention: &[],
    listeners: &[
        Listener { name: "public", port: 4477, url_keys: &[], kind: Kind::Public(PublicListener::PLAIN) },
        Listener { name: "calls", port: 4478, url_keys: &[], kind: Kind::Grpc },
    ],
    remotes: &[],
    error_format: ErrorFormat::OAuth,
    text_names: Vec::new,
    build: |parts, report| -> Building<'_> { Box::pin(async move { build(&parts, report) }) },
    diagnose: |_| -> Diagnosing<'_> {
        Box::pin(async { vec![Diagnosis::new("sample", Verdict::Warning, "is only a sample")] })
    },
};

const SERVICE: Service = Service::new(&SAMPLE);

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Section {
    /// The text of the answer.
    greeting: String,
}

fn build(parts: &Parts, report: &mut Report) -> Option<Built> {
    let Section { greeting } = parts.read_section(report)?;
    if greeting.is_empty() {
        report.fault("greeting", "must not be empty");
        return None;
    }
    let is_sad = greeting == "sad";
    let public = Router::new().route("/greeting", get(move || async move { greeting }));
    let calls = Router::new().route("/sample.Greeter/Greet", get(|| async { "called" }));
    Some(Built {
        routers: vec![("public", public), ("calls", calls)],
        checks: vec![Arc::new(Mood { is_sad })],
        ..Built::default()
    })
}

struct Mood {
    is_sad: bool,
}

#[async_trait]
impl Check for Mood {
    fn name(&self) -> &'static str {
        "mood"
    }

    async fn run(&self) -> Result<(), String> {
        if self.is_sad { Err("it is sad".to_owned()) } else { Ok(()) }
    }

    async fn examine(&self) -> Option<Diagnosis> {
        Some(Diagnosis::new("sample", Verdict::Warning, "has old data"))
    }
}

fn configured(section: Value) -> Result<Config, String> {
    configured_at("memory", section)
}

#[expect(clippy::needless_pass_by_value, reason = "test data is written where it is used")]
fn configured_at(dsn: &str, section: Value) -> Result<Config, String> {
    let tree = json!({ "dsn": dsn, "sample": section });
    Config::from_value(&[SERVICE], tree).map_err(|faults| faults.to_string())
}

async fn running(section: Value) -> Running {
    let environment = Environment { free_ports: true, ..Environment::system() };
    start(configured(section).unwrap(), environment).await.unwrap()
}

async fn ask(running: &Running, listener: &'static str, path: &str) -> (u16, String) {
    let url = format!("{}{path}", running.addresses.base_url(SERVICE, listener).unwrap());
    let request = http::Request::get(url).body(Bytes::new()).unwrap();
    let answer = Client::new(Destinations::Any, &TrustStore::bundled()).send(request).await.unwrap();
    (answer.status().as_u16(), String::from_utf8(answer.body().to_vec()).unwrap())
}

#[tokio::test]
async fn a_sample_service_is_migrated_and_served_with_its_error_format_and_health() {
    let running = running(json!({ "greeting": "hello" })).await;
    assert_eq!(ask(&running, "public", "greeting").await, (200, "hello".to_owned()));
    assert_eq!(ask(&running, "public", "health/ready").await.0, 200);
    let (status, body) = ask(&running, "public", "planted").await;
    assert_eq!((status, serde_json::from_str::<Value>(&body).unwrap()["error"].clone()), (404, json!("not_found")));
    assert_eq!(ask(&running, "calls", "sample.Greeter/Greet").await, (200, "called".to_owned()));
    assert_eq!(ask(&running, "calls", "health/ready").await.0, 404, "a path of gRPC is a procedure");
    let steps = running.database.migration_status(&[SAMPLE.migrations.unwrap()]).await.unwrap();
    let is_applied = |name| steps.iter().any(|step| step.name == name && step.state == MigrationState::Applied);
    assert!(is_applied("0001_things"), "{steps:?}");
    running.shutdown().await;
}

#[tokio::test]
async fn a_failed_check_of_a_service_makes_it_not_ready() {
    let running = running(json!({ "greeting": "sad" })).await;
    let (status, body) = ask(&running, "public", "health/ready").await;
    assert!(status == 503 && body.contains("mood"), "{body}");
    running.shutdown().await;
}

#[test]
fn the_section_of_a_service_is_validated_and_an_unread_key_is_reported() {
    let fault = configured(json!({ "greting": "hello" })).unwrap_err();
    assert!(fault.contains("sample.greting: there is no such key; did you mean \"greeting\"?"), "{fault}");
    let config = configured(json!({ "greeting": "hello", "farewell": "bye" })).unwrap();
    let notices: Vec<String> = config.notices.iter().map(ToString::to_string).collect();
    assert_eq!(notices, ["sample: these keys are not supported yet and have no effect: farewell"]);
}

#[tokio::test]
async fn a_fault_that_a_service_reports_stops_the_start() {
    let environment = Environment { free_ports: true, ..Environment::system() };
    let error = start(configured(json!({})).unwrap(), environment).await.unwrap_err();
    assert!(error.to_string().contains("sample.greeting: must not be empty"), "{error}");
}

#[test]
fn the_keys_of_a_service_are_set_by_the_environment_and_by_a_file_of_the_replaced_program() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("specimen.yml");
    std::fs::write(&file, "greeting: from the file").unwrap();
    let greeting = |environment: &[(&str, &str)]| {
        let environment = environment.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let sources = Sources { services: vec![SERVICE], files: vec![file.clone()], environment, ..Sources::default() };
        Config::load(&sources).unwrap().value(SERVICE, "greeting").cloned()
    };
    assert_eq!(greeting(&[]), Some(json!("from the file")));
    assert_eq!(greeting(&[("SPECIMEN_GREETING", "classic")]), Some(json!("classic")));
    assert_eq!(greeting(&[("KLEIS_SAMPLE_GREETING", "ours")]), Some(json!("ours")));
}

#[tokio::test]
async fn the_doctor_checks_a_service() {
    let folder = tempfile::tempdir().unwrap();
    let config = configured(json!({ "greeting": "hello" })).unwrap();
    let found = examine(&config, folder.path(), &TrustStore::bundled()).await;
    let says = |text: &str| found.iter().any(|it| it.explanation.contains(text));
    assert!(says("sample.serve.public: would listen on 127.0.0.1:4477"), "{found:?}");
    assert!(says("is only a sample") && !found.iter().any(|it| it.verdict == Verdict::Bad), "{found:?}");
    assert!(!says("has old data"), "there are no tables: {found:?}");
    let dsn = format!("sqlite://{}", folder.path().join("sample.db").display());
    let config = configured_at(&dsn, json!({ "greeting": "hello" })).unwrap();
    let environment = Environment { free_ports: true, ..Environment::system() };
    start(config.clone(), environment).await.unwrap().shutdown().await;
    let found = examine(&config, folder.path(), &TrustStore::bundled()).await;
    assert!(found.iter().any(|it| it.explanation == "has old data"), "{found:?}");
}
