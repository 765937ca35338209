//! `kleis demo`: runs all services with a sample application that signs users in and a sample API behind the gateway. It keeps
//! everything in memory and leaves nothing behind.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;

use anyhow::Context as _;
use base::{PlainToken, Rng, Secret, TrustStore};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use clap::Args;
use http::Request;
use serde_json::{Value, json};
use url::Url;
use web::outbound::{Client, Destinations};

use super::serve::{Signals, announce, install_telemetry, until_stopped};
use crate::config::{Config, Service};
use crate::demo::{Apis, MODEL, Settings, Tools, api_router, relying_party_router};
use crate::http::loopback::LOCALHOST;
use crate::{Environment, Running, start};

/// The usual port of the gateway.
const GATEWAY_PORT: u16 = 4455;

/// Run everything with a sample application and a sample API behind the gateway.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Port of the sample application
    #[arg(long, default_value_t = 4480)]
    port: u16,
    /// Port of the sample API behind the gateway
    #[arg(long, default_value_t = 4481)]
    api_port: u16,
    /// Use free ports instead of the default ones
    #[arg(long)]
    free_ports: bool,
}

impl Arguments {
    /// Those of the sample application, of the sample API and of the gateway.
    fn addresses(&self) -> anyhow::Result<[SocketAddr; 3]> {
        let place = |port| if self.free_ports { free_address() } else { Ok(loopback(port)) };
        Ok([place(self.port)?, place(self.api_port)?, place(GATEWAY_PORT)?])
    }
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let environment = Environment { free_ports: arguments.free_ports, ..Environment::system() };
    let demo = Demo::plan(arguments.addresses()?, &environment.rng)?;
    let config = demo.config()?;
    let traces = install_telemetry(&config, &environment)?;
    let mut signals = Signals::install()?;
    let (running, settings) = tokio::select! {
        started = demo.start(config, environment) => with_remedy(started, arguments.free_ports)?,
        () = signals.next() => return Ok(ExitCode::SUCCESS),
    };
    announce(&running, &running.failed_checks().await);
    super::output::raw(start_text(&running, &settings, arguments.free_ports)?.as_bytes())?;
    until_stopped(running, traces, signals).await
}

/// The configuration of the demo is fixed, so that a start fails because of its ports, or for a reason that is shown beside this.
fn with_remedy<T>(started: anyhow::Result<T>, free_ports: bool) -> anyhow::Result<T> {
    if free_ports {
        return started;
    }
    started.context("the demo cannot start; if other programs use its ports, start it with --free-ports")
}

/// A running demo and the URLs of its parts.
pub struct RunningDemo {
    pub running: Running,
    pub app: Url,
    /// The API, through the gateway.
    pub api: Url,
    pub account: Url,
    pub mailbox: Url,
}

/// Starts the demo for tests: the sample application, the sample API and the gateway on these ports, and the rest on free ones.
pub async fn start_on_ports(ports: [u16; 3], environment: Environment) -> anyhow::Result<RunningDemo> {
    let demo = Demo::plan(ports.map(loopback), &environment.rng)?;
    let config = demo.config()?;
    let (running, settings) = demo.start(config, Environment { free_ports: true, ..environment }).await?;
    let mailbox = url_of(&running, Service::IDENTITY, "admin")?.join("mailbox")?;
    let Settings { base_url: app, api_url: api, account_url: account, .. } = settings;
    Ok(RunningDemo { running, app, api, account, mailbox })
}

/// The addresses of all parts of the demo.
struct Demo {
    app: SocketAddr,
    api: SocketAddr,
    gateway: SocketAddr,
    settings: Settings,
}

impl Demo {
    /// The gateway's rule contains the gateway's address, so the address must be known before the gateway starts.
    fn plan([app, api, gateway]: [SocketAddr; 3], rng: &Rng) -> anyhow::Result<Self> {
        Ok(Self { app, api, gateway, settings: settings(rng, app, gateway)? })
    }

    fn config(&self) -> anyhow::Result<Config> {
        Ok(Config::from_value(&[], tree(&self.settings, self.api, self.gateway)?)?)
    }

