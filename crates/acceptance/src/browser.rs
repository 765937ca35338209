//! A browser without a screen: it keeps cookies, follows redirects on request, and sends forms. It is also the plain client for
//! API calls of tests.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use base::Clock;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use test_client::CookieJar;
use url::Url;

use crate::form::Form;
use crate::page::Page;

/// Browsers give up at about this number of redirects in a row.
const REDIRECT_LIMIT: usize = 20;

/// Much larger than any page or answer.
const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// The time limit of a request on a busy machine. A hanging request fails its test.
const PATIENCE: Duration = Duration::from_secs(30);

/// One person's browser.
#[derive(Clone, Debug)]
pub struct Browser {
    client: Client<HttpConnector, Full<Bytes>>,
    pub cookies: CookieJar,
    headers: Vec<(String, String)>,
}

impl Browser {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test's browser is not part of the product, whose client checks addresses"
    )]
    pub fn new(clock: Clock) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let html = ("accept".to_owned(), "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8".to_owned());
        Self { client, cookies: CookieJar::new(clock), headers: vec![html] }
    }

    /// A program that requests JSON. It keeps cookies as well; a test without cookies calls [`CookieJar::clear`].
    pub fn api(clock: Clock) -> Self {
        Self::new(clock).with_header("accept", "application/json")
    }

    /// Adds a header to all further requests; an empty value removes it.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(there, _)| !there.eq_ignore_ascii_case(name));
        if !value.is_empty() {
            self.headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// `GET`, one answer: redirects are not followed.
    pub async fn get(&mut self, url: impl AsRef<str>) -> Result<Page> {
        self.send(Method::GET, &parse(url.as_ref())?, None, Bytes::new()).await
    }

    /// `GET`, following redirects to the page at their end.
    pub async fn open(&mut self, url: impl AsRef<str>) -> Result<Page> {
        let page = self.get(url).await?;
        self.follow(page).await
    }

    /// Any method with a JSON body; `Value::Null` sends none.
    pub async fn json(&mut self, method: Method, url: impl AsRef<str>, body: &Value) -> Result<Page> {
        let url = parse(url.as_ref())?;
        if body.is_null() {
            return self.send(method, &url, None, Bytes::new()).await;
        }
        self.send(method, &url, Some("application/json"), Bytes::from(body.to_string())).await
    }

    /// `POST` of form fields, one answer.
    pub async fn post(&mut self, url: impl AsRef<str>, fields: &[(&str, &str)]) -> Result<Page> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send(Method::POST, &parse(url.as_ref())?, Some("application/x-www-form-urlencoded"), Bytes::from(body))
            .await
    }

    /// Sends a form, one answer.
    pub async fn send_form(&mut self, form: &Form) -> Result<Page> {
        if form.method == "POST" {
            return self.post(&form.action, &form.pairs()).await;
        }
        let mut url = form.action.clone();
        url.query_pairs_mut().clear().extend_pairs(form.pairs());
        self.get(url).await
    }

    /// Sends a form and follows to the page at the end.
    pub async fn submit(&mut self, form: &Form) -> Result<Page> {
        let page = self.send_form(form).await?;
        self.follow(page).await
    }

    /// Follows redirects up to the first answer that is not a redirect.
    pub async fn follow(&mut self, mut page: Page) -> Result<Page> {
        for _ in 0..REDIRECT_LIMIT {
            if !leads_on(&page) {
                return Ok(page);
            }
            page = self.get(page.location()?).await?;
        }
        bail!("redirected more than {REDIRECT_LIMIT} times, at last to {}", page.url)
    }

    /// Follows redirects until one leads to a URL that begins with `prefix`, and returns that URL without requesting it, as the
    /// URL of a relying party in the test.
    pub async fn follow_until(&mut self, mut page: Page, prefix: &str) -> Result<Url> {
        for _ in 0..REDIRECT_LIMIT {
            if !leads_on(&page) {
                bail!("expected a redirect to {prefix}, but got {}", page.summary());
            }
            let location = page.location()?;
            if location.as_str().starts_with(prefix) {
                return Ok(location);
            }
            page = self.get(location).await?;
        }
        bail!("redirected more than {REDIRECT_LIMIT} times, at last to {}", page.url)
    }

    /// Sends one request with this browser's headers and cookies, and keeps the cookies of its answer.
    pub async fn send(&mut self, method: Method, url: &Url, content_type: Option<&str>, body: Bytes) -> Result<Page> {
        let mut target = url.clone();
        target.set_fragment(None);
        let mut request = Request::builder().method(method.clone()).uri(target.as_str());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(content_type) = content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        if let Some(cookies) = self.cookies.header(url) {
            request = request.header(header::COOKIE, HeaderValue::from_str(&cookies)?);
        }
        let exchange = async {
            let response = self.client.request(request.body(Full::new(body))?).await?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, BODY_LIMIT).collect().await.map_err(|error| anyhow::anyhow!(error))?;
            anyhow::Ok((head, body.to_bytes()))
        };
        let answered = tokio::time::timeout(PATIENCE, exchange).await.context("no answer in time");
        let (head, body) = answered.and_then(|it| it).with_context(|| format!("{method} {url}"))?;
        for set_cookie in head.headers.get_all(header::SET_COOKIE) {
            self.cookies.store(url, set_cookie.to_str().unwrap_or_default());
        }
        Ok(Page { method, url: url.clone(), status: head.status, headers: head.headers, body })
    }
}

/// The redirects that a browser follows with `GET`. After 307 and 308 it keeps the method and sends the body again.
fn leads_on(page: &Page) -> bool {
    match page.status {
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND | StatusCode::SEE_OTHER => true,
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => page.method == Method::GET,
        _ => false,
    }
}

fn parse(url: &str) -> Result<Url> {
    Url::parse(url).with_context(|| format!("not an address: {url}"))
}
