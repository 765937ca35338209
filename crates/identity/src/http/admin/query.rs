//! Query parameters, which may be repeated. An error names the invalid parameter.

use axum::extract::FromRequestParts;
use http::request::Parts;
use url::form_urlencoded;
use web::RestError;
use web::paging::PageQuery;

/// All parameters of a query, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        let raw = parts.uri.query().unwrap_or_default();
        Ok(Self(form_urlencoded::parse(raw.as_bytes()).into_owned().collect()))
    }
}

impl Query {
    /// The last non-empty value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rfind(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// All non-empty values of a parameter.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    pub(super) fn boolean(&self, name: &str) -> Result<Option<bool>, RestError> {
        match self.get(name) {
            None => Ok(None),
            Some("true" | "1" | "t") => Ok(Some(true)),
            Some("false" | "0" | "f") => Ok(Some(false)),
            Some(_) => Err(RestError::bad_request(format!("{name}: not a boolean")).with_detail("field", name)),
        }
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u32>, RestError> {
        self.get(name)
            .map(|text| {
                text.parse().map_err(|_| {
                    RestError::bad_request(format!("{name}: not a whole number")).with_detail("field", name)
                })
            })
            .transpose()
    }

    /// The keyset paging of this query; `per_page` is an older name of `page_size`.
    pub(super) fn page(&self) -> PageQuery {
        PageQuery {
            page_size: self.get("page_size").or_else(|| self.get("per_page")).map(str::to_owned),
            page_token: self.get("page_token").map(str::to_owned),
        }
    }

    /// Adds all parameters except the paging to a link.
    pub(super) fn filters_onto(&self, url: &mut url::Url) {
        let kept =
            self.0.iter().filter(|(key, _)| !matches!(key.as_str(), "page" | "per_page" | "page_size" | "page_token"));
        for (key, value) in kept {
            url.query_pairs_mut().append_pair(key, value);
        }
    }
}
