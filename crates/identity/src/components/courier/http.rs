//! Delivery over HTTP: text messages over a channel, and mail where `delivery_strategy` is `http`. The body is the JSON
//! object that Kratos sends. A custom Jsonnet body is rejected at the start, because Jsonnet is not evaluated.

use base::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use serde_json::{Map, Value, json};
use url::Url;
use web::outbound::Client;

use super::Delivery;
use crate::config::{Courier, DeliveryStrategy, HttpAuth, RequestConfig};
use crate::domain::message_queue::Message;

/// The members of the body that come from the template's data.
const DATA_MEMBERS: [&str; 5] = ["to", "recovery_code", "recovery_url", "verification_url", "verification_code"];

#[derive(Debug, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct HttpDeliveryConfigError {
    key: String,
    problem: &'static str,
}

/// One URL to deliver to.
#[derive(Debug)]
pub struct HttpDelivery {
    client: Client,
    url: String,
    method: Method,
    headers: HeaderMap,
}

/// All deliveries over HTTP.
#[derive(Debug, Default)]
pub struct HttpDeliveries {
    /// Mail, in place of SMTP.
    pub mail: Option<HttpDelivery>,
    /// By the id of the channel.
    pub channels: Vec<(String, HttpDelivery)>,
}

impl HttpDeliveries {
    pub fn new(config: &Courier, client: &Client) -> Result<Self, HttpDeliveryConfigError> {
        let mail = match (config.delivery_strategy, &config.http.request_config) {
            (DeliveryStrategy::Smtp, _) => None,
            (DeliveryStrategy::Http, Some(request)) => {
                Some(HttpDelivery::new(request, client, "courier.http.request_config")?)
            }
            (DeliveryStrategy::Http, None) => {
                return Err(fault("courier.http", "request_config", "is required by the delivery strategy http"));
            }
        };
        let mut channels = Vec::new();
        for (index, channel) in config.channels.iter().enumerate() {
            let key = format!("courier.channels.{index}.request_config");
            channels.push((channel.id.clone(), HttpDelivery::new(&channel.request_config, client, &key)?));
        }
        Ok(Self { mail, channels })
    }

    pub fn channel(&self, id: &str) -> Option<&HttpDelivery> {
        self.channels.iter().find(|(known, _)| known == id).map(|(_, delivery)| delivery)
    }
}

impl HttpDelivery {
    fn new(config: &RequestConfig, client: &Client, key: &str) -> Result<Self, HttpDeliveryConfigError> {
        // Parsed as browsers do: characters that a URL must not contain are escaped (`/Accounts/<id>/Messages.json`).
        let url = config.url.parse::<Url>().ok().filter(|url| ["http", "https"].contains(&url.scheme()));
        let url = url.ok_or_else(|| fault(key, "url", "is not an http or https URL"))?.to_string();
        let method = config.method.parse().map_err(|_| fault(key, "method", "is not an HTTP method"))?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in &config.headers {
            headers.insert(header_name(name, key)?, header_value(value, key)?);
        }
        if let Some(auth) = &config.auth {
            let (name, value) = authorization(auth, key)?;
            headers.insert(name, value);
        }
        Ok(Self { client: client.clone(), url, method, headers })
    }

    pub async fn deliver(&self, message: &Message) -> Delivery {
        let mut request = Request::new(Bytes::from(body(message).to_string()));
        *request.method_mut() = self.method.clone();
        *request.headers_mut() = self.headers.clone();
        match self.url.parse() {
            Ok(uri) => *request.uri_mut() = uri,
            Err(_) => return Delivery::Impossible("the delivery URL is not valid".to_owned()),
        }
        match self.client.send(request).await {
            Ok(response) if response.status().is_success() => Delivery::Done,
            Ok(response) => Delivery::Failed(format!("the response status is {}", response.status())),
            Err(error) => Delivery::Failed(error.to_string()),
        }
    }
}

fn body(message: &Message) -> Value {
    let mut body = Map::new();
    body.insert("recipient".to_owned(), json!(message.recipient));
    body.insert("template_type".to_owned(), json!(message.template_type));
    for member in DATA_MEMBERS {
        body.insert(member.to_owned(), message.content.template_data.get(member).cloned().unwrap_or(Value::Null));
    }
    body.insert("subject".to_owned(), json!(message.content.subject));
    body.insert("body".to_owned(), json!(message.content.body));
    Value::Object(body)
}

fn authorization(auth: &HttpAuth, key: &str) -> Result<(HeaderName, HeaderValue), HttpDeliveryConfigError> {
    let config = &auth.config;
    let text = |secret: &Option<Secret<String>>| secret.as_ref().map(|it| it.expose().clone()).unwrap_or_default();
    let (name, value) = match (auth.kind.as_str(), config.place.as_str()) {
        ("basic_auth", _) => {
            let pair = STANDARD.encode(format!("{}:{}", config.user, text(&config.password)));
            (AUTHORIZATION, format!("Basic {pair}"))
        }
        ("api_key", "header") => (header_name(&config.name, key)?, text(&config.value)),
        ("api_key", "cookie") => (COOKIE, format!("{}={}", config.name, text(&config.value))),
        ("api_key", _) => return Err(fault(key, "auth.config.in", "must be header or cookie")),
        _ => return Err(fault(key, "auth.type", "must be basic_auth or api_key")),
    };
    let mut value = header_value(&value, key)?;
    value.set_sensitive(true);
    Ok((name, value))
}

