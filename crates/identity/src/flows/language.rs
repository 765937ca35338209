//! The language of a flow: what the client of a login asks for comes before what the browser prefers (OpenID Connect Core
//! section 3.1.2.1), and the person's own choice before both.

use base::Context;

use crate::domain::flow::{Details, Flow};

/// The request in the language of the flow, so that messages have the language of the pages.
pub(crate) fn of_flow<D: Details>(ui: &ui::Ui, cx: &Context, flow: &Flow<D>) -> Context {
    let oauth2 = flow.details.oauth2().filter(|_| !cx.locale_is_chosen);
    let requested = oauth2.and_then(|oauth2| ui.first_available(oauth2.ui_locales()));
    Context { locale: requested.unwrap_or(cx.locale), ..cx.clone() }
}
