//! Login: begins with a form that matches the request, takes one submission per factor, and ends with a session.

mod complete;
pub(crate) mod step;
mod submit;

pub(crate) use complete::some_if_any;

use base::Context;
use url::Url;
use web::config::parse_go_bool;

use crate::Identity;
use crate::domain::Aal;
use crate::domain::client_kind::{FlowType, Wants};
use crate::domain::flow::{Flow, FlowKind, Login, OAuth2Request};
use crate::domain::message::{Message, login as messages};
use crate::domain::ui_node::{Node, NodeOrder};
use crate::flows::views::FlowView;
use crate::methods::{self, LoginForm, Method};

use super::answer::{Answer, Content};
use super::errors::{BeginError, FetchError, FormUnavailable, SecondFactorRequired, StepError};
use super::oauth2::Challenge;
use super::submission::Submission;
use super::visitor::Visitor;
use crate::components::attempts::Caller;
use crate::components::sessions::Current;

use step::LoginStep;

impl Identity {
    /// Begins a login flow, or answers a user who is already signed in.
    pub async fn begin_login(
        &self,
        cx: &Context,
        visitor: &Visitor,
        flow_type: FlowType,
    ) -> Result<Answer, BeginError> {
        let return_to = self
            .urls
            .returns()
            .resolve(visitor.query("return_to").as_deref(), &self.urls.after(FlowKind::Login, None))?;
        let requested_aal = requested_aal(visitor)?;
        let identity_schema = self.schemas.selectable(visitor.query("identity_schema"))?;
        let challenge = match flow_type {
            FlowType::Browser => self.login_challenge(cx, visitor).await?,
            FlowType::Api => None,
        };
        let current = self.current(cx, visitor).await?;
        let asked_for_refresh = visitor.query("refresh").is_some_and(|value| parse_go_bool(&value) == Some(true));
        let refresh = current.is_some()
            && (asked_for_refresh || challenge.as_ref().is_some_and(|challenge| !challenge.request.skip));

        match &current {
            None if requested_aal > Aal::Aal1 => return Err(BeginError::FirstFactorRequired),
            Some(current) if !refresh && requested_aal <= current.session.aal => {
                if let Some(challenge) = challenge.as_ref().filter(|challenge| challenge.is_for(current)) {
                    let url = self.skip_login(cx, &challenge.to_flow(), current).await?;
                    return Ok(Answer::new(flow_type, Content::Elsewhere { url }));
                }
                return self.answer_signed_in(visitor, flow_type, current, &return_to);
            }
            None | Some(_) => {}
        }

        let browser = self.browser(visitor);
        if current.is_none()
            && let Some(flow) = self.begin_unstored::<Login>(cx, visitor, flow_type)?
        {
            return Ok(self.begun(&flow, &browser));
        }
        let details = Login {
            requested_aal,
            refresh,
            identity_schema,
            oauth2: challenge.as_ref().map(Challenge::to_flow),
            expected_identity: current.as_ref().map(|current| current.session.identity_id),
            code_identifier: None,
        };
        let mut flow = Flow::begin(&self.beginning::<Login>(visitor, &browser, flow_type), details, &self.rng, cx.now);
        if let Some(challenge) = challenge.as_ref().filter(|_| self.flow_policy.overrides_return_to()) {
            flow.return_to = Some(challenge.request.request_url.clone());
        }
        let offered = self.login_form(&mut flow, current.as_ref())?;
        self.store_flow(cx, &flow).await?;
        if let [only] = offered.as_slice()
            && requested_aal > Aal::Aal1
        {
            let caller = visitor.login_caller(cx, current.as_ref(), requested_aal);
            self.begin_second_factor(cx, &caller, &mut flow, current.as_ref(), *only).await?;
        }
        Ok(self.begun(&flow, &browser))
    }

    /// The answer to a signed-in user. One who stopped at the second factor continues there: an application refuses the session, and
    /// would send its user here again.
    fn answer_signed_in(
        &self,
        visitor: &Visitor,
        flow_type: FlowType,
        current: &Current,
        return_to: &Url,
    ) -> Result<Answer, BeginError> {
        let to_browser = flow_type == FlowType::Browser && visitor.wants_strictly == Wants::Html;
        if !current.meets(self.session_policy.whoami_required_aal()) {
            let redirect_browser_to = self.urls.second_factor(visitor.query("return_to"));
            return if to_browser {
                Ok(Answer::redirect(redirect_browser_to))
            } else {
                Err(SecondFactorRequired { redirect_browser_to }.into())
            };
        }
        if to_browser { Ok(Answer::redirect(return_to.as_str())) } else { Err(BeginError::SessionAlreadyAvailable) }
    }

