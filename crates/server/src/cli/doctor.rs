//! `kleis doctor`: finds problems of a configuration and says how to solve them.
//!
//! It changes nothing. It prepares what `serve` prepares, except that it binds no address, and reports all faults and notices
//! of the start. Then it checks what a start does not: cookies, CORS, proxies, mail, clock.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base::causes::chain;
use base::{Clock, TrustStore};
use clap::Args;
use database::MigrationState;
use serde_json::{Value, json};
use service::{Diagnosis, Examined, Kind, Listener, Verdict};
use web::outbound::{Client, Destinations, Limits};

use super::arguments::{ConfigArguments, Selection};
use super::output::{self, Format};
use crate::config::{Config, Fault, Service, Severity};
use crate::wiring::{Findings, Purpose, is_this_machine, prepare, public_urls};
use crate::{Environment, trust};

const REMOTE_TIMEOUT: Duration = Duration::from_secs(5);
/// 2026-01-01. An earlier clock is wrong, and certificates and tokens would be checked against it.
const BUILT_AFTER: i64 = 1_767_225_600;

/// Check a configuration: cookies, URLs, CORS, proxies, clock, mail, database.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kleis doctor -c kleis.yml
  kleis doctor identity -c kratos.yml      the file of the program that a service replaces

It changes nothing. The exit code is 1 when a finding is bad; warnings do not change it.")]
pub(super) struct Arguments {
    #[arg(value_name = "SERVICE", help = Selection::help())]
    services: Vec<Selection>,
    #[command(flatten)]
    config: ConfigArguments,
    /// Check as kleis serve --dev does
    #[arg(long)]
    dev: bool,
    #[arg(long, value_enum, default_value_t, help = "Output format")]
    format: Format,
}

