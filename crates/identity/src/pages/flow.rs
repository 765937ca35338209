//! The pages of the flows. A page without a flow, or with an expired or unknown one, begins a new flow.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use base::Context;
use serde_json::Value;
use ui::{CodeContext, FlowContext, FlowPage, OutsideText, PageLink, PasswordRules};
use url::Url;
use web::Cx;

use super::container::container_of;
use super::see_other;
use crate::Identity;
use crate::domain::Aal;
use crate::domain::flow::{FlowKind, query_parameter};
use crate::flows::errors::{FetchError, ForgedRequest, RefreshRequired, SecondFactorRequired, SettingsDenied};
use crate::flows::sessions::OwnSessionsError;
use crate::flows::views::{DetailsView, FlowView, OAuth2View};
use crate::flows::visitor::Visitor;

pub(super) async fn login(State(identity): State<Arc<Identity>>, Cx(cx): Cx, visitor: Visitor) -> Response {
    identity.show(&cx, FlowKind::Login, &visitor).await
}

pub(super) async fn registration(State(identity): State<Arc<Identity>>, Cx(cx): Cx, visitor: Visitor) -> Response {
    identity.show(&cx, FlowKind::Registration, &visitor).await
}

pub(super) async fn recovery(State(identity): State<Arc<Identity>>, Cx(cx): Cx, visitor: Visitor) -> Response {
    identity.show(&cx, FlowKind::Recovery, &visitor).await
}

pub(super) async fn verification(State(identity): State<Arc<Identity>>, Cx(cx): Cx, visitor: Visitor) -> Response {
    identity.show(&cx, FlowKind::Verification, &visitor).await
}

/// The visitor for a request to the API for the flow in the URL of the page; `None` without a flow id.
pub(super) fn flow_visitor_of(visitor: &Visitor) -> Option<Visitor> {
    let flow = visitor.query("flow")?;
    let mut flow_visitor = visitor.clone();
    flow_visitor.request_url.query_pairs_mut().clear().append_pair("id", &flow);
    Some(flow_visitor)
}

impl Identity {
    /// Begins a flow with the parameters of the page: `return_to`, `login_challenge`, `aal` and the like.
    pub(super) fn begin_with_query(&self, kind: FlowKind, visitor: &Visitor) -> Response {
        let begin = self.begin_url(kind, None);
        match visitor.request_url.query() {
            Some(query) => see_other(&format!("{begin}?{query}")),
            None => see_other(&begin),
        }
    }

    /// The page of a flow: the built-in one, unless `ui_url` names another.
    async fn show(&self, cx: &Context, kind: FlowKind, visitor: &Visitor) -> Response {
        if let Some(url) = self.page_elsewhere(kind, visitor) {
            return see_other(&url);
        }
        let Some(flow_visitor) = flow_visitor_of(visitor) else { return self.begin_with_query(kind, visitor) };
        let flow = match kind {
            FlowKind::Login => self.fetch_login(cx, &flow_visitor).await,
            FlowKind::Registration => self.fetch_registration(cx, &flow_visitor).await,
            FlowKind::Settings => self.fetch_settings(cx, &flow_visitor).await,
            FlowKind::Recovery => self.fetch_recovery(cx, &flow_visitor).await,
            FlowKind::Verification => self.fetch_verification(cx, &flow_visitor).await,
        };
        match flow {
            Ok(flow) => {
                let cx = &self.in_requested_language(cx, &flow);
                let mut context = self.context_of(cx, kind, &flow);
                context.code = match self.code_context(cx, kind, &flow, &flow_visitor).await {
                    Ok(code) => code,
                    Err(error) => return self.refuse(cx, error, false).await,
                };
                let page = self.flow_page(cx, kind, &flow, context);
                self.page_response(cx, page.page().asked_with(visitor.request_url.query()), &page)
            }
            Err(FetchError::Forged(ForgedRequest::Csrf { .. })) if kind == FlowKind::Verification => {
                self.other_browser_page(cx, visitor)
            }
            Err(error) => self.cannot_show(cx, kind, error).await,
        }
    }

    /// The page that `ui_url` names in place of the built-in one, with the same query.
    pub(super) fn page_elsewhere(&self, kind: FlowKind, visitor: &Visitor) -> Option<String> {
        let mut page = self.urls.page(kind).clone();
        if page.as_str() == self.own_page(kind.as_str()) {
            return None;
        }
        let parameters: Vec<_> = visitor.request_url.query_pairs().collect();
        if !parameters.is_empty() {
            page.query_pairs_mut().extend_pairs(parameters);
        }
        Some(page.as_str().to_owned())
    }

