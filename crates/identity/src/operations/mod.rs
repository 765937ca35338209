//! One file per verb: gather, decide, write and record in one transaction.

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
use contracts::SubjectObserverError;
use database::WriteTx;
use serde_json::json;

use crate::Identity;
use crate::domain::identity::State;
use crate::domain::traits_schema::TraitError;
use crate::domain::{self, IdentityId};
use crate::storage;
use crate::storage::sessions::Ended;

/// The traits were refused, in one sentence for each fault.
pub(crate) fn explain(errors: &[TraitError]) -> String {
    let sentences: Vec<String> =
        errors.iter().map(|error| format!("{}: {}", error.pointer, error.problem.reason())).collect();
    sentences.join(" ")
}

/// Records that a session was ended, by whomever: the one shape of this event.
pub(crate) async fn append_session_revoked(
    tx: &mut WriteTx,
    cx: &Context,
    ended: &Ended,
) -> Result<(), database::Error> {
    let attributes = json!({ "IdentityID": ended.identity, "SessionID": ended.session });
    let event = jobs::Event { name: "SessionRevoked", subject: ended.identity.to_string(), attributes };
    jobs::append_event(tx, cx, event).await
}

impl Identity {
    pub(crate) async fn identity_event(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        name: &'static str,
        identity: &domain::Identity,
    ) -> Result<(), database::Error> {
        let attributes = json!({ "IdentityID": identity.id, "SchemaID": identity.schema_id, "State": identity.state });
        jobs::append_event(tx, cx, jobs::Event { name, subject: identity.id.to_string(), attributes }).await
    }

    /// Whoever was disabled or deleted can do nothing from this transaction on: sessions end here, grants and tokens
    /// with the other service.
    pub(crate) async fn person_has_ended(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        id: IdentityId,
    ) -> Result<(), database::Error> {
        let ended = storage::sessions::revoke_of_identity(tx, id, None, cx.now).await?;
        self.sessions_have_ended(tx, cx, &ended).await?;
        if let Some(observer) = self.subject_observer.get() {
            observer.subject_ended(cx, tx, &id.to_string()).await.map_err(database_error)?;
        }
        Ok(())
    }

    /// Tells the other service and the log that sessions ended.
    pub(crate) async fn sessions_have_ended(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        ended: &[Ended],
    ) -> Result<(), database::Error> {
        for ended in ended {
            if let Some(observer) = self.subject_observer.get() {
                observer.session_ended(cx, tx, ended.session.as_uuid()).await.map_err(database_error)?;
            }
            append_session_revoked(tx, cx, ended).await?;
        }
        Ok(())
    }

    /// What a change of state entails, besides the row.
    pub(crate) async fn state_has_changed(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        before: &domain::Identity,
        after: &domain::Identity,
    ) -> Result<(), database::Error> {
        if before.state == State::Active && after.state == State::Inactive {
            self.person_has_ended(tx, cx, after.id).await?;
        }
        Ok(())
    }
}

fn database_error(SubjectObserverError(error): SubjectObserverError) -> database::Error {
    error
}
