//! Loads the texts of one language from a Fluent file. Specification: Fluent 1.0 (<https://projectfluent.org>).
//!
//! Invariants:
//! - Isolation marks around values are not added here: [`crate::Localizer`] adds them where a value may have another direction.
//! - A file with problems still provides every text that can be read; the tests of this crate report the problems.

use std::borrow::Cow;
use std::collections::HashMap;
#[cfg(any(test, feature = "testing"))]
use std::collections::{BTreeMap, BTreeSet};

use base::Locale;
#[cfg(any(test, feature = "testing"))]
use fluent_bundle::FluentArgs;
use fluent_bundle::{FluentError, FluentResource};
use fluent_syntax::ast;

use super::pattern::Shape;
use crate::sentence::{Bundle, Filled, Sentence};

/// The prefixes of these names; the number of the message and the title of the field follow.
const MESSAGE: &str = "message-";
const TITLE: &str = "trait-";
const NAME: &str = "language-name";
const DIRECTION: &str = "language-direction";

/// Why a file of texts cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LanguageError {
    #[error("`{0}` is not the tag of a language: expected two letters, such as `fr`")]
    Tag(String),
    #[error("line {line}: {problem}")]
    Syntax { line: usize, problem: String },
    #[error("{0}: the name is used twice")]
    Repeated(String),
    #[error("{NAME}: the file must name its language")]
    Name,
    #[error("{DIRECTION}: expected `ltr` or `rtl`")]
    Direction,
    #[error("{key}: {problem}")]
    Reference { key: String, problem: String },
}

/// The texts of one language; missing texts are English.
pub(crate) struct Loaded {
    pub(super) tag: String,
    pub(super) name: &'static str,
    pub(super) is_right_to_left: bool,
    /// By name, and `name.part` for the parts of a text.
    pub(super) sentences: HashMap<String, Sentence>,
    /// Sorted by id.
    pub(super) messages: Vec<MessageWords>,
    /// English does not have these, because the titles are English.
    pub(super) titles: HashMap<String, &'static str>,
}

/// The texts for a message of a flow.
#[derive(Clone)]
pub(super) struct MessageWords {
    pub id: u64,
    pub words: Sentence,
    /// The texts for the variants of the message.
    pub variants: Vec<(&'static str, Sentence)>,
}

/// The key of the title of a field.
pub(super) fn title_key(title: &str) -> String {
    let words = title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}

pub(super) fn load(tag: &str, source: String, english: Option<&'static Loaded>) -> (Loaded, Vec<LanguageError>) {
    let mut problems = Vec::new();
    if Locale::from_tag(tag).is_none_or(|locale| locale.as_str() != tag) {
        problems.push(LanguageError::Tag(tag.to_owned()));
    }
    let resource = parse(source, &mut problems);
    let mut bundle = Bundle::new_concurrent(vec![tag.parse().unwrap_or_default()]);
    bundle.set_use_isolating(false);
    if let Err(repeated) = bundle.add_resource(resource) {
        problems.extend(repeated.into_iter().map(|error| match error {
            FluentError::Overriding { id, .. } => LanguageError::Repeated(id),
            other => LanguageError::Repeated(other.to_string()),
        }));
    }
    let bundle: &'static Bundle = Box::leak(Box::new(bundle));
    let mut loaded = Loaded {
        tag: tag.to_owned(),
        name: "",
        is_right_to_left: false,
        sentences: english.map(|it| it.sentences.clone()).unwrap_or_default(),
        messages: english.map(|it| it.messages.clone()).unwrap_or_default(),
        titles: HashMap::new(),
    };
    let (mut name, mut direction) = (None, None);
    for entry in resource.entries() {
        let ast::Entry::Message(message) = entry else { continue };
        let words = message.value.as_ref().map(|pattern| sentence(bundle, message.id.name, pattern, &mut problems));
        match (message.id.name, words) {
            (NAME, Some(Sentence::Fixed(text))) => name = Some(text),
            (DIRECTION, Some(Sentence::Fixed(text))) => direction = Some(text),
            (key, words) => {
                let parts = message.attributes.iter().map(|part| {
                    let part_key = format!("{key}.{}", part.id.name);
                    (part.id.name, sentence(bundle, &part_key, &part.value, &mut problems))
                });
                loaded.add(key, words, parts.collect(), english.is_none());
            }
        }
    }
    loaded.messages.sort_by_key(|message| message.id);
    loaded.name = name.unwrap_or_else(|| {
        problems.push(LanguageError::Name);
        tag.to_owned().leak()
    });
    loaded.is_right_to_left = direction == Some("rtl");
    if !matches!(direction, Some("ltr" | "rtl")) {
        problems.push(LanguageError::Direction);
    }
    (loaded, problems)
}

fn parse(source: String, problems: &mut Vec<LanguageError>) -> &'static FluentResource {
    let resource = FluentResource::try_new(source).unwrap_or_else(|(resource, errors)| {
        problems.extend(errors.into_iter().map(|error| LanguageError::Syntax {
            line: resource.source().get(..error.pos.start).unwrap_or_default().split('\n').count(),
            problem: error.to_string(),
        }));
        resource
    });
    Box::leak(Box::new(resource))
}

