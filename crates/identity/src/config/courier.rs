//! `courier`: how messages are written and delivered.

use std::collections::BTreeMap;

use base::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// SHA-256 of the contract's built-in Jsonnet body, which a configuration file may contain.
const BUILT_IN_BODY: &str = "1761dc405db4c565ad9ec16e3283e48a211509180b2dc08a03bbd699385a1f66";

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Courier {
    /// How often a failed delivery is tried again.
    pub message_retries: u32,
    /// How mail is delivered: over SMTP, or by an HTTP request.
    pub delivery_strategy: DeliveryStrategy,
    pub smtp: Smtp,
    pub http: HttpDelivery,
    pub channels: Vec<Channel>,
    /// A folder with message templates. A template in it replaces the built-in one of the same name.
    pub template_override_path: Option<String>,
    /// By template and by `valid` or `invalid`.
    pub templates: BTreeMap<String, TemplateSources>,
}

impl Default for Courier {
    fn default() -> Self {
        Self {
            message_retries: 5,
            delivery_strategy: DeliveryStrategy::default(),
            smtp: Smtp::default(),
            http: HttpDelivery::default(),
            channels: Vec::new(),
            template_override_path: None,
            templates: BTreeMap::new(),
        }
    }
}

impl Courier {
    /// The keys of Jsonnet bodies, which are not supported.
    pub(super) fn unsupported_bodies(&self) -> Vec<String> {
        let mail = self.http.request_config.iter().map(|it| ("courier.http.request_config.body".to_owned(), it));
        let channels = self.channels.iter().enumerate();
        let channels =
            channels.map(|(index, it)| (format!("courier.channels.{index}.request_config.body"), &it.request_config));
        mail.chain(channels)
            .filter(|(_, config)| config.body.as_deref().is_some_and(|body| !is_built_in_body(body)))
            .map(|(key, _)| key)
            .collect()
    }
}

/// Whether `body` is the default Jsonnet body of Kratos.
fn is_built_in_body(body: &str) -> bool {
    hex::encode(Sha256::digest(body)) == BUILT_IN_BODY
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryStrategy {
    #[default]
    Smtp,
    Http,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Smtp {
    /// The mail server: `smtp://` (with STARTTLS) or `smtps://`, with user and password. Unset, messages are kept for
    /// the local mailbox.
    pub connection_uri: Option<Secret<String>>,
    /// The sender address of mail.
    pub from_address: String,
    /// The sender name of mail.
    pub from_name: String,
    /// The host name that is sent to the mail server with `EHLO`.
    pub local_name: String,
    /// More headers of each mail, by name.
    pub headers: BTreeMap<String, String>,
    /// A PEM file with the client certificate for the mail server.
    pub client_cert_path: String,
    /// A PEM file with the key of the client certificate.
    pub client_key_path: String,
}

impl Default for Smtp {
    fn default() -> Self {
        Self {
            connection_uri: None,
            from_address: "no-reply@ory.kratos.sh".to_owned(),
            from_name: String::new(),
            local_name: "localhost".to_owned(),
            headers: BTreeMap::new(),
            client_cert_path: String::new(),
            client_key_path: String::new(),
        }
    }
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HttpDelivery {
    pub request_config: Option<RequestConfig>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Channel {
    /// The name of the channel, for instance `sms`.
    pub id: String,
    /// Always `http`.
    #[serde(rename = "type")]
    _kind: Option<String>,
    pub request_config: RequestConfig,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct RequestConfig {
    /// The URL of the request.
    pub url: String,
    /// The method of the request.
    #[serde(default = "post")]
    pub method: String,
    /// Headers of the request, by name.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body of the request. Only the built-in body is supported; another one is reported at the start.
    pub body: Option<String>,
    pub auth: Option<HttpAuth>,
}

fn post() -> String {
    "POST".to_owned()
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct HttpAuth {
    /// The kind of authentication: `basic_auth` or `api_key`.
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub config: HttpAuthConfig,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HttpAuthConfig {
    /// The user of `basic_auth`.
    pub user: String,
    /// The password of `basic_auth`.
    pub password: Option<Secret<String>>,
    /// The name of the header or cookie of `api_key`.
    pub name: String,
    /// The value of the API key.
    pub value: Option<Secret<String>>,
    /// Where the API key is sent: `header` or `cookie`.
    #[serde(rename = "in")]
    pub place: String,
}

/// The sources of the parts of a template, by their dotted path below the template: `valid.email.body.html`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct TemplateSources(#[schemars(with = "TemplateKeys")] pub serde_json::Value);

/// The keys of [`TemplateSources`].
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the values are looked up by their paths")]
struct TemplateKeys {
    valid: MessageKeys,
    invalid: InvalidMessageKeys,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "the values are looked up by their paths")]
struct MessageKeys {
    email: MailKeys,
    sms: TextMessageKeys,
}

/// Text messages about invalid codes do not exist.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the values are looked up by their paths")]
struct InvalidMessageKeys {
    email: MailKeys,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "the values are looked up by their paths")]
struct MailKeys {
    /// Where the template of the subject is: `file://` or `base64://`.
    subject: String,
    body: BodyKeys,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "the values are looked up by their paths")]
struct BodyKeys {
    /// Where the template of the HTML body is.
    html: String,
    /// Where the template of the plain text is.
    plaintext: String,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "the values are looked up by their paths")]
struct TextMessageKeys {
    body: PlainTextKeys,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "the values are looked up by their paths")]
struct PlainTextKeys {
    /// Where the template of the text message is.
    plaintext: String,
}
