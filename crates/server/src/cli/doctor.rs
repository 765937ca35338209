//! `kleis doctor`: looks for what will not work, says why, and what to do about it.
//!
//! It changes nothing. It prepares what `serve` prepares, up to taking an address, and reports everything that keeps a start
//! from serving, with everything that the start would say; then it looks at what a start does not: cookies, CORS, proxies,
//! mail, clock.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base::causes::chain;
use base::{Clock, TrustStore};
use clap::Args;
use database::MigrationState;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use url::Url;
use web::outbound::{Client, Destinations, Limits};

use super::arguments::{ConfigArguments, Selection};
use super::output::{self, Format};
use crate::config::{Config, Fault, Service, Severity};
use crate::wiring::{Findings, Purpose, is_this_machine, prepare, public_urls};
use crate::{Environment, neighbours, trust};

/// Connecting to the mail server, and its greeting.
const MAIL_TIMEOUT: Duration = Duration::from_secs(5);
const NEIGHBOUR_TIMEOUT: Duration = Duration::from_secs(5);
/// 2026-01-01: a clock before this build's year is wrong, and every certificate and token would be, too.
const BUILT_AFTER: i64 = 1_767_225_600;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    /// It works, and will surprise somebody.
    Warning,
    /// It will not work, or not safely.
    Bad,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    subject: &'static str,
    verdict: Verdict,
    explanation: String,
}

impl Finding {
    fn new(subject: &'static str, verdict: Verdict, explanation: impl Into<String>) -> Self {
        Self { subject, verdict, explanation: explanation.into() }
    }
}

/// Check a configuration: cookies, URLs, CORS, proxies, clock, mail, database.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kleis doctor -c kleis.yml
  kleis doctor identity -c kratos.yml      the file of the program that a service replaces

