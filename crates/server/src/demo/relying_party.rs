//! The relying party's routes. Forms that change state are `POST` and require a cookie that forms of other sites do not send
//! (`SameSite=Lax`).

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use base::{Locale, Timestamp};
use bytes::Bytes;
use http::header::{AUTHORIZATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use serde_json::json;
use ui::components::{Alert, Button, ButtonKind, Field};
use ui::{ConfigError, MessageKind, Page, Strings, Ui, Width};
use url::form_urlencoded;
use web::Cx;
use web::cookies::{self, SetCookie};

use super::documents::{ApiError, Apis, Documents, Member};
use super::oidc::{self, Arrival, SignInError};
use super::pages::{
    ApiAnswer, FailedPage, HomePage, MemberRow, Opened, SignedOutPage, WelcomePage, display_name, lines,
};
use super::texts::Texts;
use super::visits::{COOKIE, Outcome, Refusal, SignedIn, Visit, Visits};
use super::{Settings, Tools};
use crate::http::loopback;

struct RelyingParty {
    settings: Settings,
    tools: Tools,
    visits: Visits,
    documents: Documents,
    ui: Ui,
}

type Shared = State<Arc<RelyingParty>>;

/// The whole application, to be served at `settings.base_url`.
pub(crate) fn router(settings: Settings, apis: Apis, tools: Tools) -> Result<Router, ConfigError> {
    // The sample application has its own colours.
    let variables = |accent: &str, strong: &str, soft: &str| {
        [("accent", accent), ("accent-strong", strong), ("accent-soft", soft), ("focus", accent)]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    };
    let ui = Ui::new(ui::Config {
        product_name: "Sample app".into(),
        variables: variables("#3b4fb8", "#2c3d97", "#ebeefb"),
        dark_variables: variables("#a9b6ff", "#c5ceff", "#20264a"),
        ..ui::Config::default()
    })?;
    let base_url = settings.base_url.clone();
    let documents = Documents::new(apis, tools.http.clone());
    let shared = Arc::new(RelyingParty { settings, tools, visits: Visits::default(), documents, ui });
    let router = Router::new()
        .route("/", get(home))
        .route("/sign-in", post(sign_in))
        .route("/callback", get(callback))
        .route("/call-api", post(call_api))
        .route("/share", post(share))
        .route("/revoke", post(revoke))
        .route("/open", post(open))
        .route("/sign-out", post(sign_out))
        .route("/signed-out", get(signed_out))
        .route(ui::assets::ROUTE, get(asset))
        .with_state(shared);
    Ok(loopback::redirect_to(base_url.as_str(), |path| path == "/", router))
}

async fn home(State(app): Shared, Cx(cx): Cx, headers: HeaderMap) -> Response {
    let texts = Texts::of(app.ui.language(cx.locale));
    let cookie = cookies::get(&headers, COOKIE);
    match app.visits.find(cookie, cx.now) {
        Some(Visit::SignedIn(person)) => app.home(cx.locale, &person, app.visits.take_outcome(cookie)).await,
        Some(Visit::Leaving(_)) | None => {
            let page = WelcomePage { texts, sign_in: Button::submit(texts.sign_in) };
            app.ui.respond(cx.locale, Page::titled(texts.sign_in), &page).into_response()
        }
    }
}

async fn sign_in(State(app): Shared, Cx(cx): Cx, headers: HeaderMap) -> Response {
    app.visits.close(cookies::get(&headers, COOKIE));
    match oidc::depart(&app.settings, &app.tools).await {
        Ok((url, departure)) => {
            let token = app.visits.open(Visit::Leaving(departure), &app.tools.rng, cx.now);
            with_cookie(Redirect::to(url.as_str()), &cookie(token.expose()))
        }
        Err(error) => app.failed(cx.locale, &error),
    }
}

async fn callback(State(app): Shared, Cx(cx): Cx, headers: HeaderMap, Query(arrival): Query<Arrival>) -> Response {
    // Removed whatever the outcome: state, nonce and verifier are valid once.
    let Some(Visit::Leaving(departure)) = app.visits.close(cookies::get(&headers, COOKIE)) else {
        return app.failed(cx.locale, &SignInError::Foreign);
    };
    match oidc::arrive(&app.settings, &app.tools, departure, arrival).await {
        Ok(person) => {
            app.give_document(&person).await;
            let token = app.visits.open(Visit::SignedIn(person), &app.tools.rng, cx.now);
            with_cookie(Redirect::to("/"), &cookie(token.expose()))
        }
        Err(error) => app.failed(cx.locale, &error),
    }
}

async fn call_api(State(app): Shared, Cx(cx): Cx, headers: HeaderMap) -> Response {
    let Some(person) = app.signed_in(&headers, cx.now) else { return Redirect::to("/").into_response() };
    let answer = app.ask_api(&person, "hello").await;
    app.redirect_with(&headers, Outcome::Called(answer))
}

async fn share(State(app): Shared, Cx(cx): Cx, headers: HeaderMap, body: Bytes) -> Response {
    let Some(person) = app.signed_in(&headers, cx.now) else { return Redirect::to("/").into_response() };
    let reader = field(&body, READER);
    let outcome = match app.share(&person, &reader).await {
        Ok(()) => Outcome::Shared { reader },
        Err(refusal) => Outcome::Refused { field: READER, typed: reader, refusal },
    };
    app.redirect_with(&headers, outcome)
}

async fn revoke(State(app): Shared, Cx(cx): Cx, headers: HeaderMap, body: Bytes) -> Response {
    let Some(person) = app.signed_in(&headers, cx.now) else { return Redirect::to("/").into_response() };
    let outcome = match app.revoke(&person, &field(&body, MEMBER)).await {
        Ok(reader) => Outcome::Revoked { reader },
        Err(reason) => Outcome::NotRevoked(reason),
    };
    app.redirect_with(&headers, outcome)
}

async fn open(State(app): Shared, Cx(cx): Cx, headers: HeaderMap, body: Bytes) -> Response {
    let Some(person) = app.signed_in(&headers, cx.now) else { return Redirect::to("/").into_response() };
    let owner = field(&body, OWNER);
    let outcome = match app.open(&person, &owner).await {
        Ok(opened) => Outcome::Opened { owner, opened },
        Err(refusal) => Outcome::Refused { field: OWNER, typed: owner, refusal },
    };
    app.redirect_with(&headers, outcome)
}

/// The names of the fields. Those of the addresses are also the ids of their inputs.
const READER: &str = "reader";
const OWNER: &str = "owner";
const MEMBER: &str = "member";

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
        Some(Visit::Leaving(_)) | None => None,
    };
    let target = target.unwrap_or_else(|| "/signed-out".to_owned());
    with_cookie(Redirect::to(&target), &SetCookie::removal(COOKIE))
}

