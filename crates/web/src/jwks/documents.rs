//! Reads documents by URL: `http(s)://`, and for URLs of the configuration also `file://` and `base64://`.
//!
//! Invariant: an untrusted URL never reads a file.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use http::StatusCode;

use crate::outbound::{Client, OutboundError};
use crate::regular_files;

/// Reads documents by their URL.
#[derive(Clone, Debug)]
pub struct Documents {
    http: Client,
    reads_local: bool,
}

/// Why a document could not be read: a predicate whose subject is the URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct ReadError {
    pub(super) reason: String,
    pub(super) is_outage: bool,
}

impl Documents {
    /// For untrusted URLs: `http` and `https` only.
    pub const fn remote(http: Client) -> Self {
        Self { http, reads_local: false }
    }

    /// For URLs of the configuration: also files and embedded documents.
    pub const fn remote_and_local(http: Client) -> Self {
        Self { http, reads_local: true }
    }

    pub async fn read(&self, url: &str) -> Result<Vec<u8>, ReadError> {
        if !self.reads_local || url.starts_with("http://") || url.starts_with("https://") {
            return self.fetch(url).await;
        }
        if let Some(encoded) = url.strip_prefix("base64://") {
            return [&STANDARD, &URL_SAFE, &STANDARD_NO_PAD, &URL_SAFE_NO_PAD]
                .into_iter()
                .find_map(|engine| engine.decode(encoded).ok())
                .ok_or_else(|| ReadError::refusal("is not base64"));
        }
        let path = url.strip_prefix("file://").unwrap_or(url);
        if path.contains("://") {
            return Err(ReadError::refusal("has a scheme that is not supported: use file, base64, http or https"));
        }
        let read = regular_files::read_in_background(path.into()).await;
        read.map_err(|error| ReadError { reason: format!("could not be read: {error}"), is_outage: true })
    }

    async fn fetch(&self, url: &str) -> Result<Vec<u8>, ReadError> {
        let answer = self.http.get(url).await.map_err(|error| ReadError {
            reason: format!("could not be fetched: {error}"),
            is_outage: matches!(error, OutboundError::Timeout(_) | OutboundError::Failed(_)),
        })?;
        match answer.status() {
            StatusCode::OK => Ok(answer.into_body().to_vec()),
            status => Err(ReadError {
                reason: format!("returned the status {}", status.as_u16()),
                is_outage: is_outage(status),
            }),
        }
    }
}

impl ReadError {
    pub(super) fn refusal(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), is_outage: false }
    }
}

/// RFC 5861 section 4.
fn is_outage(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::INTERNAL_SERVER_ERROR
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

/// The URL for messages, without an embedded document.
pub fn shown(url: &str) -> &str {
    if url.starts_with("base64:") { "base64://…" } else { url }
}
