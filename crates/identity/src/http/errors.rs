//! The errors of flows on the wire: the ids and statuses of the self-service contract, as JSON or as a redirect to the error
//! page. Each error is mapped once, exhaustively.

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
use crate::domain::return_to::ForbiddenReturnTo;
use crate::flows::errors::{
    BeginError, Expired, FetchError, FlowDisabled, ForgedRequest, FormUnavailable, LoginChallengeError,
    RefreshRequired, SecondFactorRequired, SettingsDenied, SubmitError,
};
use crate::flows::logout::LogoutError;
use crate::flows::sessions::OwnSessionsError;
use crate::flows::stored_errors::StoredErrorError;

use super::answer::see_other;

impl Identity {
    /// Returns the error, or redirects the browser to the error page.
    pub(crate) async fn refuse(&self, cx: &Context, error: impl Into<RestError>, is_json: bool) -> Response {
        let error = error.into().with_request(cx.request_id.to_string());
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

impl From<BeginError> for RestError {
    fn from(error: BeginError) -> Self {
        match error {
            BeginError::Disabled(error) => error.into(),
            BeginError::ReturnTo(error) => forbidden_return_to(&error),
            BeginError::UnknownAal(_) => Self::bad_request(error.to_string()),
            BeginError::Form(error) => error.into(),
            BeginError::Challenge(error) => error.into(),
            BeginError::SessionAlreadyAvailable => session_already_available(),
            BeginError::NoSession => no_session(),
            BeginError::FirstFactorRequired => first_factor_required(),
            BeginError::SecondFactor(error) => error.into(),
            BeginError::Submit(error) => (*error).into(),
            BeginError::Database(error) => error.into(),
        }
    }
}

impl From<FetchError> for RestError {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::NotFound => not_found(),
            FetchError::Disabled(error) => error.into(),
            FetchError::Forged(error) => error.into(),
            FetchError::Expired(error) => error.into(),
            FetchError::NoSession => no_session(),
            FetchError::Denied(error) => error.into(),
            FetchError::Form(error) => error.into(),
            FetchError::Database(error) => error.into(),
        }
    }
}

impl From<SubmitError> for RestError {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::FlowIdMissing => Self::bad_request(error.to_string()),
            SubmitError::FlowNotFound => not_found(),
            SubmitError::Expired(error) => error.into(),
            SubmitError::Replaced { use_flow_id } => Self::new(StatusCode::GONE, "The flow was replaced by a new one")
                .with_id("self_service_flow_replaced")
                .with_reason("This flow is completed. Continue with the flow that replaced it.")
                .with_sibling("use_flow_id", json!(use_flow_id)),
            SubmitError::FlowChanged => Self::new(StatusCode::CONFLICT, "The flow was changed by another request")
                .with_reason("Another request changed this flow at the same time. Load the flow and try again."),
            SubmitError::Disabled(error) => error.into(),
            SubmitError::MethodDisabled => Self::not_found("This method is disabled in the configuration."),
            SubmitError::Forged(error) => error.into(),
            SubmitError::ReturnTo(error) => forbidden_return_to(&error),
            SubmitError::Form(error) => error.into(),
            SubmitError::Challenge(error) => error.into(),
            SubmitError::SessionAlreadyAvailable => session_already_available(),
            SubmitError::NoSession => no_session(),
            SubmitError::FlowSessionEnded => Self::bad_request("The session that this flow belongs to has ended."),
            SubmitError::FirstFactorRequired => first_factor_required(),
            SubmitError::SecondFactor(error) => error.into(),
            SubmitError::Refresh(error) => error.into(),
            SubmitError::Denied(error) => error.into(),
            SubmitError::AddressNotVerified { flow, address, url } => {
                let flow = VerificationUi { id: flow, verifiable_address: address, url: Some(url) };
                forbidden("This account has no verified address yet")
                    .with_id("session_verified_address_required")
                    .with_reason("Please verify your address to sign in.")
                    .with_detail("continue_with", json!([ContinueWith::ShowVerificationUi { flow }]))
            }
            SubmitError::TooManyAttempts { retry_after } => too_many(retry_after),
            SubmitError::Busy { retry_after } => Self::unavailable(web::retry_after_seconds(retry_after)),
            SubmitError::PasswordTooLong { max, .. } => {
                Self::bad_request(format!("password: must have {max} bytes or fewer"))
            }
            SubmitError::BreachListUnavailable => {
                Self::new(StatusCode::BAD_GATEWAY, "The list of breached passwords could not be reached")
            }
            SubmitError::NothingToVerify => misconfiguration(&error),
            SubmitError::Observer(contracts::SubjectObserverError(_)) | SubmitError::Broken(_) => failed(&error),
            SubmitError::Database(error) => error.into(),
        }
    }
}

