//! The session check of `cookie_session` and `bearer_token`: a function call if the identity service runs in this process,
//! otherwise a request to `check_session_url`.
//!
//! Invariants: the request to `check_session_url` carries the headers that the rule forwards, and no body. It follows no
//! redirect, ends within five seconds, and reads at most a megabyte of the response.

use std::sync::Arc;
use std::time::Duration;

use base::PlainToken;
use bytes::Bytes;
use contracts::SessionCredentials;
use http::header::{AUTHORIZATION, COOKIE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;
use web::outbound::Limits;

use super::{Inbound, Outcome, Services};
use crate::domain::failure::{Failure, Fault};
use crate::domain::json_path::JsonPath;
use crate::domain::session::{Extra, Session};
use crate::pipeline::{relayed, settings};

const X_SESSION_TOKEN: HeaderName = HeaderName::from_static("x-session-token");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
/// The limits of a session check.
const LIMITS: Limits = Limits { timeout: Duration::from_secs(5), max_bytes: 1 << 20 };

/// The common settings of `cookie_session` and `bearer_token`.
#[derive(Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the configuration's own keys")]
pub(super) struct Settings {
    /// The URL of the session check, for instance `/sessions/whoami` of the identity service.
    check_session_url: String,
    /// Whether the path of `check_session_url` is used as it is; otherwise it is the path of the request.
    preserve_path: bool,
    /// Whether the query of `check_session_url` is used as it is; otherwise it is the query of the request.
    preserve_query: bool,
    /// Whether the header `X-Forwarded-Host` names the host of the request.
    preserve_host: bool,
    /// The method of the request to `check_session_url`. Unset, it is the method of the request.
    force_method: String,
    /// More headers of the request that are sent to `check_session_url`.
    forward_http_headers: Vec<String>,
    /// Headers that are added to the request to `check_session_url`, by name.
    additional_headers: Map<String, Value>,
    /// The path in the response at which the extra data of the session is, in the syntax of GJSON.
    extra_from: Option<String>,
    /// The path in the response at which the subject is, in the syntax of GJSON.
    subject_from: Option<String>,
    /// Whether a session without a subject is refused.
    require_subject: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            check_session_url: String::new(),
            preserve_path: false,
            preserve_query: true,
            preserve_host: false,
            force_method: String::new(),
            forward_http_headers: Vec::new(),
            additional_headers: Map::new(),
            extra_from: None,
            subject_from: None,
            require_subject: false,
        }
    }
}

/// The differences between the handlers.
pub(super) struct Asker {
    pub(super) name: &'static str,
    /// The header that is always forwarded.
    pub(super) credential: HeaderName,
    /// The default of `subject_from`, unless the URL is an internal one.
    pub(super) subject_from: &'static str,
}

#[derive(Debug)]
pub(super) struct SessionCheck {
    name: &'static str,
    place: Place,
    /// The rule's own headers, and the credential.
    forward_headers: Vec<HeaderName>,
    extra_from: JsonPath,
    subject_from: JsonPath,
    require_subject: bool,
}

#[derive(Debug)]
enum Place {
    InProcess,
    Remote(Box<Remote>),
}

#[derive(Debug)]
struct Remote {
    url: Url,
    preserve_path: bool,
    preserve_query: bool,
    preserve_host: bool,
    force_method: Option<Method>,
    additional_headers: HeaderMap,
}

/// The credentials of a request that the check gets.
pub(super) enum Presented {
    /// Those in the forwarded headers.
    AsSent,
    /// The same without `Authorization`.
    WithoutAuthorization,
    /// This token, in place of those in `Authorization`.
    Token(String),
    /// In the same process: this cookie alone, and `Authorization` if the rule forwards it.
    Cookie { pair: String, with_authorization: bool },
}

/// The result of the check.
#[expect(clippy::large_enum_variant, reason = "most sessions are active, and a box would cost each an allocation")]
pub(super) enum Checked {
    Active(Session),
    Invalid(Box<Failure>),
    /// The session exists, or may exist, but requires a second factor or is refused for another reason.
    Incomplete(Box<Failure>),
    Unavailable(Box<Failure>),
    Refused(Box<Failure>),
}

impl Checked {
    /// The outcome for handlers without further processing.
    pub(super) fn outcome(self) -> Outcome {
        match self {
            Self::Active(session) => Outcome::Accepted(session),
            Self::Invalid(failure) | Self::Incomplete(failure) => Outcome::Invalid(failure),
            Self::Unavailable(failure) => Outcome::Unavailable(failure),
            Self::Refused(failure) => Outcome::Refused(failure),
        }
    }
}

