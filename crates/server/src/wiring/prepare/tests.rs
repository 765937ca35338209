//! Tests with files as people write them: which ones start, which ones cause a report, which ones stop the start.

use std::path::Path;

use serde_json::{Value, json};

use super::{Purpose, prepare};
use crate::config::{Config, Service, Severity, Sources};
use crate::wiring::Findings;
use crate::{Environment, start};

struct World(tempfile::TempDir);

impl World {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, text: &str) -> std::path::PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn environment(&self) -> Environment {
        Environment { data_dir: self.0.path().join("data"), free_ports: true, ..Environment::system() }
    }

    fn config(
        &self,
        services: &[Service],
        files: &[(&str, &str)],
        variables: &[(&str, &str)],
    ) -> Result<Config, String> {
        let sources = Sources {
            services: services.to_vec(),
            files: files.iter().map(|(name, text)| self.file(name, text)).collect(),
            environment: variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
            ..Sources::default()
        };
        Config::load(&sources).map_err(|faults| faults.to_string())
    }

    /// The faults and the warnings of a start with the default ports that binds no address.
    async fn examine(&self, config: &Config) -> (Vec<String>, Vec<String>) {
        let (faults, notices) = self.examine_all(config).await;
        (
            faults,
            notices
                .into_iter()
                .filter_map(|(severity, text)| (severity >= Severity::Warning).then_some(text))
                .collect(),
        )
    }

    async fn examine_all(&self, config: &Config) -> (Vec<String>, Vec<(Severity, String)>) {
        let environment = Environment { free_ports: false, ..self.environment() };
        let mut findings = Findings::of(config);
        prepare(config.clone(), &environment, Purpose::Examine, &mut findings).await;
        let notices = findings.sorted_notices().into_iter().map(|notice| (notice.severity, notice.to_string()));
        let notices = notices.collect();
        (findings.faults.iter().map(ToString::to_string).collect(), notices)
    }

    /// Starts and stops; returns the warnings.
    async fn starts(&self, services: &[Service], name: &str, text: &str) -> Vec<String> {
        let config = self.config(services, &[(name, text)], &[]).unwrap();
        let (faults, warnings) = self.examine(&config).await;
        assert_eq!(faults, Vec::<String>::new());
        start(config, self.environment()).await.unwrap().shutdown().await;
        warnings
    }

    async fn refused(&self, services: &[Service], name: &str, text: &str) -> String {
        let config = self.config(services, &[(name, text)], &[]).unwrap();
        start(config, self.environment()).await.unwrap_err().to_string()
    }
}

#[tokio::test]
async fn a_file_of_a_service_that_does_not_run_is_reported() {
    let world = World::new();
    let files = [("kratos.yml", "dsn: memory\nselfservice: {default_browser_return_url: \"http://127.0.0.1/\"}\n")];
    let (faults, warnings) = world.examine(&world.config(&[Service::GATEWAY], &files, &[]).unwrap()).await;
    assert_eq!(faults, Vec::<String>::new());
    assert!(
        warnings.contains(&"kratos.yml: configures identity, which does not run: it has no effect".to_owned()),
        "{warnings:?}"
    );
}

#[tokio::test]
async fn a_database_in_a_directory_that_does_not_exist_is_a_fault() {
    let world = World::new();
    let path = world.0.path().join("missing");
    let text = format!("dsn: sqlite://{}/kleis.db", path.display());
    let (faults, _) = world.examine(&world.config(&[], &[("kleis.yml", &text)], &[]).unwrap()).await;
    let wanted = format!("dsn: the directory of the database, {}, does not exist: create it", path.display());
    assert_eq!(faults, [wanted]);
}

const RETURN_URL: &str = "selfservice: {default_browser_return_url: \"http://127.0.0.1/\"}\n";

#[tokio::test]
async fn a_bcrypt_cost_below_the_minimum_is_raised_and_reported() {
    let text = format!("dsn: memory\n{RETURN_URL}hashers: {{algorithm: bcrypt, bcrypt: {{cost: 8}}}}");
    let warnings = World::new().starts(&[Service::IDENTITY], "kratos.yml", &text).await;
    assert_eq!(warnings, ["kratos.yml: hashers.bcrypt.cost: is below the minimum; 12 is used"]);
}

