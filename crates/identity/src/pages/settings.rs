//! The settings page: the flow's sections, then the devices that are signed in.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use base::Context;
use ui::components::{Alert, Button, ButtonKind, Hidden};
use ui::{FlowContext, FlowPage, Localizer, MessageKind, Moment, PageLink, Strings};
use url::Url;
use web::Cx;

use super::connections::ConnectionList;
use super::device_name::device_name;
use super::flow::flow_visitor_of;
use super::see_other;
use crate::Identity;
use crate::domain::csrf::CsrfViolation;
use crate::domain::flow::FlowKind;
use crate::domain::{Device, Session, SessionId};
use crate::flows::errors::ForgedRequest;
use crate::flows::sessions::OwnSessionsError;
use crate::flows::submission::{RawSubmission, Submission};
use crate::flows::views::FlowView;
use crate::flows::visitor::Visitor;

/// The maximum number of sessions on the page.
const MOST_SESSIONS: i64 = 50;

/// The page: the sections of the flow, the sessions, the connected applications.
#[derive(Template)]
#[template(path = "pages/settings.html")]
pub(super) struct SettingsPage {
    pub strings: &'static Strings,
    pub flow: FlowPage,
    pub sessions: Sessions,
    /// `None` without an authorization server.
    pub connections: Option<ConnectionList>,
    pub sign_out: PageLink,
}

/// The signed-in devices. Their forms are not part of the flow.
pub(super) struct Sessions {
    pub action: String,
    pub csrf: Hidden,
    pub current: SessionLine,
    pub others: Vec<SessionLine>,
    pub end_all: Button,
}

/// One session, described for its owner.
pub(super) struct SessionLine {
    /// Unique on the page: the button points to it.
    pub id: String,
    pub device: String,
    /// IP address and location, as far as they are known.
    pub origin: Option<String>,
    pub since: Moment,
    /// Sends the id of the session; `None` for the current session.
    pub end: Option<Button>,
}

pub(super) async fn show(State(identity): State<Arc<Identity>>, Cx(cx): Cx, visitor: Visitor) -> Response {
    if let Some(url) = identity.page_elsewhere(FlowKind::Settings, &visitor) {
        return see_other(&url);
    }
    let Some(flow_visitor) = flow_visitor_of(&visitor) else {
        return identity.begin_with_query(FlowKind::Settings, &visitor);
    };
    let flow = match identity.fetch_settings(&cx, &flow_visitor).await {
        Ok(flow) => flow,
        Err(error) => return identity.cannot_show(&cx, FlowKind::Settings, error).await,
    };
    match identity.settings_page(&cx, &visitor, &flow).await {
        Ok(page) => identity.page_response(&cx, page.flow.page().asked_with(visitor.request_url.query()), &page),
        Err(error) => identity.without_session(&cx, FlowKind::Settings, error).await,
    }
}

/// Ends one other session, or all others, and shows the settings again.
pub(super) async fn end_sessions(
    State(identity): State<Arc<Identity>>,
    Cx(cx): Cx,
    visitor: Visitor,
    body: RawSubmission,
) -> Response {
    match identity.end_my_sessions(&cx, &visitor, body).await {
        Ok(()) => see_other(&identity.settings_again(&visitor, Some(("sessions", "ended")))),
        Err(error) => identity.without_session(&cx, FlowKind::Settings, error).await,
    }
}