async fn signed_out(State(app): Shared, Cx(cx): Cx) -> Response {
    let texts = Texts::of(app.ui.language(cx.locale));
    let page = SignedOutPage { texts, sign_in: Button::submit(texts.sign_in) };
    app.ui.respond(cx.locale, Page::titled(texts.signed_out), &page).into_response()
}

async fn asset(State(app): Shared, Path(file): Path<String>) -> Response {
    app.ui.asset(&file).into_response()
}

impl RelyingParty {
    /// Without its permission the application still serves.
    async fn give_document(&self, person: &SignedIn) {
        if let Err(error) = self.documents.own(subject(person)).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "a document has no owner");
        }
    }

    fn signed_in(&self, headers: &HeaderMap, now: Timestamp) -> Option<SignedIn> {
        match self.visits.find(cookies::get(headers, COOKIE), now)? {
            Visit::SignedIn(person) => Some(person),
            Visit::Leaving(_) => None,
        }
    }

    /// Redirects to the page that shows the outcome of a form. A field that was refused gets the focus.
    fn redirect_with(&self, headers: &HeaderMap, outcome: Outcome) -> Response {
        let target = if let Outcome::Refused { field, .. } = &outcome { format!("/#{field}") } else { "/".to_owned() };
        self.visits.keep_outcome(cookies::get(headers, COOKIE), outcome);
        Redirect::to(&target).into_response()
    }

    async fn share(&self, person: &SignedIn, email: &str) -> Result<(), Refusal> {
        let reader = self.documents.find(email).await?.ok_or(Refusal::Nobody)?;
        if reader == subject(person) {
            return Err(Refusal::Own);
        }
        Ok(self.documents.share(subject(person), &reader).await?)
    }

    /// Returns the name of the member.
    async fn revoke(&self, person: &SignedIn, member: &str) -> Result<String, String> {
        let member = serde_json::from_str(member).map_err(|_| format!("{MEMBER}: is not the JSON of a subject"))?;
        let name = self.documents.name_of(&member).await.map_err(|error| error.to_string())?;
        self.documents.revoke(subject(person), &member).await.map_err(|error| error.to_string())?;
        Ok(name)
    }

    async fn open(&self, person: &SignedIn, owner: &str) -> Result<Opened, Refusal> {
        let document = self.documents.find(owner).await?.ok_or(Refusal::Nobody)?;
        let answer = self.ask_api(person, &format!("documents/{document}")).await;
        let reading = self.documents.reading(&document, subject(person)).await?;
        Ok(Opened { answer, reading })
    }

    async fn home(&self, locale: Locale, person: &SignedIn, outcome: Option<Outcome>) -> Response {
        let language = self.ui.language(locale);
        let texts = Texts::of(language);
        let (members, failure) = match self.documents.members(subject(person)).await {
            Ok(members) => (members, None),
            Err(error) => (Vec::new(), Some(Alert::new(MessageKind::Error, error.to_string()))),
        };
        let mut page = HomePage {
            texts,
            name: display_name(&person.claims),
            claims: lines(&person.claims),
            call_api: Button::submit(texts.call_api),
            answer: None,
            notice: failure,
            members: members.into_iter().enumerate().map(|(index, member)| row(texts, index + 1, member)).collect(),
            reader: email_field(READER, texts.reader),
            share: Button::submit(texts.share).of_kind(ButtonKind::Secondary),
            opened: None,
            owner: email_field(OWNER, texts.owner),
            open: Button::submit(texts.open).of_kind(ButtonKind::Secondary),
            account_url: self.settings.account_url.to_string(),
            sign_out: Button::submit(texts.sign_out).of_kind(ButtonKind::Secondary),
        };
        if let Some(outcome) = outcome {
            show(&mut page, outcome, Strings::of(language));
        }
        let frame = Page { width: Width::Wide, ..Page::titled(texts.hello) };
        self.ui.respond(locale, frame, &page).into_response()
    }

    fn failed(&self, locale: Locale, error: &SignInError) -> Response {
        let language = self.ui.language(locale);
        let texts = Texts::of(language);
        let page = FailedPage {
            texts,
            strings: Strings::of(language),
            alert: Alert::new(MessageKind::Error, error.to_string()),
            again: Button::submit(texts.again),
        };
        let frame = Page { status: StatusCode::BAD_REQUEST, ..Page::titled(texts.failed) };
        self.ui.respond(locale, frame, &page).into_response()
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

/// Adds the outcome of a form to the page.
fn show(page: &mut HomePage, outcome: Outcome, strings: &Strings) {
    let texts = page.texts;
    let notice = match outcome {
        Outcome::Called(answer) => {
            page.answer = Some(answer);
            return;
        }
        Outcome::Opened { owner, opened } => {
            page.owner.value = owner;
            page.opened = Some(opened);
            return;
        }
        Outcome::Refused { field, typed, refusal } => {
            let input = if field == READER { &mut page.reader } else { &mut page.owner };
            input.value = typed;
            input.problem_prefix = strings.error_prefix;
            input.problem = Some(match refusal {
                Refusal::Nobody => texts.nobody.to_owned(),
                Refusal::Own => texts.own_document.to_owned(),
                Refusal::Failed(reason) => reason,
            });
            return;
        }
        Outcome::Shared { reader } => Alert::new(MessageKind::Success, texts.shared(reader)),
        Outcome::Revoked { reader } => Alert::new(MessageKind::Success, texts.revoked(reader)),
        Outcome::NotRevoked(reason) => Alert::new(MessageKind::Error, reason),
    };
    page.notice.get_or_insert(notice);
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Failed(error.to_string())
    }
}

