//! TLS to the database. Every mode but `disable` checks the certificate and the name: against `sslrootcert` if it is set, else
//! against the authorities that the whole process trusts.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::Tls;
use crate::Error;
use crate::dsn::PostgresConfig;

pub(crate) fn connector(config: &PostgresConfig) -> Result<Tls, Error> {
    let roots = match &config.root_certificate {
        Some(path) if config.tls => {
            let mut roots = RootCertStore::empty();
            let certificates = CertificateDer::pem_file_iter(path)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|error| Error::unavailable("sslrootcert cannot be read", error))?;
            roots.add_parsable_certificates(certificates);
            Arc::new(roots)
        }
        _ => config.trust.roots(),
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::unavailable("TLS is not available", error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Tls::new(tls))
}
