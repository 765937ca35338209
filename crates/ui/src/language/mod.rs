//! The languages of the pages and mails: one file of texts per language, in `locales/`.
//!
//! Invariants:
//! - A language is defined by its file alone, which contains its name, its direction and its texts. There is no other list of
//!   languages.
//! - English is complete. Other languages show the English text where theirs is missing.
//! - A file is parsed once; a text without values is a `&'static str` afterwards.

mod load;
mod pattern;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::LazyLock;

use base::Locale;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::Sentence;
pub use load::LanguageError;
pub(crate) use load::Loaded;
#[cfg(any(test, feature = "testing"))]
pub(crate) use load::Texts;
pub(crate) use pattern::Shape;

/// Each file of `locales/`: its tag and its texts.
pub(crate) const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/locales.rs"));

static BUILT_IN: LazyLock<Vec<Language>> = LazyLock::new(built_in);

/// One language with its texts. A cheap copy.
#[derive(Clone, Copy)]
pub struct Language(&'static Loaded);

/// English first, then sorted by the languages' own names.
fn built_in() -> Vec<Language> {
    let source = |tag: &str| FILES.iter().find(|(its, _)| *its == tag).map_or("", |(_, source)| *source);
    let load = |tag: &str, english| Language(Box::leak(Box::new(load::load(tag, source(tag).to_owned(), english).0)));
    let english = load("en", None);
    let mut others: Vec<_> =
        FILES.iter().filter(|(tag, _)| *tag != "en").map(|(tag, _)| load(tag, Some(english.0))).collect();
    others.sort_by_key(|language| language.name());
    others.insert(0, english);
    others
}

impl Language {
    /// The languages that this build has.
    pub fn all() -> &'static [Self] {
        &BUILT_IN
    }

    pub fn english() -> Self {
        BUILT_IN[0]
    }

    /// The language of this build with this tag.
    pub fn find(tag: &str) -> Option<Self> {
        Self::all().iter().copied().find(|language| language.tag() == tag)
    }

    /// A language from a file of texts that is not part of this build. `tag` has two letters. The texts are never freed.
    pub fn read(tag: &str, source: &str) -> Result<Self, LanguageError> {
        let (loaded, problems) = load::load(tag, source.to_owned(), Some(Self::english().0));
        match problems.into_iter().next() {
            Some(problem) => Err(problem),
            None => Ok(Self(Box::leak(Box::new(loaded)))),
        }
    }

    /// The value of the `lang` attribute, a BCP 47 tag (WCAG 3.1.1).
    pub fn tag(self) -> &'static str {
        &self.0.tag
    }

    /// Its name in the language itself.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// The value of the `dir` attribute.
    pub fn direction(self) -> &'static str {
        if self.0.is_right_to_left { "rtl" } else { "ltr" }
    }

    pub fn locale(self) -> Locale {
        Locale::from_tag(self.tag()).unwrap_or_default()
    }

    /// The text with this name. For an unknown name it is the name itself; tests find such names.
    pub fn sentence(self, key: &str) -> Sentence {
        self.0.sentences.get(key).copied().unwrap_or_else(|| Sentence::Fixed(key.to_owned().leak()))
    }

    /// A part of a text, if the text has it.
    pub fn part(self, key: &str, part: &str) -> Option<Sentence> {
        self.0.sentences.get(&format!("{key}.{part}")).copied()
    }

    /// The text of a message of a flow, for the variant that its context names.
    pub(crate) fn message(self, id: u64, variant: Option<&str>) -> Option<Sentence> {
        let at = self.0.messages.binary_search_by_key(&id, |message| message.id).ok()?;
        let message = self.0.messages.get(at)?;
        let variant = variant.and_then(|name| message.variants.iter().find(|(its, _)| *its == name));
        Some(variant.map_or(message.words, |(_, words)| *words))
    }

    /// The translation of a common title of a field.
    pub(crate) fn title(self, english: &str) -> Option<&'static str> {
        self.0.titles.get(&load::title_key(english)).copied()
    }

    /// Whether both are the same value, not only languages with the same tag.
    pub(crate) fn is(self, other: Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Default for Language {
    fn default() -> Self {
        Self::english()
    }
}

impl From<Locale> for Language {
    fn from(locale: Locale) -> Self {
        Self::find(locale.as_str()).unwrap_or_default()
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Language({})", self.tag())
    }
}

impl PartialEq for Language {
    fn eq(&self, other: &Self) -> bool {
        self.tag() == other.tag()
    }
}

impl Eq for Language {}

impl Hash for Language {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.tag().hash(state);
    }
}

impl Ord for Language {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.tag().cmp(other.tag())
    }
}

impl PartialOrd for Language {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<'de> Deserialize<'de> for Language {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let tag = String::deserialize(deserializer)?;
        Self::find(&tag).ok_or_else(|| {
            let known: Vec<_> = Self::all().iter().map(|language| language.tag()).collect();
            D::Error::custom(format!("`{tag}` is not a language of the pages; expected one of {}", known.join(", ")))
        })
    }
}

#[cfg(test)]
mod tests;
