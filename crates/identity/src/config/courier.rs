//! `courier`: how messages are written and delivered.

use std::collections::BTreeMap;

use base::Secret;
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Courier {
    /// How often a delivery is tried again.
    pub message_retries: u32,
    pub delivery_strategy: DeliveryStrategy,
    pub smtp: Smtp,
    pub http: HttpDelivery,
    pub channels: Vec<Channel>,
    /// A folder whose templates take the place of the built-in ones.
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
    /// The keys of Jsonnet bodies, which are not evaluated.
    pub(super) fn unsupported_bodies(&self) -> Vec<String> {
        let mail = self.http.request_config.iter().map(|it| ("courier.http.request_config.body".to_owned(), it));
        let channels = self.channels.iter().enumerate();
        let channels =
            channels.map(|(index, it)| (format!("courier.channels.{index}.request_config.body"), &it.request_config));
        mail.chain(channels)
            .filter(|(_, config)| config.body.as_deref().is_some_and(|body| !crate::courier::is_built_in_body(body)))
            .map(|(key, _)| key)
            .collect()
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryStrategy {
    #[default]
    Smtp,
    Http,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Smtp {
    /// `smtp://` (STARTTLS) or `smtps://`. Without it, messages are kept for the local mailbox.
    pub connection_uri: Option<Secret<String>>,
    pub from_address: String,
    pub from_name: String,
    pub local_name: String,
    pub headers: BTreeMap<String, String>,
    pub client_cert_path: String,
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

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct HttpDelivery {
    pub request_config: Option<RequestConfig>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Channel {
    pub id: String,
    pub request_config: RequestConfig,
}

#[derive(Clone, Debug, Deserialize)]
pub struct RequestConfig {
    pub url: String,
    #[serde(default = "post")]
    pub method: String,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// A program that writes the body.
    pub body: Option<String>,
    pub auth: Option<HttpAuth>,
}

fn post() -> String {
    "POST".to_owned()
}

#[derive(Clone, Debug, Deserialize)]
pub struct HttpAuth {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub config: HttpAuthConfig,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct HttpAuthConfig {
    pub user: String,
    pub password: Option<Secret<String>>,
    pub name: String,
    pub value: Option<Secret<String>>,
    #[serde(rename = "in")]
    pub place: String,
}

/// Where the parts of a template come from, by their dotted path below the template: `valid.email.body.html`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct TemplateSources(pub serde_json::Value);
