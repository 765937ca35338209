//! Paged lists: the query parameters and the `Link` header (RFC 8288).

use base::{Context, Page, PageRequest, Sealer, TenantId};
use database::PageToken;
use http::HeaderValue;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::RestError;

/// The query parameters of a listing. They are read as text, so that an error names its parameter.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct PageQuery {
    pub page_size: Option<String>,
    pub page_token: Option<String>,
}

/// The page sizes and the token of a listing.
#[derive(Debug)]
pub struct Listing<K> {
    pub token: PageToken<K>,
    pub default_size: u32,
    pub max_size: u32,
}

impl<K: Serialize + DeserializeOwned> Listing<K> {
    pub const fn new(name: &'static str, default_size: u32, max_size: u32) -> Self {
        Self { token: PageToken::new(name), default_size, max_size }
    }

    /// Parses the query. Sizes above the maximum are reduced to it.
    pub fn request(&self, sealer: &Sealer, tenant: TenantId, query: &PageQuery) -> Result<PageRequest<K>, RestError> {
        let size = match query.page_size.as_deref().filter(|it| !it.is_empty()) {
            None => self.default_size,
            Some(text) => match text.parse::<i64>() {
                // Clients of the replaced systems send 0 or -1 for the default size.
                Ok(size) if size <= 0 => self.default_size,
                Ok(size) => u32::try_from(size).unwrap_or(u32::MAX).min(self.max_size),
                Err(_) => return Err(RestError::bad_request("page_size: not a whole number")),
            },
        };
        let after = match query.page_token.as_deref().filter(|it| !it.is_empty()) {
            None => None,
            Some(token) => {
                let key = self.token.open(sealer, tenant, token);
                Some(key.map_err(|_| RestError::bad_request("page_token: not a token of this listing"))?)
            }
        };
        Ok(PageRequest { size, after })
    }

    /// The `Link` header for a page: always `first`, and `next` when there is one. `base` is the listing's URL with its
    /// filters, without paging parameters.
    pub fn links<T>(
        &self,
        sealer: &Sealer,
        cx: &Context,
        base: &url::Url,
        size: u32,
        page: Page<T, K>,
    ) -> (Vec<T>, HeaderValue) {
        let link = |token: Option<&str>, relation: &str| {
            let mut url = base.clone();
            url.query_pairs_mut().append_pair("page_size", &size.to_string());
            if let Some(token) = token {
                url.query_pairs_mut().append_pair("page_token", token);
            }
            format!("<{url}>; rel=\"{relation}\"")
        };
        let mut links = link(None, "first");
        if let Some(key) = page.next {
            let token = self.token.seal(sealer, cx.tenant, key, cx.now);
            links.push(',');
            links.push_str(&link(Some(&token), "next"));
        }
        let header = HeaderValue::from_str(&links).unwrap_or_else(|_| HeaderValue::from_static(""));
        (page.items, header)
    }
}
