//! Signing in with a password.

use base::{Context, Secret};

use crate::Identity;
use crate::domain::flow::{Details as _, Flow, Login};
use crate::domain::identifier::normalize;
use crate::domain::message::validation;
use crate::domain::session::AuthenticationMethod;
use crate::domain::{self, Aal, Credential, CredentialType, IdentityId};
use crate::flows::attempts::{AdmittedGuess, Caller, Target};
use crate::flows::error::SubmitError;
use crate::flows::events;
use crate::flows::submission::Submission;
use crate::storage;

use super::submit::{Effects, Proof, Step, missing};

impl Identity {
    pub(super) async fn login_by_password(
        &self,
        cx: &Context,
        caller: &Caller,
        flow: &mut Flow<Login>,
        submission: &Submission,
    ) -> Result<Step, SubmitError> {
        Self::require_first_factor(flow, self.methods().password)?;
        flow.submitted_method = Some(CredentialType::Password);
        let identifier = submission.text("identifier").or_else(|| submission.text("password_identifier"));
        let identifier = identifier.ok_or_else(|| missing("identifier"))?.to_owned();
        flow.ui.set_value("identifier", identifier.clone().into());
        let password = submission.text("password").ok_or_else(|| missing("password"))?;
        let normalized = normalize(CredentialType::Password, &identifier);

        let mut tx = self.database.read(cx.tenant);
        let found =
            storage::identities::find_by_identifier(&mut tx, self.vault(cx), CredentialType::Password, &normalized)
                .await?;
        drop(tx);
        let target = Target { name: &normalized, person: found.as_ref().map(|person| person.id) };
        let guess = self.admit_guess(cx, caller, &target, false).await?;
        let password = Secret::new(password.to_owned());
        let credential = found.as_ref().and_then(|person| person.credential(CredentialType::Password));
        let matches = if let Some(hash) = credential.and_then(Credential::password_hash) {
            self.hasher.verify(&password, hash).await?
        } else {
            // Hash anyway, so that timing does not reveal whether the account exists.
            self.hasher.verify_nothing(&password).await?;
            false
        };
        let (Some(identity), true) = (found, matches && !guess.is_ignored()) else {
            let person = target.person.filter(|_| !guess.is_ignored());
            self.count_failed_password(cx, flow, guess, person).await?;
            return Err(SubmitError::general(validation::invalid_credentials()));
        };
        flow.active = Some(CredentialType::Password);
        let method = AuthenticationMethod::new(CredentialType::Password, Aal::Aal1, cx.now);
        let rehashed = self.rehashed(cx, &identity, &password).await;
        let effects = Effects { rehashed, familiar: guess.familiar.clone(), ..Effects::default() };
        Ok(Step::Proved(Box::new(Proof { identity, method, effects })))
    }

    /// Counts the guess, and records it when it was judged and somebody's. A flow that knows its person records every
    /// refusal itself.
    async fn count_failed_password(
        &self,
        cx: &Context,
        flow: &Flow<Login>,
        guess: AdmittedGuess,
        person: Option<IdentityId>,
    ) -> Result<(), database::Error> {
        let mut tx = self.database.write(cx.tenant).await?;
        self.count_failure_in(&mut tx, cx, &guess).await?;
        let person = person.filter(|_| flow.details.person().is_none());
        events::append_failed_guess(&mut tx, cx, flow, person, "the password is wrong").await?;
        tx.commit().await?;
        // From here on the rows count it.
        drop(guess);
        Ok(())
    }

    /// The credential under today's parameters, when it was made under weaker ones. Without a place in the pool it waits
    /// for the next sign-in.
    async fn rehashed(
        &self,
        cx: &Context,
        identity: &domain::Identity,
        password: &Secret<String>,
    ) -> Option<Credential> {
        let credential = identity.credential(CredentialType::Password)?;
        if self.hasher.is_current(credential.password_hash()?) {
            return None;
        }
        match self.hasher.hash(password).await {
            Ok(hash) => {
                let mut credential = credential.clone();
                credential.config["hashed_password"] = hash.into();
                credential.updated_at = cx.now;
                Some(credential)
            }
            Err(error) => {
                tracing::warn!(request_id = %cx.request_id, %error, "a password keeps its outdated hash");
                None
            }
        }
    }
}
