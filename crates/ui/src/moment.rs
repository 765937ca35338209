//! A time in the notation of the reader, in a `time` element with the machine-readable form.

use std::fmt;

use askama::filters::{Html, HtmlSafe, escape};
use base::Timestamp;

use crate::Language;

/// The name of the text of a moment.
pub(crate) const NAME: &str = "moment";

/// A `time` element: date and minute in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    at: Timestamp,
    language: Language,
}

impl Moment {
    pub const fn new(at: Timestamp, language: Language) -> Self {
        Self { at, language }
    }

    /// The visible text, for instance `22 Nov 2026, 09:05 UTC`.
    pub fn words(self) -> String {
        let rfc3339 = self.at.to_string();
        let part = |from: usize, to: usize| rfc3339.get(from..to).unwrap_or_default();
        let (year, month, day, time) = (part(0, 4), part(5, 7), part(8, 10), part(11, 16));
        let number = |digits: &str| digits.parse::<u8>().unwrap_or_default();
        self.language.sentence(NAME).with([
            ("year", year.into()),
            ("month", number(month).into()),
            ("day", number(day).into()),
            ("padded_month", month.into()),
            ("padded_day", day.into()),
            ("time", time.into()),
        ])
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = escape(self.words(), Html).map_err(|_| fmt::Error)?;
        write!(f, r#"<time datetime="{}">{words}</time>"#, self.at.truncated_to_seconds())
    }
}

impl HtmlSafe for Moment {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_the_notation_of_the_reader() {
        let at: Timestamp = "2026-03-05T09:07:31.5Z".parse().unwrap();
        assert_eq!(Moment::new(at, Language::english()).words(), "5 Mar 2026, 09:07 UTC");
        assert_eq!(Moment::new(at, Language::find("ar").unwrap()).words(), "5 مارس 2026، 09:07 UTC");
        assert_eq!(
            Moment::new(at, Language::find("de").unwrap()).to_string(),
            r#"<time datetime="2026-03-05T09:07:31Z">05.03.2026, 09:07 UTC</time>"#
        );
    }
}
