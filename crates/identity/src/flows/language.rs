//! The language of a flow: what the client of a login asks for comes before what the browser prefers (OpenID Connect Core
//! section 3.1.2.1).

use base::Context;
use ui::Language;

use crate::domain::flow::{Details, Flow};

/// The request in the language of the flow, so that messages speak it as the pages do.
pub(crate) fn in_language_of<D: Details>(cx: &Context, flow: &Flow<D>) -> Context {
    let requested = flow.details.oauth2().and_then(|oauth2| Language::first_available(oauth2.ui_locales()));
    Context { locale: requested.unwrap_or(cx.locale), ..cx.clone() }
}