It changes nothing. Ends with 1 when something is bad; warnings do not change the exit code.")]
pub(super) struct Arguments {
    /// identity, oauth, gateway: those that will run; all of them when none is named
    #[arg(value_name = "SERVICE")]
    services: Vec<Selection>,
    #[command(flatten)]
    config: ConfigArguments,
    /// As kleis serve --dev
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
                    findings.push(Finding::new("certificates", Verdict::Bad, error));
                    TrustStore::bundled()
                }
            };
            findings.extend(prepare_as_serve_does(&config, &arguments.data, &trust).await);
            findings.extend(judge(&config));
            findings.push(look_at_mail(&config).await);
            findings.extend(look_at_neighbours(&config, &trust).await);
            findings.push(look_at_clock(&arguments.data));
        }
        Err(faults) => findings.extend(faults.0.iter().map(bad)),
    }
    show(&findings, *format)?;
    let is_bad = findings.iter().any(|finding| finding.verdict == Verdict::Bad);
    Ok(if is_bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn trusted_by(config: &Config) -> Result<TrustStore, String> {
    let store = trust::system(&super::environment()).map_err(|error| error.to_string())?;
    // What is wrong with `trusted_ca` is reported as a start reports it.
    Ok(trust::with_configured(&store, config).unwrap_or(store))
}

fn bad(fault: &Fault) -> Finding {
    Finding::new("configuration", Verdict::Bad, fault.to_string())
}

/// What a start would find, and what it would say.
async fn prepare_as_serve_does(config: &Config, data: &Path, trust: &TrustStore) -> Vec<Finding> {
    let environment = Environment { data_dir: data.to_owned(), trust: trust.clone(), ..Environment::system() };
    let mut found = Findings::of(config);
    let prepared = Box::pin(prepare(config.clone(), &environment, Purpose::Examine, &mut found)).await;
    let mut findings: Vec<Finding> = found.faults.iter().map(bad).collect();
    if findings.is_empty() {
        findings.push(Finding::new("configuration", Verdict::Good, "is valid"));
    }
    findings.extend(found.sorted_notices().into_iter().map(|notice| {
        let verdict = if notice.severity == Severity::Warning { Verdict::Warning } else { Verdict::Good };
        Finding::new("configuration", verdict, notice.to_string())
    }));
    let status = prepared.map(|prepared| prepared.status).unwrap_or_default();
    if !status.is_empty() {
        let missing = status.iter().filter(|step| step.state == MigrationState::Pending).count();
        findings.push(if missing == 0 {
            Finding::new("migrations", Verdict::Good, "are all applied")
        } else {
            let why = format!("{missing} are missing: the next start applies them, or kleis migrate up");
            Finding::new("migrations", Verdict::Warning, why)
        });
    }
    findings
}

fn show(findings: &[Finding], format: Format) -> anyhow::Result<()> {
    let word = |verdict| match verdict {
        Verdict::Good => "ok",
        Verdict::Warning => "warning",
        Verdict::Bad => "bad",
    };
    let rows: Vec<Value> = findings
        .iter()
        .map(|it| json!({"subject": it.subject, "verdict": word(it.verdict), "explanation": it.explanation}))
        .collect();
    output::rows(format, &["verdict", "subject", "explanation"], &rows)
}

/// What the configuration alone tells.
fn judge(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(judge_urls(config));
    findings.extend(judge_cookies(config));
    findings.extend(judge_cors(config));
    findings.extend(judge_proxies(config));
    findings.extend(judge_open_admin(config));
    findings
}

fn judge_urls(config: &Config) -> Vec<Finding> {
    let urls = public_urls(config);
    let mut findings = Vec::new();
    for (key, service, url) in &urls {
        if url.scheme() != "https" && !is_this_machine(url) {
            let why = format!(
                "{service}.{key} is not https: cookies and tokens travel in clear text, and browsers refuse Secure cookies"
            );
            findings.push(Finding::new("urls", Verdict::Bad, why));
        }
    }
    // Browsers keep the cookies of localhost and 127.0.0.1 apart: a login begun at one is unknown at the other.
    let hosts: Vec<&str> = urls.iter().filter_map(|(_, _, url)| url.host_str()).collect();
    if hosts.contains(&"localhost") && hosts.contains(&"127.0.0.1") {
        let why = "some URLs say localhost and others 127.0.0.1: a browser takes them for two sites and keeps their cookies apart; use one of them";
        findings.push(Finding::new("urls", Verdict::Bad, why));
    }
    let issuer = urls.iter().find(|(key, _, _)| *key == "urls.self.issuer");
    if let Some((key, service, issuer)) = issuer
        && (issuer.query().is_some() || issuer.fragment().is_some())
    {
        let why = format!("{service}.{key} must have neither query nor fragment (OpenID Connect Discovery section 3)");
        findings.push(Finding::new("urls", Verdict::Bad, why));
    }
    if issuer.is_none() && config.is_configured && config.runs(Service::Oauth) {
        let why = "oauth.urls.self.issuer is not set: the address of the listener is used, which clients elsewhere cannot reach";
        findings.push(Finding::new("urls", Verdict::Warning, why));
    }
    if findings.is_empty() {
        findings.push(Finding::new("urls", Verdict::Good, "fit together"));
    }
    findings
}

fn judge_cookies(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    let text = |service, key: &str| config.value(service, key).and_then(Value::as_str).map(str::to_ascii_lowercase);
    let base = text(Service::Identity, "serve.public.base_url").and_then(|url| url.parse::<Url>().ok());
    for key in ["session.cookie.domain", "cookies.domain"] {
        let Some(domain) = text(Service::Identity, key) else { continue };
        let domain = domain.trim_start_matches('.').to_owned();
        let host = base.as_ref().and_then(Url::host_str).unwrap_or_default();
        if !host.is_empty() && host != domain && !host.ends_with(&format!(".{domain}")) {
            let why = format!("identity.{key} is {domain}, but the service is at {host}: browsers drop such a cookie");
            findings.push(Finding::new("cookies", Verdict::Bad, why));
        }
        if !domain.contains('.') && domain != "localhost" {
            let why = format!("identity.{key} is {domain}, a name without a dot: browsers drop cookies for it");
            findings.push(Finding::new("cookies", Verdict::Bad, why));
        }
    }
    let is_plain = base.as_ref().is_some_and(|url| url.scheme() == "http");
    for key in ["session.cookie.same_site", "cookies.same_site"] {
        if text(Service::Identity, key).as_deref() == Some("none") && is_plain {
            let why = format!("identity.{key} is None, which browsers take only with Secure, and that only over https");
            findings.push(Finding::new("cookies", Verdict::Bad, why));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::new("cookies", Verdict::Good, "reach the browsers they are meant for"));
    }
    findings
}

fn judge_cors(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (service, listener) in [
        (Service::Identity, "public"),
        (Service::Oauth, "public"),
        (Service::Oauth, "admin"),
        (Service::Gateway, "proxy"),
        (Service::Gateway, "api"),
    ] {
        let Ok(settings) = config.listener(service, listener) else { continue };
        let cors = settings.cors;
        if cors.enabled && cors.allow_credentials && cors.allowed_origins.iter().any(|origin| origin == "*") {
            let why = format!(
                "{service}.serve.{listener}.cors allows every origin: answers then never go along with cookies; name the origins of your pages"
            );
            findings.push(Finding::new("cors", Verdict::Warning, why));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::new("cors", Verdict::Good, "names its origins, or is off"));
    }
    findings
}

/// An https address without TLS of our own means that something stands before us.
fn judge_proxies(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (service, listener, key) in
        [(Service::Identity, "public", "serve.public.base_url"), (Service::Oauth, "public", "urls.self.issuer")]
    {
        let Ok(settings) = config.listener(service, listener) else { continue };
        let said = config.value(service, key).and_then(Value::as_str).unwrap_or_default();
        let is_behind_a_proxy = said.starts_with("https://") && settings.tls.cert.is_none();
        if is_behind_a_proxy && config.shared.trusted_proxies.is_empty() {
            let why = format!(
                "{service}.{key} is https and the listener has no certificate, so a proxy stands before it; without trusted_proxies every client \
                 has the proxy's address, and attempt limits count all of them together"
            );
            findings.push(Finding::new("proxies", Verdict::Warning, why));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::new("proxies", Verdict::Good, "are listed, or there are none"));
    }
    findings
}

/// An admin API that is open on purpose starts, and is worth a word.
fn judge_open_admin(config: &Config) -> Option<Finding> {
    let admin = &config.shared.admin;
    let why = "admin.unprotected leaves the admin listeners open to whoever reaches them; be sure that something keeps strangers \
               out";
    (admin.unprotected && !admin.is_protected()).then(|| Finding::new("admin", Verdict::Warning, why))
}

async fn look_at_mail(config: &Config) -> Finding {
    if !config.runs(Service::Identity) {
        return Finding::new("mail", Verdict::Good, "is not sent by these services");
    }
    let Some(uri) = config.value(Service::Identity, "courier.smtp.connection_uri").and_then(Value::as_str) else {
        let why =
            "is caught in the local mailbox and reaches nobody: set courier.smtp.connection_uri before people use this";
        return Finding::new("mail", if config.is_configured { Verdict::Warning } else { Verdict::Good }, why);
    };
    let Ok(url) = uri.parse::<Url>() else {
        return Finding::new(
            "mail",
            Verdict::Bad,
            "courier.smtp.connection_uri is not a URL such as smtps://user:password@host:465/",
        );
    };
    let host = url.host_str().unwrap_or_default().to_owned();
    let port = url.port().unwrap_or(if url.scheme() == "smtps" { 465 } else { 587 });
    let greeting = async {
        let mut stream = TcpStream::connect((host.as_str(), port)).await?;
        if url.scheme() == "smtps" {
            // The greeting comes after the handshake; that somebody listens is what can be seen here.
            return Ok(true);
        }
        let mut line = [0; 3];
        stream.read_exact(&mut line).await?;
        Ok::<_, std::io::Error>(line == *b"220")
    };
    match tokio::time::timeout(MAIL_TIMEOUT, greeting).await {
        Ok(Ok(true)) => Finding::new("mail", Verdict::Good, format!("{host}:{port} answers")),
        Ok(Ok(false)) => {
            Finding::new("mail", Verdict::Bad, format!("{host}:{port} answers, but not as a mail server does"))
        }
        Ok(Err(error)) => Finding::new("mail", Verdict::Bad, format!("{host}:{port} cannot be reached: {error}")),
        Err(_) => {
            Finding::new("mail", Verdict::Bad, format!("{host}:{port} does not answer; many networks block mail ports"))
        }
    }
}

/// Services that run elsewhere, at the addresses of the configuration.
async fn look_at_neighbours(config: &Config, trust: &TrustStore) -> Vec<Finding> {
    let mut findings = Vec::new();
    for key in neighbours::KEYS.iter().filter(|key| !key.path.ends_with("headers")) {
        let asked = config.runs(key.of) && !config.runs(key.names);
        let Some(url) = config.value(key.of, key.path).and_then(Value::as_str).filter(|_| asked) else { continue };
        let health = format!("{}/health/alive", url.trim_end_matches('/'));
        let limits = Limits { timeout: NEIGHBOUR_TIMEOUT, ..Limits::default() };
        let name = format!("{}.{}", key.of, key.path);
        findings.push(match Client::new(Destinations::Any, trust).with_limits(limits).get(&health).await {
            Ok(answer) if answer.status().is_success() => {
                Finding::new("neighbours", Verdict::Good, format!("{name}: {} answers", key.names))
            }
            Ok(answer) => {
                let why = format!("{name}: what is there answers {} when asked for its health", answer.status());
                Finding::new("neighbours", Verdict::Warning, why)
            }
            Err(error) => {
                let why = format!("{name}: {} does not answer there: {}", key.names, chain(&error));
                Finding::new("neighbours", Verdict::Bad, why)
            }
        });
    }
    let is_alone = |service, other| config.runs(service) && !config.runs(other);
    if is_alone(Service::Oauth, Service::Identity) && config.value(Service::Oauth, "urls.login").is_none() {
        let public = config.value(Service::Oauth, "urls.identity_provider.publicUrl");
        if public.is_none() {
            let why = "oauth runs without identity and has no login page: set oauth.urls.login and oauth.urls.consent to yours, or \
                       oauth.urls.identity_provider.publicUrl to an identity service";
            findings.push(Finding::new("neighbours", Verdict::Bad, why));
        }
    }
    findings
}

/// A clock that is behind lets expired things live; one that went back since the database was written is suspect.
fn look_at_clock(data: &Path) -> Finding {
    let now = Clock::system().now().unix_seconds();
    if now < BUILT_AFTER {
        return Finding::new(
            "clock",
            Verdict::Bad,
            "is years behind: certificates and tokens will be refused; set it, and keep it by NTP",
        );
    }
    let written = std::fs::metadata(data.join("kleis.db")).and_then(|file| file.modified());
    let written =
        written.ok().and_then(|at: SystemTime| i64::try_from(at.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok());
    if written.is_some_and(|written| written > now + 60) {
        return Finding::new(
            "clock",
            Verdict::Bad,
            "is behind the time at which the database was last written: it went back",
        );
    }
    Finding::new("clock", Verdict::Good, "looks right")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_neighbour_that_is_away_and_a_login_page_that_is_missing_are_found() {
        let look = async |service, tree| {
            let config = Config::from_value(&[service], tree).unwrap();
            look_at_neighbours(&config, &TrustStore::bundled())
                .await
                .into_iter()
                .map(|it| (it.verdict, it.explanation))
                .collect::<Vec<_>>()
        };
        let away = json!({"identity": {"oauth2_provider": {"url": "http://127.0.0.1:1"}}});
        let found = look(Service::Identity, away).await;
        assert!(matches!(&found[..], [(Verdict::Bad, why)] if why.contains("oauth2_provider.url")), "{found:?}");
        let found = look(Service::Oauth, json!({})).await;
        assert!(matches!(&found[..], [(Verdict::Bad, why)] if why.contains("login page")), "{found:?}");
        assert_eq!(look(Service::Oauth, json!({"oauth": {"urls": {"login": "https://a.example.org"}}})).await, []);
    }

    fn bad(tree: Value) -> Vec<&'static str> {
        let config = Config::from_value(&[], tree).unwrap();
        judge(&config).into_iter().filter(|it| it.verdict != Verdict::Good).map(|it| it.subject).collect()
    }

    #[test]
    fn a_start_without_configuration_has_nothing_to_complain_about() {
        assert_eq!(bad(json!({})), Vec::<&str>::new());
    }

    #[test]
    fn common_mistakes_are_found() {
        let secrets = json!({"default": ["0123456789abcdef"]});
        let mixed = json!({"secrets": secrets, "identity": {"serve": {"public": {"base_url": "http://localhost:4433/"}}}, "oauth": {"urls": {"self": {"issuer": "http://127.0.0.1:4444"}}}});
        assert_eq!(bad(mixed), ["urls"]);
        let clear = json!({"oauth": {"urls": {"self": {"issuer": "http://id.example.org"}}}});
        assert_eq!(bad(clear), ["urls"]);
        let domain = json!({"identity": {"serve": {"public": {"base_url": "https://id.example.org/"}}, "cookies": {"domain": "example.com"}}, "oauth": {"urls": {"self": {"issuer": "https://id.example.org"}}}, "trusted_proxies": ["10.0.0.0/8"]});
        assert_eq!(bad(domain), ["cookies"]);
        let open =
            json!({"oauth": {"urls": {"self": {"issuer": "http://127.0.0.1:4444"}}}, "admin": {"unprotected": true}});
        assert_eq!(bad(open), ["admin"]);
    }
}
