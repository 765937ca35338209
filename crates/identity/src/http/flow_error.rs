//! Errors of flows on the wire: the ids and statuses of the self-service contract, as JSON or as a redirect to the
//! error page.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use base::Context;
use contracts::LoginRequestError;
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use serde_json::json;
use url::Url;
use web::RestError;

use crate::Identity;
use crate::domain::continue_with::{ContinueWith, VerificationUi};
use crate::domain::flow::FlowKind;
use crate::flows::error::{Expiry, FlowError};

use super::answer::see_other;

impl Identity {
    /// Returns the error, or redirects the browser to the error page.
    pub(crate) async fn refuse(&self, cx: &Context, error: FlowError, is_json: bool) -> Response {
        if let FlowError::ReturnTo(error) = &error {
            tracing::info!(
                request_id = %cx.request_id,
                return_to = without_secrets(&error.target),
                "return_to is not allowed: if the URL is yours, add it to selfservice.allowed_return_urls"
            );
        }
        let error = error.to_rest(self).with_request(cx.request_id.to_string());
        if is_json {
            return error.into_response();
        }
        let body = error.to_value().get("error").cloned().unwrap_or_default();
        match self.keep_error(cx, &body).await {
            Ok(id) => {
                let mut page = self.urls.error_page().clone();
                page.query_pairs_mut().append_pair("id", &id.to_string());
                see_other(page.as_str())
            }
            Err(_) => error.into_response(),
        }
    }
}

/// The loggable part of an untrusted URL: without password and query.
fn without_secrets(url: &str) -> String {
    const LONGEST: usize = 200;
    let Ok(url) = Url::parse(url) else { return "not a URL".to_owned() };
    let shown = format!("{}://{}{}", url.scheme(), url.authority().rsplit('@').next().unwrap_or_default(), url.path());
    shown.chars().take(LONGEST).collect()
}

impl FlowError {
    /// The wire form. Exhaustive: each error has its status, and its id if the contract has one.
    #[expect(clippy::too_many_lines, reason = "one table, with a line or two for each error")]
    pub(crate) fn to_rest(&self, identity: &Identity) -> RestError {
        match self {
            Self::FlowIdMissing => RestError::bad_request("flow: is missing or not the id of a flow"),
            Self::FlowNotFound | Self::ErrorNotFound => RestError::not_found("The requested resource does not exist."),
            Self::Expired { at } => expired(at),
            Self::Replaced { use_flow_id } => RestError::new(StatusCode::GONE, "The flow was replaced by a new one")
                .with_id("self_service_flow_replaced")
                .with_reason("This flow is completed. Continue with the flow that replaced it.")
                .with_sibling("use_flow_id", json!(use_flow_id)),
            Self::FlowChanged => RestError::new(StatusCode::CONFLICT, "The flow was changed by another request")
                .with_reason("Another request changed this flow at the same time. Load the flow and try again."),
            Self::Csrf { violation, is_ajax } => {
                let reason = if *is_ajax {
                    "The anti-CSRF cookie or token is missing or wrong, and the request was sent by a script. Send it with credentials."
                } else {
                    "The anti-CSRF cookie or token is missing or wrong."
                };
                forbidden("The request may have been forged by another site")
                    .with_id("security_csrf_violation")
                    .with_reason(reason)
                    .with_detail("hint", violation.hint())
                    .with_detail("reject_reason", violation.reject_reason())
            }
            Self::NativeWithOrigin => RestError::bad_request(
                "The HTTP Request Header \"Origin\" is set, which only browsers send. Use API flows in native clients and browser flows in browsers.",
            ),
            Self::NativeWithCookies { names } => RestError::bad_request(
                "The request to an API flow carries cookies, which native clients must not send.",
            )
            .with_detail("found cookies", json!(names)),
            Self::ReturnTo(error) => {
                RestError::bad_request(format!("Requested return_to URL \"{}\" is not allowed.", error.target))
                    .with_id("self_service_flow_return_to_forbidden")
            }
            Self::UnknownAal(_) | Self::UnknownSchema(_) | Self::Malformed(_) | Self::Page(_) => {
                RestError::bad_request(self.to_string())
            }
            Self::Disabled { kind: FlowKind::Registration } => {
                RestError::bad_request("Registration is disabled.").with_id("self_service_flow_disabled")
            }
            Self::Disabled { kind } => {
                let name = kind.as_str();
                RestError::bad_request(format!("The {name} flow is disabled.")).with_id("self_service_flow_disabled")
            }
            Self::MethodDisabled => RestError::not_found("This method is disabled in the configuration."),
            Self::StrategyDisabled { kind, method } => RestError::bad_request(format!(
                "The {} flow uses {method}, which is disabled. An administrator can enable it.",
                kind.as_str()
            )),
            Self::SessionAlreadyAvailable => {
                RestError::bad_request("A user is already signed in. Log out to use this flow.")
                    .with_id("session_already_available")
            }
            Self::SessionAal1Required => unauthorized("An active session is required to add a second factor to it.")
                .with_id("session_aal1_required"),
            Self::SessionAal2Required { redirect_browser_to } => forbidden("The session lacks a second factor")
                .with_id("session_aal2_required")
                .with_reason("Please verify yourself with a second factor to proceed.")
                .with_detail("redirect_browser_to", redirect_browser_to.as_str())
                .with_sibling("redirect_browser_to", redirect_browser_to.as_str()),
            Self::SessionInactive => unauthorized("The request has no active session.").with_id("session_inactive"),
            Self::NoSession => unauthorized("No active session was found in the request.").with_id("session_inactive"),
            Self::SessionRefreshRequired { redirect_browser_to } => {
                forbidden("These changes require a recent sign-in. Sign in again.")
                    .with_id("session_refresh_required")
                    .with_sibling("redirect_browser_to", redirect_browser_to.as_str())
            }
            Self::IdentityMismatch => forbidden("This is not allowed")
                .with_id("security_identity_mismatch")
                .with_reason("The flow belongs to another identity. Begin a new one."),
            Self::IdentityDisabled => RestError::bad_request("This account is disabled.").with_id("identity_disabled"),
            Self::BrowserLocationChangeRequired { redirect_browser_to } => {
                RestError::new(StatusCode::UNPROCESSABLE_ENTITY, "browser location change required")
                    .with_id("browser_location_change_required")
                    .with_reason("To continue, the browser must be redirected to another URL.")
                    .with_sibling("redirect_browser_to", redirect_browser_to.as_str())
            }
            Self::AddressNotVerified { flow, address, url } => {
                let shown = ContinueWith::ShowVerificationUi {
                    flow: VerificationUi { id: *flow, verifiable_address: address.clone(), url: Some(url.clone()) },
                };
                forbidden("This account has no verified address yet")
                    .with_id("session_verified_address_required")
                    .with_reason("Please verify your address to sign in.")
                    .with_detail("continue_with", json!([shown]))
            }
            Self::CurrentSession => RestError::bad_request("cannot revoke current session"),
            Self::LogoutTokenMissing => RestError::bad_request("token: is missing from the query"),
            Self::LogoutTokenMismatch => {
                forbidden("This is not allowed").with_reason("The logout token belongs to another session.")
            }
            Self::UnknownSessionToken => forbidden("This is not allowed").with_reason("The session token is unknown."),
            Self::TooManyAttempts { retry_after } => too_many(*retry_after),
            Self::Busy { retry_after } => RestError::unavailable(web::retry_after_seconds(*retry_after)),
            Self::PasswordTooLong { max, .. } => {
                RestError::bad_request(format!("password: must have {max} bytes or fewer"))
            }
            Self::BreachListUnavailable => {
                RestError::new(StatusCode::BAD_GATEWAY, "The list of breached passwords could not be reached")
            }
            Self::OAuth2ChallengeEmpty => RestError::bad_request("The login_challenge must not be empty."),
            Self::OAuth2(error) => oauth2(error),
            Self::NoSessionForFlow => RestError::bad_request("The session that this flow belongs to has ended."),
            Self::OAuth2NotConfigured | Self::NothingToVerify => {
                tracing::error!(error = %self, public_url = %identity.urls.public(), "misconfiguration");
                RestError::internal().with_reason(self.to_string())
            }
            Self::Observer(contracts::SubjectObserverError(_)) | Self::Broken(_) => {
                tracing::error!(error = self as &dyn std::error::Error, "a flow failed");
                RestError::internal()
            }
            Self::Database(error) => error.into(),
        }
    }
}

