//! The `ui` section of the configuration: name, colours, links, languages and texts of the pages.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::Language;

/// Design and texts of the built-in pages.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The name in the head of each page and in its title.
    pub product_name: String,
    /// An image that replaces the built-in logo: an `https` or `http` URL, or a path on this server.
    pub logo_url: Option<String>,
    /// Whether the pages are light or dark. `auto` follows the system of the visitor.
    pub color_scheme: ColorScheme,
    /// Design tokens by name, without the two dashes: `accent: "#7a1fa2"`. The names are in
    /// `crates/ui/assets/kleis.css`.
    pub variables: BTreeMap<String, String>,
    /// Design tokens for the dark scheme. A token that is not set here keeps its built-in dark value.
    pub dark_variables: BTreeMap<String, String>,
    /// Links at the end of every page.
    pub footer: Footer,
    /// The languages that are offered. Unset, all are. The first one is for visitors who read none of them.
    #[schemars(with = "Option<Vec<String>>")]
    pub languages: Option<Vec<Language>>,
    /// Texts that replace built-in messages, by language and then by message id (`"1070004"`), or by id and field
    /// (`"1070002:traits.email"`).
    #[schemars(with = "BTreeMap<String, BTreeMap<String, String>>")]
    pub messages: BTreeMap<Language, BTreeMap<String, String>>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            product_name: "Kleis".into(),
            logo_url: None,
            color_scheme: ColorScheme::Auto,
            variables: BTreeMap::new(),
            dark_variables: BTreeMap::new(),
            footer: Footer::default(),
            languages: None,
            messages: BTreeMap::new(),
        }
    }
}

/// Links that people expect at the end of a page. Links that are not set are not shown.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Footer {
    /// The link to the terms of service at the end of each page. A link is an `https`, `http` or `mailto` URL or a path
    /// on this server, or one for each language.
    pub terms: Option<FooterLink>,
    /// The link to the privacy policy.
    pub privacy: Option<FooterLink>,
    /// The link to the imprint.
    pub imprint: Option<FooterLink>,
    /// The link to the help.
    pub help: Option<FooterLink>,
}

impl Footer {
    /// Each link with its key, in the order of the page.
    pub(crate) fn links(&self) -> impl Iterator<Item = (&'static str, &FooterLink)> {
        let all =
            [("terms", &self.terms), ("privacy", &self.privacy), ("imprint", &self.imprint), ("help", &self.help)];
        all.into_iter().filter_map(|(key, link)| Some((key, link.as_ref()?)))
    }
}

/// A URL, or one for each language: an `https`, `http` or `mailto` URL, or a path on this server.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(untagged)]
pub enum FooterLink {
    Same(String),
    ByLanguage(#[schemars(with = "BTreeMap<String, String>")] BTreeMap<Language, String>),
}

impl FooterLink {
    /// The URL for a reader of `language`, else for a reader of `otherwise`, else any.
    pub(crate) fn url(&self, language: Language, otherwise: Language) -> Option<&str> {
        match self {
            Self::Same(url) => Some(url),
            Self::ByLanguage(urls) => {
                let url = urls.get(&language).or_else(|| urls.get(&otherwise)).or_else(|| urls.values().next());
                url.map(String::as_str)
            }
        }
    }

