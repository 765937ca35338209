//! Passwords in their prepared form (RFC 8265 section 4.2, the profile `OpaqueString`): the same password entered on two
//! keyboards is the same text. Only the encoding changes; letter case and inner spaces are significant.

use std::borrow::Cow;

use base::Secret;
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

/// The prepared form: other spaces become U+0020, and characters are composed (NFC). Characters that the profile forbids are
/// kept, because existing passwords that contain them must keep working.
pub fn prepare(typed: &Secret<String>) -> Secret<String> {
    Secret::new(prepared(typed.expose()).into_owned())
}

fn prepared(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || (is_nfc(text) && !text.contains(is_other_space)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if is_other_space(c) { ' ' } else { c }).nfc().collect())
}

/// The space separators of Unicode (general category Zs) outside ASCII.
const fn is_other_space(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_encodings_of_one_password_have_the_same_prepared_form() {
        for (typed, expected) in [
            ("correct horse", "correct horse"),
            ("cafe\u{301}", "café"),
            ("café", "café"),
            ("a\u{a0}b\u{3000}c", "a b c"),
            ("Ⅳ Ａ", "Ⅳ Ａ"),
            (" x ", " x "),
            ("Σ\u{200d}", "Σ\u{200d}"),
        ] {
            assert_eq!(prepared(typed), expected, "{typed:?}");
            assert_eq!(prepared(expected), expected, "preparing twice changes nothing");
        }
    }
}