    /// The only available method may begin at once.
    async fn begin_second_factor(
        &self,
        cx: &Context,
        caller: &Caller,
        flow: &mut Flow<Login>,
        current: Option<&Current>,
        only: &dyn Method,
    ) -> Result<(), BeginError> {
        let submission = &Submission::default();
        match only.login_at_once(LoginStep { service: self, cx, caller, flow, current, submission }).await {
            Err(StepError::Submit(error)) => Err(error.into()),
            // The form is unchanged, and the user can continue in it.
            Ok(_) | Err(StepError::Invalid(_) | StepError::Limited { .. }) => Ok(()),
        }
    }

    /// The flow, for the browser that began it.
    pub(crate) async fn fetch_login(&self, cx: &Context, visitor: &Visitor) -> Result<FlowView, FetchError> {
        let flow = self.fetched_flow::<Login>(cx, visitor).await?;
        let browser = self.browser(visitor);
        visitor.may_see(&flow, &browser)?;
        if flow.is_expired(cx.now) {
            return Err(self.expired(cx, &flow).into());
        }
        Ok(self.view(&flow, &browser))
    }

    /// Fills the form with the methods that can complete this flow, and returns them.
    pub(super) fn login_form(
        &self,
        flow: &mut Flow<Login>,
        current: Option<&Current>,
    ) -> Result<Vec<&'static dyn Method>, FormUnavailable> {
        flow.ui.nodes.clear();
        flow.ui.nodes.upsert(Node::csrf());
        let asks_for_second = flow.details.requested_aal > Aal::Aal1;
        let mut offered = Vec::new();
        match current {
            Some(current) if asks_for_second || flow.details.refresh => {
                let message =
                    if asks_for_second { messages::complete_second_factor() } else { messages::confirm_it_is_you() };
                flow.ui.messages.push(message);
                let person = &current.identity;
                let form = if asks_for_second { LoginForm::SecondFactor(person) } else { LoginForm::Refresh(person) };
                offered = self.offer_login(&form, flow);
            }
            Some(_) | None if asks_for_second => {}
            Some(_) | None if self.flow_policy.signs_in_identifier_first() => {
                let label = self.identifier_label(flow)?;
                methods::identifier_first::identification_form(&mut flow.ui, label);
            }
            Some(_) | None => {
                let label = self.identifier_label(flow)?;
                methods::identifier_input(&mut flow.ui, label);
                offered = self.offer_login(&LoginForm::FirstFactor, flow);
            }
        }
        let asks_for_identifier = current.is_none() && !asks_for_second;
        if let Some(hint) =
            flow.details.oauth2.as_ref().and_then(OAuth2Request::login_hint).filter(|_| asks_for_identifier)
        {
            flow.ui.set_value("identifier", hint.into());
        }
        flow.ui.nodes.sort(&NodeOrder::login());
        Ok(offered)
    }

    fn offer_login(&self, form: &LoginForm<'_>, flow: &mut Flow<Login>) -> Vec<&'static dyn Method> {
        methods::ALL.iter().copied().filter(|method| method.offer_login(self, form, &mut flow.ui)).collect()
    }

    fn identifier_label(&self, flow: &Flow<Login>) -> Result<Message, FormUnavailable> {
        let schema = self.schemas.by_id(flow.details.identity_schema.as_deref())?;
        Ok(methods::identifier_label(&schema))
    }
}

fn requested_aal(visitor: &Visitor) -> Result<Aal, BeginError> {
    match visitor.query("aal") {
        None => Ok(Aal::Aal1),
        Some(text) => match Aal::parse(&text.to_ascii_lowercase()) {
            Some(level @ (Aal::Aal1 | Aal::Aal2)) => Ok(level),
            Some(Aal::Aal0) | None => Err(BeginError::UnknownAal(text)),
        },
    }
}
