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
    #[serde(rename = "ar")]
    Arabic,
}

impl Language {
    pub const ALL: [Self; 3] = [Self::English, Self::German, Self::Arabic];

    /// The value of the `lang` attribute, a BCP 47 tag (WCAG 3.1.1).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::Arabic => "ar",
        }
    }

    /// What its readers call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
            Self::Arabic => "العربية",
        }
    }

    /// The value of the `dir` attribute.
    pub const fn direction(self) -> &'static str {
        match self {
            Self::English | Self::German => "ltr",
            Self::Arabic => "rtl",
        }
    }

    pub fn locale(self) -> Locale {
        Locale::from_tag(self.tag()).unwrap_or_default()
    }
}

impl From<Locale> for Language {
    fn from(locale: Locale) -> Self {
        Self::ALL.into_iter().find(|language| language.tag() == locale.as_str()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_locale_reads_english() {
        assert_eq!(Locale::from_tag("de-AT").map(Language::from), Some(Language::German));
        assert_eq!(Locale::from_tag("fr").map(Language::from), Some(Language::English));
        for language in Language::ALL {
            assert_eq!(Language::from(language.locale()), language);
        }
    }
}
