//! Creating many identities at once. Each is created in its own transaction, so a rejected one does not affect the
//! others; on SQLite they still share commits.

use base::Context;
use uuid::Uuid;

use crate::Identity;
use crate::domain::IdentityId;

use super::create_identity::{CreateIdentityError, NewIdentity};

/// One identity to create, with the caller's id for it.
#[derive(Clone, Debug)]
pub struct BatchItem {
    pub patch_id: Option<Uuid>,
    pub new: NewIdentity,
}

/// The result for one item.
#[derive(Debug)]
pub struct BatchOutcome {
    pub patch_id: Option<Uuid>,
    pub result: Result<IdentityId, CreateIdentityError>,
}

/// The whole batch is rejected.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    #[error("a batch must have at most {MAX_ITEMS} identities; this one has {0}")]
    TooMany(usize),
    #[error("a batch must have at most {MAX_PLAIN_PASSWORDS} plain-text passwords; this one has {0}")]
    TooManyPasswords(usize),
    #[error("identities.{index}: {source}")]
    Import {
        index: usize,
        #[source]
        source: crate::domain::import::ImportError,
    },
}

pub const MAX_ITEMS: usize = 1000;
/// Hashing each takes as long as a sign-in.
pub const MAX_PLAIN_PASSWORDS: usize = 200;

impl Identity {
    pub async fn batch_create(&self, cx: &Context, items: Vec<BatchItem>) -> Result<Vec<BatchOutcome>, BatchError> {
        if items.len() > MAX_ITEMS {
            return Err(BatchError::TooMany(items.len()));
        }
        let passwords = items.iter().filter(|item| item.new.credentials.plain_password().is_some()).count();
        if passwords > MAX_PLAIN_PASSWORDS {
            return Err(BatchError::TooManyPasswords(passwords));
        }
        for (index, item) in items.iter().enumerate() {
            item.new.credentials.check().map_err(|source| BatchError::Import { index, source })?;
        }
        let created = items.into_iter().map(|BatchItem { patch_id, new }| async move {
            let result = self.create_identity(cx, new).await.map(|identity| identity.id);
            BatchOutcome { patch_id, result }
        });
        // A few at a time: hashes use all cores, and writes share commits.
        let mut outcomes = Vec::new();
        let mut created = created.collect::<Vec<_>>().into_iter();
        loop {
            let group: Vec<_> = created.by_ref().take(32).collect();
            if group.is_empty() {
                return Ok(outcomes);
            }
            outcomes.extend(join_all(group).await);
        }
    }
}

async fn join_all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    futures_util::future::join_all(futures).await
}
