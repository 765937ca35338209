//! The challenge in the query of a request from a login, consent or logout application.

use serde::Deserialize;

use super::admin_error::AdminError;

#[derive(Debug, Deserialize)]
pub(super) struct ChallengeQuery {
    login_challenge: Option<String>,
    consent_challenge: Option<String>,
    logout_challenge: Option<String>,
    /// The older name of each parameter.
    challenge: Option<String>,
}

impl ChallengeQuery {
    pub(super) fn login(self) -> Result<String, AdminError> {
        required("login_challenge", self.login_challenge.or(self.challenge))
    }

    pub(super) fn consent(self) -> Result<String, AdminError> {
        required("consent_challenge", self.consent_challenge.or(self.challenge))
    }

    pub(super) fn logout(self) -> Result<String, AdminError> {
        required("logout_challenge", self.logout_challenge.or(self.challenge))
    }
}

fn required(name: &str, given: Option<String>) -> Result<String, AdminError> {
    let given = given.filter(|challenge| !challenge.is_empty());
    given.ok_or_else(|| AdminError::invalid_request(format!("{name}: the query parameter is required")))
}
