//! Logout (OpenID Connect RP-Initiated Logout 1.0, Front-Channel and Back-Channel Logout 1.0).
//!
//! States: requested ([`LogoutFlow`] as challenge) -> accepted ([`LogoutVerifier`]) -> done, when the login session was
//! ended. That happens once, so a verifier works once.

use std::time::Duration;

use base::Timestamp;
use base::seal::Purpose;
use serde::{Deserialize, Serialize};
use url::Url;

use super::client::ClientId;
use super::login_session::LoginSessionId;
use super::sealed::SealedValue;

/// The built-in page after a logout, unless another one is configured.
pub const SIGNED_OUT_PATH: &str = "/oauth2/signed-out";

/// A logout request. Sealed, it is the logout challenge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogoutFlow {
    #[serde(rename = "s")]
    pub session_id: LoginSessionId,
    #[serde(rename = "u")]
    pub subject: String,
    /// The client that requested the logout, if any.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// An ID token proved that the client may request it.
    #[serde(rename = "r")]
    pub rp_initiated: bool,
    #[serde(rename = "q")]
    pub request_url: String,
    /// The final redirect: a registered or the configured URL.
    #[serde(rename = "t")]
    pub redirect_to: String,
    #[serde(rename = "a")]
    pub requested_at: Timestamp,
}

impl SealedValue for LogoutFlow {
    const PURPOSE: Purpose = Purpose("oauth logout challenge");
}

impl LogoutFlow {
    pub fn expires_at(&self, lifetime: Duration) -> Timestamp {
        self.requested_at.plus(lifetime)
    }
}

/// An accepted logout request, passed back through the browser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogoutVerifier(pub LogoutFlow);

impl SealedValue for LogoutVerifier {
    const PURPOSE: Purpose = Purpose("oauth logout verifier");
}

/// The parameters of a logout request.
#[derive(Clone, Debug, Default)]
pub struct LogoutRequest {
    pub id_token_hint: Option<String>,
    pub client_id: Option<String>,
    pub post_logout_redirect_uri: Option<String>,
    pub state: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogoutRefusal {
    #[error("post_logout_redirect_uri requires an id_token_hint or a client_id")]
    RedirectWithoutClient,
    #[error("post_logout_redirect_uri is not one of the client's registered post-logout redirect URIs")]
    RedirectNotRegistered,
}

impl LogoutRequest {
    /// The final redirect. `registered`: the post-logout redirect URIs of the requesting client, if there is one.
    pub fn target(&self, registered: Option<&[String]>, default: &str) -> Result<String, LogoutRefusal> {
        let Some(registered) = registered else {
            // `state` is returned to the client in the redirect (section 3); without a client it is ignored.
            return match &self.post_logout_redirect_uri {
                Some(_) => Err(LogoutRefusal::RedirectWithoutClient),
                None => Ok(default.to_owned()),
            };
        };
        let Some(requested) = &self.post_logout_redirect_uri else { return Ok(default.to_owned()) };
        if !registered.contains(requested) {
            return Err(LogoutRefusal::RedirectNotRegistered);
        }
        Ok(match (&self.state, Url::parse(requested)) {
            (Some(state), Ok(mut url)) => {
                url.query_pairs_mut().append_pair("state", state);
                url.into()
            }
            (Some(_), Err(_)) | (None, _) => requested.clone(),
        })
    }
}

/// The client's page that must be loaded to end its session (Front-Channel Logout section 2).
pub fn front_channel_url(logout_uri: &str, issuer: &str, session: LoginSessionId) -> Option<String> {
    let mut url = Url::parse(logout_uri).ok()?;
    url.query_pairs_mut().append_pair("iss", issuer).append_pair("sid", &session.to_string());
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(redirect: Option<&str>, state: Option<&str>) -> LogoutRequest {
        LogoutRequest {
            post_logout_redirect_uri: redirect.map(str::to_owned),
            state: state.map(str::to_owned),
            ..LogoutRequest::default()
        }
    }

    #[test]
    fn a_redirect_must_be_registered_byte_for_byte() {
        let registered = ["https://a.example/bye?x=1".to_owned()];
        let target = |redirect, state| request(redirect, state).target(Some(&registered), "/default");
        assert_eq!(target(None, None).unwrap(), "/default");
        assert_eq!(target(Some("https://a.example/bye?x=1"), None).unwrap(), "https://a.example/bye?x=1");
        assert_eq!(
            target(Some("https://a.example/bye?x=1"), Some("a b")).unwrap(),
            "https://a.example/bye?x=1&state=a+b"
        );
        assert_eq!(target(Some("https://a.example/bye"), None), Err(LogoutRefusal::RedirectNotRegistered));
    }

    #[test]
    fn without_a_client_there_is_no_redirect_and_state_is_ignored() {
        assert_eq!(request(None, None).target(None, "/default").unwrap(), "/default");
        assert_eq!(
            request(Some("https://a.example"), None).target(None, "/"),
            Err(LogoutRefusal::RedirectWithoutClient)
        );
        assert_eq!(request(None, Some("x")).target(None, "/default").unwrap(), "/default");
    }

    #[test]
    fn front_channel_pages_get_issuer_and_session() {
        let session = LoginSessionId::from_uuid(uuid::Uuid::nil());
        let url = front_channel_url("https://a.example/out?x=1", "https://op.example/", session).unwrap();
        assert_eq!(
            url,
            "https://a.example/out?x=1&iss=https%3A%2F%2Fop.example%2F&sid=00000000-0000-0000-0000-000000000000"
        );
    }
}
