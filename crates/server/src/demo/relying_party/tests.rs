use base::{Clock, Locale, RequestId, Rng, Secret, TenantId, Timestamp};
use serde_json::json;
use tower::ServiceExt as _;
use web::outbound::{Client, Destinations};

use super::super::visits::Departure;
use super::*;

const NOW: Timestamp = Timestamp::EPOCH;

fn app() -> Arc<RelyingParty> {
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
    // Nothing answers there.
    let nowhere: url::Url = "http://127.0.0.1:1/".parse().unwrap();
    let apis = Apis { permissions_read: nowhere.clone(), permissions_write: nowhere.clone(), identities: nowhere };
    let documents = Documents::new(apis, tools.http.clone());
    let design = Design::new().unwrap();
    Arc::new(RelyingParty { settings, tools, visits: Visits::default(), documents, design })
}

/// Opens a visit and returns the header of its cookie.
fn visit(app: &RelyingParty, visit: Visit) -> String {
    format!("{COOKIE}={}", app.visits.open(visit, &app.tools.rng, NOW).expose())
}

fn ada() -> Visit {
    let secret = || Secret::new(String::new());
    Visit::SignedIn(SignedIn { claims: json!({ "sub": "ada" }), id_token: secret(), access_token: secret() })
}

async fn answer(
    app: &Arc<RelyingParty>,
    request: http::request::Builder,
    body: &'static str,
) -> (StatusCode, HeaderMap, String) {
    let mut request = request.body(Body::from(body)).unwrap();
    let mut cx = Context::for_background(NOW, TenantId::DEFAULT, RequestId(uuid::Uuid::nil()));
    let language = request.headers().get("accept-language").and_then(|value| value.to_str().ok());
    cx.locale = language.and_then(Locale::from_tag).unwrap_or_default();
    request.extensions_mut().insert(cx);
    let response = routes(Arc::clone(app)).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
}

