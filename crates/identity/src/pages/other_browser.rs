//! The page for users who open the link of a verification mail in another browser than the one with the flow.

use askama::Template;
use axum::response::Response;
use base::Context;
use http::StatusCode;
use ui::{Page, PageLink, Strings};

use crate::Identity;
use crate::flows::visitor::Visitor;

/// Explains where to enter the code.
#[derive(Template)]
#[template(path = "pages/other_browser.html")]
pub(super) struct OtherBrowserPage {
    pub strings: &'static Strings,
    pub start: PageLink,
}

impl Identity {
    pub(super) fn other_browser_page(&self, cx: &Context, visitor: &Visitor) -> Response {
        let strings = self.ui.localizer(cx.locale).strings();
        let page = OtherBrowserPage { strings, start: PageLink::new(strings.to_start, self.own_page("welcome")) };
        let frame = Page { status: StatusCode::FORBIDDEN, ..Page::titled(strings.other_browser) };
        self.page_response(cx, frame.asked_with(visitor.request_url.query()), &page)
    }
}
