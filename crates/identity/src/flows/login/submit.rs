//! A submission to a login flow: one proof.

use base::Context;
use database::WriteTx;
use serde_json::Value;

use crate::Identity;
use crate::domain::client_kind::Wants;
use crate::domain::code::CodeId;
use crate::domain::flow::{Flow, FlowKind, FlowState, Login};
use crate::domain::form::FieldRules;
use crate::domain::message::{self, Message};
use crate::domain::session::AuthenticationMethod;
use crate::domain::ui_node::NodeOrder;
use crate::domain::{self, Aal, Credential, CredentialType, Via};
use crate::flows::answer::{Answer, Failure};
use crate::flows::attempts::{Caller, FamiliarClients};
use crate::flows::error::{FlowError, SubmitError};
use crate::flows::refusal::Refusal;
use crate::flows::submission::{RawSubmission, Submission};
use crate::flows::visitor::{Browser, Visitor};
use crate::storage;
use crate::strategies::code;

/// What a method made of a submission.
pub(super) enum Step {
    Proved(Box<Proof>),
    /// The form has changed, was stored, and waits for the next submission.
    Form,
}

/// Somebody proved to be this person.
pub(super) struct Proof {
    pub identity: domain::Identity,
    pub method: AuthenticationMethod,
    pub effects: Effects,
}

/// What is to be written because of a proof, in the transaction that issues the session.
#[derive(Default)]
pub(super) struct Effects {
    /// The password's credential with a hash under today's parameters.
    pub rehashed: Option<Credential>,
    pub redeem_code: Option<CodeId>,
    pub verified: Option<(Via, String)>,
    /// What the person is familiar with already.
    pub familiar: FamiliarClients,
    /// What the submission gave for the messages that follow.
    pub transient_payload: Option<Value>,
}

/// What became of the effects of a proof.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// The code was redeemed by another request meanwhile: nothing may be committed.
    CodeUsed,
    /// `proved_address` when the address of the code was proved for the first time.
    Done { proved_address: bool },
}

impl Effects {
    pub(super) async fn write(
        &self,
        identity: &Identity,
        cx: &Context,
        tx: &mut WriteTx,
        person: domain::IdentityId,
    ) -> Result<Written, database::Error> {
        if let Some(code) = self.redeem_code
            && !storage::codes::redeem(tx, code, cx.now).await?
        {
            return Ok(Written::CodeUsed);
        }
        let mut proved_address = false;
        if let Some(credential) = &self.rehashed {
            // `false` when the credential was deleted meanwhile: there is no hash to replace.
            let _is_written = storage::credentials::update_config(tx, identity.vault(cx), person, credential).await?;
        }
        if let Some((via, address)) = &self.verified {
            let found = storage::identities::find_verifiable(tx, *via, address).await?;
            if let Some((address, _)) = found.filter(|(address, owner)| *owner == person && !address.verified) {
                proved_address = storage::identities::mark_verified(tx, address.id, cx.now).await?;
            }
        }
        Ok(Written::Done { proved_address })
    }
}

/// The methods that a submission can name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Password,
    Code,
    IdentifierFirst,
    /// Known to the contract, but not offered here.
    Absent,
    None,
}

