//! Text that another party wrote, such as the name of a client.
//!
//! Invariants: it is bounded, it contains no character that is invisible or changes the order of the others, and it is in an
//! element with its own direction (`bdi`), so that it cannot rearrange the sentence around it.

use askama::Template;

use crate::components::component;

/// Prints as an escaped `bdi` element.
#[derive(Clone, Debug, PartialEq, Eq, Template)]
#[template(source = "<bdi>{{ text }}</bdi>", ext = "html")]
pub struct OutsideText {
    text: String,
}

component! { OutsideText }

impl OutsideText {
    /// The maximal number of characters of a name in a sentence.
    pub const NAME: usize = 60;
    /// The longest mail address that can be delivered to (RFC 5321 section 4.5.3.1.3).
    pub const ADDRESS: usize = 254;

    /// The text with at most `limit` characters; `None` when nothing visible is left.
    pub fn new(text: &str, limit: usize) -> Option<Self> {
        // Many more characters than are kept, so that a long text costs no more than a short one.
        let visible: String = text.chars().take(4 * limit).filter(|c| !is_unseen(*c)).collect();
        let mut text = visible.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.chars().count() > limit {
            text = text.chars().take(limit.saturating_sub(1)).collect();
            text.truncate(text.trim_end().len());
            text.push('…');
        }
        (!text.is_empty()).then_some(Self { text })
    }

    /// For a name without any visible character.
    pub fn nobody() -> Self {
        Self { text: "?".to_owned() }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// The text between characters that isolate its direction, for places without elements.
pub(crate) fn isolated(text: &str) -> String {
    const FIRST_STRONG_ISOLATE: char = '\u{2068}';
    const POP_DIRECTIONAL_ISOLATE: char = '\u{2069}';
    let visible = text.chars().filter(|c| !is_unseen(*c));
    std::iter::once(FIRST_STRONG_ISOLATE).chain(visible).chain([POP_DIRECTIONAL_ISOLATE]).collect()
}

/// Whether a text has letters that are written from right to left.
pub(crate) fn reads_right_to_left(text: &str) -> bool {
    text.chars().any(|c| matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}'))
}

/// Controls, zero-width characters and those that change the direction of what follows (Unicode Standard Annex #9). The
/// two joiners stay: Persian and emoji are written with them.
const fn is_unseen(c: char) -> bool {
    let is_line_control =
        matches!(c, '\u{0}'..='\u{8}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}');
    let is_direction =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}');
    let has_no_width =
        matches!(c, '\u{ad}' | '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
    is_line_control || is_direction || has_no_width
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        OutsideText::new(text, 12).map(|text| text.render().unwrap())
    }

    #[test]
    fn outside_text_is_escaped_in_an_element_of_its_own_direction() {
        assert_eq!(shown("<b>&\"").as_deref(), Some("<bdi>&#60;b&#62;&#38;&#34;</bdi>"));
        assert_eq!(shown("متجر").as_deref(), Some("<bdi>متجر</bdi>"));
    }

    #[test]
    fn invisible_and_reordering_characters_are_removed() {
        assert_eq!(shown("a\u{202e}b\u{2066}c\u{200b}\u{0}d\u{feff}").as_deref(), Some("<bdi>abcd</bdi>"));
        assert_eq!(shown(" a \n\t b ").as_deref(), Some("<bdi>a b</bdi>"));
        assert_eq!(shown("\u{202e} \u{200b}"), None);
        assert_eq!(shown(""), None);
    }

    #[test]
    fn a_long_text_is_cut_and_marked() {
        assert_eq!(shown("exactly twel").as_deref(), Some("<bdi>exactly twel</bdi>"));
        assert_eq!(shown("more than twelve").as_deref(), Some("<bdi>more than t…</bdi>"));
        assert_eq!(shown(&"ä".repeat(1_000_000)).map(|text| text.chars().count()), Some("<bdi></bdi>".len() + 12));
    }
}
