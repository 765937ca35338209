//! Signing in: begun with a form that suits the request, submitted once for each factor, ended with a session.

mod code;
mod complete;
mod identifier_first;
mod password;
mod submit;

pub(crate) use complete::some_if_any;

use base::Context;
use web::config::parse_go_bool;

use crate::Identity;
use crate::domain::client_kind::{FlowType, Wants};
use crate::domain::flow::{Flow, FlowKind, Login, OAuth2Request};
use crate::domain::message::login as messages;
use crate::domain::ui_node::NodeOrder;
use crate::domain::{Aal, CredentialType};
use crate::storage;
use crate::strategies::{self, identifier_first as first, password as password_method};

use super::answer::{Answer, Content, Failure};
use super::attempts::Caller;
use super::current::Current;
use super::error::{FlowError, SubmitError};
use super::oauth2::Challenge;
use super::visitor::Visitor;

impl Identity {
    /// Begins a login flow, or answers what there is to say to somebody who is signed in.
    pub async fn begin_login(&self, cx: &Context, visitor: &Visitor, flow_type: FlowType) -> Result<Answer, Failure> {
        self.begin_login_as(cx, visitor, flow_type).await.map_err(Failure::of(flow_type))
    }

    async fn begin_login_as(&self, cx: &Context, visitor: &Visitor, flow_type: FlowType) -> Result<Answer, FlowError> {
        let return_to = self
            .return_urls()
            .resolve(visitor.query("return_to").as_deref(), &self.after_url(FlowKind::Login, None))?;
        let requested_aal = requested_aal(visitor)?;
        let identity_schema = self.selectable_schema(visitor.query("identity_schema"))?;
        let challenge = match flow_type {
            FlowType::Browser => self.login_challenge(cx, visitor).await?,
            FlowType::Api => None,
        };
        let current = self.current(cx, visitor).await?;
        let asked_for_refresh = visitor.query("refresh").is_some_and(|value| parse_go_bool(&value) == Some(true));
        let refresh = current.is_some()
            && (asked_for_refresh || challenge.as_ref().is_some_and(|challenge| !challenge.request.skip));

        match &current {
            None if requested_aal > Aal::Aal1 => return Err(FlowError::SessionAal1Required),
            Some(current) if !refresh && requested_aal <= current.session.aal => {
                if let Some(challenge) = challenge.as_ref().filter(|challenge| challenge.is_for(current)) {
                    let url = self.skip_login(cx, &challenge.to_flow(), current).await?;
                    return Ok(Answer::new(flow_type, Content::Elsewhere { url }));
                }
                let to_browser = flow_type == FlowType::Browser && visitor.wants_strictly == Wants::Html;
                return if to_browser {
                    Ok(Answer::redirect(return_to))
                } else {
                    Err(FlowError::SessionAlreadyAvailable)
                };
            }
            None | Some(_) => {}
        }

        let browser = self.browser(visitor);
        let details = Login {
            requested_aal,
            refresh,
            identity_schema,
            oauth2: challenge.as_ref().map(Challenge::to_flow),
            expected_identity: current.as_ref().map(|current| current.session.identity_id),
            code_identifier: None,
        };
        let mut flow = Flow::begin(&self.beginning::<Login>(visitor, &browser, flow_type), details, &self.rng, cx.now);
        if let Some(challenge) = challenge.as_ref().filter(|_| self.overrides_return_to()) {
            flow.return_to = Some(challenge.request.request_url.clone());
        }
        self.login_form(cx, &mut flow, current.as_ref()).await?;
        let mut tx = self.database.write(cx.tenant).await?;
        storage::flows::insert(&mut tx, &flow).await?;
        tx.commit().await?;
        let caller = Caller::of_login(cx, visitor, current.as_ref(), requested_aal);
        self.send_only_second_factor(cx, &caller, &mut flow, current.as_ref()).await?;
        Ok(self.begun(&flow, &browser))
    }

    /// With a single address to send a second factor to there is nothing to choose: the code is sent at once.
    async fn send_only_second_factor(
        &self,
        cx: &Context,
        caller: &Caller,
        flow: &mut Flow<Login>,
        current: Option<&Current>,
    ) -> Result<(), FlowError> {
        let Some(current) = current.filter(|_| flow.details.requested_aal > Aal::Aal1) else { return Ok(()) };
        if !self.methods().code_second_factor {
            return Ok(());
        }
        let addresses = self.second_factor_addresses(cx, current).await?;
        let [(_, address)] = addresses.as_slice() else { return Ok(()) };
        match self.send_login_code(cx, caller, flow, address, Some(current), None).await {
            Err(SubmitError::Flow(error)) => Err(*error),
            // After a complaint the form stays as it is: the person can ask for the code herself.
            Ok(()) | Err(SubmitError::Complaints(_) | SubmitError::Limited { .. }) => Ok(()),
        }
    }

