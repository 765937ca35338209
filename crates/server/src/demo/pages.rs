//! The pages of the relying party for a person who is not signed in.

use askama::Template;
use http::StatusCode;
use ui::components::{Alert, Button};
use ui::{Language, Page, Strings};

use super::oidc::{Failure, SignInError};
use super::texts::Texts;

#[derive(Template)]
#[template(path = "demo/welcome.html")]
pub(super) struct WelcomePage {
    pub(super) texts: &'static Texts,
    pub(super) notice: Option<Alert>,
    pub(super) sign_in: Button,
}

#[derive(Template)]
#[template(path = "demo/signed_out.html")]
pub(super) struct SignedOutPage {
    pub(super) texts: &'static Texts,
    pub(super) sign_in: Button,
}

/// A sign-in that did not succeed: what happened, what the person can do, and details for developers.
#[derive(Template)]
#[template(path = "demo/failed.html")]
pub(super) struct FailedPage {
    strings: &'static Strings,
    title: &'static str,
    intro: &'static str,
    details: String,
    again: Button,
    status: StatusCode,
}

impl FailedPage {
    pub(super) fn new(language: Language, error: &SignInError) -> Self {
        let texts = Texts::of(language);
        let (title, intro, status) = match error.failure() {
            Failure::Declined => (texts.declined, texts.declined_intro, StatusCode::OK),
            Failure::Over => (texts.over, texts.over_intro, StatusCode::BAD_REQUEST),
            Failure::Unavailable => (texts.unavailable, texts.unavailable_intro, StatusCode::BAD_GATEWAY),
            Failure::Other => (texts.failed, texts.failed_intro, StatusCode::BAD_REQUEST),
        };
        let again = Button::submit(texts.sign_in);
        Self { strings: Strings::of(language), title, intro, details: error.to_string(), again, status }
    }

    pub(super) fn page(&self) -> Page<'static> {
        Page { status: self.status, ..Page::titled(self.title) }
    }
}