#[tokio::test]
async fn argon2_memory_below_the_minimum_is_raised_and_reported() {
    let text = format!(
        "dsn: memory\n{RETURN_URL}hashers: {{algorithm: argon2, argon2: {{memory: 1KB, iterations: 1, parallelism: 1}}}}"
    );
    let warnings = World::new().starts(&[Service::IDENTITY], "kratos.yml", &text).await;
    assert_eq!(warnings, ["kratos.yml: hashers.argon2.memory: is below the minimum; 8KB is used"]);
}

#[tokio::test]
async fn an_admin_api_that_is_named_by_another_host_and_stays_on_loopback_is_reported() {
    let world = World::new();
    let text = format!(
        "dsn: memory\n{RETURN_URL}serve: {{admin: {{base_url: \"http://kratos:4434/\"}}, public: {{base_url: \
         \"http://127.0.0.1:4433/\"}}}}"
    );
    let warnings = world.starts(&[Service::IDENTITY], "kratos.yml", &text).await;
    assert!(
        matches!(&warnings[..], [only] if only.starts_with("kratos.yml: serve.admin.base_url: names another host")
            && only.contains("KLEIS_ADMIN_TOKENS") && only.contains("admin.unprotected: true in this file")),
        "{warnings:?}"
    );
    // Both ways that it suggests work in the same file, and open the listener.
    for way in ["admin: {unprotected: true}", "admin: {tokens: [0123456789abcdef]}"] {
        let config = world.config(&[Service::IDENTITY], &[("kratos.yml", &format!("{text}\n{way}"))], &[]).unwrap();
        let (faults, notices) = world.examine_all(&config).await;
        assert_eq!(faults, Vec::<String>::new());
        assert!(
            notices.iter().any(|(_, text)| text.contains("serve.admin: would listen on 0.0.0.0:4434")),
            "{notices:?}"
        );
    }
}

#[tokio::test]
async fn naming_one_flow_key_changes_that_key_alone() {
    let world = World::new();
    let text = "identity: {selfservice: {flows: {login: {lifespan: 10m}}}}";
    let one_key = world.config(&[], &[("kleis.yml", text)], &[]).unwrap();
    let none = world.config(&[], &[], &[]).unwrap();
    let section = |config: &Config| config.section::<identity::Config>(Service::IDENTITY, &Value::Null).unwrap();
    let (one_key, none) = (section(&one_key).selfservice.flows, section(&none).selfservice.flows);
    assert_eq!(one_key.login.lifespan.to_string(), "10m");
    for flows in [&one_key, &none] {
        assert!(flows.recovery.enabled && flows.verification.enabled && flows.registration.confirm_address_first);
    }
    let classic = world.config(&[Service::IDENTITY], &[("kratos.yml", RETURN_URL)], &[]).unwrap();
    let classic = section(&classic).selfservice.flows;
    assert!(!classic.recovery.enabled && !classic.registration.confirm_address_first, "its own defaults");
}

#[tokio::test]
async fn a_listener_leaves_loopback_only_because_of_its_own_section() {
    let world = World::new();
    let place = async |files: &[(&str, &str)], listener: &str| {
        let config = world.config(&[], files, &[]).unwrap();
        let (_, notices) = world.examine_all(&config).await;
        let prefix = format!("{listener}: would listen on ");
        notices.into_iter().find_map(|(_, text)| Some(text.strip_prefix(&prefix)?.to_owned())).unwrap()
    };
    let gateway = [("kleis.yml", "gateway: {access_rules: {repositories: [\"inline://W10=\"]}}")];
    for (listener, port) in
        [("identity.serve.public", 4433), ("oauth.serve.public", 4444), ("gateway.serve.proxy", 4455)]
    {
        let found = place(&gateway, listener).await;
        assert!(found.starts_with(&format!("127.0.0.1:{port}: no host and no URL of another host")), "{found}");
    }
    let host = [("kleis.yml", "identity: {serve: {public: {host: 0.0.0.0}}}")];
    assert!(place(&host, "identity.serve.public").await.starts_with("0.0.0.0:4433: set by its host"));
    let issuer = [("kleis.yml", "oauth: {urls: {self: {issuer: \"https://auth.example.org\"}}}")];
    assert!(
        place(&issuer, "oauth.serve.public").await.starts_with("0.0.0.0:4444: oauth.urls.self.issuer names another")
    );
    assert!(place(&issuer, "identity.serve.public").await.starts_with("127.0.0.1"));
    let classic = [("kratos.yml", RETURN_URL)];
    assert!(place(&classic, "oauth.serve.public").await.starts_with("127.0.0.1"));
    assert!(place(&classic, "kratos.yml: serve.public").await.starts_with("0.0.0.0:4433"));
}

