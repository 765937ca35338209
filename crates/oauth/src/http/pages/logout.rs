//! `/oauth2/logout` and `/oauth2/signed-out`: the built-in logout pages, for operators without their own.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use serde::Deserialize;
use web::Cx;

use super::consent::challenge_error_response;
use crate::OAuth;
use crate::http::authorization::authorization_response::redirect;
use crate::http::client_form::PageForm;

#[derive(Debug, Deserialize)]
pub(super) struct Question {
    #[serde(default)]
    logout_challenge: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Decision {
    #[serde(default)]
    logout_challenge: String,
    #[serde(default, rename = "decision")]
    choice: String,
}

pub(super) async fn get(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    uri: Uri,
    Query(question): Query<Question>,
) -> Response {
    let challenge = &question.logout_challenge;
    match oauth.get_logout_request(&cx, challenge).await {
        Ok((_, client)) => crate::pages::logout::question(&oauth, &cx, uri.query(), challenge, client.as_ref()),
        Err(error) => challenge_error_response(&oauth, &cx, error),
    }
}

/// The challenge is sealed and known only to this browser, so no other site can send this form.
pub(super) async fn post(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    PageForm(decision): PageForm<Decision>,
) -> Response {
    if decision.choice != "sign_out" {
        return match oauth.reject_logout_request(&cx, &decision.logout_challenge) {
            Ok(()) => crate::pages::logout::stayed(&oauth, &cx),
            Err(error) => challenge_error_response(&oauth, &cx, error),
        };
    }
    match oauth.accept_logout_request(&cx, &decision.logout_challenge) {
        Ok(url) => redirect(StatusCode::SEE_OTHER, &url),
        Err(error) => challenge_error_response(&oauth, &cx, error),
    }
}

pub(super) async fn signed_out(State(oauth): State<Arc<OAuth>>, Cx(cx): Cx, uri: Uri) -> Response {
    crate::pages::logout::signed_out(&oauth, &cx, uri.query())
}