fn forbidden(message: &str) -> RestError {
    RestError::new(StatusCode::FORBIDDEN, message)
}

fn unauthorized(reason: &str) -> RestError {
    RestError::new(StatusCode::UNAUTHORIZED, "Authentication required").with_reason(reason)
}

fn expired(at: &Expiry) -> RestError {
    let since = at.now.since(at.at);
    let reason = format!("The flow expired {:.2} minutes ago. Start a new flow.", since.as_secs_f64() / 60.0);
    let mut error = RestError::new(StatusCode::GONE, "self-service flow expired")
        .with_id("self_service_flow_expired")
        .with_reason(reason)
        .with_sibling("expired_at", json!(at.at))
        .with_sibling("since", json!(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)));
    if let Some(id) = at.use_flow_id {
        error = error.with_sibling("use_flow_id", json!(id));
    }
    if let Some(url) = &at.redirect_to {
        error = error.with_detail(if at.is_native { "api" } else { "redirect_to" }, url.as_str());
    }
    if let Some(url) = &at.return_to {
        error = error.with_detail("return_to", url.as_str());
    }
    error
}

fn too_many(retry_after: Duration) -> RestError {
    RestError::new(StatusCode::TOO_MANY_REQUESTS, "There were too many attempts")
        .with_reason("Please wait a while and try again.")
        .with_header(RETRY_AFTER, HeaderValue::from(web::retry_after_seconds(retry_after)))
}

fn oauth2(error: &LoginRequestError) -> RestError {
    match error {
        LoginRequestError::Unknown | LoginRequestError::Refused(_) => RestError::bad_request(error.to_string())
            .with_detail("status_code", 400)
            .with_detail("oauth2_error_hint", error.to_string()),
        LoginRequestError::Unavailable(_) => {
            tracing::error!(error = error as &dyn std::error::Error, "the OAuth2 service is unavailable");
            RestError::internal().with_detail("status_code", 500)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::without_secrets;

    #[test]
    fn a_logged_url_has_neither_password_nor_query() {
        assert_eq!(without_secrets("https://user:secret@evil.example/a?token=b#c"), "https://evil.example/a");
        assert_eq!(without_secrets("javascript:alert(1)"), "javascript://alert(1)");
        assert_eq!(without_secrets("nonsense"), "not a URL");
        let long = without_secrets(&format!("https://a.example/{}", "x".repeat(5000)));
        assert_eq!(long.len(), 200);
    }
}
