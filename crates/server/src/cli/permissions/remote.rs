//! The APIs of a permission service for the commands: the read API and the write API.

use std::time::Duration;

use anyhow::bail;
use bytes::Bytes;
use clap::Args;
use http::{Method, Response, StatusCode};
use serde_json::{Map, Value};
use web::outbound::Limits;

use super::super::api::Api;
use super::super::output::visible;

/// For pages and batches of relation tuples with long names.
const LIMITS: Limits = Limits { timeout: Duration::from_mins(1), max_bytes: 16 * 1024 * 1024 };

/// Where the service is. The variables of Keto's command line count as well.
#[derive(Clone, Debug, Args)]
pub(super) struct Remotes {
    #[arg(
        long,
        value_name = "URL",
        env = "KLEIS_READ_REMOTE",
        help = "The read API, a URL or HOST:PORT; KETO_READ_REMOTE or 127.0.0.1:4466 when omitted"
    )]
    read_remote: Option<String>,
    #[arg(
        long,
        value_name = "URL",
        env = "KLEIS_WRITE_REMOTE",
        help = "The write API, a URL or HOST:PORT; KETO_WRITE_REMOTE or 127.0.0.1:4467 when omitted"
    )]
    write_remote: Option<String>,
    #[arg(
        long,
        value_name = "TOKEN",
        env = "KLEIS_TOKEN",
        help = "An admin token, if the listener requires one; KETO_BEARER_TOKEN when omitted",
        hide_env_values = true
    )]
    token: Option<String>,
    /// Call HOST:PORT of another machine without TLS
    #[arg(long)]
    insecure_disable_transport_security: bool,
    /// Not supported: `SSL_CERT_FILE` names the authority of a private certificate
    #[arg(long, hide = true)]
    insecure_skip_hostname_verification: bool,
    /// Not supported
    #[arg(long, hide = true, value_name = "HOST")]
    authority: Option<String>,
    /// `status` waits until the service is ready
    #[arg(long, hide = true)]
    block: bool,
}

/// How long a call is repeated while the service does not answer.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Retries {
    /// How often a call is repeated while the service does not answer
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    retries: u32,
}

/// The first pause between two calls, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// What a call came to, apart from success.
#[derive(Debug)]
pub(super) enum CallError {
    /// The service refused what was sent. Sending it again does not help.
    Refused {
        status: StatusCode,
        reason: String,
        /// The field of the request that the reason is about.
        field: Option<String>,
        /// The nearest miss of a check without an answer, if it was asked for.
        nearest_miss: Option<Value>,
    },
    /// It did not answer, or cannot answer at the moment.
    Unavailable(anyhow::Error),
}

/// One API of the service.
pub(super) struct Remote(Api);

impl Remotes {
    /// Whether to wait until the service is ready. Other calls than that of `status` do not wait.
    pub(super) const fn blocks(&self) -> bool {
        self.block
    }

    pub(super) fn read(&self) -> anyhow::Result<Remote> {
        self.at(self.read_remote.as_deref(), "KETO_READ_REMOTE", "127.0.0.1:4466", "--read-remote")
    }

    pub(super) fn write(&self) -> anyhow::Result<Remote> {
        self.at(self.write_remote.as_deref(), "KETO_WRITE_REMOTE", "127.0.0.1:4467", "--write-remote")
    }

    fn at(&self, named: Option<&str>, classic: &str, default: &str, flag: &'static str) -> anyhow::Result<Remote> {
        if self.insecure_skip_hostname_verification {
            bail!(
                "--insecure-skip-hostname-verification is not supported: set SSL_CERT_FILE to the authority of the certificate"
            );
        }
        if self.authority.is_some() {
            bail!("--authority is not supported: name the host in {flag}");
        }
        let environment = super::super::environment();
        let variable =
            |name: &str| environment.iter().find(|(its_name, _)| its_name == name).map(|(_, text)| text.as_str());
        let text = named.or_else(|| variable(classic)).unwrap_or(default);
        let token = self.token.as_deref().or_else(|| variable("KETO_BEARER_TOKEN"));
        let api = Api::at(&url_of(text, self.insecure_disable_transport_security), token, flag)?;
        Ok(Remote(api.with_limits(LIMITS)))
    }
}

/// `HOST:PORT` as a URL: with TLS, unless it is this machine or TLS is switched off.
fn url_of(text: &str, is_plain: bool) -> String {
    if text.contains("://") {
        return text.to_owned();
    }
    let host = text.rsplit_once(':').map_or(text, |(host, _)| host);
    let is_here = host == "localhost" || host == "[::1]" || host.starts_with("127.");
    format!("{}://{text}", if is_plain || is_here { "http" } else { "https" })
}

impl Remote {
    pub(super) fn endpoint(&self) -> String {
        self.0.endpoint()
    }

