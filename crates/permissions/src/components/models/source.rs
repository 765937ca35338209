//! Where the model comes from (`namespaces`): names in the configuration, files of the older format, or texts of the Ory
//! Permission Language in files, in the configuration or at a URL.
//!
//! Invariant: what is read is bounded in bytes, files and depth.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;
use web::outbound::Client;

use super::document::Document;
use super::folder::files_below;
use super::loaded::Parsed;
use super::{legacy, opl};
use crate::config::Namespaces;

/// The most bytes of one document. A larger model is divided into several files.
pub(super) const DOCUMENT_BYTES: u64 = 1024 * 1024;
/// The most bytes of all documents.
const TOTAL_BYTES: u64 = 8 * 1024 * 1024;

/// Why `namespaces` cannot be a source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    #[error("namespaces: \"{0}\" must be a file:// URL or a path of files")]
    LegacyScheme(String),
    #[error("namespaces.location: the scheme of \"{0}\" is not supported: use file, base64, http or https")]
    Scheme(String),
    #[error("namespaces.location: the text after base64:// is not base64 of UTF-8")]
    Base64,
    #[error("namespaces.location: {0}")]
    Url(url::ParseError),
    #[error("namespaces: {0}")]
    Names(String),
}

#[derive(Clone, Debug)]
pub(super) enum Source {
    /// Namespaces without declarations, by their names.
    Names(Vec<String>),
    /// A file of the older format, or a folder of such files.
    Legacy(PathBuf),
    /// A file of the language, or a folder of such files.
    Files(PathBuf),
    /// A text of the language.
    Text(String),
    Remote(Url),
}

impl Source {
    pub(super) fn of(namespaces: &Namespaces) -> Result<Self, SourceError> {
        match namespaces {
            Namespaces::List(list) => {
                let names: Vec<String> = list.iter().map(|it| it.name.clone()).collect();
                legacy::model(&names).map_err(SourceError::Names)?;
                Ok(Self::Names(names))
            }
            Namespaces::Location(uri) => match uri.split_once("://") {
                None => Ok(Self::Legacy(uri.into())),
                Some(("file", path)) => Ok(Self::Legacy(decoded(path))),
                Some(_) => Err(SourceError::LegacyScheme(uri.clone())),
            },
            Namespaces::Language(language) => Self::of_location(&language.location),
        }
    }

    fn of_location(location: &str) -> Result<Self, SourceError> {
        match location.split_once("://") {
            None => Ok(Self::Files(location.into())),
            Some(("file", path)) => Ok(Self::Files(decoded(path))),
            Some(("base64", encoded)) => {
                let bytes = STANDARD.decode(encoded).map_err(|_| SourceError::Base64)?;
                String::from_utf8(bytes).map(Self::Text).map_err(|_| SourceError::Base64)
            }
            Some(("http" | "https", _)) => location.parse().map(Self::Remote).map_err(SourceError::Url),
            Some((scheme, _)) => Err(SourceError::Scheme(format!("{scheme}://…"))),
        }
    }

