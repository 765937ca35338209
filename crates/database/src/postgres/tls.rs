//! TLS to the database. Every mode but `disable` checks the certificate and the name: against `sslrootcert` when it is
//! given, else against the public roots.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::Tls;
use crate::Error;
use crate::dsn::PostgresConfig;

pub(crate) fn connector(config: &PostgresConfig) -> Result<Tls, Error> {
    let mut roots = RootCertStore::empty();
    match &config.root_certificate {
        Some(path) if config.tls => {
            let certificates = CertificateDer::pem_file_iter(path)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|error| Error::unavailable("sslrootcert cannot be read", error))?;
            roots.add_parsable_certificates(certificates);
        }
        _ => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::unavailable("TLS is not available", error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Tls::new(tls))
}
