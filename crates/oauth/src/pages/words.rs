//! The words of the pages: one struct, one value of it per language, so that a missing translation does not compile.

use ui::Language;

#[derive(Debug)]
pub(crate) struct Words {
    pub consent_title: &'static str,
    pub consent_asks: &'static str,
    pub signed_in_as: &'static str,
    pub asks_for: &'static str,
    pub will_call: &'static str,
    pub goes_to: &'static str,
    pub remember: &'static str,
    pub remember_hint: &'static str,
    pub allow: &'static str,
    pub deny: &'static str,
    pub terms: &'static str,
    pub privacy: &'static str,
    pub nothing_else: &'static str,

    pub scope_openid: &'static str,
    pub scope_profile: &'static str,
    pub scope_email: &'static str,
    pub scope_phone: &'static str,
    pub scope_address: &'static str,
    pub scope_offline: &'static str,
    pub scope_other: &'static str,

    pub logout_title: &'static str,
    pub logout_intro: &'static str,
    pub logout_asked_by: &'static str,
    pub sign_out: &'static str,
    pub stay: &'static str,
    pub stayed_title: &'static str,
    pub stayed_intro: &'static str,
    pub signed_out_title: &'static str,
    pub signed_out_intro: &'static str,
    pub signing_out_title: &'static str,
    pub signing_out_intro: &'static str,
    pub go_on: &'static str,

    pub error_title: &'static str,
    pub error_intro: &'static str,
    pub error_expired: &'static str,
    pub error_cookies: &'static str,
    pub error_ours: &'static str,
    pub error_details: &'static str,

    pub form_post_title: &'static str,
    pub form_post_intro: &'static str,
}

impl Words {
    pub(crate) fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &ENGLISH,
            Language::German => &GERMAN,
        }
    }

    /// What a scope lets a client do, where it is one that everybody knows.
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

static ENGLISH: Words = Words {
    consent_title: "Allow access?",
    consent_asks: "asks for access to your account.",
    signed_in_as: "Signed in as",
    asks_for: "It will be able to",
    will_call: "It will use this access at",
    goes_to: "You will be sent to",
    remember: "Remember this choice",
    remember_hint: "You will not be asked again for the same access.",
    allow: "Allow",
    deny: "Do not allow",
    terms: "Terms of service",
    privacy: "Privacy policy",
    nothing_else: "know that you signed in, and nothing else",
    scope_openid: "Know who you are",
    scope_profile: "See your name and profile",
    scope_email: "See your email address",
    scope_phone: "See your phone number",
    scope_address: "See your postal address",
    scope_offline: "Keep access while you are away",
    scope_other: "Use the permission",
    logout_title: "Sign out?",
    logout_intro: "You will be signed out here and from the applications that you used.",
    logout_asked_by: "asks you to sign out.",
    sign_out: "Sign out",
    stay: "Stay signed in",
    stayed_title: "You are still signed in",
    stayed_intro: "Nothing was changed. You can close this page.",
    signed_out_title: "You are signed out",
    signed_out_intro: "You can close this page.",
    signing_out_title: "Signing you out …",
    signing_out_intro: "We are telling the applications that you used. This takes a moment.",
    go_on: "Continue",
    error_title: "This did not work",
    error_intro: "The application that sent you here asked for something that cannot be done. Its makers can find out why \
                  with the details below.",
    error_expired: "This took too long, or was done before. Go back to the application and start again.",
    error_cookies: "This browser did not begin what it tries to finish, or it does not accept cookies. Go back to the \
                    application and start again.",
    error_ours: "Something went wrong on our side. Try again in a moment.",
    error_details: "Details",
    form_post_title: "One moment …",
    form_post_intro: "You are being sent back to the application.",
};

static GERMAN: Words = Words {
    consent_title: "Zugriff erlauben?",
    consent_asks: "bittet um Zugriff auf Ihr Konto.",
    signed_in_as: "Angemeldet als",
    asks_for: "Die Anwendung kann dann",
    will_call: "Sie nutzt den Zugriff bei",
    goes_to: "Sie werden weitergeleitet zu",
    remember: "Diese Entscheidung merken",
    remember_hint: "Für denselben Zugriff werden Sie nicht noch einmal gefragt.",
    allow: "Erlauben",
    deny: "Nicht erlauben",
    terms: "Nutzungsbedingungen",
    privacy: "Datenschutz",
    nothing_else: "wissen, dass Sie sich angemeldet haben, und sonst nichts",
    scope_openid: "Wissen, wer Sie sind",
    scope_profile: "Ihren Namen und Ihr Profil sehen",
    scope_email: "Ihre E-Mail-Adresse sehen",
    scope_phone: "Ihre Telefonnummer sehen",
    scope_address: "Ihre Postanschrift sehen",
    scope_offline: "Den Zugriff behalten, auch wenn Sie abwesend sind",
    scope_other: "Die Berechtigung nutzen:",
    logout_title: "Abmelden?",
    logout_intro: "Sie werden hier und bei den Anwendungen, die Sie benutzt haben, abgemeldet.",
    logout_asked_by: "bittet Sie, sich abzumelden.",
    sign_out: "Abmelden",
    stay: "Angemeldet bleiben",
    stayed_title: "Sie sind weiterhin angemeldet",
    stayed_intro: "Es wurde nichts geändert. Sie können diese Seite schließen.",
    signed_out_title: "Sie sind abgemeldet",
    signed_out_intro: "Sie können diese Seite schließen.",
    signing_out_title: "Sie werden abgemeldet …",
    signing_out_intro: "Wir sagen den Anwendungen Bescheid, die Sie benutzt haben. Das dauert einen Moment.",
    go_on: "Weiter",
    error_title: "Das hat nicht geklappt",
    error_intro: "Die Anwendung, von der Sie kommen, hat um etwas gebeten, das nicht möglich ist. Mit den Einzelheiten unten \
                  können ihre Entwickler den Grund finden.",
    error_expired: "Das hat zu lange gedauert oder wurde schon erledigt. Gehen Sie zurück zur Anwendung und beginnen Sie neu.",
    error_cookies: "Dieser Browser hat nicht begonnen, was er beenden möchte, oder er nimmt keine Cookies an. Gehen Sie \
                    zurück zur Anwendung und beginnen Sie neu.",
    error_ours: "Auf unserer Seite ist etwas schiefgegangen. Bitte versuchen Sie es gleich noch einmal.",
    error_details: "Einzelheiten",
    form_post_title: "Einen Moment …",
    form_post_intro: "Sie werden zur Anwendung zurückgeschickt.",
};
