//! A self-signed certificate for development, used when TLS is enabled without a certificate.
//!
//! Invariants:
//! - It is valid for this machine's names and for the hosts of the configured base URLs, and signs no other certificate.
//! - With a data directory it is kept there, for this user alone, so that a browser needs to accept it once. It is generated
//!   again when it lacks a name or is about to expire.
//! - Only a development configuration gets one: see [`crate::config::Config::is_development`].

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use base::{Secret, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::config::{Material, Tls};
use crate::data_dir::{DataDir, DataDirError};

/// Certificate and key in one file, for programs that need a file to trust.
const FILE: &str = "self-signed.pem";
/// The longest lifetime that browsers accept of other certificates.
const LIFETIME: Duration = Duration::from_hours(24 * 397);
/// A certificate that expires sooner is generated again.
const RENEWED_BEFORE: Duration = Duration::from_hours(24 * 30);
/// Tolerance for clocks of other machines that are behind.
const BACKDATED: Duration = Duration::from_hours(24);

/// Why no certificate could be generated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SelfSignedError {
    #[error("a self-signed certificate cannot be generated")]
    Make(#[from] rcgen::Error),
    #[error("the self-signed certificate cannot be saved")]
    Keep(#[from] DataDirError),
    #[error("the self-signed certificate cannot be read back")]
    ReadBack(#[from] rustls::pki_types::pem::Error),
}

/// A certificate with its key.
#[derive(Clone, Debug)]
pub(crate) struct SelfSigned {
    material: Material,
    /// SHA-256 of the certificate, as browsers show it.
    pub(crate) fingerprint: String,
    /// The file that it is kept in.
    pub(crate) file: Option<PathBuf>,
}

impl SelfSigned {
    /// The kept certificate, when it has these names and is valid for long enough, or a new one.
    pub(crate) fn find_or_make(
        data_dir: Option<&DataDir>,
        names: &BTreeSet<String>,
        now: Timestamp,
    ) -> Result<Self, SelfSignedError> {
        let kept = match data_dir {
            Some(data_dir) => data_dir.text(FILE)?.and_then(|text| Kept::read(&text)),
            None => None,
        };
        let mut names = names.clone();
        if let (Some(kept), Some(data_dir)) = (kept, data_dir) {
            if kept.names.is_superset(&names) && now.plus(RENEWED_BEFORE) < kept.until {
                let file = data_dir.path().join(FILE);
                return Self::of(&kept.pem, Some(file));
            }
            // Another process with other names may use the same directory.
            names.extend(kept.names);
        }
        let made = Kept::make(names, now)?;
        let file = data_dir.map(|data_dir| data_dir.keep_text(FILE, &made.to_text())).transpose()?;
        Self::of(&made.pem, file)
    }

    fn of(pem: &str, file: Option<PathBuf>) -> Result<Self, SelfSignedError> {
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes())?;
        let digest = Sha256::digest(&certificate);
        let fingerprint = digest.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":");
        let material = match &file {
            Some(file) => Material::Path(file.clone()),
            None => Material::Base64(Secret::new(STANDARD.encode(pem))),
        };
        Ok(Self { material, fingerprint, file })
    }

    /// The settings of a listener with this certificate in place of the missing one.
    pub(crate) fn complete(&self, tls: &Tls) -> Tls {
        Tls { enabled: tls.enabled, key: Some(self.material.clone()), cert: Some(self.material.clone()) }
    }
}

/// The content of the file: a line about the certificate, the certificate and its key.
struct Kept {
    names: BTreeSet<String>,
    until: Timestamp,
    pem: String,
}

impl Kept {
    fn make(names: BTreeSet<String>, now: Timestamp) -> Result<Self, rcgen::Error> {
        let until = now.plus(LIFETIME);
        let mut params = CertificateParams::new(names.iter().cloned().collect::<Vec<_>>())?;
        let mut subject = DistinguishedName::new();
        subject.push(DnType::CommonName, "Kleis on this machine");
        params.distinguished_name = subject;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        (params.not_before, params.not_after) = (date(now.minus(BACKDATED)), date(until));
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        Ok(Self { names, until, pem: certificate.pem() + &key.serialize_pem() })
    }

    fn to_text(&self) -> String {
        let names = self.names.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        let until = self.until.unix_micros() / 1_000_000;
        format!("Made by kleis for this machine. until={until} names={names}\n{}", self.pem)
    }

    /// `None` when the file was changed: a new one is generated.
    fn read(text: &str) -> Option<Self> {
        let (head, pem) = text.split_once('\n')?;
        let value = |name: &str| head.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        let until = Timestamp::from_unix_seconds(value("until")?.parse().ok()?);
        let names = value("names")?.split(',').map(str::to_owned).collect();
        Some(Self { names, until, pem: pem.to_owned() })
    }
}

/// `at` in whole seconds.
fn date(at: Timestamp) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at.unix_micros() / 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_kept_certificate_is_reused_until_it_lacks_a_name_or_expires() {
        let place = tempfile::tempdir().unwrap();
        let data_dir = DataDir::open(place.path()).unwrap();
        let now = Timestamp::from_unix_seconds(1_800_000_000);
        let at = |list: &[&str], now| SelfSigned::find_or_make(Some(&data_dir), &names(list), now).unwrap();
        let first = at(&["localhost", "127.0.0.1"], now);
        let file = first.file.clone().unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(first.fingerprint.len(), 32 * 3 - 1);
        assert_eq!(at(&["localhost"], now).fingerprint, first.fingerprint);
        let wider = at(&["localhost", "app.test"], now);
        assert_ne!(wider.fingerprint, first.fingerprint);
        assert_eq!(at(&["127.0.0.1", "app.test"], now).fingerprint, wider.fingerprint, "the former names are kept");
        let late = now.plus(LIFETIME).minus(RENEWED_BEFORE);
        assert_ne!(at(&["localhost"], late).fingerprint, wider.fingerprint);
        std::fs::write(&file, "rubbish").unwrap();
        let again = at(&["localhost"], now).material.read().unwrap();
        assert!(CertificateDer::from_pem_slice(&again).is_ok(), "a damaged file is generated again");
    }

    #[test]
    fn without_a_data_directory_each_start_has_its_own() {
        let now = Timestamp::from_unix_seconds(1_800_000_000);
        let make = || SelfSigned::find_or_make(None, &names(&["localhost"]), now).unwrap();
        let (one, other) = (make(), make());
        assert!(one.file.is_none() && one.fingerprint != other.fingerprint);
        let tls = one.complete(&Tls { enabled: Some(true), ..Tls::default() });
        assert!(!tls.lacks_certificate() && tls.key.is_some());
    }
}