    /// [`Self::call`], repeated while the service does not answer.
    pub(super) async fn call_again(
        &self,
        Retries { retries }: Retries,
        method: &Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<Value, CallError> {
        let mut pause = FIRST_PAUSE;
        for _ in 0..retries {
            match self.call(method.clone(), path, query, body).await {
                Err(CallError::Unavailable(error)) => {
                    eprintln!("{error}; trying again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                answer => return answer,
            }
        }
        self.call(method.clone(), path, query, body).await
    }

    /// The body of a successful answer.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<Value, CallError> {
        Ok(self.answer(method, path, query, body).await?.into_body())
    }

    /// A successful answer.
    pub(super) async fn answer(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<Response<Value>, CallError> {
        let answer = self.0.exchange(method, path, query, body).await.map_err(CallError::Unavailable)?;
        if !answer.status().is_success() {
            return Err(refusal(&answer, self.0.has_token()));
        }
        let (head, body) = answer.into_parts();
        let body = if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&body) };
        match body {
            Ok(body) => Ok(Response::from_parts(head, body)),
            Err(_) => Err(CallError::Refused {
                status: head.status,
                reason: "the answer is not JSON: is this a permission service?".to_owned(),
                field: None,
                nearest_miss: None,
            }),
        }
    }
}

/// The errors or warnings of `/health/ready`, a line for each check.
pub(super) fn named_lines(checks: &Map<String, Value>) -> String {
    let line = |(name, reason): (&String, &Value)| {
        let lines: Vec<String> = reason.as_str().unwrap_or_default().lines().map(visible).collect();
        format!("{}: {}", visible(name), lines.join("\n"))
    };
    checks.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn refusal(answer: &Response<Bytes>, has_token: bool) -> CallError {
    let status = answer.status();
    let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let member = |name: &str| body.pointer(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let unready = body["errors"].as_object().map(named_lines);
    let reason = member("/error/reason").or_else(|| member("/error/message")).or(unready.as_deref());
    let field = member("/error/details/field").map(str::to_owned);
    let nearest_miss = body.pointer("/error/details/explanation/nearest_miss").cloned();
    let refused = |reason, field| CallError::Refused { status, reason, field, nearest_miss };
    match (status, reason) {
        (StatusCode::UNAUTHORIZED, _) => {
            let reason = if has_token {
                "the service does not accept this admin token: correct --token, KLEIS_TOKEN or KETO_BEARER_TOKEN"
            } else {
                "the service requires an admin token: use --token or KLEIS_TOKEN"
            };
            refused(reason.to_owned(), field)
        }
        // A name that does not exist is that of a field.
        (StatusCode::NOT_FOUND, _) if field.is_none() => {
            let said = reason.map_or_else(String::new, |reason| format!(" (it says: {reason})"));
            let reason = format!(
                "this is not that API of a permission service{said}: the ports are usually 4466 for reads and 4467 for writes"
            );
            refused(reason, field)
        }
        (status, reason) if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            CallError::Unavailable(anyhow::anyhow!("the service answers {status}: {}", reason.unwrap_or("no reason")))
        }
        (status, reason) => {
            let reason = reason.map_or_else(|| format!("the service answers {status}"), str::to_owned);
            refused(reason, field)
        }
    }
}

/// A reason about one change of a batch, `[2].relation_tuple.namespace: …`, as the index of the change and the reason without
/// this place, which is one of the body that a command made.
pub(super) fn of_change(reason: &str) -> Option<(usize, &str)> {
    let (index, rest) = reason.strip_prefix('[')?.split_once("].relation_tuple")?;
    Some((index.parse().ok()?, rest.trim_start_matches(['.', ':', ' '])))
}

impl From<CallError> for anyhow::Error {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused { reason, .. } => Self::msg(reason),
            CallError::Unavailable(error) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_in_a_body_is_not_part_of_a_reason() {
        assert_eq!(of_change("[2].relation_tuple.namespace: is empty"), Some((2, "namespace: is empty")));
        assert_eq!(of_change("[0].relation_tuple: exists"), Some((0, "exists")));
        assert_eq!(of_change("namespace: is empty"), None);
    }

    #[test]
    fn a_host_and_a_port_are_a_url() {
        for (text, is_plain, url) in [
            ("127.0.0.1:4466", false, "http://127.0.0.1:4466"),
            ("localhost:4466", false, "http://localhost:4466"),
            ("[::1]:4466", false, "http://[::1]:4466"),
            ("keto.example:4466", false, "https://keto.example:4466"),
            ("keto.example:4466", true, "http://keto.example:4466"),
            ("http://keto.example:4466", false, "http://keto.example:4466"),
        ] {
            assert_eq!(url_of(text, is_plain), url);
        }
    }
}
