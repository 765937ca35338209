//! Normal forms: two spellings of one e-mail address, telephone number or user name are one identifier, both in storage and
//! in lookups.
//!
//! User names follow the freeform profile of PRECIS (RFC 8265, RFC 8266): trimmed, compatibility-composed (NFKC, which also
//! folds widths), lower case, without invisible and direction-changing characters. Telephone numbers become E.164.

use unicode_normalization::UnicodeNormalization as _;

use super::credential_type::Identifiers;
use super::{CredentialType, Via};

/// The longest valid e-mail address (RFC 5321 section 4.5.3.1 and its erratum 1690).
const MAX_EMAIL: usize = 254;

/// The maximum length of an identifier in bytes: an index entry of PostgreSQL holds 2704.
pub const MAX_IDENTIFIER: usize = 1024;

/// The normal form of an identifier of this kind. Identifiers that this service or another system issued are not changed.
pub fn normalize(kind: CredentialType, identifier: &str) -> String {
    match kind.identifiers() {
        Identifiers::Typed => normalize_text(identifier),
        Identifiers::Foreign | Identifiers::Own => identifier.to_owned(),
    }
}

/// The normal form of an address for its channel.
pub fn normalize_address(via: Via, value: &str) -> String {
    match via {
        Via::Email => normalize_text(value),
        Via::Sms => e164(value).unwrap_or_else(|| normalize_text(value)),
    }
}

/// The normal form of an identifier that a user entered: an address, a number or a name.
pub fn normalize_text(text: &str) -> String {
    if let Some(number) = e164(text) {
        return number;
    }
    let folded: String = text.trim().nfkc().flat_map(char::to_lowercase).filter(|c| !is_invisible(*c)).collect();
    // Lowercasing can undo the composition, and removal can leave white space at the ends.
    let folded = folded.nfkc().collect::<String>().trim().to_owned();
    // Full-width digits and invisible characters that hid a number are gone now.
    e164(&folded).unwrap_or(folded)
}

/// A telephone number in E.164 form; `None` when the text is not an international number. Grouping marks are dropped. The
/// numbering plans of countries are not checked: an unassigned number is still a number.
pub fn e164(text: &str) -> Option<String> {
    let rest = text.trim().strip_prefix('+')?;
    let mut number = String::with_capacity(16);
    number.push('+');
    for c in rest.chars() {
        match c {
            '0'..='9' => number.push(c),
            ' ' | '\u{a0}' | '-' | '\u{2010}' | '\u{2011}' | '\u{2013}' | '.' | '(' | ')' | '/' => {}
            _ => return None,
        }
    }
    let digits = number.len() - 1;
    // A country code never begins with 0; E.164 section 6.2.1 allows 15 digits.
    ((7..=15).contains(&digits) && !number.starts_with("+0")).then_some(number)
}

/// Whether the text is an e-mail address: a local part (RFC 5321 section 4.1.2, or RFC 6531 section 3.3 with letters of any
/// script) at an ASCII domain. Address literals are rejected, because users do not have such addresses.
pub fn is_email(text: &str) -> bool {
    is_mailbox(text, MAX_EMAIL, is_ascii_domain)
}

/// As [`is_email`], with letters of any script in the domain as well.
pub fn is_international_email(text: &str) -> bool {
    is_mailbox(text, 320, |domain| is_ascii_domain(domain) || is_unicode_domain(domain))
}

fn is_mailbox(text: &str, max: usize, domain_is_good: impl Fn(&str) -> bool) -> bool {
    if text.len() > max {
        return false;
    }
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    local.len() <= 64 && (is_dot_string(local) || is_quoted_string(local)) && domain_is_good(domain)
}

fn is_dot_string(local: &str) -> bool {
    let atom = |c: char| {
        if c.is_ascii() {
            c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
        } else {
            !is_invisible(c) && !c.is_whitespace()
        }
    };
    local.split('.').all(|part| !part.is_empty() && part.chars().all(atom))
}

/// `Quoted-string` of RFC 5321 section 4.1.2: printable characters, with quotes and backslashes escaped by a backslash.
fn is_quoted_string(local: &str) -> bool {
    let Some(inner) = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return false };
    let mut characters = inner.chars();
    while let Some(c) = characters.next() {
        let c = match c {
            '"' => return false,
            '\\' => match characters.next() {
                Some(escaped) => escaped,
                None => return false,
            },
            other => other,
        };
        if is_invisible(c) {
            return false;
        }
    }
    !inner.is_empty()
}

fn is_ascii_domain(domain: &str) -> bool {
    !domain.is_empty()
        && domain.len() <= 253
        && domain.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

fn is_unicode_domain(domain: &str) -> bool {
    !domain.is_empty()
        && domain.chars().count() <= 253
        && domain.split('.').all(|label| {
            !label.is_empty()
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

/// Characters that change how a text is displayed without being visible: controls, zero-width and direction marks, byte
/// order marks, variation selectors and tags.
pub(crate) const fn is_invisible(c: char) -> bool {
    c.is_ascii_control()
        || matches!(c,
            '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_are_one_identifier() {
        for (typed, stored) in [
            ("  Foo@Example.ORG ", "foo@example.org"),
            ("\u{ff26}\u{ff4f}\u{ff4f}", "foo"),
            ("fo\u{200b}o\u{202e}", "foo"),
            ("A\u{308}rger", "ärger"),
            ("+49 (176) 671-11 638", "+4917667111638"),
            ("İ", "i\u{307}"),
            ("+49 \u{8}176 67111638", "+4917667111638"),
            ("\u{ff0b}\u{ff14}\u{ff19} 176 67111638", "+4917667111638"),
        ] {
            assert_eq!(normalize_text(typed), stored, "{typed}");
            assert_eq!(normalize_text(stored), stored, "normalising twice changes nothing");
        }
        assert_eq!(normalize(CredentialType::Oidc, "google:AbC"), "google:AbC");
    }

    #[test]
    fn telephone_numbers_are_international() {
        assert_eq!(e164("+1 234 567 8900").as_deref(), Some("+12345678900"));
        for no in ["0176 671", "+0123456789", "+12", "+1234567890123456", "+12345a789", "foo@bar", ""] {
            assert_eq!(e164(no), None, "{no}");
        }
    }

    #[test]
    fn mail_addresses_have_one_mailbox() {
        for yes in [
            "foo@ory.sh",
            "a.b+c@x-y.example",
            "x@localhost",
            "o'neil@example.com",
            "jörg@example.org",
            "\"quoted local\"@example.org",
            "\"a@b\"@example.org",
            "\"a\\\"b\"@example.org",
        ] {
            assert!(is_email(yes), "{yes}");
        }
        for no in [
            "",
            "foo",
            "@x",
            "foo@",
            "a..b@x",
            ".a@x",
            "a b@x",
            "a@b@c",
            "a@x-",
            "a@-x",
            "<a@x>",
            "a@x\r\nBcc: b",
            "a@bücher.example",
            "\"a\"b\"@x",
            "\"a\\\"@x",
            "\"\"@x",
            "\"a\r\nb\"@x",
            "\"a",
        ] {
            assert!(!is_email(no), "{no}");
        }
        assert!(is_international_email("jörg@münchen.example"));
        assert!(!is_international_email("jörg"));
        assert!(!is_international_email("a@b\u{202e}.example"));
    }
}
