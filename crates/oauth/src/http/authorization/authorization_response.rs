//! Responses of the authorization endpoint: to the client, in the requested mode (RFC 6749 section 4.1.2, Multiple
//! Response Types, Form Post Response Mode), or to the user, as an error page.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base::Context;
use oauth_types::ResponseMode;

use crate::OAuth;
use crate::domain::authorization_request::{Refusal, RefusalError, ResponseTarget};
use crate::http::token::token_error::code_of;
use crate::operations::answer_authorization::IssuedAuthorization;
use crate::pages::form_post::FormPost;

/// The parameters of a response, in order.
pub(crate) type Answer = Vec<(&'static str, String)>;

pub(crate) fn issued_response(oauth: &OAuth, cx: &Context, issued: &IssuedAuthorization) -> Response {
    let mut answer = Answer::new();
    if let Some(code) = &issued.code {
        answer.push(("code", code.expose().to_owned()));
    }
    if let Some(access) = &issued.access_token {
        answer.push(("access_token", access.token.expose().to_owned()));
        answer.push(("token_type", "bearer".to_owned()));
        answer.push(("expires_in", access.expires_in_seconds.to_string()));
    }
    if let Some(id_token) = &issued.id_token {
        answer.push(("id_token", id_token.expose().to_owned()));
    }
    answer.push(("scope", issued.scope.to_string()));
    answer_client(oauth, cx, &issued.target, answer)
}

pub(crate) fn refusal_response(oauth: &OAuth, cx: &Context, refusal: &Refusal) -> Response {
    let (name, description) = (refusal.error.name().to_owned(), refusal.error.description());
    match &refusal.target {
        Some(target) => answer_client(oauth, cx, target, vec![("error", name), ("error_description", description)]),
        None => error_response(oauth, cx, status_of(&refusal.error), &name, &description),
    }
}

/// Adds the parameters of every response: `state`, and `iss` against mix-up attacks (RFC 9207).
fn answer_client(oauth: &OAuth, cx: &Context, target: &ResponseTarget, mut answer: Answer) -> Response {
    if let Some(state) = &target.state {
        answer.push(("state", state.clone()));
    }
    answer.push(("iss", oauth.config.issuer().to_owned()));
    let encoded = || url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&answer).finish();
    match target.mode {
        ResponseMode::Query => redirect(StatusCode::SEE_OTHER, &with_query(&target.redirect_uri, &encoded())),
        ResponseMode::Fragment => redirect(StatusCode::SEE_OTHER, &format!("{}#{}", target.redirect_uri, encoded())),
        ResponseMode::FormPost => FormPost { action: &target.redirect_uri, fields: &answer }.respond(oauth, cx),
    }
}

/// An error that can only be shown to the user.
pub(crate) fn error_response(
    oauth: &OAuth,
    cx: &Context,
    status: StatusCode,
    name: &str,
    description: &str,
) -> Response {
    match &oauth.config.urls.error {
        Some(page) => {
            let pairs = [("error", name), ("error_description", description)];
            let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
            redirect(StatusCode::FOUND, &with_query(&oauth.config.absolute(page), &query))
        }
        None => crate::pages::error::respond(oauth, cx, status, name, description),
    }
}

/// An internal failure: it is logged here, once.
pub(crate) fn failure_response(oauth: &OAuth, cx: &Context, error: &database::Error) -> Response {
    let code = code_of(error);
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    error_response(oauth, cx, status, code.as_str(), code.sentence())
}

fn status_of(error: &RefusalError) -> StatusCode {
    match error {
        RefusalError::Ours(error) => StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::BAD_REQUEST),
        RefusalError::Rejected(_) => StatusCode::BAD_REQUEST,
    }
}

/// Adds parameters to the query of a URI, before its fragment; the rest is unchanged.
pub(crate) fn with_query(uri: &str, query: &str) -> String {
    let (uri, fragment) = uri.split_at(uri.find('#').unwrap_or(uri.len()));
    let separator = match uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some((_, present)) if present.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{uri}{separator}{query}{fragment}")
}

/// A redirect that is not cached. A target that is not a valid header value is a configuration error.
pub(crate) fn redirect(status: StatusCode, location: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(location) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = status.into_response();
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    // The current URL may contain a verifier, which must not reach other sites.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

#[cfg(test)]
mod tests {
    use super::with_query;

    #[test]
    fn the_redirect_uri_is_not_normalized() {
        assert_eq!(with_query("https://a.example/cb", "code=1"), "https://a.example/cb?code=1");
        assert_eq!(with_query("https://a.example/cb?", "code=1"), "https://a.example/cb?code=1");
        assert_eq!(with_query("https://a.example/cb?x=%7e", "code=1"), "https://a.example/cb?x=%7e&code=1");
        assert_eq!(with_query("https://a.example/cb?x&", "code=1"), "https://a.example/cb?x&code=1");
        assert_eq!(with_query("com.example.app:/cb", "code=1"), "com.example.app:/cb?code=1");
    }

    #[test]
    fn parameters_are_added_before_the_fragment() {
        assert_eq!(with_query("https://h.example/app?x=1#/login", "c=1"), "https://h.example/app?x=1&c=1#/login");
        assert_eq!(with_query("https://h.example/app#/login?y", "c=1"), "https://h.example/app?c=1#/login?y");
        assert_eq!(with_query("https://h.example/app?#", "c=1"), "https://h.example/app?c=1#");
    }
}
