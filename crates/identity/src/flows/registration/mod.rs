//! Registration: takes the traits and a credential, in one step or in two, and creates an identity, with a session if
//! configured.

mod complete;
pub(crate) mod pending;
pub(crate) mod step;
mod submit;

use std::sync::Arc;

use base::Context;
use serde_json::{Map, Value};

use crate::Identity;
use crate::components::schemas::UnknownSchema;
use crate::domain::client_kind::FlowType;
use crate::domain::flow::{Flow, FlowKind, OAuth2Request, Registration, endpoint};
use crate::domain::registration::{Login, Requested, Start, start};
use crate::domain::traits_schema::{InputType, TraitField, TraitsSchema};
use crate::domain::ui_node::{Group, Node, NodeOrder};
use crate::flows::views::FlowView;
use crate::methods;

use super::answer::{Answer, Content};
use super::errors::{BeginError, FetchError, FlowDisabled};
use super::trait_nodes;
use super::visitor::Visitor;

impl Identity {
    pub async fn begin_registration(
        &self,
        cx: &Context,
        visitor: &Visitor,
        flow_type: FlowType,
    ) -> Result<Answer, BeginError> {
        if !self.flow_policy.is_enabled(FlowKind::Registration) {
            return Err(FlowDisabled(FlowKind::Registration).into());
        }
        let fallback = self.urls.after(FlowKind::Registration, None);
        let return_to = self.urls.returns().resolve(visitor.query("return_to").as_deref(), &fallback)?;
        let identity_schema = self.schemas.selectable(visitor.query("identity_schema"))?;
        let challenge = match flow_type {
            FlowType::Browser => self.login_challenge(cx, visitor).await?,
            FlowType::Api => None,
        };
        let oauth2 =
            challenge.as_ref().map(|it| OAuth2Request { challenge: it.challenge.clone(), request: it.wire.clone() });
        let current = self.current(cx, visitor).await?;
        let start = start(&Requested {
            flow_type,
            wants: visitor.wants_strictly,
            has_session: current.is_some(),
            login: challenge.as_ref().zip(oauth2.as_ref()).map(|(challenge, oauth2)| Login {
                is_answered: current.as_ref().is_some_and(|current| challenge.is_for(current)),
                requests_new_account: oauth2.asks_for_registration(),
            }),
        });
        match (start, &oauth2, &current) {
            (Start::Flow, _, _) => {}
            (Start::AcceptLogin, Some(request), Some(current)) => {
                let url = self.skip_login(cx, request, current).await?;
                return Ok(Answer::new(flow_type, Content::Elsewhere { url }));
            }
            (Start::SignIn | Start::AcceptLogin, _, _) => {
                // The client requires a new sign-in.
                let mut url = endpoint(self.urls.public(), "self-service/login/browser");
                url.set_query(visitor.request_url.query());
                return Ok(Answer::redirect(url));
            }
            (Start::SessionExists { redirects: true }, _, _) => return Ok(Answer::redirect(return_to)),
            (Start::SessionExists { redirects: false }, _, _) => return Err(BeginError::SessionAlreadyAvailable),
        }

        let browser = self.browser(visitor);
        if let Some(flow) = self.begin_unstored::<Registration>(cx, visitor, flow_type)? {
            return Ok(self.begun(&flow, &browser));
        }
        let details = Registration { identity_schema, oauth2, code_traits: None };
        let beginning = self.beginning::<Registration>(visitor, &browser, flow_type);
        let mut flow = Flow::begin(&beginning, details, &self.rng, cx.now);
        if let Some(challenge) = challenge.as_ref().filter(|_| self.flow_policy.overrides_return_to()) {
            flow.return_to = Some(challenge.request.request_url.clone());
        }
        self.registration_form(&mut flow, &Value::Object(Map::new()))?;
        self.fill_in_login_hint(&mut flow)?;
        self.store_flow(cx, &flow).await?;
        Ok(self.begun(&flow, &browser))
    }

    pub(crate) async fn fetch_registration(&self, cx: &Context, visitor: &Visitor) -> Result<FlowView, FetchError> {
        if !self.flow_policy.is_enabled(FlowKind::Registration) {
            return Err(FlowDisabled(FlowKind::Registration).into());
        }
        let flow = self.fetched_flow::<Registration>(cx, visitor).await?;
        let browser = self.browser(visitor);
        visitor.may_see(&flow, &browser)?;
        if flow.is_expired(cx.now) {
            return Err(self.expired(cx, &flow).into());
        }
        Ok(self.view(&flow, &browser))
    }

    /// The first form: traits and credentials, or only the traits if the credential is chosen in a second step.
    pub(super) fn registration_form(&self, flow: &mut Flow<Registration>, traits: &Value) -> Result<(), UnknownSchema> {
        let schema = self.registration_schema(flow)?;
        flow.ui.nodes.clear();
        flow.ui.nodes.upsert(Node::csrf());
        for node in trait_nodes::nodes(&schema, Group::Default, traits) {
            flow.ui.nodes.upsert(node);
        }
        if self.flow_policy.registers_in_two_steps() {
            trait_nodes::registration_form(&mut flow.ui);
        } else {
            self.credential_forms(flow);
        }
        flow.ui.nodes.sort(&NodeOrder::registration(&trait_nodes::names(&schema), methods::node_order()));
        Ok(())
    }

    /// Prefills the first identifier field whose type fits the client's `login_hint`.
    fn fill_in_login_hint(&self, flow: &mut Flow<Registration>) -> Result<(), UnknownSchema> {
        let Some(hint) = flow.details.oauth2.as_ref().and_then(OAuth2Request::login_hint).map(str::to_owned) else {
            return Ok(());
        };
        let schema = self.registration_schema(flow)?;
        let fits = |field: &&TraitField| {
            field.extension.is_identifier()
                && match field.input_type {
                    InputType::Email => hint.contains('@'),
                    InputType::Tel => hint.starts_with('+'),
                    InputType::Text => true,
                    _ => false,
                }
        };
        if let Some(field) = schema.fields().iter().find(fits) {
            flow.ui.set_value(&field.name, Value::from(hint));
        }
        Ok(())
    }

    /// The second form: the choice of a credential, with the traits as hidden fields.
    pub(super) fn credential_selection_form(
        &self,
        flow: &mut Flow<Registration>,
        traits: &Value,
    ) -> Result<(), UnknownSchema> {
        let schema = self.registration_schema(flow)?;
        flow.ui.nodes.clear();
        flow.ui.nodes.upsert(Node::csrf());
        for node in trait_nodes::hidden_nodes(&schema, traits) {
            flow.ui.nodes.upsert(node);
        }
        self.credential_forms(flow);
        trait_nodes::back_button(&mut flow.ui);
        flow.ui.nodes.sort(&NodeOrder::registration(&trait_nodes::names(&schema), methods::node_order()));
        Ok(())
    }

    fn credential_forms(&self, flow: &mut Flow<Registration>) {
        for method in methods::ALL {
            method.offer_registration(self, &mut flow.ui);
        }
    }

    pub(super) fn registration_schema(&self, flow: &Flow<Registration>) -> Result<Arc<TraitsSchema>, UnknownSchema> {
        self.schemas.by_id(flow.details.identity_schema.as_deref())
    }
}