    /// The flow as it stands, for the browser that began it.
    pub async fn fetch_login(&self, cx: &Context, visitor: &Visitor) -> Result<serde_json::Value, FlowError> {
        let flow = self.fetched_flow::<Login>(cx, visitor).await?;
        let browser = self.browser(visitor);
        visitor.may_see(&flow, &browser)?;
        if flow.is_expired(cx.now) {
            return Err(self.expired(cx, &flow));
        }
        Ok(flow.to_wire(Some(&browser.secret), &self.rng))
    }

    /// Fills the form with what this flow can be completed by.
    pub(super) async fn login_form(
        &self,
        cx: &Context,
        flow: &mut Flow<Login>,
        current: Option<&Current>,
    ) -> Result<(), FlowError> {
        use crate::domain::ui_node::Node;
        flow.ui.nodes.clear();
        flow.ui.nodes.upsert(Node::csrf());
        let methods = self.methods();
        match current {
            Some(current) if flow.details.requested_aal > Aal::Aal1 => {
                flow.ui.messages.push(messages::complete_second_factor());
                if methods.code_second_factor {
                    let addresses = self.second_factor_addresses(cx, current).await?;
                    strategies::code::second_factor_form(&mut flow.ui, &addresses);
                }
            }
            Some(current) if flow.details.refresh => {
                flow.ui.messages.push(messages::confirm_it_is_you());
                self.refresh_form(cx, flow, current).await?;
            }
            Some(_) | None if flow.details.requested_aal > Aal::Aal1 => {}
            Some(_) | None if methods.identifier_first => {
                let label = self.identifier_label(flow)?;
                first::identification_form(&mut flow.ui, label);
            }
            Some(_) | None => {
                let label = self.identifier_label(flow)?;
                super::forms::identifier_input(&mut flow.ui, label);
                if methods.password {
                    password_method::login_form(&mut flow.ui);
                }
                if methods.code_sign_in {
                    strategies::code::login_form(&mut flow.ui);
                }
            }
        }
        let asks_for_identifier = current.is_none() && flow.details.requested_aal == Aal::Aal1;
        if let Some(hint) =
            flow.details.oauth2.as_ref().and_then(OAuth2Request::login_hint).filter(|_| asks_for_identifier)
        {
            flow.ui.set_value("identifier", hint.into());
        }
        flow.ui.nodes.sort(&NodeOrder::login());
        Ok(())
    }

    /// What somebody who is signed in can prove herself with again.
    async fn refresh_form(&self, cx: &Context, flow: &mut Flow<Login>, current: &Current) -> Result<(), FlowError> {
        let methods = self.methods();
        let mut tx = self.database.read(cx.tenant);
        let person = storage::identities::find_whole(&mut tx, self.vault(cx), current.session.identity_id).await?;
        let credential = |kind| person.as_ref().and_then(|person| person.credential(kind));
        let password = credential(CredentialType::Password).filter(|it| it.password_hash().is_some());
        let code = credential(CredentialType::Code);
        if methods.password
            && let Some(identifier) = password.and_then(|it| it.identifiers.first())
        {
            password_method::refresh_form(&mut flow.ui, identifier);
        }
        if methods.code_sign_in
            && let Some((_, address)) = code.and_then(|it| it.code_addresses().into_iter().next())
        {
            if flow.ui.nodes.find("identifier").is_none() {
                use crate::domain::ui_node::{Group, Node};
                flow.ui.nodes.upsert(Node::hidden(Group::Default, "identifier", address));
            }
            strategies::code::login_form(&mut flow.ui);
        }
        Ok(())
    }

    fn identifier_label(&self, flow: &Flow<Login>) -> Result<crate::domain::message::Message, FlowError> {
        let schema = self.schema_of(flow.details.identity_schema.as_deref())?;
        Ok(strategies::identifier_label(&schema))
    }
}

fn requested_aal(visitor: &Visitor) -> Result<Aal, FlowError> {
    match visitor.query("aal") {
        None => Ok(Aal::Aal1),
        Some(text) => match Aal::parse(&text.to_ascii_lowercase()) {
            Some(level @ (Aal::Aal1 | Aal::Aal2)) => Ok(level),
            Some(Aal::Aal0) | None => Err(FlowError::UnknownAal(text)),
        },
    }
}