fn row(texts: &Texts, number: usize, member: Member) -> MemberRow {
    let revoke = || {
        let button = Button::submit(texts.revoke).sending(MEMBER, json!(member.subject).to_string());
        button.of_kind(ButtonKind::Danger).about(format!("member-{number}")).small()
    };
    MemberRow {
        revoke: (!member.is_owner).then(revoke),
        name: member.name,
        permissions: member.permissions,
        because: member.because,
    }
}

fn email_field(name: &str, label: &str) -> Field {
    Field {
        id: name.to_owned(),
        name: name.to_owned(),
        kind: "email".to_owned(),
        label: label.to_owned(),
        autocomplete: Some("off".to_owned()),
        required: true,
        ..Field::default()
    }
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
mod tests {
    use axum::body::Body;
    use base::{Clock, Context, RequestId, Rng, Secret, TenantId};
    use tower::ServiceExt as _;
    use web::outbound::{Client, Destinations};

    use super::*;

    fn app() -> Router {
        let settings = Settings {
            issuer: "http://127.0.0.1:1/".parse().unwrap(),
            client_id: "demo".into(),
            client_secret: Secret::new("secret".into()),
            base_url: "http://127.0.0.1:4490/".parse().unwrap(),
            api_url: "http://127.0.0.1:4455/api".parse().unwrap(),
            account_url: "http://127.0.0.1:4433/ui/settings".parse().unwrap(),
        };
        let tools = Tools {
            http: Client::new(Destinations::Any, &base::TrustStore::bundled()),
            clock: Clock::system(),
            rng: Rng::seeded(1),
        };
        let nowhere: url::Url = "http://127.0.0.1:1/".parse().unwrap();
        let apis = Apis { permissions_read: nowhere.clone(), permissions_write: nowhere.clone(), identities: nowhere };
        router(settings, apis, tools).unwrap()
    }

    async fn answer(request: Request<Body>) -> (StatusCode, HeaderMap, String) {
        let mut request = request;
        let cx = Context::for_background(Timestamp::EPOCH, TenantId::DEFAULT, RequestId(uuid::Uuid::nil()));
        request.extensions_mut().insert(cx);
        let response = app().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_visitor_without_a_session_is_asked_to_sign_in() {
        let (status, headers, body) = answer(Request::get("/").body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::OK);
        assert!(headers.contains_key("content-security-policy"));
        assert!(body.contains(r#"action="/sign-in" method="post""#), "{body}");
        assert!(body.contains("<title>Sign in with Kleis – Sample app</title>"), "{body}");
    }

    #[tokio::test]
    async fn a_callback_without_a_pending_sign_in_is_refused() {
        let request = Request::get("/callback?code=stolen&state=x").body(Body::empty()).unwrap();
        let (status, headers, body) = answer(request).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(!headers.contains_key(SET_COOKIE));
        assert!(body.contains("does not belong to a sign-in"), "{body}");
    }

    #[tokio::test]
    async fn signing_out_deletes_the_cookie_even_without_a_session() {
        let (status, headers, _) = answer(Request::post("/sign-out").body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        assert_eq!(headers["location"], "/signed-out");
        assert!(headers[SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    }

    #[tokio::test]
    async fn an_unreachable_provider_is_reported() {
        let (status, _, body) = answer(Request::post("/sign-in").body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(body.contains("the provider cannot be reached"), "{body}");
    }
}
