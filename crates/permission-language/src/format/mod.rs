//! The canonical layout of a file.
//!
//! It changes white space, quotes, and the commas and semicolons that the language does not need. It changes no name, no operator, no
//! parentheses and no form of a type. What stands outside of classes and is no condition stays as it is.
//!
//! Comments: a comment in a line of its own stays in one, a comment at the end of a line stays there. One in the middle of a line
//! goes to the end of what it is in.
//!
//! Invariants: the model of the formatted text is the same; no comment is lost; formatting again changes nothing.

mod declarations;
mod expressions;
mod flat;
mod outside;
mod writer;

use self::writer::Writer;
use crate::lexer::BYTE_ORDER_MARK;
use crate::limits::{Limits, MAX_NESTING};
use crate::parser;
use crate::problem::Problem;
use crate::syntax::{Declaration, File};

/// The longest line that is not divided. A name or a type is never divided.
const WIDTH: usize = 100;

/// Formats the text of one file. A text with syntax errors is not formatted; names are not checked, because they may be declared in
/// another file.
pub fn format(text: &str) -> Result<String, Vec<Problem>> {
    // A text that some configuration can load can be formatted.
    format_with(text, &Limits { nesting: MAX_NESTING, ..Limits::default() })
}

/// Like [`format`], with limits.
pub fn format_with(text: &str, limits: &Limits) -> Result<String, Vec<Problem>> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let file = parser::parse_file(0, text, limits)?;
    Ok(layout(text, &file))
}

fn layout(text: &str, file: &File<'_>) -> String {
    let mut writer = Writer::new(text);
    for declaration in &file.declarations {
        match declaration {
            Declaration::Class(class) => {
                writer.outside(class.span.start);
                writer.class(class);
            }
            Declaration::Condition(condition) => {
                writer.outside(condition.span.start);
                writer.condition(condition);
            }
        }
    }
    writer.outside(text.len());
    writer.finish()
}

#[cfg(test)]
mod tests;
