//! The request to a remote introspection endpoint (RFC 7662 section 2.1).

use base::PlainToken;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use serde_json::{Map, Value};
use url::Url;

use super::pre_authorization::{self, PreAuthorization};
use super::{Inbound, Outcome, Services};
use crate::domain::failure::{Failure, Fault};
use crate::pipeline::relayed;
use crate::pipeline::retry::{Retry, send_with_retries};
use crate::pipeline::settings;

const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

#[derive(Debug)]
pub(super) struct Remote {
    uri: http::Uri,
    scope: Option<String>,
    headers: HeaderMap,
    preserve_host: bool,
    pre_authorization: Option<PreAuthorization>,
    retry: Retry,
}

impl Remote {
    pub(super) fn compile(
        url: &Url,
        scope: Option<String>,
        header_settings: &Map<String, Value>,
        preserve_host: bool,
        pre_authorization: Option<pre_authorization::Settings>,
        retry: Retry,
    ) -> Result<Self, String> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err("has an `introspection_url` that is neither http nor https".to_owned());
        }
        let mut headers = settings::headers(header_settings)?;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let uri = url.as_str().parse().map_err(|_| "has an `introspection_url` that is not a valid URI".to_owned())?;
        let pre_authorization = pre_authorization.map(PreAuthorization::compile).transpose()?.flatten();
        Ok(Self { uri, scope, headers, preserve_host, pre_authorization, retry })
    }

    /// The claims of the response, or `None` when the token is not active.
    pub(super) async fn introspect(
        &self,
        inbound: &Inbound<'_>,
        services: &Services,
        token: &PlainToken,
    ) -> Result<Option<Map<String, Value>>, Outcome> {
        let mut form = vec![("token", token.expose())];
        form.extend(self.scope.as_deref().map(|scope| ("scope", scope)));
        let body = serde_urlencoded::to_string(form)
            .map_err(|_| Outcome::Refused(Failure::internal("the introspection request cannot be encoded")))?;
        let mut request = Request::new(Bytes::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        if self.preserve_host
            && let Ok(host) = inbound.target.host().parse()
        {
            request.headers_mut().insert(X_FORWARDED_HOST, host);
        }
        if let Some(pre_authorization) = &self.pre_authorization {
            let value = pre_authorization.authorization(services, inbound.cx.now).await?;
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let answer = send_with_retries(&services.http, &request, self.retry).await.map_err(|error| {
            let failure = Failure::internal(format!("the access token could not be introspected: {error}"));
            Outcome::Unavailable(failure.blaming(Fault::Upstream))
        })?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::TOO_MANY_REQUESTS => {
                return Err(Outcome::Refused(relayed::too_many_requests(answer.headers())));
            }
            status => {
                let reason = format!("the introspection endpoint answered with {}", status.as_u16());
                let failure = Failure::internal(reason).blaming(Fault::Upstream);
                return Err(if status.is_server_error() {
                    Outcome::Unavailable(failure)
                } else {
                    Outcome::Refused(failure)
                });
            }
        }
        let Ok(mut claims) = serde_json::from_slice::<Map<String, Value>>(answer.body()) else {
            let failure = Failure::internal("the response of the introspection endpoint is not a JSON object");
            return Err(Outcome::Refused(failure.blaming(Fault::Upstream)));
        };
        let is_active = claims.remove("active") == Some(Value::Bool(true));
        Ok(is_active.then_some(claims))
    }
}
