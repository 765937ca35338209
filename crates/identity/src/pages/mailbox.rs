//! The local mailbox: messages that were caught instead of sent, for development. It stands on the admin listener,
//! because a message holds the code that signs its receiver in.

use askama::Template;
use ui::{Moment, PageLink, Strings};

#[derive(Template)]
#[template(path = "pages/mailbox.html")]
pub(super) struct MailboxPage {
    pub strings: &'static Strings,
    pub mails: Vec<MailLine>,
    pub older: Option<PageLink>,
}

pub(super) struct MailLine {
    pub href: String,
    pub subject: String,
    pub recipient: String,
    pub at: Moment,
}

#[derive(Template)]
#[template(path = "pages/mail.html")]
pub(super) struct MailPage {
    pub strings: &'static Strings,
    pub subject: String,
    pub recipient: String,
    pub template: String,
    pub status: String,
    pub at: Moment,
    pub parts: Vec<MailPart>,
    pub back: PageLink,
}

/// A stretch of a message's text: words, or an address to open.
pub(super) enum MailPart {
    Words(String),
    Address(String),
}

/// Parts a plain text at the addresses in it, so that a link in a mail can be followed. Only `http` and `https` count.
pub(super) fn parts(body: &str) -> Vec<MailPart> {
    let mut parts = Vec::new();
    let mut rest = body;
    while let Some(start) = ["https://", "http://"].iter().filter_map(|scheme| rest.find(scheme)).min() {
        let (words, from_address) = rest.split_at(start);
        let end = from_address
            .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '(' | ')'))
            .unwrap_or(from_address.len());
        // A full stop or a comma after an address belongs to the sentence.
        let address = from_address[..end].trim_end_matches(['.', ',', ';', ':', '!', '?']);
        if !words.is_empty() {
            parts.push(MailPart::Words(words.to_owned()));
        }
        parts.push(MailPart::Address(address.to_owned()));
        rest = &from_address[address.len()..];
    }
    if !rest.is_empty() {
        parts.push(MailPart::Words(rest.to_owned()));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_a_text_can_be_followed() {
        let written: Vec<_> = parts("See https://a.example/x?y=1. Or (http://b.example/), bye")
            .into_iter()
            .map(|part| match part {
                MailPart::Words(words) => words,
                MailPart::Address(address) => format!("<{address}>"),
            })
            .collect();
        assert_eq!(written, ["See ", "<https://a.example/x?y=1>", ". Or (", "<http://b.example/>", "), bye"]);
    }
}
