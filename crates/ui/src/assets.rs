//! The static files of the pages. The name of a file contains a hash of its content, so browsers may cache it without limit
//! and load a new release at once.

use std::fmt::Write as _;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use sha2::{Digest, Sha256};

use crate::Config;

/// The route under which each service that has pages serves these files: `GET /ui/static/{file}`.
pub const ROUTE: &str = "/ui/static/{file}";
/// The same as a prefix of a path.
pub(crate) const PREFIX: &str = "/ui/static/";

pub(crate) const STYLE: &str = include_str!("../assets/kleis.css");
const TRIGGERS: &str = include_str!("../assets/triggers.js");
const AIDS: &str = include_str!("../assets/aids.js");
const ICON: &str = include_str!("../assets/icon.svg");

/// A file whose name contains a hash of its content.
#[derive(Clone, Debug)]
pub struct Asset {
    pub name: String,
    pub content_type: &'static str,
    body: Bytes,
}

impl Asset {
    fn new(stem: &str, extension: &str, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let mut name = format!("{stem}-");
        for byte in &Sha256::digest(&body)[..8] {
            // Writing to a String cannot fail.
            let _ = write!(name, "{byte:02x}");
        }
        name.push('.');
        name.push_str(extension);
        Self { name, content_type, body }
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_default()
    }
}

/// All files of one configuration.
#[derive(Clone, Debug)]
pub(crate) struct Assets {
    pub(crate) style: Asset,
    /// Present when the operator changed design tokens.
    pub(crate) theme: Option<Asset>,
    pub(crate) triggers: Asset,
    pub(crate) aids: Asset,
    pub(crate) icon: Asset,
}

impl Assets {
    pub(crate) fn new(config: &Config) -> Self {
        let theme = theme(config);
        Self {
            style: Asset::new("kleis", "css", "text/css; charset=utf-8", STYLE),
            theme: theme.map(|text| Asset::new("theme", "css", "text/css; charset=utf-8", text)),
            triggers: Asset::new("triggers", "js", "text/javascript; charset=utf-8", TRIGGERS),
            aids: Asset::new("aids", "js", "text/javascript; charset=utf-8", AIDS),
            icon: Asset::new("icon", "svg", "image/svg+xml", ICON),
        }
    }

    fn find(&self, name: &str) -> Option<&Asset> {
        [Some(&self.style), self.theme.as_ref(), Some(&self.triggers), Some(&self.aids), Some(&self.icon)]
            .into_iter()
            .flatten()
            .find(|asset| asset.name == name)
    }

    /// The answer to `GET /ui/static/{file}`.
    pub(crate) fn respond(&self, name: &str) -> Response<Full<Bytes>> {
        let Some(asset) = self.find(name) else {
            let mut missing = Response::new(Full::default());
            *missing.status_mut() = StatusCode::NOT_FOUND;
            return missing;
        };
        let mut response = Response::new(Full::new(asset.body.clone()));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        // The icon is a document of its own when it is opened directly, and must not load anything.
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
        response
    }
}

/// The tokens that have a dark value of their own. A light colour on the dark scheme would be unreadable, so each scheme
/// takes its own; every other token (radius, measure, font) applies to both.
pub(crate) const COLORS: [&str; 17] = [
    "ground",
    "surface",
    "sunken",
    "text",
    "muted",
    "line",
    "edge",
    "accent",
    "accent-strong",
    "on-accent",
    "accent-soft",
    "danger",
    "danger-soft",
    "success",
    "success-soft",
    "focus",
    "shadow",
];

/// The style sheet with the operator's design tokens; `None` when there are none.
fn theme(config: &Config) -> Option<String> {
    if config.variables.is_empty() && config.dark_variables.is_empty() {
        return None;
    }
    let (mut both, mut light, mut dark) = (String::new(), String::new(), String::new());
    for (name, value) in &config.variables {
        let block = if COLORS.contains(&name.as_str()) { &mut light } else { &mut both };
        // Writing to a String cannot fail.
        let _ = write!(block, "--{name}:{value};");
    }
    for (name, value) in &config.dark_variables {
        let _ = write!(dark, "--{name}:{value};");
    }
    Some(format!(
        ":root{{{both}}}\n\
         @media (prefers-color-scheme: light){{:root:not([data-theme=dark]){{{light}}}}}\n\
         :root[data-theme=light]{{{light}}}\n\
         @media (prefers-color-scheme: dark){{:root:not([data-theme=light]){{{dark}}}}}\n\
         :root[data-theme=dark]{{{dark}}}\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_by_its_exact_name_and_cached_for_ever() {
        let assets = Assets::new(&Config::default());
        let found = assets.respond(&assets.style.name);
        assert_eq!(found.status(), 200);
        assert_eq!(found.headers()["cache-control"], "public, max-age=31536000, immutable");
        assert_eq!(assets.respond("kleis-0000000000000000.css").status(), 404);
        assert_eq!(assets.respond("../Cargo.toml").status(), 404);
    }

    #[test]
    fn design_tokens_become_a_sheet_of_their_own() {
        let mut config = Config::default();
        assert!(Assets::new(&config).theme.is_none());
        config.variables.insert("accent".into(), "#123456".into());
        let assets = Assets::new(&config);
        assert!(assets.theme.unwrap().text().contains("--accent:#123456;"));
    }
}
