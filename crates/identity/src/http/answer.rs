//! Writes the result of a flow for the kind of client that sent the request, with its cookies.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use base::{Context, Timestamp};
use http::header::{LOCATION, RETRY_AFTER, SET_COOKIE};
use http::{HeaderName, HeaderValue, StatusCode};
use web::RestError;
use web::cookies::{SameSite, SetCookie};

use crate::Identity;
use crate::components::attempts::DEVICE_COOKIE;
use crate::config;
use crate::domain::client_kind::{FlowType, Wants};
use crate::flows::answer::{Answer, Content, CookieChange, Failure, FormReason};
use crate::flows::errors::RefreshRequired;
use crate::flows::settings::CONTINUITY_COOKIE;
use crate::flows::views::FlowView;
use crate::flows::visitor::Visitor;

const YEAR: Duration = Duration::from_hours(365 * 24);
/// The longest lifetime that browsers accept (RFC 6265bis section 5.5).
const DEVICE_MAX_AGE: Duration = Duration::from_hours(400 * 24);
const QUARTER_HOUR: Duration = Duration::from_mins(15);
const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

impl Identity {
    /// The response to a step of a flow, or to its error.
    pub(crate) async fn respond(&self, cx: &Context, visitor: &Visitor, result: Result<Answer, Failure>) -> Response {
        match result {
            Ok(answer) => self.write_answer(cx, visitor, answer),
            Err(failure) => {
                let is_json = failure.flow_type == Some(FlowType::Api) || visitor.wants == Wants::Json;
                self.refuse(cx, failure.error, is_json).await
            }
        }
    }

    pub(crate) fn write_answer(&self, cx: &Context, visitor: &Visitor, answer: Answer) -> Response {
        let is_native = answer.flow_type == FlowType::Api;
        let loosely_json = is_native || visitor.wants == Wants::Json;
        let strictly_json = is_native || visitor.wants_strictly == Wants::Json;
        let mut response = match answer.content {
            Content::Begun { flow, .. } if strictly_json => axum::Json(flow).into_response(),
            Content::Form { reason, flow, .. } if loosely_json => form(reason, &flow),
            Content::Begun { page, .. } | Content::Form { page, .. } => see_other(&page),
            Content::Done { body: Some(body), .. } if strictly_json || visitor.wants == Wants::Json => {
                axum::Json(body).into_response()
            }
            Content::Done { body: None, .. } if strictly_json => StatusCode::NO_CONTENT.into_response(),
            Content::Done { redirect, .. } => see_other(&redirect),
            Content::Elsewhere { url } if loosely_json => browser_location_change_required(url).into_response(),
            Content::Refresh { url } if loosely_json => {
                RestError::from(RefreshRequired { redirect_browser_to: url }).into_response()
            }
            Content::Elsewhere { url } | Content::Refresh { url } | Content::Redirect { url } => see_other(&url),
        };
        // Some clients keep only the last `Set-Cookie`, so the session's comes last.
        let (session, others): (Vec<_>, Vec<_>) = answer
            .cookies
            .into_iter()
            .partition(|change| matches!(change, CookieChange::Session { .. } | CookieChange::SessionEnded));
        for change in others.into_iter().chain(session) {
            self.apply(cx, &mut response, change);
        }
        response
    }

    /// Sets or clears one cookie.
    pub(crate) fn apply(&self, cx: &Context, response: &mut Response, change: CookieChange) {
        let cookie = match change {
            CookieChange::Csrf(secret) => {
                self.plain_cookie(self.urls.csrf_cookie(), &secret.to_cookie()).max_age(Some(YEAR))
            }
            CookieChange::Device(token) => {
                self.plain_cookie(DEVICE_COOKIE, token.expose()).max_age(Some(DEVICE_MAX_AGE))
            }
            CookieChange::Session { token, expires_at } => {
                let value = self.sessions.seal_cookie(cx, &token, expires_at);
                self.session_cookie(value).max_age(self.session_max_age(expires_at, cx.now))
            }
            CookieChange::SessionEnded => self.session_cookie(String::new()).max_age(Some(Duration::ZERO)),
            CookieChange::Continuity { value } => {
                self.plain_cookie(CONTINUITY_COOKIE, &value).max_age(Some(QUARTER_HOUR))
            }
            CookieChange::ContinuityEnded => self.plain_cookie(CONTINUITY_COOKIE, "").max_age(Some(Duration::ZERO)),
            CookieChange::ClearSiteData => {
                let everything = HeaderValue::from_static("\"cookies\", \"storage\", \"cache\"");
                response.headers_mut().insert(CLEAR_SITE_DATA, everything);
                return;
            }
        };
        response.headers_mut().append(SET_COOKIE, cookie.header());
    }

    fn session_max_age(&self, expires_at: Timestamp, now: Timestamp) -> Option<Duration> {
        self.session_policy.cookie_is_persistent().then(|| expires_at.since(now))
    }

    fn plain_cookie(&self, name: &str, value: &str) -> SetCookie {
        let cookies = &self.config.cookies;
        SetCookie::new(name, value)
            .path(cookies.path.clone())
            .domain(cookies.domain.clone())
            .secure(self.secures_cookies(cookies.secure))
            .same_site(same_site(cookies.same_site))
    }

    fn session_cookie(&self, value: String) -> SetCookie {
        let (cookies, own) = (&self.config.cookies, &self.config.session.cookie);
        SetCookie::new(own.name.clone(), value)
            .path(own.path.clone().unwrap_or_else(|| cookies.path.clone()))
            .domain(own.domain.clone().or_else(|| cookies.domain.clone()))
            .secure(self.secures_cookies(own.secure.or(cookies.secure)))
            .same_site(same_site(own.same_site.unwrap_or(cookies.same_site)))
    }

    /// Browsers drop `Secure` cookies over plain HTTP, so by default cookies are secure if and only if the public URL
    /// is HTTPS.
    fn secures_cookies(&self, configured: Option<bool>) -> bool {
        configured.unwrap_or_else(|| !self.config.dev && self.urls.public().scheme() == "https")
    }
}

const fn same_site(configured: config::SameSite) -> SameSite {
    match configured {
        config::SameSite::Strict => SameSite::Strict,
        config::SameSite::Lax => SameSite::Lax,
        config::SameSite::None => SameSite::None,
    }
}

/// The form as JSON.
fn form(reason: FormReason, flow: &FlowView) -> Response {
    match reason {
        FormReason::Accepted => axum::Json(flow).into_response(),
        FormReason::Invalid => (StatusCode::BAD_REQUEST, axum::Json(flow)).into_response(),
        FormReason::Limited { retry_after } => {
            let seconds = HeaderValue::from(web::retry_after_seconds(retry_after));
            (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, seconds)], axum::Json(flow)).into_response()
        }
    }
}

/// `303 See Other` (RFC 9110 section 15.4.4).
pub(crate) fn see_other(url: &str) -> Response {
    match HeaderValue::from_str(url) {
        Ok(location) => (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The answer to a program where a browser would be redirected.
fn browser_location_change_required(url: String) -> RestError {
    RestError::new(StatusCode::UNPROCESSABLE_ENTITY, "browser location change required")
        .with_id("browser_location_change_required")
        .with_reason("To continue, the browser must be redirected to another URL.")
        .with_sibling("redirect_browser_to", url)
}
