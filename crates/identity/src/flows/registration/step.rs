//! One submission to a registration: what a method is given, and what it answers.

use base::Context;
use serde_json::Value;

use crate::Identity;
use crate::components::attempts::Caller;
use crate::domain::code::CodeId;
use crate::domain::flow::{Flow, Registration};
use crate::domain::session::AuthenticationMethod;
use crate::domain::traits_schema::{Derived, TraitsSchema};
use crate::domain::{self, IdentityId};
use crate::flows::errors::StepError;
use crate::flows::forms::trait_messages;
use crate::flows::submission::Submission;

/// What a method is given.
pub(crate) struct RegistrationStep<'a> {
    pub service: &'a Identity,
    pub cx: &'a Context,
    pub caller: &'a Caller,
    pub flow: &'a mut Flow<Registration>,
    pub schema: &'a TraitsSchema,
    pub submission: &'a Submission,
}

/// What a method made of it.
pub(crate) enum Step {
    Complete(Box<Registrant>),
    /// The form has changed, was stored, and waits for the next submission.
    Form,
}

/// Somebody who has given everything that an account needs.
pub(crate) struct Registrant {
    pub identity: domain::Identity,
    pub method: AuthenticationMethod,
    pub redeem_code: Option<CodeId>,
    /// What the submission gave for the messages that follow.
    pub transient_payload: Option<Value>,
}

impl Identity {
    /// The person that these traits describe, with the addresses and identifiers that follow from them.
    pub(crate) fn registrant(
        &self,
        cx: &Context,
        schema: &TraitsSchema,
        mut traits: Value,
    ) -> Result<(domain::Identity, Derived), StepError> {
        let derived = schema.validate(&mut traits).map_err(|errors| StepError::Invalid(trait_messages(&errors)))?;
        let mut identity = domain::Identity::new(IdentityId::generate(&self.rng), schema.id(), traits, cx.now);
        identity.follow(&derived, &self.rng, cx.now);
        Ok((identity, derived))
    }
}

impl Flow<Registration> {
    /// Keeps what was typed in the form.
    pub(crate) fn fill_in_traits(&mut self, traits: &Value) {
        for (name, value) in crate::domain::form::leaves("traits", traits) {
            self.ui.set_value(&name, value);
        }
    }
}
