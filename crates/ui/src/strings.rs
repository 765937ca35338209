//! The page strings. One struct, one value of it per language: a missing translation does not compile.

mod arabic;
mod english;
mod german;

use crate::Language;

/// The fixed words of the built-in pages.
#[derive(Debug)]
pub struct Strings {
    pub skip_to_content: &'static str,
    pub optional: &'static str,
    pub or: &'static str,
    pub choose: &'static str,
    pub error_prefix: &'static str,
    pub back: &'static str,
    pub continue_: &'static str,
    pub cancel: &'static str,
    pub start_again: &'static str,

    pub sign_in: &'static str,
    pub sign_in_intro: &'static str,
    /// With `{client}` in the place of the name.
    pub sign_in_toward: &'static str,
    pub confirm_identity: &'static str,
    pub second_factor: &'static str,
    pub second_factor_intro: &'static str,
    pub enter_code: &'static str,
    /// Before the name that somebody signs in with.
    pub account: &'static str,
    pub code_sent_to: &'static str,
    pub wrong_address: &'static str,
    pub no_account_yet: &'static str,
    pub create_account: &'static str,
    pub forgot_access: &'static str,
    pub forgot_password: &'static str,
    pub show_password: &'static str,
    /// With `{min_length}` in the place of the number.
    pub password_min_length: &'static str,
    pub password_unlike_identifier: &'static str,
    pub password_not_breached: &'static str,
    pub use_another_account: &'static str,

    pub sign_up: &'static str,
    pub sign_up_intro: &'static str,
    /// With `{client}` in the place of the name.
    pub sign_up_toward: &'static str,
    pub secure_account: &'static str,
    pub have_account: &'static str,
    pub sign_in_instead: &'static str,

    pub recovery: &'static str,
    pub recovery_intro: &'static str,
    pub recovery_link_intro: &'static str,
    pub back_to_sign_in: &'static str,

    pub verification: &'static str,
    pub verification_intro: &'static str,
    pub verification_link_intro: &'static str,
    pub verification_done: &'static str,
    pub other_browser: &'static str,
    pub other_browser_intro: &'static str,

    pub settings: &'static str,
    pub settings_intro: &'static str,
    pub section_profile: &'static str,
    pub section_profile_intro: &'static str,
    pub section_password: &'static str,
    pub section_password_intro: &'static str,
    pub new_password: &'static str,
    pub section_social: &'static str,
    pub section_social_intro: &'static str,
    pub section_totp: &'static str,
    pub section_totp_intro: &'static str,
    pub section_lookup: &'static str,
    pub section_lookup_intro: &'static str,
    pub section_webauthn: &'static str,
    pub section_webauthn_intro: &'static str,
    pub section_passkey: &'static str,
    pub section_passkey_intro: &'static str,
    pub section_other: &'static str,

    pub sessions: &'static str,
    pub sessions_intro: &'static str,
    pub this_device: &'static str,
    pub unknown_device: &'static str,
    pub signed_in_at: &'static str,
    pub end_session: &'static str,
    pub end_other_sessions: &'static str,
    pub no_other_sessions: &'static str,
    pub sessions_ended: &'static str,

    pub connections: &'static str,
    pub connections_intro: &'static str,
    pub no_connections: &'static str,
    pub connected_since: &'static str,
    pub end_connection: &'static str,
    pub connection_ended: &'static str,
    pub connections_unavailable: &'static str,

    pub sign_out: &'static str,
    pub sign_out_question: &'static str,
    pub sign_out_intro: &'static str,
    pub stay_signed_in: &'static str,
    pub signed_out: &'static str,
    pub signed_out_intro: &'static str,

    pub welcome: &'static str,
    pub signed_in_as: &'static str,
    pub manage_account: &'static str,

    pub error: &'static str,
    pub error_intro: &'static str,
    pub error_not_found: &'static str,
    pub error_expired: &'static str,
    pub error_forbidden: &'static str,
    pub error_disabled: &'static str,
    pub error_unavailable: &'static str,
    pub error_code: &'static str,
    pub error_details: &'static str,
    pub to_start: &'static str,

    pub refused_page_missing: &'static str,
    pub refused_page_missing_advice: &'static str,
    pub refused_method: &'static str,
    pub refused_method_advice: &'static str,
    pub refused_address: &'static str,
    pub refused_address_advice: &'static str,
    pub refused_forbidden: &'static str,
    pub refused_forbidden_advice: &'static str,
    pub refused_too_large: &'static str,
    pub refused_too_large_advice: &'static str,
    pub refused_too_many: &'static str,
    pub refused_too_many_advice: &'static str,
    pub refused_unavailable: &'static str,
    pub refused_unavailable_advice: &'static str,

    pub mailbox: &'static str,
    pub mailbox_intro: &'static str,
    pub mailbox_empty: &'static str,
    pub mail_to: &'static str,
    pub mail_sent: &'static str,
    pub mail_status: &'static str,
    pub mail_kind: &'static str,
    pub mail_no_subject: &'static str,
    pub mail_html: &'static str,
    pub mail_open_html: &'static str,
    pub older: &'static str,

    /// What the choice of a language is called.
    pub language: &'static str,
    pub footer_terms: &'static str,
    pub footer_privacy: &'static str,
    pub footer_imprint: &'static str,
    pub footer_help: &'static str,
}

impl Strings {
    pub const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &english::STRINGS,
            Language::German => &german::STRINGS,
            Language::Arabic => &arabic::STRINGS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_with_a_place_for_a_value_has_one_in_every_language() {
        for language in Language::ALL {
            let strings = Strings::of(language);
            for (sentence, place) in [
                (strings.sign_in_toward, "{client}"),
                (strings.sign_up_toward, "{client}"),
                (strings.password_min_length, "{min_length}"),
            ] {
                assert_eq!(sentence.matches(place).count(), 1, "{language:?}: {sentence}");
                assert_eq!(sentence.matches('{').count(), 1, "{language:?}: {sentence}");
            }
        }
    }
}
