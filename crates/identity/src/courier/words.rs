//! The words of the built-in messages: one value of [`Words`] for each language, in a file of its own, so that a missing
//! text does not compile.
//!
//! Values stand in braces: `{code}`, `{to}`, `{minutes}`, `{product}`, `{at}`. They are put in once, so a value that
//! contains braces stays as it is. Nothing here is HTML; the template of the HTML part escapes.

mod arabic;
mod english;
mod german;

use ui::Language;

use crate::domain::message_queue::TemplateType;

/// All texts of one language.
#[derive(Debug)]
pub(super) struct Words {
    /// The value of the `lang` attribute, a BCP 47 tag.
    pub tag: &'static str,
    /// The value of the `dir` attribute.
    pub direction: &'static str,
    pub code_validity: &'static str,
    /// The same for a text message, where each character counts.
    pub short_validity: &'static str,
    pub link_validity: &'static str,
    pub ignore_code: &'static str,
    pub ignore_link: &'static str,
    pub ignore: &'static str,
    /// Before the address of a link, for mail programs in which it cannot be clicked.
    pub copy_link: &'static str,
    pub at: &'static str,
    pub sent_by: &'static str,

    pub recovery_code: Text,
    pub recovery_link: Text,
    pub recovery_unknown: Text,
    pub verification_code: Text,
    pub verification_link: Text,
    pub verification_unknown: Text,
    pub login_code: Text,
    pub registration_code: Text,
    pub address_changed: Text,
    pub key_added: Text,
    pub registration_taken: Text,
}

/// The texts of one kind of message. What a kind has no use for is empty.
#[derive(Debug)]
pub(super) struct Text {
    pub subject: &'static str,
    pub heading: &'static str,
    pub lead: &'static str,
    /// The label of the link.
    pub button: &'static str,
    /// What to do about a notice.
    pub advice: &'static str,
    /// The first line of a text message.
    pub short: &'static str,
}

impl Words {
    /// By the tag, so that the languages of the pages and those of the messages may grow one after the other.
    pub(super) fn of(language: Language) -> &'static Self {
        Self::of_tag(language.tag())
    }

    pub(super) fn of_tag(tag: &str) -> &'static Self {
        match tag {
            "ar" => &arabic::WORDS,
            "de" => &german::WORDS,
            _ => &english::WORDS,
        }
    }

    pub(super) const fn text(&self, kind: TemplateType) -> &Text {
        match kind {
            TemplateType::RecoveryInvalid | TemplateType::RecoveryCodeInvalid => &self.recovery_unknown,
            TemplateType::RecoveryValid => &self.recovery_link,
            TemplateType::RecoveryCodeValid => &self.recovery_code,
            TemplateType::VerificationInvalid | TemplateType::VerificationCodeInvalid => &self.verification_unknown,
            TemplateType::VerificationValid => &self.verification_link,
            TemplateType::VerificationCodeValid => &self.verification_code,
            TemplateType::LoginCodeValid => &self.login_code,
            TemplateType::RegistrationCodeValid => &self.registration_code,
            TemplateType::VerifiableAddressChanged => &self.address_changed,
            TemplateType::AuthenticatorKeyAdded => &self.key_added,
            TemplateType::RegistrationTaken => &self.registration_taken,
        }
    }
}

/// Puts values in place of their names. A name without a value leaves nothing behind.
pub(super) fn fill<'v>(text: &str, value: impl Fn(&str) -> Option<&'v str>) -> String {
    let mut filled = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some((before, (name, after))) =
        rest.split_once('{').and_then(|(before, after)| Some((before, after.split_once('}')?)))
    {
        filled.push_str(before);
        filled.push_str(value(name).unwrap_or_default());
        rest = after;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_of_the_pages_has_messages_of_its_own() {
        for language in Language::ALL {
            assert_eq!(Words::of(language).tag, language.tag());
        }
        assert_eq!((Words::of_tag("ar").direction, Words::of_tag("fr").tag), ("rtl", "en"));
    }

    #[test]
    fn a_value_with_braces_stays_as_it_is() {
        let value = |name: &str| match name {
            "to" => Some("{code}"),
            "code" => Some("123456"),
            _ => None,
        };
        assert_eq!(fill("{to} {code} {unknown}. {", value), "{code} 123456 . {");
    }

    #[test]
    fn the_languages_name_the_same_values() {
        let names = |text: &str| {
            let mut names: Vec<String> =
                text.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0.to_owned())).collect();
            names.sort();
            names
        };
        let all = |words: &Words, kind: TemplateType| {
            let text = words.text(kind);
            [text.subject, text.heading, text.lead, text.button, text.advice, text.short]
                .map(|it| (names(it), it.is_empty()))
        };
        for tag in ["de", "ar"] {
            for kind in TemplateType::ALL {
                assert_eq!(all(Words::of_tag(tag), *kind), all(Words::of_tag("en"), *kind), "{tag} {kind:?}");
            }
        }
    }
}
