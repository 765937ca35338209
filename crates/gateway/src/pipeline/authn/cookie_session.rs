//! `cookie_session`: asks the identity service whose session the request's cookies are. Beside the service in this
//! process that is a function call, otherwise a request to `check_session_url`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contracts::{SessionCheck, SessionCredentials};
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;
use web::cookies::SetCookie;
use web::outbound::Limits;

use super::{Inbound, Outcome, Services, relayed};
use crate::domain::failure::{Failure, Fault};
use crate::domain::json_path::JsonPath;
use crate::domain::session::{Extra, Session};
use crate::pipeline::settings;

const NAME: &str = "cookie_session";
const X_SESSION_TOKEN: HeaderName = HeaderName::from_static("x-session-token");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
/// A session check that takes longer is no check.
const LIMITS: Limits = Limits { timeout: Duration::from_secs(5), max_bytes: 1 << 20 };

#[derive(Debug)]
pub(crate) struct CookieSession {
    check: Check,
    only: Vec<String>,
    forward_headers: Vec<HeaderName>,
    extra_from: JsonPath,
    subject_from: JsonPath,
    require_subject: bool,
    /// The `Set-Cookie` fields that make the client forget the cookies of `only`.
    forget: Vec<HeaderValue>,
}

#[derive(Debug)]
enum Check {
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

#[expect(clippy::struct_excessive_bools, reason = "the configuration's own keys")]
#[derive(Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    /// The URL that knows whose session a cookie is, for instance `/sessions/whoami` of the identity service.
    check_session_url: String,
    /// The names of the cookies that this authenticator handles. Without names it handles every request with cookies.
    only: Vec<String>,
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
    /// Whether the response deletes the cookies in `only` when their session is invalid.
    clear_invalid_cookies: bool,
    /// The domain of the cookies that are deleted.
    clear_cookie_domain: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            check_session_url: String::new(),
            only: Vec::new(),
            preserve_path: false,
            preserve_query: true,
            preserve_host: false,
            force_method: String::new(),
            forward_http_headers: Vec::new(),
            additional_headers: Map::new(),
            extra_from: None,
            subject_from: None,
            require_subject: false,
            clear_invalid_cookies: false,
            clear_cookie_domain: None,
        }
    }
}

impl CookieSession {
    pub(super) fn compile(settings: Value, services: &Services) -> Result<Self, String> {
        let settings: Settings = settings::read(settings)?;
        let url = settings::required_url("check_session_url", &settings.check_session_url)?;
        let is_local = services.is_local_session_check(&url);
        // Under our own scheme the defaults fit the body of our own session check; elsewhere they are what they were.
        let is_ours = url.scheme() == "kleis";
        let default = |ours: &'static str, theirs: &'static str| if is_ours { ours } else { theirs };
        let path = |text: Option<String>, default: &str| {
            JsonPath::parse(text.as_deref().filter(|text| !text.is_empty()).unwrap_or(default))
                .map_err(|it| it.to_string())
        };
        if settings.clear_invalid_cookies && settings.only.is_empty() {
            return Err("needs the names of the cookies in `only` to clear them".to_owned());
        }
        let names = settings.forward_http_headers.iter().map(|name| settings::header_name(name));
        let forget = if settings.clear_invalid_cookies { settings.only.as_slice() } else { &[] };
        let forget = forget
            .iter()
            .map(|name| {
                // Browsers take cookies with these beginnings with `Secure` alone.
                let is_secure = name.starts_with("__Host-") || name.starts_with("__Secure-");
                let removal = SetCookie::removal(name.clone()).domain(settings.clear_cookie_domain.clone());
                removal.secure(is_secure).header()
            })
            .collect();
        Ok(Self {
            forward_headers: names.collect::<Result<_, _>>()?,
            extra_from: path(settings.extra_from.clone(), default("@this", "extra"))?,
            subject_from: path(settings.subject_from.clone(), default("identity.id", "subject"))?,
            require_subject: settings.require_subject,
            only: settings.only.clone(),
            forget,
            check: if is_local { Check::InProcess } else { Check::Remote(Box::new(Remote::compile(url, &settings)?)) },
        })
    }

    pub(super) async fn authenticate(&self, inbound: &Inbound<'_>, services: &Services) -> Outcome {
        if !self.is_responsible(inbound.headers) {
            return Outcome::NotResponsible;
        }
        match &self.check {
            Check::InProcess => self.check_in_process(inbound, services).await,
            Check::Remote(remote) => self.check_remotely(remote, inbound, services).await,
        }
    }

    fn is_responsible(&self, headers: &HeaderMap) -> bool {
        let mut cookies = web::cookies::all(headers);
        if self.only.is_empty() {
            return cookies.next().is_some();
        }
        cookies.any(|(name, _)| self.only.iter().any(|only| only == name))
    }

    async fn check_in_process(&self, inbound: &Inbound<'_>, services: &Services) -> Outcome {
        let Some(sessions) = services.sessions.get() else {
            return Outcome::Unavailable(Failure::unavailable("no identity service runs in this process"));
        };
        match sessions.check(inbound.cx, &self.credentials(inbound.headers)).await {
            Ok(SessionCheck::Active(active)) => match self.accept(&active.whoami) {
                Outcome::Accepted(session) => Outcome::Accepted(Session { is_watched: true, ..session }),
                other => other,
            },
            Ok(SessionCheck::Absent | SessionCheck::Invalid) => {
                self.invalid(Failure::unauthorized().because("the session is unknown, expired or revoked"))
            }
            Ok(SessionCheck::NeedsSecondFactor) => {
                self.incomplete(Failure::unauthorized().because("the session needs a second factor"))
            }
            Err(error) => Outcome::Unavailable(Failure::unavailable(error.to_string())),
        }
    }