#[tokio::test]
async fn different_log_settings_are_reported_and_do_not_stop_the_start() {
    let world = World::new();
    let files = [
        ("kratos.yml", "log: {level: debug}\nselfservice: {default_browser_return_url: \"http://127.0.0.1/\"}"),
        ("hydra.yml", "log: {level: warn}\nurls: {self: {issuer: \"http://127.0.0.1:4444\"}}"),
        ("oathkeeper.yml", "log: {level: error}\naccess_rules: {repositories: [\"inline://W10=\"]}"),
    ];
    let config = world.config(&[], &files, &[("DSN", "memory")]).unwrap();
    let (faults, warnings) = world.examine(&config).await;
    assert_eq!(faults, Vec::<String>::new());
    for other in ["hydra.yml: log", "oathkeeper.yml: log"] {
        assert!(
            warnings.iter().any(|it| it.starts_with(other) && it.contains("differs from identity.log")),
            "{warnings:?}"
        );
    }
}

/// In the replaced programs these keys allow every origin.
#[tokio::test]
async fn cors_without_origins_is_reported() {
    let world = World::new();
    let cors =
        |origins: &str| format!("dsn: memory\nnamespaces: []\nserve: {{read: {{cors: {{enabled: true{origins}}}}}}}");
    for (origins, is_reported) in [("", true), (", allowed_origins: ['https://a.example']", false)] {
        let config = world.config(&[Service::PERMISSIONS], &[("keto.yml", &cors(origins))], &[]).unwrap();
        let (faults, warnings) = world.examine(&config).await;
        assert_eq!(faults, Vec::<String>::new());
        let found = warnings.iter().any(|it| it.starts_with("keto.yml: serve.read.cors: is enabled without"));
        assert_eq!(found, is_reported, "{warnings:?}");
    }
}

#[tokio::test]
async fn every_fault_is_reported_by_one_start_and_by_the_doctor() {
    let world = World::new();
    let text = r#"
dsn: postgres://nobody@127.0.0.1:1/none
identity:
  identity: {default_schema_id: d, schemas: [{id: d, url: "file:///nowhere/schema.json"}]}
  serve: {admin: {host: 0.0.0.0}}
gateway: {access_rules: {repositories: ["file:///nowhere/rules.json"]}}
"#;
    let config = world.config(&[], &[("kleis.yml", text)], &[]).unwrap();
    let (faults, warnings) = world.examine(&config).await;
    let started = start(config, world.environment()).await.unwrap_err().to_string();
    for wanted in [
        "secrets: no secret is set",
        "identity.serve.admin.host: the admin API would be open",
        "/nowhere/schema.json",
        "dsn: ",
    ] {
        assert!(started.contains(wanted), "{wanted} is missing in\n{started}");
        assert!(faults.iter().any(|fault| fault.contains(wanted)), "{wanted} is missing in {faults:?}");
    }
    assert!(
        warnings
            .iter()
            .any(|it| it.starts_with("gateway.access_rules.repositories: /nowhere/rules.json could not be loaded")),
        "{warnings:?}"
    );
}

#[tokio::test]
async fn a_certificate_a_schema_and_an_upstream_that_cannot_be_used_are_reported_at_once() {
    let world = World::new();
    let text = r#"
dsn: memory
identity:
  identity: {default_schema_id: d, schemas: [{id: d, url: "file:///nowhere/schema.json"}]}
  courier: {smtp: {connection_uri: "smtp://"}}
  serve: {public: {tls: {cert: {path: /nowhere/cert.pem}, key: {path: /nowhere/key.pem}}}}
oauth: {urls: {self: {issuer: "http://id.example.org"}}}
"#;
    let config = world.config(&[], &[("kleis.yml", text)], &[]).unwrap();
    let (faults, _) = world.examine(&config).await;
    for wanted in [
        "identity.serve.public.tls: the certificate cannot be read: /nowhere/cert.pem",
        "/nowhere/schema.json",
        "courier.smtp.connection_uri",
        "oauth.urls.self.issuer: must be an https URL",
    ] {
        assert!(faults.iter().any(|fault| fault.contains(wanted)), "{wanted} is missing in {faults:?}");
    }
}

