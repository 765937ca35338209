//! A client of the admin API of a running server, for the commands.

use anyhow::{Context as _, anyhow, bail};
use bytes::Bytes;
use clap::Args;
use http::{Method, Request, Response, StatusCode};
use serde_json::Value;
use url::Url;
use web::outbound::{Client, Destinations, Limits};

/// The server and the credential to use.
#[derive(Clone, Debug, Args)]
pub(super) struct ApiArguments {
    #[arg(short, long, value_name = "URL", env = "KLEIS_ENDPOINT", help = "The admin API")]
    endpoint: Option<String>,
    /// An admin token, if the listener requires one
    #[arg(long, value_name = "TOKEN", env = "KLEIS_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

/// One API.
pub(super) struct Api {
    client: Client,
    base: Url,
    token: Option<String>,
    /// The flag that names the API.
    flag: &'static str,
}

impl Api {
    /// `classic` is the variable that people have set for the replaced program.
    pub(super) fn new(arguments: &ApiArguments, classic: &str, default: &str) -> anyhow::Result<Self> {
        let environment = super::environment();
        let classic = environment.iter().find(|(name, _)| name == classic).map(|(_, text)| text.as_str());
        let text = arguments.endpoint.as_deref().or(classic).unwrap_or(default);
        Self::at(text, arguments.token.as_deref(), "--endpoint")
    }

    /// The API at a URL that `flag` names.
    pub(super) fn at(text: &str, token: Option<&str>, flag: &'static str) -> anyhow::Result<Self> {
        let base: Url = text.parse().with_context(|| format!("the endpoint {text} is not a URL"))?;
        if !matches!(base.scheme(), "http" | "https") {
            bail!("the endpoint {text} is not an http or https URL: write http://{text}");
        }
        if token.is_some() && base.scheme() == "http" && !is_loopback(&base) {
            bail!("the token would be sent in clear text: use an https endpoint");
        }
        let client = Client::new(Destinations::Any, &crate::trust::system(&super::environment())?);
        Ok(Self { client, base, token: token.map(str::to_owned), flag })
    }

    /// Its URL without credentials.
    pub(super) fn endpoint(&self) -> String {
        let mut base = self.base.clone();
        // A URL that cannot have credentials has none.
        let _ = base.set_username("");
        let _ = base.set_password(None);
        base.into()
    }

    /// The same API with other limits for each call.
    #[must_use]
    pub(super) fn with_limits(self, limits: Limits) -> Self {
        Self { client: self.client.with_limits(limits), ..self }
    }

    pub(super) async fn get(&self, path: &[&str], query: &[(&str, String)]) -> anyhow::Result<Answer> {
        self.send(Method::GET, path, query, None).await
    }

    pub(super) async fn send(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let answer = self.exchange(method, path, query, body).await?;
        let next = answer.headers().get("link").and_then(|link| next_token(link.to_str().ok()?));
        let status = answer.status();
        let body: Value = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
        if status.is_success() {
            return Ok(Answer { body, next });
        }
        Err(refusal(status, &body, path, self.has_token()))
    }

    /// Whether its calls have a token.
    pub(super) const fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Any status is an answer.
    pub(super) async fn exchange(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> anyhow::Result<Response<Bytes>> {
        let url = self.url(path, query)?;
        let mut request = Request::builder().method(method).uri(url.as_str()).header("accept", "application/json");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let bytes = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Bytes::from(serde_json::to_vec(body)?)
            }
            None => Bytes::new(),
        };
        self.client.send(request.body(bytes)?).await.map_err(|error| self.connection_error(&error))
    }

