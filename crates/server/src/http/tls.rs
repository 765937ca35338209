//! Certificates of listeners: read at the start, read again when their files change, and checked against client certificates
//! where those are required.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use web::listener::TlsAcceptors;

use crate::config::{Material, MaterialError, Tls};

/// How often the files are checked.
const LOOK: Duration = Duration::from_secs(10);

/// Why a listener cannot offer TLS.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("the {0} cannot be read")]
    Material(&'static str, #[source] MaterialError),
    #[error("the {0} is not valid PEM")]
    Pem(&'static str, #[source] rustls::pki_types::pem::Error),
    #[error("the {0} contains no certificate")]
    Empty(&'static str),
    #[error("certificate and key cannot be used together")]
    Unusable(#[source] rustls::Error),
    #[error("the client authority cannot be used")]
    Authority(#[source] rustls::server::VerifierBuilderError),
}

/// The TLS configuration of a listener. A cheap clone.
#[derive(Clone)]
pub(crate) struct TlsSettings(Arc<Inner>);

struct Inner {
    certificate: Material,
    key: Material,
    authority: Option<Material>,
    current: RwLock<TlsAcceptor>,
    seen: Mutex<Seen>,
}

struct Seen {
    looked: Instant,
    changed: Vec<Option<SystemTime>>,
}

impl TlsSettings {
    /// `None` when the listener uses plain HTTP. With `authority`, client certificates are required.
    pub(crate) fn of(tls: &Tls, authority: Option<&Material>) -> Result<Option<Self>, TlsError> {
        let (Some(certificate), Some(key)) = (&tls.cert, &tls.key) else { return Ok(None) };
        if tls.enabled == Some(false) {
            return Ok(None);
        }
        let acceptor = build(certificate, key, authority)?;
        let inner = Inner {
            certificate: certificate.clone(),
            key: key.clone(),
            authority: authority.cloned(),
            current: RwLock::new(acceptor),
            seen: Mutex::new(Seen { looked: Instant::now(), changed: Vec::new() }),
        };
        let changed = inner.changed();
        inner.seen.lock().unwrap_or_else(PoisonError::into_inner).changed = changed;
        Ok(Some(Self(Arc::new(inner))))
    }
}

impl TlsAcceptors for TlsSettings {
    /// The acceptor of the current certificate. Checks the files at intervals: a renewed certificate is used without a restart,
    /// and one that cannot be read leaves the old one in use.
    fn acceptor(&self) -> TlsAcceptor {
        let inner = &self.0;
        if inner.is_time_to_look() {
            let changed = inner.changed();
            let mut seen = inner.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if seen.changed != changed {
                seen.changed = changed;
                drop(seen);
                match build(&inner.certificate, &inner.key, inner.authority.as_ref()) {
                    Ok(acceptor) => {
                        *inner.current.write().unwrap_or_else(PoisonError::into_inner) = acceptor;
                        tracing::info!("a renewed certificate is in use");
                    }
                    Err(error) => tracing::error!(
                        error = &error as &(dyn std::error::Error + 'static),
                        "a changed certificate cannot be used; the old one stays in use"
                    ),
                }
            }
        }
        inner.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Inner {
    fn is_time_to_look(&self) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let due = seen.looked.elapsed() >= LOOK;
        if due {
            seen.looked = Instant::now();
        }
        due
    }

    fn changed(&self) -> Vec<Option<SystemTime>> {
        let paths = [Some(&self.certificate), Some(&self.key), self.authority.as_ref()].into_iter().flatten();
        let at = |path: &PathBuf| std::fs::metadata(path).and_then(|found| found.modified()).ok();
        paths.map(|material| if let Material::Path(path) = material { at(path) } else { None }).collect()
    }
}

fn build(certificate: &Material, key: &Material, authority: Option<&Material>) -> Result<TlsAcceptor, TlsError> {
    let chain = certificates(certificate, "certificate")?;
    let key = key.read().map_err(|error| TlsError::Material("key", error))?;
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(|error| TlsError::Pem("key", error))?;
    let builder = match authority {
        None => ServerConfig::builder().with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(authority, "client authority")? {
                roots.add(certificate).map_err(TlsError::Unusable)?;
            }
            let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().map_err(TlsError::Authority)?;
            ServerConfig::builder().with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(TlsError::Unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn certificates(material: &Material, what: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = material.read().map_err(|error| TlsError::Material(what, error))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let chain = chain.map_err(|error| TlsError::Pem(what, error))?;
    if chain.is_empty() { Err(TlsError::Empty(what)) } else { Ok(chain) }
}
