//! Data source names, in the notation of the configuration files of the replaced systems.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use base::TrustStore;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio_postgres::config::{Host, SslMode};
use url::form_urlencoded;

/// The location of the database.
#[derive(Clone)]
pub enum Dsn {
    Sqlite(SqliteLocation),
    Postgres(Box<PostgresConfig>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SqliteLocation {
    File(PathBuf),
    /// A temporary file that is deleted with the process.
    Temporary,
}

#[derive(Clone)]
pub struct PostgresConfig {
    pub(crate) driver: tokio_postgres::Config,
    pub(crate) max_connections: usize,
    pub(crate) tls: bool,
    pub(crate) root_certificate: Option<PathBuf>,
    pub(crate) trust: TrustStore,
}

/// Why the data source name cannot be used. The message never contains the name, which may contain a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDsn {
    #[error("the dsn is not a URL; write sqlite:///path/to/file, postgres://user:password@host:5432/name or memory")]
    NotAUrl,
    #[error("the dsn scheme \"{0}\" is unknown; use sqlite, postgres, cockroach or memory")]
    UnknownScheme(String),
    #[error("MySQL is not supported; move to PostgreSQL or SQLite")]
    MySql,
    #[error("the dsn has no path of a database file")]
    NoPath,
    #[error("the dsn parameter {0} has a value that cannot be used")]
    InvalidParameter(&'static str),
    #[error("the dsn is not a valid PostgreSQL address; write postgres://user:password@host:5432/name")]
    InvalidPostgres,
    #[error(
        "the dsn has no host; write postgres://user@host/name, or postgres://user@/name?host=/folder/of/the/socket"
    )]
    NoHost,
    #[error(
        "sslcert and sslkey in the dsn are not supported: remove them, client certificates are never sent to PostgreSQL"
    )]
    ClientCertificate,
}

impl Dsn {
    /// The same database, whose certificate is checked against `trust` unless the dsn has an authority of its own.
    #[must_use]
    pub fn trusting(mut self, trust: &TrustStore) -> Self {
        if let Self::Postgres(config) = &mut self {
            config.trust = trust.clone();
        }
        self
    }

    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self::Sqlite(SqliteLocation::File(path.into()))
    }

    pub const fn memory() -> Self {
        Self::Sqlite(SqliteLocation::Temporary)
    }
}

impl FromStr for Dsn {
    type Err = InvalidDsn;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "memory" {
            return Ok(Self::memory());
        }
        let (scheme, rest) = text.split_once("://").ok_or(InvalidDsn::NotAUrl)?;
        match scheme {
            "sqlite" | "sqlite3" => sqlite(rest),
            "postgres" | "postgresql" | "cockroach" | "cockroachdb" | "yugabyte" | "yugabytedb" => postgres(rest),
            "mysql" => Err(InvalidDsn::MySql),
            other => Err(InvalidDsn::UnknownScheme(other.to_owned())),
        }
    }
}

/// `sqlite://relative`, `sqlite:///absolute`, with `?_fk=true&mode=rwc` and the like, which have no effect here.
fn sqlite(rest: &str) -> Result<Dsn, InvalidDsn> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    if path == ":memory:" || path == "file::memory:" || query.split('&').any(|pair| pair == "mode=memory") {
        return Ok(Dsn::memory());
    }
    let path = path.strip_prefix("file:").unwrap_or(path);
    if path.is_empty() { Err(InvalidDsn::NoPath) } else { Ok(Dsn::sqlite(path)) }
}

