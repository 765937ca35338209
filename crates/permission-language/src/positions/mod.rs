//! Lines and columns of a place in a text, in two ways: as people and editors count, and as the syntax check of Ory Keto
//! reports them.
//!
//! Invariants: a place beyond the text is its end; an excerpt is bounded in length, whatever the length of the line.

use std::fmt::Write as _;

use crate::quoting::visible;
use crate::source::Span;

/// A line and a column. Which one is the first depends on the function that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

/// For people: the first line is 1, the first character of a line is in column 1.
pub fn position(text: &str, offset: usize) -> Position {
    let before = &text[..floor(text, offset)];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Position {
        line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}

/// For `POST /opl/syntax/check`: the position as Ory Keto counts it. It takes a byte offset for a number of characters, and
/// stops before it has begun the next line. So the column is the number of characters before the place, except that
/// - the first place of the text is in column 1,
/// - the first place of every other line is on the line before, one past its end,
/// - each byte of a character beyond the first moves the place one character on.
pub fn keto_position(text: &str, offset: usize) -> Position {
    let mut position = Position { line: 1, column: 0 };
    let mut remaining = offset;
    for character in text.chars() {
        position.column += 1;
        remaining = remaining.saturating_sub(1);
        if remaining == 0 {
            break;
        }
        if character == '\n' {
            position = Position { line: position.line + 1, column: 0 };
        }
    }
    position
}

/// Characters of a line that an excerpt shows before and after its place.
const CONTEXT: usize = 80;

/// The line of a span with its number, and the span marked below: `^` for its first character, `~` for the others. A span of
/// several lines is marked in its first.
pub(crate) fn excerpt(text: &str, span: Span) -> String {
    let start = floor(text, span.start);
    let end = floor(text, span.end.max(start));
    let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
    let end = end.min(line_end);

    let left = skip_back(text, line_start, start);
    let marked = text[start..end].chars().take(CONTEXT).collect::<String>();
    let right: String = text[start + marked.len()..line_end].chars().take(CONTEXT).collect();

    let number = position(text, start).line.to_string();
    let cut = if left > line_start { "…" } else { "" };
    let before = visible(&text[left..start]);
    let after = visible(right.trim_end());
    let mut lines = String::new();
    let _ = writeln!(lines, "{number:>5} | {cut}{before}{}{}", visible(&marked), after);
    // Tabs stay, so that the mark is below its place whatever their width.
    let padding: String = format!("{cut}{before}").chars().map(|it| if it == '\t' { '\t' } else { ' ' }).collect();
    let tail = "~".repeat(marked.chars().count().saturating_sub(1));
    let _ = writeln!(lines, "      | {padding}^{tail}");
    lines
}

/// The place [`CONTEXT`] characters before `start`, not before `line_start`.
fn skip_back(text: &str, line_start: usize, start: usize) -> usize {
    text[line_start..start].char_indices().rev().take(CONTEXT).last().map_or(start, |(at, _)| line_start + at)
}

/// The nearest border of a character at or before an offset.
fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

#[cfg(test)]
mod tests;
