//! A time as a person reads it. The machine-readable form stays beside it in the `time` element.

use std::fmt;

use askama::filters::HtmlSafe;
use base::Timestamp;

use crate::Language;

/// A `time` element: date and minute, in UTC, in the reader's notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    at: Timestamp,
    language: Language,
}

impl Moment {
    pub const fn new(at: Timestamp, language: Language) -> Self {
        Self { at, language }
    }

    /// The visible words alone, for instance `22 Nov 2026, 09:05 UTC`.
    pub fn words(self) -> String {
        const ARABIC_MONTHS: [&str; 12] = [
            "يناير",
            "فبراير",
            "مارس",
            "أبريل",
            "مايو",
            "يونيو",
            "يوليو",
            "أغسطس",
            "سبتمبر",
            "أكتوبر",
            "نوفمبر",
            "ديسمبر",
        ];
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let rfc3339 = self.at.to_string();
        let part = |from: usize, to: usize| rfc3339.get(from..to).unwrap_or_default();
        let (year, month, day, minute) = (part(0, 4), part(5, 7), part(8, 10), part(11, 16));
        let name = |names: &[&'static str; 12]| {
            month.parse::<usize>().ok().and_then(|number| names.get(number.wrapping_sub(1)).copied())
        };
        let short_day = day.trim_start_matches('0');
        match self.language {
            Language::English => format!("{short_day} {} {year}, {minute} UTC", name(&MONTHS).unwrap_or(month)),
            Language::Arabic => format!("{short_day} {} {year}، {minute} UTC", name(&ARABIC_MONTHS).unwrap_or(month)),
            Language::German => format!("{day}.{month}.{year}, {minute} UTC"),
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Digits, letters, colons and dots only: nothing here needs escaping.
        write!(f, r#"<time datetime="{}">{}</time>"#, self.at.truncated_to_seconds(), self.words())
    }
}

impl HtmlSafe for Moment {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_in_the_readers_notation() {
        let at: Timestamp = "2026-03-05T09:07:31.5Z".parse().unwrap();
        assert_eq!(Moment::new(at, Language::English).words(), "5 Mar 2026, 09:07 UTC");
        assert_eq!(Moment::new(at, Language::Arabic).words(), "5 مارس 2026، 09:07 UTC");
        assert_eq!(
            Moment::new(at, Language::German).to_string(),
            r#"<time datetime="2026-03-05T09:07:31Z">05.03.2026, 09:07 UTC</time>"#
        );
    }
}
