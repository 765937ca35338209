//! Sockets: TCP on an address or a name, or a Unix socket on a path. A listener on `localhost` binds both loopback addresses,
//! if the machine has both.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use tokio::net::{TcpListener, UnixListener};
use web::listener::{Socket, UnixSocket};

use crate::config::Listener;

/// The address of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Address {
    /// Whether only programs on this machine reach it.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().is_loopback(),
            Self::Unix(_) => true,
        }
    }

    pub fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Why a listener cannot bind its address.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BindError {
    #[error("another program listens on {address}: stop it, or choose another port")]
    Taken { address: String },
    #[error("cannot listen on {address}")]
    Socket { address: String, source: std::io::Error },
    #[error(
        "another program listens on [::1]:{port}, which browsers try first for http://localhost:{port}/: stop it, choose \
         another port, or set host to 127.0.0.1"
    )]
    Ipv6Taken { port: u16 },
    #[error("the socket {path} cannot be given to {to}")]
    Ownership { path: String, to: String, source: std::io::Error },
}

impl BindError {
    fn at(address: String, source: std::io::Error) -> Self {
        if source.kind() == ErrorKind::AddrInUse { Self::Taken { address } } else { Self::Socket { address, source } }
    }
}

/// The default address of a listener without a configured one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DefaultPlace {
    pub(crate) host: IpAddr,
    pub(crate) port: u16,
}

pub(crate) const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
pub(crate) const ANYWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// How often the system may choose a port until it is free on both loopback addresses.
const PORT_CHOICES: usize = 16;

/// A bound socket that does not serve yet.
pub(crate) struct Bound {
    pub(crate) socket: Socket,
    pub(crate) address: Address,
}

impl Bound {
    pub(crate) async fn bind(settings: &Listener, place: DefaultPlace) -> Result<Self, BindError> {
        let host = settings.host.as_deref().unwrap_or_default();
        if let Some(path) = host.strip_prefix("unix:") {
            return Self::bind_unix(Path::new(path), settings);
        }
        let port = settings.port.unwrap_or(place.port);
        if host == "localhost" || (host.is_empty() && place.host == LOOPBACK) {
            return Self::bind_loopback(port).await;
        }
        let bound = match host {
            "" => TcpListener::bind((place.host, port)).await,
            "*" => TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).await,
            host => TcpListener::bind((host.trim_matches(['[', ']']), port)).await,
        };
        let name = || if host.is_empty() { place.host.to_string() } else { host.to_owned() };
        let failed = |source| BindError::at(format!("{}:{port}", name()), source);
        let listener = bound.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { socket: listener.into(), address: Address::Tcp(address) })
    }

    /// Binds 127.0.0.1 and, if the machine has it, `[::1]`.
    async fn bind_loopback(port: u16) -> Result<Self, BindError> {
        let failed = |source| BindError::at(format!("{LOOPBACK}:{port}"), source);
        let mut choices = 0;
        loop {
            let ipv4 = TcpListener::bind((LOOPBACK, port)).await.map_err(failed)?;
            let address = ipv4.local_addr().map_err(failed)?;
            choices += 1;
            let socket = match TcpListener::bind((Ipv6Addr::LOCALHOST, address.port())).await {
                Ok(ipv6) => Socket::Loopback { ipv4, ipv6 },
                // The system chose a port that is free on one of the addresses only.
                Err(error) if error.kind() == ErrorKind::AddrInUse && port == 0 && choices < PORT_CHOICES => continue,
                Err(error) if error.kind() == ErrorKind::AddrInUse => {
                    return Err(BindError::Ipv6Taken { port: address.port() });
                }
                Err(_) => ipv4.into(),
            };
            return Ok(Self { socket, address: Address::Tcp(address) });
        }
    }

    fn bind_unix(path: &Path, settings: &Listener) -> Result<Self, BindError> {
        use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
        let failed = |source| BindError::at(format!("unix:{}", path.display()), source);
        // A socket of a dead process blocks the path; any other file on that path is not removed.
        let is_left_over = std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket())
            && std::os::unix::net::UnixStream::connect(path).is_err();
        if is_left_over {
            std::fs::remove_file(path).map_err(failed)?;
        }
        let listener = UnixSocket::new(UnixListener::bind(path).map_err(failed)?, path.to_owned());
        let socket = &settings.socket;
        let given = |to: String, source| BindError::Ownership { path: path.display().to_string(), to, source };
        let mode = socket.mode.unwrap_or(0o755);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
            .map_err(|source| given(format!("mode {mode:o}"), source))?;
        if !socket.owner.is_empty() || !socket.group.is_empty() {
            let user = id_of(&socket.owner, "/etc/passwd").map_err(|source| given(socket.owner.clone(), source))?;
            let group = id_of(&socket.group, "/etc/group").map_err(|source| given(socket.group.clone(), source))?;
            std::os::unix::fs::chown(path, user, group)
                .map_err(|source| given(format!("{}:{}", socket.owner, socket.group), source))?;
        }
        Ok(Self { socket: listener.into(), address: Address::Unix(path.to_owned()) })
    }
}

/// The numeric id of a user or a group: given as a number, or looked up in `/etc/passwd` or `/etc/group`.
fn id_of(name: &str, table: &str) -> std::io::Result<Option<u32>> {
    if name.is_empty() {
        return Ok(None);
    }
    if let Ok(id) = name.parse() {
        return Ok(Some(id));
    }
    let table = std::fs::read_to_string(table)?;
    let row = table.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|row| row.first() == Some(&name));
    let id = row.and_then(|row| row.get(2)?.parse().ok());
    id.map(Some).ok_or_else(|| {
        std::io::Error::new(std::io::ErrorKind::NotFound, format!("{name} does not exist on this machine"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(host: Option<&str>) -> Listener {
        Listener { host: host.map(str::to_owned), ..Listener::default() }
    }

    fn has_ipv6() -> bool {
        std::net::TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
    }

    #[tokio::test]
    async fn a_listener_on_loopback_binds_both_addresses_and_one_with_an_address_binds_only_that() {
        const LOOPBACK_PLACE: DefaultPlace = DefaultPlace { host: LOOPBACK, port: 0 };
        for (host, has_both) in [(None, true), (Some(""), true), (Some("localhost"), true), (Some("127.0.0.1"), false)]
        {
            let bound = Bound::bind(&settings(host), LOOPBACK_PLACE).await.unwrap();
            let address = bound.address.tcp().unwrap();
            assert_eq!(address.ip(), LOOPBACK, "{host:?}");
            assert!(tokio::net::TcpStream::connect(address).await.is_ok(), "{host:?}");
            let other = tokio::net::TcpStream::connect((Ipv6Addr::LOCALHOST, address.port())).await;
            assert_eq!(other.is_ok(), has_both && has_ipv6(), "{host:?}");
        }
    }

    #[tokio::test]
    async fn another_program_on_the_other_loopback_address_stops_the_start() {
        if !has_ipv6() {
            return;
        }
        let stranger = std::net::TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).unwrap();
        let port = stranger.local_addr().unwrap().port();
        let place = DefaultPlace { host: LOOPBACK, port };
        let error = Bound::bind(&settings(None), place).await.map(|bound| bound.address).unwrap_err();
        assert!(error.to_string().starts_with(&format!("another program listens on [::1]:{port}")), "{error}");
        assert!(Bound::bind(&settings(Some("127.0.0.1")), place).await.is_ok());
    }
}
