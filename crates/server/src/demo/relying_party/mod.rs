//! The relying party's routes. Forms that change state are `POST`, and only pages of the relying party can send them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use base::Context;
use bytes::Bytes;
use http::header::{AUTHORIZATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use ui::components::{Alert, Button};
use ui::{ConfigError, MessageKind, OutsideText, Page, Width};
use url::form_urlencoded;
use web::Cx;
use web::cookies::{self, SetCookie};
use web::language::{LanguageChoice, Languages, keep_choice};
use web::middleware::{Next, from_fn_with_state};

use super::design::Design;
use super::documents::{ApiError, Apis, Documents, Subject};
use super::home::{API, DOCUMENT, HomePage, MEMBER, NOTICE, OWNER, READER};
use super::oidc::{self, Arrival, SignInError};
use super::pages::{FailedPage, SignedOutPage, WelcomePage};
use super::texts::Texts;
use super::visits::{ApiAnswer, COOKIE, Opened, Outcome, Refusal, Resume, SignedIn, Visit, Visits};
use super::{Settings, Tools};
use crate::http::{loopback, page_origin};

struct RelyingParty {
    settings: Settings,
    tools: Tools,
    visits: Visits,
    documents: Documents,
    design: Design,
}

type Shared = State<Arc<RelyingParty>>;

/// The whole application, to be served at `settings.base_url`.
pub(crate) fn router(settings: Settings, apis: Apis, tools: Tools) -> Result<Router, ConfigError> {
    let base_url = settings.base_url.clone();
    let documents = Documents::new(apis, tools.http.clone());
    let app = RelyingParty { settings, tools, visits: Visits::default(), documents, design: Design::new()? };
    Ok(loopback::redirect_to(base_url.as_str(), |path| path == "/", routes(Arc::new(app))))
}

fn routes(app: Arc<RelyingParty>) -> Router {
    let choice = LanguageChoice {
        languages: Languages::new(app.design.languages().iter().map(|language| language.locale())),
        is_secure: app.settings.base_url.scheme() == "https",
    };
    Router::new()
        .route("/", get(home))
        .route("/sign-in", post(sign_in))
        .route("/callback", get(callback))
        .route("/call-api", post(call_api))
        .route("/share", post(share))
        .route("/revoke", post(revoke))
        .route("/open", post(open))
        .route("/sign-out", post(sign_out))
        .route("/signed-out", get(signed_out))
        .fallback(missing)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(choice, keep_choice))
        .route(ui::assets::ROUTE, get(asset))
        .layer(from_fn_with_state(Arc::clone(&app), refuse_other_origins))
        .with_state(app)
}

/// A page of another port of this machine is of the same site, so `SameSite` does not keep the cookie from its forms. Forms of
/// other sites have no cookie, but the answer could replace that of the browser.
async fn refuse_other_origins(State(app): Shared, Cx(cx): Cx, request: Request<Body>, next: Next) -> Response {
    let headers = request.headers();
    let own = app.settings.base_url.origin().ascii_serialization();
    let is_from_here = page_origin::accepted(headers, |origin| origin == own).unwrap_or(true)
        && !page_origin::is_cross_origin(headers);
    if request.method().is_safe() || is_from_here {
        return next.run(request).await;
    }
    app.design.refuse(&cx, StatusCode::FORBIDDEN)
}

async fn home(State(app): Shared, Cx(cx): Cx, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let cookie = cookies::get(&headers, COOKIE);
    let texts = Texts::of(app.design.language(&cx));
    let has_ended = match app.visits.find(cookie, cx.now) {
        Some(Visit::SignedIn(person)) => return app.home(&cx, query.as_deref(), &person, cookie).await,
        Some(Visit::Ended(_)) => true,
        Some(Visit::Leaving(..)) | None => false,
    };
    let page = WelcomePage {
        texts,
        notice: has_ended.then(|| Alert::new(MessageKind::Info, texts.session_ended)),
        sign_in: Button::submit(texts.sign_in),
    };
    app.design.respond(&cx, Page::titled(texts.sign_in).asked_with(query.as_deref()), &page)
}

async fn sign_in(State(app): Shared, Cx(cx): Cx, headers: HeaderMap) -> Response {
    let resume = match app.visits.close(cookies::get(&headers, COOKIE)) {
        Some(Visit::Ended(resume)) => Some(resume),
        Some(Visit::Leaving(_, resume)) => resume,
        Some(Visit::SignedIn(_)) | None => None,
    };
    match oidc::depart(&app.settings, &app.tools).await {
        Ok((url, departure)) => app.open(&cx, Visit::Leaving(departure, resume), None, url.as_str()),
        Err(error) => app.failed(&cx, &error),
    }
}

