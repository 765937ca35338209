//! This service's section of the configuration: the keys of the replaced program's file, with their defaults. The contract's
//! schema rejects unknown keys before this is read. Keys of the contract that no field reads are reported at the start.

mod adjustments;
mod attempt_limits;
mod courier;
mod flows;

use base::GoDuration;
use schemars::JsonSchema;
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};
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

pub use crate::methods::password::config::PasswordConfig;
pub use crate::methods::sections::Methods;

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Config {
    /// Relaxes checks for development: cookies without `Secure`, cheap password hashes, messages in the local mailbox.
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
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Serve {
    pub public: Endpoint,
    pub admin: Endpoint,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Endpoint {
    /// The URL under which clients reach this listener. Unset, it follows from the address of the listener.
    pub base_url: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Selfservice {
    /// Where a browser goes after a flow that names no `return_to`. Unset, it goes to the account page.
    pub default_browser_return_url: Option<String>,
    /// URLs that `return_to` may name, besides the URLs of this service. A URL allows every path below it.
    pub allowed_return_urls: Vec<String>,
    pub flows: Flows,
    pub methods: Methods,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Schemas {
    /// The id of the identity schema of users who sign up.
    pub default_schema_id: String,
    pub schemas: Vec<SchemaSource>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct SchemaSource {
    /// The id by which identities name this schema.
    pub id: String,
    /// Where the JSON schema is: `file://`, `base64://`, `http://` or `https://`.
    pub url: String,
    /// Whether users can choose this schema when they sign up.
    #[serde(default)]
    pub selfservice_selectable: bool,
}

impl Default for Schemas {
    /// A user with an e-mail address and a name, so that an empty configuration works.
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

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Session {
    /// How long a session lasts.
    pub lifespan: GoDuration,
    /// How long before its end a session can be extended. Unset, it can be extended at any time.
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

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SessionCookie {
    /// The name of the session cookie.
    pub name: String,
    /// The domain of the session cookie. Unset, it is `cookies.domain`.
    pub domain: Option<String>,
    /// The path of the session cookie. Unset, it is `cookies.path`.
    pub path: Option<String>,
    /// The `SameSite` attribute of the session cookie. Unset, it is `cookies.same_site`.
    pub same_site: Option<SameSite>,
    /// Whether the session cookie is sent over HTTPS only. Unset, it is `cookies.secure`.
    #[serde(deserialize_with = "flag")]
    pub secure: Option<bool>,
    /// Whether the browser keeps the session cookie when it is closed.
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

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum SameSite {
    Strict,
    #[default]
    Lax,
    None,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Whoami {
    /// The assurance level that `/sessions/whoami` demands: `aal1`, or `highest_available` for the second factor of
    /// every user who has one.
    #[schemars(with = "String")]
    pub required_aal: crate::domain::RequiredAal,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Cookies {
    /// The domain of the cookies. Unset, they belong to the host of the service alone.
    pub domain: Option<String>,
    /// The path of the cookies.
    pub path: String,
    /// The `SameSite` attribute of the cookies.
    pub same_site: SameSite,
    /// Whether the cookies are sent over HTTPS only. Unset, they are unless `dev` is on.
    #[serde(deserialize_with = "flag")]
    pub secure: Option<bool>,
}

impl Default for Cookies {
    fn default() -> Self {
        Self { domain: None, path: "/".to_owned(), same_site: SameSite::Lax, secure: None }
    }
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Hashers {
    /// The algorithm of new password hashes. `pbkdf2` is accepted, and `bcrypt` is used instead.
    pub algorithm: HasherAlgorithm,
    pub argon2: Argon2,
    pub bcrypt: Bcrypt,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HasherAlgorithm {
    // Certified builds of the replaced program offer PBKDF2. The default is used instead, and this is reported.
    #[default]
    #[serde(alias = "pbkdf2")]
    Bcrypt,
    Argon2,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Bcrypt {
    /// The cost of a bcrypt hash: each step doubles the work. The minimum is 12, unless `dev` is on.
    pub cost: u32,
}

impl Default for Bcrypt {
    fn default() -> Self {
        Self { cost: 12 }
    }
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Argon2 {
    /// The memory of one Argon2 hash.
    pub memory: ByteSize,
    /// The number of passes over the memory.
    pub iterations: u32,
    /// The number of lanes. Unset, it is twice the number of cores.
    pub parallelism: Option<u32>,
    /// The length of the salt, in bytes.
    pub salt_length: u32,
    /// The length of the hash, in bytes.
    pub key_length: u32,
    /// The memory of all password hashes that are computed at the same time. Further requests wait.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(with = "String")]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// In KiB, saturating at `u32::MAX`.
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

impl Serialize for ByteSize {
    /// In the largest unit that divides the size.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let units = [("TB", 40), ("GB", 30), ("MB", 20), ("KB", 10), ("B", 0)];
        let fits = |(_, power): &(&str, u32)| self.0 > 0 && self.0.is_multiple_of(1 << power);
        let (unit, power) = units.into_iter().find(fits).unwrap_or(("B", 0));
        serializer.collect_str(&format_args!("{}{unit}", self.0 >> power))
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not a size; write for instance 128MB"))
    }
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Oauth2Provider {
    /// Whether a flow with a login challenge returns to the OAuth2 client and not to `return_to`.
    pub override_return_to: bool,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Security {
    pub account_enumeration: AccountEnumeration,
    /// Not a key of Kratos.
    pub attempt_limits: AttemptLimits,
    /// Whether identity schemas with `$ref` to other documents are refused.
    pub disallow_ref_in_identity_schemas: bool,
    /// Whether recovery, a new password and the first proof of an address end all other sessions of the user. When
    /// this is off, only the hook `revoke_active_sessions` ends them.
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

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AccountEnumeration {
    /// Whether responses hide which accounts exist. Unset, they do, unless `selfservice.flows.registration.login_hints`
    /// is on.
    pub mitigate: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the configuration file")]
pub struct FeatureFlags {
    /// Whether `/sessions/whoami` answers with the header `Ory-Session-Cache-For`, for reverse proxies that cache it.
    pub cacheable_sessions: bool,
    /// The longest time in `Ory-Session-Cache-For`. Unset, it is the rest of the session.
    pub cacheable_sessions_max_age: Option<GoDuration>,
    /// Whether the JSON responses of a flow name the next step in `continue_with`.
    pub use_continue_with_transitions: bool,
    /// Whether registration always names the verification page in `continue_with`, as older versions of Kratos do.
    pub legacy_continue_with_verification_ui: bool,
    /// Whether a login that needs a verified address ends with an error, as in older versions of Kratos, and not with a
    /// verification flow.
    pub legacy_require_verified_login_error: bool,
    /// Whether the response to the extension of a session is 204 without a body.
    pub faster_session_extend: bool,
}

/// A flag: a boolean in files, text in environment variables.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    #[derive(Deserialize, JsonSchema)]
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
    fn unsupported_hooks_are_reported_by_their_path() {
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
