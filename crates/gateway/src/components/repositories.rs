//! The repositories of access rules: files, documents in the configuration, and URLs, each with its last valid rules.
//!
//! Invariant: a repository that cannot be read, or whose document is invalid, keeps its previous rules.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ETAG, IF_NONE_MATCH};
use http::{HeaderValue, Request, StatusCode, Uri};
use sha2::{Digest as _, Sha256};
use web::regular_files;

use crate::domain::rule::Rule;
use crate::domain::rule_document;

/// Why an entry of `access_rules.repositories` is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RepositoryError {
    #[error("`{0}` has a scheme that is not supported: use file, inline, http or https")]
    Scheme(String),
    #[error("the inline rules are not base64")]
    Inline,
    #[error("`{0}` is not a URL")]
    Url(String),
}

#[derive(Debug)]
pub(crate) struct Repositories(Vec<Repository>);

#[derive(Debug)]
struct Repository {
    location: Location,
    /// The digest of the last document, to skip unchanged documents.
    document: Option<[u8; 32]>,
    etag: Option<HeaderValue>,
    rules: Vec<Arc<Rule>>,
    /// The last error, so that it is logged once.
    fault: Option<String>,
}

#[derive(Clone, Debug)]
enum Location {
    File(PathBuf),
    Inline(Vec<u8>),
    Remote(Uri),
    /// A cloud storage bucket, by its scheme. Its rules are reported as missing, and all requests are rejected.
    Bucket(String),
}

/// The result of reading a repository.
enum Document {
    Unchanged,
    Read { bytes: Vec<u8>, etag: Option<HeaderValue> },
}

/// Which repositories to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    All,
    Files,
}

/// The result of reloading repositories.
pub(crate) struct Refreshed {
    /// Whether the rules have changed.
    pub(crate) changed: bool,
    pub(crate) unread: Vec<Unread>,
}

/// A repository that could not be read.
pub(crate) struct Unread {
    /// Without secrets, for messages.
    pub(crate) location: String,
    /// A file may appear later.
    pub(crate) is_file: bool,
    pub(crate) reason: String,
}

impl Repositories {
    /// The error names the invalid entry.
    pub(crate) fn new(entries: &[String]) -> Result<Self, (usize, RepositoryError)> {
        let repositories = entries.iter().enumerate().map(|(index, entry)| {
            let location = Location::parse(entry).map_err(|error| (index, error))?;
            Ok(Repository { location, document: None, etag: None, rules: Vec::new(), fault: None })
        });
        repositories.collect::<Result<_, _>>().map(Self)
    }

    /// Reloads the repositories.
    pub(crate) async fn refresh(&mut self, which: Which, http: &web::outbound::Client) -> Refreshed {
        let mut refreshed = Refreshed { changed: false, unread: Vec::new() };
        for repository in &mut self.0 {
            if which == Which::Files && !repository.is_file() {
                continue;
            }
            match repository.refresh(http).await {
                Ok(its_rules_changed) => {
                    refreshed.changed |= its_rules_changed;
                    repository.fault = None;
                }
                Err(reason) => {
                    let (location, is_file) = (repository.location.shown(), repository.is_file());
                    if repository.fault.as_ref() != Some(&reason) {
                        tracing::error!(
                            location,
                            reason,
                            "access rules could not be loaded; the previous rules stay active"
                        );
                    }
                    repository.fault = Some(reason.clone());
                    refreshed.unread.push(Unread { location, is_file, reason });
                }
            }
        }
        refreshed
    }

    /// The rules of all repositories.
    pub(crate) fn rules(&self) -> Vec<Arc<Rule>> {
        self.0.iter().flat_map(|repository| repository.rules.clone()).collect()
    }

    /// The current errors.
    pub(crate) fn faults(&self) -> impl Iterator<Item = String> {
        self.0.iter().filter_map(|repository| {
            let reason = repository.fault.as_ref()?;
            Some(format!("{} could not be loaded: {reason}", repository.location.shown()))
        })
    }

    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let file = |repository: &Repository| match &repository.location {
            Location::File(path) => Some(path.clone()),
            Location::Inline(_) | Location::Remote(_) | Location::Bucket(_) => None,
        };
        self.0.iter().filter_map(file).collect()
    }
}

