//! An answer as a browser or a program receives it.

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use scraper::{Html, Selector};
use serde::de::DeserializeOwned;
use serde_json::Value;
pub use test_client::parameter as query;
use url::Url;

use crate::form::Form;

/// An answer, with the URL that it came from.
#[derive(Clone, Debug)]
pub struct Page {
    pub method: Method,
    pub url: Url,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Page {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The value of a header; empty when it is absent or not text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).with_context(|| format!("not the expected JSON: {}", self.summary()))
    }

    /// The value at a JSON pointer (RFC 6901) of the body; null when there is none.
    pub fn at(&self, pointer: &str) -> Value {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        body.pointer(pointer).cloned().unwrap_or_default()
    }

    /// The URL that a redirect leads to.
    pub fn location(&self) -> Result<Url> {
        let location = self.header(header::LOCATION.as_str());
        ensure!(!location.is_empty(), "no redirect: {}", self.summary());
        self.url.join(location).with_context(|| format!("not an address: {location}"))
    }

    /// A parameter of the URL's query.
    pub fn query(&self, name: &str) -> Option<String> {
        query(&self.url, name)
    }

    /// The page itself if it has that status; otherwise an error that shows it.
    pub fn expect_status(self, status: StatusCode) -> Result<Self> {
        ensure!(self.status == status, "expected {status}: {}", self.summary());
        Ok(self)
    }

    /// The only form that matches `selector`.
    pub fn form(&self, selector: &str) -> Result<Form> {
        let document = Html::parse_document(&self.text());
        Form::find(&document, &self.url, selector).with_context(|| self.summary())
    }

    /// The text of the first element that matches `selector`, with whitespace collapsed.
    pub fn text_of(&self, selector: &str) -> Option<String> {
        let document = Html::parse_document(&self.text());
        let element = document.select(&Selector::parse(selector).ok()?).next()?;
        Some(element.text().collect::<Vec<_>>().join(" ").split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// The URL of the first link that matches `selector`.
    pub fn link(&self, selector: &str) -> Result<Url> {
        let document = Html::parse_document(&self.text());
        let selector = Selector::parse(selector).map_err(|error| anyhow::anyhow!("{error}"))?;
        let link = document.select(&selector).find_map(|element| element.attr("href"));
        let link = link.with_context(|| format!("no such link: {}", self.summary()))?;
        self.url.join(link).with_context(|| format!("not an address: {link}"))
    }

    /// One line for a failed assertion.
    pub fn summary(&self) -> String {
        let text: String = self.text().chars().take(2_000).collect();
        format!("{} from {}: {text}", self.status, self.url)
    }
}
