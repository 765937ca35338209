//! The command lines of public compose files and charts, run with the real program, under its own name and under the name of
//! the replaced program: each one serves, does its work, or ends with a message that gives the reason.

use super::program::RunDirectory;

const KRATOS: &str = r#"
version: v1.3.0
dsn: sqlite://kratos.db?_fk=true
serve:
  public: {host: 127.0.0.1, base_url: "http://127.0.0.1:4433/"}
  admin: {host: 127.0.0.1, base_url: "http://127.0.0.1:4434/"}
selfservice:
  default_browser_return_url: http://127.0.0.1:4455/
secrets:
  cookie: [PLEASE-CHANGE-ME-I-AM-VERY-INSECURE]
identity:
  default_schema_id: default
  schemas: [{id: default, url: "file://./person.json"}]
courier:
  smtp: {connection_uri: "smtp://test:test@127.0.0.1:1/?disable_starttls=true"}
"#;
const PERSON: &str = r#"{"type": "object", "properties": {"traits": {"type": "object", "properties": {
  "email": {"type": "string", "format": "email", "ory.sh/kratos": {"credentials": {"password": {"identifier": true}}}}}}}}"#;
const HYDRA: &str = r#"
dsn: sqlite://hydra.db?_fk=true
serve:
  public: {host: 127.0.0.1}
  admin: {host: 127.0.0.1}
  cookies: {same_site_mode: Lax}
urls:
  self: {issuer: "http://127.0.0.1:4444"}
  login: http://127.0.0.1:3000/login
  consent: http://127.0.0.1:3000/consent
secrets:
  system: [youReallyNeedToChangeThis]
"#;
const OATHKEEPER: &str = r#"
serve:
  proxy: {host: 127.0.0.1}
  api: {host: 127.0.0.1}
access_rules: {repositories: ["inline://W10="]}
authenticators: {noop: {enabled: true}}
authorizers: {allow: {enabled: true}}
mutators: {noop: {enabled: true}}
errors: {handlers: {json: {enabled: true}}}
"#;

const KETO: &str = "
dsn: sqlite://keto.db?_fk=true
namespaces: [{id: 1, name: Doc}]
serve:
  read: {host: 127.0.0.1}
  write: {host: 127.0.0.1}
  opl: {host: 127.0.0.1}
  metrics: {host: 127.0.0.1}
";

fn directory() -> RunDirectory {
    RunDirectory::new(&[
        ("kratos.yml", KRATOS),
        ("person.json", PERSON),
        ("hydra.yml", HYDRA),
        ("keto.yml", KETO),
        ("oathkeeper.yml", OATHKEEPER),
    ])
}

const IDENTITY: &[&str] = &["identity/admin", "identity/public"];
const OAUTH: &[&str] = &["oauth/admin", "oauth/public"];
const PERMISSIONS: &[&str] = &["permissions/metrics", "permissions/opl", "permissions/read", "permissions/write"];
const GATEWAY: &[&str] = &["gateway/api", "gateway/proxy"];