    /// Cookies are always looked at, other credentials only when the rule forwards them.
    fn credentials(&self, headers: &HeaderMap) -> SessionCredentials {
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let forwarded = |name: &HeaderName| if self.forward_headers.contains(name) { text(name) } else { None };
        let bearer = forwarded(&AUTHORIZATION)
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        // HTTP/2 may split cookies over several fields (RFC 9113 section 8.2.3).
        let mut cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let cookie = cookies.next().map(|first| cookies.fold(first.to_owned(), |joined, next| joined + "; " + next));
        SessionCredentials {
            session_token: forwarded(&X_SESSION_TOKEN).map(base::PlainToken::received),
            cookie,
            bearer: bearer.map(|(_, token)| base::PlainToken::received(token.trim())),
        }
    }

    async fn check_remotely(&self, remote: &Remote, inbound: &Inbound<'_>, services: &Services) -> Outcome {
        let request = match remote.request(inbound, &self.forward_headers) {
            Ok(request) => request,
            Err(reason) => return Outcome::Refused(Failure::internal(reason)),
        };
        let answer = match services.http.with_limits(LIMITS).send(request).await {
            Ok(answer) => answer,
            Err(error) => {
                let failure = Failure::forbidden().blaming(Fault::Upstream);
                return Outcome::Unavailable(failure.because(format!("the session could not be checked: {error}")));
            }
        };
        match answer.status() {
            StatusCode::OK => match serde_json::from_slice(answer.body()) {
                Ok(body) => self.accept(&Arc::new(body)),
                Err(_) => Outcome::Refused(Failure::forbidden().because("the session check answered with no JSON")),
            },
            StatusCode::TOO_MANY_REQUESTS => Outcome::Refused(relayed::too_many_requests(answer.headers())),
            status if status.is_server_error() => {
                let failure = Failure::unauthorized().blaming(Fault::Upstream);
                Outcome::Unavailable(failure.because(format!("the session check answered with {}", status.as_u16())))
            }
            // The session exists and is not complete: its cookie is worth keeping.
            StatusCode::FORBIDDEN => {
                self.incomplete(Failure::unauthorized().because("the session needs a second factor"))
            }
            status => {
                let reason = format!("the session check answered with {}", status.as_u16());
                self.invalid(Failure::unauthorized().because(reason))
            }
        }
    }

    fn accept(&self, whoami: &Arc<Value>) -> Outcome {
        let subject = match self.subject_from.find(whoami).as_deref() {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(subject)) => subject.clone(),
            Some(_) => return Outcome::Refused(Failure::forbidden().because("the session's subject is not a text")),
        };
        let extra = match self.extra_from.find(whoami).as_deref() {
            None | Some(Value::Null) => Extra::default(),
            Some(Value::Object(_)) => Extra::part(whoami.clone(), self.extra_from.clone()),
            Some(_) => return Outcome::Refused(Failure::forbidden().because("the session's extra is not an object")),
        };
        if subject.is_empty() && self.require_subject {
            return Outcome::Refused(Failure::unauthorized().because("the session names no subject"));
        }
        Outcome::Accepted(Session::authenticated(NAME, subject, extra))
    }

    fn invalid(&self, mut failure: Box<Failure>) -> Outcome {
        failure.set_cookies.extend(self.forget.iter().cloned());
        Outcome::Invalid(failure)
    }

    #[expect(clippy::unused_self, reason = "stands beside `invalid`, from which it differs in the cookies")]
    fn incomplete(&self, failure: Box<Failure>) -> Outcome {
        Outcome::Invalid(failure)
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
        let mut additional_headers = HeaderMap::new();
        for (name, value) in &settings.additional_headers {
            let value =
                value.as_str().ok_or_else(|| format!("has a value for the header `{name}` that is not a text"))?;
            let value =
                value.parse().map_err(|_| format!("has a value for the header `{name}` that no header can carry"))?;
            additional_headers.insert(settings::header_name(name)?, value);
        }
        let force_method = match settings.force_method.as_str() {
            "" => None,
            method => Some(method.parse().map_err(|_| format!("has a `force_method` `{method}` that is no method"))?),
        };
        Ok(Self {
            url,
            preserve_path: settings.preserve_path,
            preserve_query: settings.preserve_query,
            preserve_host: settings.preserve_host,
            force_method,
            additional_headers,
        })
    }

    fn request(&self, inbound: &Inbound<'_>, forward: &[HeaderName]) -> Result<http::Request<Bytes>, String> {
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
            // The answer to HEAD has no body, and the session is in the body.
            None if target.method == Method::HEAD => Method::GET,
            None => target.method.clone(),
        };
        *request.uri_mut() = url.as_str().parse().map_err(|_| format!("`{url}` cannot be requested"))?;
        let headers = request.headers_mut();
        for name in forward.iter().chain([&COOKIE]).filter(|name| **name != http::header::HOST) {
            for value in inbound.headers.get_all(name) {
                headers.append(name, value.clone());
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