impl Identity {
    async fn settings_page(
        &self,
        cx: &Context,
        visitor: &Visitor,
        flow: &FlowView,
    ) -> Result<SettingsPage, OwnSessionsError> {
        let whoami = self.whoami(cx, visitor).await?;
        let others = self.list_my_sessions(cx, visitor, 0, MOST_SESSIONS).await?;
        let texts = self.ui.localizer(cx.locale);
        let strings = texts.strings();
        let context = FlowContext { password_rules: Some(self.password_rules()), ..FlowContext::default() };
        let mut page = self.flow_page(cx, FlowKind::Settings, flow, context);
        if visitor.query("sessions").is_some() {
            page.arranged.alerts.push(Alert::new(MessageKind::Success, strings.sessions_ended));
        }
        match visitor.query("connections").as_deref() {
            Some("ended") => page.arranged.alerts.push(Alert::new(MessageKind::Success, strings.connection_ended)),
            Some(_) => page.arranged.alerts.push(Alert::new(MessageKind::Error, strings.connections_unavailable)),
            None => {}
        }
        let (session, secret) = (whoami.checked.session.id.as_uuid(), self.browser(visitor).secret);
        let csrf = || Hidden::new("csrf_token", secret.token(session, &self.rng));
        let connections = self.my_connections(cx, visitor).await?.map(|listed| {
            let action = self.own_form("connections", visitor);
            ConnectionList::new(action, csrf(), listed, texts)
        });
        let other = |(index, session): (usize, &Session)| {
            let end = Button::submit(strings.end_session).sending("session", session.id.to_string());
            SessionLine::new(index + 1, session, Some(end.of_kind(ButtonKind::Secondary).small()), texts)
        };
        Ok(SettingsPage {
            strings,
            flow: page,
            sessions: Sessions {
                action: self.own_form("sessions", visitor),
                csrf: csrf(),
                current: SessionLine::new(0, &whoami.checked.session, None, texts),
                others: others.sessions.iter().enumerate().map(other).collect(),
                end_all: Button::submit(strings.end_other_sessions).of_kind(ButtonKind::Danger),
            },
            connections,
            sign_out: PageLink::new(strings.sign_out, self.own_page("logout")),
        })
    }

    /// The URL that a form of the settings page is submitted to which is not part of the flow.
    fn own_form(&self, name: &str, visitor: &Visitor) -> String {
        let action = self.own_page(name);
        match (visitor.query("flow"), Url::parse(&action)) {
            (Some(flow), Ok(mut url)) => {
                url.query_pairs_mut().append_pair("flow", &flow);
                url.into()
            }
            _ => action,
        }
    }

    /// Decodes a form of the settings page and checks its token.
    pub(super) async fn guarded_submission(
        &self,
        cx: &Context,
        visitor: &Visitor,
        body: RawSubmission,
    ) -> Result<Submission, OwnSessionsError> {
        let submission: Submission = body
            .decode(&crate::domain::form::FieldRules::new())
            .map_err(|error| OwnSessionsError::Malformed(error.to_string()))?;
        let whoami = self.whoami(cx, visitor).await?;
        let token = submission.text("csrf_token").unwrap_or_default();
        // The token belongs to this session in this browser. Forms of other sites or of earlier sessions have another token.
        if !self.browser(visitor).secret.accepts(token, whoami.checked.session.id.as_uuid()) {
            return Err(ForgedRequest::Csrf { violation: CsrfViolation::Mismatch, is_ajax: visitor.is_ajax }.into());
        }
        Ok(submission)
    }

    async fn end_my_sessions(
        &self,
        cx: &Context,
        visitor: &Visitor,
        body: RawSubmission,
    ) -> Result<(), OwnSessionsError> {
        let submission = self.guarded_submission(cx, visitor, body).await?;
        match submission.text("session") {
            Some(session) => {
                let id = session.parse::<SessionId>();
                let id =
                    id.map_err(|_| OwnSessionsError::Malformed("session: is not the id of a session".to_owned()))?;
                self.revoke_my_session(cx, visitor, id).await
            }
            None => self.revoke_my_other_sessions(cx, visitor).await.map(|_| ()),
        }
    }

    /// The URL of the settings page after one of its own forms, with the result of the form.
    pub(super) fn settings_again(&self, visitor: &Visitor, outcome: Option<(&str, &str)>) -> String {
        let mut url = self.urls.page(FlowKind::Settings).clone();
        let flow = visitor.query("flow");
        let parameters: Vec<_> = flow.as_deref().map(|flow| ("flow", flow)).into_iter().chain(outcome).collect();
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        url.into()
    }
}

impl SessionLine {
    fn new(index: usize, session: &Session, end: Option<Button>, texts: Localizer<'_>) -> Self {
        let id = format!("session-{index}");
        let device = session.devices.first();
        let of_device = |member: fn(&Device) -> Option<&str>| device.and_then(member).filter(|text| !text.is_empty());
        let location = of_device(|device| device.location.as_deref());
        let ip_address = of_device(|device| device.ip_address.as_deref());
        let user_agent = of_device(|device| device.user_agent.as_deref());
        let origin = [location, ip_address].into_iter().flatten().collect::<Vec<_>>();
        Self {
            device: user_agent.and_then(device_name).unwrap_or_else(|| texts.strings().unknown_device.to_owned()),
            origin: (!origin.is_empty()).then(|| origin.join(" · ")),
            since: Moment::new(session.authenticated_at, texts.language()),
            end: end.map(|end| end.about(&id)),
            id,
        }
    }
}