    /// Explains a connection error. Only the innermost cause is useful.
    fn connection_error(&self, error: &(dyn std::error::Error + 'static)) -> anyhow::Error {
        let cause = base::causes::all(error).last().unwrap_or(error);
        let flag = self.flag;
        let remedy = if self.base.scheme() == "https" {
            format!("check {flag}, and that SSL_CERT_FILE names the authority of its certificate")
        } else {
            format!("start the server with kleis serve, or give its URL with {flag}")
        };
        anyhow!("no answer from the API at {} ({cause}): {remedy}", self.base)
    }

    /// Each segment is encoded: an id with a slash in it stays one segment.
    fn url(&self, path: &[&str], query: &[(&str, String)]) -> anyhow::Result<Url> {
        let mut url = self.base.clone();
        let mut segments = url.path_segments_mut().map_err(|()| anyhow!("the endpoint has no path"))?;
        segments.pop_if_empty().extend(path);
        drop(segments);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }
}

pub(super) struct Answer {
    pub(super) body: Value,
    /// The token of the next page.
    pub(super) next: Option<String>,
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The error that the server answered with. Both formats are read: `{"error": {..}}` and OAuth's `{"error": "..", ..}`.
fn refusal(status: StatusCode, body: &Value, path: &[&str], has_token: bool) -> anyhow::Error {
    let member = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let reason =
        member("/error/reason").or(member("/error/message")).or(member("/error_description")).or(member("/error"));
    match (status, reason) {
        (StatusCode::NOT_FOUND, _) if path.len() > 2 => {
            anyhow!("no resource has the id {}", path.last().unwrap_or(&""))
        }
        (StatusCode::NOT_FOUND, _) => {
            anyhow!(
                "the endpoint is not this admin API: its port is usually 4434 for identities and 4445 for OAuth clients"
            )
        }
        (StatusCode::UNAUTHORIZED, _) if has_token => {
            anyhow!("the server does not accept this admin token: correct --token or KLEIS_TOKEN")
        }
        (StatusCode::UNAUTHORIZED, _) => anyhow!("the server requires an admin token: use --token or KLEIS_TOKEN"),
        (_, Some(reason)) => anyhow!("the server answers {status}: {reason}"),
        (_, None) => anyhow!("the server answers {status}"),
    }
}

/// The page token of the `next` link (RFC 8288).
fn next_token(link: &str) -> Option<String> {
    let link = link.split(',').find(|link| link.contains("rel=\"next\""))?;
    let target = link.split_once('<')?.1.split_once('>')?.0;
    let query = target.split_once('?')?.1;
    url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "page_token").map(|(_, token)| token.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_in_the_link_header() {
        let link = r#"<http://a/x?page_size=2>; rel="first",<http://a/x?page_size=2&page_token=a%2Fb>; rel="next""#;
        assert_eq!(next_token(link).as_deref(), Some("a/b"));
        assert_eq!(next_token(r#"<http://a/x>; rel="first""#), None);
    }

    #[test]
    fn a_missing_resource_is_named() {
        let say = |path: &[&str], body| refusal(StatusCode::NOT_FOUND, &body, path, false).to_string();
        assert_eq!(say(&["admin", "clients", "nope"], Value::Null), "no resource has the id nope");
        assert!(say(&["admin", "clients"], Value::Null).contains("not this admin API"));
        let conflict = serde_json::json!({"error": "conflict", "error_description": ""});
        let text = refusal(StatusCode::CONFLICT, &conflict, &["admin", "clients"], false).to_string();
        assert_eq!(text, "the server answers 409 Conflict: conflict");
        let of_token = |has_token| refusal(StatusCode::UNAUTHORIZED, &Value::Null, &["admin"], has_token).to_string();
        assert!(of_token(false).contains("requires an admin token: use --token"), "{}", of_token(false));
        assert!(of_token(true).contains("does not accept this admin token"), "{}", of_token(true));
    }

    #[test]
    fn an_id_stays_one_segment_and_a_token_stays_off_the_wire() {
        let arguments = |endpoint: &str, token: Option<&str>| ApiArguments {
            endpoint: Some(endpoint.to_owned()),
            token: token.map(str::to_owned),
        };
        let faulty = Api::new(&arguments("localhost:4445", None), "", "").err().unwrap().to_string();
        assert_eq!(faulty, "the endpoint localhost:4445 is not an http or https URL: write http://localhost:4445");
        let api = Api::new(&arguments("http://127.0.0.1:4445/", None), "", "").unwrap();
        let url = api.url(&["admin", "clients", "../a b"], &[("page_size", "2".to_owned())]).unwrap();
        assert_eq!(url.as_str(), "http://127.0.0.1:4445/admin/clients/..%2Fa%20b?page_size=2");
        assert!(Api::new(&arguments("http://example.org", Some("t")), "", "").is_err());
        assert!(Api::new(&arguments("https://example.org", Some("t")), "", "").is_ok());
    }
}
