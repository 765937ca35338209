//! Error pages: a refusal that a program gets as JSON is shown as a page to a person with a browser.
//!
//! Invariants: the status and the headers of the answer are kept, and no part of the request is shown. An answer that is a page
//! already, and every answer to a program, is unchanged.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use base::Context;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderMap, StatusCode};
use ui::{RefusalPage, Ui};
use web::ErrorId;
use web::media_types::is_navigation;
use web::middleware::{self, Next};

/// Marks the response to an address that cannot be read. A `400` of an operation is about its input and is not replaced.
#[derive(Clone, Copy, Debug)]
pub(super) struct AddressRefused;

/// What the pages of a listener need.
#[derive(Clone)]
pub(crate) struct ErrorPages {
    ui: Ui,
    /// The URL of the page where people begin.
    start: Option<Arc<str>>,
    /// Paths that only programs call.
    for_programs: &'static [&'static str],
}

impl ErrorPages {
    pub(crate) fn new(ui: Ui, start: Option<&str>, for_programs: &'static [&'static str]) -> Self {
        Self { ui, start: start.map(Arc::from), for_programs }
    }

    pub(crate) fn around(self, router: Router) -> Router {
        router.layer(middleware::from_fn_with_state(self, pass))
    }

    fn page(&self, cx: Option<&Context>, status: StatusCode) -> Option<Response> {
        let locale = cx.map(|cx| cx.locale).unwrap_or_default();
        let strings = self.ui.localizer(locale).strings();
        let request_id = cx.map(|cx| cx.request_id.to_string());
        let page = RefusalPage::new(status, strings, self.start.as_deref(), request_id)?;
        Some(self.ui.respond(locale, page.page(), &page).map(Body::from))
    }
}

async fn pass(State(pages): State<ErrorPages>, request: Request, next: Next) -> Response {
    let is_for_person = is_navigation(request.headers()) && !pages.for_programs.contains(&request.uri().path());
    if !is_for_person {
        return next.run(request).await;
    }
    let cx = request.extensions().get::<Context>().cloned();
    let response = next.run(request).await;
    if !is_refusal(&response) {
        return response;
    }
    let Some(mut page) = pages.page(cx.as_ref(), response.status()) else { return response };
    keep(response.headers(), page.headers_mut());
    page
}

/// Whether the response is a refusal in JSON. A `403` counts when it is about the origin of the request: others are for
/// programs.
fn is_refusal(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE);
    let is_json = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let is_about_origin = || {
        let id = response.extensions().get::<ErrorId>();
        id.is_some_and(|id| matches!(id.0, "security_csrf_violation" | "security_identity_mismatch"))
    };
    is_json
        && match response.status() {
            StatusCode::BAD_REQUEST => response.extensions().get::<AddressRefused>().is_some(),
            StatusCode::FORBIDDEN => is_about_origin(),
            _ => true,
        }
}

