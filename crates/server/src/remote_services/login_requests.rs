//! Login challenges of an authorization server in another process: `/admin/oauth2/auth/requests/login`.

use async_trait::async_trait;
use base::Context;
use bytes::Bytes;
use contracts::{AcceptLogin, LoginRequest, LoginRequestError, LoginRequests, RejectLogin};
use http::{HeaderMap, Method, Response, StatusCode};
use serde::Serialize;
use serde_json::Value;
use url::Url;

use super::RemoteService;

const PATH: &str = "/admin/oauth2/auth/requests/login";
/// The part of the other service's error message that is kept.
const REASON_CHARACTERS: usize = 300;

pub(super) struct RemoteLoginRequests(RemoteService);

impl RemoteLoginRequests {
    pub(super) fn new(remote: RemoteService) -> Self {
        Self(remote)
    }

    fn url(&self, verb: &str, challenge: &str) -> Url {
        self.0.url(&format!("{PATH}{verb}"), &[("login_challenge", challenge)])
    }

    /// Answers the challenge; returns the URL that the browser goes to.
    async fn answer(
        &self,
        cx: &Context,
        verb: &str,
        challenge: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<String, LoginRequestError> {
        let url = self.url(verb, challenge);
        let body = serde_json::to_vec(body).map_err(|error| LoginRequestError::Refused(error.to_string()))?;
        let answer = self.0.ask(cx, Method::PUT, &url, HeaderMap::new(), Some(body)).await?;
        let body = self.accepted(&url, &answer)?;
        let to = body["redirect_to"].as_str().and_then(|to| Url::parse(to).ok());
        let to = to.filter(|to| matches!(to.scheme(), "http" | "https"));
        let to = to.ok_or_else(|| self.0.strange(&url, &answer, "the answer has no redirect_to URL"))?;
        Ok(to.into())
    }

    /// The body of a successful answer.
    fn accepted(&self, url: &Url, answer: &Response<Bytes>) -> Result<Value, LoginRequestError> {
        match answer.status() {
            StatusCode::OK => serde_json::from_slice(answer.body())
                .map_err(|_| self.0.strange(url, answer, "the answer is not JSON").into()),
            StatusCode::NOT_FOUND | StatusCode::GONE => Err(LoginRequestError::Unknown),
            status if status.is_client_error() => {
                if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
                    // A configuration error of this service, which the operator must see.
                    self.0.strange(
                        url,
                        answer,
                        "the other service rejected our credentials: check oauth2_provider.headers",
                    );
                }
                Err(LoginRequestError::Refused(reason(answer)))
            }
            _ => Err(self.0.strange(url, answer, "the other service failed").into()),
        }
    }
}

#[async_trait]
impl LoginRequests for RemoteLoginRequests {
    async fn get(&self, cx: &Context, challenge: &str) -> Result<LoginRequest, LoginRequestError> {
        let url = self.url("", challenge);
        let answer = self.0.ask(cx, Method::GET, &url, HeaderMap::new(), None).await?;
        let mut body = self.accepted(&url, &answer)?;
        drop_nulls(&mut body);
        let request: Result<LoginRequest, _> = serde_json::from_value(body);
        let mut request = request.map_err(|_| self.0.strange(&url, &answer, "the answer is not a login request"))?;
        // The answer must be for the requested challenge.
        challenge.clone_into(&mut request.challenge);
        Ok(request)
    }

    async fn accept(&self, cx: &Context, challenge: &str, login: AcceptLogin) -> Result<String, LoginRequestError> {
        self.answer(cx, "/accept", challenge, &login).await
    }

    async fn reject(&self, cx: &Context, challenge: &str, reason: RejectLogin) -> Result<String, LoginRequestError> {
        self.answer(cx, "/reject", challenge, &reason).await
    }
}

/// The replaced program writes `null` for members that we omit.
fn drop_nulls(value: &mut Value) {
    if let Value::Object(members) = value {
        members.retain(|_, member| !member.is_null());
        members.values_mut().for_each(drop_nulls);
    }
}

/// The reason of the other service's refusal, if it gives one.
fn reason(answer: &Response<Bytes>) -> String {
    let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let places = ["/error_description", "/error/reason", "/error/message", "/error"];
    let text = places.iter().find_map(|place| body.pointer(place)?.as_str()).unwrap_or("no reason given");
    text.chars().take(REASON_CHARACTERS).collect()
}
