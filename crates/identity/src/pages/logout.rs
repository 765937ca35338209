//! The sign-out page. It asks for confirmation, because any page could contain a link to it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use base::Context;
use ui::components::{Button, Hidden};
use ui::{Page, PageLink, Strings};
use web::Cx;

use super::see_other;
use crate::Identity;
use crate::domain::flow::{FlowKind, endpoint};
use crate::flows::logout::LogoutError;
use crate::flows::visitor::Visitor;

/// The confirmation. The form is submitted to the logout of the API, which checks its token.
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

/// The page after the sign-out.
#[derive(Template)]
#[template(path = "pages/signed_out.html")]
pub(super) struct SignedOutPage {
    pub strings: &'static Strings,
    pub sign_in: PageLink,
}

pub(super) async fn ask(State(identity): State<Arc<Identity>>, Cx(cx): Cx, visitor: Visitor) -> Response {
    match identity.logout_page(&cx, &visitor).await {
        Ok(page) => {
            let frame = Page::titled(page.strings.sign_out).asked_with(visitor.request_url.query());
            identity.page_response(&cx, frame, &page)
        }
        Err(LogoutError::NoSession) => see_other(&identity.own_page("signed-out")),
        Err(error) => identity.refuse(&cx, error, false).await,
    }
}

pub(super) async fn signed_out(State(identity): State<Arc<Identity>>, Cx(cx): Cx, visitor: Visitor) -> Response {
    let strings = identity.ui.localizer(cx.locale).strings();
    let sign_in = PageLink::new(strings.sign_in, identity.begin_url(FlowKind::Login, None));
    let frame = Page::titled(strings.signed_out).asked_with(visitor.request_url.query());
    identity.page_response(&cx, frame, &SignedOutPage { strings, sign_in })
}

impl Identity {
    async fn logout_page(&self, cx: &Context, visitor: &Visitor) -> Result<LogoutPage, LogoutError> {
        let logout = self.begin_logout(cx, visitor).await?;
        // A session that lacks its second factor can be ended too; the page then does not show its owner.
        let signed_in_as = self.whoami(cx, visitor).await.ok().and_then(|whoami| whoami.checked.account_name.clone());
        let strings = self.ui.localizer(cx.locale).strings();
        let token = logout.logout_token;
        let own_end = || self.urls.after_logout().is_none().then(|| self.own_page("signed-out"));
        let mut values = vec![Hidden::new("token", token)];
        values.extend(visitor.query("return_to").or_else(own_end).map(|url| Hidden::new("return_to", url)));
        Ok(LogoutPage {
            strings,
            signed_in_as,
            action: endpoint(self.urls.public(), "self-service/logout").into(),
            values,
            confirm: Button::submit(strings.sign_out),
            stay: PageLink::new(strings.stay_signed_in, self.own_page("welcome")),
        })
    }
}
