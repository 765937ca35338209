//! One submission to a registration: the input and output of a sign-in method.

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

/// The input of a method.
pub(crate) struct RegistrationStep<'a> {
    pub service: &'a Identity,
    pub cx: &'a Context,
    pub caller: &'a Caller,
    pub flow: &'a mut Flow<Registration>,
    pub schema: &'a TraitsSchema,
    pub submission: &'a Submission,
}

/// The output of a method.
pub(crate) enum Step {
    Complete(Box<Registrant>),
    /// The form has changed and was stored; the flow waits for the next submission.
    Form,
}

/// A registrant who submitted everything that an account needs.
pub(crate) struct Registrant {
    pub identity: domain::Identity,
    pub method: AuthenticationMethod,
    pub redeem_code: Option<CodeId>,
    /// The payload of the submission, for message templates.
    pub transient_payload: Option<Value>,
}

impl Identity {
    /// A new identity with these traits, and the addresses and identifiers derived from them.
    pub(crate) fn registrant(
        &self,
        cx: &Context,
        schema: &TraitsSchema,
        mut traits: Value,
    ) -> Result<(domain::Identity, Derived), StepError> {
        let derived = schema.validate(&mut traits).map_err(|errors| StepError::Invalid(trait_messages(&errors)))?;
        let mut identity = domain::Identity::new(IdentityId::generate(&self.rng), schema.id(), traits, cx.now);
        identity.apply_derived(&derived, &self.rng, cx.now);
        Ok((identity, derived))
    }
}

impl Flow<Registration> {
    /// Fills the form with the submitted traits.
    pub(crate) fn fill_in_traits(&mut self, traits: &Value) {
        for (name, value) in crate::domain::form::leaves("traits", traits) {
            self.ui.set_value(&name, value);
        }
    }
}
