//! What the configuration says about flows, read once: pages, addresses to end at, lifespans, cookies, methods, hooks.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::Identity;
use crate::config::{Config, FlowUse, LoginStyle, Methods, RegistrationStyle};
use crate::domain::client_kind::FlowType;
use crate::domain::csrf::cookie_name;
use crate::domain::flow::{FlowKind, endpoint};
use crate::domain::return_to::ReturnUrls;
use crate::domain::session::RequiredAal;
use crate::domain::traits_schema::TraitsSchema;
use crate::domain::{self, CredentialType};

use super::error::FlowError;
use super::hooks::Hooks;

/// Addresses as parsed values.
#[derive(Clone, Debug)]
pub(crate) struct Urls {
    public: Url,
    pages: Pages,
    returns: ReturnUrls,
    csrf_cookie: String,
    /// What the links of mails begin with.
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
#[error("{key} is not an absolute http or https address: {value}")]
pub struct InvalidUrl {
    pub key: String,
    pub value: String,
}

impl Urls {
    pub(crate) fn new(config: &Config) -> Result<Self, InvalidUrl> {
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
        // Our own pages lie where flows may end.
        allowed.push(endpoint(&public, "ui"));
        let csrf_cookie = cookie_name(base);
        let links = match config.selfservice.methods.link.config.base_url.as_deref() {
            Some(value) => parse("selfservice.methods.link.config.base_url", value)?,
            None => public.clone(),
        };
        Ok(Self { returns: ReturnUrls::new(allowed, default, &public), public, pages, csrf_cookie, links })
    }

    /// The path under which the public address stands.
    pub(crate) fn public_path(&self) -> &str {
        self.public.path()
    }

    fn page(&self, kind: FlowKind) -> &Url {
        match kind {
            FlowKind::Login => &self.pages.login,
            FlowKind::Registration => &self.pages.registration,
            FlowKind::Settings => &self.pages.settings,
            FlowKind::Recovery => &self.pages.recovery,
            FlowKind::Verification => &self.pages.verification,
        }
    }
}

fn parse(key: &str, value: &str) -> Result<Url, InvalidUrl> {
    let invalid = || InvalidUrl { key: key.to_owned(), value: value.to_owned() };
    Url::parse(value).ok().filter(|url| !url.cannot_be_a_base() && url.has_host()).ok_or_else(invalid)
}

/// A page may be written relative to the public address.
fn resolve(key: &str, value: &str, public: &Url) -> Result<Url, InvalidUrl> {
    let invalid = || InvalidUrl { key: key.to_owned(), value: value.to_owned() };
    public.join(value).ok().filter(|url| !url.cannot_be_a_base()).ok_or_else(invalid)
}

impl Identity {
    /// Which proofs this service offers.
    pub(crate) fn methods(&self) -> &Methods {
        &self.config.selfservice.methods
    }

    /// Whether a login asks for the identifier alone first.
    pub(crate) fn signs_in_identifier_first(&self) -> bool {
        self.config.selfservice.flows.login.style == LoginStyle::IdentifierFirst
    }

    /// Whether a registration asks for the traits alone first.
    pub(crate) fn registers_in_two_steps(&self) -> bool {
        let registration = &self.config.selfservice.flows.registration;
        registration.style == RegistrationStyle::ProfileFirst && !registration.enable_legacy_one_step
    }

    pub(crate) fn public_url(&self) -> &Url {
        &self.urls.public
    }

    /// The page that shows flows of this kind.
    pub(crate) fn page(&self, kind: FlowKind) -> Url {
        self.urls.page(kind).clone()
    }

    pub(crate) fn error_page(&self) -> Url {
        self.urls.pages.error.clone()
    }

    pub(crate) fn return_urls(&self) -> &ReturnUrls {
        &self.urls.returns
    }

    /// Where flows of this kind end unless they say otherwise.
    pub(crate) fn after_url(&self, kind: FlowKind, method: Option<CredentialType>) -> Url {
        self.configured_after_url(kind, method).unwrap_or_else(|| self.urls.returns.default_url().clone())
    }

    fn configured_after_url(&self, kind: FlowKind, method: Option<CredentialType>) -> Option<Url> {
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
        value.and_then(|value| self.urls.public.join(value).ok())
    }

    pub(crate) fn after_settings_url(&self, method: Option<CredentialType>) -> Option<Url> {
        self.configured_after_url(FlowKind::Settings, method)
    }

