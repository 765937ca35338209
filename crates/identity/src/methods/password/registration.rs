//! Sign-up with a password.

use base::Secret;

use crate::domain::message::validation;
use crate::domain::session::AuthenticationMethod;
use crate::domain::{Aal, Credential, CredentialType};
use crate::flows::errors::{StepError, SubmitError};
use crate::flows::registration::step::{Registrant, RegistrationStep, Step};

pub(super) async fn register(step: RegistrationStep<'_>) -> Result<Step, StepError> {
    let (service, cx, submission) = (step.service, step.cx, step.submission);
    if !service.flow_policy.methods().password.enabled {
        return Err(SubmitError::MethodDisabled.into());
    }
    step.flow.submitted_method = Some(CredentialType::Password);
    let traits = submission.traits();
    step.flow.fill_in_traits(&traits);
    let Some(password) = submission.text("password") else {
        return Err(StepError::at("password", validation::missing("password")));
    };
    let (mut identity, derived) = service.registrant(cx, step.schema, traits)?;
    if derived.password.is_empty() {
        return Err(StepError::general(validation::no_identifiers()));
    }
    let password = Secret::new(password.to_owned());
    service.check_new_password(cx, &password, identity.identifiers()).await?;
    let hash = service.hasher.hash(&password).await?;
    let credential = Credential::password(derived.password, &hash, cx.now);
    identity.credentials.insert(CredentialType::Password, credential);
    let method = AuthenticationMethod::new(CredentialType::Password, Aal::Aal1, cx.now);
    Ok(Step::Complete(Box::new(Registrant {
        identity,
        method,
        redeem_code: None,
        transient_payload: submission.transient_payload(),
    })))
}
