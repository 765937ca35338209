//! The checks of `kleis doctor` for this service: whether the issuer is usable, and whether there is a login page.

use service::configuration::values::{get, text};
use service::{Diagnosis, Examined, Verdict};
use url::Url;

pub(super) fn diagnose(examined: &Examined<'_>) -> Vec<Diagnosis> {
    let mut found = Vec::new();
    let issuer = text(examined.section, "urls.self.issuer").and_then(|url| url.parse::<Url>().ok());
    if issuer.as_ref().is_some_and(|issuer| issuer.query().is_some() || issuer.fragment().is_some()) {
        let why = "oauth.urls.self.issuer must have neither query nor fragment (OpenID Connect Discovery section 3)";
        found.push(Diagnosis::new("urls", Verdict::Bad, why));
    }
    if issuer.is_none() && examined.is_configured {
        let why = "oauth.urls.self.issuer is not set: the address of the listener is used, which clients elsewhere cannot reach";
        found.push(Diagnosis::new("urls", Verdict::Warning, why));
    }
    let has_page =
        ["urls.login", "urls.identity_provider.publicUrl"].iter().any(|key| get(examined.section, key).is_some());
    if !examined.running.contains(&"identity") && !has_page {
        let why = "oauth runs without identity and has no login page: set oauth.urls.login and oauth.urls.consent to yours, or \
                   oauth.urls.identity_provider.publicUrl to an identity service";
        found.push(Diagnosis::new("remote services", Verdict::Bad, why));
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn subjects(section: &Value, running: &[&'static str]) -> Vec<&'static str> {
        let examined = Examined { section, is_configured: true, running };
        diagnose(&examined).into_iter().map(|found| found.subject).collect()
    }

    #[test]
    fn a_missing_issuer_and_a_missing_login_page_are_found() {
        assert_eq!(subjects(&json!({}), &["oauth"]), ["urls", "remote services"]);
        let issuer = json!({ "self": { "issuer": "https://id.example.org" } });
        assert_eq!(subjects(&json!({ "urls": issuer }), &["identity", "oauth"]), Vec::<&str>::new());
        let mut urls = issuer;
        urls["login"] = "https://a.example.org".into();
        assert_eq!(subjects(&json!({ "urls": urls }), &["oauth"]), Vec::<&str>::new());
    }
}
