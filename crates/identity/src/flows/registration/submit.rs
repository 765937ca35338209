//! A submission to a registration: the traits, a step back, or a credential that completes it.

use base::Context;
use serde_json::Value;

use crate::Identity;
use crate::domain::CredentialType;
use crate::domain::code::CodePurpose;
use crate::domain::flow::{Details as _, Flow, FlowKind, FlowState, OAuth2Request, Registration};
use crate::domain::message::{self, registration as messages};
use crate::domain::registration::{Action, Direction, Submitted, act_on};
use crate::domain::traits_schema::TraitsSchema;
use crate::domain::ui_node::{InputKind, NodeOrder};
use crate::flows::answer::FormReason;
use crate::flows::answer::{Answer, Failure};
use crate::flows::errors::{FlowDisabled, StepError, SubmitError};
use crate::flows::forms::trait_messages;
use crate::flows::refusal::Refusal;
use crate::flows::submission::{RawSubmission, Submission};
use crate::flows::trait_nodes;
use crate::flows::visitor::{Browser, Visitor};
use crate::methods;
use crate::storage;

use super::step::{RegistrationStep, Step};

impl Identity {
    pub async fn submit_registration(
        &self,
        cx: &Context,
        visitor: &Visitor,
        body: RawSubmission,
    ) -> Result<Answer, Failure> {
        if !self.flow_policy.is_enabled(FlowKind::Registration) {
            return Err(FlowDisabled(Registration::KIND).into());
        }
        let flow = self.submitted_flow::<Registration>(cx, visitor).await?;
        let flow_type = flow.flow_type;
        self.continue_registration(cx, visitor, flow, body).await.map_err(Failure::of(flow_type))
    }

    async fn continue_registration(
        &self,
        cx: &Context,
        visitor: &Visitor,
        mut flow: Flow<Registration>,
        body: RawSubmission,
    ) -> Result<Answer, SubmitError> {
        let schema = self.registration_schema(&flow)?;
        let submission = match body.decode(&trait_nodes::field_rules(&schema)) {
            Ok(submission) => submission,
            Err(error) => return self.refuse_unreadable(cx, visitor, &mut flow, &error).await,
        };
        let browser = self.browser(visitor);
        let method = methods::ALL.iter().find(|method| method.takes_registration(&submission));
        let forgery = visitor.may_submit(&flow, &browser, &submission).err();
        let action = act_on(&Submitted {
            flow_type: flow.flow_type,
            wants: visitor.wants,
            has_session: self.current(cx, visitor).await?.is_some(),
            requests_new_account: flow.details.oauth2.as_ref().is_some_and(OAuth2Request::asks_for_registration),
            is_expired: flow.is_expired(cx.now),
            is_genuine: forgery.is_none(),
            has_two_steps: self.flow_policy.registers_in_two_steps(),
            traits: direction_of(&submission),
            has_method: method.is_some(),
        });
        let step = match (action, method) {
            (Action::SessionExists { redirects: true }, _) => {
                return Ok(Answer::redirect(self.urls.returns().default_url().as_str()));
            }
            (Action::SessionExists { redirects: false }, _) => return Err(SubmitError::SessionAlreadyAvailable),
            (Action::Renew, _) => return self.renew_registration(cx, visitor, &browser, &flow).await,
            (Action::Forged, _) => {
                return Err(forgery.map_or(SubmitError::Broken("a forgery without a violation"), Into::into));
            }
            (Action::Traits(direction), _) => {
                self.register_profile(cx, &mut flow, &schema, &submission, direction).await
            }
            (Action::Credential, Some(method)) => {
                let caller = visitor.caller(cx, None);
                let (flow, schema, submission) = (&mut flow, &*schema, &submission);
                method.register(RegistrationStep { service: self, cx, caller: &caller, flow, schema, submission }).await
            }
            (Action::Credential | Action::NoMethod, _) => {
                Err(StepError::general(message::flow::no_registration_strategy()))
            }
        };
        let result = match step {
            Ok(Step::Complete(registrant)) => {
                self.complete_registration(cx, visitor, &browser, &flow, *registrant).await
            }
            Ok(Step::Form) => return Ok(self.form(&flow, &browser, FormReason::Invalid)),
            Err(error) => Err(error),
        };
        match result {
            Ok(answer) => Ok(answer),
            Err(error) => self.refuse_registration(cx, flow, &browser, error.try_into()?).await,
        }
    }