/// The cookie that an answer sets, as the header of the next request.
fn kept(headers: &HeaderMap) -> String {
    headers[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_visitor_without_a_session_is_asked_to_sign_in() {
    for (language, title) in [
        ("en", "<title>Sign in with Kleis – Sample app</title>"),
        ("de", "<title>Mit Kleis anmelden – Beispiel-App</title>"),
    ] {
        let (status, headers, body) = answer(&app(), Request::get("/").header("accept-language", language), "").await;
        assert_eq!(status, StatusCode::OK);
        assert!(headers.contains_key("content-security-policy"));
        assert!(body.contains(r#"action="/sign-in" method="post""#), "{body}");
        assert!(body.contains(title), "{body}");
    }
}

#[tokio::test]
async fn a_callback_without_a_pending_sign_in_is_refused() {
    let (status, headers, body) = answer(&app(), Request::get("/callback?code=stolen&state=x"), "").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(!headers.contains_key(SET_COOKIE));
    assert!(body.contains("<h1>This sign-in is over</h1>"), "{body}");
}

#[tokio::test]
async fn a_person_who_does_not_allow_the_access_reads_so_in_their_language() {
    for (language, heading) in [("en", "You are not signed in"), ("de", "Sie sind nicht angemeldet")] {
        let app = app();
        let code_verifier = Secret::new(String::new());
        let departure = Departure { state: "s".into(), nonce: "n".into(), code_verifier };
        let cookie = visit(&app, Visit::Leaving(departure, None));
        let request = Request::get("/callback?error=access_denied&error_description=The+owner+denied&state=s");
        let request = request.header("cookie", cookie).header("accept-language", language);
        let (status, _, body) = answer(&app, request, "").await;
        assert_eq!(status, StatusCode::OK);
        assert!(body.contains(&format!("<h1>{heading}</h1>")), "{body}");
        assert!(body.contains(r#"action="/sign-in""#) && body.contains(r#"href="/""#), "{body}");
        let (message, details) = body.split_once("<details").unwrap();
        assert!(!message.contains("denied") && details.contains("access_denied"), "{body}");
    }
}

#[tokio::test]
async fn what_no_handler_accepts_gets_a_page_with_a_link_home() {
    for (request, expected, heading) in [
        (Request::get("/nothing"), 404, "This page does not exist"),
        (Request::get("/share"), 405, "This address cannot be opened in this way"),
        (Request::get("/callback?state=a&state=b"), 400, "The address of this page is not valid"),
    ] {
        let (status, _, body) = answer(&app(), request, "").await;
        assert_eq!(status.as_u16(), expected, "{body}");
        assert!(body.contains(&format!("<h1>{heading}</h1>")) && body.contains(r#"href="/""#), "{body}");
    }
}

#[tokio::test]
async fn a_refused_address_is_shown_with_its_problem_and_the_title_begins_with_it() {
    for (body, field, problem) in [
        ("reader=", "reader", "Enter an email address."),
        ("reader=%20", "reader", "Enter an email address."),
        ("owner=", "owner", "Enter an email address."),
        ("reader=bob%40example.org", "reader", "one of the services did not answer"),
    ] {
        let app = app();
        let cookie = visit(&app, ada());
        let path = if field == READER { "/share" } else { "/open" };
        let (status, headers, _) = answer(&app, Request::post(path).header("cookie", &cookie), body).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        assert_eq!(headers["location"], format!("/#{field}"), "the field gets the focus");
        let (_, _, html) = answer(&app, Request::get("/").header("cookie", &cookie), "").await;
        assert!(html.contains("<title>Error: Hello – Sample app</title>"), "{html}");
        let shown = html.split_once(&format!(r#"id="{field}-problem""#)).unwrap().1;
        assert!(shown.split_once("</p>").unwrap().0.contains(problem), "{html}");
    }
}

#[tokio::test]
async fn a_form_after_the_end_of_the_session_leads_to_a_sign_in_that_keeps_the_address() {
    let app = app();
    let share = Request::post("/share").header("cookie", format!("{COOKIE}=ended"));
    let (_, headers, _) = answer(&app, share, "reader=bob%40example.org").await;
    assert_eq!(headers["location"], "/");
    let cookie = kept(&headers);
    let (_, _, html) = answer(&app, Request::get("/").header("cookie", &cookie), "").await;
    assert!(html.contains("Your session in the sample app has ended") && html.contains("/sign-in"), "{html}");
    let resume = Resume { place: READER, typed: "bob@example.org".into() };
    let token = cookie.split_once('=').unwrap().1;
    assert!(matches!(app.visits.find(Some(token), NOW), Some(Visit::Ended(kept)) if kept == resume));
    // After the sign-in.
    let cookie = visit(&app, ada());
    app.visits.keep_outcome(Some(cookie.split_once('=').unwrap().1), Outcome::Resumed(resume));
    let (_, _, html) = answer(&app, Request::get("/").header("cookie", &cookie), "").await;
    assert!(html.contains(r#"name="reader" type="email" value="bob@example.org""#), "{html}");
}

#[tokio::test]
async fn a_form_of_a_page_of_another_origin_is_refused_and_changes_no_cookie() {
    let app = app();
    let cookie = visit(&app, ada());
    for headers in [
        &[("origin", "http://localhost:9999"), ("sec-fetch-site", "same-site")][..],
        &[("origin", "http://127.0.0.1:4491")],
        &[("origin", "https://127.0.0.1:4490")],
        &[("origin", "http://127.0.0.1:4490.evil.example")],
        &[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")],
        &[("origin", "http://127.0.0.1:4490"), ("sec-fetch-site", "cross-site")],
        &[("origin", "http://127.0.0.1:4490"), ("origin", "https://evil.example")],
        &[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")],
        &[("origin", "null"), ("sec-fetch-site", "none")],
        &[("origin", "null")],
        &[("origin", "")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "")],
        &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
    ] {
        for path in ["/sign-in", "/call-api", "/share", "/revoke", "/open", "/sign-out", "/of-no-handler"] {
            for kind in ["application/x-www-form-urlencoded", "text/plain"] {
                let mut request = Request::post(path).header("cookie", &cookie).header("content-type", kind);
                for (name, value) in headers {
                    request = request.header(*name, *value);
                }
                let (status, answered, html) = answer(&app, request, "reader=").await;
                assert_eq!(status, StatusCode::FORBIDDEN, "{path} {headers:?}");
                assert!(!answered.contains_key(SET_COOKIE), "{path} {headers:?}");
                assert!(html.contains("This request did not come from one of our pages"), "{html}");
            }
        }
    }
    let token = cookie.split_once('=').unwrap().1;
    assert!(app.visits.take_outcome(Some(token)).is_none(), "no form was accepted");
    assert!(matches!(app.visits.find(Some(token), NOW), Some(Visit::SignedIn(_))), "the person is still signed in");
}

#[tokio::test]
async fn a_form_of_its_own_pages_or_of_a_program_is_accepted() {
    for headers in [
        &[("origin", "http://127.0.0.1:4490"), ("sec-fetch-site", "same-origin")][..],
        &[("origin", "http://127.0.0.1:4490")],
        &[("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "none")],
        &[],
    ] {
        let app = app();
        let mut request = Request::post("/share").header("cookie", visit(&app, ada()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (status, answered, _) = answer(&app, request, "reader=").await;
        assert_eq!(
            (status, &answered["location"]),
            (StatusCode::SEE_OTHER, &"/#reader".parse().unwrap()),
            "{headers:?}"
        );
    }
}

#[tokio::test]
async fn a_page_of_another_site_may_link_to_the_application() {
    let link = Request::get("/").header("sec-fetch-site", "cross-site");
    assert_eq!(answer(&app(), link, "").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_link_to_the_callback_ends_no_session() {
    let app = app();
    let cookie = visit(&app, ada());
    let link = Request::get("/callback?code=c&state=s").header("cookie", &cookie);
    let (status, headers, _) = answer(&app, link, "").await;
    assert!(status.is_client_error() && !headers.contains_key(SET_COOKIE), "{status}");
    let token = cookie.split_once('=').unwrap().1;
    assert!(matches!(app.visits.find(Some(token), NOW), Some(Visit::SignedIn(_))));
}

#[tokio::test]
async fn visits_of_strangers_do_not_end_that_of_a_person() {
    let app = app();
    let earlier = Timestamp::from_unix_seconds(-1);
    let token = app.visits.open(ada(), &app.tools.rng, earlier);
    for _ in 0..1_005 {
        let (_, headers, _) = answer(&app, Request::post("/share"), "reader=x").await;
        assert!(headers.contains_key(SET_COOKIE), "a visit is opened");
    }
    assert!(matches!(app.visits.find(Some(token.expose()), NOW), Some(Visit::SignedIn(_))));
}

#[tokio::test]
async fn signing_out_deletes_the_cookie_even_without_a_session() {
    let (status, headers, _) = answer(&app(), Request::post("/sign-out"), "").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(headers["location"], "/signed-out");
    assert!(headers[SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
}

#[tokio::test]
async fn an_unreachable_provider_is_reported() {
    let (status, _, body) = answer(&app(), Request::post("/sign-in"), "").await;
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    assert!(body.contains("<h1>Signing in does not work right now</h1>"), "{body}");
}
