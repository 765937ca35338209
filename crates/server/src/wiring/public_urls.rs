//! The URLs that browsers see, if the configuration sets them.

use url::Url;

use crate::config::{Config, Service};
use crate::http::loopback;

/// The configured URLs that browsers see, each with its service and key.
pub(crate) fn public_urls(config: &Config) -> Vec<(&'static str, Service, Url)> {
    let keys = |service: &Service| {
        let keys = service.definition().configuration.public_urls.iter();
        let service = *service;
        keys.map(move |key| (*key, service))
    };
    let url = |(key, service): (&'static str, Service)| {
        let text = config.value(service, key)?.as_str()?;
        Some((key, service, text.parse().ok()?))
    };
    config.services.iter().flat_map(keys).filter_map(url).collect()
}

/// The name of this machine in the URLs of listeners without a configured one. It is taken from the configured URLs, so that
/// all of them share their cookies.
pub(crate) fn name_of_this_machine(config: &Config) -> String {
    let urls = public_urls(config);
    let name = urls.iter().find_map(|(_, _, url)| loopback::name_in(url));
    name.unwrap_or(loopback::LOCALHOST).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn this_machine_is_localhost_unless_a_configured_url_has_another_name() {
        let name = |tree| name_of_this_machine(&Config::from_value(&[], tree).unwrap());
        assert_eq!(name(json!({})), "localhost");
        let issuer = |issuer: &str| json!({"oauth": {"urls": {"self": {"issuer": issuer}}}});
        assert_eq!(name(issuer("http://127.0.0.1:4444")), "127.0.0.1");
        assert_eq!(name(issuer("http://[::1]:4444")), "[::1]");
        assert_eq!(name(issuer("https://auth.example.org")), "localhost");
        assert_eq!(name(issuer("http://127.0.0.2:4444")), "localhost");
    }
}
