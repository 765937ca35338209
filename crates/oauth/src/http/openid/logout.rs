//! `GET` and `POST /oauth2/sessions/logout`: the end-session endpoint (OpenID Connect RP-Initiated Logout 1.0 section 2).

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use base::Context;
use oauth_types::{ErrorCode, OAuthError, ParameterError, Parameters};
use web::Cx;

use crate::OAuth;
use crate::domain::logout::LogoutRequest;
use crate::http::authorization::authorization_response::{error_response, failure_response, redirect, with_query};
use crate::http::authorization::authorize::with_cookies;
use crate::http::browser::BrowserCookies;
use crate::http::client_form::BrowserForm;
use crate::operations::end_login_session::FinishLogoutError;
use crate::operations::redeem_login::SessionCookie;
use crate::operations::start_authorization::Browser;
use crate::operations::start_logout::{StartLogoutError, StartedLogout};

pub(super) const PATH: &str = "/oauth2/sessions/logout";

pub(super) async fn get(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    logout(&oauth, &cx, &headers, Parameters::parse(query.unwrap_or_default().as_bytes())).await
}

pub(super) async fn post(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    headers: HeaderMap,
    BrowserForm(parameters): BrowserForm,
) -> Response {
    logout(&oauth, &cx, &headers, parameters).await
}

async fn logout(
    oauth: &OAuth,
    cx: &Context,
    headers: &HeaderMap,
    parameters: Result<Parameters, ParameterError>,
) -> Response {
    let parameters = match parameters {
        Ok(parameters) => parameters,
        Err(error) => return logout_refusal(oauth, cx, ErrorCode::InvalidRequest, error.to_string()),
    };
    let browser = BrowserCookies::of(oauth).read(cx, headers, None);
    if let Some(verifier) = parameters.get("logout_verifier") {
        return finish(oauth, cx, verifier, &browser).await;
    }
    let text = |name| parameters.get(name).map(str::to_owned);
    let request = LogoutRequest {
        id_token_hint: text("id_token_hint"),
        client_id: text("client_id"),
        post_logout_redirect_uri: text("post_logout_redirect_uri"),
        state: text("state"),
    };
    // Relative, as in Hydra. The ID token is omitted, because it is a credential.
    let shown = parameters.iter().filter(|(name, _)| *name != "id_token_hint");
    let shown = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(shown).finish();
    let request_url = if shown.is_empty() { PATH.to_owned() } else { with_query(PATH, &shown) };
    match oauth.start_logout(cx, &request, browser.session, request_url).await {
        Ok(StartedLogout::NothingToDo { redirect_to }) => {
            let forget = BrowserCookies::of(oauth).session(cx, SessionCookie::Clear);
            with_cookies(redirect(StatusCode::FOUND, &redirect_to), [forget.filter(|_| browser.session.is_some())])
        }
        Ok(StartedLogout::Ask { challenge }) => {
            let page = match &oauth.config.urls.logout {
                Some(page) => oauth.config.absolute(page),
                None => oauth.config.public_url(crate::pages::logout::PATH),
            };
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("logout_challenge", &challenge)
                .finish();
            redirect(StatusCode::FOUND, &with_query(&page, &query))
        }
        Ok(StartedLogout::Confirmed { verifier }) => finish(oauth, cx, &verifier, &browser).await,
        Err(StartLogoutError::Database(error)) => failure_response(oauth, cx, &error),
        Err(
            error @ (StartLogoutError::Hint(_)
            | StartLogoutError::UnknownClient
            | StartLogoutError::ClientMismatch
            | StartLogoutError::Refused(_)),
        ) => logout_refusal(oauth, cx, ErrorCode::InvalidRequest, error.to_string()),
    }
}

async fn finish(oauth: &OAuth, cx: &Context, verifier: &str, browser: &Browser) -> Response {
    let finished = match oauth.finish_logout(cx, verifier, browser).await {
        Ok(finished) => finished,
        Err(error @ FinishLogoutError::Unknown) => {
            return logout_refusal(oauth, cx, ErrorCode::AccessDenied, error.to_string());
        }
        Err(error @ FinishLogoutError::Expired) => {
            return logout_refusal(oauth, cx, ErrorCode::RequestUnauthorized, error.to_string());
        }
        Err(FinishLogoutError::Database(error)) => return failure_response(oauth, cx, &error),
    };
    let response = if finished.front_channel.is_empty() {
        redirect(StatusCode::FOUND, &finished.redirect_to)
    } else {
        crate::pages::logout::front_channel(oauth, cx, &finished.front_channel, &finished.redirect_to)
    };
    let forget = BrowserCookies::of(oauth).session(cx, SessionCookie::Clear);
    with_cookies(response, [forget.filter(|_| finished.clear_cookie)])
}

fn logout_refusal(oauth: &OAuth, cx: &Context, code: ErrorCode, hint: String) -> Response {
    let error = OAuthError::new(code, hint);
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::BAD_REQUEST);
    error_response(oauth, cx, status, code.as_str(), &error.description())
}
