//! The cookies of a browser (RFC 6265): where they are sent, and until when. The time is the test's, so that a test can move past
//! the expiry of a cookie.

use std::time::Duration;

use base::{Clock, Timestamp};
use cookie::{Cookie, SameSite};
use url::{Host, Url};

/// A cookie as a browser keeps it (RFC 6265 section 5.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCookie {
    pub name: String,
    pub value: String,
    pub domain: String,
    /// Sent only to `domain` and not to its subdomains.
    pub host_only: bool,
    pub path: String,
    pub secure: bool,
    pub http_only: bool,
    pub same_site: Option<SameSite>,
    /// None for a session cookie.
    pub expires_at: Option<Timestamp>,
}

/// A browser's cookies.
#[derive(Clone, Debug)]
pub struct CookieJar {
    clock: Clock,
    cookies: Vec<StoredCookie>,
}

impl CookieJar {
    pub fn new(clock: Clock) -> Self {
        Self { clock, cookies: Vec::new() }
    }

    /// Stores a `Set-Cookie` header of an answer from `url`, unless a browser would refuse it.
    pub fn store(&mut self, url: &Url, set_cookie: &str) {
        let Ok(cookie) = Cookie::parse(set_cookie.to_owned()) else { return };
        let Some(stored) = self.accept(url, &cookie) else { return };
        self.cookies.retain(|old| (&old.name, &old.domain, &old.path) != (&stored.name, &stored.domain, &stored.path));
        if self.is_live(&stored) {
            self.cookies.push(stored);
        }
    }