    async fn start(self, config: Config, environment: Environment) -> anyhow::Result<(Running, Settings)> {
        let tools = Tools {
            http: Client::new(Destinations::Any, &TrustStore::bundled()),
            clock: environment.clock.clone(),
            rng: environment.rng.clone(),
        };
        let mut running = start(config, environment).await?;
        let settings = Settings {
            issuer: url_of(&running, Service::OAUTH, "public")?,
            account_url: url_of(&running, Service::IDENTITY, "public")?,
            ..self.settings
        };
        register(&running, &tools.http, &settings).await?;
        running.attach(self.api, api_router()).await?;
        let apis = Apis {
            permissions_read: url_of(&running, Service::PERMISSIONS, "read")?,
            permissions_write: url_of(&running, Service::PERMISSIONS, "write")?,
            identities: url_of(&running, Service::IDENTITY, "admin")?,
        };
        running.attach(self.app, relying_party_router(settings.clone(), apis, tools)?).await?;
        Ok((running, settings))
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// A port that is free on every loopback address.
fn free_address() -> anyhow::Result<SocketAddr> {
    const CHOICES: usize = 16;
    for _ in 0..CHOICES {
        let address = std::net::TcpListener::bind(loopback(0))?.local_addr()?;
        let other = std::net::TcpListener::bind((Ipv6Addr::LOCALHOST, address.port()));
        if other.map_or_else(|error| error.kind() != ErrorKind::AddrInUse, |_| true) {
            return Ok(address);
        }
    }
    anyhow::bail!("no free port was found on loopback; name ports with --port and --api-port")
}

/// Browsers keep the cookies of `localhost` and `127.0.0.1` apart, so every URL uses the same name.
fn url_at(port: u16) -> anyhow::Result<Url> {
    Ok(format!("http://{LOCALHOST}:{port}/").parse()?)
}

fn settings(rng: &Rng, app: SocketAddr, gateway: SocketAddr) -> anyhow::Result<Settings> {
    let secret = PlainToken::generate(rng, "", 32);
    let base_url = url_at(app.port())?;
    Ok(Settings {
        issuer: base_url.clone(),
        client_id: "sample-app".to_owned(),
        client_secret: Secret::new(secret.expose().to_owned()),
        account_url: base_url.clone(),
        base_url,
        api_url: url_at(gateway.port())?,
    })
}

/// The configuration of the demo, as in a `kleis.yml`.
fn tree(settings: &Settings, api: SocketAddr, gateway: SocketAddr) -> anyhow::Result<Value> {
    let rules = settings.access_rules(&format!("http://{api}/").parse()?);
    let rules = format!("inline://{}", STANDARD.encode(serde_json::to_vec(&rules)?));
    Ok(json!({
        "dsn": "memory",
        "log": { "level": "warn" },
        "identity": {
            "selfservice": { "methods": {
                // Passwords of a demo are not sent to an external service.
                "password": { "config": { "haveibeenpwned_enabled": false } },
                "totp": { "enabled": true, "config": { "issuer": "Kleis demo" } },
                "lookup_secret": { "enabled": true },
            } },
        },
        "permissions": { "namespaces": { "location": format!("base64://{}", STANDARD.encode(MODEL)) } },
        "gateway": {
            "serve": { "proxy": { "port": gateway.port() } },
            "access_rules": { "repositories": [rules] },
            "authenticators": {
                "cookie_session": {
                    "enabled": true,
                    "config": { "check_session_url": "kleis://identity/sessions/whoami" },
                },
                "oauth2_introspection": {
                    "enabled": true,
                    "config": { "introspection_url": "kleis://oauth/introspect" },
                },
            },
            "authorizers": { "allow": { "enabled": true }, "permission": { "enabled": true } },
            "mutators": {
                "header": { "enabled": true, "config": { "headers": { "X-User": "{{ print .Subject }}" } } },
            },
        },
    }))
}

fn url_of(running: &Running, service: Service, listener: &'static str) -> anyhow::Result<Url> {
    let url = running.addresses.base_url(service, listener).context("the service does not run")?;
    Ok(url.parse()?)
}

/// Registers the sample application through the admin API.
async fn register(running: &Running, http: &Client, settings: &Settings) -> anyhow::Result<()> {
    let url = url_of(running, Service::OAUTH, "admin")?.join("admin/clients")?;
    let body = Bytes::from(serde_json::to_vec(&settings.client_registration())?);
    let request = Request::post(url.as_str()).header("content-type", "application/json").body(body)?;
    let answer = http.send(request).await?;
    anyhow::ensure!(answer.status().is_success(), "the sample application was refused: {}", answer.status());
    Ok(())
}

/// The text of a start: where everything is.
fn start_text(running: &Running, settings: &Settings, free_ports: bool) -> anyhow::Result<String> {
    let mailbox = url_of(running, Service::IDENTITY, "admin")?.join("mailbox")?;
    let read = url_of(running, Service::PERMISSIONS, "read")?;
    let write = url_of(running, Service::PERMISSIONS, "write")?;
    let Settings { base_url, api_url, account_url, issuer, .. } = settings;
    let variables = if free_ports {
        format!(
            "For kleis permissions in another terminal:\n\
             \x20 export KLEIS_READ_REMOTE={read} KLEIS_WRITE_REMOTE={write}\n\n"
        )
    } else {
        String::new()
    };
    Ok(format!(
        "\nKleis is running. Everything is in memory and gone when it ends.\n\n\
         \x20 Sample app   {base_url}   sign up, sign in, call the API, share your document\n\
         \x20 Sample API   {api_url}   through the gateway\n\
         \x20 Account      {account_url}   profile, password, sessions\n\
         \x20 Mailbox      {mailbox}   the mail that would have been sent\n\
         \x20 Permissions  {read}   checks and lists of relation tuples\n\
         \x20 Permissions  {write}   changes of relation tuples\n\
         \x20 Discovery    {issuer}.well-known/openid-configuration\n\n\
         {variables}Press Ctrl-C to stop.\n",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_sample_application_is_served_and_the_sample_api_is_guarded() {
        let arguments = Arguments { port: 0, api_port: 0, free_ports: true };
        let environment = Environment { free_ports: true, ..Environment::system() };
        let demo = Demo::plan(arguments.addresses().unwrap(), &environment.rng).unwrap();
        let config = demo.config().unwrap();
        assert_eq!(config.notices, []);
        let (running, settings) = demo.start(config, environment).await.unwrap();
        let http = Client::new(Destinations::Any, &TrustStore::bundled());
        let app = http.get(settings.base_url.as_str()).await.unwrap();
        assert_eq!(app.status(), 200, "{:?}", app.body());
        let guarded = http.get(settings.api_url.join("hello").unwrap().as_str()).await.unwrap();
        assert_eq!(guarded.status(), 401, "{:?}", guarded.body());
        let discovery = settings.issuer.join(".well-known/openid-configuration").unwrap();
        let discovery: Value = serde_json::from_slice(http.get(discovery.as_str()).await.unwrap().body()).unwrap();
        let issuer = discovery["issuer"].as_str().unwrap();
        assert_eq!(issuer, settings.issuer.as_str().trim_end_matches('/'));
        let text = start_text(&running, &settings, true).unwrap();
        for listener in ["read", "write"] {
            let url = running.addresses.base_url(Service::PERMISSIONS, listener).unwrap();
            assert!(text.contains(&format!("Permissions  {url}   ")), "{text}");
            assert!(text.contains(&format!("_REMOTE={url}")), "{text}");
        }
        assert!(!start_text(&running, &settings, false).unwrap().contains("_REMOTE="));
        running.shutdown().await;
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_reported_with_the_option_for_free_ports() {
        let taken = std::net::TcpListener::bind(loopback(0)).unwrap();
        let environment = Environment { free_ports: true, ..Environment::system() };
        let arguments = Arguments { port: 0, api_port: 0, free_ports: true };
        let mut demo = Demo::plan(arguments.addresses().unwrap(), &environment.rng).unwrap();
        demo.app = taken.local_addr().unwrap();
        let config = demo.config().unwrap();
        let error = with_remedy(demo.start(config, environment).await.map(drop), false).unwrap_err();
        assert!(format!("{error:#}").contains("--free-ports: another program listens on"), "{error:#}");
    }
}
