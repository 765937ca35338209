//! `GET` and `POST /oauth2/auth`: the authorization endpoint (RFC 6749 section 3.1, OpenID Connect Core section 3.1.2).
//! A browser requests it up to three times: to begin, with the decision of the login application, and with that of the
//! consent application.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use base::Context;
use base::bounds::AUTHORIZATION_REQUEST_BYTES;
use oauth_types::{ErrorCode, Parameters};
use web::Cx;
use web::cookies::SetCookie;

use super::authorization_response::{
    error_response, failure_response, issued_response, redirect, refusal_response, with_query,
};
use crate::OAuth;
use crate::domain::authorization_request::Refusal;
use crate::http::browser::BrowserCookies;
use crate::http::client_form::BrowserForm;
use crate::operations::answer_authorization::IssueError;
use crate::operations::redeem_login::{AfterLogin, RedeemError};
use crate::operations::start_authorization::{AuthorizeError, Browser, StartedAuthorization};

pub(super) async fn get(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes());
    authorize(&oauth, &cx, &headers, parameters.map_err(Refusal::from)).await
}

pub(super) async fn post(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    headers: HeaderMap,
    BrowserForm(parameters): BrowserForm,
) -> Response {
    authorize(&oauth, &cx, &headers, parameters.map_err(Refusal::from)).await
}

async fn authorize(
    oauth: &OAuth,
    cx: &Context,
    headers: &HeaderMap,
    parameters: Result<Parameters, Refusal>,
) -> Response {
    let parameters = match parameters {
        Ok(parameters) => parameters,
        Err(refusal) => return refusal_response(oauth, cx, &refusal),
    };
    let browser = BrowserCookies::of(oauth).read(cx, headers, parameters.get("client_id"));
    if let Some(verifier) = parameters.get("login_verifier") {
        return after_login(oauth, cx, verifier, &browser).await;
    }
    if let Some(verifier) = parameters.get("consent_verifier") {
        return match oauth.redeem_consent(cx, verifier, &browser).await {
            Ok(issued) => issued_response(oauth, cx, &issued),
            Err(error) => redeem_error_response(oauth, cx, &error),
        };
    }
    if let Some(refusal) = too_long(&parameters) {
        return refusal_response(oauth, cx, &refusal);
    }
    match oauth.start_authorization(cx, &parameters, &browser).await {
        Ok(started) => to_login(oauth, cx, &started),
        Err(AuthorizeError::Refused(refusal)) => refusal_response(oauth, cx, &refusal),
        Err(AuthorizeError::Database(error)) => failure_response(oauth, cx, &error),
    }
}

fn to_login(oauth: &OAuth, cx: &Context, started: &StartedAuthorization) -> Response {
    let urls = &oauth.config.urls;
    let page =
        if started.registration { urls.registration.as_ref().or(urls.login.as_ref()) } else { urls.login.as_ref() };
    let Some(page) = page else {
        let description = "No login page is configured: set urls.login, or serve the identity service, too.";
        return error_response(oauth, cx, StatusCode::INTERNAL_SERVER_ERROR, "misconfiguration", description);
    };
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("login_challenge", &started.challenge);
    if let Some(schema) = &started.identity_schema {
        query.append_pair("identity_schema", schema);
    }
    let response = redirect(StatusCode::FOUND, &with_query(&oauth.config.absolute(page), &query.finish()));
    with_cookies(response, [Some(BrowserCookies::of(oauth).login_csrf(cx, &started.client_id, &started.login_csrf))])
}

async fn after_login(oauth: &OAuth, cx: &Context, verifier: &str, browser: &Browser) -> Response {
    let redeemed = match oauth.redeem_login(cx, verifier, browser).await {
        Ok(redeemed) => redeemed,
        Err(error) => return redeem_error_response(oauth, cx, &error),
    };
    let session = BrowserCookies::of(oauth).session(cx, redeemed.session_cookie);
    match redeemed.next {
        AfterLogin::Issued(issued) => with_cookies(issued_response(oauth, cx, &issued), [session]),
        AfterLogin::Consent { flow, challenge } => {
            let page = match &oauth.config.urls.consent {
                Some(page) => oauth.config.absolute(page),
                None => oauth.config.public_url(crate::pages::consent::PATH),
            };
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("consent_challenge", &challenge)
                .finish();
            let csrf = BrowserCookies::of(oauth).consent_csrf(cx, &flow.flow.client_id, &flow.csrf);
            with_cookies(redirect(StatusCode::FOUND, &with_query(&page, &query)), [session, Some(csrf)])
        }
    }
}

fn redeem_error_response(oauth: &OAuth, cx: &Context, error: &RedeemError) -> Response {
    match error {
        RedeemError::Refused(refusal) | RedeemError::Issue(IssueError::Refused(refusal)) => {
            refusal_response(oauth, cx, refusal)
        }
        RedeemError::Database(error) | RedeemError::Issue(IssueError::Database(error)) => {
            failure_response(oauth, cx, error)
        }
        RedeemError::Issue(IssueError::Mint(error)) => {
            tracing::error!(request_id = %cx.request_id, error = error as &dyn std::error::Error, "a token could not be created");
            let code = ErrorCode::ServerError;
            error_response(oauth, cx, StatusCode::INTERNAL_SERVER_ERROR, code.as_str(), code.sentence())
        }
    }
}

/// The request becomes part of the login challenge, in the URL of the login page, so it must be shorter than a form may
/// be.
fn too_long(parameters: &Parameters) -> Option<Refusal> {
    let largest = parameters.iter().max_by_key(|(_, value)| value.len()).map_or("", |(name, _)| name);
    (parameters.to_query().len() > AUTHORIZATION_REQUEST_BYTES).then(|| {
        let hint = format!(
            "The request must have at most {AUTHORIZATION_REQUEST_BYTES} bytes; its largest parameter is '{largest}'."
        );
        Refusal::to_person(ErrorCode::InvalidRequest, hint)
    })
}

pub(crate) fn with_cookies(mut response: Response, cookies: impl IntoIterator<Item = Option<SetCookie>>) -> Response {
    for cookie in cookies.into_iter().flatten() {
        response.headers_mut().append(header::SET_COOKIE, cookie.header());
    }
    response
}
