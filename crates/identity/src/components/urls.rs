//! The configured URLs, parsed once: pages, endpoints, and where flows may end.

use std::sync::Arc;

use url::Url;

use crate::config::Config;
use crate::domain::client_kind::FlowType;
use crate::domain::csrf::cookie_name;
use crate::domain::flow::{FlowKind, endpoint};
use crate::domain::return_to::ReturnUrls;
use crate::domain::{Aal, CredentialType};

/// The URLs of this service, of its pages and of the ends of flows.
pub(crate) struct Urls {
    config: Arc<Config>,
    public: Url,
    pages: Pages,
    returns: ReturnUrls,
    csrf_cookie: String,
    /// The base of the links in mails.
    links: Url,
}

#[derive(Clone, Debug)]
struct Pages {
    login: Url,
    registration: Url,
    settings: Url,
    recovery: Url,
    verification: Url,
    error: Url,
}

/// A configured URL is not an absolute http(s) URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} is not an absolute http or https URL: {value}")]
pub struct InvalidUrl {
    pub key: String,
    pub value: String,
}

impl Urls {
    pub(crate) fn new(config: &Arc<Config>) -> Result<Self, InvalidUrl> {
        let base = config.serve.public.base_url.as_deref().unwrap_or("http://127.0.0.1:4433/");
        let public = parse("serve.public.base_url", base)?;
        let flows = &config.selfservice.flows;
        let page = |name: &str, configured: Option<&str>| match configured {
            Some(value) => resolve(&format!("selfservice.flows.{name}.ui_url"), value, &public),
            None => Ok(endpoint(&public, &format!("ui/{name}"))),
        };
        let pages = Pages {
            login: page("login", flows.login.ui_url.as_deref())?,
            registration: page("registration", flows.registration.ui_url.as_deref())?,
            settings: page("settings", flows.settings.ui_url.as_deref())?,
            recovery: page("recovery", flows.recovery.ui_url.as_deref())?,
            verification: page("verification", flows.verification.ui_url.as_deref())?,
            error: page("error", flows.error.ui_url.as_deref())?,
        };
        let default = match config.selfservice.default_browser_return_url.as_deref() {
            Some(value) => resolve("selfservice.default_browser_return_url", value, &public)?,
            None => endpoint(&public, "ui/welcome"),
        };
        let mut allowed = Vec::new();
        for (index, value) in config.selfservice.allowed_return_urls.iter().enumerate() {
            allowed.push(resolve(&format!("selfservice.allowed_return_urls.{index}"), value, &public)?);
        }
        // Flows may end on the built-in pages.
        allowed.push(endpoint(&public, "ui"));
        let csrf_cookie = cookie_name(base);
        let links = match config.selfservice.methods.link.config.base_url.as_deref() {
            Some(value) => parse("selfservice.methods.link.config.base_url", value)?,
            None => public.clone(),
        };
        let config = config.clone();
        Ok(Self { config, returns: ReturnUrls::new(allowed, default, &public), public, pages, csrf_cookie, links })
    }

    /// The path of the public URL.
    pub(crate) fn public_path(&self) -> &str {
        self.public.path()
    }

    pub(crate) fn public(&self) -> &Url {
        &self.public
    }

    /// The page that shows flows of this kind.
    pub(crate) fn page(&self, kind: FlowKind) -> &Url {
        match kind {
            FlowKind::Login => &self.pages.login,
            FlowKind::Registration => &self.pages.registration,
            FlowKind::Settings => &self.pages.settings,
            FlowKind::Recovery => &self.pages.recovery,
            FlowKind::Verification => &self.pages.verification,
        }
    }

    pub(crate) fn error_page(&self) -> &Url {
        &self.pages.error
    }

    pub(crate) fn returns(&self) -> &ReturnUrls {
        &self.returns
    }

    /// Where flows of this kind end by default.
    pub(crate) fn after(&self, kind: FlowKind, method: Option<CredentialType>) -> Url {
        self.configured_after(kind, method).unwrap_or_else(|| self.returns.default_url().clone())
    }

    /// Where flows of this kind, or of one method, end by configuration.
    pub(crate) fn configured_after(&self, kind: FlowKind, method: Option<CredentialType>) -> Option<Url> {
        let flows = &self.config.selfservice.flows;
        let after = match kind {
            FlowKind::Login => &flows.login.after,
            FlowKind::Registration => &flows.registration.after,
            FlowKind::Settings => &flows.settings.after,
            FlowKind::Recovery => &flows.recovery.after,
            FlowKind::Verification => &flows.verification.after,
        };
        let value = match method {
            Some(method) => after.return_url_of(method.as_str()),
            None => after.default_browser_return_url.as_deref(),
        };
        value.and_then(|value| self.public.join(value).ok())
    }

    pub(crate) fn after_logout(&self) -> Option<Url> {
        let value = self.config.selfservice.flows.logout.after.default_browser_return_url.as_deref();
        value.and_then(|value| self.public.join(value).ok())
    }

    /// The URL that begins a flow.
    pub(crate) fn init(&self, kind: FlowKind, flow_type: FlowType, return_to: Option<&str>) -> String {
        let mut url = endpoint(&self.public, &format!("self-service/{}/{}", kind.as_str(), flow_type.as_str()));
        if let Some(return_to) = return_to {
            url.query_pairs_mut().append_pair("return_to", return_to);
        }
        url.into()
    }

    pub(crate) fn links(&self) -> &Url {
        &self.links
    }

    pub(crate) fn csrf_cookie(&self) -> &str {
        &self.csrf_cookie
    }

    /// The URL that adds a second factor to a session.
    pub(crate) fn second_factor(&self, return_to: Option<String>) -> String {
        let mut url = endpoint(&self.public, "self-service/login/browser");
        url.query_pairs_mut().append_pair("aal", Aal::Aal2.as_str());
        if let Some(return_to) = return_to {
            url.query_pairs_mut().append_pair("return_to", &return_to);
        }
        url.into()
    }

    /// The URL that adds a second factor to a session before it answers a login challenge.
    pub(crate) fn second_factor_for(&self, challenge: &str) -> String {
        let mut url = endpoint(&self.public, "self-service/login/browser");
        url.query_pairs_mut().append_pair("aal", Aal::Aal2.as_str()).append_pair("login_challenge", challenge);
        url.into()
    }
}

fn parse(key: &str, value: &str) -> Result<Url, InvalidUrl> {
    let invalid = || InvalidUrl { key: key.to_owned(), value: value.to_owned() };
    Url::parse(value).ok().filter(|url| !url.cannot_be_a_base() && url.has_host()).ok_or_else(invalid)
}

/// A page may be relative to the public URL.
fn resolve(key: &str, value: &str, public: &Url) -> Result<Url, InvalidUrl> {
    let invalid = || InvalidUrl { key: key.to_owned(), value: value.to_owned() };
    public.join(value).ok().filter(|url| !url.cannot_be_a_base()).ok_or_else(invalid)
}
