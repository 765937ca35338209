//! What the sample application says, in every language of the pages.

use ui::Language;

pub(super) struct Words {
    pub(super) title: &'static str,
    pub(super) intro: &'static str,
    pub(super) sign_in: &'static str,
    pub(super) hello: &'static str,
    pub(super) signed_in_intro: &'static str,
    pub(super) who: &'static str,
    pub(super) who_intro: &'static str,
    pub(super) api: &'static str,
    pub(super) api_intro: &'static str,
    pub(super) call_api: &'static str,
    pub(super) api_answer: &'static str,
    pub(super) account: &'static str,
    pub(super) sign_out: &'static str,
    pub(super) signed_out: &'static str,
    pub(super) signed_out_intro: &'static str,
    pub(super) again: &'static str,
    pub(super) failed: &'static str,
    pub(super) failed_intro: &'static str,
}

impl Words {
    pub(super) const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &ENGLISH,
            Language::German => &GERMAN,
            Language::Arabic => &ARABIC,
        }
    }
}

static ENGLISH: Words = Words {
    title: "Sample app",
    intro: "This is an application of its own. It leaves sign-in to Kleis, by OpenID Connect.",
    sign_in: "Sign in with Kleis",
    hello: "Hello",
    signed_in_intro: "You are signed in to the sample app.",
    who: "What the app knows",
    who_intro: "The claims of your ID token.",
    api: "Sample API",
    api_intro: "It stands behind the gateway, which checks your access token and tells the API who you are.",
    call_api: "Call the API",
    api_answer: "The API’s answer",
    account: "Manage your account",
    sign_out: "Sign out",
    signed_out: "You are signed out",
    signed_out_intro: "Of the sample app and of Kleis.",
    again: "Try again",
    failed: "Sign-in did not work",
    failed_intro: "The sample app could not sign you in.",
};

static GERMAN: Words = Words {
    title: "Beispiel-App",
    intro: "Dies ist eine eigene Anwendung. Die Anmeldung überlässt sie Kleis, mit OpenID Connect.",
    sign_in: "Mit Kleis anmelden",
    hello: "Hallo",
    signed_in_intro: "Sie sind an der Beispiel-App angemeldet.",
    who: "Was die App weiß",
    who_intro: "Die Angaben aus Ihrem ID-Token.",
    api: "Beispiel-API",
    api_intro: "Sie steht hinter dem Gateway, das Ihr Access-Token prüft und der API sagt, wer Sie sind.",
    call_api: "API aufrufen",
    api_answer: "Antwort der API",
    account: "Konto verwalten",
    sign_out: "Abmelden",
    signed_out: "Sie sind abgemeldet",
    signed_out_intro: "Von der Beispiel-App und von Kleis.",
    again: "Noch einmal versuchen",
    failed: "Die Anmeldung hat nicht geklappt",
    failed_intro: "Die Beispiel-App konnte Sie nicht anmelden.",
};

static ARABIC: Words = Words {
    title: "تطبيق تجريبي",
    intro: "هذا تطبيق مستقل. يترك تسجيل الدخول لـ Kleis عبر OpenID Connect.",
    sign_in: "تسجيل الدخول عبر Kleis",
    hello: "مرحبًا",
    signed_in_intro: "سجّلت الدخول إلى التطبيق التجريبي.",
    who: "ما يعرفه التطبيق",
    who_intro: "البيانات الواردة في رمز الهوية.",
    api: "واجهة برمجة تجريبية",
    api_intro: "تقف خلف البوابة، التي تتحقق من رمز الوصول وتخبر الواجهة من أنت.",
    call_api: "استدعاء الواجهة",
    api_answer: "جواب الواجهة",
    account: "إدارة حسابك",
    sign_out: "تسجيل الخروج",
    signed_out: "تم تسجيل خروجك",
    signed_out_intro: "من التطبيق التجريبي ومن Kleis.",
    again: "المحاولة مرة أخرى",
    failed: "لم ينجح تسجيل الدخول",
    failed_intro: "تعذّر على التطبيق التجريبي تسجيل دخولك.",
};
