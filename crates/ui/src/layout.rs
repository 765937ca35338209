//! The layout of every page, and its security headers.

use std::sync::Arc;

use askama::Template;
use base::Locale;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

use crate::assets::{Assets, PREFIX};
use crate::config::logo_source;
use crate::{Brand, ColorScheme, Config, ConfigError, Language, Localizer, Strings};

/// The common part of the built-in pages: design, texts and static files of one configuration. A cheap clone.
#[derive(Clone, Debug)]
pub struct Ui {
    shared: Arc<Shared>,
    /// The public path of this service, without a slash at its end.
    base_path: Arc<str>,
}

#[derive(Debug)]
struct Shared {
    config: Config,
    assets: Assets,
    policy: HeaderValue,
}

/// The properties of a page that the layout needs.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// The first part of the window's title; it is usually the same as the page's `h1`.
    pub title: &'a str,
    pub width: Width,
    /// The query of the request, for a page that can be requested again by `GET`: only such a page offers its other languages,
    /// so that choosing a language never discards a form.
    pub query: Option<&'a str>,
    /// Whether the page has buttons that start a script of the browser (passkeys, security keys).
    pub has_triggers: bool,
    /// Whether the page has fields that a script enhances.
    pub has_aids: bool,
    pub status: StatusCode,
}

impl<'a> Page<'a> {
    /// An ordinary page: one narrow card, status 200, no script.
    pub const fn titled(title: &'a str) -> Self {
        Self { title, width: Width::Narrow, query: None, has_triggers: false, has_aids: false, status: StatusCode::OK }
    }

    /// The same page, which can be requested again with this query.
    #[must_use]
    pub fn asked_with(self, query: Option<&'a str>) -> Self {
        Self { query: Some(query.unwrap_or_default()), ..self }
    }
}

/// The maximal width of the card.
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

/// A language of the switch; `href` leads to the same page in it, unless it is the current one.
struct LanguageLink {
    language: Language,
    href: Option<String>,
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

    /// The switch between languages; empty when there is no choice.
    fn languages(&self) -> Vec<LanguageLink> {
        let Some(query) = self.page.query.filter(|_| self.config.languages().len() > 1) else { return Vec::new() };
        // A reference without a path leads to the same page, whatever its public URL is.
        let kept = query.split('&').filter(|pair| !pair.is_empty() && pair.split('=').next() != Some("lang"));
        let kept: String = kept.flat_map(|pair| [pair, "&"]).collect();
        let link = |language: &Language| LanguageLink {
            language: *language,
            href: (*language != self.language).then(|| format!("?{kept}lang={}", language.tag())),
        };
        self.config.languages().iter().map(link).collect()
    }

    fn footer(&self) -> Vec<(&'static str, String)> {
        let otherwise = self.config.languages().first().copied().unwrap_or_default();
        let label = |key| match key {
            "terms" => self.strings.footer_terms,
            "privacy" => self.strings.footer_privacy,
            "imprint" => self.strings.footer_imprint,
            _ => self.strings.footer_help,
        };
        let links = self.config.footer.links();
        links.filter_map(|(key, link)| Some((label(key), self.own(link.url(self.language, otherwise)?)))).collect()
    }

    /// Resolves a path of the configuration below the public URL.
    fn own(&self, url: &str) -> String {
        if url.starts_with('/') { format!("{}{url}", self.base_path) } else { url.to_owned() }
    }

    fn logo(&self) -> Option<String> {
        self.config.logo_url.as_deref().map(|logo| self.own(logo))
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

    /// The public path of this service, as a prefix for links; empty at the root of a host.
    pub fn base_path(&self) -> &str {
        &self.base_path
    }

    pub fn product_name(&self) -> &str {
        &self.shared.config.product_name
    }

    /// The part of the design that mails can show.
    pub fn brand(&self) -> Brand {
        Brand::new(&self.shared.config)
    }

    /// The languages that are offered.
    pub fn languages(&self) -> &[Language] {
        self.shared.config.languages()
    }

    /// The first of these BCP 47 tags that is offered, for instance among the `ui_locales` of a client (OpenID Connect Core
    /// section 3.1.2.1).
    pub fn first_available<'t>(&self, tags: impl IntoIterator<Item = &'t str>) -> Option<Locale> {
        let is_offered = |locale: &Locale| self.languages().iter().any(|language| language.locale() == *locale);
        tags.into_iter().filter_map(Locale::from_tag).find(is_offered)
    }

