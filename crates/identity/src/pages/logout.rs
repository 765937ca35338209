//! Signing out: a question first, because a link that signs out could be hidden in any page; then the way back.

use askama::Template;
use ui::components::{Button, Hidden};
use ui::{PageLink, Strings};

/// The question. The form leads to the logout of the API, which checks its token.
#[derive(Template)]
#[template(path = "pages/logout.html")]
pub(super) struct LogoutPage {
    pub strings: &'static Strings,
    pub signed_in_as: Option<String>,
    pub action: String,
    pub values: Vec<Hidden>,
    pub confirm: Button,
    pub stay: PageLink,
}

/// Nobody is signed in any more.
#[derive(Template)]
#[template(path = "pages/signed_out.html")]
pub(super) struct SignedOutPage {
    pub strings: &'static Strings,
    pub sign_in: PageLink,
}