#[test]
fn each_line_that_serves_answers_and_stops_on_a_signal() {
    let all = [IDENTITY, OAUTH, PERMISSIONS, GATEWAY].concat();
    for (line, wanted) in [
        ("kleis serve -c kratos.yml --dev --watch-courier", all.as_slice()),
        ("kratos serve -c kratos.yml --dev --watch-courier", IDENTITY),
        ("kratos serve all --dev", IDENTITY),
        ("kleis serve all --dev", &all),
        ("kleis serve all -c hydra.yml --dev --sqa-opt-out", &all),
        ("hydra serve all -c hydra.yml --dev --sqa-opt-out", OAUTH),
        ("hydra serve public -c hydra.yml --dev", OAUTH),
        ("hydra -c hydra.yml --sqa-opt-out serve all --dev", OAUTH),
        ("keto serve -c keto.yml", PERMISSIONS),
        ("keto -c keto.yml serve all --sqa-opt-out", PERMISSIONS),
        ("kleis serve read -c keto.yml", PERMISSIONS),
        ("kleis serve proxy -c oathkeeper.yml", GATEWAY),
        ("kleis serve api -c oathkeeper.yml", GATEWAY),
        ("oathkeeper serve -c oathkeeper.yml", GATEWAY),
        ("oathkeeper serve proxy -c oathkeeper.yml", GATEWAY),
        ("oathkeeper -c oathkeeper.yml serve api", GATEWAY),
    ] {
        let directory = directory();
        let program = directory.serve(line, &[]).unwrap_or_else(|output| panic!("{line}: {}", output.errors));
        let listeners: Vec<&str> = program.listeners.keys().map(String::as_str).collect();
        let mut wanted = wanted.to_vec();
        wanted.sort_unstable();
        assert_eq!(listeners, wanted, "{line}");
        // The proxy's paths are those of the applications behind it.
        for listener in listeners.into_iter().filter(|it| !it.starts_with("gateway")) {
            let (status, answer) = program.get(listener, "/health/ready");
            assert_eq!(status, 200, "{line}: {listener}: {answer}");
        }
        if wanted.contains(&"gateway/api") {
            let (status, answer) = program.get("gateway/api", "/health/alive");
            assert_eq!(status, 200, "{line}: {answer}");
            assert_eq!(program.get("gateway/proxy", "/unknown").0, 404, "{line}");
        }
        assert_eq!(program.stop().code(), Some(0), "{line}");
    }
}

#[test]
fn a_second_process_on_a_database_file_is_refused() {
    let directory = directory();
    let lines = [("kleis serve", "kleis-data/kleis.db"), ("kleis serve permissions -c keto.yml", "keto.db")];
    for (line, file) in lines {
        let first = directory.serve(line, &[]).unwrap_or_else(|output| panic!("{line}: {}", output.errors));
        let second = directory.serve(line, &[]).unwrap_err();
        assert_eq!(second.code, Some(1), "{line}: {second:?}");
        let reason = format!("dsn: another process serves the database file {file}: stop it first");
        assert!(second.errors.contains(&reason), "{line}: {second:?}");
        // Commands work beside it, and it serves.
        assert_eq!(directory.run(&line.replace("serve", "doctor"), &[]).code, Some(0), "{line}");
        assert_eq!(first.get("permissions/read", "/health/ready").0, 200, "{line}");
        assert_eq!(first.stop().code(), Some(0), "{line}");
        let next = directory.serve(line, &[]).unwrap_or_else(|output| panic!("{line}: {}", output.errors));
        assert_eq!(next.stop().code(), Some(0), "{line}");
    }
}