    fn context_of(&self, cx: &Context, kind: FlowKind, flow: &FlowView) -> FlowContext {
        let is_first_step = kind == FlowKind::Login && !is_further_step(flow);
        let may_recover = is_first_step && self.flow_policy.is_enabled(FlowKind::Recovery);
        FlowContext {
            links: self.links_of(cx, kind, flow),
            forgot_password: may_recover.then(|| self.begin_in_place_of(FlowKind::Recovery, flow)),
            another_account: is_first_step.then(|| self.begin_in_place_of(FlowKind::Login, flow)),
            password_rules: Some(self.password_rules()),
            client: client_of(flow.oauth2()),
            code: None,
        }
    }

    /// The data about the code, if the flow expects one.
    async fn code_context(
        &self,
        cx: &Context,
        kind: FlowKind,
        flow: &FlowView,
        flow_visitor: &Visitor,
    ) -> Result<Option<CodeContext>, database::Error> {
        let Some(awaited) = self.awaited_code(cx, flow, &flow_visitor.caller(cx, None)).await? else {
            return Ok(None);
        };
        Ok(Some(CodeContext {
            sent_to: OutsideText::new(&awaited.sent_to, OutsideText::ADDRESS),
            wrong_address: self.address_page(kind, flow),
            // A fraction of a second counts as one.
            resend_wait: u32::try_from(awaited.wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX),
        }))
    }

    /// The page on which the address of the code can be corrected; `None` when the user did not enter it in this flow.
    fn address_page(&self, kind: FlowKind, flow: &FlowView) -> Option<String> {
        if is_further_step(flow) {
            return None;
        }
        // If another flow started the verification, the address was entered there.
        let begun_at = |kind: FlowKind| {
            let path = format!("/self-service/{}/", kind.as_str());
            flow.request_url.contains(&path)
        };
        let kind = match kind {
            FlowKind::Verification if begun_at(FlowKind::Registration) => FlowKind::Registration,
            FlowKind::Verification if begun_at(FlowKind::Settings) => FlowKind::Settings,
            other => other,
        };
        Some(self.begin_in_place_of(kind, flow))
    }

    /// The rules for a new password that the page shows.
    pub(super) fn password_rules(&self) -> PasswordRules {
        let policy = self.password_policy();
        PasswordRules {
            min_length: policy.min_length,
            unlike_identifier: policy.check_similarity,
            not_breached: self.config.selfservice.methods.password.config.haveibeenpwned_enabled,
        }
    }

    /// The order of preference is: the user's own choice, the `ui_locales` of the client (OpenID Connect Core section
    /// 3.1.2.1), the languages of the browser.
    fn in_requested_language(&self, cx: &Context, flow: &FlowView) -> Context {
        let request = flow.oauth2().and_then(|oauth2| oauth2.request.as_ref());
        let tags = request.and_then(|request| request.pointer("/oidc_context/ui_locales")).and_then(Value::as_array);
        let tags = tags.filter(|_| !cx.locale_is_chosen).into_iter().flatten().filter_map(Value::as_str);
        Context { locale: self.ui.first_available(tags).unwrap_or(cx.locale), ..cx.clone() }
    }

    /// The links from this flow to others.
    fn links_of(&self, cx: &Context, kind: FlowKind, flow: &FlowView) -> Vec<PageLink> {
        let strings = self.ui.localizer(cx.locale).strings();
        let to = |kind| self.begin_in_place_of(kind, flow);
        match kind {
            FlowKind::Login => self.links_of_login(cx, flow),
            FlowKind::Registration => {
                let sign_in = PageLink::new(strings.sign_in_instead, to(FlowKind::Login));
                vec![sign_in.asking(strings.have_account)]
            }
            FlowKind::Recovery => vec![PageLink::new(strings.back_to_sign_in, to(FlowKind::Login))],
            FlowKind::Settings | FlowKind::Verification => Vec::new(),
        }
    }

    /// The page of a flow.
    pub(super) fn flow_page(&self, cx: &Context, kind: FlowKind, flow: &FlowView, context: FlowContext) -> FlowPage {
        FlowPage::new(form_kind(kind), &container_of(&flow.ui), self.ui.localizer(cx.locale), context)
    }

    /// The response when a flow cannot be shown: a new flow where that helps, else the error.
    pub(super) async fn cannot_show(&self, cx: &Context, kind: FlowKind, error: FetchError) -> Response {
        match error {
            FetchError::Expired(at) => {
                see_other(&at.redirect_to.unwrap_or_else(|| self.begin_url(kind, at.return_to.as_deref())))
            }
            FetchError::NotFound | FetchError::NoSession | FetchError::Denied(SettingsDenied::WrongOwner) => {
                see_other(&self.begin_url(kind, None))
            }
            FetchError::Denied(SettingsDenied::SecondFactor(SecondFactorRequired { redirect_browser_to })) => {
                see_other(&redirect_browser_to)
            }
            // A browser without cookies would be redirected in a loop if a new flow started here.
            other => self.refuse(cx, other, false).await,
        }
    }

