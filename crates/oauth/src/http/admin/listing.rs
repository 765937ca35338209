//! The URLs of paged lists. Without `urls.self.admin` the public address is unknown, so links are relative to the
//! request (RFC 8288 section 3.1).

use axum::http::HeaderValue;
use url::Url;

use super::admin_error::AdminError;
use crate::OAuth;

/// Placeholder for the unknown address; it is removed from responses.
const UNKNOWN: &str = "http://admin.invalid";

/// The URL of a list, with its filters.
pub(super) fn listing_url<'a>(
    oauth: &OAuth,
    path: &str,
    filters: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<Url, AdminError> {
    let base = oauth.config.urls.own.admin.as_deref().unwrap_or(UNKNOWN);
    let url = format!("{}{path}", base.strip_suffix('/').unwrap_or(base));
    let mut url = Url::parse(&url).map_err(|_| AdminError::server_error())?;
    for (name, value) in filters {
        url.query_pairs_mut().append_pair(name, value);
    }
    Ok(url)
}

/// The `Link` header of the response.
pub(super) fn listing_links(oauth: &OAuth, links: HeaderValue) -> HeaderValue {
    if oauth.config.urls.own.admin.is_some() {
        return links;
    }
    let relative = links.to_str().map(|text| text.replace(UNKNOWN, ""));
    relative.ok().and_then(|text| HeaderValue::try_from(text).ok()).unwrap_or(links)
}
