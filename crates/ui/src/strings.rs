//! The names of the texts of the built-in pages. The texts are in `locales/`, in the sections whose names begin with `page-`.

use crate::{Language, PerLanguage, texts};

texts! {
    /// The fixed words of the built-in pages.
    pub struct Strings in "page" {
        skip_to_content,
        optional,
        or,
        choose,
        error_prefix,
        back,
        continue_,
        cancel,
        start_again,

        sign_in,
        sign_in_intro,
        confirm_identity,
        second_factor,
        second_factor_intro,
        enter_code,
        account,
        code_sent_to,
        wrong_address,
        no_account_yet,
        create_account,
        forgot_access,
        forgot_password,
        show_password,
        password_unlike_identifier,
        password_not_breached,
        use_another_account,

        sign_up,
        sign_up_intro,
        secure_account,
        have_account,
        sign_in_instead,

        recovery,
        recovery_intro,
        recovery_link_intro,
        back_to_sign_in,

        verification,
        verification_intro,
        verification_link_intro,
        verification_done,
        other_browser,
        other_browser_intro,

        settings,
        settings_intro,
        section_profile,
        section_profile_intro,
        section_password,
        section_password_intro,
        new_password,
        section_social,
        section_social_intro,
        section_totp,
        section_totp_intro,
        section_lookup,
        section_lookup_intro,
        section_webauthn,
        section_webauthn_intro,
        section_passkey,
        section_passkey_intro,
        section_other,

        sessions,
        sessions_intro,
        this_device,
        unknown_device,
        end_session,
        end_other_sessions,
        no_other_sessions,
        sessions_ended,

        connections,
        connections_intro,
        no_connections,
        end_connection,
        connection_ended,
        connections_unavailable,

        sign_out,
        sign_out_question,
        sign_out_intro,
        stay_signed_in,
        signed_out,
        signed_out_intro,

        welcome,
        manage_account,

        error,
        error_intro,
        error_not_found,
        error_expired,
        error_forbidden,
        error_disabled,
        error_unavailable,
        error_details,
        to_start,

        refused_page_missing,
        refused_page_missing_advice,
        refused_method,
        refused_method_advice,
        refused_address,
        refused_address_advice,
        refused_forbidden,
        refused_forbidden_advice,
        refused_too_large,
        refused_too_large_advice,
        refused_too_many,
        refused_too_many_advice,
        refused_unavailable,
        refused_unavailable_advice,

        mailbox,
        mailbox_intro,
        mailbox_empty,
        mail_to,
        mail_sent,
        mail_status,
        mail_kind,
        mail_no_subject,
        mail_html,
        mail_open_html,
        older,

        language,
        footer_terms,
        footer_privacy,
        footer_imprint,
        footer_help,
    }
    with values {
        sign_in_toward(client),
        sign_up_toward(client),
        password_min_length(min_length),
        signed_in_as(name),
        signed_in_at(time),
        connected_since(time),
        error_code(status),
    }
}

static PER_LANGUAGE: PerLanguage<Strings> = PerLanguage::new(Strings::read);

impl Strings {
    pub fn of(language: Language) -> &'static Self {
        PER_LANGUAGE.of(language)
    }
}