    /// The response when a page about the user's sessions fails: a flow of this kind for a visitor without a session, the step that
    /// the session lacks, else the error.
    pub(super) async fn without_session(&self, cx: &Context, kind: FlowKind, error: OwnSessionsError) -> Response {
        match error {
            OwnSessionsError::NoSession => see_other(&self.begin_url(kind, None)),
            OwnSessionsError::SecondFactor(SecondFactorRequired { redirect_browser_to })
            | OwnSessionsError::Refresh(RefreshRequired { redirect_browser_to }) => see_other(&redirect_browser_to),
            other => self.refuse(cx, other, false).await,
        }
    }

    /// The URL that starts another flow with the same purpose: it keeps `return_to` and the client of the sign-in.
    fn begin_in_place_of(&self, kind: FlowKind, flow: &FlowView) -> String {
        let begin = self.begin_url(kind, flow.return_to.as_deref().filter(|url| !url.is_empty()));
        // Not every kind of flow contains its challenge, but the URL that it was initialized at does.
        let begun_with = || query_parameter(&flow.request_url, "login_challenge");
        let challenge = flow.oauth2().and_then(|oauth2| oauth2.challenge.clone()).or_else(begun_with);
        match (challenge, Url::parse(&begin)) {
            (Some(challenge), Ok(mut url)) => {
                url.query_pairs_mut().append_pair("login_challenge", &challenge);
                url.into()
            }
            (None | Some(_), _) => begin,
        }
    }

    fn links_of_login(&self, cx: &Context, flow: &FlowView) -> Vec<PageLink> {
        let strings = self.ui.localizer(cx.locale).strings();
        if is_further_step(flow) {
            return vec![PageLink::new(strings.use_another_account, self.own_page("logout"))];
        }
        if !self.flow_policy.is_enabled(FlowKind::Registration) {
            return Vec::new();
        }
        let href = self.begin_in_place_of(FlowKind::Registration, flow);
        vec![PageLink::new(strings.create_account, href).asking(strings.no_account_yet)]
    }
}

/// Whether the user is already signed in and signs in again.
fn is_further_step(flow: &FlowView) -> bool {
    matches!(&flow.details, DetailsView::Login(login) if login.refresh || login.requested_aal == Aal::Aal2)
}

/// The client that a sign-in is for: its name, else the host of its redirect URI, else its id.
fn client_of(oauth2: Option<&OAuth2View>) -> Option<OutsideText> {
    let request = oauth2?.request.as_ref()?;
    let text = |pointer: &str| request.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let host = || {
        let redirect_uri = query_parameter(text("/request_url"), "redirect_uri")?;
        Url::parse(&redirect_uri).ok()?.host_str().map(str::to_owned)
    };
    let name = |text: &str| OutsideText::new(text, OutsideText::NAME);
    name(text("/client/client_name")).or_else(|| name(&host()?)).or_else(|| name(text("/client/client_id")))
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

#[cfg(test)]
mod tests {
    use askama::Template as _;
    use serde_json::json;

    use super::*;

    fn called(client: &Value, request_url: &str) -> Option<String> {
        let request = Some(json!({"client": client, "request_url": request_url}));
        client_of(Some(&OAuth2View { challenge: None, request })).map(|name| name.render().unwrap())
    }

    #[test]
    fn a_client_is_shown_by_its_name_else_its_host_else_its_id() {
        let url = "https://op.example/oauth2/auth?client_id=c1&redirect_uri=https%3A%2F%2Fprinter.example%2Fcb";
        let named = json!({"client_id": "c1", "client_name": "Photo <Printer>"});
        assert_eq!(called(&named, url).as_deref(), Some("<bdi>Photo &#60;Printer&#62;</bdi>"));
        for nameless in [json!({"client_id": "c1"}), json!({"client_id": "c1", "client_name": "\u{202e} "})] {
            assert_eq!(called(&nameless, url).as_deref(), Some("<bdi>printer.example</bdi>"));
            assert_eq!(called(&nameless, "https://op.example/oauth2/auth").as_deref(), Some("<bdi>c1</bdi>"));
        }
        assert_eq!(called(&json!({}), ""), None);
        assert_eq!(client_of(None), None);
    }
}
