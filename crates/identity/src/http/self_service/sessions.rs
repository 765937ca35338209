//! The endpoints of a user's own sessions.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use base::Context;
use http::header::{CONTENT_TYPE, LINK};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use web::{Cx, Json, RestError};

use crate::Identity;
use crate::domain::SessionId;
use crate::domain::views::SessionView;
use crate::flows::sessions::{self, OwnSessionsError};
use crate::flows::visitor::Visitor;

/// The number of ended sessions.
#[derive(Serialize)]
struct Revoked {
    count: usize,
}

const IDENTITY_ID: HeaderName = HeaderName::from_static("x-kratos-authenticated-identity-id");

const CACHE_FOR: HeaderName = HeaderName::from_static("ory-session-cache-for");

pub(super) async fn whoami(State(identity): State<Arc<Identity>>, Cx(cx): Cx, visitor: Visitor) -> Response {
    match identity.whoami(&cx, &visitor).await {
        Ok(_) if visitor.query("tokenize_as").is_some() => {
            let reason = "tokenize_as: converting sessions to JSON Web Tokens is not supported; omit this parameter";
            RestError::bad_request(reason).with_detail("field", "tokenize_as").into_response()
        }
        Ok(whoami) => {
            let mut response = ([(CONTENT_TYPE, "application/json")], whoami.checked.text.clone()).into_response();
            if let Ok(value) = HeaderValue::from_str(&whoami.checked.session.identity_id.to_string()) {
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

pub(super) async fn list_sessions(State(identity): State<Arc<Identity>>, Cx(cx): Cx, visitor: Visitor) -> Response {
    match list(&identity, &cx, &visitor).await {
        Ok(response) => response,
        Err(error) => identity.refuse(&cx, error, true).await,
    }
}

async fn list(identity: &Identity, cx: &Context, visitor: &Visitor) -> Result<Response, OwnSessionsError> {
    let number = |name: &'static str| match visitor.query(name) {
        None => Ok(None),
        // Clients of Kratos send 0 or -1 for the default size.
        Some(text) => match text.parse::<i64>() {
            Ok(number) => Ok(Some(number).filter(|number| *number > 0)),
            Err(_) => Err(OwnSessionsError::Page(name)),
        },
    };
    let size = number("page_size")?.or(number("per_page")?).unwrap_or(250).min(500);
    let token = visitor.query("page_token").map(|token| sessions::open_page(identity, cx, &token)).transpose()?;
    let page = token.or(number("page")?).unwrap_or(0);
    let others = identity.list_my_sessions(cx, visitor, page, size).await?;
    let link = sessions::page_links(identity, cx, &others);
    let shown = |session| SessionView::new(session, None, identity.urls.public(), cx.now);
    let sessions: Vec<SessionView<'_>> = others.sessions.iter().map(shown).collect();
    let mut response = Json(sessions).into_response();
    response.headers_mut().insert("x-total-count", HeaderValue::from(others.total.max(0)));
    if let Ok(link) = HeaderValue::from_str(&link) {
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}

pub(super) async fn revoke_other_sessions(
    State(identity): State<Arc<Identity>>,
    Cx(cx): Cx,
    visitor: Visitor,
) -> Response {
    match identity.revoke_my_other_sessions(&cx, &visitor).await {
        Ok(count) => Json(Revoked { count }).into_response(),
        Err(error) => identity.refuse(&cx, error, true).await,
    }
}

pub(super) async fn revoke_session(
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
