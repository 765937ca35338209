//! The marks around what actions print in templates of JSON, by which the finished text is told from the template's own.

use std::borrow::Cow;

use go_templates::{Outcome, exactly, printed, text};
use gotmpl::Value;

/// Around what an action printed.
pub(super) const OPEN: char = '\u{1}';
pub(super) const CLOSE: char = '\u{2}';
/// In front of a digit that stands for one of the three inside of what an action printed.
pub(super) const ESCAPE: char = '\u{3}';

/// What an action prints in such a template, between marks.
pub(super) fn display_marked(given: &[Value]) -> Outcome {
    let [value] = exactly("display", given)?;
    let printed = match value {
        // As Go prints it.
        Value::Nil => "<no value>".to_owned(),
        other => printed(other),
    };
    let mut marked = String::with_capacity(printed.len() + 2);
    marked.push(OPEN);
    for character in printed.chars() {
        match character {
            OPEN => marked.extend([ESCAPE, '1']),
            CLOSE => marked.extend([ESCAPE, '2']),
            ESCAPE => marked.extend([ESCAPE, '3']),
            other => marked.push(other),
        }
    }
    marked.push(CLOSE);
    Ok(text(marked))
}

pub(super) fn unmarked(printed: &str) -> Cow<'_, str> {
    if !printed.contains(ESCAPE) {
        return Cow::Borrowed(printed);
    }
    let mut characters = printed.chars();
    let mut plain = String::with_capacity(printed.len());
    while let Some(character) = characters.next() {
        plain.push(match character {
            ESCAPE => match characters.next() {
                Some('1') => OPEN,
                Some('2') => CLOSE,
                _ => ESCAPE,
            },
            other => other,
        });
    }
    Cow::Owned(plain)
}