    /// The `Cookie` header for a request to `url`, longest path first (RFC 6265 section 5.4).
    pub fn header(&self, url: &Url) -> Option<String> {
        let mut cookies: Vec<_> = self.visible(url).collect();
        cookies.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<_> = cookies.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// The cookies that are sent to `url`.
    pub fn visible(&self, url: &Url) -> impl Iterator<Item = &StoredCookie> {
        self.cookies.iter().filter(move |cookie| self.is_live(cookie) && is_sent(cookie, url))
    }

    /// The cookies that a script on that page could read.
    pub fn visible_to_scripts(&self, url: &Url) -> impl Iterator<Item = &StoredCookie> {
        self.visible(url).filter(|cookie| !cookie.http_only)
    }

    pub fn get(&self, url: &Url, name: &str) -> Option<&StoredCookie> {
        self.visible(url).find(|cookie| cookie.name == name)
    }

    /// The cookie of that name, wherever it is sent.
    pub fn named(&self, name: &str) -> Option<&StoredCookie> {
        self.cookies.iter().find(|cookie| self.is_live(cookie) && cookie.name == name)
    }

    /// Sets a cookie, for tests that tamper with one.
    pub fn set(&mut self, url: &Url, name: &str, value: &str) {
        self.store(url, &format!("{name}={value}; Path=/; HttpOnly"));
    }

    pub fn remove(&mut self, name: &str) {
        self.cookies.retain(|cookie| cookie.name != name);
    }

    pub fn clear(&mut self) {
        self.cookies.clear();
    }

    fn accept(&self, url: &Url, cookie: &Cookie<'_>) -> Option<StoredCookie> {
        let host = url.host_str()?;
        let domain = cookie.domain().map(|domain| domain.trim_start_matches('.').to_ascii_lowercase());
        let domain = domain.filter(|domain| !domain.is_empty());
        if domain.as_deref().is_some_and(|domain| !domain_matches(host, domain)) {
            return None; // a site cannot set the cookies of another one
        }
        let secure = cookie.secure().unwrap_or(false);
        let path = cookie.path().filter(|path| path.starts_with('/')).map_or_else(|| default_path(url), str::to_owned);
        let host_only = domain.is_none();
        // RFC 6265bis section 5.7: the prefixes require certain attributes.
        let breaks_prefix = (cookie.name().starts_with("__Secure-") && !secure)
            || (cookie.name().starts_with("__Host-") && !(secure && host_only && path == "/"));
        if breaks_prefix || (secure && !is_trustworthy(url)) {
            return None;
        }
        Some(StoredCookie {
            name: cookie.name().to_owned(),
            value: cookie.value().to_owned(),
            domain: domain.unwrap_or_else(|| host.to_ascii_lowercase()),
            host_only,
            path,
            secure,
            http_only: cookie.http_only().unwrap_or(false),
            same_site: cookie.same_site(),
            expires_at: self.end_of(cookie),
        })
    }

    /// `Max-Age` takes precedence over `Expires` (RFC 6265 section 5.3).
    fn end_of(&self, cookie: &Cookie<'_>) -> Option<Timestamp> {
        if let Some(age) = cookie.max_age() {
            let seconds = u64::try_from(age.whole_seconds()).unwrap_or(0);
            return Some(self.clock.now().plus(Duration::from_secs(seconds)));
        }
        cookie.expires_datetime().map(|at| Timestamp::from_unix_seconds(at.unix_timestamp()))
    }

    fn is_live(&self, cookie: &StoredCookie) -> bool {
        cookie.expires_at.is_none_or(|end| end > self.clock.now())
    }
}

fn is_sent(cookie: &StoredCookie, url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let host_matches =
        if cookie.host_only { host.eq_ignore_ascii_case(&cookie.domain) } else { domain_matches(host, &cookie.domain) };
    host_matches && path_matches(url.path(), &cookie.path) && (!cookie.secure || is_trustworthy(url))
}

/// Browsers treat the loopback interface as secure.
fn is_trustworthy(url: &Url) -> bool {
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || is_loopback
}

fn domain_matches(host: &str, domain: &str) -> bool {
    let host = host.to_ascii_lowercase();
    // An IP address has no subdomains (RFC 6265 section 5.1.3).
    let is_address = host.parse::<std::net::Ipv4Addr>().is_ok() || host.starts_with('[');
    host == domain || (!is_address && host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')))
}

fn path_matches(path: &str, cookie_path: &str) -> bool {
    path.strip_prefix(cookie_path)
        .is_some_and(|rest| rest.is_empty() || cookie_path.ends_with('/') || rest.starts_with('/'))
}

/// The folder of the page (RFC 6265 section 5.1.4).
fn default_path(url: &Url) -> String {
    match url.path().rfind('/') {
        None | Some(0) => "/".to_owned(),
        Some(end) => url.path()[..end].to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use base::ManualClock;

    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    fn jar() -> (ManualClock, CookieJar) {
        let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(1_000_000));
        let jar = CookieJar::new(clock.clock());
        (clock, jar)
    }

    #[test]
    fn a_cookie_is_sent_only_to_its_own_paths() {
        let (_, mut jar) = jar();
        jar.store(&url("http://localhost:1/a/b"), "x=1");
        jar.store(&url("http://localhost:1/a/b"), "y=2; Path=/");
        assert_eq!(jar.header(&url("http://localhost:2/a/c")).as_deref(), Some("x=1; y=2"));
        assert_eq!(jar.header(&url("http://localhost:1/ab")).as_deref(), Some("y=2"));
        assert_eq!(jar.header(&url("http://127.0.0.1:1/a")), None);
    }

    #[test]
    fn a_cookie_expires() {
        let (clock, mut jar) = jar();
        let here = url("http://localhost/");
        jar.store(&here, "x=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
        clock.advance(Duration::from_secs(59));
        assert!(jar.get(&here, "x").is_some());
        clock.advance(Duration::from_secs(1));
        assert!(jar.get(&here, "x").is_none());
        jar.store(&here, "y=1");
        jar.store(&here, "y=; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
        assert!(jar.header(&here).is_none());
    }

    #[test]
    fn cookies_that_a_browser_refuses_are_not_stored() {
        let (_, mut jar) = jar();
        jar.store(&url("http://example.org/"), "a=1; Secure");
        jar.store(&url("http://example.org/"), "b=1; Domain=example.com");
        jar.store(&url("https://example.org/"), "__Host-c=1; Secure; Path=/x");
        jar.store(&url("https://www.example.org/"), "d=1; Secure; Domain=example.org");
        assert_eq!(jar.header(&url("https://example.org/x")).as_deref(), Some("d=1"));
        assert_eq!(jar.header(&url("http://example.org/x")), None);
    }

    #[test]
    fn scripts_cannot_read_http_only_cookies() {
        let (_, mut jar) = jar();
        let here = url("http://localhost/");
        jar.store(&here, "seen=1");
        jar.store(&here, "hidden=1; HttpOnly; SameSite=Lax");
        assert_eq!(jar.visible_to_scripts(&here).map(|cookie| cookie.name.as_str()).collect::<Vec<_>>(), ["seen"]);
        assert_eq!(jar.get(&here, "hidden").unwrap().same_site, Some(SameSite::Lax));
    }
}
