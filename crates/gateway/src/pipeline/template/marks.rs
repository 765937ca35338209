//! The marks around the output of actions in JSON templates, which distinguish it from the template's own text.

use std::borrow::Cow;

use go_templates::{Outcome, exactly, printed, text};
use gotmpl::Value;

/// Begins the output of an action.
pub(super) const OPEN: char = '\u{1}';
pub(super) const CLOSE: char = '\u{2}';
/// Precedes a digit that stands for one of the three marks inside the output of an action.
pub(super) const ESCAPE: char = '\u{3}';

/// The output of an action, between marks.
pub(super) fn display_marked(given: &[Value]) -> Outcome {
    let [value] = exactly("display", given)?;
    let printed = match value {
        // As printed by Go.
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