fn postgres(rest: &str) -> Result<Dsn, InvalidDsn> {
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    let pairs = form_urlencoded::parse(query.as_bytes()).into_owned();
    let mut max_connections = DEFAULT_MAX_CONNECTIONS;
    let mut ssl_mode = None;
    let mut root_certificate = None;
    let (mut host, mut port) = (None, None);
    let mut kept = form_urlencoded::Serializer::new(String::new());
    let mut options: Vec<String> = Vec::new();
    for (name, value) in pairs {
        match name.as_str() {
            "max_conns" | "pool_max_conns" => {
                let count = value.parse().ok().filter(|count| *count > 0);
                max_connections = count.ok_or(InvalidDsn::InvalidParameter("max_conns"))?;
            }
            // The pool keeps its connections; these parameters are for the pools of the replaced programs.
            "max_idle_conns"
            | "max_conn_lifetime"
            | "max_conn_idle_time"
            | "pool_min_conns"
            | "pool_max_conn_idle_time"
            | "pool_max_conn_lifetime"
            | "pool_max_conn_lifetime_jitter"
            | "pool_health_check_period" => {}
            "sslcert" | "sslkey" => return Err(InvalidDsn::ClientCertificate),
            "host" => host = Some(value),
            "port" => port = Some(value),
            "sslmode" => ssl_mode = Some(value),
            "sslrootcert" => root_certificate = Some(PathBuf::from(value)),
            name if OF_OTHER_DRIVERS.contains(&name) => {}
            "options" => options.push(value),
            name if OF_THE_DRIVER.contains(&name) => drop(kept.append_pair(name, &value)),
            // As in the drivers of the replaced programs, any other name is a setting of the session (`search_path`).
            name => options.push(format!("-c {name}={}", value.replace('\\', "\\\\").replace(' ', "\\ "))),
        }
    }
    let address = with_host(address, host.as_deref(), port.as_deref()).ok_or(InvalidDsn::NoHost)?;
    let url = format!("postgres://{address}?{}", kept.finish());
    let mut driver: tokio_postgres::Config = url.parse().map_err(|_| InvalidDsn::InvalidPostgres)?;
    let is_local = driver.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback()),
        Host::Unix(_) => true,
    });
    // An unchecked certificate does not protect, so every mode but `disable` checks it. Without a mode, a database on this
    // machine is reached without TLS and any other with it.
    let tls = match ssl_mode.as_deref() {
        Some("disable") => false,
        Some("require" | "verify-ca" | "verify-full") => true,
        None | Some("prefer" | "allow") => !is_local,
        Some(_) => return Err(InvalidDsn::InvalidParameter("sslmode")),
    };
    if !options.is_empty() {
        driver.options(options.join(" "));
    }
    driver.ssl_mode(if tls { SslMode::Require } else { SslMode::Disable });
    if driver.get_application_name().is_none() {
        driver.application_name("kleis");
    }
    if driver.get_connect_timeout().is_none() {
        driver.connect_timeout(Duration::from_secs(10));
    }
    driver.keepalives(true);
    Ok(Dsn::Postgres(Box::new(PostgresConfig {
        driver,
        max_connections,
        tls,
        root_certificate,
        trust: TrustStore::bundled(),
    })))
}

/// Parameters that our driver supports.
const OF_THE_DRIVER: &[&str] = &[
    "user",
    "password",
    "dbname",
    "application_name",
    "connect_timeout",
    "tcp_user_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "target_session_attrs",
    "channel_binding",
    "load_balance_hosts",
    "hostaddr",
];

/// Parameters of the drivers of the replaced programs that our driver does not need.
const OF_OTHER_DRIVERS: &[&str] = &[
    "binary_parameters",
    "client_encoding",
    "default_query_exec_mode",
    "description_cache_capacity",
    "disable_prepared_binary_result",
    "fallback_application_name",
    "gssencmode",
    "krbspn",
    "krbsrvname",
    "min_read_buffer_size",
    "passfile",
    "prefer_simple_protocol",
    "service",
    "servicefile",
    "sslnegotiation",
    "sslsni",
    "statement_cache_capacity",
    "statement_cache_mode",
];

/// The address with the host and the port of its parameters. The directory of a socket must be escaped there. `None` without a
/// host.
fn with_host(address: &str, host: Option<&str>, port: Option<&str>) -> Option<String> {
    let (authority, name) = address.split_once('/').unwrap_or((address, ""));
    let (user, own) = authority.rsplit_once('@').map_or(("", authority), |(user, own)| (user, own));
    let separator = if user.is_empty() { "" } else { "@" };
    let host = match host {
        Some(host) => utf8_percent_encode(host, NON_ALPHANUMERIC).to_string(),
        None => own.to_owned(),
    };
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    (!host.is_empty()).then(|| format!("{user}{separator}{host}{port}/{name}"))
}

/// A transaction mostly waits for the server's flush, which many of them share: with few connections they would queue for it.
/// The connections of three nodes fit into the hundred that a server accepts by default.
const DEFAULT_MAX_CONNECTIONS: usize = 28;

