//! Cookies: read from every `Cookie` header of a request, written with all attributes (RFC 6265).

use std::fmt::Write as _;
use std::time::Duration;

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};

/// The value of the first cookie called `name`.
pub fn get<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    all(headers).find(|(its_name, _)| *its_name == name).map(|(_, value)| value)
}

/// Every cookie of the request, in order.
pub fn all(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(parse)
}

/// The cookies of one `Cookie` header's value.
pub fn parse(header: &str) -> impl Iterator<Item = (&str, &str)> {
    header.split(';').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let value = value.trim();
        let unquoted = value.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(value);
        Some((name.trim(), unquoted))
    })
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SameSite {
    Strict,
    #[default]
    Lax,
    None,
}

/// A builder of a `Set-Cookie` header. The defaults are `HttpOnly` and `Path=/`.
#[derive(Clone, Debug)]
pub struct SetCookie {
    name: String,
    value: String,
    path: String,
    domain: Option<String>,
    max_age: Option<Duration>,
    same_site: SameSite,
    secure: bool,
    http_only: bool,
}

impl SetCookie {
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
            path: "/".to_owned(),
            domain: None,
            max_age: None,
            same_site: SameSite::Lax,
            secure: false,
            http_only: true,
        }
    }

    /// A cookie that makes the browser delete the one of that name; path and domain must be those it was set with.
    pub fn removal(name: impl Into<String>) -> Self {
        Self::new(name, "").max_age(Some(Duration::ZERO))
    }

    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    #[must_use]
    pub fn domain(mut self, domain: Option<String>) -> Self {
        self.domain = domain.filter(|it| !it.is_empty());
        self
    }

    /// `None` makes the cookie end with the browser session.
    #[must_use]
    pub fn max_age(mut self, max_age: Option<Duration>) -> Self {
        self.max_age = max_age;
        self
    }

    /// Browsers ignore `SameSite=None` without `Secure`, so it becomes `Lax` then.
    #[must_use]
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    #[must_use]
    pub fn secure(mut self, secure: bool) -> Self {
        self.secure = secure;
        self
    }

    #[must_use]
    pub fn http_only(mut self, http_only: bool) -> Self {
        self.http_only = http_only;
        self
    }

    /// The header's value. If the name or value contains bytes that a header cannot contain, the value is empty and sets
    /// nothing.
    pub fn header(&self) -> HeaderValue {
        let mut text = format!("{}={}; Path={}", self.name, self.value, self.path);
        if let Some(domain) = &self.domain {
            let _ = write!(text, "; Domain={domain}");
        }
        if let Some(max_age) = self.max_age {
            let _ = write!(text, "; Max-Age={}", max_age.as_secs());
            if max_age.is_zero() {
                text.push_str("; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
            }
        }
        if self.http_only {
            text.push_str("; HttpOnly");
        }
        if self.secure {
            text.push_str("; Secure");
        }
        text.push_str(match self.same_site {
            SameSite::Strict => "; SameSite=Strict",
            SameSite::None if self.secure => "; SameSite=None",
            SameSite::None | SameSite::Lax => "; SameSite=Lax",
        });
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
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
    fn all_attributes_are_written() {
        let cookie = SetCookie::new("s", "v").domain(Some("example.org".into())).max_age(Some(Duration::from_mins(1)));
        assert_eq!(
            cookie.clone().secure(true).same_site(SameSite::None).header(),
            "s=v; Path=/; Domain=example.org; Max-Age=60; HttpOnly; Secure; SameSite=None"
        );
        assert_eq!(
            cookie.same_site(SameSite::None).header(),
            "s=v; Path=/; Domain=example.org; Max-Age=60; HttpOnly; SameSite=Lax"
        );
        assert_eq!(SetCookie::new("s", "a\nb").header(), "");
    }
}