pub(super) async fn run(arguments: &Arguments, called_as: Option<Service>) -> anyhow::Result<ExitCode> {
    let Arguments { services, config: arguments, dev, format } = arguments;
    let mut findings = Vec::new();
    match arguments.load(&Selection::services(services), *dev, called_as) {
        Ok(config) => {
            let trust = match trusted_by(&config) {
                Ok(trust) => trust,
                Err(error) => {
                    findings.push(Diagnosis::new("certificates", Verdict::Bad, error));
                    TrustStore::bundled()
                }
            };
            findings.extend(examine(&config, &arguments.data, &trust).await);
        }
        Err(faults) => findings.extend(faults.0.iter().map(bad)),
    }
    show(&findings, *format)?;
    let is_bad = findings.iter().any(|finding| finding.verdict == Verdict::Bad);
    Ok(if is_bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// All findings about a configuration that can be read.
pub(crate) async fn examine(config: &Config, data: &Path, trust: &TrustStore) -> Vec<Diagnosis> {
    let mut findings = prepare_as_serve_does(config, data, trust).await;
    findings.extend(check(config));
    findings.extend(ask_services(config).await);
    if !findings.iter().any(|it| it.subject == "urls") {
        findings.push(Diagnosis::new("urls", Verdict::Good, "fit together"));
    }
    findings.extend(look_at_remote_services(config, trust).await);
    findings.push(look_at_clock(data));
    findings
}

fn trusted_by(config: &Config) -> Result<TrustStore, String> {
    let store = trust::system(&super::environment()).map_err(|error| error.to_string())?;
    // A fault in `trusted_ca` is reported with the faults of the start.
    Ok(trust::with_configured(&store, config).unwrap_or(store))
}

fn bad(fault: &Fault) -> Diagnosis {
    Diagnosis::new("configuration", Verdict::Bad, fault.to_string())
}

/// The faults and notices of a start.
async fn prepare_as_serve_does(config: &Config, data: &Path, trust: &TrustStore) -> Vec<Diagnosis> {
    let environment = Environment { data_dir: data.to_owned(), trust: trust.clone(), ..Environment::system() };
    let mut found = Findings::of(config);
    let prepared = Box::pin(prepare(config.clone(), &environment, Purpose::Examine, &mut found)).await;
    let mut findings: Vec<Diagnosis> = found.faults.iter().map(bad).collect();
    if findings.is_empty() {
        findings.push(Diagnosis::new("configuration", Verdict::Good, "is valid"));
    }
    findings.extend(found.sorted_notices().into_iter().map(|notice| {
        let verdict = match notice.severity {
            Severity::Failure => Verdict::Bad,
            Severity::Warning => Verdict::Warning,
            Severity::Information => Verdict::Good,
        };
        Diagnosis::new("configuration", verdict, notice.to_string())
    }));
    let Some(prepared) = prepared else { return findings };
    let status = &prepared.status;
    if !status.is_empty() {
        let missing = status.iter().filter(|step| step.state == MigrationState::Pending).count();
        findings.push(if missing == 0 {
            Diagnosis::new("migrations", Verdict::Good, "are all applied")
        } else {
            let why = format!("{missing} are missing: the next start applies them, or kleis migrate up");
            Diagnosis::new("migrations", Verdict::Warning, why)
        });
    }
    findings.extend(prepared.examine_data().await);
    findings
}

fn show(findings: &[Diagnosis], format: Format) -> anyhow::Result<()> {
    let word = |verdict| match verdict {
        Verdict::Good => "ok",
        Verdict::Warning => "warning",
        Verdict::Bad => "bad",
    };
    let row =
        |it: &Diagnosis| json!({"subject": it.subject, "verdict": word(it.verdict), "explanation": it.explanation});
    let rows: Vec<Value> = match format {
        Format::Json => findings.iter().map(row).collect(),
        Format::Table => findings.iter().flat_map(|it| lines_of(row(it), &it.explanation)).collect(),
    };
    output::rows(format, &["verdict", "subject", "explanation"], &rows)
}

/// A row for each line of the explanation, which quotes files: a table shows a value in one line.
fn lines_of(first: Value, explanation: &str) -> Vec<Value> {
    let mut rows: Vec<Value> = explanation.lines().map(|line| json!({ "explanation": line })).collect();
    match rows.first_mut() {
        Some(row) => {
            let line = row["explanation"].take();
            *row = first;
            row["explanation"] = line;
        }
        None => rows.push(first),
    }
    rows
}

/// The findings that depend on the configuration alone.
fn check(config: &Config) -> Vec<Diagnosis> {
    let mut findings = Vec::new();
    findings.extend(check_urls(config));
    findings.extend(check_cors(config));
    findings.extend(check_proxies(config));
    findings.extend(check_open_admin(config));
    findings
}

fn check_urls(config: &Config) -> Vec<Diagnosis> {
    let urls = public_urls(config);
    let mut findings = Vec::new();
    for (key, service, url) in &urls {
        if url.scheme() != "https" && !is_this_machine(url) {
            let why = format!(
                "{service}.{key} is not https: cookies and tokens are sent in clear text, and browsers refuse Secure cookies"
            );
            findings.push(Diagnosis::new("urls", Verdict::Bad, why));
        }
    }
    // Browsers keep the cookies of localhost and 127.0.0.1 apart: a login that begins at one is unknown at the other.
    let hosts: Vec<&str> = urls.iter().filter_map(|(_, _, url)| url.host_str()).collect();
    if hosts.contains(&"localhost") && hosts.contains(&"127.0.0.1") {
        let why = "some URLs have the host localhost and others 127.0.0.1: browsers treat them as two sites with separate cookies; use one of them";
        findings.push(Diagnosis::new("urls", Verdict::Bad, why));
    }
    findings
}

fn check_cors(config: &Config) -> Vec<Diagnosis> {
    let mut findings = Vec::new();
    for (service, listener) in listeners(config) {
        let listener = listener.name;
        let Ok(settings) = config.listener(service, listener) else { continue };
        let cors = settings.cors;
        if cors.enabled && cors.allow_credentials && cors.allowed_origins.iter().any(|origin| origin == "*") {
            let why = format!(
                "{service}.serve.{listener}.cors allows every origin, so browsers send no cookies; list the origins of your pages"
            );
            findings.push(Diagnosis::new("cors", Verdict::Warning, why));
        }
    }
    if findings.is_empty() {
        findings.push(Diagnosis::new("cors", Verdict::Good, "names its origins, or is off"));
    }
    findings
}

/// An https URL without a certificate of our own means that a proxy terminates TLS.
fn check_proxies(config: &Config) -> Vec<Diagnosis> {
    let mut findings = Vec::new();
    for (service, listener) in listeners(config).filter(|(_, listener)| matches!(listener.kind, Kind::Public(_))) {
        let Ok(settings) = config.listener(service, listener.name) else { continue };
        let configured = |key: &&'static str| config.value(service, key).and_then(Value::as_str).map(|url| (*key, url));
        let Some((key, url)) = listener.url_keys.iter().rev().find_map(configured) else { continue };
        let is_behind_a_proxy = url.starts_with("https://") && settings.tls.cert.is_none();
        if is_behind_a_proxy && config.shared.trusted_proxies.is_empty() {
            let why = format!(
                "{service}.{key} is https and the listener has no certificate, so there is a proxy in front; without trusted_proxies every client \
                 has the proxy's address, and attempt limits count all of them together"
            );
            findings.push(Diagnosis::new("proxies", Verdict::Warning, why));
        }
    }
    if findings.is_empty() {
        findings.push(Diagnosis::new("proxies", Verdict::Good, "are listed, or there are none"));
    }
    findings
}

/// An admin API that is deliberately open does not stop the start, and causes a warning.
fn check_open_admin(config: &Config) -> Option<Diagnosis> {
    let admin = &config.shared.admin;
    let why = "admin.unprotected leaves the admin listeners open to every client that reaches them; make sure that something in front keeps strangers \
               out";
    (admin.unprotected && !admin.is_protected()).then(|| Diagnosis::new("admin", Verdict::Warning, why))
}

/// The findings of each service about its section.
async fn ask_services(config: &Config) -> Vec<Diagnosis> {
    let running: Vec<&'static str> = config.services.iter().map(|service| service.name()).collect();
    let mut findings = Vec::new();
    for service in &config.services {
        let section = config.section_value(*service);
        let examined = Examined { section: &section, is_configured: config.is_configured, running: &running };
        findings.extend((service.definition().diagnose)(examined).await);
    }
    findings
}

fn listeners(config: &Config) -> impl Iterator<Item = (Service, &'static Listener)> {
    config
        .services
        .iter()
        .flat_map(|service| service.definition().listeners.iter().map(|listener| (*service, listener)))
}

/// Checks the services in other processes at their configured URLs.
async fn look_at_remote_services(config: &Config, trust: &TrustStore) -> Vec<Diagnosis> {
    let mut findings = Vec::new();
    let remotes = config.services.iter().flat_map(|of| of.definition().remotes.iter().map(move |remote| (*of, remote)));
    let remotes = remotes.filter(|(_, remote)| !config.services.iter().any(|it| it.name() == remote.service));
    let urls = remotes.flat_map(|(of, remote)| {
        let keys = std::iter::once(remote.url).chain(remote.public_url);
        keys.map(move |key| (of, key.path, remote.service))
    });
    for (of, path, asked) in urls {
        let Some(url) = config.value(of, path).and_then(Value::as_str) else { continue };
        let health = format!("{}/health/alive", url.trim_end_matches('/'));
        let limits = Limits { timeout: REMOTE_TIMEOUT, ..Limits::default() };
        let name = format!("{of}.{path}");
        findings.push(match Client::new(Destinations::Any, trust).with_limits(limits).get(&health).await {
            Ok(answer) if answer.status().is_success() => {
                Diagnosis::new("remote services", Verdict::Good, format!("{name}: {asked} answers"))
            }
            Ok(answer) => {
                let why = format!("{name}: its health endpoint answers {}", answer.status());
                Diagnosis::new("remote services", Verdict::Warning, why)
            }
            Err(error) => {
                let why = format!("{name}: {} does not answer there: {}", asked, chain(&error));
                Diagnosis::new("remote services", Verdict::Bad, why)
            }
        });
    }
    findings
}

/// With a clock that is behind, expired tokens stay valid. A clock that is behind the last write to the database was set back.
fn look_at_clock(data: &Path) -> Diagnosis {
    let now = Clock::system().now().unix_seconds();
    if now < BUILT_AFTER {
        return Diagnosis::new(
            "clock",
            Verdict::Bad,
            "is years behind: certificates and tokens will be refused; set it and synchronize it by NTP",
        );
    }
    let written = std::fs::metadata(data.join("kleis.db")).and_then(|file| file.modified());
    let written =
        written.ok().and_then(|at: SystemTime| i64::try_from(at.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok());
    if written.is_some_and(|written| written > now + 60) {
        return Diagnosis::new("clock", Verdict::Bad, "is behind the last write to the database: it was set back");
    }
    Diagnosis::new("clock", Verdict::Good, "looks right")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_unreachable_remote_service_is_found() {
        let look = async |service, tree| {
            let config = Config::from_value(&[service], tree).unwrap();
            look_at_remote_services(&config, &TrustStore::bundled())
                .await
                .into_iter()
                .map(|it| (it.verdict, it.explanation))
                .collect::<Vec<_>>()
        };
        let away = json!({"identity": {"oauth2_provider": {"url": "http://127.0.0.1:1"}}});
        let found = look(Service::IDENTITY, away).await;
        assert!(matches!(&found[..], [(Verdict::Bad, why)] if why.contains("oauth2_provider.url")), "{found:?}");
        assert_eq!(look(Service::OAUTH, json!({})).await, []);
    }

    async fn bad(tree: Value) -> Vec<&'static str> {
        let config = Config::from_value(&[], tree).unwrap();
        let found = check(&config).into_iter().chain(ask_services(&config).await);
        // No mail server is configured in this test.
        let found = found.filter(|it| it.subject != "mail");
        found.filter(|it| it.verdict != Verdict::Good).map(|it| it.subject).collect()
    }

    #[tokio::test]
    async fn a_start_without_configuration_has_no_findings() {
        assert_eq!(bad(json!({})).await, Vec::<&str>::new());
    }

    #[tokio::test]
    async fn common_mistakes_are_found() {
        let secrets = json!({"default": ["0123456789abcdef"]});
        let mixed = json!({"secrets": secrets, "identity": {"serve": {"public": {"base_url": "http://localhost:4433/"}}}, "oauth": {"urls": {"self": {"issuer": "http://127.0.0.1:4444"}}}});
        assert_eq!(bad(mixed).await, ["urls"]);
        let clear = json!({"oauth": {"urls": {"self": {"issuer": "http://id.example.org"}}}});
        assert_eq!(bad(clear).await, ["urls"]);
        let domain = json!({"identity": {"serve": {"public": {"base_url": "https://id.example.org/"}}, "cookies": {"domain": "example.com"}}, "oauth": {"urls": {"self": {"issuer": "https://id.example.org"}}}, "trusted_proxies": ["10.0.0.0/8"]});
        assert_eq!(bad(domain).await, ["cookies"]);
        let open =
            json!({"oauth": {"urls": {"self": {"issuer": "http://127.0.0.1:4444"}}}, "admin": {"unprotected": true}});
        assert_eq!(bad(open).await, ["admin"]);
    }
}
