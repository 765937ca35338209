//! One file per operation: it gathers, decides, and writes effects and events in one transaction.

pub mod batch_create;
pub mod create_identity;
pub mod create_recovery;
pub mod delete_credential;
pub mod delete_identity;
pub mod manage_sessions;
pub mod messages;
pub mod patch_identity;
pub mod read_identities;
pub mod sessions;
pub mod update_identity;

use base::Context;
use database::WriteTx;

use crate::Identity;
use crate::domain;
use crate::domain::identity::State;
use crate::domain::traits_schema::TraitError;

/// Describes the errors of the traits, one sentence each.
pub(crate) fn explain(errors: &[TraitError]) -> String {
    let sentences: Vec<String> =
        errors.iter().map(|error| format!("{}: {}", error.pointer, error.problem.reason())).collect();
    sentences.join(" ")
}

impl Identity {
    /// The effects of a change of state, other than the row itself.
    pub(crate) async fn state_has_changed(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        before: &domain::Identity,
        after: &domain::Identity,
    ) -> Result<(), database::Error> {
        if before.state == State::Active && after.state == State::Inactive {
            self.sessions.person_has_ended(tx, cx, after.id).await?;
        }
        Ok(())
    }
}