impl Location {
    fn parse(entry: &str) -> Result<Self, RepositoryError> {
        match entry.split_once("://") {
            None => Ok(Self::File(PathBuf::from(entry))),
            Some(("file", path)) => {
                let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned();
                Ok(Self::File(PathBuf::from(path)))
            }
            Some(("inline", encoded)) => {
                STANDARD.decode(encoded).map(Self::Inline).map_err(|_| RepositoryError::Inline)
            }
            Some(("http" | "https", _)) => {
                entry.parse().map(Self::Remote).map_err(|_| RepositoryError::Url(entry.to_owned()))
            }
            Some((scheme @ ("s3" | "gs" | "azblob"), _)) => Ok(Self::Bucket(scheme.to_owned())),
            Some(_) => Err(RepositoryError::Scheme(entry.to_owned())),
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Inline(_) => "inline://…".to_owned(),
            Self::Bucket(scheme) => format!("{scheme}://…"),
            Self::Remote(uri) => {
                format!("{}://{}{}", uri.scheme_str().unwrap_or_default(), uri.host().unwrap_or_default(), uri.path())
            }
        }
    }

    async fn read(&self, http: &web::outbound::Client, etag: Option<&HeaderValue>) -> Result<Document, String> {
        match self {
            Self::File(path) => read_file(path).await.map(|bytes| Document::Read { bytes, etag: None }),
            Self::Inline(bytes) => Ok(Document::Read { bytes: bytes.clone(), etag: None }),
            Self::Bucket(_) => {
                Err("cloud storage buckets are not supported: use file, inline, http or https".to_owned())
            }
            Self::Remote(uri) => {
                let mut request = Request::new(Bytes::new());
                *request.uri_mut() = uri.clone();
                if let Some(etag) = etag {
                    request.headers_mut().insert(IF_NONE_MATCH, etag.clone());
                }
                let answer = http.send(request).await.map_err(|error| error.to_string())?;
                match answer.status() {
                    StatusCode::OK => {
                        let etag = answer.headers().get(ETAG).cloned();
                        Ok(Document::Read { bytes: answer.into_body().to_vec(), etag })
                    }
                    StatusCode::NOT_MODIFIED => Ok(Document::Unchanged),
                    status => Err(format!("the response has the status {}", status.as_u16())),
                }
            }
        }
    }
}

async fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    regular_files::read_in_background(path.to_owned()).await.map_err(|error| error.to_string())
}

impl Repository {
    fn is_file(&self) -> bool {
        matches!(self.location, Location::File(_))
    }

    /// Reads the repository. Returns whether its rules changed.
    async fn refresh(&mut self, http: &web::outbound::Client) -> Result<bool, String> {
        let (bytes, etag) = match self.location.read(http, self.etag.as_ref()).await? {
            Document::Unchanged => return Ok(false),
            Document::Read { bytes, etag } => (bytes, etag),
        };
        let digest = Sha256::digest(&bytes).into();
        if self.document == Some(digest) {
            return self.fault.clone().map_or(Ok(false), Err);
        }
        let parsed = std::str::from_utf8(&bytes)
            .map_err(|_| "the document is not UTF-8".to_owned())
            .and_then(|text| rule_document::parse(text).map_err(|error| error.to_string()));
        self.document = Some(digest);
        self.rules = parsed?.into_iter().map(Arc::new).collect();
        self.etag = etag;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_files_inline_documents_and_urls() {
        let kind = |entry: &str| Location::parse(entry);
        assert!(matches!(kind("/a/b.json"), Ok(Location::File(path)) if path == Path::new("/a/b.json")));
        assert!(matches!(kind("file:///a%20b"), Ok(Location::File(path)) if path == Path::new("/a b")));
        assert!(matches!(kind("inline://W10="), Ok(Location::Inline(bytes)) if bytes == b"[]"));
        assert!(matches!(kind("https://h/rules"), Ok(Location::Remote(_))));
        assert_eq!(kind("inline://W10").unwrap_err(), RepositoryError::Inline);
        assert!(matches!(kind("s3://bucket/rules"), Ok(Location::Bucket(scheme)) if scheme == "s3"));
        assert!(matches!(kind("ftp://h/rules"), Err(RepositoryError::Scheme(_))));
        assert_eq!(Repositories::new(&["a".to_owned(), "ftp://b".to_owned()]).unwrap_err().0, 1);
    }
}
