//! The frame of every page, and the headers that guard it.

use std::sync::Arc;

use askama::Template;
use base::Locale;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

use crate::assets::{Assets, PREFIX};
use crate::config::logo_source;
use crate::{ColorScheme, Config, ConfigError, Language, Localizer, Strings};

/// The built-in pages' common part: looks, words and static files of one configuration. A cheap clone.
#[derive(Clone, Debug)]
pub struct Ui {
    shared: Arc<Shared>,
    /// The path under which this service is reached from outside, without a slash at its end.
    base_path: Arc<str>,
}

#[derive(Debug)]
struct Shared {
    config: Config,
    assets: Assets,
    policy: HeaderValue,
}

/// What a page says about itself to its frame.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// The first part of the window's title; the page's own `h1` usually says the same.
    pub title: &'a str,
    pub width: Width,
    /// The page has buttons that start a script of the browser (passkeys, security keys).
    pub has_triggers: bool,
    /// The page has fields that a script makes more comfortable.
    pub has_aids: bool,
    pub status: StatusCode,
}

impl<'a> Page<'a> {
    /// An ordinary page: one narrow card, status 200, no script.
    pub const fn titled(title: &'a str) -> Self {
        Self { title, width: Width::Narrow, has_triggers: false, has_aids: false, status: StatusCode::OK }
    }
}

/// How wide the card may grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Width {
    /// A form or a question.
    #[default]
    Narrow,
    /// Lists and settings.
    Wide,
}

#[derive(Template)]
#[template(path = "layout.html")]
struct Layout<'a, B: Template> {
    page: Page<'a>,
    language: Language,
    strings: &'static Strings,
    config: &'a Config,
    base_path: &'a str,
    assets: &'a Assets,
    body: &'a B,
}

impl<B: Template> Layout<'_, B> {
    fn theme_name(&self) -> Option<&'static str> {
        match self.config.color_scheme {
            ColorScheme::Auto => None,
            ColorScheme::Light => Some("light"),
            ColorScheme::Dark => Some("dark"),
        }
    }

    fn body_html(&self) -> Result<String, askama::Error> {
        self.body.render()
    }

    fn logo(&self) -> Option<String> {
        let logo = self.config.logo_url.as_ref()?;
        Some(if logo.starts_with('/') { format!("{}{logo}", self.base_path) } else { logo.clone() })
    }
}

impl Ui {
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.validate()?;
        let policy = content_security_policy(&config);
        let assets = Assets::new(&config);
        Ok(Self { shared: Arc::new(Shared { config, assets, policy }), base_path: "".into() })
    }

    /// The same pages for a service whose public URL has a path, for instance `/auth`.
    #[must_use]
    pub fn under(&self, path: &str) -> Self {
        Self { shared: Arc::clone(&self.shared), base_path: path.trim_end_matches('/').into() }
    }

    /// The path under which this service is reached, to begin links with; empty at the root of a host.
    pub fn base_path(&self) -> &str {
        &self.base_path
    }

    pub fn product_name(&self) -> &str {
        &self.shared.config.product_name
    }

    /// The words of a page, and of the messages that it shows.
    pub fn localizer(&self, locale: Locale) -> Localizer<'_> {
        Localizer::new(Language::from(locale), &self.shared.config.messages)
    }

    /// A whole page around `body`, with every header that it needs.
    pub fn respond(&self, locale: Locale, page: Page<'_>, body: &impl Template) -> Response<String> {
        let language = Language::from(locale);
        let layout = Layout {
            page,
            language,
            strings: Strings::of(language),
            config: &self.shared.config,
            base_path: &self.base_path,
            assets: &self.shared.assets,
            body,
        };
        match layout.render() {
            Ok(html) => self.html_response(page.status, language, html),
            // A template fails only when a value's own formatting does.
            Err(_) => self.html_response(StatusCode::INTERNAL_SERVER_ERROR, language, String::new()),
        }
    }

    /// The answer to `GET /ui/static/{file}`.
    pub fn asset(&self, file: &str) -> Response<Full<Bytes>> {
        self.shared.assets.respond(file)
    }

    fn html_response(&self, status: StatusCode, language: Language, html: String) -> Response<String> {
        let mut response = Response::new(html);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        headers.insert(header::VARY, HeaderValue::from_static("accept-language"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache, no-store, must-revalidate"));
        headers.insert(header::CONTENT_SECURITY_POLICY, self.shared.policy.clone());
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        // `no-referrer` would turn the Origin of our own forms into `null`.
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        headers.insert(
            "permissions-policy",
            HeaderValue::from_static("publickey-credentials-get=(self), publickey-credentials-create=(self)"),
        );
        response
    }
}

/// `form-action` is absent on purpose: browsers apply it to the redirects that follow a form, and those rightly lead to
/// other origins (a provider, a client's redirect URI, an app's own scheme). Injection is prevented by escaping.
fn content_security_policy(config: &Config) -> HeaderValue {
    let logo = config.logo_url.as_deref().and_then(logo_source).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data: {logo}; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Template)]
    #[template(source = "<h1>{{ text }}</h1>", ext = "html")]
    struct Probe<'a> {
        text: &'a str,
    }

    #[test]
    fn a_page_escapes_and_carries_its_guards() {
        let ui =
            Ui::new(Config { logo_url: Some("https://cdn.example.org/l.svg".into()), ..Config::default() }).unwrap();
        let answer = ui.under("/auth/").respond(Locale::ENGLISH, Page::titled("<x>"), &Probe { text: "<script>" });
        let html = answer.body();
        assert!(html.contains("<h1>&#60;script&#62;</h1>"), "{html}");
        assert!(html.contains("<title>&#60;x&#62;"), "{html}");
        assert!(html.contains(r#"href="/auth/ui/static/kleis-"#), "{html}");
        assert!(!html.contains("<style") && !html.contains(" style="), "{html}");
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("img-src 'self' data: https://cdn.example.org;"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
    }

    #[test]
    fn the_page_names_its_language_and_scheme() {
        let ui = Ui::new(Config { color_scheme: ColorScheme::Dark, ..Config::default() }).unwrap();
        let german = Locale::from_tag("de").unwrap();
        let answer = ui.respond(german, Page::titled("T"), &Probe { text: "" });
        assert!(answer.body().contains(r#"<html lang="de" data-theme="dark">"#), "{}", answer.body());
        assert_eq!(answer.headers()["content-language"], "de");
    }
}