impl From<OwnSessionsError> for RestError {
    fn from(error: OwnSessionsError) -> Self {
        match error {
            OwnSessionsError::NoSession => no_session(),
            OwnSessionsError::SecondFactor(error) => error.into(),
            OwnSessionsError::Refresh(error) => error.into(),
            OwnSessionsError::Forged(error) => error.into(),
            OwnSessionsError::Page(_) | OwnSessionsError::Malformed(_) => Self::bad_request(error.to_string()),
            OwnSessionsError::CurrentSession => Self::bad_request("cannot revoke current session"),
            OwnSessionsError::Database(error) => error.into(),
        }
    }
}

impl From<LogoutError> for RestError {
    fn from(error: LogoutError) -> Self {
        match error {
            LogoutError::ReturnTo(error) => forbidden_return_to(&error),
            LogoutError::TokenMissing => Self::bad_request("token: is missing from the query"),
            LogoutError::TokenMismatch => {
                forbidden("The logout token belongs to another session.").with_reason("Start a new logout flow.")
            }
            LogoutError::UnknownSessionToken => {
                forbidden("The session token is unknown.").with_reason("The session may have ended already.")
            }
            LogoutError::NoSession => no_session(),
            LogoutError::Database(error) => error.into(),
        }
    }
}

impl From<StoredErrorError> for RestError {
    fn from(error: StoredErrorError) -> Self {
        match error {
            StoredErrorError::IdMissing => Self::bad_request(error.to_string()),
            StoredErrorError::NotFound => not_found(),
            StoredErrorError::Database(error) => error.into(),
        }
    }
}

impl From<FormUnavailable> for RestError {
    fn from(error: FormUnavailable) -> Self {
        match error {
            FormUnavailable::Schema(error) => Self::bad_request(error.to_string()),
            FormUnavailable::MethodDisabled { kind, method } => Self::bad_request(format!(
                "The {} flow uses {method}, which is disabled. An administrator can enable it.",
                kind.as_str()
            )),
            FormUnavailable::Unwritable(_) => failed(&error),
            FormUnavailable::Database(error) => error.into(),
        }
    }
}

impl From<LoginChallengeError> for RestError {
    fn from(error: LoginChallengeError) -> Self {
        match error {
            LoginChallengeError::NotConfigured => misconfiguration(&error),
            LoginChallengeError::Empty => Self::bad_request("The login_challenge must not be empty."),
            LoginChallengeError::Request(error) => of_login_request(&error),
            LoginChallengeError::SecondFactor(error) => error.into(),
        }
    }
}

impl From<FlowDisabled> for RestError {
    fn from(FlowDisabled(kind): FlowDisabled) -> Self {
        let message = match kind {
            FlowKind::Registration => "Registration is disabled.".to_owned(),
            other => format!("The {} flow is disabled.", other.as_str()),
        };
        Self::bad_request(message).with_id("self_service_flow_disabled")
    }
}

