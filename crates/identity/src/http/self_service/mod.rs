//! The self-service endpoints: for each flow its beginnings, its fetch and its submission, and the person's own sessions.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, delete, get};
use base::Context;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use web::{Cx, Json, RestError};

use crate::Identity;
use crate::domain::SessionId;
use crate::domain::client_kind::{FlowType, Wants};
use crate::domain::flow::FlowKind;
use crate::flows::answer::Answer;
use crate::flows::error::FlowError;
use crate::flows::sessions;
use crate::flows::submission::RawSubmission;
use crate::flows::visitor::Visitor;

use super::answer::see_other;

pub(crate) fn routes() -> Router<Arc<Identity>> {
    Router::new()
        .route("/self-service/login/browser", get(begin_login_browser))
        .route("/self-service/login/api", get(begin_login_api))
        .route("/self-service/login/flows", get(fetch_login))
        .route("/self-service/login", get(submit_login).post(submit_login))
        .route("/self-service/registration/browser", get(begin_registration_browser))
        .route("/self-service/registration/api", get(begin_registration_api))
        .route("/self-service/registration/flows", get(fetch_registration))
        .route("/self-service/registration", get(submit_registration).post(submit_registration))
        .route("/self-service/settings/browser", get(begin_settings_browser))
        .route("/self-service/settings/api", get(begin_settings_api))
        .route("/self-service/settings/flows", get(fetch_settings))
        .route("/self-service/settings", get(submit_settings).post(submit_settings))
        .route("/self-service/recovery/browser", get(begin_recovery_browser))
        .route("/self-service/recovery/api", get(begin_recovery_api))
        .route("/self-service/recovery/flows", get(fetch_recovery))
        .route("/self-service/recovery", get(open_recovery).post(submit_recovery))
        .route("/self-service/verification/browser", get(begin_verification_browser))
        .route("/self-service/verification/api", get(begin_verification_api))
        .route("/self-service/verification/flows", get(fetch_verification))
        .route("/self-service/verification", get(open_verification).post(submit_verification))
        .route("/self-service/logout/browser", get(begin_logout))
        .route("/self-service/logout/api", delete(logout_native))
        .route("/self-service/logout", get(submit_logout))
        .route("/self-service/errors", get(show_error))
        .route("/sessions/whoami", any(whoami))
        .route("/sessions", get(list_sessions).delete(revoke_other_sessions))
        .route("/sessions/{id}", delete(revoke_session))
        .route("/.well-known/change-password", get(change_password))
}

macro_rules! beginnings {
    ($($browser:ident, $api:ident => $operation:ident;)+) => {$(
        async fn $browser(State(identity): State<Arc<Identity>>, Cx(cx): Cx, visitor: Visitor) -> Response {
            let mut result = identity.$operation(&cx, &visitor, FlowType::Browser).await;
            if let Err(failure) = &mut result {
                failure.flow_type = None;
            }
            match result {
                Ok(answer) => identity.write_answer(&cx, &visitor, answer),
                // A beginning negotiates strictly, its refusals too.
                Err(failure) => identity.refuse(&cx, failure.error, visitor.wants_strictly == Wants::Json).await,
            }
        }

        async fn $api(State(identity): State<Arc<Identity>>, Cx(cx): Cx, visitor: Visitor) -> Response {
            let result = identity.$operation(&cx, &visitor, FlowType::Api).await;
            identity.respond(&cx, &visitor, result).await
        }
    )+};
}

beginnings! {
    begin_login_browser, begin_login_api => begin_login;
    begin_registration_browser, begin_registration_api => begin_registration;
    begin_settings_browser, begin_settings_api => begin_settings;
    begin_recovery_browser, begin_recovery_api => begin_recovery;
    begin_verification_browser, begin_verification_api => begin_verification;
}

macro_rules! fetches {
    ($($name:ident => $operation:ident;)+) => {$(
        async fn $name(State(identity): State<Arc<Identity>>, Cx(cx): Cx, visitor: Visitor) -> Response {
            match identity.$operation(&cx, &visitor).await {
                Ok(flow) => Json(flow).into_response(),
                Err(error) => identity.refuse(&cx, error, true).await,
            }
        }
    )+};
}

fetches! {
    fetch_login => fetch_login;
    fetch_registration => fetch_registration;
    fetch_settings => fetch_settings;
    fetch_recovery => fetch_recovery;
    fetch_verification => fetch_verification;
}

macro_rules! submissions {
    ($($name:ident => $operation:ident;)+) => {$(
        async fn $name(
            State(identity): State<Arc<Identity>>,
            Cx(cx): Cx,
            visitor: Visitor,
            body: Result<RawSubmission, RestError>,
        ) -> Response {
            let body = match body {
                Ok(body) => body,
                Err(error) => return error.into_response(),
            };
            let result = identity.$operation(&cx, &visitor, body).await;
            identity.respond(&cx, &visitor, result).await
        }
    )+};
}

submissions! {
    submit_login => submit_login;
    submit_registration => submit_registration;
    submit_settings => submit_settings;
    submit_recovery => submit_recovery;
    submit_verification => submit_verification;
}

/// What a mail leads to. Opening it uses nothing up, because programs look at links before people do: a link shows a
/// button, and only its submission is the proof.
async fn open_verification(
    State(identity): State<Arc<Identity>>,
    Cx(cx): Cx,
    visitor: Visitor,
    method: Method,
) -> Response {
    if method == Method::HEAD {
        return StatusCode::OK.into_response();
    }
    if visitor.query("token").is_some() {
        return identity.link_page(&cx, FlowKind::Verification);
    }
    let result = identity.open_verification(&cx, &visitor).await;
    identity.respond(&cx, &visitor, result).await
}