async fn callback(
    State(app): Shared,
    Cx(cx): Cx,
    headers: HeaderMap,
    arrival: Result<Query<Arrival>, QueryRejection>,
) -> Response {
    let Ok(Query(arrival)) = arrival else { return app.design.refuse(&cx, StatusCode::BAD_REQUEST) };
    // Removed whatever the outcome: state, nonce and verifier are valid once. A link of another site must not end a session.
    let Some(Visit::Leaving(departure, resume)) = app.visits.close_pending(cookies::get(&headers, COOKIE)) else {
        return app.failed(&cx, &SignInError::Foreign);
    };
    match oidc::arrive(&app.settings, &app.tools, departure, arrival).await {
        Ok(person) => {
            app.give_document(&person).await;
            let target = resume.as_ref().map_or_else(|| "/".to_owned(), |resume| format!("/#{}", resume.place));
            app.open(&cx, Visit::SignedIn(person), resume.map(Outcome::Resumed), &target)
        }
        Err(error) => app.failed(&cx, &error),
    }
}

async fn call_api(State(app): Shared, Cx(cx): Cx, headers: HeaderMap) -> Response {
    let Some(person) = app.signed_in(&cx, &headers) else { return app.ended(&cx, API, String::new()) };
    let answer = app.ask_api(&person, "hello").await;
    app.redirect_with(&headers, Outcome::Called(answer))
}

async fn share(State(app): Shared, Cx(cx): Cx, headers: HeaderMap, body: Bytes) -> Response {
    let reader = field(&body, READER);
    let Some(person) = app.signed_in(&cx, &headers) else { return app.ended(&cx, READER, reader) };
    let outcome = match app.share(&person, &reader).await {
        Ok(()) => Outcome::Shared { reader },
        Err(refusal) => Outcome::Refused { field: READER, typed: reader, refusal },
    };
    app.redirect_with(&headers, outcome)
}

async fn revoke(State(app): Shared, Cx(cx): Cx, headers: HeaderMap, body: Bytes) -> Response {
    let Some(person) = app.signed_in(&cx, &headers) else { return app.ended(&cx, DOCUMENT, String::new()) };
    let Ok(member) = serde_json::from_str(&field(&body, MEMBER)) else {
        return app.design.refuse(&cx, StatusCode::BAD_REQUEST);
    };
    let outcome = match app.revoke(&person, &member).await {
        Ok(reader) => Outcome::Revoked { reader },
        Err(error) => {
            report(&error);
            Outcome::NotRevoked
        }
    };
    app.redirect_with(&headers, outcome)
}

async fn open(State(app): Shared, Cx(cx): Cx, headers: HeaderMap, body: Bytes) -> Response {
    let owner = field(&body, OWNER);
    let Some(person) = app.signed_in(&cx, &headers) else { return app.ended(&cx, OWNER, owner) };
    let outcome = match app.open_document(&person, &owner).await {
        Ok(opened) => Outcome::Opened { owner, opened },
        Err(refusal) => Outcome::Refused { field: OWNER, typed: owner, refusal },
    };
    app.redirect_with(&headers, outcome)
}

/// A field of a form; empty when it is missing.
fn field(body: &[u8], name: &str) -> String {
    form_urlencoded::parse(body)
        .find(|(its_name, _)| its_name == name)
        .map(|(_, text)| text.trim().to_owned())
        .unwrap_or_default()
}

/// The id of the person, which is also that of their document.
fn subject(person: &SignedIn) -> &str {
    person.claims["sub"].as_str().unwrap_or_default()
}

async fn sign_out(State(app): Shared, headers: HeaderMap) -> Response {
    let target = match app.visits.close(cookies::get(&headers, COOKIE)) {
        Some(Visit::SignedIn(person)) => {
            oidc::sign_out_url(&app.settings, &app.tools, person.id_token.expose()).await.map(String::from)
        }
        Some(Visit::Leaving(..) | Visit::Ended(_)) | None => None,
    };
    let target = target.unwrap_or_else(|| "/signed-out".to_owned());
    with_cookie(Redirect::to(&target), &SetCookie::removal(COOKIE))
}

async fn signed_out(State(app): Shared, Cx(cx): Cx, RawQuery(query): RawQuery) -> Response {
    let texts = Texts::of(app.design.language(&cx));
    let page = SignedOutPage { texts, sign_in: Button::submit(texts.sign_in) };
    app.design.respond(&cx, Page::titled(texts.signed_out).asked_with(query.as_deref()), &page)
}

async fn missing(State(app): Shared, Cx(cx): Cx) -> Response {
    app.design.refuse(&cx, StatusCode::NOT_FOUND)
}

async fn wrong_method(State(app): Shared, Cx(cx): Cx) -> Response {
    app.design.refuse(&cx, StatusCode::METHOD_NOT_ALLOWED)
}

async fn asset(State(app): Shared, Path(file): Path<String>) -> Response {
    app.design.asset(&file)
}

impl RelyingParty {
    /// Without its permission the application still serves.
    async fn give_document(&self, person: &SignedIn) {
        if let Err(error) = self.documents.own(subject(person)).await {
            report(&error);
        }
    }

    fn signed_in(&self, cx: &Context, headers: &HeaderMap) -> Option<SignedIn> {
        match self.visits.find(cookies::get(headers, COOKIE), cx.now)? {
            Visit::SignedIn(person) => Some(person),
            Visit::Leaving(..) | Visit::Ended(_) => None,
        }
    }

