//! The pages of the flows. A page without a flow, or with one that is no more, begins a new one.

use axum::extract::State;
use axum::response::Response;
use base::Context;
use serde_json::Value;
use ui::nodes::Container;
use ui::{FlowPage, PageLink};
use url::Url;
use web::Cx;

use super::see_other;
use crate::Identity;
use crate::domain::flow::FlowKind;
use crate::flows::error::FlowError;
use crate::flows::visitor::Visitor;

pub(super) async fn login(State(identity): State<Identity>, Cx(cx): Cx, visitor: Visitor) -> Response {
    let flow = match asked(&visitor) {
        Some(asking) => identity.fetch_login(&cx, &asking).await,
        None => return identity.begin_with_query(FlowKind::Login, &visitor),
    };
    match flow {
        Ok(flow) => {
            let links = identity.links_of_login(&cx, &flow);
            identity.show_flow(&cx, FlowKind::Login, &flow, links)
        }
        Err(error) => identity.cannot_show(&cx, FlowKind::Login, error).await,
    }
}

pub(super) async fn registration(State(identity): State<Identity>, Cx(cx): Cx, visitor: Visitor) -> Response {
    let flow = match asked(&visitor) {
        Some(asking) => identity.fetch_registration(&cx, &asking).await,
        None => return identity.begin_with_query(FlowKind::Registration, &visitor),
    };
    match flow {
        Ok(flow) => {
            let strings = identity.ui.localizer(cx.locale).strings();
            let href = identity.begin_in_place_of(FlowKind::Login, &flow);
            let links = vec![PageLink::new(strings.sign_in_instead, href).asking(strings.have_account)];
            identity.show_flow(&cx, FlowKind::Registration, &flow, links)
        }
        Err(error) => identity.cannot_show(&cx, FlowKind::Registration, error).await,
    }
}

pub(super) async fn recovery(State(identity): State<Identity>, Cx(cx): Cx, visitor: Visitor) -> Response {
    let flow = match asked(&visitor) {
        Some(asking) => identity.fetch_recovery(&cx, &asking).await,
        None => return identity.begin_with_query(FlowKind::Recovery, &visitor),
    };
    match flow {
        Ok(flow) => {
            let strings = identity.ui.localizer(cx.locale).strings();
            let href = identity.begin_in_place_of(FlowKind::Login, &flow);
            identity.show_flow(&cx, FlowKind::Recovery, &flow, vec![PageLink::new(strings.back_to_sign_in, href)])
        }
        Err(error) => identity.cannot_show(&cx, FlowKind::Recovery, error).await,
    }
}

pub(super) async fn verification(State(identity): State<Identity>, Cx(cx): Cx, visitor: Visitor) -> Response {
    let flow = match asked(&visitor) {
        Some(asking) => identity.fetch_verification(&cx, &asking).await,
        None => return identity.begin_with_query(FlowKind::Verification, &visitor),
    };
    match flow {
        Ok(flow) => identity.show_flow(&cx, FlowKind::Verification, &flow, Vec::new()),
        Err(error) => identity.cannot_show(&cx, FlowKind::Verification, error).await,
    }
}

/// The visitor as asking the API for the flow that the page's address names; `None` without one.
pub(super) fn asked(visitor: &Visitor) -> Option<Visitor> {
    let flow = visitor.query("flow")?;
    let mut asking = visitor.clone();
    asking.request_url.query_pairs_mut().clear().append_pair("id", &flow);
    Some(asking)
}

impl Identity {
    /// Begins a flow, handing on what the page was asked with: `return_to`, `login_challenge`, `aal` and the like.
    pub(super) fn begin_with_query(&self, kind: FlowKind, visitor: &Visitor) -> Response {
        let begin = self.begin_url(kind, None);
        match visitor.request_url.query() {
            Some(query) => see_other(&format!("{begin}?{query}")),
            None => see_other(&begin),
        }
    }

    fn show_flow(&self, cx: &Context, kind: FlowKind, flow: &Value, links: Vec<PageLink>) -> Response {
        let page = self.flow_page(cx, kind, flow, links);
        self.page_response(cx, page.page(), &page)
    }

    /// The page of a flow as the API tells it.
    pub(super) fn flow_page(&self, cx: &Context, kind: FlowKind, flow: &Value, links: Vec<PageLink>) -> FlowPage {
        let container: Container =
            flow.get("ui").cloned().and_then(|ui| serde_json::from_value(ui).ok()).unwrap_or_default();
        FlowPage::new(form_kind(kind), &container, self.ui.localizer(cx.locale), links)
    }

    /// What to do instead of showing a flow: begin anew where that helps, else say what is wrong.
    pub(super) async fn cannot_show(&self, cx: &Context, kind: FlowKind, error: FlowError) -> Response {
        match error {
            FlowError::Expired { at } => {
                see_other(&at.redirect_to.unwrap_or_else(|| self.begin_url(kind, at.return_to.as_deref())))
            }
            FlowError::FlowNotFound
            | FlowError::IdentityMismatch
            | FlowError::NoSession
            | FlowError::SessionInactive => see_other(&self.begin_url(kind, None)),
            FlowError::SessionAal2Required { redirect_browser_to } => see_other(&redirect_browser_to),
            // A browser without cookies would be sent in circles if this began anew.
            other => self.refuse(cx, other, false).await,
        }
    }

    /// Another flow for the same end: it keeps where to return to, and whom the sign-in is for.
    fn begin_in_place_of(&self, kind: FlowKind, flow: &Value) -> String {
        let text = |member: &str| flow.get(member).and_then(Value::as_str).filter(|text| !text.is_empty());
        let begin = self.begin_url(kind, text("return_to"));
        match (text("oauth2_login_challenge"), Url::parse(&begin)) {
            (Some(challenge), Ok(mut url)) => {
                url.query_pairs_mut().append_pair("login_challenge", challenge);
                url.into()
            }
            (None | Some(_), _) => begin,
        }
    }

    fn links_of_login(&self, cx: &Context, flow: &Value) -> Vec<PageLink> {
        let strings = self.ui.localizer(cx.locale).strings();
        let is_further_step = flow.get("refresh").and_then(Value::as_bool) == Some(true)
            || flow.get("requested_aal").and_then(Value::as_str) == Some("aal2");
        if is_further_step {
            return vec![PageLink::new(strings.use_another_account, self.own_page("logout"))];
        }
        let mut links = Vec::new();
        if self.registration_enabled() {
            let href = self.begin_in_place_of(FlowKind::Registration, flow);
            links.push(PageLink::new(strings.create_account, href).asking(strings.no_account_yet));
        }
        if self.recovery_enabled() {
            links.push(PageLink::new(strings.forgot_access, self.begin_in_place_of(FlowKind::Recovery, flow)));
        }
        links
    }
}

const fn form_kind(kind: FlowKind) -> ui::form::FlowKind {
    match kind {
        FlowKind::Login => ui::form::FlowKind::Login,
        FlowKind::Registration => ui::form::FlowKind::Registration,
        FlowKind::Settings => ui::form::FlowKind::Settings,
        FlowKind::Recovery => ui::form::FlowKind::Recovery,
        FlowKind::Verification => ui::form::FlowKind::Verification,
    }
}
