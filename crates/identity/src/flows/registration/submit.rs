//! A submission to a registration: the traits, a step back, or a credential that completes it.

use base::{Context, Secret};
use serde_json::Value;

use crate::Identity;
use crate::domain::client_kind::Wants;
use crate::domain::code::CodePurpose;
use crate::domain::flow::{Details as _, Flow, FlowState, OAuth2Request, Registration, Sent};
use crate::domain::message::{self, registration as messages, validation};
use crate::domain::session::AuthenticationMethod;
use crate::domain::traits_schema::{Derived, TraitsSchema};
use crate::domain::ui_node::{InputKind, NodeOrder};
use crate::domain::{self, Aal, CredentialType, IdentityId};
use crate::flows::answer::{Answer, Failure};
use crate::flows::attempts::Caller;
use crate::flows::codes::{Judged, Recipient};
use crate::flows::error::{FlowError, SubmitError};
use crate::flows::forms::trait_complaints;
use crate::flows::refusal::Refusal;
use crate::flows::submission::{RawSubmission, Submission};
use crate::flows::visitor::{Browser, Visitor};
use crate::storage;
use crate::strategies::{code, profile};

use super::complete::Newcomer;

/// What a submission came to.
enum Step {
    Complete(Box<Newcomer>),
    Form,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Profile,
    Password,
    Code,
    Absent,
    None,
}

impl Method {
    fn of(submission: &Submission, is_two_step: bool) -> Self {
        let screen = submission.text("screen").filter(|_| is_two_step);
        match (screen, submission.method()) {
            // The way back from the code to the choice of a credential carries the code's method along.
            (Some(_), _) => Self::Profile,
            (None, Some("profile" | "profile:back")) if is_two_step => Self::Profile,
            (None, Some("password")) => Self::Password,
            (None, Some("code")) => Self::Code,
            (None, Some("oidc" | "saml" | "webauthn" | "passkey")) => Self::Absent,
            (None, None) if submission.text("provider").is_some() => Self::Absent,
            (None, None | Some(_)) => Self::None,
        }
    }
}

