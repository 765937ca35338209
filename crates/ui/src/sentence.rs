//! A text of one language, with or without values.

use std::fmt;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use fluent_syntax::ast::Pattern;

use crate::language::Shape;

/// A value of a text: a string, or a number that the text may depend on.
pub type TextValue<'v> = fluent_bundle::FluentValue<'v>;

pub(crate) type Bundle = FluentBundle<&'static FluentResource>;

/// One text. A cheap copy.
#[derive(Clone, Copy, Debug)]
pub enum Sentence {
    /// The whole text.
    Fixed(&'static str),
    /// A text with values.
    Filled(&'static Filled),
}

/// A text with values, formatted by the rules of its language.
pub struct Filled {
    pub(crate) key: String,
    pub(crate) bundle: &'static Bundle,
    pub(crate) pattern: &'static Pattern<&'static str>,
    pub(crate) shape: Shape,
}

/// The text around the position of a value, for a page that shows the value in an element of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Around {
    pub before: String,
    pub after: String,
}

impl Sentence {
    /// The text, which has no values. For one that has, its name.
    pub fn fixed(self) -> &'static str {
        match self {
            Self::Fixed(text) => text,
            Self::Filled(filled) => &filled.key,
        }
    }

    /// The names of its values.
    pub fn values(self) -> &'static [&'static str] {
        match self {
            Self::Fixed(_) => &[],
            Self::Filled(filled) => &filled.shape.values,
        }
    }

    /// The text with its values. A missing value leaves its name in braces.
    pub fn with<'v>(self, values: impl IntoIterator<Item = (&'static str, TextValue<'v>)>) -> String {
        match self {
            Self::Fixed(text) => text.to_owned(),
            Self::Filled(filled) => {
                let mut arguments = FluentArgs::with_capacity(filled.shape.values.len());
                for (name, value) in values {
                    let name: &'v str = name;
                    arguments.set(name, value);
                }
                filled.write(&arguments)
            }
        }
    }

    /// The text before and after its only value.
    pub fn around(self) -> Around {
        // A placeholder for the value that no text contains: the object replacement character.
        const VALUE: &str = "\u{fffc}";
        let text = self.with(self.values().iter().map(|name| (*name, VALUE.into())));
        let (before, after) = text.split_once(VALUE).unwrap_or((&text, ""));
        Around { before: before.to_owned(), after: after.to_owned() }
    }
}

impl Filled {
    pub(crate) fn write(&self, values: &FluentArgs<'_>) -> String {
        self.bundle.format_pattern(self.pattern, Some(values), &mut Vec::new()).into_owned()
    }
}

impl fmt::Debug for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filled").field("key", &self.key).field("values", &self.shape.values).finish_non_exhaustive()
    }
}
