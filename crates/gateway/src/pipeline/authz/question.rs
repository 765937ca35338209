//! The question that `remote` and `remote_json` send to an authorization server, and what its answer means.
//!
//! What always holds: 200 allows, and no other answer does. A redirect is not followed, `retry.give_up_after` is the time for
//! all tries together, and of the answer only the headers that the rule names are used. A header value that cannot be sent as
//! it is fails the request: the server must not decide about another value.

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

/// What `remote` and `remote_json` have in common.
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
    /// The headers of the answer that the upstream gets.
    forwarded: Vec<HeaderName>,
    retry: Retry,
}

/// What is sent besides the headers of the rule.
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
            return Err("sets the header `host`, which belongs to the connection".to_owned());
        }
        Ok(Self {
            uri: url.as_str().parse().map_err(|_| "has a `remote` that cannot be requested".to_owned())?,
            headers,
            forwarded,
            retry: settings.retry,
        })
    }

    /// The headers that the upstream gets from the answer.
    pub(super) fn forwarded(&self) -> &[HeaderName] {
        &self.forwarded
    }

    /// Asks whether the request may go on.
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
            Failure::internal(format!("the authorization server was not reached: {error}")).blaming(Fault::Upstream)
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
            // One that is not in the answer is set to nothing, so that the upstream does not miss that it was decided.
            let value = answer.headers().get(name).cloned().unwrap_or_else(|| HeaderValue::from_static(""));
            session.headers.insert(name.clone(), value);
        }
        Ok(())
    }
}

/// The name of a header that a server's answer may set on the request to the upstream.
fn settable(name: &str) -> Result<HeaderName, String> {
    match settings::settable_header_name(name)? {
        HOST => Err("sets the header `host`, which belongs to the connection".to_owned()),
        name => Ok(name),
    }
}