fn sentence(
    bundle: &'static Bundle,
    key: &str,
    pattern: &'static ast::Pattern<&'static str>,
    problems: &mut Vec<LanguageError>,
) -> Sentence {
    let shape = Shape::of(pattern);
    if !shape.values.is_empty() {
        return Sentence::Filled(Box::leak(Box::new(Filled { key: key.to_owned(), bundle, pattern, shape })));
    }
    let mut errors = Vec::new();
    let text = match bundle.format_pattern(pattern, None, &mut errors) {
        Cow::Borrowed(text) => text,
        Cow::Owned(text) => text.leak(),
    };
    let reference = |error: FluentError| LanguageError::Reference { key: key.to_owned(), problem: error.to_string() };
    problems.extend(errors.into_iter().map(reference));
    Sentence::Fixed(text)
}

impl Loaded {
    fn add(&mut self, key: &str, words: Option<Sentence>, parts: Vec<(&'static str, Sentence)>, is_english: bool) {
        if let Some(id) = key.strip_prefix(MESSAGE).and_then(|id| id.parse().ok()) {
            self.add_message(id, words, parts);
        } else if let Some(title) = key.strip_prefix(TITLE) {
            if let (Some(Sentence::Fixed(text)), false) = (words, is_english) {
                self.titles.insert(title.to_owned(), text);
            }
        } else {
            self.sentences.extend(parts.into_iter().map(|(part, words)| (format!("{key}.{part}"), words)));
            self.sentences.extend(words.map(|words| (key.to_owned(), words)));
        }
    }

    fn add_message(&mut self, id: u64, words: Option<Sentence>, variants: Vec<(&'static str, Sentence)>) {
        match self.messages.iter_mut().find(|message| message.id == id) {
            Some(known) => {
                known.words = words.unwrap_or(known.words);
                for (name, words) in variants {
                    known.variants.retain(|(its, _)| *its != name);
                    known.variants.push((name, words));
                }
            }
            None => self.messages.extend(words.map(|words| MessageWords { id, words, variants })),
        }
    }
}

/// The texts of one file without those of English, for comparison with another file.
#[cfg(any(test, feature = "testing"))]
pub(crate) struct Texts {
    /// The names of the values in each text.
    pub(crate) values: BTreeMap<String, BTreeSet<String>>,
    /// Texts that cannot be formatted, or have more than one line.
    pub(crate) failures: Vec<String>,
}

#[cfg(any(test, feature = "testing"))]
impl Texts {
    pub(crate) fn read(tag: &str, source: &str) -> (Self, Vec<LanguageError>) {
        let (_, problems) = load(tag, source.to_owned(), None);
        let resource = parse(source.to_owned(), &mut Vec::new());
        let mut bundle = Bundle::new_concurrent(vec![tag.parse().unwrap_or_default()]);
        // A name that is used twice is one of the problems above.
        let _ = bundle.add_resource(resource);
        let bundle: &'static Bundle = Box::leak(Box::new(bundle));
        let mut texts = Self { values: BTreeMap::new(), failures: Vec::new() };
        for entry in resource.entries() {
            let ast::Entry::Message(message) = entry else { continue };
            let key = message.id.name.to_owned();
            message.value.iter().for_each(|pattern| texts.add(bundle, key.clone(), pattern));
            for part in &message.attributes {
                texts.add(bundle, format!("{key}.{}", part.id.name), &part.value);
            }
        }
        (texts, problems)
    }

    fn add(&mut self, bundle: &'static Bundle, key: String, pattern: &'static ast::Pattern<&'static str>) {
        let values = Shape::of(pattern).values;
        let mut arguments = FluentArgs::with_capacity(values.len());
        for value in &values {
            arguments.set(*value, 1);
        }
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, Some(&arguments), &mut errors);
        self.failures.extend(errors.iter().map(|error| format!("{key}: {error}")));
        if text.contains('\n') {
            self.failures.push(format!("{key}: expected one line"));
        }
        self.values.insert(key, values.into_iter().map(str::to_owned).collect());
    }
}
