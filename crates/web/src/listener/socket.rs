//! Where connections come from: TCP, or a Unix socket.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// A socket that listens.
#[derive(Debug)]
pub enum Socket {
    Tcp(TcpListener),
    /// Both loopback addresses of this machine: a browser may take either for `localhost`.
    Loopback {
        ipv4: TcpListener,
        ipv6: TcpListener,
    },
    Unix(UnixSocket),
}

/// A listening Unix socket, whose file goes with it.
#[derive(Debug)]
pub struct UnixSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl UnixSocket {
    /// `listener` stands at `path`.
    pub fn new(listener: UnixListener, path: PathBuf) -> Self {
        Self { listener, path }
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        // What is left behind is taken away by the next start.
        let _ = std::fs::remove_file(&self.path);
    }
}

pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    /// The next connection, and who is at its other end. A Unix socket has no address: whoever may open it sits on this
    /// machine.
    pub(super) async fn accept(&self) -> io::Result<(Stream, SocketAddr)> {
        match self {
            Self::Tcp(listener) => Ok(tcp(listener.accept().await?)),
            Self::Loopback { ipv4, ipv6 } => {
                let accepted = tokio::select! {
                    accepted = ipv4.accept() => accepted?,
                    accepted = ipv6.accept() => accepted?,
                };
                let (stream, address) = tcp(accepted);
                // One machine, one address: a proxy that is listed as 127.0.0.1 is trusted by whichever way it comes, and
                // attempts are counted together.
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
    // Answers are written whole: waiting for more to send only delays them.
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