    /// For messages, without secrets.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Names(_) => "the configuration".to_owned(),
            Self::Legacy(path) | Self::Files(path) => path.display().to_string(),
            Self::Text(_) => "base64://…".to_owned(),
            Self::Remote(url) => {
                let mut url = url.clone();
                url.set_query(None);
                // A URL with a host can have them.
                let _ = url.set_username("");
                let _ = url.set_password(None);
                url.into()
            }
        }
    }

    pub(super) const fn is_remote(&self) -> bool {
        matches!(self, Self::Remote(_))
    }

    /// The folder of a file, because a replaced file is another one, and the folder itself, if it is one.
    pub(super) fn folders(&self) -> Vec<PathBuf> {
        match self {
            Self::Legacy(path) | Self::Files(path) => {
                let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
                std::iter::once(folder.to_owned()).chain(path.is_dir().then(|| path.clone())).collect()
            }
            Self::Names(_) | Self::Text(_) | Self::Remote(_) => Vec::new(),
        }
    }

    /// The documents, in the order of their names.
    pub(super) async fn read(&self, http: &Client) -> Result<Vec<Document>, String> {
        match self {
            Self::Names(names) => {
                Ok(names.iter().map(|name| Document { name: name.clone(), text: String::new() }).collect())
            }
            Self::Text(text) => Ok(vec![Document { name: self.shown(), text: text.clone() }]),
            Self::Legacy(path) => read_files(path.clone(), legacy::EXTENSIONS).await,
            Self::Files(path) => read_files(path.clone(), opl::EXTENSIONS).await,
            Self::Remote(url) => {
                // The client bounds time and bytes, and refuses private addresses if it is configured to.
                let answer = http.get(url.as_str()).await.map_err(|error| error.to_string())?;
                if !answer.status().is_success() {
                    return Err(format!("the server answered with the status {}", answer.status().as_u16()));
                }
                let text = String::from_utf8(answer.into_body().to_vec());
                let text = text.map_err(|_| "the answer is not UTF-8".to_owned())?;
                Ok(vec![Document { name: self.shown(), text }])
            }
        }
    }

    pub(super) fn parse(&self, documents: &[Document]) -> Result<Parsed, String> {
        let without_conditions = |model| Parsed { model, conditions: Vec::new() };
        let (parsed, extensions) = match self {
            // The configuration says that there is no namespace.
            Self::Names(names) => return legacy::model(names).map(without_conditions),
            Self::Legacy(_) => (legacy::parse(documents).map(without_conditions)?, legacy::EXTENSIONS),
            Self::Files(_) | Self::Text(_) | Self::Remote(_) => (opl::parse(documents)?, opl::EXTENSIONS),
        };
        match (parsed.model.namespaces.is_empty(), documents.is_empty()) {
            (true, true) => Err(format!("there is no file with the extension {}", extensions.join(", "))),
            (true, false) => Err("it declares no namespace".to_owned()),
            (false, _) => Ok(parsed),
        }
    }
}

/// The path of a URL. One that is written as such is taken as it is.
fn decoded(text: &str) -> PathBuf {
    PathBuf::from(percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned())
}

async fn read_files(path: PathBuf, extensions: &'static [&'static str]) -> Result<Vec<Document>, String> {
    let read = tokio::task::spawn_blocking(move || {
        let is_folder = std::fs::metadata(&path).map_err(|error| failed(&path, &error))?.is_dir();
        // A file that is named has any extension.
        let files = if is_folder { files_of_model(&path, extensions)? } else { vec![path] };
        let mut total = 0;
        let mut documents = Vec::new();
        for file in files {
            let document = read_file(&file)?;
            total += document.text.len() as u64;
            if total > TOTAL_BYTES {
                return Err(format!("the files together have more than {TOTAL_BYTES} bytes"));
            }
            documents.push(document);
        }
        Ok(documents)
    });
    read.await.map_err(|error| error.to_string())?
}

fn files_of_model(folder: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>, String> {
    let is_of_model = |path: &Path| {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let is_known = extensions.contains(&extension);
        if !is_known {
            let (file, known) = (path.display().to_string(), extensions.join(", "));
            tracing::warn!(file, "not a file of the permission model: its extension is none of {known}");
        }
        is_known
    };
    files_below(folder, is_of_model).map_err(|error| error.to_string())
}

fn read_file(path: &Path) -> Result<Document, String> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let file = web::regular_files::open(path).map_err(|error| failed(path, &error))?;
    file.take(DOCUMENT_BYTES + 1).read_to_end(&mut bytes).map_err(|error| failed(path, &error))?;
    let name = path.display().to_string();
    if bytes.len() as u64 > DOCUMENT_BYTES {
        return Err(format!("{name} has more than {DOCUMENT_BYTES} bytes"));
    }
    let text = String::from_utf8(bytes).map_err(|_| format!("{name} is not UTF-8"))?;
    Ok(Document { name, text })
}

fn failed(path: &Path, error: &std::io::Error) -> String {
    format!("{} cannot be read: {error}", path.display())
}
