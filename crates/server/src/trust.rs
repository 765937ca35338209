//! The certificate authorities that this process trusts for outbound calls: those of the system, or of `SSL_CERT_FILE` and
//! `SSL_CERT_DIR` as OpenSSL reads them, and those of `trusted_ca`. If the system has none, those that were bundled when the
//! program was built.

use base::TrustStore;
use base::causes::chain;

use crate::config::{Config, Fault, Faults};

/// The variables that replace the system's store.
const VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// A variable names a store that contains no usable certificate.
#[derive(Debug, thiserror::Error)]
#[error("no certificate can be read from {variables}: {reason}")]
pub struct UnreadableStore {
    variables: String,
    reason: String,
}

/// The store of the system, or of the variables in `environment`.
///
/// # Errors
/// A store that a variable names must be readable: a fallback would trust authorities that were not chosen.
pub fn system(environment: &[(String, String)]) -> Result<TrustStore, UnreadableStore> {
    let found = rustls_native_certs::load_native_certs();
    let named: Vec<_> = environment.iter().map(|it| it.0.as_str()).filter(|name| VARIABLES.contains(name)).collect();
    if !named.is_empty() && (found.certs.is_empty() || !found.errors.is_empty()) {
        let reason = found.errors.first().map_or_else(|| "it is empty".to_owned(), ToString::to_string);
        return Err(UnreadableStore { variables: named.join(" or "), reason });
    }
    for error in &found.errors {
        tracing::warn!(error = error as &dyn std::error::Error, "a part of the system's certificate store is not used");
    }
    Ok(if found.certs.is_empty() { TrustStore::bundled() } else { TrustStore::of(found.certs) })
}

/// `store` and the authorities of `trusted_ca`.
///
/// # Errors
/// Every entry that cannot be read.
pub(crate) fn with_configured(store: &TrustStore, config: &Config) -> Result<TrustStore, Faults> {
    let (mut store, mut faults) = (store.clone(), Vec::new());
    for (index, material) in config.shared.trusted_ca.iter().enumerate() {
        let pem = material.read().map_err(|error| chain(&error));
        match pem.and_then(|pem| store.with_pem(&pem).map_err(|error| chain(&error))) {
            Ok(larger) => store = larger,
            Err(problem) => faults.push(Fault::new(format!("trusted_ca.{index}"), problem)),
        }
    }
    if faults.is_empty() { Ok(store) } else { Err(Faults(faults)) }
}