    /// The language for a reader of `locale`: one that is offered, else one of this build, else English.
    pub fn language(&self, locale: Locale) -> Language {
        let offered = self.languages().iter().copied().find(|language| language.locale() == locale);
        offered.unwrap_or_else(|| Language::from(locale))
    }

    /// The texts of a page, and of the messages that it shows.
    pub fn localizer(&self, locale: Locale) -> Localizer<'_> {
        Localizer::new(self.language(locale), &self.shared.config.messages)
    }

    /// A complete page around `body`, with all headers.
    pub fn respond(&self, locale: Locale, page: Page<'_>, body: &impl Template) -> Response<String> {
        let language = self.language(locale);
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
            // A template fails only when the formatting of a value fails.
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
        headers.insert(header::VARY, HeaderValue::from_static("accept-language, cookie"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache, no-store, must-revalidate"));
        headers.insert(header::CONTENT_SECURITY_POLICY, self.shared.policy.clone());
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        // `no-referrer` would change the Origin of our own forms to `null`.
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        headers.insert(
            "permissions-policy",
            HeaderValue::from_static("publickey-credentials-get=(self), publickey-credentials-create=(self)"),
        );
        response
    }
}

/// `form-action` is absent on purpose: browsers apply it to the redirects that follow a form, and those lead to other
/// origins (a provider, the redirect URI of a client, the scheme of an app). Injection is prevented by escaping.
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
    fn a_page_escapes_values_and_has_its_security_headers() {
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
    fn a_page_that_can_be_requested_again_offers_its_other_languages() {
        let html = |page: Page<'_>, languages: &[Language]| {
            let ui = Ui::new(Config { languages: Some(languages.to_vec()), ..Config::default() }).unwrap();
            ui.respond(Locale::ENGLISH, page, &Probe { text: "" }).into_body()
        };
        let page = Page::titled("T").asked_with(Some("flow=1&lang=de&x=%22"));
        let shown = html(page, Language::all());
        assert!(
            shown.contains(r#"<a href="?flow=1&#38;x=%22&#38;lang=de" lang="de" hreflang="de">Deutsch</a>"#),
            "{shown}"
        );
        assert!(shown.contains(r#"<span lang="en" aria-current="true">English</span>"#), "{shown}");
        assert!(
            !html(Page::titled("T"), Language::all()).contains("Deutsch"),
            "the answer to a form cannot be requested again"
        );
        assert!(!html(page, &[Language::english()]).contains("aria-current"), "there is nothing to choose");
    }

    #[test]
    fn only_offered_languages_are_available() {
        let ui = |languages| Ui::new(Config { languages, ..Config::default() }).unwrap();
        let first = |ui: &Ui| ui.first_available(["fr", "de-CH", "en"]).map(Language::from);
        assert_eq!(first(&ui(None)), Language::find("de"));
        assert_eq!(first(&ui(Some(vec![Language::english()]))), Some(Language::english()));
        assert_eq!(ui(None).first_available(["fr", "x"]), None);
    }

    #[test]
    fn the_footer_shows_only_configured_links() {
        let footer = serde_json::from_value(serde_json::json!({"privacy": "/privacy", "help": {"de": "https://h/de"}}));
        let ui = Ui::new(Config { footer: footer.unwrap(), ..Config::default() }).unwrap().under("/auth");
        let html = ui.respond(Locale::ENGLISH, Page::titled("T"), &Probe { text: "" }).into_body();
        assert!(html.contains(r#"<a href="/auth/privacy">Privacy policy</a>"#), "{html}");
        assert!(html.contains(r#"<a href="https://h/de">Help</a>"#), "{html}");
        assert!(!html.contains("Imprint") && !html.contains("Terms"), "{html}");
    }

    #[test]
    fn the_page_names_its_language_and_scheme() {
        let ui = Ui::new(Config { color_scheme: ColorScheme::Dark, ..Config::default() }).unwrap();
        let german = Locale::from_tag("de").unwrap();
        let answer = ui.respond(german, Page::titled("T"), &Probe { text: "" });
        assert!(answer.body().contains(r#"<html lang="de" dir="ltr" data-theme="dark">"#), "{}", answer.body());
        assert_eq!(answer.headers()["content-language"], "de");
    }
}
