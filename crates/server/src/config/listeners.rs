//! The `serve` blocks of the sections: the address of a listener, its TLS, and the origins that may read its answers.

use std::path::PathBuf;

use base::{GoDuration, Objects, Secret};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use web::CorsConfig;

use super::{Fault, Service, document};

/// One listener.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Listener {
    /// The address that the listener binds: an IP address, a name, or `unix:/path`. Unset, it is loopback, unless a
    /// base URL names another host.
    pub host: Option<String>,
    /// The port of the listener.
    pub port: Option<u16>,
    /// The URL under which clients reach the listener.
    pub base_url: Option<String>,
    pub socket: Socket,
    pub tls: Tls,
    pub request_log: RequestLog,
    pub timeout: Timeouts,
    /// Which pages of other origins may read answers.
    pub cors: CorsConfig,
}

/// Who may open a Unix socket.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Socket {
    /// The owner of the Unix socket.
    pub owner: String,
    /// The group of the Unix socket.
    pub group: String,
    /// The permissions of the Unix socket.
    pub mode: Option<u32>,
}

/// Certificate and key of a listener; plain HTTP without.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Tls {
    /// Whether the listener speaks TLS. Unset, it does when there is a certificate.
    pub enabled: Option<bool>,
    pub key: Option<Material>,
    pub cert: Option<Material>,
}

impl Tls {
    /// Whether TLS is enabled without a certificate. In development one is generated.
    pub(crate) fn lacks_certificate(&self) -> bool {
        self.enabled == Some(true) && self.cert.is_none()
    }
}

/// PEM from a file or from the configuration itself.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "Sources")]
pub enum Material {
    Path(PathBuf),
    Base64(Secret<String>),
}

/// Both may be set; as in the replaced programs, the value in the configuration is used then.
#[derive(Deserialize, JsonSchema)]
struct Sources {
    /// A PEM file.
    path: Option<PathBuf>,
    /// PEM, encoded as base64. It wins over `path`.
    base64: Option<Secret<String>>,
}

impl TryFrom<Sources> for Material {
    type Error = &'static str;

    fn try_from(sources: Sources) -> Result<Self, Self::Error> {
        let here = sources.base64.filter(|text| !text.expose().is_empty()).map(Self::Base64);
        let file = sources.path.filter(|path| !path.as_os_str().is_empty()).map(Self::Path);
        here.or(file).ok_or("must have path or base64")
    }
}

/// Why the PEM of the configuration cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum MaterialError {
    #[error("{0} cannot be read")]
    File(String, #[source] std::io::Error),
    #[error("not valid base64")]
    Base64,
}

impl Material {
    /// The PEM document.
    pub(crate) fn read(&self) -> Result<Vec<u8>, MaterialError> {
        match self {
            Self::Path(path) => {
                web::regular_files::read(path).map_err(|error| MaterialError::File(path.display().to_string(), error))
            }
            Self::Base64(text) => STANDARD.decode(text.expose().trim()).map_err(|_| MaterialError::Base64),
        }
    }
}

/// Time limits for clients. Unset limits depend on the kind of listener.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Timeouts {
    /// How long the head of a request takes at most, and how long a client can send nothing in the middle of a body.
    pub read: Option<GoDuration>,
    /// How long a client can read nothing in the middle of a response.
    pub write: Option<GoDuration>,
    /// How long a connection stays open between two requests.
    pub idle: Option<GoDuration>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RequestLog {
    /// Whether requests to the health endpoints are left out of the log.
    pub disable_for_health: bool,
}

impl Listener {
    /// With `is_development`, TLS needs no certificate in the configuration.
    pub(super) fn of(service: Service, name: &str, serve: Option<&Value>, is_development: bool) -> Result<Self, Fault> {
        let mut settings = serve.and_then(|serve| serve.get(name)).cloned().unwrap_or(json!({}));
        if let Some(tls) = serve.and_then(|serve| serve.get("tls")) {
            document::fill(&mut settings, &json!({ "tls": tls }));
        }
        let kind = service.definition().listeners.iter().find(|listener| listener.name == name);
        if kind.is_some_and(service::Listener::is_admin) {
            // Its clients have tokens, no cookies.
            document::fill(&mut settings, &json!({ "cors": { "allow_credentials": false } }));
        }
        let path = format!("{service}.serve.{name}");
        let listener: Self = serde_path_to_error::deserialize(Objects(settings))
            .map_err(|error| Fault::new(format!("{path}.{}", error.path()), error.inner().to_string()))?;
        // Only a key or only a certificate is a mistake that must not lead to plain HTTP.
        let is_off = listener.tls.enabled == Some(false);
        if listener.tls.key.is_some() != listener.tls.cert.is_some() && !is_off {
            return Err(Fault::new(format!("{path}.tls"), "must name both key and cert"));
        }
        if listener.tls.lacks_certificate() && !is_development {
            let message = "is enabled without key and cert: name both (PEM, by path or base64), or set enabled to false and let \
                           a proxy terminate TLS; on your own machine, --dev makes a self-signed certificate";
            return Err(Fault::new(format!("{path}.tls"), message));
        }
        if listener.cors.enabled && listener.cors.allowed_origins.iter().any(|origin| origin.matches('*').count() > 1) {
            return Err(Fault::new(format!("{path}.cors.allowed_origins"), "can have one * in each entry"));
        }
        Ok(listener)
    }
}
