//! The listeners that get a self-signed certificate, the names in it, and the notices about it.

use std::collections::BTreeSet;

use base::Timestamp;
use url::Url;

use super::environment::Purpose;
use super::findings::Findings;
use crate::config::{Config, Listener, Notice};
use crate::data_dir::DataDir;
use crate::http::self_signed::SelfSigned;

/// One certificate for all listeners that enable TLS without one. `kept_in` is the data directory of a start that writes.
pub(super) fn for_listeners(
    config: &Config,
    kept_in: Option<&DataDir>,
    now: Timestamp,
    findings: &mut Findings,
) -> Option<SelfSigned> {
    let listeners =
        config.services.iter().flat_map(|service| service.definition().listeners.iter().map(|kind| (*service, kind)));
    // A listener with invalid settings is reported in the plan of the listeners.
    let settings = listeners.filter_map(|(service, kind)| config.listener(service, kind.name).ok());
    let settings: Vec<Listener> = settings.filter(|listener| listener.tls.lacks_certificate()).collect();
    if settings.is_empty() || !config.is_development {
        return None;
    }
    let certificate = SelfSigned::find_or_make(kept_in, &names(&settings), now);
    findings.keep(config, "tls", certificate)
}

/// The names of this machine and of the base URLs.
fn names(listeners: &[Listener]) -> BTreeSet<String> {
    let urls = listeners.iter().filter_map(|listener| Url::parse(listener.base_url.as_deref()?).ok());
    let hosts = urls.filter_map(|url| Some(url.host_str()?.trim_matches(['[', ']']).to_owned()));
    ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into_iter().chain(hosts).collect()
}

/// The notice about a listener with this certificate.
pub(super) fn notice(certificate: &SelfSigned, purpose: Purpose, path: String) -> Notice {
    let SelfSigned { fingerprint, file, .. } = certificate;
    let which = match (purpose, file) {
        // A certificate that an examination generates is discarded.
        (Purpose::Examine, _) => "a start uses a self-signed one".to_owned(),
        (Purpose::Serve, Some(file)) => format!(
            "a self-signed one is used, with the SHA-256 fingerprint {fingerprint}; clients that trust {} accept it",
            file.display()
        ),
        (Purpose::Serve, None) => format!(
            "a self-signed one is used, with the SHA-256 fingerprint {fingerprint}; without a data directory the next start \
             generates another one"
        ),
    };
    Notice::warning(path, format!("has no certificate: for development, {which}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_certificate_is_for_this_machine_and_the_hosts_of_base_urls() {
        let listener = |url: &str| Listener { base_url: Some(url.to_owned()), ..Listener::default() };
        let names = names(&[listener("https://app.test:4433/"), listener("https://[fe80::1]/"), listener("nonsense")]);
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["127.0.0.1", "::1", "app.test", "fe80::1", "localhost"]);
    }
}