fn header_name(name: &str, key: &str) -> Result<HeaderName, HttpDeliveryConfigError> {
    name.parse().map_err(|_| fault(key, "headers", "a name cannot be a header"))
}

fn header_value(value: &str, key: &str) -> Result<HeaderValue, HttpDeliveryConfigError> {
    HeaderValue::from_str(value).map_err(|_| fault(key, "headers", "a value cannot be a header"))
}

fn fault(key: &str, member: &str, problem: &'static str) -> HttpDeliveryConfigError {
    HttpDeliveryConfigError { key: format!("{key}.{member}"), problem }
}

#[cfg(test)]
mod tests {
    use base::Timestamp;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use web::outbound::Destinations;

    use super::*;
    use crate::domain::message_queue::{Content, MessageId, MessageStatus, MessageType, TemplateType};

    fn message() -> Message {
        let now = Timestamp::EPOCH;
        Message {
            id: MessageId::from_uuid(uuid::Uuid::nil()),
            kind: MessageType::Phone,
            channel: "sms".into(),
            template_type: TemplateType::VerificationCodeValid,
            recipient: "+4917667111638".into(),
            content: Content {
                body: "Your code is 123456".into(),
                template_data: json!({"to": "+4917667111638", "verification_code": "123456", "secret": "not for you"}),
                ..Content::default()
            },
            status: MessageStatus::Processing,
            send_count: 1,
            created_at: now,
            updated_at: now,
            expires_at: now,
        }
    }

    /// Answers one request with `status` and returns that request.
    async fn exchange(status: &str, config: Value) -> (Delivery, String) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut config = config;
        config["url"] = json!(format!("http://{}/send", listener.local_addr().unwrap()));
        let courier: Courier =
            serde_json::from_value(json!({"channels": [{"id": "sms", "type": "http", "request_config": config}]}))
                .unwrap();
        let deliveries =
            HttpDeliveries::new(&courier, &Client::new(Destinations::Any, &base::TrustStore::bundled())).unwrap();
        let message = message();
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut received = String::new();
            while !received.contains("123456\"}") {
                let mut buffer = [0; 4096];
                let length = stream.read(&mut buffer).await.unwrap();
                received.push_str(&String::from_utf8_lossy(&buffer[..length]));
            }
            stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes()).await.unwrap();
            received
        };
        tokio::join!(deliveries.channel("sms").unwrap().deliver(&message), serve)
    }

    #[tokio::test]
    async fn a_text_message_goes_to_its_channel() {
        let config = json!({
            "headers": {"X-Server": "kleis"},
            "auth": {"type": "basic_auth", "config": {"user": "u", "password": "p"}},
        });
        let (delivery, received) = exchange("202 Accepted", config).await;
        assert_eq!(delivery, Delivery::Done);
        assert!(received.starts_with("POST /send HTTP/1.1") && received.contains("x-server: kleis"), "{received}");
        assert!(received.contains("authorization: Basic dTpw"), "{received}");
        let body: Value = serde_json::from_str(received.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        assert_eq!(
            body,
            json!({
                "recipient": "+4917667111638", "template_type": "verification_code_valid", "to": "+4917667111638",
                "recovery_code": null, "recovery_url": null, "verification_url": null, "verification_code": "123456",
                "subject": "", "body": "Your code is 123456",
            })
        );
    }

    #[tokio::test]
    async fn a_rejected_delivery_is_retried() {
        let auth = json!({"auth": {"type": "api_key", "config": {"name": "X-Key", "value": "k", "in": "header"}}});
        let (delivery, received) = exchange("500 Internal Server Error", auth).await;
        assert!(matches!(delivery, Delivery::Failed(_)) && received.contains("x-key: k"));
    }

    #[test]
    fn an_invalid_configuration_stops_the_start() {
        let refused = |courier: Value| {
            let courier: Courier = serde_json::from_value(courier).unwrap();
            HttpDeliveries::new(&courier, &Client::new(Destinations::Any, &base::TrustStore::bundled()))
                .unwrap_err()
                .to_string()
        };
        let channel = |request: Value| json!({"channels": [{"id": "sms", "request_config": request}]});
        assert!(refused(json!({"delivery_strategy": "http"})).starts_with("courier.http.request_config"));
        assert!(refused(channel(json!({"url": "ftp://x"}))).contains("courier.channels.0.request_config.url"));
        assert!(refused(channel(json!({"url": "https://x", "headers": {"a b": "c"}}))).contains("headers"));
        assert!(refused(channel(json!({"url": "https://x", "auth": {"type": "magic"}}))).contains("auth.type"));
    }

    #[test]
    fn characters_that_a_url_must_not_contain_are_escaped() {
        let courier =
            json!({"channels": [{"id": "sms", "request_config": {"url": "https://h.example/<account id>/m.json"}}]});
        let courier: Courier = serde_json::from_value(courier).unwrap();
        let deliveries = HttpDeliveries::new(&courier, &Client::new(Destinations::Any, &base::TrustStore::bundled()));
        assert_eq!(deliveries.unwrap().channel("sms").unwrap().url, "https://h.example/%3Caccount%20id%3E/m.json");
    }
}
