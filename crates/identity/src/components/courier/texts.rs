//! The names of the texts of the built-in messages. The texts are in `crates/ui/locales`, in the sections whose names begin
//! with `mail-`. They contain no HTML; the template of the HTML part escapes them.

use ui::{Language, PerLanguage, Sentence, TextName, texts};

use crate::domain::message_queue::TemplateType;

texts! {
    /// The texts that all messages share.
    pub(crate) struct Texts in "mail" {
        ignore_code,
        ignore_link,
        ignore,
        copy_link,
    }
    with values {
        code_validity(minutes),
        short_validity(minutes),
        link_validity(minutes),
        at(at),
        sent_by(product),
    }
}

impl Texts {
    pub(super) fn of(language: Language) -> &'static Self {
        static TEXTS: PerLanguage<Texts> = PerLanguage::new(Texts::read);
        TEXTS.of(language)
    }
}

/// The texts of one kind of message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    pub subject: Sentence,
    pub heading: Sentence,
    pub lead: Sentence,
    /// The label of the link.
    pub button: Option<Sentence>,
    /// The advice in a notice.
    pub advice: Option<Sentence>,
    /// The first line of a text message.
    pub short: Option<Sentence>,
}

impl Text {
    pub(super) fn of(language: Language, kind: TemplateType) -> Self {
        let key = key(kind);
        let part = |name| language.part(key, name);
        let required = |name| part(name).unwrap_or_else(|| language.sentence(key));
        Self {
            subject: required("subject"),
            heading: required("heading"),
            lead: required("lead"),
            button: part("button"),
            advice: part("advice"),
            short: part("short"),
        }
    }
}

const fn key(kind: TemplateType) -> &'static str {
    match kind {
        TemplateType::RecoveryInvalid | TemplateType::RecoveryCodeInvalid => "mail-recovery-unknown",
        TemplateType::RecoveryValid => "mail-recovery-link",
        TemplateType::RecoveryCodeValid => "mail-recovery-code",
        TemplateType::VerificationInvalid | TemplateType::VerificationCodeInvalid => "mail-verification-unknown",
        TemplateType::VerificationValid => "mail-verification-link",
        TemplateType::VerificationCodeValid => "mail-verification-code",
        TemplateType::LoginCodeValid => "mail-login-code",
        TemplateType::RegistrationCodeValid => "mail-registration-code",
        TemplateType::VerifiableAddressChanged => "mail-address-changed",
        TemplateType::AuthenticatorKeyAdded => "mail-key-added",
        TemplateType::RegistrationTaken => "mail-registration-taken",
    }
}

/// The parts of a text, and the values of each.
type Parts = &'static [(&'static str, &'static [&'static str])];

const HEADING: (&str, &[&str]) = ("heading", &[]);
const BUTTON: (&str, &[&str]) = ("button", &[]);
const CODE: Parts = &[("subject", &["code"]), HEADING, ("lead", &[]), ("short", &["code"])];
const CODE_AND_LINK: Parts = &[("subject", &["code"]), HEADING, ("lead", &[]), BUTTON, ("short", &["code"])];
const LINK: Parts = &[("subject", &[]), HEADING, ("lead", &[]), BUTTON];
const UNKNOWN: Parts = &[("subject", &[]), HEADING, ("lead", &["to"])];
const NOTICE: Parts = &[("subject", &[]), HEADING, ("lead", &[]), ("advice", &[]), ("short", &[])];
const TAKEN: Parts = &[("subject", &[]), HEADING, ("lead", &["to"]), ("advice", &[]), ("short", &[])];

const fn parts(kind: TemplateType) -> Parts {
    match kind {
        TemplateType::RecoveryInvalid
        | TemplateType::RecoveryCodeInvalid
        | TemplateType::VerificationInvalid
        | TemplateType::VerificationCodeInvalid => UNKNOWN,
        TemplateType::RecoveryValid | TemplateType::VerificationValid => LINK,
        TemplateType::RecoveryCodeValid | TemplateType::VerificationCodeValid => CODE_AND_LINK,
        TemplateType::LoginCodeValid | TemplateType::RegistrationCodeValid => CODE,
        TemplateType::VerifiableAddressChanged | TemplateType::AuthenticatorKeyAdded => NOTICE,
        TemplateType::RegistrationTaken => TAKEN,
    }
}

/// The names of all texts of messages.
pub(crate) fn names() -> Vec<TextName> {
    let of_kind = |kind: &TemplateType| {
        let key = key(*kind);
        parts(*kind).iter().map(move |(part, values)| TextName { key: format!("{key}.{part}"), values })
    };
    Texts::names().into_iter().chain(TemplateType::ALL.iter().flat_map(of_kind)).collect()
}