async fn open_recovery(
    State(identity): State<Arc<Identity>>,
    Cx(cx): Cx,
    visitor: Visitor,
    method: Method,
) -> Response {
    if method == Method::HEAD {
        return StatusCode::OK.into_response();
    }
    if visitor.query("token").is_some() {
        return identity.link_page(&cx, FlowKind::Recovery);
    }
    let result = identity.submit_recovery(&cx, &visitor, RawSubmission::Empty).await;
    identity.respond(&cx, &visitor, result).await
}

async fn begin_logout(State(identity): State<Arc<Identity>>, Cx(cx): Cx, visitor: Visitor) -> Response {
    match identity.begin_logout(&cx, &visitor).await {
        Ok(logout) => Json(logout).into_response(),
        Err(error) => identity.refuse(&cx, error, visitor.wants == Wants::Json).await,
    }
}

async fn submit_logout(State(identity): State<Arc<Identity>>, Cx(cx): Cx, visitor: Visitor) -> Response {
    let result: Result<Answer, FlowError> = identity.submit_logout(&cx, &visitor).await;
    identity.respond(&cx, &visitor, result.map_err(Into::into)).await
}

async fn logout_native(State(identity): State<Arc<Identity>>, Cx(cx): Cx, Json(body): Json<Value>) -> Response {
    let Some(token) = sessions::token_in_body(&body) else {
        return RestError::bad_request("session_token: is missing").into_response();
    };
    match identity.logout_native(&cx, &token).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => identity.refuse(&cx, error, true).await,
    }
}

const IDENTITY_ID: HeaderName = HeaderName::from_static("x-kratos-authenticated-identity-id");
const CACHE_FOR: HeaderName = HeaderName::from_static("ory-session-cache-for");

async fn whoami(State(identity): State<Arc<Identity>>, Cx(cx): Cx, visitor: Visitor) -> Response {
    match identity.whoami(&cx, &visitor).await {
        Ok(_) if visitor.query("tokenize_as").is_some() => {
            let reason = "tokenize_as: sessions are not converted to JSON Web Tokens yet; leave this parameter out";
            RestError::bad_request(reason).with_detail("field", "tokenize_as").into_response()
        }
        Ok(whoami) => {
            let mut response = ([(CONTENT_TYPE, "application/json")], whoami.text).into_response();
            if let Ok(value) = HeaderValue::from_str(&whoami.identity_id.to_string()) {
                response.headers_mut().insert(IDENTITY_ID, value);
            }
            if let Some(seconds) = whoami.cache_for {
                response.headers_mut().insert(CACHE_FOR, HeaderValue::from(seconds));
            }
            if let Some(cookie) = whoami.cookie {
                identity.apply(&cx, &mut response, cookie);
            }
            response
        }
        Err(error) => identity.refuse(&cx, error, true).await,
    }
}

async fn list_sessions(State(identity): State<Arc<Identity>>, Cx(cx): Cx, visitor: Visitor) -> Response {
    match list(&identity, &cx, &visitor).await {
        Ok(response) => response,
        Err(error) => identity.refuse(&cx, error, true).await,
    }
}

async fn list(identity: &Identity, cx: &Context, visitor: &Visitor) -> Result<Response, FlowError> {
    let number = |name: &'static str| match visitor.query(name) {
        None => Ok(None),
        // Clients of the replaced system send 0 or -1 for the default size.
        Some(text) => match text.parse::<i64>() {
            Ok(number) => Ok(Some(number).filter(|number| *number > 0)),
            Err(_) => Err(FlowError::Page(name)),
        },
    };
    let size = number("page_size")?.or(number("per_page")?).unwrap_or(250).min(500);
    let token = visitor.query("page_token").map(|token| sessions::open_page(identity, cx, &token)).transpose()?;
    let page = token.or(number("page")?).unwrap_or(0);
    let others = identity.list_my_sessions(cx, visitor, page, size).await?;
    let link = sessions::page_links(identity, cx, &others);
    let mut response = Json(others.sessions).into_response();
    response.headers_mut().insert("x-total-count", HeaderValue::from(others.total.max(0)));
    if let Ok(link) = HeaderValue::from_str(&link) {
        response.headers_mut().insert(http::header::LINK, link);
    }
    Ok(response)
}

async fn revoke_other_sessions(State(identity): State<Arc<Identity>>, Cx(cx): Cx, visitor: Visitor) -> Response {
    match identity.revoke_my_other_sessions(&cx, &visitor).await {
        Ok(count) => Json(json!({ "count": count })).into_response(),
        Err(error) => identity.refuse(&cx, error, true).await,
    }
}

async fn revoke_session(
    State(identity): State<Arc<Identity>>,
    Cx(cx): Cx,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    let Ok(id) = id.parse::<SessionId>() else {
        return RestError::bad_request("id: not a UUID").into_response();
    };
    match identity.revoke_my_session(&cx, &visitor, id).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => identity.refuse(&cx, error, true).await,
    }
}

async fn show_error(State(identity): State<Arc<Identity>>, Cx(cx): Cx, visitor: Visitor) -> Response {
    let id = visitor.query("id").or_else(|| visitor.query("error"));
    match identity.kept_error(&cx, id.as_deref()).await {
        Ok(error) => Json(error).into_response(),
        Err(error) => identity.refuse(&cx, error, true).await,
    }
}

/// RFC-to-be `.well-known/change-password` (W3C): where password managers send people.
async fn change_password(State(identity): State<Arc<Identity>>) -> Response {
    let url = match &identity.config.selfservice.flows.settings.ui_url {
        Some(_) => identity.urls.page(FlowKind::Settings).to_string(),
        None => identity.urls.init(FlowKind::Settings, FlowType::Browser, None),
    };
    see_other(&url)
}

#[cfg(test)]
mod tests;