impl From<ForgedRequest> for RestError {
    fn from(error: ForgedRequest) -> Self {
        match error {
            ForgedRequest::Csrf { violation, is_ajax } => {
                let reason = if is_ajax {
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
            ForgedRequest::NativeWithOrigin => Self::bad_request(
                "The HTTP Request Header \"Origin\" is set, which only browsers send. Use API flows in native clients and browser flows in browsers.",
            ),
            ForgedRequest::NativeWithCookies { names } => {
                Self::bad_request("The request to an API flow carries cookies, which native clients must not send.")
                    .with_detail("found cookies", json!(names))
            }
        }
    }
}

impl From<SecondFactorRequired> for RestError {
    fn from(SecondFactorRequired { redirect_browser_to }: SecondFactorRequired) -> Self {
        forbidden("The session lacks a second factor")
            .with_id("session_aal2_required")
            .with_reason("Please verify yourself with a second factor to proceed.")
            .with_detail("redirect_browser_to", redirect_browser_to.as_str())
            .with_sibling("redirect_browser_to", redirect_browser_to)
    }
}

impl From<RefreshRequired> for RestError {
    fn from(RefreshRequired { redirect_browser_to }: RefreshRequired) -> Self {
        forbidden("These changes require a recent sign-in. Sign in again.")
            .with_id("session_refresh_required")
            .with_sibling("redirect_browser_to", redirect_browser_to)
    }
}

impl From<SettingsDenied> for RestError {
    fn from(error: SettingsDenied) -> Self {
        match error {
            SettingsDenied::WrongOwner => forbidden("The flow belongs to another identity.")
                .with_id("security_identity_mismatch")
                .with_reason("Start a new flow."),
            SettingsDenied::SecondFactor(error) => error.into(),
        }
    }
}

impl From<Expired> for RestError {
    fn from(at: Expired) -> Self {
        let since = at.now.since(at.at);
        let reason = format!("The flow expired {:.2} minutes ago. Start a new flow.", since.as_secs_f64() / 60.0);
        let mut error = Self::new(StatusCode::GONE, "self-service flow expired")
            .with_id("self_service_flow_expired")
            .with_reason(reason)
            .with_sibling("expired_at", json!(at.at))
            .with_sibling("since", json!(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)));
        if let Some(id) = at.use_flow_id {
            error = error.with_sibling("use_flow_id", json!(id));
        }
        if let Some(url) = at.redirect_to {
            error = error.with_detail(if at.is_native { "api" } else { "redirect_to" }, url);
        }
        if let Some(url) = at.return_to {
            error = error.with_detail("return_to", url);
        }
        error
    }
}

fn not_found() -> RestError {
    RestError::not_found("The requested resource does not exist.")
}

fn no_session() -> RestError {
    unauthorized("No active session was found in the request.").with_id("session_inactive")
}

fn session_already_available() -> RestError {
    RestError::bad_request("A user is already signed in. Log out to use this flow.")
        .with_id("session_already_available")
}

fn first_factor_required() -> RestError {
    unauthorized("An active session is required to add a second factor to it.").with_id("session_aal1_required")
}

fn forbidden_return_to(error: &ForbiddenReturnTo) -> RestError {
    tracing::info!(
        return_to = without_secrets(&error.target),
        "return_to is not allowed: if the URL is yours, add it to selfservice.allowed_return_urls"
    );
    RestError::bad_request(format!("Requested return_to URL \"{}\" is not allowed.", error.target))
        .with_id("self_service_flow_return_to_forbidden")
}

/// The configuration contradicts itself: the operator learns it from the log, and the client from the reason.
fn misconfiguration(error: &(dyn std::error::Error + 'static)) -> RestError {
    tracing::error!(error, "misconfiguration");
    RestError::internal().with_reason(error.to_string())
}

fn failed(error: &(dyn std::error::Error + 'static)) -> RestError {
    tracing::error!(error, "a flow failed");
    RestError::internal()
}

fn forbidden(message: &str) -> RestError {
    RestError::new(StatusCode::FORBIDDEN, message)
}

fn unauthorized(reason: &str) -> RestError {
    RestError::new(StatusCode::UNAUTHORIZED, "Authentication required").with_reason(reason)
}

fn too_many(retry_after: Duration) -> RestError {
    RestError::new(StatusCode::TOO_MANY_REQUESTS, "There were too many attempts")
        .with_reason("Please wait a while and try again.")
        .with_header(RETRY_AFTER, HeaderValue::from(web::retry_after_seconds(retry_after)))
}

fn of_login_request(error: &LoginRequestError) -> RestError {
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
