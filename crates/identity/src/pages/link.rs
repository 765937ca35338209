//! The page of a link in a mail: a button. Mail scanners open links too; only the submission of the button uses the link.
//!
//! The form has no `action`, so it is posted to the URL of the page, which contains the token: the page itself contains no
//! token.

use askama::Template;
use axum::response::Response;
use base::Context;
use ui::components::Button;
use ui::{Page, Strings};

use crate::Identity;
use crate::domain::flow::FlowKind;

#[derive(Template)]
#[template(path = "pages/link.html")]
pub(super) struct LinkPage {
    pub title: &'static str,
    pub intro: &'static str,
    pub confirm: Button,
}

impl LinkPage {
    pub(super) fn new(strings: &'static Strings, kind: FlowKind) -> Self {
        let (title, intro) = match kind {
            FlowKind::Verification => (strings.verification, strings.verification_link_intro),
            FlowKind::Recovery | FlowKind::Login | FlowKind::Registration | FlowKind::Settings => {
                (strings.recovery, strings.recovery_link_intro)
            }
        };
        Self { title, intro, confirm: Button::submit(strings.continue_) }
    }
}

impl Identity {
    /// The response to an opened link.
    pub(crate) fn link_page(&self, cx: &Context, kind: FlowKind) -> Response {
        let page = LinkPage::new(self.ui.localizer(cx.locale).strings(), kind);
        self.page_response(cx, Page::titled(page.title), &page)
    }
}
