//! The names of the texts of the sample application. The texts are in `crates/ui/locales`, in the section whose names begin
//! with `demo-`.

use ui::{Language, PerLanguage};

ui::texts! {
    pub(crate) struct Texts in "demo" {
        title,
        intro,
        sign_in,
        hello,
        signed_in_intro,
        who,
        who_intro,
        api,
        api_intro,
        call_api,
        api_answer,
        document,
        document_intro,
        reader,
        no_address,
        share,
        revoke,
        nobody,
        own_document,
        api_failed,
        open_document,
        open_document_intro,
        owner,
        open,
        may_read,
        may_not_read,
        because,
        account,
        sign_out,
        signed_out,
        signed_out_intro,
        session_ended,

        declined,
        declined_intro,
        over,
        over_intro,
        unavailable,
        unavailable_intro,
        failed,
        failed_intro,
    }
    with values {
        hello_name(name),
        shared(reader),
        revoked(reader),
        not_shared(owner),
    }
}

impl Texts {
    pub(super) fn of(language: Language) -> &'static Self {
        static TEXTS: PerLanguage<Texts> = PerLanguage::new(Texts::read);
        TEXTS.of(language)
    }
}
