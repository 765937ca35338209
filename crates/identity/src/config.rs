//! This service's section of the configuration: the keys of the file that it replaces, with their defaults. Unknown keys
//! are refused by the contract's schema before this is read; known keys that nothing obeys are reported from
//! [`HONOURED`].

mod adjustments;
mod attempt_limits;
mod courier;
mod flows;
mod honoured;

use std::collections::BTreeMap;

use base::{GoDuration, Secret};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use web::config::parse_go_bool;

pub use adjustments::Adjustment;
pub use attempt_limits::AttemptLimits;
pub use courier::{
    Channel, Courier, DeliveryStrategy, HttpAuth, HttpAuthConfig, HttpDelivery, RequestConfig, Smtp, TemplateSources,
};
pub use flows::{
    After, Before, FlowUse, Flows, Hook, LoginFlow, LoginStyle, LogoutAfter, LogoutFlow, MethodAfter, RecoveryFlow,
    RegistrationFlow, RegistrationStyle, SettingsFlow, VerificationFlow,
};
pub use honoured::HONOURED;

pub use crate::methods::Methods;
pub use crate::methods::password::PasswordConfig;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Relaxes what would hinder work on one's own machine: insecure cookies, cheap hashes, readable messages.
    pub dev: bool,
    pub serve: Serve,
    pub selfservice: Selfservice,
    pub identity: Schemas,
    pub session: Session,
    pub cookies: Cookies,
    pub hashers: Hashers,
    pub courier: Courier,
    pub oauth2_provider: Oauth2Provider,
    pub security: Security,
    pub feature_flags: FeatureFlags,
    pub clients: Clients,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Serve {
    pub public: Endpoint,
    pub admin: Endpoint,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Endpoint {
    /// How others reach this endpoint. `server` fills it in when the file does not.
    pub base_url: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Selfservice {
    /// `None` is the account's own page.
    pub default_browser_return_url: Option<String>,
    pub allowed_return_urls: Vec<String>,
    pub flows: Flows,
    pub methods: Methods,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Schemas {
    pub default_schema_id: String,
    pub schemas: Vec<SchemaSource>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct SchemaSource {
    pub id: String,
    /// `file://`, `base64://`, `http://` or `https://`.
    pub url: String,
    #[serde(default)]
    pub selfservice_selectable: bool,
}

impl Default for Schemas {
    /// A person with an e-mail address and a name, so that an empty configuration works.
    fn default() -> Self {
        Self {
            default_schema_id: "default".to_owned(),
            schemas: vec![SchemaSource {
                id: "default".to_owned(),
                url: BUILT_IN_SCHEMA.to_owned(),
                selfservice_selectable: false,
            }],
        }
    }
}

/// The address of the schema that comes with the binary.
pub const BUILT_IN_SCHEMA: &str = "builtin://person";

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Session {
    pub lifespan: GoDuration,
    /// `None` is the whole lifespan: always.
    pub earliest_possible_extend: Option<GoDuration>,
    pub cookie: SessionCookie,
    pub whoami: Whoami,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            lifespan: GoDuration::from_seconds(24 * 3600),
            earliest_possible_extend: None,
            cookie: SessionCookie::default(),
            whoami: Whoami::default(),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct SessionCookie {
    pub name: String,
    pub domain: Option<String>,
    pub path: Option<String>,
    pub same_site: Option<SameSite>,
    #[serde(deserialize_with = "flag")]
    pub secure: Option<bool>,
    pub persistent: bool,
}

impl Default for SessionCookie {
    fn default() -> Self {
        Self {
            name: "ory_kratos_session".to_owned(),
            domain: None,
            path: None,
            same_site: None,
            secure: None,
            persistent: true,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum SameSite {
    Strict,
    #[default]
    Lax,
    None,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Whoami {
    pub required_aal: crate::domain::RequiredAal,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Cookies {
    pub domain: Option<String>,
    pub path: String,
    pub same_site: SameSite,
    #[serde(deserialize_with = "flag")]
    pub secure: Option<bool>,
}

impl Default for Cookies {
    fn default() -> Self {
        Self { domain: None, path: "/".to_owned(), same_site: SameSite::Lax, secure: None }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Hashers {
    pub algorithm: HasherAlgorithm,
    pub argon2: Argon2,
    pub bcrypt: Bcrypt,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HasherAlgorithm {
    // Certified builds of the replaced program offer PBKDF2; the default is used instead, and reported.
    #[default]
    #[serde(alias = "pbkdf2")]
    Bcrypt,
    Argon2,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Bcrypt {
    pub cost: u32,
}

impl Default for Bcrypt {
    fn default() -> Self {
        Self { cost: 12 }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Argon2 {
    pub memory: ByteSize,
    pub iterations: u32,
    /// `None` is twice the number of cores.
    pub parallelism: Option<u32>,
    pub salt_length: u32,
    pub key_length: u32,
    /// What all hashes together may take at one time.
    pub dedicated_memory: ByteSize,
}

impl Default for Argon2 {
    fn default() -> Self {
        Self {
            memory: ByteSize(128 << 20),
            iterations: 1,
            parallelism: None,
            salt_length: 16,
            key_length: 32,
            dedicated_memory: ByteSize(1 << 30),
        }
    }
}

/// A size in bytes, written with a unit: `128MB`. The units are powers of 1024.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// In KiB, up to what fits.
    pub fn kib(self) -> u32 {
        u32::try_from(self.0 >> 10).unwrap_or(u32::MAX)
    }

    fn parse(text: &str) -> Option<Self> {
        let split = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = text.split_at(split);
        let power = match unit.trim() {
            "B" => 0,
            "KB" => 10,
            "MB" => 20,
            "GB" => 30,
            "TB" => 40,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(1 << power).map(Self)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not a size; write for instance 128MB"))
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Oauth2Provider {
    /// The admin API of the OAuth2 service, when it is not in this process.
    pub url: Option<String>,
    pub headers: BTreeMap<String, Secret<String>>,
    pub override_return_to: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Security {
    pub account_enumeration: AccountEnumeration,
    /// Ours.
    pub attempt_limits: AttemptLimits,
    pub disallow_ref_in_identity_schemas: bool,
    /// Recovery, a new password and the first proof of an address end all other sessions of the person. When this is
    /// off, only the hook `revoke_active_sessions` does.
    pub revoke_active_sessions: bool,
}

impl Default for Security {
    fn default() -> Self {
        Self {
            attempt_limits: AttemptLimits::default(),
            account_enumeration: AccountEnumeration::default(),
            disallow_ref_in_identity_schemas: false,
            revoke_active_sessions: true,
        }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AccountEnumeration {
    /// Unset, accounts are hidden, unless `selfservice.flows.registration.login_hints` asks to show them.
    pub mitigate: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the configuration file")]
pub struct FeatureFlags {
    pub cacheable_sessions: bool,
    pub cacheable_sessions_max_age: Option<GoDuration>,
    pub use_continue_with_transitions: bool,
    pub choose_recovery_address: bool,
    pub legacy_continue_with_verification_ui: bool,
    pub legacy_require_verified_login_error: bool,
    pub faster_session_extend: bool,
    pub legacy_allow_insecure_origins: bool,
    pub refresh_login_choose_address: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Clients {
    pub smtp: SmtpClient,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct SmtpClient {
    pub disallow_private_ip_ranges: bool,
}

/// A flag that files write as a boolean, and environments as text.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Flag {
        Boolean(bool),
        Text(String),
    }
    match Option::<Flag>::deserialize(deserializer)? {
        None => Ok(None),
        Some(Flag::Boolean(value)) => Ok(Some(value)),
        Some(Flag::Text(text)) if text.is_empty() => Ok(None),
        Some(Flag::Text(text)) => parse_go_bool(&text).map(Some).ok_or_else(|| D::Error::custom("not a boolean")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_of_1024() {
        assert_eq!(ByteSize::parse("128MB"), Some(ByteSize(134_217_728)));
        assert_eq!(ByteSize::parse("1GB").map(ByteSize::kib), Some(1_048_576));
        for wrong in ["", "128", "MB", "1XB", "99999999999999TB"] {
            assert_eq!(ByteSize::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_empty_section_is_a_working_configuration() {
        let config: Config = serde_json::from_value(serde_json::json!({})).unwrap();
        assert_eq!(config.identity.schemas.len(), 1);
        assert_eq!(config.session.lifespan.to_string(), "24h");
        assert!(config.selfservice.methods.password.enabled && config.selfservice.methods.code.enabled);
        assert!(config.selfservice.flows.registration.enabled && !config.selfservice.flows.recovery.enabled);
    }

    #[test]
    fn hooks_that_nobody_performs_are_named_by_their_path() {
        let config: Config = serde_json::from_value(serde_json::json!({"selfservice": {"flows": {
            "login": {"before": {"hooks": [{"hook": "web_hook", "config": {}}]}, "after": {"hooks": [{"hook": "revoke_active_sessions"}]}},
            "registration": {"after": {"password": {"hooks": [{"hook": "session"}, {"hook": "web_hook", "config": {}}]}}},
        }}}))
        .unwrap();
        assert_eq!(
            config.selfservice.flows.unperformed_hooks(),
            [
                "selfservice.flows.login.before.hooks.0: web_hook",
                "selfservice.flows.registration.after.password.hooks.1: web_hook",
            ]
        );
    }

    #[test]
    fn a_file_in_use_is_read() {
        let config: Config = serde_json::from_value(serde_json::json!({
            "selfservice": {
                "default_browser_return_url": "http://127.0.0.1:4455/",
                "flows": {
                    "registration": {"after": {"password": {"hooks": [{"hook": "session"}, {"hook": "show_verification_ui"}]}}},
                    "recovery": {"enabled": true, "use": "code"},
                    "settings": {"privileged_session_max_age": "15m", "required_aal": "highest_available"},
                    "login": {"lifespan": "10m", "style": "identifier_first"},
                },
                "methods": {"password": {"config": {"min_password_length": 6}}, "totp": {"enabled": true}},
            },
            "cookies": {"secure": "false", "same_site": "Strict"},
            "hashers": {"algorithm": "argon2", "argon2": {"memory": "64MB"}},
            "courier": {"smtp": {"connection_uri": "smtps://test:test@mailslurper:1025/?skip_ssl_verify=true"}},
        }))
        .unwrap();
        let after = &config.selfservice.flows.registration.after;
        assert_eq!(after.methods["password"].hooks.len(), 2);
        assert_eq!(config.cookies.secure, Some(false));
        assert_eq!(config.hashers.argon2.memory.kib(), 65536);
        assert_eq!(config.selfservice.methods.password.config.min_password_length, 6);
    }
}
