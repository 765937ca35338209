//! The page after a sign-in without `return_to` and without an application.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use ui::{Page, PageLink, Strings};
use web::Cx;

use crate::Identity;
use crate::domain::flow::FlowKind;
use crate::flows::visitor::Visitor;

#[derive(Template)]
#[template(path = "pages/welcome.html")]
pub(super) struct WelcomePage {
    pub strings: &'static Strings,
    pub signed_in_as: Option<String>,
    pub settings: PageLink,
    pub sign_out: PageLink,
}

pub(super) async fn show(State(identity): State<Arc<Identity>>, Cx(cx): Cx, visitor: Visitor) -> Response {
    let whoami = match identity.whoami(&cx, &visitor).await {
        Ok(whoami) => whoami,
        Err(error) => return identity.without_session(&cx, FlowKind::Login, error).await,
    };
    let strings = identity.ui.localizer(cx.locale).strings();
    let page = WelcomePage {
        strings,
        signed_in_as: whoami.checked.account_name.clone(),
        settings: PageLink::new(strings.manage_account, identity.begin_url(FlowKind::Settings, None)),
        sign_out: PageLink::new(strings.sign_out, identity.own_page("logout")),
    };
    identity.page_response(&cx, Page::titled(strings.welcome).asked_with(visitor.request_url.query()), &page)
}