impl fmt::Debug for Dsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Without the password.
impl fmt::Display for Dsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(SqliteLocation::File(path)) => write!(f, "sqlite://{}", path.display()),
            Self::Sqlite(SqliteLocation::Temporary) => f.write_str("memory"),
            Self::Postgres(config) => {
                f.write_str("postgres://")?;
                match config.driver.get_hosts().first() {
                    Some(Host::Tcp(name)) => f.write_str(name)?,
                    Some(Host::Unix(path)) => write!(f, "{}", path.display())?,
                    None => {}
                }
                write!(f, "/{}", config.driver.get_dbname().unwrap_or_default())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Dsn, InvalidDsn> {
        text.parse()
    }

    #[test]
    fn the_forms_of_classic_configuration_files_are_read() {
        assert_eq!(
            parse("sqlite:///var/lib/db.sqlite?_fk=true&mode=rwc").unwrap().to_string(),
            "sqlite:///var/lib/db.sqlite"
        );
        assert_eq!(parse("sqlite://db.sqlite").unwrap().to_string(), "sqlite://db.sqlite");
        assert_eq!(parse("memory").unwrap().to_string(), "memory");
        assert_eq!(parse("sqlite://file::memory:?_fk=true").unwrap().to_string(), "memory");
        let dsn = parse("postgres://user:pass@db.example:5432/name?sslmode=verify-full&max_conns=20").unwrap();
        assert_eq!(dsn.to_string(), "postgres://db.example/name");
        let Dsn::Postgres(config) = dsn else { panic!("not PostgreSQL") };
        assert_eq!((config.max_connections, config.tls), (20, true));
    }

    #[test]
    fn a_socket_is_named_by_its_folder() {
        for text in
            ["postgres://user@/name?host=/run/postgresql&port=5433", "postgres://user@%2Frun%2Fpostgresql:5433/name"]
        {
            let Dsn::Postgres(config) = parse(text).unwrap() else { panic!("not PostgreSQL") };
            assert_eq!(config.driver.get_hosts(), [Host::Unix("/run/postgresql".into())], "{text}");
            assert_eq!((config.driver.get_ports(), config.driver.get_dbname()), (&[5433][..], Some("name")), "{text}");
            assert!(!config.tls);
        }
    }

    #[test]
    fn settings_of_the_session_are_passed_on_and_parameters_of_other_drivers_have_no_effect() {
        let options = |query: &str| match parse(&format!("postgres://user@h/name?{query}")).unwrap() {
            Dsn::Postgres(config) => config.driver.get_options().map(str::to_owned),
            Dsn::Sqlite(_) => panic!("not PostgreSQL"),
        };
        assert_eq!(options("search_path=a&statement_timeout=5s").unwrap(), "-c search_path=a -c statement_timeout=5s");
        assert_eq!(options("options=-c%20x%3D1&DateStyle=ISO,%20MDY").unwrap(), "-c x=1 -c DateStyle=ISO,\\ MDY");
        assert_eq!(options("default_query_exec_mode=exec&binary_parameters=yes&keepalives=1"), None);
    }

    #[test]
    fn a_password_is_never_printed() {
        let dsn = parse("cockroach://user:hunter2@host:26257/db").unwrap();
        assert!(!format!("{dsn} {dsn:?}").contains("hunter2"));
    }

    #[test]
    fn the_error_of_an_unusable_dsn_gives_the_reason() {
        assert_eq!(parse("mysql://root@tcp(h)/db").unwrap_err(), InvalidDsn::MySql);
        assert_eq!(parse("file.db").unwrap_err(), InvalidDsn::NotAUrl);
        assert_eq!(parse("postgres://h/db?sslmode=maybe").unwrap_err(), InvalidDsn::InvalidParameter("sslmode"));
        assert_eq!(parse("sqlite://").unwrap_err(), InvalidDsn::NoPath);
        assert_eq!(parse("postgres://user@/name").unwrap_err(), InvalidDsn::NoHost);
        assert_eq!(parse("postgres://h/name?sslcert=c.pem").unwrap_err(), InvalidDsn::ClientCertificate);
    }

    #[test]
    fn tls_is_omitted_only_on_this_machine_or_on_request() {
        let tls = |text: &str| match parse(text).unwrap() {
            Dsn::Postgres(config) => config.tls,
            Dsn::Sqlite(_) => panic!("not PostgreSQL"),
        };
        assert!(!tls("postgres://localhost/db"));
        assert!(tls("postgres://db.example/db"));
        assert!(!tls("postgres://db.example/db?sslmode=disable"));
        assert!(tls("postgres://localhost/db?sslmode=require"));
    }
}
