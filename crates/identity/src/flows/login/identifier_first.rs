//! Signing in by naming oneself first.

use base::Context;

use crate::Identity;
use crate::domain::flow::{Flow, Login};
use crate::domain::identifier::normalize;
use crate::domain::message::validation;
use crate::domain::{CredentialType, Credentials};
use crate::flows::attempts::Caller;
use crate::flows::error::SubmitError;
use crate::flows::submission::Submission;
use crate::storage;
use crate::strategies::{self, identifier_first, password};

use super::submit::{Step, missing};

impl Identity {
    pub(super) async fn login_identifier_first(
        &self,
        cx: &Context,
        caller: &Caller,
        flow: &mut Flow<Login>,
        submission: &Submission,
    ) -> Result<Step, SubmitError> {
        let methods = self.methods();
        Self::require_first_factor(flow, methods.identifier_first)?;
        let identifier = submission.text("identifier").ok_or_else(|| missing("identifier"))?.to_owned();
        flow.submitted_method = Some(CredentialType::IdentifierFirst);
        flow.ui.set_value("identifier", identifier.clone().into());

        let (has_password, has_code) = if self.hides_accounts() {
            (true, true)
        } else {
            let credentials = self.credentials_by_identifier(cx, &identifier).await?;
            let has_password =
                credentials.get(&CredentialType::Password).is_some_and(|it| it.password_hash().is_some());
            let has_code = credentials.get(&CredentialType::Code).is_some_and(|it| !it.code_addresses().is_empty());
            (has_password, has_code)
        };
        let (offers_password, offers_code) = (has_password && methods.password, has_code && methods.code_sign_in);
        if !offers_password && !offers_code {
            self.count_taken(cx).await?;
            return Err(SubmitError::at("identifier", validation::no_such_account()));
        }
        flow.active = Some(CredentialType::IdentifierFirst);
        flow.ui.clear_messages();
        identifier_first::keep_identifier(&mut flow.ui, &identifier);
        if offers_password {
            password::login_form(&mut flow.ui);
        }
        if offers_code {
            strategies::code::login_form(&mut flow.ui);
        }
        if offers_code && !offers_password {
            // There is nothing to choose: the code is sent at once. With accounts hidden this happens for every name.
            self.send_login_code(cx, caller, flow, &identifier, None, submission.transient_payload()).await?;
            return Ok(Step::Form);
        }
        let mut tx = self.database.write(cx.tenant).await?;
        storage::flows::update(&mut tx, flow).await?;
        tx.commit().await?;
        Ok(Step::Form)
    }

    async fn credentials_by_identifier(&self, cx: &Context, identifier: &str) -> Result<Credentials, database::Error> {
        let mut tx = self.database.read(cx.tenant);
        for kind in [CredentialType::Password, CredentialType::Code] {
            let normalized = normalize(kind, identifier);
            let found = storage::identities::find_by_identifier(&mut tx, self.vault(cx), kind, &normalized).await?;
            if let Some(identity) = found {
                return Ok(identity.credentials);
            }
        }
        Ok(Credentials::new())
    }
}
