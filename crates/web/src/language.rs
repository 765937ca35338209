//! The language of a page: the person's choice, else the browser's preference (RFC 9110 section 12.5.4).
//!
//! Invariants:
//! - Only a language that the pages have texts for is chosen; any other value of the cookie or parameter counts as absent.
//! - A choice affects only texts, because any site can link to it.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;
use base::{Context, Locale};
use http::header::{ACCEPT_LANGUAGE, SET_COOKIE};
use http::{HeaderMap, Method};

use crate::cookies::{self, SetCookie};
use crate::middleware::Next;

/// The cookie that stores a choice.
pub const COOKIE: &str = "kleis_language";
/// The parameter that makes a choice: `?lang=de`.
pub const PARAMETER: &str = "lang";

const KEPT_FOR: Duration = Duration::from_hours(24 * 365);
/// More than any browser sends.
const MOST_RANGES: usize = 16;

/// The languages that the pages have texts for. The first one is the default.
#[derive(Clone, Debug, Default)]
pub struct Languages(Arc<[Locale]>);

impl Languages {
    /// With an empty list every language of a browser is accepted, and there is no choice.
    pub fn new(languages: impl IntoIterator<Item = Locale>) -> Self {
        Self(languages.into_iter().collect())
    }

    fn known(&self, tag: &str) -> Option<Locale> {
        Locale::from_tag(tag).filter(|locale| self.0.contains(locale))
    }

    /// The language that an earlier request chose.
    pub(crate) fn chosen(&self, headers: &HeaderMap) -> Option<Locale> {
        if self.0.is_empty() { None } else { self.known(cookies::get(headers, COOKIE)?) }
    }

    /// The available language with the highest weight in `Accept-Language`; the first one of equal weight.
    pub(crate) fn preferred(&self, headers: &HeaderMap) -> Locale {
        let otherwise = || self.0.first().copied().unwrap_or_default();
        let Some(value) = headers.get(ACCEPT_LANGUAGE).and_then(|it| it.to_str().ok()) else { return otherwise() };
        let mut best: Option<(f32, Locale)> = None;
        for range in value.split(',').take(MOST_RANGES) {
            let mut parts = range.split(';');
            let Some(locale) = parts.next().and_then(|tag| Locale::from_tag(tag.trim())) else { continue };
            if !self.0.is_empty() && !self.0.contains(&locale) {
                continue;
            }
            let weight = parts.find_map(|it| it.trim().strip_prefix("q=")?.parse().ok()).unwrap_or(1.0_f32);
            if weight > 0.0 && best.is_none_or(|(so_far, _)| weight > so_far) {
                best = Some((weight, locale));
            }
        }
        best.map_or_else(otherwise, |(_, locale)| locale)
    }
}

/// The state of [`keep_choice`].
#[derive(Clone, Debug)]
pub struct LanguageChoice {
    pub languages: Languages,
    /// Whether the pages are served over HTTPS only.
    pub is_secure: bool,
}

/// For the routes of pages: `?lang=de` chooses a language for the answer and, by a cookie, for all later pages of the host.
/// Only a `GET` can choose, so that a link repeats its own page and no form is lost.
pub async fn keep_choice(State(choice): State<LanguageChoice>, mut request: Request, next: Next) -> Response {
    let query = request.uri().query().filter(|_| request.method() == Method::GET).unwrap_or_default();
    let chosen = url::form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name == PARAMETER)
        .last()
        .and_then(|(_, tag)| choice.languages.known(&tag));
    let Some(locale) = chosen else { return next.run(request).await };
    if let Some(cx) = request.extensions_mut().get_mut::<Context>() {
        cx.locale = locale;
        cx.locale_is_chosen = true;
    }
    let mut response = next.run(request).await;
    let cookie = SetCookie::new(COOKIE, locale.as_str()).max_age(Some(KEPT_FOR)).secure(choice.is_secure);
    response.headers_mut().append(SET_COOKIE, cookie.header());
    response
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use base::{RequestId, TenantId, Timestamp};
    use http::header::COOKIE as COOKIE_HEADER;
    use http::{HeaderName, HeaderValue};
    use tower::ServiceExt as _;

    use super::*;
    use crate::Cx;
    use crate::middleware::from_fn_with_state;

    fn languages() -> Languages {
        Languages::new(["de", "en", "ar"].into_iter().filter_map(Locale::from_tag))
    }

    fn with(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn the_known_language_with_the_highest_weight_is_preferred() {
        let preferred = |text| languages().preferred(&with(ACCEPT_LANGUAGE, text)).as_str().to_owned();
        assert_eq!(preferred("en-GB, de;q=0.8"), "en");
        assert_eq!(preferred("fr, ar;q=0.2, en;q=0.9, *;q=0.1"), "en");
        assert_eq!(preferred("en;q=0, ar;q=0.1"), "ar");
        assert_eq!(preferred("fr, ;;;, x, q=1"), "de", "the first is the default");
        assert_eq!(languages().preferred(&HeaderMap::new()).as_str(), "de");
        assert_eq!(Languages::default().preferred(&with(ACCEPT_LANGUAGE, "fr;q=0.2, it")).as_str(), "it");
        assert_eq!(Languages::default().preferred(&HeaderMap::new()).as_str(), "en");
    }

    #[test]
    fn a_cookie_with_an_unknown_language_chooses_nothing() {
        let chosen = |text| languages().chosen(&with(COOKIE_HEADER, text)).map(|locale| locale.as_str().to_owned());
        assert_eq!(chosen("a=b; kleis_language=ar").as_deref(), Some("ar"));
        for bad in ["kleis_language=fr", "kleis_language=", "kleis_language=english", "a=b", "kleis_language=<de>"] {
            assert_eq!(chosen(bad), None, "{bad}");
        }
        assert!(Languages::default().chosen(&with(COOKIE_HEADER, "kleis_language=ar")).is_none());
    }

    async fn answer(method: Method, query: &str) -> (String, Option<String>) {
        let page = async |Cx(cx): Cx| format!("{} {}", cx.locale.as_str(), cx.locale_is_chosen);
        let choice = LanguageChoice { languages: languages(), is_secure: true };
        let router = Router::new().route("/", get(page).post(page)).layer(from_fn_with_state(choice, keep_choice));
        let cx = Context::for_background(Timestamp::EPOCH, TenantId::DEFAULT, RequestId(base::uuid::Uuid::nil()));
        let request = Request::builder().method(method).uri(format!("/{query}")).extension(cx);
        let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let cookie = response.headers().get(SET_COOKIE).map(|it| it.to_str().unwrap().to_owned());
        let body = to_bytes(response.into_body(), 100).await.unwrap();
        (String::from_utf8(body.to_vec()).unwrap(), cookie)
    }

    #[tokio::test]
    async fn a_link_chooses_the_language_of_its_page_and_of_later_ones() {
        let (body, cookie) = answer(Method::GET, "?flow=1&lang=ar").await;
        assert_eq!(body, "ar true");
        assert_eq!(answer(Method::GET, "?lang=ar&lang=en").await.0, "en true", "the last one counts");
        let expected = "kleis_language=ar; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=31536000";
        assert_eq!(cookie.as_deref(), Some(expected));
    }

    #[tokio::test]
    async fn only_a_known_language_in_a_get_is_chosen() {
        for (method, query) in [(Method::GET, "?lang=fr"), (Method::GET, "?lang="), (Method::POST, "?lang=ar")] {
            assert_eq!(answer(method, query).await, ("en false".to_owned(), None), "{query}");
        }
    }
}
