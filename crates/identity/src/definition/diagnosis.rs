//! The checks of `kleis doctor` for this service: whether browsers keep its cookies, and whether its mail server answers.

use std::time::Duration;

use serde_json::Value;
use service::configuration::values::text;
use service::{Diagnosis, Examined, Verdict};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use url::Url;

/// Includes the connection and the server's greeting.
const MAIL_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) async fn diagnose(examined: Examined<'_>) -> Vec<Diagnosis> {
    let mut found = cookies(examined.section);
    found.push(mail(&examined).await);
    found
}

fn cookies(section: &Value) -> Vec<Diagnosis> {
    let mut found = Vec::new();
    let text = |key: &str| text(section, key).map(str::to_ascii_lowercase);
    let base = text("serve.public.base_url").and_then(|url| url.parse::<Url>().ok());
    for key in ["session.cookie.domain", "cookies.domain"] {
        let Some(domain) = text(key) else { continue };
        let domain = domain.trim_start_matches('.').to_owned();
        let host = base.as_ref().and_then(Url::host_str).unwrap_or_default();
        if !host.is_empty() && host != domain && !host.ends_with(&format!(".{domain}")) {
            let why = format!("identity.{key} is {domain}, but the service is at {host}: browsers drop such a cookie");
            found.push(Diagnosis::new("cookies", Verdict::Bad, why));
        }
        if !domain.contains('.') && domain != "localhost" {
            let why = format!("identity.{key} is {domain}, a name without a dot: browsers drop cookies for it");
            found.push(Diagnosis::new("cookies", Verdict::Bad, why));
        }
    }
    let is_plain = base.as_ref().is_some_and(|url| url.scheme() == "http");
    for key in ["session.cookie.same_site", "cookies.same_site"] {
        if text(key).as_deref() == Some("none") && is_plain {
            let why =
                format!("identity.{key} is None, which browsers accept only with Secure, and Secure requires https");
            found.push(Diagnosis::new("cookies", Verdict::Bad, why));
        }
    }
    if found.is_empty() {
        found.push(Diagnosis::new("cookies", Verdict::Good, "are accepted by browsers"));
    }
    found
}

async fn mail(examined: &Examined<'_>) -> Diagnosis {
    let diagnosis = |verdict, why: String| Diagnosis::new("mail", verdict, why);
    let Some(uri) = text(examined.section, "courier.smtp.connection_uri") else {
        let why = "is stored in the local mailbox and not delivered: set courier.smtp.connection_uri before going live";
        let verdict = if examined.is_configured { Verdict::Warning } else { Verdict::Good };
        return diagnosis(verdict, why.to_owned());
    };
    let Ok(url) = uri.parse::<Url>() else {
        let why = "courier.smtp.connection_uri is not a URL such as smtps://user:password@host:465/";
        return diagnosis(Verdict::Bad, why.to_owned());
    };
    let host = url.host_str().unwrap_or_default().to_owned();
    let port = url.port().unwrap_or(if url.scheme() == "smtps" { 465 } else { 587 });
    let greeting = async {
        let mut stream = TcpStream::connect((host.as_str(), port)).await?;
        if url.scheme() == "smtps" {
            // The greeting follows the TLS handshake, so only the open port is checked here.
            return Ok(true);
        }
        let mut line = [0; 3];
        stream.read_exact(&mut line).await?;
        Ok::<_, std::io::Error>(line == *b"220")
    };
    match tokio::time::timeout(MAIL_TIMEOUT, greeting).await {
        Ok(Ok(true)) => diagnosis(Verdict::Good, format!("{host}:{port} answers")),
        Ok(Ok(false)) => diagnosis(Verdict::Bad, format!("{host}:{port} answers, but not like a mail server")),
        Ok(Err(error)) => diagnosis(Verdict::Bad, format!("{host}:{port} cannot be reached: {error}")),
        Err(_) => diagnosis(Verdict::Bad, format!("{host}:{port} does not answer; many networks block mail ports")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cookie_of_another_domain_is_found() {
        let section = json!({
            "serve": { "public": { "base_url": "https://id.example.org/" } }, "cookies": { "domain": "example.com" },
        });
        assert!(matches!(&cookies(&section)[..], [found] if found.verdict == Verdict::Bad));
        assert!(matches!(&cookies(&json!({}))[..], [found] if found.verdict == Verdict::Good));
    }
}
