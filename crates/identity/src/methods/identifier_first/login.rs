//! The identifier step of a login.

use base::Context;

use crate::Identity;
use crate::domain::identifier::normalize;
use crate::domain::message::validation;
use crate::domain::{CredentialType, Credentials};
use crate::flows::errors::StepError;
use crate::flows::login::step::{LoginStep, Step, missing};
use crate::methods::{self, LoginForm, Method};
use crate::storage;

use super::nodes;

pub(super) async fn login(step: LoginStep<'_>) -> Result<Step, StepError> {
    let (service, cx) = (step.service, step.cx);
    step.require_first_factor(service.flow_policy.signs_in_identifier_first())?;
    let identifier = step.submission.text("identifier").ok_or_else(|| missing("identifier"))?.to_owned();
    let flow = &mut *step.flow;
    flow.submitted_method = Some(CredentialType::IdentifierFirst);
    flow.ui.set_value("identifier", identifier.clone().into());

    let known =
        if service.flow_policy.hides_accounts() { None } else { Some(credentials_of(service, cx, &identifier).await?) };
    let form = LoginForm::Named(known.as_ref());
    let mut ui = flow.ui.clone();
    ui.clear_messages();
    nodes::keep_identifier(&mut ui, &identifier);
    let mut offered: Vec<&dyn Method> = Vec::new();
    offered.extend(methods::ALL.iter().filter(|method| method.offer_login(service, &form, &mut ui)));
    if offered.is_empty() {
        service.attempts.count_taken(cx).await?;
        return Err(StepError::at("identifier", validation::no_such_account()));
    }
    flow.active = Some(CredentialType::IdentifierFirst);
    flow.ui = ui;
    // A single method leaves no choice. With hidden accounts, this applies to every identifier.
    if let [only] = offered.as_slice()
        && only.login_at_once(LoginStep { flow: &mut *step.flow, ..step }).await?
    {
        return Ok(Step::Form);
    }
    let mut tx = service.database.write(cx.tenant).await?;
    storage::flows::update(&mut tx, step.flow).await?;
    tx.commit().await?;
    Ok(Step::Form)
}

/// The credentials of the identifier's owner, of the kinds whose identifiers users enter.
async fn credentials_of(service: &Identity, cx: &Context, identifier: &str) -> Result<Credentials, database::Error> {
    let mut tx = service.database.read(cx.tenant);
    for kind in [CredentialType::Password, CredentialType::Code] {
        let normalized = normalize(kind, identifier);
        let found =
            storage::identities::find_by_identifier(&mut tx, service.tenant_sealer(cx), kind, &normalized).await?;
        if let Some(identity) = found {
            return Ok(identity.credentials);
        }
    }
    Ok(Credentials::new())
}
