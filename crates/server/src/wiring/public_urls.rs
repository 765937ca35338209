//! The URLs that browsers see, as far as the configuration says them.

use url::Url;

use crate::config::{Config, Service};
use crate::http::loopback;

/// The URLs that browsers see, each with its service and the key that says it.
pub(crate) fn public_urls(config: &Config) -> Vec<(&'static str, Service, Url)> {
    const KEYS: [(&str, Service); 9] = [
        ("serve.public.base_url", Service::Identity),
        ("selfservice.default_browser_return_url", Service::Identity),
        ("selfservice.flows.login.ui_url", Service::Identity),
        ("selfservice.flows.settings.ui_url", Service::Identity),
        ("urls.self.issuer", Service::Oauth),
        ("urls.self.public", Service::Oauth),
        ("urls.login", Service::Oauth),
        ("urls.consent", Service::Oauth),
        ("urls.logout", Service::Oauth),
    ];
    let url = |(key, service): (&'static str, Service)| {
        let text = config.value(service, key)?.as_str()?;
        Some((key, service, text.parse().ok()?))
    };
    KEYS.into_iter().filter_map(url).collect()
}

/// The name of this machine in the URLs of listeners that have no configured one. The configured URLs decide, so that all
/// of them share their cookies.
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
    fn this_machine_is_localhost_unless_a_configured_url_calls_it_otherwise() {
        let name = |tree| name_of_this_machine(&Config::from_value(&[], tree).unwrap());
        assert_eq!(name(json!({})), "localhost");
        let issuer = |issuer: &str| json!({"oauth": {"urls": {"self": {"issuer": issuer}}}});
        assert_eq!(name(issuer("http://127.0.0.1:4444")), "127.0.0.1");
        assert_eq!(name(issuer("http://[::1]:4444")), "[::1]");
        assert_eq!(name(issuer("https://auth.example.org")), "localhost");
        assert_eq!(name(issuer("http://127.0.0.2:4444")), "localhost");
    }
}
