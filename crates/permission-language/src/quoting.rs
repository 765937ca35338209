//! Names and pieces of source in messages: bounded in length, and without characters that a terminal would obey.

use std::fmt::Write as _;

use crate::limits::QUOTED_CHARACTERS;

/// A name or a piece of source in double quotes, as Go's `%q` writes it, cut when it is long.
pub fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for (count, character) in text.chars().enumerate() {
        if count == QUOTED_CHARACTERS {
            quoted.push('…');
            break;
        }
        escape(character, &mut quoted);
    }
    quoted.push('"');
    quoted
}

fn escape(character: char, to: &mut String) {
    let _ = match character {
        '"' | '\\' => write!(to, "\\{character}"),
        '\u{7}' => write!(to, "\\a"),
        '\u{8}' => write!(to, "\\b"),
        '\t' => write!(to, "\\t"),
        '\n' => write!(to, "\\n"),
        '\u{b}' => write!(to, "\\v"),
        '\u{c}' => write!(to, "\\f"),
        '\r' => write!(to, "\\r"),
        it if it.is_ascii_control() => write!(to, "\\x{:02x}", u32::from(it)),
        it if is_invisible(it) => write!(to, "\\u{:04x}", u32::from(it)),
        it => write!(to, "{it}"),
    };
}

/// A line of a text for a terminal: what could move the cursor or reorder the line is replaced.
pub(crate) fn visible(text: &str) -> String {
    text.chars().map(|it| if it != '\t' && is_invisible(it) { char::REPLACEMENT_CHARACTER } else { it }).collect()
}

/// Control characters, and the marks that change the direction or the width of a text.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
