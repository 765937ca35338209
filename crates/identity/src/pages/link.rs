//! The page behind a mailed link: a button. A mail scanner opens links as well; only the submission of the button uses a
//! link up.
//!
//! The form has no address of its own, so it is posted to the address of the page, which carries the token: no token
//! stands in the page.

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
    /// The answer to a link that was opened.
    pub(crate) fn link_page(&self, cx: &Context, kind: FlowKind) -> Response {
        let page = LinkPage::new(self.ui.localizer(cx.locale).strings(), kind);
        self.page_response(cx, Page::titled(page.title), &page)
    }
}
