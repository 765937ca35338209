//! Where a person arrives who signed in for no application in particular.

use askama::Template;
use ui::{PageLink, Strings};

#[derive(Template)]
#[template(path = "pages/welcome.html")]
pub(super) struct WelcomePage {
    pub strings: &'static Strings,
    pub signed_in_as: Option<String>,
    pub settings: PageLink,
    pub sign_out: PageLink,
}
