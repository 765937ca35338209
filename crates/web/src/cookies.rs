//! Cookies: read from every `Cookie` header of a request, written with all attributes (RFC 6265).

use std::time::Duration;

use cookie::Cookie;
use cookie::time::OffsetDateTime;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

pub use cookie::SameSite;

/// The value of the first cookie called `name`.
pub fn get<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    all(headers).find(|(its_name, _)| *its_name == name).map(|(_, value)| value)
}

/// Every cookie of the request, in order.
pub fn all(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    pairs(headers).flat_map(parse)
}

/// All cookies of the request as one header value; HTTP/2 may split them into several fields (RFC 9113 section 8.2.3).
pub fn joined(headers: &HeaderMap) -> Option<String> {
    let mut pairs = pairs(headers).map(str::trim).filter(|pair| !pair.is_empty());
    let first = pairs.next()?.to_owned();
    Some(pairs.fold(first, |joined, next| joined + "; " + next))
}

/// The pairs that are text. Another application of the site may set a cookie with other bytes; only that cookie is ignored.
fn pairs(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let pairs = headers.get_all(COOKIE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    pairs.filter(|pair| pair.is_ascii()).filter_map(|pair| std::str::from_utf8(pair).ok())
}

/// The cookies of one `Cookie` header's value.
pub fn parse(header: &str) -> impl Iterator<Item = (&str, &str)> {
    Cookie::split_parse(header).filter_map(|cookie| {
        let cookie = cookie.ok()?;
        let (name, value) = (cookie.name_raw()?, cookie.value_raw()?);
        let unquoted = value.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(value);
        Some((name, unquoted))
    })
}

/// A `Set-Cookie` header in the making. `HttpOnly` and `Path=/` unless said otherwise.
#[derive(Clone, Debug)]
pub struct SetCookie(Cookie<'static>);

impl SetCookie {
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        let cookie = Cookie::build((name.into(), value.into()));
        Self(cookie.path("/").http_only(true).secure(false).same_site(SameSite::Lax).build())
    }

    /// A cookie that makes the browser delete the one of that name; path and domain must be those it was set with.
    pub fn removal(name: impl Into<String>) -> Self {
        Self::new(name, "").max_age(Some(Duration::ZERO))
    }

    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.0.set_path(path.into());
        self
    }

    #[must_use]
    pub fn domain(mut self, domain: Option<String>) -> Self {
        match domain.filter(|it| !it.is_empty()) {
            Some(domain) => self.0.set_domain(domain),
            None => self.0.unset_domain(),
        }
        self
    }

    /// `None` makes the cookie end with the browser session.
    #[must_use]
    pub fn max_age(mut self, max_age: Option<Duration>) -> Self {
        let ends_at_once = max_age.is_some_and(|it| it.is_zero());
        self.0.set_expires(ends_at_once.then_some(OffsetDateTime::UNIX_EPOCH));
        self.0
            .set_max_age(max_age.map(|it| cookie::time::Duration::try_from(it).unwrap_or(cookie::time::Duration::MAX)));
        self
    }

    /// Browsers ignore `SameSite=None` without `Secure`, so it becomes `Lax` then.
    #[must_use]
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.0.set_same_site(same_site);
        self
    }

    #[must_use]
    pub fn secure(mut self, secure: bool) -> Self {
        self.0.set_secure(secure);
        self
    }

    #[must_use]
    pub fn http_only(mut self, http_only: bool) -> Self {
        self.0.set_http_only(http_only);
        self
    }

    /// The header's value. If the name or value contains bytes that a header cannot contain, the value is empty and sets
    /// nothing.
    pub fn header(&self) -> HeaderValue {
        let mut cookie = self.0.clone();
        if cookie.same_site() == Some(SameSite::None) && cookie.secure() != Some(true) {
            cookie.set_same_site(SameSite::Lax);
        }
        HeaderValue::from_str(&cookie.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_read_from_every_header() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; b=\"two\"; =x; nonsense"));
        headers.append(COOKIE, HeaderValue::from_static("c=x=y"));
        assert_eq!(get(&headers, "a"), Some("1"));
        assert_eq!(get(&headers, "b"), Some("two"));
        assert_eq!(get(&headers, "c"), Some("x=y"));
        assert_eq!(get(&headers, "nonsense"), None);
    }

    #[test]
    fn a_cookie_that_is_not_text_hides_no_other() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_bytes(b"a=1; caf\xe9=\xe9; b=2").unwrap());
        headers.append(COOKIE, HeaderValue::from_static("c=3;"));
        assert_eq!(all(&headers).collect::<Vec<_>>(), [("a", "1"), ("b", "2"), ("c", "3")]);
        assert_eq!(joined(&headers).as_deref(), Some("a=1; b=2; c=3"));
        assert_eq!(joined(&HeaderMap::new()), None);
    }

    #[test]
    fn all_attributes_are_written() {
        let cookie = SetCookie::new("s", "v").domain(Some("example.org".into())).max_age(Some(Duration::from_mins(1)));
        assert_eq!(
            cookie.clone().secure(true).same_site(SameSite::None).header(),
            "s=v; HttpOnly; SameSite=None; Secure; Path=/; Domain=example.org; Max-Age=60"
        );
        assert_eq!(
            cookie.same_site(SameSite::None).header(),
            "s=v; HttpOnly; SameSite=Lax; Path=/; Domain=example.org; Max-Age=60"
        );
        assert_eq!(SetCookie::new("s", "a\nb").header(), "");
        assert_eq!(
            SetCookie::removal("s").path("/a").http_only(false).header(),
            "s=; SameSite=Lax; Path=/a; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
        );
    }
}