    async fn refuse_registration(
        &self,
        cx: &Context,
        mut flow: Flow<Registration>,
        browser: &Browser,
        refusal: Refusal,
    ) -> Result<Answer, SubmitError> {
        // A hidden field with an error becomes visible, so that the user can correct it.
        let schema = self.registration_schema(&flow)?;
        let say = |refusal: &Refusal, flow: &mut Flow<Registration>| {
            for visible in trait_nodes::nodes(&schema, crate::domain::ui_node::Group::Default, &Value::Null) {
                let name = visible.name().to_owned();
                if refusal.concerns(&name)
                    && let Some(input) = flow.ui.nodes.find_mut(&name).and_then(|node| node.as_input_mut())
                    && input.kind == InputKind::Hidden
                {
                    input.kind = visible.as_input().map_or(InputKind::Text, |input| input.kind);
                }
            }
            refusal.show_in(flow);
            flow.ui.nodes.sort(&NodeOrder::registration(&trait_nodes::names(&schema), methods::node_order()));
        };
        let reason = self.refuse_with(cx, &mut flow, browser, refusal, say).await?;
        Ok(self.form(&flow, browser, reason))
    }

    async fn renew_registration(
        &self,
        cx: &Context,
        visitor: &Visitor,
        browser: &Browser,
        expired: &Flow<Registration>,
    ) -> Result<Answer, SubmitError> {
        let details = Registration { code_traits: None, ..expired.details.clone() };
        let mut flow = self.begin_again(cx, visitor, browser, expired, details);
        self.registration_form(&mut flow, &Value::Null)?;
        self.replace_expired(cx, visitor, expired, flow).await
    }

    /// Handles a submission of the traits alone: shows the choice of a credential, or goes back to the first form.
    async fn register_profile(
        &self,
        cx: &Context,
        flow: &mut Flow<Registration>,
        schema: &TraitsSchema,
        submission: &Submission,
        direction: Direction,
    ) -> Result<Step, StepError> {
        flow.submitted_method = Some(CredentialType::Profile);
        flow.transient_payload = submission.transient_payload();
        flow.active = None;
        let mut traits = submission.traits();
        if direction == Direction::Back {
            self.registration_form(flow, &traits)?;
            flow.ui.clear_messages();
        } else {
            flow.fill_in_traits(&traits);
            schema.validate(&mut traits).map_err(|errors| StepError::Invalid(trait_messages(&errors)))?;
            self.credential_selection_form(flow, &traits)?;
            flow.ui.clear_messages();
            flow.ui.messages.push(messages::choose_credential());
        }
        flow.state = FlowState::ChooseMethod;
        flow.details.code_traits = None;
        let mut tx = self.database.write(cx.tenant).await?;
        // Codes that were sent for other traits are invalid now.
        storage::codes::delete_open(&mut tx, flow.id, CodePurpose::Registration).await?;
        storage::flows::update(&mut tx, flow).await?;
        tx.commit().await?;
        Ok(Step::Form)
    }
}

/// The direction of a submission of the traits alone, in a registration of two steps; `None` for any other submission.
fn direction_of(submission: &Submission) -> Option<Direction> {
    match (submission.text("screen"), submission.method()) {
        (Some("previous"), _) | (_, Some("profile:back")) => Some(Direction::Back),
        (Some(_), _) | (_, Some("profile")) => Some(Direction::Forward),
        (None, _) => None,
    }
}
