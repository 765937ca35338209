//! Login sessions: a user's login with a browser, which can also be logged out (OpenID Connect Session Management; the
//! `sid` claim of OpenID Connect Back-Channel Logout).
//!
//! A session that is not remembered still has a row, because a logout must notify its clients. For the same reason a
//! session outlives the time for which it is remembered. Invariant: only a remembered session can skip the login.

use std::time::Duration;

use base::Timestamp;
use oauth_types::Prompt;

use super::authorization_request::AuthorizationRequest;

base::uuid_ids! {
    /// A login session: `sid`.
    LoginSessionId;
}

/// The maximum time for which a login can be remembered.
pub const MAX_LIFETIME: Duration = Duration::from_hours(180 * 24);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginSession {
    pub id: LoginSessionId,
    pub subject: String,
    /// Whether the browser may use it to skip the login.
    pub remember: bool,
    pub acr: Option<String>,
    pub amr: Vec<String>,
    pub authenticated_at: Timestamp,
    /// Until when it may skip the login.
    pub remembered_until: Timestamp,
    /// Until when it can be logged out.
    pub expires_at: Timestamp,
    /// The corresponding session of the identity service.
    pub identity_provider_session_id: Option<String>,
    /// When the login application accepted the login.
    pub accepted_at: Timestamp,
}

impl LoginSession {
    /// Whether this session satisfies the request without a new login.
    pub fn satisfies(&self, request: &AuthorizationRequest, now: Timestamp) -> bool {
        let asks_again = [Prompt::Login, Prompt::SelectAccount, Prompt::Create];
        self.remember
            && now < self.remembered_until
            && !asks_again.into_iter().any(|prompt| request.prompt.contains(prompt))
            && request
                .max_age
                .is_none_or(|seconds| seconds > 0 && now <= self.authenticated_at.plus(Duration::from_secs(seconds)))
    }
}

#[cfg(test)]
mod tests {
    use oauth_types::{Parameters, ResponseMode};

    use super::super::authorization_request::ResponseTarget;
    use super::*;

    fn request(query: &str) -> AuthorizationRequest {
        let target = ResponseTarget { redirect_uri: String::new(), mode: ResponseMode::Query, state: None };
        let query = format!("response_type=code&{query}");
        AuthorizationRequest::interpret(&Parameters::parse(query.as_bytes()).unwrap(), target).unwrap()
    }

    fn session(remember: bool) -> LoginSession {
        LoginSession {
            id: LoginSessionId::from_uuid(uuid::Uuid::nil()),
            subject: "ada".to_owned(),
            remember,
            acr: None,
            amr: Vec::new(),
            authenticated_at: Timestamp::from_unix_seconds(1_000),
            remembered_until: Timestamp::from_unix_seconds(2_000),
            expires_at: Timestamp::from_unix_seconds(9_000),
            identity_provider_session_id: None,
            accepted_at: Timestamp::from_unix_seconds(1_000),
        }
    }

    #[test]
    fn a_session_can_be_reused_as_long_as_it_is_remembered() {
        let at = |seconds| Timestamp::from_unix_seconds(seconds);
        assert!(session(true).satisfies(&request(""), at(1_999)));
        assert!(!session(true).satisfies(&request(""), at(2_000)));
        assert!(!session(false).satisfies(&request(""), at(1_500)));
    }

    #[test]
    fn prompts_and_max_age_require_a_new_login() {
        let now = Timestamp::from_unix_seconds(1_100);
        for query in ["prompt=login", "prompt=select_account", "prompt=registration", "max_age=0", "max_age=99"] {
            assert!(!session(true).satisfies(&request(query), now), "{query}");
        }
        for query in ["prompt=none", "prompt=consent", "max_age=100", "max_age=99999999999999999"] {
            assert!(session(true).satisfies(&request(query), now), "{query}");
        }
    }
}