#[tokio::test]
async fn an_interrupting_web_hook_stops_the_start_unless_its_loss_is_accepted() {
    let world = World::new();
    let text = r#"
dsn: memory
selfservice:
  default_browser_return_url: "http://127.0.0.1/"
  flows:
    login:
      after:
        password:
          hooks:
            - hook: web_hook
              config: {url: "http://127.0.0.1:4998/check", method: POST, body: "base64://ZnVuY3Rpb24oY3R4KSB7IGlkOiBjdHguaWRlbnRpdHkuaWQgfQ==", can_interrupt: true}
"#;
    let refusal = world.refused(&[Service::IDENTITY], "kratos.yml", text).await;
    let hook = "kratos.yml: selfservice.flows.login.after.password.hooks.0: this web-hook may stop the flow";
    assert!(refusal.contains(hook) && refusal.contains("KLEIS_ACCEPT_UNSUPPORTED=interrupting_web_hooks"), "{refusal}");
    assert_eq!(refusal.lines().count(), 2, "{refusal}");
    let accepted = format!("{text}accept_unsupported: [interrupting_web_hooks]\n");
    let warnings = world.starts(&[Service::IDENTITY], "kratos.yml", &accepted).await;
    assert_eq!(warnings.len(), 2, "the loss and the feature, once each: {warnings:?}");
    let harmless = text.replace(", can_interrupt: true", "");
    let warnings = world.starts(&[Service::IDENTITY], "kratos.yml", &harmless).await;
    assert!(matches!(&warnings[..], [only] if only.contains("web-hooks are not called yet")), "{warnings:?}");
}

#[tokio::test]
async fn a_required_second_factor_stops_the_start_unless_its_loss_is_accepted() {
    let world = World::new();
    let file = |aal: &str, methods: &str| {
        format!(
            "dsn: memory\nselfservice: {{default_browser_return_url: \"http://127.0.0.1/\", methods: {methods}}}\nsession: {{whoami: \
             {{required_aal: {aal}}}}}"
        )
    };
    let refusal = world.refused(&[Service::IDENTITY], "kratos.yml", &file("aal2", "{}")).await;
    assert!(refusal.contains("kratos.yml: session.whoami.required_aal: this requires a second factor"), "{refusal}");
    let accepted = format!("{}\naccept_unsupported: [second_factors]", file("aal2", "{}"));
    world.starts(&[Service::IDENTITY], "kratos.yml", &accepted).await;
}

#[tokio::test]
async fn the_second_factor_of_those_who_have_one_starts_and_is_reported() {
    let world = World::new();
    let file = |aal: &str, methods: &str| {
        format!(
            "dsn: memory\nselfservice: {{default_browser_return_url: \"http://127.0.0.1/\", methods: {methods}}}\nsession: {{whoami: \
             {{required_aal: {aal}}}}}"
        )
    };
    for aal in ["highest_available", "aal1"] {
        let warnings = world
            .starts(
                &[Service::IDENTITY],
                "kratos.yml",
                &file(aal, "{webauthn: {enabled: true, config: {rp: {id: localhost, display_name: Kleis}}}}"),
            )
            .await;
        assert!(
            matches!(&warnings[..], [only] if only.starts_with("kratos.yml: selfservice.methods.webauthn: security keys")),
            "{warnings:?}"
        );
    }
    let warnings = world.starts(&[Service::IDENTITY], "kratos.yml", &file("highest_available", "{}")).await;
    assert_eq!(warnings, [""; 0]);
}

