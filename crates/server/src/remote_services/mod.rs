//! Clients for services that run in another process: the contracts of `contracts`, implemented over the admin API that the
//! replaced programs use for each other.
//!
//! Invariants:
//! - A call ends within its time, reads a bounded answer and follows no redirect ([`web::outbound`]).
//! - A refusal of the other service and a failed call are different results: only an answer counts as a refusal.
//! - The URL comes from the configuration; a service that runs in this process is never called over HTTP.

mod connections;
mod login_requests;
mod permissions;
mod sessions;
mod subjects;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use base::{Context, Rng};
use bytes::Bytes;
use contracts::{Link, Unavailable};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use jobs::Handler;
use serde_json::Value;
use service::{Links, Remote, RemoteApi, RemoteKey};
use url::Url;
use web::outbound::Client;

use crate::config::{Config, Fault, Service};

use connections::RemoteConnections;
use login_requests::RemoteLoginRequests;
use permissions::RemotePermissions;
use subjects::{EndSubject, RemoteSubjects};

/// The contracts of `service`: those of this process, and clients for the services in other processes that its section names,
/// with the jobs of these clients.
pub(crate) fn tie(
    config: &Config,
    service: Service,
    links: &Links,
    http: &Client,
    rng: &Rng,
) -> Result<(Links, Vec<Arc<dyn Handler>>), Fault> {
    let (mut links, mut handlers) = (links.clone(), Vec::new());
    let is_elsewhere = |remote: &&Remote| !config.services.iter().any(|it| it.name() == remote.service);
    for remote in service.definition().remotes.iter().filter(is_elsewhere) {
        let at = |key: RemoteKey| RemoteService::named_by(config, service, key.path, remote, http);
        match remote.api {
            RemoteApi::OAuth2 => {
                links.login_requests = Link::unset();
                links.subject_observer = Link::unset();
                links.connections = Link::unset();
                if let Some(there) = at(remote.url)? {
                    links.login_requests = Link::to(Arc::new(RemoteLoginRequests::new(there.clone())));
                    links.subject_observer = Link::to(Arc::new(RemoteSubjects::new(rng.clone())));
                    links.connections = Link::to(Arc::new(RemoteConnections::new(there.clone())));
                    handlers.push(Arc::new(EndSubject::new(there)) as Arc<dyn Handler>);
                }
            }
            RemoteApi::Sessions => {
                let (admin, public) = (at(remote.url)?, remote.public_url.map(at).transpose()?.flatten());
                let is_named = admin.is_some() || public.is_some();
                links.sessions = if is_named {
                    Link::to(Arc::new(sessions::RemoteSessions::new(admin, public)))
                } else {
                    Link::unset()
                };
            }
            RemoteApi::Permissions => {
                links.permissions = Link::unset();
                if let Some(there) = at(remote.url)? {
                    links.permissions = Link::to(Arc::new(RemotePermissions::new(there)));
                }
            }
        }
    }
    Ok((links, handlers))
}

/// One listener of a service in another process. A cheap clone.
#[derive(Clone, Debug)]
struct RemoteService {
    service: &'static str,
    base: Url,
    headers: HeaderMap,
    http: Client,
}

impl RemoteService {
    fn named_by(
        config: &Config,
        service: Service,
        url_key: &str,
        remote: &Remote,
        http: &Client,
    ) -> Result<Option<Self>, Fault> {
        let headers_key = remote.headers.path;
        let Some(text) = config.value(service, url_key).and_then(Value::as_str).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let fault = |key: &str, message: &str| Fault::new(format!("{service}.{key}"), message);
        let base = Url::parse(text).map_err(|_| fault(url_key, "must be a URL"))?;
        if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
            return Err(fault(url_key, "must be an http or https URL"));
        }
        if !base.username().is_empty() || base.password().is_some() {
            let message =
                format!("must not contain a user name or a password: set {service}.{headers_key}.Authorization");
            return Err(fault(url_key, &message));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in config.value(service, headers_key).and_then(Value::as_object).into_iter().flatten() {
            let header = HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value.as_str().unwrap_or("")).ok());
            let Some((header, mut value)) = header else {
                return Err(fault(&format!("{headers_key}.{name}"), "is not a header that can be sent"));
            };
            value.set_sensitive(true);
            headers.insert(header, value);
        }
        Ok(Some(Self { service: remote.service, base, headers, http: http.clone() }))
    }

    /// The URL of `path` below the path of the configured URL.
    fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url.set_query(None);
        url.set_fragment(None);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Any status is an answer.
    async fn ask(
        &self,
        cx: &Context,
        method: Method,
        url: &Url,
        more: HeaderMap,
        body: Option<Vec<u8>>,
    ) -> Result<Response<Bytes>, Unavailable> {
        let mut request = Request::builder()
            .method(method)
            .uri(url.as_str())
            .header(ACCEPT, "application/json")
            .header("x-request-id", cx.request_id.to_string());
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let mut request = request
            .body(Bytes::from(body.unwrap_or_default()))
            .map_err(|error| self.unavailable(url, "cannot be called", &error))?;
        request.headers_mut().extend(self.headers.clone());
        request.headers_mut().extend(more);
        self.http.send(request).await.map_err(|error| self.unavailable(url, "did not answer", &error))
    }

    /// The cause goes to the log, the rest to the caller. The query is left out, because it contains the challenge.
    fn unavailable(&self, url: &Url, what: &str, cause: &(dyn std::error::Error + 'static)) -> Unavailable {
        tracing::warn!(remote = self.service, path = url.path(), error = cause, "{what}");
        Unavailable::new(self.service, what)
    }

    /// An answer with a status or body that the path does not allow.
    fn strange(&self, url: &Url, answer: &Response<Bytes>, what: &str) -> Unavailable {
        let status = answer.status().as_u16();
        tracing::warn!(remote = self.service, path = url.path(), status, "{what}");
        Unavailable::new(self.service, format!("{what} ({status})"))
    }
}
