mod every_key;

use std::path::PathBuf;

use serde_json::{Value, json};
use telemetry::LogLevel;

use super::{Config, Service, Sources};

fn sources(files: &[(&str, &str)], environment: &[(&str, &str)]) -> (tempfile::TempDir, Sources) {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = files
        .iter()
        .map(|(name, text)| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        })
        .collect();
    let environment = environment.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    (folder, Sources { files: paths, environment, ..Sources::default() })
}

#[test]
fn files_then_environment_then_flags() {
    let (_folder, mut sources) = sources(
        &[
            ("a.yml", "oauth: {ttl: {access_token: 1h, id_token: 1h}}"),
            ("b.json", r#"{"oauth": {"ttl": {"access_token": "2h", "auth_code": "1m"}}}"#),
            ("c.toml", "[oauth.ttl]\nrefresh_token = \"3h\""),
        ],
        &[("KLEIS_OAUTH_TTL_AUTH_CODE", "2m"), ("KLEIS_DSN", "memory")],
    );
    sources.flags = vec![("dsn".to_owned(), json!("sqlite:///x.db"))];
    let config = Config::load(&sources).unwrap();
    let value = |path: &str| config.value(Service::OAUTH, path).cloned();
    assert_eq!(value("ttl.access_token"), Some(json!("2h")));
    assert_eq!(value("ttl.id_token"), Some(json!("1h")));
    assert_eq!(value("ttl.refresh_token"), Some(json!("3h")));
    assert_eq!(value("ttl.auth_code"), Some(json!("2m")));
    assert_eq!(config.shared.dsn.as_ref().map(|dsn| dsn.expose().as_str()), Some("sqlite:///x.db"));
    assert!(config.is_configured);
}

/// By the names of the replaced program and by ours, whether the file has the key at the top or in the section.
#[test]
fn the_environment_of_one_service_takes_precedence_over_the_keys_that_services_share() {
    let keto = ("keto.yml", "dsn: memory\nlog: {level: warn, format: json}\nnamespaces: []");
    let kratos = ("kratos.yml", "dsn: memory\nlog: {level: warn}\nselfservice: {}");
    let hydra = ("hydra.yml", "dsn: memory\nlog: {level: warn}\nurls: {}");
    let shared = ("kleis.yml", "dsn: memory\nlog: {level: warn, format: json}");
    let section = ("kleis.yml", "permissions: {dsn: memory, log: {level: warn}}");
    for (service, prefix, files) in [
        (Service::PERMISSIONS, "", vec![keto]),
        (Service::PERMISSIONS, "", vec![shared]),
        (Service::PERMISSIONS, "", vec![section]),
        (Service::PERMISSIONS, "", vec![shared, section, keto]),
        (Service::PERMISSIONS, "KETO_", vec![shared, keto]),
        (Service::PERMISSIONS, "KLEIS_", vec![keto]),
        (Service::PERMISSIONS, "KLEIS_PERMISSIONS_", vec![shared]),
        (Service::IDENTITY, "", vec![shared, kratos]),
        (Service::OAUTH, "", vec![shared, hydra]),
    ] {
        let names = ["DSN", "LOG_LEVEL"].map(|name| format!("{prefix}{name}"));
        let variables = [(names[0].as_str(), "sqlite:///of-the-environment.db"), (names[1].as_str(), "debug")];
        let (_folder, mut sources) = sources(&files, &variables);
        sources.services = vec![service];
        let config = Config::load(&sources).unwrap_or_else(|faults| panic!("{names:?} {files:?}: {faults}"));
        let dsn = config.shared.dsn.as_ref().map(|dsn| dsn.expose().as_str());
        assert_eq!(dsn, Some("sqlite:///of-the-environment.db"), "{names:?} {files:?}");
        assert_eq!(config.shared.log.level, LogLevel::Debug, "{names:?} {files:?}");
        sources.flags = vec![("dsn".to_owned(), json!("sqlite:///of-the-flag.db"))];
        let config = Config::load(&sources).unwrap();
        assert_eq!(config.shared.dsn.as_ref().map(|dsn| dsn.expose().as_str()), Some("sqlite:///of-the-flag.db"));
    }
}

#[test]
fn every_fault_of_every_source_is_reported_at_once() {
    let (_folder, sources) = sources(
        &[
            ("a.yml", "oauth: {ttll: {}}\nidentity: {serve: {public: {port: x}}}"),
            ("b.yml", "a: 1\na: 2"),
            ("c.toml", "[gateway.servee]\nport = 1"),
        ],
        &[("KLEIS_NONSENSE", "planted")],
    );
    let text = Config::load(&sources).unwrap_err().to_string();
    for wanted in [
        "oauth.ttll: there is no such key; did you mean \"ttl\"?",
        "identity.serve.public.port: must be of type integer",
        "b.yml: is not valid",
        "gateway.servee: there is no such key",
        "KLEIS_NONSENSE",
    ] {
        assert!(text.contains(wanted), "{wanted} is missing in\n{text}");
    }
    assert!(!text.contains("planted"));
}

#[test]
fn shared_secrets_reach_each_section_under_its_own_name() {
    let tree = json!({
        "secrets": {"default": ["0123456789abcdef"], "cookie": ["fedcba9876543210"]},
        "identity": {"secrets": {"cookie": ["own-own-own-own-"]}},
    });
    let config = Config::from_value(&[], tree).unwrap();
    let value = |service, path: &str| config.value(service, path).cloned().unwrap_or(Value::Null);
    assert_eq!(value(Service::IDENTITY, "secrets.default"), json!(["0123456789abcdef"]));
    assert_eq!(value(Service::IDENTITY, "secrets.cookie"), json!(["own-own-own-own-"]));
    assert_eq!(value(Service::OAUTH, "secrets.system"), json!(["0123456789abcdef"]));
    assert_eq!(value(Service::OAUTH, "secrets.cookie"), json!(["fedcba9876543210"]));
    assert!(!config.lacks_secrets());
    assert!(Config::from_value(&[], json!({})).unwrap().lacks_secrets());
}

#[test]
fn two_databases_in_one_process_are_refused() {
    let tree = json!({"identity": {"dsn": "memory"}, "oauth": {"dsn": "sqlite://x.db"}});
    let text = Config::from_value(&[], tree).unwrap_err().to_string();
    assert!(text.contains("oauth.dsn: differs from identity.dsn"), "{text}");
}

#[test]
fn credentials_of_other_origins_are_allowed_on_admin_listeners_only_if_they_are_configured() {
    let cors = |more: &str| format!("{{\"enabled\": true{more}}}").parse::<Value>().unwrap();
    for (service, listener, more, expected) in [
        (Service::PERMISSIONS, "read", "", false),
        (Service::PERMISSIONS, "read", ", \"allow_credentials\": true", true),
        (Service::IDENTITY, "public", "", true),
        (Service::IDENTITY, "public", ", \"allow_credentials\": false", false),
    ] {
        let tree = json!({ service.name(): { "serve": { listener: { "cors": cors(more) } } } });
        let config = Config::from_value(&[], tree).unwrap();
        assert_eq!(config.listener(service, listener).unwrap().cors.allow_credentials, expected, "{service} {more}");
    }
}

#[test]
fn half_a_certificate_is_refused() {
    let tree = json!({"oauth": {"serve": {"tls": {"key": {"path": "key.pem"}}}}});
    let config = Config::from_value(&[], tree).unwrap();
    assert!(config.listener(Service::OAUTH, "public").unwrap_err().to_string().contains("both key and cert"));
}

#[test]
fn keys_that_are_known_and_have_no_effect_are_named() {
    let tree = json!({
        "oauth": {"profiling": "cpu", "ttl": {"access_token": "1h"}, "serve": {"public": {"port": 1}}},
        "identity": {"secrets": {"cookie": ["0123456789abcdef"], "default": ["fedcba9876543210"]}},
    });
    let config = Config::from_value(&[], tree).unwrap();
    let named: Vec<&str> = config.notices.iter().map(|notice| notice.path.as_str()).collect();
    assert!(named.contains(&"identity.secrets.cookie") && named.contains(&"oauth.profiling"), "{named:?}");
    assert!(!named.iter().any(|path| path.starts_with("oauth.ttl") || path.starts_with("oauth.serve")), "{named:?}");
}

#[test]
fn every_form_of_the_namespaces_has_an_effect() {
    for namespaces in
        [json!("file:///models"), json!([]), json!([{"name": "Doc"}]), json!({"location": "file:///a.ts"})]
    {
        let config = Config::from_value(&[Service::PERMISSIONS], json!({"permissions": {"namespaces": namespaces}}));
        assert_eq!(config.unwrap().notices, [], "{namespaces}");
    }
}

#[test]
fn a_refused_value_of_a_variable_is_reported_under_the_name_of_the_variable() {
    let kratos = ("kratos.yml", "selfservice: {default_browser_return_url: \"http://127.0.0.1/\"}");
    for (variable, wanted) in [
        (("KLEIS_LOG_LEVEL", "verbose"), "\n  KLEIS_LOG_LEVEL (log.level): must be one of"),
        (
            ("KLEIS_IDENTITY_SERVE_PUBLIC_PORT", "70000"),
            "\n  KLEIS_IDENTITY_SERVE_PUBLIC_PORT (serve.public.port): must be",
        ),
        (
            ("SELFSERVICE_METHODS_TOTP_ENABLED", "maybe"),
            "\n  SELFSERVICE_METHODS_TOTP_ENABLED (selfservice.methods.totp.enabled): must be of type boolean",
        ),
        (
            ("SERVE_PUBLIC_CORS_ALLOWED_ORIGINS", ""),
            "\n  SERVE_PUBLIC_CORS_ALLOWED_ORIGINS: is empty: give it a value, or unset it",
        ),
    ] {
        let (_folder, mut sources) = sources(&[kratos], &[variable]);
        sources.services = vec![Service::IDENTITY];
        let text = Config::load(&sources).unwrap_err().to_string();
        assert!(text.contains(wanted) && text.lines().count() == 2, "{wanted:?} is not in {text}");
    }
}

#[test]
fn every_format_of_the_log_is_accepted_in_the_file_and_the_variables_of_each_service() {
    for service in Service::ALL {
        for format in ["text", "json", "json_pretty", "gelf"] {
            let text = format!("log: {{format: {format}}}");
            for (files, variables) in
                [(vec![("own.yml", text.as_str())], vec![]), (vec![], vec![("LOG_FORMAT", format)])]
            {
                let (_folder, mut sources) = sources(&files, &variables);
                sources.services = vec![service];
                let config = Config::load(&sources).unwrap();
                let taken = serde_json::to_value(config.shared.log.format).unwrap();
                assert_eq!(taken, json!(format), "{service}: {files:?} {variables:?}");
            }
        }
    }
}

#[test]
fn a_secret_that_others_are_derived_from_is_not_reported_as_without_effect() {
    let notices = |secrets: Value| {
        let tree = json!({"identity": {"secrets": secrets}});
        let config = Config::from_value(&[Service::IDENTITY], tree).unwrap();
        config.notices.iter().filter(|it| it.path == "identity.secrets.cookie").count()
    };
    assert_eq!(notices(json!({"cookie": ["0123456789abcdef"]})), 0);
    assert_eq!(notices(json!({"cookie": ["0123456789abcdef"], "default": ["fedcba9876543210"]})), 1);
}