#[tokio::test]
async fn an_unavailable_or_duplicated_setting_is_reported_and_does_not_stop_the_start() {
    let world = World::new();
    let (identity, gateway) = ([Service::IDENTITY], [Service::GATEWAY]);
    let kratos = |rest: &str| format!("dsn: memory\n{RETURN_URL}{rest}");
    let schema = "{id: default, url: \"builtin://person\"}";
    let template = "courier: {templates: {recovery_code: {valid: {email: {subject: \"file:///nowhere/subject\"}}}}}";
    let cases = [
        (
            kratos("tracing: {provider: zipkin, providers: {zipkin: {server_url: \"http://127.0.0.1:9/\"}}}"),
            "tracing.provider: no traces are sent: zipkin is not supported",
        ),
        (
            kratos("tracing: {provider: jaeger}"),
            "tracing.provider: no traces are sent: tracing.providers has no address",
        ),
        (
            kratos(template),
            "kratos.yml: courier.templates.recovery_code.valid.email.subject: cannot be read, and the built-in",
        ),
        (
            kratos(&format!("identity: {{default_schema_id: default, schemas: [{schema}, {schema}]}}")),
            "kratos.yml: identity.schemas: an id is listed twice",
        ),
    ];
    for (text, wanted) in cases {
        let warnings = world.starts(&identity, "kratos.yml", &text).await;
        assert!(warnings.iter().any(|warning| warning.starts_with(wanted)), "{wanted}: {warnings:?}");
    }
    let bucket = "access_rules: {repositories: [\"s3://bucket/rules.json\"]}";
    let warnings = world.starts(&gateway, "oathkeeper.yml", bucket).await;
    assert!(warnings.iter().any(|warning| warning.contains("cloud storage buckets are not supported")), "{warnings:?}");
    let half = "dsn: memory\nserve: {public: {tls: {enabled: false, key: {path: /nowhere/key.pem}}}}";
    world.starts(&[Service::OAUTH], "hydra.yml", half).await;
}

#[tokio::test]
async fn an_inline_certificate_takes_precedence_over_its_file() {
    let tls = |key: &str| format!("key: {{path: /nowhere/{key}.pem, base64: bm8gUEVN}}");
    let text = format!("serve: {{api: {{tls: {{{}, {}}}}}}}", tls("key"), tls("cert").replacen("key", "cert", 1));
    let refusal = World::new().refused(&[Service::GATEWAY], "oathkeeper.yml", &text).await;
    assert!(refusal.contains("serve.api.tls") && !refusal.contains("/nowhere"), "{refusal}");
}

#[tokio::test]
async fn development_needs_no_secret_on_postgresql_and_saves_the_generated_ones() {
    let world = World::new();
    let dsn = database::testing::postgres_url().await;
    let config = |dev: &str| {
        let text = format!("{RETURN_URL}dev: {dev}");
        world.config(&[Service::IDENTITY], &[("kratos.yml", &text)], &[("DSN", &dsn)]).unwrap()
    };
    let refusal = start(config("false"), world.environment()).await.unwrap_err().to_string();
    assert!(refusal.contains("no secret is set"), "{refusal}");
    for _ in 0..2 {
        start(config("true"), world.environment()).await.unwrap().shutdown().await;
    }
    assert!(world.0.path().join("data/secrets.json").exists());
    let (faults, warnings) = world.examine(&config("true")).await;
    assert_eq!(faults, [""; 0]);
    assert!(warnings.iter().any(|it| it.starts_with("secrets: no secret is set: development uses")), "{warnings:?}");
}

#[tokio::test]
async fn a_body_that_a_program_writes_is_reported_with_its_consequence() {
    let text = format!(
        "dsn: memory\n{RETURN_URL}courier: {{channels: [{{id: sms, type: http, request_config: {{url: \"http://127.0.0.1:4999/sms\", \
         method: POST, body: \"base64://ZnVuY3Rpb24oY3R4KSB7IHRvOiBjdHgucmVjaXBpZW50LCBib2R5OiBjdHguYm9keSB9\"}}}}]}}"
    );
    let warnings = World::new().starts(&[Service::IDENTITY], "kratos.yml", &text).await;
    assert!(
        matches!(&warnings[..], [only] if only.starts_with("kratos.yml: courier.channels.0.request_config.body: Jsonnet bodies are not supported")),
        "{warnings:?}"
    );
}