impl Identity {
    pub async fn submit_registration(
        &self,
        cx: &Context,
        visitor: &Visitor,
        body: RawSubmission,
    ) -> Result<Answer, Failure> {
        if !self.registration_enabled() {
            return Err(FlowError::Disabled { kind: Registration::KIND }.into());
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
    ) -> Result<Answer, FlowError> {
        let schema = self.registration_schema(&flow)?;
        let submission = match body.decode(&profile::field_rules(&schema)) {
            Ok(submission) => submission,
            Err(error) => return self.refuse_unreadable(cx, visitor, &mut flow, &error).await,
        };
        let browser = self.browser(visitor);
        let wants_new_account = flow.details.oauth2.as_ref().is_some_and(OAuth2Request::asks_for_registration);
        if !wants_new_account && self.current(cx, visitor).await?.is_some() {
            let to_browser = flow.is_browser() && visitor.wants == Wants::Html;
            let home = self.return_urls().default_url().as_str();
            return if to_browser { Ok(Answer::redirect(home)) } else { Err(FlowError::SessionAlreadyAvailable) };
        }
        if flow.is_expired(cx.now) {
            return self.renew_registration(cx, visitor, &browser, &flow).await;
        }
        visitor.may_submit(&flow, &browser, &submission)?;

        let caller = Caller::of(cx, visitor, None);
        let step = match Method::of(&submission, self.methods().two_step_registration) {
            Method::Profile => self.register_profile(cx, &mut flow, &schema, &submission).await,
            Method::Password => self.register_password(cx, &mut flow, &schema, &submission).await,
            Method::Code => self.register_code(cx, &caller, &mut flow, &schema, &submission).await,
            Method::Absent => Err(FlowError::MethodDisabled.into()),
            Method::None => Err(SubmitError::general(message::flow::no_registration_strategy())),
        };
        let result = match step {
            Ok(Step::Complete(newcomer)) => self.complete_registration(cx, visitor, &browser, &flow, *newcomer).await,
            Ok(Step::Form) => return Ok(self.form(&flow, &browser, 400)),
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
    ) -> Result<Answer, FlowError> {
        // A field that was carried along unseen shows itself when something is wrong with it.
        let schema = self.registration_schema(&flow)?;
        let say = |refusal: &Refusal, flow: &mut Flow<Registration>| {
            for visible in profile::nodes(&schema, crate::domain::ui_node::Group::Default, &Value::Null) {
                let name = visible.name().to_owned();
                if refusal.concerns(&name)
                    && let Some(input) = flow.ui.nodes.find_mut(&name).and_then(|node| node.as_input_mut())
                    && input.kind == InputKind::Hidden
                {
                    input.kind = visible.as_input().map_or(InputKind::Text, |input| input.kind);
                }
            }
            refusal.say_in(flow);
            flow.ui.nodes.sort(&NodeOrder::registration(&profile::names(&schema)));
        };
        self.refuse_with(cx, &mut flow, browser, refusal, say).await
    }

    async fn renew_registration(
        &self,
        cx: &Context,
        visitor: &Visitor,
        browser: &Browser,
        expired: &Flow<Registration>,
    ) -> Result<Answer, FlowError> {
        let details = Registration { code_traits: None, ..expired.details.clone() };
        let mut flow = self.begin_again(cx, visitor, browser, expired, details);
        self.registration_form(&mut flow, &Value::Null)?;
        self.put_in_place_of(cx, visitor, expired, flow).await
    }

    /// The traits alone: on to the choice of a credential, or back from it.
    async fn register_profile(
        &self,
        cx: &Context,
        flow: &mut Flow<Registration>,
        schema: &TraitsSchema,
        submission: &Submission,
    ) -> Result<Step, SubmitError> {
        flow.submitted_method = Some(CredentialType::Profile);
        flow.transient_payload = submission.transient_payload();
        flow.active = None;
        let mut traits = submission.traits();
        let goes_back = submission.text("screen") == Some("previous") || submission.method() == Some("profile:back");
        if goes_back {
            self.registration_form(flow, &traits)?;
            flow.ui.clear_messages();
        } else {
            fill_in(flow, &traits);
            schema.validate(&mut traits).map_err(|errors| SubmitError::Complaints(trait_complaints(&errors)))?;
            self.credential_selection_form(flow, &traits)?;
            flow.ui.clear_messages();
            flow.ui.messages.push(messages::choose_credential());
        }
        flow.state = FlowState::ChooseMethod;
        flow.details.code_traits = None;
        let mut tx = self.database.write(cx.tenant).await?;
        // A code that was sent for other traits confirms nothing any more.
        storage::codes::delete_open(&mut tx, flow.id, CodePurpose::Registration).await?;
        storage::flows::update(&mut tx, flow).await?;
        tx.commit().await?;
        Ok(Step::Form)
    }

    async fn register_password(
        &self,
        cx: &Context,
        flow: &mut Flow<Registration>,
        schema: &TraitsSchema,
        submission: &Submission,
    ) -> Result<Step, SubmitError> {
        if !self.methods().password {
            return Err(FlowError::MethodDisabled.into());
        }
        flow.submitted_method = Some(CredentialType::Password);
        let traits = submission.traits();
        fill_in(flow, &traits);
        let Some(password) = submission.text("password") else {
            return Err(SubmitError::at("password", validation::missing("password")));
        };
        let (mut identity, derived) = self.newcomer(cx, schema, traits)?;
        if derived.password.is_empty() {
            return Err(SubmitError::general(validation::no_identifiers()));
        }
        let password = Secret::new(password.to_owned());
        self.check_new_password(cx, &password, identity.identifiers()).await?;
        let hash = self.hasher.hash(&password).await?;
        let credential = domain::Credential::password(derived.password.clone(), &hash, cx.now);
        identity.credentials.insert(CredentialType::Password, credential);
        let method = AuthenticationMethod::new(CredentialType::Password, Aal::Aal1, cx.now);
        Ok(Step::Complete(Box::new(Newcomer {
            identity,
            method,
            redeem_code: None,
            transient_payload: submission.transient_payload(),
        })))
    }

    async fn register_code(
        &self,
        cx: &Context,
        caller: &Caller,
        flow: &mut Flow<Registration>,
        schema: &TraitsSchema,
        submission: &Submission,
    ) -> Result<Step, SubmitError> {
        if !self.methods().code_sign_in {
            return Err(FlowError::MethodDisabled.into());
        }
        flow.submitted_method = Some(CredentialType::Code);
        flow.transient_payload = submission.transient_payload();
        let traits = submission.traits();
        fill_in(flow, &traits);
        let (mut identity, derived) = self.newcomer(cx, schema, traits)?;
        let resend = submission.text("resend") == Some("code");
        let Some(guess) = submission.text("code").filter(|_| !resend && flow.state == FlowState::SentEmail) else {
            return self.send_registration_code(cx, caller, flow, schema, &identity, &derived, submission).await;
        };
        if flow.details.code_traits.as_deref() != Some(identity.traits_text().as_str()) {
            return Err(SubmitError::general(validation::traits_changed()));
        }
        let named = derived.code.first().map(|(_, address)| address.as_str()).unwrap_or_default();
        let code = match self.judge_code(cx, caller, flow.id, CodePurpose::Registration, named, guess).await? {
            Judged::Right { code, .. } => code,
            Judged::Wrong => return Err(SubmitError::general(message::flow::registration_code_invalid())),
            Judged::Exhausted => return Err(SubmitError::general(validation::code_exhausted())),
        };
        // The code proves the address that it was sent to. It must be the one that these traits sign in with.
        if derived.code.first() != Some(&(code.via, code.address.clone())) {
            return Err(SubmitError::general(validation::traits_changed()));
        }
        for address in &mut identity.verifiable_addresses {
            if address.via == code.via && address.value == code.address {
                address.complete(cx.now);
            }
        }
        let method = AuthenticationMethod::new(CredentialType::Code, Aal::Aal1, cx.now);
        Ok(Step::Complete(Box::new(Newcomer {
            identity,
            method,
            redeem_code: Some(code.id),
            transient_payload: submission.transient_payload(),
        })))
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one step, each from another place")]
    async fn send_registration_code(
        &self,
        cx: &Context,
        caller: &Caller,
        flow: &mut Flow<Registration>,
        schema: &TraitsSchema,
        identity: &domain::Identity,
        derived: &Derived,
        submission: &Submission,
    ) -> Result<Step, SubmitError> {
        let Some((via, address)) = derived.code.first() else {
            return Err(SubmitError::general(validation::no_identifiers()));
        };
        let is_two_step = self.methods().two_step_registration;
        let mut sent = flow.clone();
        sent.ui.clear_messages();
        code::registration_sent_form(&mut sent.ui, profile::hidden_nodes(schema, &identity.traits), is_two_step);
        sent.state = FlowState::SentEmail;
        sent.sent = Some(Sent { to: address.clone(), at: cx.now });
        sent.active = Some(CredentialType::Code);
        sent.details.code_traits = Some(identity.traits_text());
        let extra = serde_json::json!({
            "traits": identity.traits,
            "transient_payload": submission.transient_payload(),
        });
        let mut tx = self.database.write(cx.tenant).await?;
        let recipient = Recipient { person: None, via: *via, address, is_holders: false, caller, is_asked_for: true };
        storage::flows::update(&mut tx, &mut sent).await?;
        self.send_code(&mut tx, cx, CodePurpose::Registration, &sent, &recipient, Some(&extra)).await?;
        tx.commit().await?;
        *flow = sent;
        Ok(Step::Form)
    }

    /// The person that these traits describe, with the addresses and identifiers that follow from them.
    pub(super) fn newcomer(
        &self,
        cx: &Context,
        schema: &TraitsSchema,
        mut traits: Value,
    ) -> Result<(domain::Identity, Derived), SubmitError> {
        let derived =
            schema.validate(&mut traits).map_err(|errors| SubmitError::Complaints(trait_complaints(&errors)))?;
        let mut identity = domain::Identity::new(IdentityId::generate(&self.rng), schema.id(), traits, cx.now);
        identity.follow(&derived, &self.rng, cx.now);
        Ok((identity, derived))
    }
}

/// Keeps what was typed in the form.
fn fill_in(flow: &mut Flow<Registration>, traits: &Value) {
    for (name, value) in crate::domain::form::leaves("traits", traits) {
        flow.ui.set_value(&name, value);
    }
}
