//! The names of the texts of `locales/` in code.
//!
//! Invariant: a text is named once, by a field that [`texts!`] declares; the field `sign_in` of the section `page` is the text
//! `page-sign-in`. The names are listed, so that a test can compare them with the files.

use std::sync::{PoisonError, RwLock};

use crate::Language;

/// The name of a text in the code, and the values that the code provides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextName {
    pub key: String,
    pub values: &'static [&'static str],
}

/// The name of the text for a field. A field whose name would be a word of Rust ends with `_`.
pub fn text_key(section: &str, field: &str) -> String {
    format!("{section}-{}", field.trim_end_matches('_').replace('_', "-"))
}

/// Declares the texts of one section: a struct with a field for each text, and a method for each that has values.
///
/// ```
/// ui::texts! {
///     /// The texts of the page of a flow.
///     pub struct Texts in "page" {
///         sign_in,
///     }
///     with values {
///         sign_in_toward(client),
///     }
/// }
///
/// let texts = Texts::read(ui::Language::english());
/// assert_eq!(texts.sign_in, "Sign in");
/// assert_eq!(texts.sign_in_toward("Photos"), "Sign in to continue to Photos.");
/// ```
#[macro_export]
macro_rules! texts {
    (
        $(#[$meta:meta])*
        $visibility:vis struct $name:ident in $section:literal {
            $($fixed:ident,)*
        }
        with values {
            $($filled:ident($($value:ident),+),)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug)]
        $visibility struct $name {
            $($visibility $fixed: &'static str,)*
            $($visibility $filled: $crate::Sentence,)*
        }

        impl $name {
            $visibility fn read(language: $crate::Language) -> Self {
                let sentence = |field| language.sentence(&$crate::text_key($section, field));
                Self {
                    $($fixed: sentence(stringify!($fixed)).fixed(),)*
                    $($filled: sentence(stringify!($filled)),)*
                }
            }

            /// The names of these texts.
            $visibility fn names() -> Vec<$crate::TextName> {
                let name = |field, values| $crate::TextName { key: $crate::text_key($section, field), values };
                vec![
                    $(name(stringify!($fixed), &[]),)*
                    $(name(stringify!($filled), &[$(stringify!($value)),+]),)*
                ]
            }

            $(
                $visibility fn $filled<'v>(&self, $($value: impl Into<$crate::TextValue<'v>>),+) -> String {
                    self.$filled.with([$((stringify!($value), $value.into())),+])
                }
            )*
        }
    };
}

/// A value for each language, created on first use and kept.
#[derive(Debug)]
pub struct PerLanguage<T: 'static> {
    make: fn(Language) -> T,
    made: RwLock<Vec<(Language, &'static T)>>,
}

impl<T> PerLanguage<T> {
    pub const fn new(make: fn(Language) -> T) -> Self {
        Self { make, made: RwLock::new(Vec::new()) }
    }

    pub fn of(&self, language: Language) -> &'static T {
        let find = |made: &[(Language, &'static T)]| made.iter().find(|(its, _)| its.is(language)).map(|(_, it)| *it);
        if let Some(found) = find(&self.made.read().unwrap_or_else(PoisonError::into_inner)) {
            return found;
        }
        let mut made = self.made.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = find(&made) {
            return found;
        }
        let value: &'static T = Box::leak(Box::new((self.make)(language)));
        made.push((language, value));
        value
    }
}