    fn urls(&self) -> impl Iterator<Item = &String> {
        let (one, many) = match self {
            Self::Same(url) => (Some(url), None),
            Self::ByLanguage(urls) => (None, Some(urls.values())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }
}

impl<'de> Deserialize<'de> for FooterLink {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;

        impl<'de> Visitor<'de> for OneOrMany {
            type Value = FooterLink;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a URL, or a URL for each language")
            }

            fn visit_str<E: de::Error>(self, url: &str) -> Result<FooterLink, E> {
                Ok(FooterLink::Same(url.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, urls: A) -> Result<FooterLink, A::Error> {
                Deserialize::deserialize(MapAccessDeserializer::new(urls)).map(FooterLink::ByLanguage)
            }
        }

        // Not an untagged enum, because its error would not name the unknown language.
        deserializer.deserialize_any(OneOrMany)
    }
}

/// Light, dark, or what the visitor's system prefers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ColorScheme {
    #[default]
    Auto,
    Light,
    Dark,
}

/// Why the section is not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("{section}.{name}: a design token has a name of lower-case letters, digits and dashes")]
    VariableName { section: &'static str, name: String },
    #[error("{section}.{name}: the value may not contain ; {{ }} < > @ \\ quotes or url(")]
    VariableValue { section: &'static str, name: String },
    #[error("logo_url: expected an http or https URL, or a path that begins with one slash")]
    LogoUrl,
    #[error("footer.{name}: expected an https, http or mailto URL, or a path that begins with one slash")]
    FooterUrl { name: &'static str },
    #[error("languages: expected at least one language, each once")]
    Languages,
    #[error("messages.{language}.{key}: expected a known message id, or an id, a colon and a field name")]
    MessageKey { language: &'static str, key: String },
}

impl Config {
    /// The offered languages; the first one is the default.
    pub fn languages(&self) -> &[Language] {
        self.languages.as_deref().unwrap_or(Language::all())
    }

    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        validate_variables("variables", &self.variables)?;
        validate_variables("dark_variables", &self.dark_variables)?;
        if let Some(logo) = &self.logo_url
            && logo_source(logo).is_none()
        {
            return Err(ConfigError::LogoUrl);
        }
        for (name, link) in self.footer.links() {
            let is_usable = |url: &String| logo_source(url).is_some() || is_mail_address(url);
            if link.urls().count() == 0 || !link.urls().all(is_usable) {
                return Err(ConfigError::FooterUrl { name });
            }
        }
        let languages = self.languages();
        let is_repeated = |at: usize| languages[at + 1..].contains(&languages[at]);
        if languages.is_empty() || (0..languages.len()).any(is_repeated) {
            return Err(ConfigError::Languages);
        }
        for (language, texts) in &self.messages {
            for key in texts.keys() {
                let id = key.split_once(':').map_or(key.as_str(), |(id, _)| id);
                if !id.parse().is_ok_and(crate::messages::is_known) {
                    return Err(ConfigError::MessageKey { language: language.tag(), key: key.clone() });
                }
            }
        }
        Ok(())
    }
}

/// The values are written into a style sheet unchanged, so characters that could end a declaration, and `url(`, are refused.
fn validate_variables(section: &'static str, variables: &BTreeMap<String, String>) -> Result<(), ConfigError> {
    for (name, value) in variables {
        let well_named = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !well_named {
            return Err(ConfigError::VariableName { section, name: name.clone() });
        }
        let forbidden = |c: char| matches!(c, ';' | '{' | '}' | '<' | '>' | '@' | '\\' | '"' | '\'') || c.is_control();
        if value.is_empty() || value.contains(forbidden) || value.to_ascii_lowercase().contains("url(") {
            return Err(ConfigError::VariableValue { section, name: name.clone() });
        }
    }
    Ok(())
}

/// The source of the logo for the content security policy: `Some("")` for our own origin, `None` when the URL is unusable.
pub(crate) fn logo_source(logo: &str) -> Option<&str> {
    if logo.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, ';' | ',' | '"' | '\'' | '<' | '>')) {
        return None;
    }
    if logo.starts_with('/') {
        return (!logo.starts_with("//")).then_some("");
    }
    let (scheme, rest) = logo.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next().filter(|host| !host.is_empty() && !host.contains('@'))?;
    matches!(scheme, "http" | "https").then(|| &logo[..scheme.len() + 3 + host.len()])
}

fn is_mail_address(url: &str) -> bool {
    let Some(address) = url.strip_prefix("mailto:") else { return false };
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '<' | '>');
    address.contains('@') && !address.contains(is_odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn language(tag: &str) -> Language {
        Language::find(tag).unwrap()
    }

    #[test]
    fn a_footer_link_is_a_web_url_a_mail_address_or_a_path() {
        let with = |url: &str| Config {
            footer: Footer { help: Some(FooterLink::Same(url.to_owned())), ..Footer::default() },
            ..Config::default()
        };
        for good in ["https://example.org/help?x=1#y", "http://example.org", "/help", "mailto:help@example.org"] {
            assert_eq!(with(good).validate(), Ok(()), "{good}");
        }
        for bad in ["javascript:alert(1)", "//evil.example", "mailto:", "help", "", "https://a b", "data:text/html,x"] {
            assert_eq!(with(bad).validate(), Err(ConfigError::FooterUrl { name: "help" }), "{bad}");
        }
    }

    #[test]
    fn a_footer_link_has_the_language_of_its_reader_if_available() {
        let link: FooterLink = serde_json::from_value(serde_json::json!({"en": "/en", "de": "/de"})).unwrap();
        assert_eq!(link.url(language("de"), language("en")), Some("/de"));
        assert_eq!(link.url(language("ar"), language("en")), Some("/en"));
        let same: FooterLink = serde_json::from_value("/all".into()).unwrap();
        assert_eq!(same.url(language("ar"), language("en")), Some("/all"));
        let unknown = serde_json::from_value::<FooterLink>(serde_json::json!({"xx": "/xx"})).unwrap_err().to_string();
        assert!(unknown.starts_with("`xx` is not a language of the pages"), "{unknown}");
    }

    #[test]
    fn each_language_is_offered_once() {
        let with = |languages: &[Language]| Config { languages: Some(languages.to_vec()), ..Config::default() };
        assert_eq!(with(&[language("de"), language("en")]).validate(), Ok(()));
        assert_eq!(with(&[]).validate(), Err(ConfigError::Languages));
        assert_eq!(with(&[language("de"), language("de")]).validate(), Err(ConfigError::Languages));
        assert_eq!(Config::default().languages(), Language::all());
    }

    #[test]
    fn the_logo_names_the_origin_that_may_be_loaded() {
        assert_eq!(logo_source("https://cdn.example.org/a.svg?x"), Some("https://cdn.example.org"));
        assert_eq!(logo_source("/logo.svg"), Some(""));
        for bad in
            ["//evil.example/a.svg", "javascript:alert(1)", "https://a@b/x", "data:image/png;base64,", "https://"]
        {
            assert_eq!(logo_source(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_variable_cannot_leave_its_declaration() {
        let with = |value: &str| Config {
            variables: BTreeMap::from([("accent".to_owned(), value.to_owned())]),
            ..Config::default()
        };
        assert_eq!(with("#123456").validate(), Ok(()));
        assert_eq!(with("oklch(60% 0.1 200)").validate(), Ok(()));
        for bad in ["red; } body { display: none", "URL(https://x)", "", "red}"] {
            assert!(with(bad).validate().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_override_names_a_message_that_exists() {
        let with = |key: &str| Config {
            messages: BTreeMap::from([(language("de"), BTreeMap::from([(key.to_owned(), "x".to_owned())]))]),
            ..Config::default()
        };
        assert_eq!(with("1070004").validate(), Ok(()));
        assert_eq!(with("1070002:traits.email").validate(), Ok(()));
        assert!(with("99").validate().is_err());
        assert!(with("sign-in").validate().is_err());
    }
}
