//! The languages that the pages speak.

use base::Locale;
use serde::{Deserialize, Serialize};

/// A language with a complete set of texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Language {
    #[default]
    #[serde(rename = "en")]
    English,
    #[serde(rename = "de")]
    German,
}

impl Language {
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// The value of the `lang` attribute, a BCP 47 tag (WCAG 3.1.1).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }
}

impl Language {
    /// The first of these BCP 47 tags that the pages have texts for, such as the `ui_locales` of a client (OpenID Connect
    /// Core section 3.1.2.1).
    pub fn first_available<'a>(tags: impl IntoIterator<Item = &'a str>) -> Option<Locale> {
        let is_available = |locale: &Locale| Self::ALL.iter().any(|language| language.tag() == locale.as_str());
        tags.into_iter().filter_map(Locale::from_tag).find(is_available)
    }
}

impl From<Locale> for Language {
    fn from(locale: Locale) -> Self {
        match locale.as_str() {
            "de" => Self::German,
            _ => Self::English,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_available_language_is_chosen() {
        assert_eq!(Language::first_available(["fr", "de-CH", "en"]).map(Language::from), Some(Language::German));
        assert_eq!(Language::first_available(["fr", "x"]), None);
    }

    #[test]
    fn an_unknown_locale_reads_english() {
        assert_eq!(Locale::from_tag("de-AT").map(Language::from), Some(Language::German));
        assert_eq!(Locale::from_tag("fr").map(Language::from), Some(Language::English));
    }
}
