//! The relying party's routes. Forms that change state are `POST` and require a cookie that forms of other sites do not send
//! (`SameSite=Lax`).

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use base::Locale;
use bytes::Bytes;
use http::header::{AUTHORIZATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use ui::components::{Alert, Button, ButtonKind};
use ui::{ConfigError, MessageKind, Page, Strings, Ui, Width};
use web::Cx;
use web::cookies::{self, SetCookie};

use super::oidc::{self, Arrival, SignInError};
use super::pages::{ApiAnswer, FailedPage, HomePage, SignedOutPage, WelcomePage, display_name, lines};
use super::texts::Texts;
use super::visits::{COOKIE, SignedIn, Visit, Visits};
use super::{Settings, Tools};
use crate::http::loopback;

struct RelyingParty {
    settings: Settings,
    tools: Tools,
    visits: Visits,
    ui: Ui,
}

type Shared = State<Arc<RelyingParty>>;

/// The whole application, to be served at `settings.base_url`.
pub(crate) fn router(settings: Settings, tools: Tools) -> Result<Router, ConfigError> {
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
    let shared = Arc::new(RelyingParty { settings, tools, visits: Visits::default(), ui });
    let router = Router::new()
        .route("/", get(home))
        .route("/sign-in", post(sign_in))
        .route("/callback", get(callback))
        .route("/call-api", post(call_api))
        .route("/sign-out", post(sign_out))
        .route("/signed-out", get(signed_out))
        .route(ui::assets::ROUTE, get(asset))
        .with_state(shared);
    Ok(loopback::redirect_to(base_url.as_str(), |path| path == "/", router))
}

async fn home(State(app): Shared, Cx(cx): Cx, headers: HeaderMap) -> Response {
    let texts = Texts::of(app.ui.language(cx.locale));
    match app.visits.find(cookies::get(&headers, COOKIE), cx.now) {
        Some(Visit::SignedIn(person)) => app.home(cx.locale, &person, None),
        Some(Visit::Leaving(_)) | None => {
            let page = WelcomePage { texts, sign_in: Button::submit(texts.sign_in) };
            app.ui.respond(cx.locale, Page::titled(texts.title), &page).into_response()
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
            let token = app.visits.open(Visit::SignedIn(person), &app.tools.rng, cx.now);
            with_cookie(Redirect::to("/"), &cookie(token.expose()))
        }
        Err(error) => app.failed(cx.locale, &error),
    }
}

async fn call_api(State(app): Shared, Cx(cx): Cx, headers: HeaderMap) -> Response {
    let Some(Visit::SignedIn(person)) = app.visits.find(cookies::get(&headers, COOKIE), cx.now) else {
        return Redirect::to("/").into_response();
    };
    let answer = app.ask_api(person.access_token.expose()).await;
    app.home(cx.locale, &person, Some(answer))
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
    fn home(&self, locale: Locale, person: &SignedIn, answer: Option<ApiAnswer>) -> Response {
        let texts = Texts::of(self.ui.language(locale));
        let page = HomePage {
            texts,
            name: display_name(&person.claims),
            claims: lines(&person.claims),
            call_api: Button::submit(texts.call_api),
            answer,
            account_url: self.settings.account_url.to_string(),
            sign_out: Button::submit(texts.sign_out).of_kind(ButtonKind::Secondary),
        };
        let frame = Page { width: Width::Wide, ..Page::titled(texts.title) };
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
    async fn ask_api(&self, access_token: &str) -> ApiAnswer {
        let url = format!("{}/hello", self.settings.api_url.as_str().trim_end_matches('/'));
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
    use base::{Clock, Context, RequestId, Rng, Secret, TenantId, Timestamp};
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
        router(settings, tools).unwrap()
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