#[test]
fn the_command_line_of_keto_has_its_words_and_its_default_file() {
    let directory = directory();
    let home = directory.place.path().display().to_string();
    for line in ["keto serve", "kleis keto serve"] {
        let program = directory.serve(line, &[("HOME", &home)]).unwrap_or_else(|output| panic!("{}", output.errors));
        let (_, namespaces) = program.get("permissions/read", "/namespaces");
        assert!(namespaces.ends_with(r#"{"namespaces":[{"name":"Doc"}]}"#), "{line}: {namespaces}");
        assert_eq!(program.stop().code(), Some(0), "{line}");
    }
    let help = directory.run("keto --help", &[]);
    for word in ["relation-tuple", "completion", "-q", "$HOME/keto.yml", "KETO_READ_REMOTE"] {
        assert!(help.output.contains(word), "{word}: {help:?}");
    }
    for line in ["keto status --timeout 1s", "kleis keto status --timeout 1s"] {
        let refused = directory.run(line, &[]);
        assert_eq!(refused.code, Some(2), "{line}: {refused:?}");
        assert!(refused.errors.contains("Usage: keto status"), "{line}: {refused:?}");
    }
    assert!(directory.run("keto check --help", &[]).output.contains("Usage: keto check"));
    let script = directory.run("kleis keto completion bash", &[]);
    assert!(script.output.contains("_keto") && script.output.contains("relation-tuple"), "{script:?}");
}

#[test]
fn the_database_of_the_environment_takes_precedence_over_that_of_the_file() {
    let shared = "dsn: sqlite://file.db?_fk=true\nlog: {level: info}\n";
    let keto = format!("{shared}namespaces: [{{name: Doc}}]\n");
    let directory = RunDirectory::new(&[("shared.yml", shared), ("keto.yml", &keto)]);
    for line in
        ["kleis serve permissions -c shared.yml", "kleis serve permissions -c keto.yml", "keto serve -c keto.yml"]
    {
        let program = directory.serve(line, &[("DSN", "memory")]).unwrap_or_else(|output| panic!("{line}: {output:?}"));
        assert_eq!(program.stop().code(), Some(0), "{line}");
        assert!(!directory.path("file.db").exists(), "{line}");
    }
}

#[test]
fn status_says_what_is_missing() {
    let directory = directory();
    // Without its own home directory there is no file, and the namespaces of Keto are in a folder.
    std::fs::write(directory.path("other.yml"), KETO.replace("namespaces: [{id: 1, name: Doc}]\n", "")).unwrap();
    for (line, code, state, reason) in [
        ("kleis serve permissions", 0, "SERVING", "warning: model_loaded: no permission model is configured"),
        ("keto serve -c other.yml", 1, "NOT_SERVING", "model_loaded: the permission model of ./keto_namespaces"),
    ] {
        let program = directory.serve(line, &[]).unwrap_or_else(|output| panic!("{line}: {}", output.errors));
        let remote = program.url("permissions/read");
        let status = directory.run(&format!("kleis permissions status --read-remote {remote}"), &[]);
        assert_eq!((status.code, status.output.trim()), (Some(code), state), "{status:?}");
        assert!(status.errors.contains(reason), "{status:?}");
        assert_eq!(program.stop().code(), Some(0), "{line}");
    }
}

/// The services whose tables a migration created, from its output.
fn migrated(errors: &str) -> Vec<&str> {
    let applied = errors.lines().filter_map(|line| line.strip_prefix("applied ")?.split(' ').next());
    let mut services: Vec<&str> = applied.filter(|it| ["identity", "oauth", "permissions"].contains(it)).collect();
    services.dedup();
    services
}

#[test]
fn each_line_that_migrates_creates_the_tables_of_its_service() {
    const ALL: &[&str] = &["identity", "oauth", "permissions"];
    for (line, wanted) in [
        ("kleis migrate sql -e --yes", ALL),
        ("kratos migrate sql -e --yes", &["identity"]),
        ("hydra migrate sql -e --yes", &["oauth"]),
        ("kleis -c kratos.yml migrate sql -e --yes", &["identity"]),
        ("kratos -c kratos.yml migrate sql -e --yes", &["identity"]),
        ("kleis migrate -c kratos.yml", &["identity"]),
        ("kleis migrate -c hydra.yml", &["oauth"]),
        ("kleis migrate sql up -e --yes", ALL),
        ("hydra migrate sql up -e --yes", &["oauth"]),
        ("hydra migrate sql -y sqlite://named.db", &["oauth"]),
        ("keto migrate up -y -c keto.yml", &["permissions"]),
        ("keto migrate -c keto.yml up -y", &["permissions"]),
    ] {
        let directory = directory();
        let dsn = if line.contains("-e") && !line.contains("-c") { "sqlite://by-env.db?_fk=true" } else { "" };
        let environment = if dsn.is_empty() { vec![] } else { vec![("DSN", dsn)] };
        let output = directory.run(line, &environment);
        assert_eq!(output.code, Some(0), "{line}: {}", output.errors);
        assert_eq!(migrated(&output.errors), wanted, "{line}: {}", output.errors);
        let files = [
            ("-c kratos.yml", "kratos.db"),
            ("-c hydra.yml", "hydra.db"),
            ("-c keto.yml", "keto.db"),
            ("named.db", "named.db"),
        ];
        let file = files.iter().find(|(part, _)| line.contains(part)).map_or("by-env.db", |(_, file)| file);
        assert!(directory.path(file).exists(), "{line} writes {file}");
        let again = directory.run(line, &environment);
        assert!(again.code == Some(0) && again.errors.contains("0 migrations applied"), "{line}: {}", again.errors);
    }
}

#[test]
fn a_line_that_is_not_needed_succeeds_with_a_message() {
    for (line, wanted) in [
        ("kleis janitor --keep-if-younger 24h postgres://host/name", "the server deletes expired rows itself"),
        ("hydra janitor --keep-if-younger 24h postgres://host/name", "the server deletes expired rows itself"),
        ("kratos cleanup sql -e", "the server deletes expired rows itself"),
        ("kratos courier watch -c kratos.yml", "the server sends mail itself"),
    ] {
        let directory = directory();
        let output = directory.run(line, &[]);
        assert_eq!(output.code, Some(0), "{line}: {output:?}");
        assert!(output.errors.contains(wanted), "{line}: {}", output.errors);
        assert!(!directory.path("kleis-data").exists(), "{line} touches no database");
    }
}

#[test]
fn a_line_that_cannot_work_fails_with_the_reason() {
    for (line, environment, wanted) in [
        ("kleis serve -c missing.yml", &[][..], "missing.yml"),
        ("keto serve all -c missing.yml", &[], "missing.yml"),
        ("keto migrate down 1 -y -c keto.yml", &[], "restore a backup"),
        ("keto namespace validate namespaces.yml", &[], "kleis doctor -c FILE"),
        ("kratos migrate sql down -c kratos.yml", &[], "restore a backup"),
        ("hydra serve all -c hydra.yml", &[("KLEIS_OAUTH_SERVE_PUBLIC_TLS_ENABLED", "true")], "without key and cert"),
    ] {
        let output = directory().run(line, environment);
        assert_eq!(output.code, Some(1), "{line}: {output:?}");
        assert!(output.errors.contains(wanted), "{line}: {}", output.errors);
    }
}

#[test]
fn tls_without_a_certificate_is_self_signed_only_in_development() {
    use std::os::unix::fs::PermissionsExt as _;

    const TLS: (&str, &str) = ("KLEIS_IDENTITY_SERVE_ADMIN_TLS_ENABLED", "true");
    let directory = directory();
    let refused = directory.run("kleis serve identity", &[TLS]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.errors.contains("without key and cert") && refused.errors.contains("--dev"), "{}", refused.errors);

    let fingerprint = |log: &str| {
        let (_, rest) = log.split_once("SHA-256 fingerprint ").unwrap_or_else(|| panic!("no fingerprint: {log}"));
        rest.split(';').next().unwrap().to_owned()
    };
    let program = directory.serve("kleis serve identity --dev", &[TLS]).unwrap();
    let first = fingerprint(&program.log);
    let file = directory.path("kleis-data/self-signed.pem");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let port = program.listeners["identity/admin"].rsplit(':').next().unwrap().to_owned();
    for host in ["localhost", "127.0.0.1"] {
        let list = format!("kleis identity list --format json -e https://{host}:{port}");
        let trusting = directory.run(&list, &[("SSL_CERT_FILE", file.to_str().unwrap())]);
        assert_eq!((trusting.code, trusting.output.trim()), (Some(0), "[]"), "{host}: {trusting:?}");
        let other = directory.run(&list, &[]);
        assert_eq!(
            other.code,
            Some(1),
            "{host}: a client without the trust store must reject the certificate: {other:?}"
        );
    }
    assert_eq!(program.stop().code(), Some(0));
    let program = directory.serve("kleis serve identity --dev", &[TLS]).unwrap();
    assert_eq!(fingerprint(&program.log), first, "the second start has the certificate of the first");
}
