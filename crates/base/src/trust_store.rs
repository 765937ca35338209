//! The certificate authorities that outbound TLS connections trust: mail servers, upstreams, key sets, hooks, the database
//! and the trace collector all use one store, so that a private authority is configured once.
//!
//! The store is built at the edge, from the system's certificates and the configured ones, and passed down.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// A cheap clone.
#[derive(Clone, Debug)]
pub struct TrustStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    roots: Arc<RootCertStore>,
    certificates: Vec<CertificateDer<'static>>,
    includes_bundled: bool,
}

/// A PEM document without a certificate that can be an authority.
#[derive(Debug, thiserror::Error)]
pub enum NoCertificate {
    #[error("not valid PEM")]
    Pem(#[source] rustls::pki_types::pem::Error),
    #[error("no certificate in it")]
    Empty,
    #[error("certificate {0} cannot be read")]
    Unreadable(usize, #[source] rustls::Error),
}

impl TrustStore {
    /// The authorities that browsers trust, as of the time when this program was built.
    pub fn bundled() -> Self {
        Self::build(Vec::new(), true)
    }

    /// The given authorities and no others. Unreadable ones are left out: system stores contain some.
    pub fn of(certificates: Vec<CertificateDer<'static>>) -> Self {
        Self::build(certificates, false)
    }

    /// The same store and the authorities of a PEM document.
    ///
    /// # Errors
    /// Every certificate of the document must be readable: a configured authority is never left out.
    pub fn with_pem(&self, pem: &[u8]) -> Result<Self, NoCertificate> {
        let added: Vec<_> =
            CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(NoCertificate::Pem)?;
        if added.is_empty() {
            return Err(NoCertificate::Empty);
        }
        let mut probe = RootCertStore::empty();
        for (index, certificate) in added.iter().enumerate() {
            probe.add(certificate.clone()).map_err(|error| NoCertificate::Unreadable(index + 1, error))?;
        }
        let certificates = self.0.certificates.iter().cloned().chain(added).collect();
        Ok(Self::build(certificates, self.0.includes_bundled))
    }

    fn build(certificates: Vec<CertificateDer<'static>>, includes_bundled: bool) -> Self {
        let mut roots = RootCertStore::empty();
        if includes_bundled {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        let certificates: Vec<_> = certificates.into_iter().filter(|it| roots.add(it.clone()).is_ok()).collect();
        Self(Arc::new(Inner { roots: Arc::new(roots), certificates, includes_bundled }))
    }

    pub fn roots(&self) -> Arc<RootCertStore> {
        self.0.roots.clone()
    }

    /// The authorities without the bundled ones, for libraries that build their own store.
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.0.certificates
    }

    /// Whether the bundled authorities are trusted as well.
    pub fn includes_bundled(&self) -> bool {
        self.0.includes_bundled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_without_a_certificate_is_refused() {
        let store = TrustStore::bundled();
        assert!(matches!(store.with_pem(b"hello"), Err(NoCertificate::Empty)));
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(store.with_pem(broken), Err(NoCertificate::Unreadable(1, _))));
        let no_pem = b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n";
        assert!(matches!(store.with_pem(no_pem), Err(NoCertificate::Pem(_))));
    }

    #[test]
    fn a_store_of_given_authorities_does_not_trust_the_bundled_ones() {
        assert!(TrustStore::of(Vec::new()).roots().is_empty());
        assert!(!TrustStore::bundled().roots().is_empty());
    }
}