/// The headers of the answer, except those of its body; the page's own security headers take precedence.
fn keep(from: &HeaderMap, to: &mut HeaderMap) {
    let own: Vec<_> = to.keys().cloned().collect();
    for (name, value) in from {
        if ![CONTENT_TYPE, CONTENT_LENGTH, TRANSFER_ENCODING].contains(name) && !own.contains(name) {
            to.append(name, value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use axum::response::IntoResponse as _;
    use axum::routing::{get, post};
    use http::header::{ACCEPT, ALLOW, HOST, RETRY_AFTER, SET_COOKIE};
    use serde_json::Value;
    use tower::ServiceExt as _;
    use web::RestError;

    use super::*;
    use crate::http::{ListenerBounds, with_bounds_and_error_format};
    use service::ErrorFormat;

    const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

    fn router(format: ErrorFormat) -> Router {
        let csrf = || async { RestError::new(StatusCode::FORBIDDEN, "no").with_id("security_csrf_violation") };
        let aal2 = || async { RestError::new(StatusCode::FORBIDDEN, "no").with_id("session_aal2_required") };
        let busy = || async { (StatusCode::SERVICE_UNAVAILABLE, RestError::unavailable(7)).into_response() };
        let many = || async {
            let error = RestError::new(StatusCode::TOO_MANY_REQUESTS, "no").into_response();
            ([(RETRY_AFTER, "9"), (SET_COOKIE, "a=b")], error)
        };
        let routes = Router::new()
            .route("/names/{name}", get(|| async { "name" }))
            .route("/operation", get(|| async { RestError::bad_request("input") }))
            .route("/csrf", get(csrf))
            .route("/aal2", get(aal2))
            .route("/busy", get(busy))
            .route("/many", get(many))
            .route("/form", post(|body: String| async move { body }))
            .route("/token", post(|body: String| async move { body }));
        let ui = Ui::new(ui::Config::default()).unwrap();
        let pages = ErrorPages::new(ui, Some("https://id.example/"), &["/token"]);
        pages.around(with_bounds_and_error_format(format, ListenerBounds::public(64 * 1024), routes))
    }

    async fn ask(
        format: ErrorFormat,
        method: &str,
        target: &str,
        accept: &str,
        body: String,
    ) -> (u16, HeaderMap, String) {
        let request = Request::builder().method(method).uri(target).header(HOST, "a.example").header(ACCEPT, accept);
        let answer = router(format).oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, 1 << 20).await.unwrap();
        (parts.status.as_u16(), parts.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_person_in_a_browser_gets_a_page_and_a_program_json() {
        for (method, target, status, title) in [
            (
                "GET",
                "/<script>nothing</script>".replace('<', "%3C").replace('>', "%3E"),
                404,
                "This page does not exist",
            ),
            ("POST", "/names/a".to_owned(), 405, "This address cannot be opened in this way"),
            ("GET", "/names/a%00b".to_owned(), 400, "The address of this page is not valid"),
            ("GET", format!("/names/a?{}", "a".repeat(40_000)), 414, "The address of this page is not valid"),
            ("GET", "/csrf".to_owned(), 403, "The request was not accepted"),
            ("GET", "/many".to_owned(), 429, "There were too many requests"),
            ("GET", "/busy".to_owned(), 503, "The service cannot answer right now"),
        ] {
            for format in [ErrorFormat::Rest, ErrorFormat::OAuth] {
                let (found, headers, html) = ask(format, method, &target, BROWSER, String::new()).await;
                assert_eq!((found, headers[CONTENT_TYPE].to_str().unwrap()), (status, "text/html; charset=utf-8"));
                assert!(html.contains(&format!("<h1>{title}</h1>")), "{target}: {html}");
                assert!(html.contains("href=\"https://id.example/\"") && !html.contains("nothing"), "{html}");
                assert!(headers.contains_key("content-security-policy"));
                assert_eq!(headers.contains_key(ALLOW), status == 405);
                for accept in ["application/json", "*/*", "text/html;q=0", "text/html;q=0.1, application/json"] {
                    let (found, headers, json) = ask(format, method, &target, accept, String::new()).await;
                    assert_eq!((found, headers[CONTENT_TYPE].to_str().unwrap()), (status, "application/json"));
                    assert!(serde_json::from_str::<Value>(&json).unwrap()["error"] != Value::Null, "{json}");
                }
            }
        }
    }

    #[tokio::test]
    async fn the_headers_of_the_answer_are_kept() {
        let (_, headers, _) = ask(ErrorFormat::Rest, "GET", "/many", BROWSER, String::new()).await;
        assert_eq!((&headers[RETRY_AFTER], &headers[SET_COOKIE]), (&"9".parse().unwrap(), &"a=b".parse().unwrap()));
        let (_, headers, _) = ask(ErrorFormat::Rest, "GET", "/busy", BROWSER, String::new()).await;
        assert_eq!(headers[RETRY_AFTER], "7");
        assert_eq!(headers.get_all(CONTENT_TYPE).iter().count(), 1);
    }

    #[tokio::test]
    async fn the_error_of_an_operation_is_not_replaced_by_a_page() {
        for (method, target, status) in [("GET", "/operation", 400), ("GET", "/aal2", 403)] {
            let (found, headers, _) = ask(ErrorFormat::Rest, method, target, BROWSER, String::new()).await;
            assert_eq!((found, headers[CONTENT_TYPE].to_str().unwrap()), (status, "application/json"));
        }
        let large = "a".repeat(65 * 1024);
        let (found, headers, _) = ask(ErrorFormat::OAuth, "POST", "/token", BROWSER, large.clone()).await;
        assert_eq!((found, headers[CONTENT_TYPE].to_str().unwrap()), (413, "application/json"));
        let (found, headers, html) = ask(ErrorFormat::OAuth, "POST", "/form", BROWSER, large).await;
        assert_eq!((found, headers[CONTENT_TYPE].to_str().unwrap()), (413, "text/html; charset=utf-8"), "{html}");
    }
}
