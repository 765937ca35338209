//! The language of a flow. The locales that the client of a login requests take precedence over those of the browser
//! (OpenID Connect Core section 3.1.2.1), and the user's own choice takes precedence over both.

use base::Context;

use crate::domain::flow::{Details, Flow};

/// The context in the language of the flow, so that messages have the language of the pages.
pub(crate) fn of_flow<D: Details>(ui: &ui::Ui, cx: &Context, flow: &Flow<D>) -> Context {
    let oauth2 = flow.details.oauth2().filter(|_| !cx.locale_is_chosen);
    let requested = oauth2.and_then(|oauth2| ui.first_available(oauth2.ui_locales()));
    Context { locale: requested.unwrap_or(cx.locale), ..cx.clone() }
}