#[tokio::test]
async fn secrets_that_are_missing_are_derived_from_those_that_are_set() {
    let world = World::new();
    let text = format!(
        "{RETURN_URL}secrets: {{cookie: [PLEASE-CHANGE-ME-I-AM-VERY-INSECURE], cipher: [32-LONG-SECRET-NOT-SECURE-AT-ALL]}}"
    );
    let dsn = database::testing::postgres_url().await;
    let config = || world.config(&[Service::IDENTITY], &[("kratos.yml", &text)], &[("DSN", &dsn)]).unwrap();
    let notices: Vec<String> = config().notices.iter().map(ToString::to_string).collect();
    let wanted = "kratos.yml: secrets.default: is not set; it is derived from identity.secrets.cipher";
    assert!(notices.iter().any(|notice| notice.starts_with(wanted)), "{notices:?}");
    start(config(), world.environment()).await.unwrap().shutdown().await;
    assert!(!world.0.path().join("data").exists(), "nothing is generated");
    start(config(), world.environment()).await.unwrap().shutdown().await;
    let other = text.replace("32-LONG-SECRET-NOT-SECURE-AT-ALL", "32-LONG-SECRET-OF-ANOTHER-NODE!!");
    let refusal = start(
        world.config(&[Service::IDENTITY], &[("kratos.yml", &other)], &[("DSN", &dsn)]).unwrap(),
        world.environment(),
    )
    .await
    .unwrap_err();
    assert!(refusal.to_string().contains("do not match the database"), "{refusal}");
}

#[tokio::test]
async fn public_subject_identifiers_need_no_salt() {
    let world = World::new();
    let text = "dsn: memory\noidc: {subject_identifiers: {supported_types: [public]}}";
    assert_eq!(world.starts(&[Service::OAUTH], "hydra.yml", text).await, Vec::<String>::new());
    let pairwise = text.replace("public", "public, pairwise");
    let faults = world.config(&[Service::OAUTH], &[("hydra.yml", &pairwise)], &[]).unwrap_err();
    assert!(faults.contains("hydra.yml: oidc.subject_identifiers: lacks the key \"pairwise\""), "{faults}");
}

const TABLES: &str =
    "CREATE TABLE schema_migration (version text NOT NULL); CREATE TABLE hydra_client (id text NOT NULL);";
const HYDRA: database::MigrationSet = database::MigrationSet {
    service: "hydra",
    migrations: &[database::Migration { version: 1, name: "tables", sqlite: TABLES, postgres: TABLES }],
};

#[tokio::test]
async fn a_database_of_a_replaced_program_is_recognized_and_left_alone() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("hydra.db");
    let file = format!("sqlite://{}", path.display());
    for dsn in [file, database::testing::postgres_url().await] {
        let opened = database::Database::open(&dsn.parse().unwrap()).await.unwrap();
        opened.migrate(&[HYDRA], base::Timestamp::EPOCH).await.unwrap();
        drop(opened);
        let config =
            Config::from_value(&[], json!({"dsn": dsn, "secrets": {"default": ["0123456789abcdef"]}})).unwrap();
        let environment =
            Environment { data_dir: place.path().join("data"), free_ports: true, ..Environment::system() };
        let refusal = start(config.clone(), environment).await.unwrap_err().to_string();
        assert!(refusal.contains("dsn: this database belongs to Hydra"), "{refusal}");
        let opened = database::Database::open(&dsn.parse().unwrap()).await.unwrap();
        let status = opened.migration_status(&[jobs::MIGRATIONS]).await.unwrap();
        let mut of_jobs = status.iter().filter(|step| step.service == "jobs");
        assert!(of_jobs.all(|step| step.state == database::MigrationState::Pending), "nothing was written");
    }
    assert!(!Path::new(&place.path().join("data")).exists());
}

#[tokio::test]
async fn a_setting_with_an_equivalent_is_reported_and_does_not_stop_the_start() {
    let world = World::new();
    let kratos = r#"
dsn: memory
selfservice:
  default_browser_return_url: "http://127.0.0.1/"
  methods: {link: {enabled: false}}
  flows: {recovery: {enabled: true, use: link}, verification: {enabled: true, use: link}}
"#;
    let hydra =
        "oidc: {subject_identifiers: {supported_types: []}}\nurls: {self: {issuer: \"http://127.0.0.1:4444\"}}\n";
    let config = world.config(&[], &[("kratos.yml", kratos), ("hydra.yml", hydra)], &[]).unwrap();
    let (faults, warnings) = world.examine(&config).await;
    assert_eq!(faults, Vec::<String>::new());
    for (key, what) in [
        ("kratos.yml: selfservice.flows.recovery.use", "code is used"),
        ("kratos.yml: selfservice.flows.verification.use", "code is used"),
        ("hydra.yml: oidc.subject_identifiers.supported_types", "public is used"),
    ] {
        assert!(warnings.iter().any(|it| it.starts_with(key) && it.contains(what)), "{key}: {warnings:?}");
    }
}

