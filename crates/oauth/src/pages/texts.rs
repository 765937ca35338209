//! The names of the texts of these pages. The texts are in `crates/ui/locales`, in the sections whose names begin with
//! `oauth-`.

use ui::{Language, PerLanguage, texts};

texts! {
    /// The fixed texts of the pages.
    pub(crate) struct Texts in "oauth" {
        consent_title,
        asks_for,
        will_call,
        goes_to,
        remember,
        remember_hint,
        allow,
        deny,
        terms,
        privacy,
        nothing_else,
        scope_openid,
        scope_profile,
        scope_email,
        scope_phone,
        scope_address,
        scope_offline,
        scope_other,
        logout_title,
        logout_intro,
        sign_out,
        stay,
        stayed_title,
        stayed_intro,
        signed_out_title,
        signed_out_intro,
        signing_out_title,
        signing_out_intro,
        go_on,
        error_title,
        error_intro,
        error_expired,
        error_cookies,
        error_ours,
        error_details,
        form_post_title,
        form_post_intro,
    }
    with values {
        signed_in_as(name),
        consent_asks(client),
        logout_asked_by(client),
    }
}

impl Texts {
    pub(crate) fn of(language: Language) -> &'static Self {
        static TEXTS: PerLanguage<Texts> = PerLanguage::new(Texts::read);
        TEXTS.of(language)
    }

    /// The description of a well-known scope.
    pub(crate) fn scope(&self, scope: &str) -> Option<&'static str> {
        Some(match scope {
            "openid" => self.scope_openid,
            "profile" => self.scope_profile,
            "email" => self.scope_email,
            "phone" => self.scope_phone,
            "address" => self.scope_address,
            "offline" | "offline_access" => self.scope_offline,
            _ => return None,
        })
    }
}