    pub(crate) fn after_recovery_url(&self) -> Option<Url> {
        self.configured_after_url(FlowKind::Recovery, None)
    }

    pub(crate) fn after_logout_url(&self) -> Option<Url> {
        let value = self.config.selfservice.flows.logout.after.default_browser_return_url.as_deref();
        value.and_then(|value| self.urls.public.join(value).ok())
    }

    pub(crate) fn clears_browser_data(&self) -> bool {
        self.config.selfservice.flows.logout.clear_browser_data && self.urls.public.scheme() == "https"
    }

    /// Where a new flow begins.
    pub(crate) fn init_url(&self, kind: FlowKind, flow_type: FlowType, return_to: Option<&str>) -> String {
        let mut url = endpoint(&self.urls.public, &format!("self-service/{}/{}", kind.as_str(), flow_type.as_str()));
        if let Some(return_to) = return_to {
            url.query_pairs_mut().append_pair("return_to", return_to);
        }
        url.into()
    }

    pub(crate) fn lifespan(&self, kind: FlowKind) -> Duration {
        let flows = &self.config.selfservice.flows;
        match kind {
            FlowKind::Login => flows.login.lifespan,
            FlowKind::Registration => flows.registration.lifespan,
            FlowKind::Settings => flows.settings.lifespan,
            FlowKind::Recovery => flows.recovery.lifespan,
            FlowKind::Verification => flows.verification.lifespan,
        }
        .get()
    }

    /// The hooks at the end of a flow.
    pub(crate) fn hooks_after(&self, kind: FlowKind, method: CredentialType) -> Hooks {
        let flows = &self.config.selfservice.flows;
        let after = match kind {
            FlowKind::Login => &flows.login.after,
            FlowKind::Registration => &flows.registration.after,
            FlowKind::Settings => &flows.settings.after,
            FlowKind::Recovery => &flows.recovery.after,
            FlowKind::Verification => &flows.verification.after,
        };
        let mut hooks = Hooks::named(after.hooks_of(method.as_str()).iter().map(|hook| hook.hook.as_str()));
        let changes_access =
            kind == FlowKind::Recovery || (kind == FlowKind::Settings && method == CredentialType::Password);
        if changes_access && self.revokes_active_sessions() {
            hooks.revoke_active_sessions = true;
        }
        if self.config.feature_flags.legacy_continue_with_verification_ui {
            hooks.show_verification_ui = true;
        }
        hooks
    }

    /// Whether other sessions end with a recovery, a new password and the first proof of an address, without a hook.
    pub(crate) fn revokes_active_sessions(&self) -> bool {
        self.config.security.revoke_active_sessions
    }

    pub(crate) fn registration_enabled(&self) -> bool {
        self.config.selfservice.flows.registration.enabled
    }

    pub(crate) fn recovery_enabled(&self) -> bool {
        self.config.selfservice.flows.recovery.enabled
    }

    pub(crate) fn verification_enabled(&self) -> bool {
        self.config.selfservice.flows.verification.enabled
    }

    /// Whether flows of this kind send a link and not a code.
    pub(crate) fn proof_by_link(&self, kind: FlowKind) -> bool {
        let flows = &self.config.selfservice.flows;
        match kind {
            FlowKind::Recovery => flows.recovery.used == FlowUse::Link,
            FlowKind::Verification => flows.verification.used == FlowUse::Link,
            FlowKind::Login | FlowKind::Registration | FlowKind::Settings => false,
        }
    }

    pub(crate) fn link_lifespan(&self) -> Duration {
        self.config.selfservice.methods.link.config.lifespan.get()
    }

    pub(crate) fn link_base_url(&self) -> &Url {
        &self.urls.links
    }

    pub(crate) fn notifies_unknown_recipients(&self, kind: FlowKind) -> bool {
        let flows = &self.config.selfservice.flows;
        match kind {
            FlowKind::Recovery => flows.recovery.notify_unknown_recipients,
            FlowKind::Verification => flows.verification.notify_unknown_recipients,
            FlowKind::Login | FlowKind::Registration | FlowKind::Settings => false,
        }
    }

    pub(crate) fn sends_text_messages(&self) -> bool {
        self.config.courier.channels.iter().any(|channel| channel.id == "sms")
    }

    /// Whether sign-in hides which accounts exist, at the price of offering what an account may not have.
    pub(crate) fn hides_accounts(&self) -> bool {
        let shows_hints = self.config.selfservice.flows.registration.login_hints;
        self.config.security.account_enumeration.mitigate.unwrap_or(!shows_hints)
    }