#[tokio::test]
async fn without_a_configured_url_this_machine_is_called_localhost() {
    let running =
        start(Config::from_value(&[], json!({"dsn": "memory"})).unwrap(), World::new().environment()).await.unwrap();
    for (service, listener, address, url) in running.addresses.iter() {
        let port = address.tcp().unwrap().port();
        assert_eq!(url, format!("http://localhost:{port}/"), "{service} {listener}");
    }
    running.shutdown().await;
}

#[tokio::test]
async fn a_color_that_cannot_be_read_is_a_warning_and_a_footer_without_url_a_fault() {
    let world = World::new();
    let text =
        "ui:\n  variables: {accent: \"#ffd24d\"}\n  dark_variables: {accent: var(--brand)}\n  languages: [de, ar]\n";
    let config = world.config(&[Service::IDENTITY], &[("kleis.yml", text)], &[]).unwrap();
    let (faults, warnings) = world.examine(&config).await;
    assert_eq!(faults, Vec::<String>::new());
    let of_ui: Vec<_> = warnings.iter().filter(|warning| warning.starts_with("ui.")).collect();
    assert!(of_ui[0].starts_with("ui.dark_variables.accent: the contrast of this colour is not checked"), "{of_ui:?}");
    let weak = "ui.variables.accent: accent on surface has a contrast of 1.44 in the light scheme, but needs 4.5";
    assert!(of_ui.iter().any(|warning| warning.starts_with(weak)), "{of_ui:?}");

    let config =
        world.config(&[Service::IDENTITY], &[("kleis.yml", "ui: {footer: {help: help.html}}\n")], &[]).unwrap();
    let (faults, _) = world.examine(&config).await;
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].contains("footer.help: expected an https, http or mailto URL"), "{faults:?}");
    let unknown = world.config(&[Service::IDENTITY], &[("kleis.yml", "ui: {languages: [xx]}\n")], &[]).unwrap_err();
    assert!(unknown.contains("ui.languages[0]: `xx` is not a language of the pages"), "{unknown}");
}

#[tokio::test]
async fn the_example_of_the_guide_to_the_pages_is_valid_and_readable() {
    let guide = include_str!("../../../../../docs/guides/make-the-pages-yours.md");
    let example = guide.split_once("```yaml\n").and_then(|(_, rest)| rest.split_once("```")).unwrap().0;
    let world = World::new();
    let config = world.config(&[Service::IDENTITY], &[("kleis.yml", example)], &[]).unwrap();
    let (faults, warnings) = world.examine(&config).await;
    assert_eq!(faults, Vec::<String>::new());
    let of_ui: Vec<_> = warnings.iter().filter(|warning| warning.starts_with("ui.")).collect();
    assert!(of_ui.is_empty(), "{of_ui:?}");
    assert!(config.shared.ui.footer.imprint.is_some() && config.shared.ui.languages().len() == 2);
}

/// A key by which a file is recognised as Hydra's.
const OF_HYDRA: &str = "oidc: {subject_identifiers: {supported_types: [public]}}";

#[tokio::test]
async fn a_gateway_starts_without_a_writable_data_directory_and_keeps_no_database() {
    let world = World::new();
    let config = || world.config(&[Service::GATEWAY], &[], &[]).unwrap();
    // A file in place of the parent directory: nobody can create the directory, not even root.
    let environment = || Environment { data_dir: world.file("read-only", "").join("data"), ..world.environment() };
    start(config(), environment()).await.unwrap().shutdown().await;
    let refused = world.config(&[Service::IDENTITY], &[], &[]).unwrap();
    let refused = start(refused, environment()).await.unwrap_err().to_string();
    assert!(refused.contains("--data or KLEIS_DATA"), "{refused}");

    start(config(), world.environment()).await.unwrap().shutdown().await;
    let files = std::fs::read_dir(world.0.path().join("data")).unwrap();
    let files: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["gateway-keys.json"], "the gateway has a key and no tables");
}