impl Method {
    fn of(submission: &Submission) -> Self {
        match submission.method() {
            Some("password") => Self::Password,
            Some("code") => Self::Code,
            Some("identifier_first") => Self::IdentifierFirst,
            Some("oidc" | "saml" | "totp" | "lookup_secret" | "webauthn" | "passkey" | "link" | "profile") => {
                Self::Absent
            }
            None if submission.text("provider").is_some() => Self::Absent,
            None if submission.text("address").is_some() || submission.text("resend") == Some("code") => Self::Code,
            None if submission.text("identifier").is_some() && submission.text("password").is_none() => {
                Self::IdentifierFirst
            }
            None | Some(_) => Self::None,
        }
    }
}

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
    ) -> Result<Answer, FlowError> {
        let browser = self.browser(visitor);
        if flow.is_expired(cx.now) {
            return self.renew_login(cx, visitor, &browser, &flow).await;
        }
        let current = self.current(cx, visitor).await?;
        match &current {
            Some(current) if !flow.details.refresh && flow.details.requested_aal <= current.session.aal => {
                if flow.is_browser() && visitor.wants == Wants::Html {
                    return Ok(Answer::redirect(self.return_urls().default_url().as_str()));
                }
                let refusal = Refusal::general(message::validation::signed_in_already());
                return self.refuse_login(cx, &mut flow, &browser, refusal).await;
            }
            None if flow.details.requested_aal > Aal::Aal1 => return Err(FlowError::SessionAal1Required),
            None | Some(_) => {}
        }
        visitor.may_submit(&flow, &browser, submission)?;

        let caller = Caller::of_login(cx, visitor, current.as_ref(), flow.details.requested_aal);
        let method = Method::of(submission);
        let step = match method {
            Method::Password => self.login_by_password(cx, &caller, &mut flow, submission).await,
            Method::Code => self.login_by_code(cx, &caller, &mut flow, current.as_ref(), submission).await,
            Method::IdentifierFirst => self.login_identifier_first(cx, &caller, &mut flow, submission).await,
            Method::Absent => Err(FlowError::MethodDisabled.into()),
            Method::None => Err(SubmitError::general(message::flow::no_login_strategy())),
        };
        let step = match step {
            Ok(Step::Proved(mut proof)) => {
                proof.effects.transient_payload = submission.transient_payload();
                self.complete_login(cx, visitor, &caller, &browser, &flow, current, *proof).await
            }
            Ok(Step::Form) => return Ok(self.form(&flow, &browser, 400)),
            Err(error) => Err(error),
        };
        match step {
            Ok(answer) => Ok(answer),
            Err(error) => self.refuse_login(cx, &mut flow, &browser, error.try_into()?).await,
        }
    }

    /// Shows the form with what is wrong, in the order that a refused form has.
    async fn refuse_login(
        &self,
        cx: &Context,
        flow: &mut Flow<Login>,
        browser: &Browser,
        refusal: Refusal,
    ) -> Result<Answer, FlowError> {
        let say = |refusal: &Refusal, flow: &mut Flow<Login>| {
            if let (FlowState::SentEmail, Some(identifier)) = (flow.state, &flow.details.code_identifier) {
                code::login_refused_form(&mut flow.ui, identifier);
            }
            refusal.say_in(flow);
            flow.ui.nodes.sort(&NodeOrder::login());
        };
        self.refuse_with(cx, flow, browser, refusal, say).await
    }

    /// Puts a new flow in the place of an expired one.
    async fn renew_login(
        &self,
        cx: &Context,
        visitor: &Visitor,
        browser: &Browser,
        expired: &Flow<Login>,
    ) -> Result<Answer, FlowError> {
        let current = self.current(cx, visitor).await?;
        let refresh = expired.details.refresh && current.is_some();
        let details = Login { refresh, code_identifier: None, ..expired.details.clone() };
        let mut flow = self.begin_again(cx, visitor, browser, expired, details);
        self.login_form(cx, &mut flow, current.as_ref()).await?;
        self.put_in_place_of(cx, visitor, expired, flow).await
    }

    /// The method that a strategy answers for, when it is enabled and fits the level that is asked for.
    pub(super) fn require_first_factor(flow: &Flow<Login>, enabled: bool) -> Result<(), SubmitError> {
        if !enabled {
            return Err(FlowError::MethodDisabled.into());
        }
        if flow.details.requested_aal > Aal::Aal1 {
            return Err(SubmitError::general(message::flow::no_login_strategy()));
        }
        Ok(())
    }

    /// Where the flow ends unless it says otherwise.
    pub(super) fn login_return_to(&self, flow: &Flow<Login>, method: CredentialType) -> Result<url::Url, FlowError> {
        let fallback = self.after_url(FlowKind::Login, Some(method));
        if flow.details.oauth2.is_some() && flow.return_to.is_some() {
            // What the authorization server asked for itself.
            return Ok(flow.return_to.as_deref().and_then(|url| url.parse().ok()).unwrap_or(fallback));
        }
        Ok(self.return_urls().resolve(flow.wanted_return_to().as_deref(), &fallback)?)
    }
}

/// The complaint about a member that is missing.
pub(super) fn missing(name: &str) -> SubmitError {
    let message: Message = message::validation::missing(name);
    SubmitError::at(name, message)
}
