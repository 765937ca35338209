//! A submission to a login flow.

use base::Context;

use crate::Identity;
use crate::domain::client_kind::Wants;
use crate::domain::flow::{Flow, FlowKind, FlowState, Login};
use crate::domain::form::FieldRules;
use crate::domain::message;
use crate::domain::ui_node::NodeOrder;
use crate::domain::{Aal, CredentialType};
use crate::flows::answer::FormReason;
use crate::flows::answer::{Answer, Failure};
use crate::flows::errors::{StepError, SubmitError};
use crate::flows::refusal::Refusal;
use crate::flows::submission::{RawSubmission, Submission};
use crate::flows::visitor::{Browser, Visitor};
use crate::methods::{self, code::nodes as code_nodes};

use super::complete::Completion;
use super::step::{LoginStep, Step};

impl Identity {
    pub async fn submit_login(&self, cx: &Context, visitor: &Visitor, body: RawSubmission) -> Result<Answer, Failure> {
        let mut flow = self.submitted_flow::<Login>(cx, visitor).await?;
        let failed = Failure::of(flow.flow_type);
        match body.decode(&FieldRules::new()) {
            Ok(submission) => self.continue_login(cx, visitor, flow, &submission).await,
            Err(error) => self.refuse_unreadable(cx, visitor, &mut flow, &error).await,
        }
        .map_err(failed)
    }

    async fn continue_login(
        &self,
        cx: &Context,
        visitor: &Visitor,
        mut flow: Flow<Login>,
        submission: &Submission,
    ) -> Result<Answer, SubmitError> {
        let browser = self.browser(visitor);
        if flow.is_expired(cx.now) {
            return self.renew_login(cx, visitor, &browser, &flow).await;
        }
        let start = self.sessions.start_reading();
        let current = self.current(cx, visitor).await?;
        match &current {
            Some(current) if !flow.details.refresh && flow.details.requested_aal <= current.session.aal => {
                if flow.is_browser() && visitor.wants == Wants::Html {
                    return Ok(Answer::redirect(self.urls.returns().default_url().as_str()));
                }
                let refusal = Refusal::general(message::validation::signed_in_already());
                return self.refuse_login(cx, &mut flow, &browser, refusal).await;
            }
            None if flow.details.requested_aal > Aal::Aal1 => return Err(SubmitError::FirstFactorRequired),
            None | Some(_) => {}
        }
        visitor.may_submit(&flow, &browser, submission)?;

        let caller = visitor.login_caller(cx, current.as_ref(), flow.details.requested_aal);
        let method = methods::ALL.iter().find(|method| method.takes_login(submission));
        let step = match method {
            Some(method) => {
                let (flow, current) = (&mut flow, current.as_ref());
                method.login(LoginStep { service: self, cx, caller: &caller, flow, current, submission }).await
            }
            None => Err(StepError::general(message::flow::no_login_strategy())),
        };
        let step = match step {
            Ok(Step::Proved(mut proof)) => {
                proof.effects.transient_payload = submission.transient_payload();
                let (caller, browser, flow) = (&caller, &browser, &flow);
                self.complete_login(cx, Completion { visitor, caller, browser, flow, current, start }, *proof).await
            }
            Ok(Step::Form) => return Ok(self.form(&flow, &browser, FormReason::Invalid)),
            Err(error) => Err(error),
        };
        match step {
            Ok(answer) => Ok(answer),
            Err(error) => self.refuse_login(cx, &mut flow, &browser, error.try_into()?).await,
        }
    }

    /// Returns the form with the errors, in the node order of a rejected form.
    async fn refuse_login(
        &self,
        cx: &Context,
        flow: &mut Flow<Login>,
        browser: &Browser,
        refusal: Refusal,
    ) -> Result<Answer, SubmitError> {
        let apply = |refusal: &Refusal, flow: &mut Flow<Login>| {
            if let (FlowState::SentEmail, Some(identifier)) = (flow.state, &flow.details.code_identifier) {
                code_nodes::login_refused_form(&mut flow.ui, identifier);
            }
            refusal.show_in(flow);
            flow.ui.nodes.sort(&NodeOrder::login());
        };
        let reason = self.refuse_with(cx, flow, browser, refusal, apply).await?;
        Ok(self.form(flow, browser, reason))
    }

    /// Replaces an expired flow with a new one.
    async fn renew_login(
        &self,
        cx: &Context,
        visitor: &Visitor,
        browser: &Browser,
        expired: &Flow<Login>,
    ) -> Result<Answer, SubmitError> {
        let current = self.current(cx, visitor).await?;
        let refresh = expired.details.refresh && current.is_some();
        let details = Login { refresh, code_identifier: None, ..expired.details.clone() };
        let mut flow = self.begin_again(cx, visitor, browser, expired, details);
        self.login_form(&mut flow, current.as_ref())?;
        self.replace_expired(cx, visitor, expired, flow).await
    }

    /// Where the flow ends by default.
    pub(super) fn login_return_to(&self, flow: &Flow<Login>, method: CredentialType) -> Result<url::Url, SubmitError> {
        let fallback = self.urls.after(FlowKind::Login, Some(method));
        if flow.details.oauth2.is_some() && flow.return_to.is_some() {
            // The URL that the authorization server requested.
            return Ok(flow.return_to.as_deref().and_then(|url| url.parse().ok()).unwrap_or(fallback));
        }
        Ok(self.urls.returns().resolve(flow.wanted_return_to().as_deref(), &fallback)?)
    }
}
