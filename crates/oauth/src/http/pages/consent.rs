//! `/oauth2/consent`: the built-in consent page, for operators without their own.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use base::{Context, Secret};
use oauth_types::ErrorCode;
use serde::Deserialize;
use web::Cx;

use crate::OAuth;
use crate::components::challenges::ChallengeError;
use crate::domain::authorization_request::{AuthorizationRequest, Refusal};
use crate::domain::consent::ConsentFlow;
use crate::domain::rejection::Rejection;
use crate::http::authorization::authorization_response::{failure_response, redirect, refusal_response};
use crate::http::browser::BrowserCookies;
use crate::http::client_form::PageForm;
use crate::operations::check_identity_session::{SignedIn, identity_unavailable};
use crate::operations::consent_requests::ConsentChallenge;

#[derive(Debug, Deserialize)]
pub(super) struct Question {
    #[serde(default)]
    consent_challenge: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Decision {
    #[serde(default)]
    consent_challenge: String,
    #[serde(default)]
    csrf: String,
    #[serde(default, rename = "decision")]
    choice: String,
    #[serde(default)]
    remember: String,
}

/// Why the page cannot be shown.
enum Obstacle {
    Challenge(ChallengeError),
    Refused(Refusal),
    /// Another user or no user is signed in now: the login starts again.
    SignInAgain {
        redirect_to: String,
    },
}

pub(super) async fn get(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    headers: HeaderMap,
    uri: Uri,
    Query(question): Query<Question>,
) -> Response {
    match open_consent_page(&oauth, &cx, &headers, &question.consent_challenge).await {
        Ok((found, name)) => {
            let cx = in_language_of(&oauth, cx, &found.request);
            crate::pages::consent::respond(&oauth, &cx, uri.query(), &question.consent_challenge, &found, name)
        }
        Err(obstacle) => obstacle_response(&oauth, &cx, obstacle),
    }
}

pub(super) async fn post(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    headers: HeaderMap,
    PageForm(decision): PageForm<Decision>,
) -> Response {
    let challenge = &decision.consent_challenge;
    // The redemption of the decision checks whether the challenge was already answered.
    let consent = match open_consent_form(&oauth, &cx, &headers, challenge).await {
        Ok(consent) => consent,
        Err(obstacle) => return obstacle_response(&oauth, &cx, obstacle),
    };
    if !Secret::new(consent.csrf).matches(&decision.csrf) {
        return obstacle_response(&oauth, &cx, Obstacle::Refused(wrong_browser()));
    }
    let redirect_to = if decision.choice == "allow" {
        let remember = decision.remember == "true" && consent.flow.may_skip_consent;
        oauth.accept_whole_consent_request(&cx, challenge, remember)
    } else {
        let rejection = Rejection::new("access_denied", "The resource owner denied the request.", "");
        oauth.reject_consent_request(&cx, challenge, rejection)
    };
    match redirect_to {
        Ok(url) => redirect(StatusCode::SEE_OTHER, &url),
        Err(error) => obstacle_response(&oauth, &cx, Obstacle::Challenge(error)),
    }
}

/// Applies `ui_locales`, the languages that the client requests (OpenID Connect Core section 3.1.2.1). The user's own
/// choice takes precedence.
fn in_language_of(oauth: &OAuth, cx: Context, request: &AuthorizationRequest) -> Context {
    let locales = request.ui_locales.iter().filter(|_| !cx.locale_is_chosen);
    let requested = oauth.ui.first_available(locales.map(String::as_str));
    Context { locale: requested.unwrap_or(cx.locale), ..cx }
}

/// Opens the challenge for its browser, while its user is signed in. Returns the user's display name, too.
async fn open_consent_page(
    oauth: &OAuth,
    cx: &Context,
    headers: &HeaderMap,
    challenge: &str,
) -> Result<(ConsentChallenge, Option<String>), Obstacle> {
    let found = oauth.get_consent_request(cx, challenge).await.map_err(Obstacle::Challenge)?;
    let name = check_browser(oauth, cx, headers, &found.consent).await?;
    Ok((found, name))
}

/// As [`open_consent_page`], for the submitted decision.
async fn open_consent_form(
    oauth: &OAuth,
    cx: &Context,
    headers: &HeaderMap,
    challenge: &str,
) -> Result<ConsentFlow, Obstacle> {
    let (consent, _) = oauth.challenges.open_consent(cx, challenge).map_err(Obstacle::Challenge)?;
    check_browser(oauth, cx, headers, &consent).await?;
    Ok(consent)
}

/// Returns the user's display name.
async fn check_browser(
    oauth: &OAuth,
    cx: &Context,
    headers: &HeaderMap,
    consent: &ConsentFlow,
) -> Result<Option<String>, Obstacle> {
    let browser = BrowserCookies::of(oauth).read(cx, headers, Some(consent.flow.client_id.as_str()));
    let expected = Secret::new(consent.csrf.clone());
    if !browser.consent_csrf.as_deref().is_some_and(|received| expected.matches(received)) {
        return Err(Obstacle::Refused(wrong_browser()));
    }
    match oauth.check_identity_session(cx, &consent.login, &browser).await {
        Ok(SignedIn::SamePerson(whoami)) => Ok(displayed_name(&whoami)),
        // The sealed challenge and the cookie that it is bound to identify the browser.
        Ok(SignedIn::Unknown) => Ok(None),
        Ok(SignedIn::Otherwise) => {
            let query = consent.flow.query_asking_for_login();
            Err(Obstacle::SignInAgain { redirect_to: oauth.config.authorization_url(&query) })
        }
        Err(error) => Err(Obstacle::Refused(identity_unavailable(cx, &error))),
    }
}

fn obstacle_response(oauth: &OAuth, cx: &Context, obstacle: Obstacle) -> Response {
    match obstacle {
        Obstacle::SignInAgain { redirect_to } => redirect(StatusCode::SEE_OTHER, &redirect_to),
        Obstacle::Refused(refusal) => refusal_response(oauth, cx, &refusal),
        Obstacle::Challenge(error) => challenge_error_response(oauth, cx, error),
    }
}

/// The error page for a challenge that cannot be answered.
pub(super) fn challenge_error_response(oauth: &OAuth, cx: &Context, error: ChallengeError) -> Response {
    let refusal = match error {
        ChallengeError::Unknown => Refusal::to_person(ErrorCode::AccessDenied, "The challenge is not valid."),
        ChallengeError::Expired => Refusal::to_person(ErrorCode::RequestUnauthorized, "The challenge has expired."),
        ChallengeError::Used { .. } => {
            Refusal::to_person(ErrorCode::AccessDenied, "The challenge was answered before.")
        }
        ChallengeError::Refused(reason) => Refusal::to_person(ErrorCode::InvalidRequest, reason),
        ChallengeError::Database(error) => return failure_response(oauth, cx, &error),
    };
    refusal_response(oauth, cx, &refusal)
}

fn wrong_browser() -> Refusal {
    let hint = "The browser did not begin this sign-in, or it does not keep cookies.";
    Refusal::to_person(ErrorCode::RequestForbidden, hint)
}

/// The display name of an identity: an address or a name, if it has one.
fn displayed_name(whoami: &serde_json::Value) -> Option<String> {
    let traits = whoami.pointer("/identity/traits")?;
    ["email", "username", "phone", "name"].iter().find_map(|member| traits.get(member)?.as_str().map(str::to_owned))
}
