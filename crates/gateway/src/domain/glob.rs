//! Globs as regular expressions. The separators are `.` and `/`: `*` is any run without them, `**` any run, `?` one
//! character that is not a separator, `[abc]`, `[a-z]` and `[!a-z]` one character of a set, `{a,b*}` alternatives, and `\`
//! escapes the next character.

const NO_SEPARATOR: &str = "[^./]";

/// Translates a glob. The error is a message for the user.
pub(crate) fn to_regex(glob: &str) -> Result<String, &'static str> {
    let mut regex = String::from("(?s:");
    let mut characters = glob.chars().peekable();
    let mut depth = 0_usize;
    while let Some(character) = characters.next() {
        match character {
            '*' => {
                if characters.next_if_eq(&'*').is_some() {
                    while characters.next_if_eq(&'*').is_some() {}
                    regex.push_str(".*");
                } else {
                    regex.push_str(NO_SEPARATOR);
                    regex.push('*');
                }
            }
            '?' => regex.push_str(NO_SEPARATOR),
            '[' => push_set(&mut regex, &mut characters)?,
            '{' => {
                depth += 1;
                regex.push_str("(?:");
            }
            '}' => {
                depth = depth.checked_sub(1).ok_or("a `}` without its `{`")?;
                regex.push(')');
            }
            ',' if depth > 0 => regex.push('|'),
            '\\' => push_literal(&mut regex, characters.next().ok_or("a `\\` at the end")?),
            _ => push_literal(&mut regex, character),
        }
    }
    if depth > 0 {
        return Err("a `{` without its `}`");
    }
    regex.push(')');
    Ok(regex)
}

fn push_literal(regex: &mut String, character: char) {
    let mut buffer = [0; 4];
    regex.push_str(&regex_syntax::escape(character.encode_utf8(&mut buffer)));
}

fn push_set(regex: &mut String, characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<(), &'static str> {
    regex.push('[');
    if characters.next_if_eq(&'!').is_some() {
        regex.push('^');
    }
    let mut is_empty = true;
    loop {
        let character = match characters.next().ok_or("a `[` without its `]`")? {
            ']' if is_empty => return Err("an empty set `[]`"),
            ']' => break,
            '\\' => characters.next().ok_or("a `\\` at the end")?,
            // A hyphen between two characters is a range; first or last it is literal.
            '-' if !is_empty && characters.peek().is_some_and(|next| *next != ']') => {
                regex.push('-');
                continue;
            }
            character => character,
        };
        is_empty = false;
        // More characters are special inside a set of a regular expression than in one of a glob.
        if !character.is_alphanumeric() {
            regex.push('\\');
        }
        if character.is_ascii() || character.is_alphanumeric() {
            regex.push(character);
        } else {
            // As a code point, because some characters cannot follow a backslash.
            regex.extend(["x{", &format!("{:X}", u32::from(character)), "}"]);
        }
    }
    regex.push(']');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(glob: &str, text: &str) -> bool {
        regex::Regex::new(&format!("^{}$", to_regex(glob).unwrap())).unwrap().is_match(text)
    }

    #[test]
    fn one_star_stops_at_separators_and_two_do_not() {
        assert!(matches("*", "abc") && matches("*", ""));
        assert!(!matches("*", "a/b") && !matches("*", "a.b"));
        assert!(matches("**", "a/b.c") && matches("a**z", "a/./z"));
        assert!(matches("?", "a") && !matches("?", "/") && !matches("?", "."));
    }

    #[test]
    fn sets_and_alternatives() {
        assert!(matches("[abc]x", "bx") && !matches("[abc]x", "dx"));
        assert!(matches("[!a-c]", "d") && !matches("[!a-c]", "b"));
        assert!(matches("[a-]", "-") && matches("[]]".replace("[]]", "[\\]]").as_str(), "]"));
        assert!(matches("[&~^]", "^") && matches("[—]", "—"));
        assert!(matches("{cat,d*}s", "cats") && matches("{cat,d*}s", "dogs") && !matches("{cat,d*}s", "birds"));
        assert!(matches("{a,{b,c}}", "c") && matches("a,b", "a,b"));
    }

    #[test]
    fn other_characters_match_themselves() {
        assert!(matches("a.b+(c)$", "a.b+(c)$"));
        assert!(matches("\\*\\{", "*{"));
    }

    #[test]
    fn unbalanced_brackets_are_rejected() {
        for glob in ["[a", "{a", "a}", "a\\", "[]"] {
            assert!(to_regex(glob).is_err(), "{glob}");
        }
    }
}
