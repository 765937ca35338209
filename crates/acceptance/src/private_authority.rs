//! A private certificate authority, and a web server with a certificate of that authority. The server records the paths of
//! its requests.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::Request;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The authority.
pub struct PrivateAuthority(CertifiedIssuer<'static, KeyPair>);

impl PrivateAuthority {
    pub fn new() -> Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Self(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?))
    }

    /// Its certificate, as PEM.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate of this authority for `localhost` and its key, as PEM.
    pub fn certificate(&self) -> Result<(String, String)> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(vec!["localhost".to_owned()])?.signed_by(&key, &self.0)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }

    /// A TLS acceptor with a certificate of this authority for `localhost`.
    pub fn acceptor(&self) -> Result<TlsAcceptor> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(vec!["localhost".to_owned()])?.signed_by(&key, &self.0)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// Starts a web server with the answers of `router`.
    pub async fn serve(&self, router: Router) -> Result<TlsServer> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("cannot listen")?;
        let port = socket.local_addr()?.port();
        let acceptor = self.acceptor()?;
        let asked = Asked::default();
        let router = router.layer(axum::middleware::map_request({
            let asked = asked.clone();
            move |request: Request| {
                asked.0.lock().unwrap_or_else(PoisonError::into_inner).push(request.uri().path().to_owned());
                std::future::ready(request)
            }
        }));
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let _ = axum::serve(TlsListener { socket, acceptor }, router).await;
        });
        Ok(TlsServer { port, asked, _serving: serving })
    }
}

#[derive(Clone, Debug, Default)]
struct Asked(Arc<Mutex<Vec<String>>>);

/// A running web server; it stops when dropped.
#[derive(Debug)]
pub struct TlsServer {
    port: u16,
    asked: Asked,
    _serving: JoinSet<()>,
}

impl TlsServer {
    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    /// The requested paths, sorted and without duplicates.
    pub fn asked(&self) -> Vec<String> {
        let mut paths = self.asked.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        paths.sort();
        paths.dedup();
        paths
    }
}

struct TlsListener {
    socket: TcpListener,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.socket.accept().await else { continue };
            // A client that does not trust the certificate closes the connection.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.socket.local_addr()
    }
}
