//! Ending or deleting many sessions: of identities, by their ids, or in batches of all sessions.

use base::Context;

use crate::Identity;
use crate::domain::{IdentityId, SessionId};
use crate::storage::sessions;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManageAction {
    Disable,
    Delete,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Identities(Vec<IdentityId>),
    Sessions(Vec<SessionId>),
    Everybody,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Managed {
    pub processed: usize,
    /// Whether the call must be repeated to finish.
    pub more: bool,
}

/// The maximum number of sessions per call, when all sessions are selected.
const BATCH: i64 = 5000;

impl Identity {
    pub async fn manage_sessions(
        &self,
        cx: &Context,
        action: ManageAction,
        target: Target,
    ) -> Result<Managed, database::Error> {
        let mut tx = self.database.write(cx.tenant).await?;
        let mut processed = 0;
        let mut more = false;
        match target {
            Target::Identities(ids) => {
                for id in ids {
                    let ended = sessions::revoke_of_identity(&mut tx, id, None, cx.now).await?;
                    self.sessions.have_ended(&mut tx, cx, &ended).await?;
                    processed += match action {
                        ManageAction::Disable => ended.len(),
                        ManageAction::Delete => sessions::delete_of_identity(&mut tx, id).await?.len(),
                    };
                }
            }
            Target::Sessions(ids) => {
                for id in ids {
                    let ended = sessions::revoke(&mut tx, id, cx.now).await?;
                    self.sessions.have_ended(&mut tx, cx, ended.as_slice()).await?;
                    processed += usize::from(match action {
                        ManageAction::Disable => ended.is_some(),
                        ManageAction::Delete => sessions::delete(&mut tx, id).await?,
                    });
                }
            }
            Target::Everybody => {
                let ended = sessions::revoke_some(&mut tx, BATCH, cx.now).await?;
                self.sessions.have_ended(&mut tx, cx, &ended).await?;
                processed = match action {
                    ManageAction::Disable => ended.len(),
                    ManageAction::Delete => sessions::delete_ended(&mut tx, BATCH).await?.len(),
                };
                more = i64::try_from(processed).is_ok_and(|processed| processed >= BATCH);
            }
        }
        tx.commit().await?;
        Ok(Managed { processed, more })
    }
}
