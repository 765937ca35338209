//! A client of a router, without a network: it sends what a browser, a script of a page or a native application sends, and keeps
//! cookies between its requests.

use std::net::IpAddr;

use axum::Router;
use axum::body::Body;
use base::{Clock, Context, Locale, RequestId, TenantId, uuid::Uuid};
use cookie::Cookie;
use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use serde_json::Value;
use tower::ServiceExt as _;
use url::Url;
use url::form_urlencoded::Serializer;

use crate::{CookieJar, Reply};

/// The media type of an HTML form's fields.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// The media type of JSON.
pub const JSON: &str = "application/json";

/// What a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A browser that navigates: it requests pages.
    Browser,
    /// A single-page application in a browser: it requests JSON.
    SinglePage,
    /// A program: it requests JSON, and is expected to use tokens and no cookies.
    Native,
}

/// One client with its cookies. A clone begins with the same cookies and then keeps its own.
#[derive(Clone, Debug)]
pub struct Client {
    router: Router,
    origin: String,
    clock: Clock,
    pub kind: Kind,
    pub cookies: CookieJar,
    /// Sent with every request that does not have a header of the same name.
    pub headers: HeaderMap,
    /// The network address of its requests.
    pub address: Option<IpAddr>,
    /// The language of its user.
    pub locale: Locale,
    cookie_check: fn(&Cookie<'_>),
}

impl Client {
    /// A client of the router that serves `origin`, such as `https://id.example`.
    pub fn new(kind: Kind, router: &Router, origin: &str, clock: &Clock) -> Self {
        Self {
            router: router.clone(),
            origin: origin.to_owned(),
            clock: clock.clone(),
            kind,
            cookies: CookieJar::new(clock.clone()),
            headers: HeaderMap::new(),
            address: None,
            locale: Locale::ENGLISH,
            cookie_check: |_| (),
        }
    }

    /// Calls `check` with every cookie that an answer sets.
    pub fn checking_cookies(self, check: fn(&Cookie<'_>)) -> Self {
        Self { cookie_check: check, ..self }
    }

    pub fn from_address(self, address: impl Into<IpAddr>) -> Self {
        Self { address: Some(address.into()), ..self }
    }

    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, HeaderValue::from_str(value).unwrap());
        self
    }

    /// The value of the cookie of this name.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.named(name).map(|cookie| cookie.value.as_str())
    }

    /// Sets a cookie for every path, for tests that tamper with one.
    pub fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.set(&self.url("/"), name, value);
    }

    pub async fn get(&mut self, address: &str) -> Reply {
        self.request(Method::GET, address, None).await
    }

    /// Sends a body of any type.
    pub async fn post(&mut self, address: &str, content_type: &str, body: &str) -> Reply {
        self.request(Method::POST, address, Some((content_type, body.to_owned()))).await
    }

    pub async fn post_form(&mut self, address: &str, fields: &[(&str, &str)]) -> Reply {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        self.post(address, FORM, &body).await
    }

    pub async fn post_json(&mut self, address: &str, body: &Value) -> Reply {
        self.json(Method::POST, address, body).await
    }

    /// Any method with a JSON body; null sends none.
    pub async fn json(&mut self, method: Method, address: &str, body: &Value) -> Reply {
        self.request(method, address, (!body.is_null()).then(|| (JSON, body.to_string()))).await
    }

    /// Any method, with a body and its type or without one.
    pub async fn request(&mut self, method: Method, address: &str, body: Option<(&str, String)>) -> Reply {
        let request = Request::builder().method(method).uri(address);
        let request = match body {
            Some((content_type, text)) => request.header(CONTENT_TYPE, content_type).body(text.into()),
            None => request.body(Body::empty()),
        };
        self.send(request.unwrap()).await
    }

    /// Sends a request with this client's headers and cookies, and keeps the cookies of its answer. The address is a path, or a
    /// URL of this origin.
    pub async fn send(&mut self, mut request: Request<Body>) -> Reply {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str()).to_owned();
        let address = request.uri().to_string();
        let is_here = address.strip_prefix(&self.origin).unwrap_or(&address).starts_with(['/', '?']);
        assert!(is_here, "{address} is not at {}", self.origin);
        let url = self.url(&target);
        *request.uri_mut() = target.parse::<Uri>().unwrap();
        request.extensions_mut().insert(self.context());
        let accepted = if self.kind == Kind::Browser { "text/html" } else { JSON };
        let headers = request.headers_mut();
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static(accepted));
        for (name, value) in &self.headers {
            headers.entry(name).or_insert_with(|| value.clone());
        }
        if let Some(cookies) = self.cookies.header(&url) {
            headers.entry(COOKIE).or_insert(HeaderValue::from_str(&cookies).unwrap());
        }
        let reply = Reply::read(self.router.clone().oneshot(request).await.unwrap()).await;
        reply.set_cookies().iter().for_each(self.cookie_check);
        self.keep_from(&url, &reply);
        reply
    }

    /// Keeps the cookies of an answer that another client received.
    pub fn keep_cookies(&mut self, reply: &Reply) {
        self.keep_from(&self.url("/"), reply);
    }

    fn keep_from(&mut self, url: &Url, reply: &Reply) {
        for cookie in reply.headers.get_all(SET_COOKIE) {
            self.cookies.store(url, cookie.to_str().unwrap());
        }
    }

    fn url(&self, target: &str) -> Url {
        Url::parse(&format!("{}{target}", self.origin)).unwrap()
    }

    fn context(&self) -> Context {
        let context = Context::for_background(self.clock.now(), TenantId::DEFAULT, RequestId(Uuid::nil()));
        Context { client_address: self.address, locale: self.locale, ..context }
    }
}