    /// Whether a sign-up counts only once its address is confirmed.
    pub(crate) fn confirms_addresses_first(&self) -> bool {
        // By a code: a link would open somebody's account with the password of whoever signed up in their name.
        let is_wanted = self.config.selfservice.flows.registration.confirm_address_first;
        is_wanted && self.verification_enabled() && self.methods().code.is_enabled()
    }

    /// Whether a code can go to a verifiable address of somebody who never set codes up.
    pub(crate) fn sends_codes_to_verifiable_addresses(&self) -> bool {
        self.config.selfservice.methods.code.config.missing_credential_fallback_enabled
    }

    /// Whether somebody who registers with a taken identifier is told how its owner signs in.
    pub(crate) fn gives_login_hints(&self) -> bool {
        self.config.selfservice.flows.registration.login_hints && !self.hides_accounts()
    }

    /// Whether an unverified address is an error in the form, as it once was.
    pub(crate) fn refuses_unverified_in_the_form(&self) -> bool {
        self.config.feature_flags.legacy_require_verified_login_error
    }

    pub(crate) fn code_lifespan(&self) -> Duration {
        self.config.selfservice.methods.code.config.lifespan.get()
    }

    pub(crate) fn code_max_submissions(&self) -> i32 {
        i32::try_from(self.config.selfservice.methods.code.config.max_submissions).unwrap_or(i32::MAX)
    }

    pub(crate) fn session_lifespan(&self) -> Duration {
        self.config.session.lifespan.get()
    }

    pub(crate) fn session_cookie_name(&self) -> &str {
        &self.config.session.cookie.name
    }

    pub(crate) fn session_cookie_is_persistent(&self) -> bool {
        self.config.session.cookie.persistent
    }

    pub(crate) fn csrf_cookie_name(&self) -> &str {
        &self.urls.csrf_cookie
    }

    pub(crate) fn whoami_required_aal(&self) -> RequiredAal {
        self.config.session.whoami.required_aal
    }

    /// For how many seconds an answer of `whoami` may be kept at most; `None` when it may not be kept.
    pub(crate) fn whoami_cache_limit(&self) -> Option<u64> {
        let flags = &self.config.feature_flags;
        let limit = flags.cacheable_sessions_max_age.map_or(u64::MAX, |age| age.get().as_secs());
        flags.cacheable_sessions.then_some(if limit == 0 { u64::MAX } else { limit })
    }

    pub(crate) fn settings_required_aal(&self) -> RequiredAal {
        self.config.selfservice.flows.settings.required_aal
    }

    /// How long a session stays privileged; `None` for ever.
    pub(crate) fn privileged_session_max_age(&self) -> Option<Duration> {
        let age = self.config.selfservice.flows.settings.privileged_session_max_age.get();
        (!age.is_zero()).then_some(age)
    }

    pub(crate) fn uses_continue_with_transitions(&self) -> bool {
        self.config.feature_flags.use_continue_with_transitions
    }

    pub(crate) fn overrides_return_to(&self) -> bool {
        self.config.oauth2_provider.override_return_to
    }

    /// The schema that a request chose, when it may.
    pub(crate) fn selectable_schema(&self, chosen: Option<String>) -> Result<Option<String>, FlowError> {
        let Some(chosen) = chosen else { return Ok(None) };
        let schemas = &self.config.identity;
        let is_selectable = chosen == schemas.default_schema_id
            || schemas.schemas.iter().any(|schema| schema.id == chosen && schema.selfservice_selectable);
        if is_selectable { Ok(Some(chosen)) } else { Err(FlowError::UnknownSchema(chosen)) }
    }

    /// The schema of a person; the default one when theirs is no longer configured.
    pub(crate) fn schema_of_person(&self, person: &domain::Identity) -> Result<Arc<TraitsSchema>, FlowError> {
        self.schema_of(Some(&person.schema_id)).or_else(|_| self.schema_of(None))
    }

    /// A schema by its id; the default one without.
    pub(crate) fn schema_of(&self, id: Option<&str>) -> Result<Arc<TraitsSchema>, FlowError> {
        let id = id.unwrap_or(&self.config.identity.default_schema_id);
        self.schemas.get(id).ok_or_else(|| FlowError::UnknownSchema(id.to_owned()))
    }
}
