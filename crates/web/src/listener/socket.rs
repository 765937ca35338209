//! The sources of connections: TCP, or a Unix socket.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// A listening socket.
#[derive(Debug)]
pub enum Socket {
    Tcp(TcpListener),
    /// Both loopback addresses of this machine: a browser may use either for `localhost`.
    Loopback {
        ipv4: TcpListener,
        ipv6: TcpListener,
    },
    Unix(UnixSocket),
}

/// A listening Unix socket. Its file is removed with it.
#[derive(Debug)]
pub struct UnixSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl UnixSocket {
    /// `listener` is bound to `path`.
    pub fn new(listener: UnixListener, path: PathBuf) -> Self {
        Self { listener, path }
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        // A file that stays is removed by the next start.
        let _ = std::fs::remove_file(&self.path);
    }
}

pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    /// The next connection and the address of its peer. A Unix socket has no address: its clients are on this machine.
    pub(super) async fn accept(&self) -> io::Result<(Stream, SocketAddr)> {
        match self {
            Self::Tcp(listener) => Ok(tcp(listener.accept().await?)),
            Self::Loopback { ipv4, ipv6 } => {
                let accepted = tokio::select! {
                    accepted = ipv4.accept() => accepted?,
                    accepted = ipv6.accept() => accepted?,
                };
                let (stream, address) = tcp(accepted);
                // Both addresses count as one: a proxy that is listed as 127.0.0.1 is trusted with either address, and attempts
                // are counted together.
                Ok((stream, SocketAddr::from((Ipv4Addr::LOCALHOST, address.port()))))
            }
            Self::Unix(socket) => {
                let (stream, _) = socket.listener.accept().await?;
                Ok((Stream::Unix(stream), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))))
            }
        }
    }
}

fn tcp((stream, address): (TcpStream, SocketAddr)) -> (Stream, SocketAddr) {
    // Answers are written at once, so Nagle's algorithm would only delay them.
    let _ = stream.set_nodelay(true);
    (Stream::Tcp(stream), address)
}

impl From<TcpListener> for Socket {
    fn from(listener: TcpListener) -> Self {
        Self::Tcp(listener)
    }
}

impl From<UnixSocket> for Socket {
    fn from(socket: UnixSocket) -> Self {
        Self::Unix(socket)
    }
}