#[tokio::test]
async fn an_admin_listener_that_is_open_on_purpose_is_a_warning_that_claims_no_authentication() {
    let world = World::new();
    let admin = async |way: &str| {
        let text = format!("dsn: memory\nadmin: {{{way}}}\n{OF_HYDRA}");
        let config = world.config(&[Service::OAUTH], &[("hydra.yml", &text)], &[]).unwrap();
        let (_, notices) = world.examine_all(&config).await;
        notices.into_iter().find(|(_, text)| text.starts_with("hydra.yml: serve.admin: ")).unwrap()
    };
    let (severity, text) = admin("unprotected: true").await;
    assert!(severity == Severity::Warning && text.contains("admin.unprotected opens it"), "{text}");
    assert!(!text.contains("requires authentication"), "{text}");
    let (severity, text) = admin("tokens: [0123456789abcdef]").await;
    assert!(severity == Severity::Information && text.ends_with("requires authentication"), "{text}");
    // The start fails, and its fault says what to do.
    let open = format!("dsn: memory\nserve: {{admin: {{host: 0.0.0.0}}}}\n{OF_HYDRA}");
    let config = world.config(&[Service::OAUTH], &[("hydra.yml", &open)], &[]).unwrap();
    let (_, notices) = world.examine_all(&config).await;
    let (_, text) = notices.into_iter().find(|(_, text)| text.starts_with("hydra.yml: serve.admin: ")).unwrap();
    assert!(text.ends_with("nothing protects it there"), "{text}");
}

#[tokio::test]
async fn a_missing_secret_is_named_as_the_file_of_the_replaced_program_spells_it() {
    let world = World::new();
    let text = format!("dsn: postgres://127.0.0.1:1/x\n{OF_HYDRA}");
    let text = world.refused(&[Service::OAUTH], "hydra.yml", &text).await;
    assert!(text.contains("set hydra.yml: secrets.system, or HYDRA_SECRETS_SYSTEM"), "{text}");
    assert!(!text.contains("secrets.default"), "{text}");
}

#[tokio::test]
async fn a_permission_model_that_is_missing_or_invalid_is_reported() {
    let world = World::new();
    let notices_of = async |file: (&str, &str)| {
        let config = world.config(&[Service::PERMISSIONS], &[file], &[]).unwrap();
        let (faults, notices) = world.examine_all(&config).await;
        assert_eq!(faults, Vec::<String>::new());
        let about = |(_, text): &(Severity, String)| text.contains("namespaces");
        notices.into_iter().filter(about).collect::<Vec<_>>()
    };
    let unset = notices_of(("kleis.yml", "dsn: memory\n")).await;
    let [(Severity::Warning, text)] = &unset[..] else { panic!("{unset:?}") };
    assert!(text.starts_with("permissions.namespaces: no permission model is configured"), "{text}");
    assert!(text.contains("every check is denied") && text.contains("namespaces.location"), "{text}");

    let model = world.file("model.ts", "class Doc implements Namespace { related: { owners: Usr[] } }");
    let text = format!("dsn: memory\npermissions: {{ namespaces: {{ location: \"{}\" }} }}\n", model.display());
    let invalid = notices_of(("kleis.yml", &text)).await;
    let [(Severity::Failure, why)] = &invalid[..] else { panic!("{invalid:?}") };
    assert!(why.contains("model.ts:1:53: error: namespace \"Usr\" was not declared"), "{why}");

    world.file("model.ts", "class Doc implements Namespace {}");
    let valid = notices_of(("kleis.yml", &text)).await;
    let [(Severity::Information, text)] = &valid[..] else { panic!("{valid:?}") };
    assert!(text.ends_with("model.ts is valid; namespaces: 1, relations: 0, permits: 0"), "{text}");
    let classic = notices_of(("keto.yml", "dsn: memory\nnamespaces: []\n")).await;
    let [(Severity::Warning, text)] = &classic[..] else { panic!("{classic:?}") };
    assert!(text.starts_with("keto.yml: namespaces: "), "{text}");
}