#[cfg(test)]
mod tests {
    use axum::extract::Request;
    use axum::response::{AppendHeaders, IntoResponse};
    use base::{ManualClock, Timestamp};

    use super::*;

    /// Answers with what it received, and sets two cookies at `/set`.
    async fn echo(request: Request) -> impl IntoResponse {
        let (head, body) = request.into_parts();
        let shown = |name: http::HeaderName| head.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        let seen = serde_json::json!({
            "target": head.uri.to_string(), "accept": shown(ACCEPT), "type": shown(CONTENT_TYPE), "cookie": shown(COOKIE),
            "body": String::from_utf8(axum::body::to_bytes(body, 1024).await.unwrap().to_vec()).unwrap(),
            "address": head.extensions.get::<Context>().unwrap().client_address,
        });
        let set = ["a=1; Path=/; Secure", "b=2; Path=/b; Max-Age=60"].map(|cookie| (SET_COOKIE, cookie));
        (AppendHeaders(if head.uri.path() == "/set" { set.to_vec() } else { Vec::new() }), axum::Json(seen))
    }

    fn client(kind: Kind) -> (ManualClock, Client) {
        let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(1_000_000));
        let client = Client::new(kind, &Router::new().fallback(echo), "https://a.example", &clock.clock());
        (clock, client)
    }

    #[tokio::test]
    async fn cookies_are_kept_and_sent_where_they_belong_until_they_expire() {
        let (clock, mut client) = client(Kind::Browser);
        client.get("/set").await.expect(200);
        assert_eq!(client.cookie("b"), Some("2"));
        assert_eq!(client.get("https://a.example/b/c").await.json["cookie"], "b=2; a=1");
        assert_eq!(client.get("/c").await.json["cookie"], "a=1");
        clock.advance(std::time::Duration::from_mins(1));
        assert_eq!(client.get("/b").await.json["cookie"], "a=1");
        client.set_cookie("a", "x");
        assert_eq!(client.get("/").await.json["cookie"], "a=x");
    }

    #[tokio::test]
    async fn a_request_has_the_headers_and_the_body_of_its_kind() {
        let (_, client) = client(Kind::Native);
        let mut client = client.from_address([192, 0, 2, 1]).with_header("content-type", "text/plain");
        let reply = client.post_form("/p?q", &[("a", "b c")]).await;
        assert_eq!((reply.string("/body").as_str(), reply.string("/type").as_str()), ("a=b+c", FORM));
        assert_eq!((reply.string("/target").as_str(), reply.string("/accept").as_str()), ("/p?q", JSON));
        assert_eq!(reply.string("/address"), "192.0.2.1");
        let reply = client.json(Method::DELETE, "/", &Value::Null).await;
        assert_eq!((reply.string("/type").as_str(), reply.string("/body").as_str()), ("text/plain", ""));
    }

    #[tokio::test]
    #[should_panic(expected = "https://b.example/ is not at https://a.example")]
    async fn a_request_to_another_origin_fails() {
        client(Kind::Browser).1.get("https://b.example/").await;
    }

    #[tokio::test]
    #[should_panic(expected = "not HttpOnly")]
    async fn every_cookie_is_checked() {
        let (_, client) = client(Kind::Browser);
        client
            .checking_cookies(|cookie| assert!(cookie.http_only().unwrap_or(false), "not HttpOnly"))
            .get("/set")
            .await;
    }
}
