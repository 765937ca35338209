//! The request of `remote` and `remote_json` to an authorization server, and the meaning of the response.
//!
//! Invariants: 200 allows, and no other status does. Redirects are not followed, `retry.give_up_after` limits all attempts
//! together, and only the configured headers of the response are used. A header value that cannot be sent unchanged fails
//! the request: the server must not decide about another value.

use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Inbound, Services};
use crate::domain::failure::{Failure, Fault};
use crate::domain::session::Session;
use crate::pipeline::header_template::{self, ControlCharacters, HeaderTemplate};
use crate::pipeline::retry::{Retry, send_with_retries};
use crate::pipeline::template::TemplateView;
use crate::pipeline::{relayed, settings};

/// The common settings of `remote` and `remote_json`.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    /// The URL of the authorization server. Its response 200 allows the request, 403 denies it.
    remote: String,
    /// Templates of headers that are added to the request to the authorization server, by name.
    headers: Map<String, Value>,
    /// Headers of the response of the authorization server that the upstream gets.
    forward_response_headers_to_upstream: Vec<String>,
    retry: Retry,
}

#[derive(Debug)]
pub(super) struct Question {
    uri: Uri,
    headers: Vec<(HeaderName, HeaderTemplate)>,
    /// The response headers that are forwarded to the upstream.
    forwarded: Vec<HeaderName>,
    retry: Retry,
}

/// What is sent besides the configured headers.
pub(super) struct Message {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Question {
    pub(super) fn compile(settings: &Settings) -> Result<Self, String> {
        let url = settings::required_url("remote", &settings.remote)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("has a `remote` that is neither http nor https".to_owned());
        }
        let headers = header_template::compile_all(&settings.headers)?;
        let forwarded = settings.forward_response_headers_to_upstream.iter().map(|name| settable(name));
        let forwarded = forwarded.collect::<Result<Vec<_>, _>>()?;
        if headers.iter().any(|(name, _)| name == HOST) {
            return Err("sets the header `host`, which rules cannot set".to_owned());
        }
        Ok(Self {
            uri: url.as_str().parse().map_err(|_| "has a `remote` that is not a valid URI".to_owned())?,
            headers,
            forwarded,
            retry: settings.retry,
        })
    }

    /// The response headers that are forwarded to the upstream.
    pub(super) fn forwarded(&self) -> &[HeaderName] {
        &self.forwarded
    }

    /// Requests a decision.
    pub(super) async fn ask(
        &self,
        inbound: &Inbound<'_>,
        session: &mut Session,
        services: &Services,
        message: Message,
    ) -> Result<(), Box<Failure>> {
        let mut request = Request::new(message.body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = message.headers;
        if let Some(authorization) = inbound.headers.get(AUTHORIZATION) {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        for (name, template) in &self.headers {
            let value = template.value(name, &TemplateView { session, inbound }, ControlCharacters::Refuse)?;
            if !value.is_empty() {
                request.headers_mut().insert(name, value);
            }
        }
        let answer = send_with_retries(&services.http, &request, self.retry).await.map_err(|error| {
            Failure::internal(format!("the request to the authorization server failed: {error}"))
                .blaming(Fault::Upstream)
        })?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::FORBIDDEN => {
                return Err(Failure::forbidden().because("the authorization server denied the request"));
            }
            StatusCode::TOO_MANY_REQUESTS => return Err(relayed::too_many_requests(answer.headers())),
            status => {
                let reason = format!("the authorization server answered with {}", status.as_u16());
                return Err(Failure::internal(reason).blaming(Fault::Upstream));
            }
        }
        for name in &self.forwarded {
            // A header that is missing in the response is set to an empty value, so that the upstream sees a decision.
            let value = answer.headers().get(name).cloned().unwrap_or_else(|| HeaderValue::from_static(""));
            session.headers.insert(name.clone(), value);
        }
        Ok(())
    }
}

/// The name of a header that a server's response may set on the request to the upstream.
fn settable(name: &str) -> Result<HeaderName, String> {
    match settings::settable_header_name(name)? {
        HOST => Err("sets the header `host`, which rules cannot set".to_owned()),
        name => Ok(name),
    }
}