impl SessionCheck {
    pub(super) fn compile(asker: Asker, settings: &Settings, services: &Services) -> Result<Self, String> {
        let url = settings::required_url("check_session_url", &settings.check_session_url)?;
        // Under the `kleis` scheme the defaults match the response of the internal session check; elsewhere those of
        // Oathkeeper apply.
        let is_ours = url.scheme() == "kleis";
        let default = |ours: &'static str, theirs: &'static str| if is_ours { ours } else { theirs };
        let path = |text: Option<&str>, default: &str| {
            JsonPath::parse(text.filter(|text| !text.is_empty()).unwrap_or(default)).map_err(|it| it.to_string())
        };
        let mut forward_headers = settings::header_names(&settings.forward_http_headers)?;
        forward_headers.push(asker.credential);
        Ok(Self {
            name: asker.name,
            forward_headers,
            extra_from: path(settings.extra_from.as_deref(), default("@this", "extra"))?,
            subject_from: path(settings.subject_from.as_deref(), default("identity.id", asker.subject_from))?,
            require_subject: settings.require_subject,
            place: if services.in_process.is_session_check(&url) {
                Place::InProcess
            } else {
                Place::Remote(Box::new(Remote::compile(url, settings)?))
            },
        })
    }

    /// Whether the request to `check_session_url` includes this header of the client's request.
    pub(super) fn forwards(&self, name: &HeaderName) -> bool {
        self.forward_headers.contains(name)
    }

    /// Whether the check goes over the network.
    pub(super) const fn is_remote(&self) -> bool {
        matches!(self.place, Place::Remote(_))
    }

    /// Whether the rule itself names this header in `forward_http_headers`.
    pub(super) fn forwards_by_name(&self, name: &HeaderName) -> bool {
        self.forward_headers.split_last().is_some_and(|(_, named)| named.contains(name))
    }

    /// Whether the query of the client's request is sent.
    pub(super) fn forwards_query(&self) -> bool {
        matches!(&self.place, Place::Remote(remote) if !remote.preserve_query)
    }

    /// Whether the rule sets this header of the request to `check_session_url`.
    pub(super) fn adds(&self, name: &HeaderName) -> bool {
        matches!(&self.place, Place::Remote(remote) if remote.additional_headers.contains_key(name))
    }

    pub(super) async fn ask(&self, inbound: &Inbound<'_>, services: &Services, presented: Presented) -> Checked {
        match &self.place {
            Place::InProcess => self.ask_in_process(inbound, services, presented).await,
            Place::Remote(remote) => self.ask_remotely(remote, inbound, services, presented).await,
        }
    }

    async fn ask_in_process(&self, inbound: &Inbound<'_>, services: &Services, presented: Presented) -> Checked {
        let Some(sessions) = services.in_process.sessions.get() else {
            return Checked::Unavailable(Failure::unavailable("no identity service runs in this process"));
        };
        match sessions.check(inbound.cx, &self.credentials(inbound.headers, presented)).await {
            Ok(contracts::SessionCheck::Active(active)) => match self.accept(&active.whoami) {
                Checked::Active(session) => Checked::Active(Session { is_watched: true, ..session }),
                other => other,
            },
            Ok(contracts::SessionCheck::Absent | contracts::SessionCheck::Invalid) => {
                Checked::Invalid(Failure::unauthorized().because("the session is unknown, expired or revoked"))
            }
            Ok(contracts::SessionCheck::NeedsSecondFactor) => {
                Checked::Incomplete(Failure::unauthorized().because("the session requires a second factor"))
            }
            Err(error) => Checked::Unavailable(Failure::unavailable(error.to_string())),
        }
    }

    fn credentials(&self, headers: &HeaderMap, presented: Presented) -> SessionCredentials {
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let forwarded = |name: &HeaderName| if self.forwards(name) { text(name) } else { None };
        let bearer = forwarded(&AUTHORIZATION)
            .filter(|_| matches!(presented, Presented::AsSent | Presented::Cookie { with_authorization: true, .. }))
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let cookie = match &presented {
            Presented::Cookie { pair, .. } => Some(pair.clone()),
            Presented::AsSent | Presented::WithoutAuthorization if self.forwards(&COOKIE) => {
                web::cookies::joined(headers)
            }
            Presented::Token(_) | Presented::AsSent | Presented::WithoutAuthorization => None,
        };
        let bearer = bearer.map(|(_, token)| PlainToken::received(token.trim()));
        let session_token = match presented {
            Presented::Token(token) => Some(PlainToken::received(token)),
            Presented::Cookie { .. } => None,
            Presented::AsSent | Presented::WithoutAuthorization => {
                forwarded(&X_SESSION_TOKEN).map(PlainToken::received)
            }
        };
        SessionCredentials { session_token, cookie, bearer }
    }