    /// Opens a visit and redirects.
    fn open(&self, cx: &Context, visit: Visit, outcome: Option<Outcome>, target: &str) -> Response {
        let token = self.visits.open(visit, &self.tools.rng, cx.now);
        if let Some(outcome) = outcome {
            self.visits.keep_outcome(Some(token.expose()), outcome);
        }
        with_cookie(Redirect::to(target), &cookie(token.expose()))
    }

    /// A form was sent after the session had ended.
    fn ended(&self, cx: &Context, place: &'static str, typed: String) -> Response {
        self.open(cx, Visit::Ended(Resume { place, typed: bounded(typed) }), None, "/")
    }

    /// Redirects to the page that shows the outcome of a form. What was refused gets the focus.
    fn redirect_with(&self, headers: &HeaderMap, mut outcome: Outcome) -> Response {
        let target = match &mut outcome {
            Outcome::Refused { field, typed, .. } => {
                *typed = bounded(std::mem::take(typed));
                format!("/#{field}")
            }
            Outcome::NotRevoked => format!("/#{NOTICE}"),
            Outcome::Called(_)
            | Outcome::Shared { .. }
            | Outcome::Revoked { .. }
            | Outcome::Resumed(_)
            | Outcome::Opened { .. } => "/".to_owned(),
        };
        self.visits.keep_outcome(cookies::get(headers, COOKIE), outcome);
        Redirect::to(&target).into_response()
    }

    /// The id of the identity with this address.
    async fn find(&self, email: &str) -> Result<String, Refusal> {
        if email.is_empty() {
            return Err(Refusal::Empty);
        }
        if email.chars().count() > OutsideText::ADDRESS {
            return Err(Refusal::Nobody);
        }
        self.documents.find(email).await?.ok_or(Refusal::Nobody)
    }

    async fn share(&self, person: &SignedIn, email: &str) -> Result<(), Refusal> {
        let reader = self.find(email).await?;
        if reader == subject(person) {
            return Err(Refusal::Own);
        }
        Ok(self.documents.share(subject(person), &reader).await?)
    }

    /// Returns the name of the member.
    async fn revoke(&self, person: &SignedIn, member: &Subject) -> Result<String, ApiError> {
        let name = self.documents.name_of(member).await?;
        self.documents.revoke(subject(person), member).await?;
        Ok(name)
    }

    async fn open_document(&self, person: &SignedIn, owner: &str) -> Result<Opened, Refusal> {
        let document = self.find(owner).await?;
        let answer = self.ask_api(person, &format!("documents/{document}")).await;
        let reading = self.documents.reading(&document, subject(person)).await?;
        Ok(Opened { answer, reading })
    }

    async fn home(&self, cx: &Context, query: Option<&str>, person: &SignedIn, cookie: Option<&str>) -> Response {
        let members = self.documents.members(subject(person)).await.inspect_err(report).ok();
        let account_url = self.settings.account_url.to_string();
        let mut page = HomePage::new(self.design.language(cx), &person.claims, members, account_url);
        if let Some(outcome) = self.visits.take_outcome(cookie) {
            page.show(outcome);
        }
        let title = page.title();
        let frame = Page { width: Width::Wide, ..Page::titled(&title).asked_with(query) };
        self.design.respond(cx, frame, &page)
    }

    fn failed(&self, cx: &Context, error: &SignInError) -> Response {
        tracing::info!(error = error as &dyn std::error::Error, "a sign-in failed");
        let page = FailedPage::new(self.design.language(cx), error);
        self.design.respond(cx, page.page(), &page)
    }

    /// Calls the sample API through the gateway, as any client would (RFC 6750 section 2.1).
    async fn ask_api(&self, person: &SignedIn, path: &str) -> ApiAnswer {
        let access_token = person.access_token.expose();
        let url = format!("{}/{path}", self.settings.api_url.as_str().trim_end_matches('/'));
        let request = Request::get(url).header(AUTHORIZATION, format!("Bearer {access_token}")).body(Bytes::new());
        let response = match request {
            Ok(request) => self.tools.http.send(request).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match response {
            Ok(response) => ApiAnswer {
                status: response.status().as_u16(),
                body: String::from_utf8_lossy(response.body()).into_owned(),
            },
            Err(reason) => ApiAnswer { status: StatusCode::BAD_GATEWAY.as_u16(), body: reason },
        }
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        report(&error);
        Self::Failed
    }
}

/// The page says only that an API failed.
fn report(error: &ApiError) {
    tracing::warn!(error = error as &dyn std::error::Error, "an API of the sample application failed");
}

/// An entered text, as far as it is kept.
fn bounded(text: String) -> String {
    if text.chars().count() > OutsideText::ADDRESS { text.chars().take(OutsideText::ADDRESS).collect() } else { text }
}

fn cookie(value: &str) -> SetCookie {
    SetCookie::new(COOKIE, value).max_age(Some(Duration::from_hours(8)))
}

fn with_cookie(answer: impl IntoResponse, cookie: &SetCookie) -> Response {
    let mut response = answer.into_response();
    let value: HeaderValue = cookie.header();
    response.headers_mut().append(SET_COOKIE, value);
    response
}

#[cfg(test)]
mod tests;
