//! The login request of an authorization server that a flow answers.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::query_parameter;

/// The OAuth2 login request that a flow answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OAuth2Request {
    pub challenge: String,
    /// The request as the authorization server described it when the flow began.
    pub request: Value,
}

impl OAuth2Request {
    /// Whether the client requests a new account (Initiating User Registration via OpenID Connect 1.0), even though a
    /// session exists.
    pub fn asks_for_registration(&self) -> bool {
        let prompt = self.request["request_url"].as_str().and_then(|url| query_parameter(url, "prompt"));
        prompt.is_some_and(|prompt| prompt.split(' ').any(|word| matches!(word, "create" | "registration")))
    }

    /// The languages that the client requests for pages and messages, in order of preference (OpenID Connect Core section
    /// 3.1.2.1).
    pub fn ui_locales(&self) -> impl Iterator<Item = &str> {
        self.request["oidc_context"]["ui_locales"].as_array().into_iter().flatten().filter_map(Value::as_str)
    }

    /// The identifier that the client expects the user to use (OpenID Connect Core section 3.1.2.1).
    pub fn login_hint(&self) -> Option<&str> {
        let hint = self.request["oidc_context"]["login_hint"].as_str()?;
        (!hint.is_empty() && hint.len() <= crate::domain::identifier::MAX_IDENTIFIER).then_some(hint)
    }
}