    async fn ask_remotely(
        &self,
        remote: &Remote,
        inbound: &Inbound<'_>,
        services: &Services,
        presented: Presented,
    ) -> Checked {
        let is_as_sent = matches!(presented, Presented::AsSent);
        let mut request = match remote.request(inbound, &self.forward_headers, is_as_sent) {
            Ok(request) => request,
            Err(reason) => return Checked::Refused(Failure::internal(reason)),
        };
        if let Presented::Token(token) = presented {
            let Ok(mut value) = HeaderValue::try_from(format!("Bearer {token}")) else {
                let reason = "the token has characters that a header cannot contain";
                return Checked::Invalid(Failure::unauthorized().because(reason));
            };
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let answer = match services.http.with_limits(LIMITS).send(request).await {
            Ok(answer) => answer,
            Err(error) => {
                let failure = Failure::forbidden().blaming(Fault::Upstream);
                return Checked::Unavailable(failure.because(format!("the session could not be checked: {error}")));
            }
        };
        let unauthorized = |reason: String| Failure::unauthorized().because(reason);
        match answer.status() {
            StatusCode::OK => match serde_json::from_slice(answer.body()) {
                Ok(body) => self.accept(&Arc::new(body)),
                Err(_) => {
                    Checked::Refused(Failure::forbidden().because("the response of the session check is not JSON"))
                }
            },
            StatusCode::TOO_MANY_REQUESTS => Checked::Refused(relayed::too_many_requests(answer.headers())),
            status if status.is_server_error() => {
                let failure = unauthorized(format!("the session check answered with {}", status.as_u16()));
                Checked::Unavailable(failure.blaming(Fault::Upstream))
            }
            // The session may exist: its cookie is kept.
            StatusCode::FORBIDDEN => Checked::Incomplete(unauthorized(why_forbidden(answer.body()))),
            status => Checked::Invalid(unauthorized(format!("the session check answered with {}", status.as_u16()))),
        }
    }

    fn accept(&self, whoami: &Arc<Value>) -> Checked {
        let subject = match self.subject_from.find(whoami).as_deref() {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(subject)) => subject.clone(),
            Some(_) => return Checked::Refused(Failure::forbidden().because("the session's subject is not a string")),
        };
        let extra = match self.extra_from.find(whoami).as_deref() {
            None | Some(Value::Null) => Extra::default(),
            Some(Value::Object(_)) => Extra::part(whoami.clone(), self.extra_from.clone()),
            Some(_) => return Checked::Refused(Failure::forbidden().because("the session's extra is not an object")),
        };
        if subject.is_empty() && self.require_subject {
            return Checked::Refused(Failure::unauthorized().because("the session has no subject"));
        }
        Checked::Active(Session::authenticated(self.name, subject, extra))
    }
}

/// Kratos and its like name the missing second factor in the error.
fn why_forbidden(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    if body.pointer("/error/id").and_then(Value::as_str) == Some("session_aal2_required") {
        "the session requires a second factor".to_owned()
    } else {
        "the session check answered with 403".to_owned()
    }
}

impl Remote {
    fn compile(url: Url, settings: &Settings) -> Result<Self, String> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err("has a `check_session_url` that is neither http nor https".to_owned());
        }
        if !settings.preserve_path && url.path() != "/" {
            tracing::warn!(
                %url,
                "`preserve_path` is false: the path of `check_session_url` is replaced by the path of each request"
            );
        }
        let force_method = match settings.force_method.as_str() {
            "" => None,
            method => Some(
                method.parse().map_err(|_| format!("has a `force_method` `{method}` that is not an HTTP method"))?,
            ),
        };
        Ok(Self {
            url,
            preserve_path: settings.preserve_path,
            preserve_query: settings.preserve_query,
            preserve_host: settings.preserve_host,
            force_method,
            additional_headers: settings::headers(&settings.additional_headers)?,
        })
    }

    fn request(
        &self,
        inbound: &Inbound<'_>,
        forward: &[HeaderName],
        with_authorization: bool,
    ) -> Result<http::Request<Bytes>, String> {
        let target = inbound.target;
        let mut url = self.url.clone();
        if !self.preserve_path {
            url.set_path(target.forwarded_path());
        }
        if !self.preserve_query {
            url.set_query(target.query());
        }
        let mut request = http::Request::new(Bytes::new());
        *request.method_mut() = match &self.force_method {
            Some(method) => method.clone(),
            // The response to HEAD has no body, which would hold the session.
            None if target.method == Method::HEAD => Method::GET,
            None => target.method.clone(),
        };
        *request.uri_mut() = url.as_str().parse().map_err(|_| format!("`{url}` is not a valid URI"))?;
        let headers = request.headers_mut();
        let is_sent = |name: &&HeaderName| **name != HOST && (with_authorization || **name != AUTHORIZATION);
        for name in forward.iter().filter(is_sent) {
            if !headers.contains_key(name) {
                inbound.headers.get_all(name).iter().for_each(|value| {
                    headers.append(name, value.clone());
                });
            }
        }
        for (name, value) in &self.additional_headers {
            headers.insert(name, value.clone());
        }
        if self.preserve_host
            && let Ok(host) = target.host().parse()
        {
            headers.insert(X_FORWARDED_HOST, host);
        }
        Ok(request)
    }
}
