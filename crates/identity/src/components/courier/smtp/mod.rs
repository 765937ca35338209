//! Mail over SMTP (RFC 5321): `smtp://` with mandatory STARTTLS (RFC 3207) unless it is disabled, `smtps://` with
//! implicit TLS (RFC 8314). TLS 1.2 or newer.

use std::time::{Duration, UNIX_EPOCH};

use base::causes::chain;
use base::{Secret, Timestamp, TrustStore};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{
    Certificate, CertificateStore, Identity as ClientCertificate, Tls, TlsParameters,
};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use url::Url;
use web::config::parse_go_bool;

use crate::config::Smtp;
use crate::domain::message_queue::Message;

const TIMEOUT: Duration = Duration::from_secs(10);

/// The result of a delivery attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    Done,
    /// It is retried.
    Failed(String),
    /// It cannot succeed, so it is not retried.
    Impossible(String),
}

#[derive(Debug, thiserror::Error)]
pub enum SmtpConfigError {
    #[error("courier.smtp.connection_uri: must be an smtp:// or smtps:// URL with a host")]
    ConnectionUri,
    #[error("courier.smtp.connection_uri: {0} must be true or false")]
    Flag(&'static str),
    #[error("courier.smtp.from_address: from_address and from_name do not form a mail address")]
    From,
    #[error("courier.smtp.headers: {0} cannot be a header")]
    Header(String),
    #[error("courier.smtp.client_cert_path or client_key_path: {0}")]
    ClientCertificate(String),
    #[error("courier.smtp: TLS cannot be set up: {0}")]
    Tls(String),
}

pub struct SmtpDelivery {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    headers: Vec<(HeaderName, String)>,
}

impl SmtpDelivery {
    /// `None` when no server is configured: messages then stay in the local mailbox.
    pub fn new(config: &Smtp, trust: &TrustStore) -> Result<Option<Self>, SmtpConfigError> {
        let Some(uri) = &config.connection_uri else { return Ok(None) };
        let transport = transport(uri, config, trust)?;
        let address = config.from_address.parse().map_err(|_| SmtpConfigError::From)?;
        let name = (!config.from_name.is_empty()).then(|| config.from_name.clone());
        let headers = config
            .headers
            .iter()
            .map(|(name, value)| match HeaderName::new_from_ascii(name.clone()) {
                Ok(header) if !value.contains(['\r', '\n']) => Ok((header, value.clone())),
                _ => Err(SmtpConfigError::Header(name.clone())),
            })
            .collect::<Result<_, _>>()?;
        Ok(Some(Self { transport, from: Mailbox::new(name, address), headers }))
    }

    pub async fn deliver(&self, message: &Message, now: Timestamp) -> Delivery {
        let mail = match self.compose(message, now) {
            Ok(mail) => mail,
            Err(problem) => return Delivery::Impossible(problem),
        };
        match self.transport.send(mail).await {
            Ok(_) => Delivery::Done,
            Err(error) if error.is_permanent() => Delivery::Impossible(chain(&error)),
            Err(error) => Delivery::Failed(chain(&error)),
        }
    }

    fn compose(&self, message: &Message, now: Timestamp) -> Result<lettre::Message, String> {
        let address = message.recipient.parse().map_err(|_| "the recipient is not a mail address".to_owned())?;
        let to = Mailbox::new(None, address);
        let micros = u64::try_from(now.unix_micros()).unwrap_or(0);
        let mut builder = lettre::Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(message.content.subject.replace(['\r', '\n'], " "))
            .date(UNIX_EPOCH + Duration::from_micros(micros))
            // The same on every attempt, so that a mailbox can detect duplicates.
            .message_id(Some(format!("<{}@{}>", message.id, self.from.email.domain())));
        for (name, value) in &self.headers {
            builder = builder.raw_header(HeaderValue::new(name.clone(), value.clone()));
        }
        let plain = message.content.body.clone();
        match &message.content.html_body {
            Some(html) => builder.multipart(MultiPart::alternative_plain_html(plain, html.clone())),
            None => builder.singlepart(SinglePart::plain(plain)),
        }
        .map_err(|error| error.to_string())
    }
}

impl std::fmt::Debug for SmtpDelivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmtpDelivery").field("from", &self.from).finish_non_exhaustive()
    }
}

fn transport(
    uri: &Secret<String>,
    config: &Smtp,
    trust: &TrustStore,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, SmtpConfigError> {
    let uri = Url::parse(uri.expose()).map_err(|_| SmtpConfigError::ConnectionUri)?;
    let host = uri.host_str().filter(|host| !host.is_empty()).ok_or(SmtpConfigError::ConnectionUri)?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let is_set = |name: &'static str| match uri.query_pairs().find(|(key, _)| key == name) {
        None => Ok(false),
        Some((_, value)) => parse_go_bool(&value).ok_or(SmtpConfigError::Flag(name)),
    };
    let (skips_verification, disables_starttls) = (is_set("skip_ssl_verify")?, is_set("disable_starttls")?);
    let server_name = uri
        .query_pairs()
        .find(|(key, _)| key == "server_name")
        .map_or_else(|| host.clone(), |(_, value)| value.into_owned());
    let tls = || tls_parameters(server_name.clone(), skips_verification, config, trust);
    let (tls, default_port) = match uri.scheme() {
        "smtps" => (Tls::Wrapper(tls()?), 465),
        "smtp" if disables_starttls => (Tls::None, 25),
        "smtp" => (Tls::Required(tls()?), 587),
        _ => return Err(SmtpConfigError::ConnectionUri),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
        .port(uri.port().unwrap_or(default_port))
        .tls(tls)
        .hello_name(ClientId::Domain(config.local_name.clone()))
        .timeout(Some(TIMEOUT));
    if !uri.username().is_empty() {
        let decode = |text: &str| percent_decoded(text).ok_or(SmtpConfigError::ConnectionUri);
        let password = decode(uri.password().unwrap_or_default())?;
        builder = builder.credentials(Credentials::new(decode(uri.username())?, password));
    }
    Ok(builder.build())
}

fn tls_parameters(
    server_name: String,
    skip_verify: bool,
    config: &Smtp,
    trust: &TrustStore,
) -> Result<TlsParameters, SmtpConfigError> {
    let unusable = |error: lettre::transport::smtp::Error| SmtpConfigError::Tls(error.to_string());
    let bundled = if trust.includes_bundled() { CertificateStore::WebpkiRoots } else { CertificateStore::None };
    let mut builder = TlsParameters::builder(server_name)
        .certificate_store(bundled)
        .dangerous_accept_invalid_certs(skip_verify)
        .dangerous_accept_invalid_hostnames(skip_verify);
    for authority in trust.certificates() {
        builder = builder.add_root_certificate(Certificate::from_der(authority.to_vec()).map_err(unusable)?);
    }
    if !config.client_cert_path.is_empty() || !config.client_key_path.is_empty() {
        let read = |path: &str| {
            web::regular_files::read(path.as_ref())
                .map_err(|error| SmtpConfigError::ClientCertificate(format!("{path}: {error}")))
        };
        let identity = ClientCertificate::from_pem(&read(&config.client_cert_path)?, &read(&config.client_key_path)?)
            .map_err(|error| SmtpConfigError::ClientCertificate(error.to_string()))?;
        builder = builder.identify_with(identity);
    }
    builder.build().map_err(unusable)
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests;
