//! Errors that are stored for the error page.

use std::time::Duration;

use base::Context;
use serde_json::json;
use uuid::Uuid;

use crate::Identity;
use crate::storage;

use super::views::StoredErrorView;

/// Why a stored error cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum StoredErrorError {
    #[error("id: is missing")]
    IdMissing,
    #[error("the error is unknown")]
    NotFound,
    #[error(transparent)]
    Database(#[from] database::Error),
}

/// How long an error page can be opened.
const ERROR_LIFESPAN: Duration = Duration::from_hours(24);

impl Identity {
    /// Stores an error for the error page.
    pub(crate) async fn keep_error(&self, cx: &Context, error: &serde_json::Value) -> Result<Uuid, database::Error> {
        let id = self.rng.uuid();
        let mut tx = self.database.write(cx.tenant).await?;
        storage::errors::insert(&mut tx, id, error, cx.now, cx.now.plus(ERROR_LIFESPAN)).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// A stored error, for the error page.
    pub async fn kept_error(&self, cx: &Context, id: Option<&str>) -> Result<StoredErrorView, StoredErrorError> {
        let id = id.ok_or(StoredErrorError::IdMissing)?;
        if id == "stub:500" {
            let error = json!({"code": 500, "status": "Internal Server Error", "reason": "This is a sample error for the development of error pages.", "message": "An internal error occurred; the log has details under the id of this request"});
            let id = self.rng.uuid();
            return Ok(StoredErrorView { id, error, created_at: cx.now, updated_at: cx.now });
        }
        let id = id.parse::<Uuid>().map_err(|_| StoredErrorError::NotFound)?;
        let mut tx = self.database.read(cx.tenant);
        let (error, at) = storage::errors::find(&mut tx, id, cx.now).await?.ok_or(StoredErrorError::NotFound)?;
        Ok(StoredErrorView { id, error, created_at: at, updated_at: at })
    }
}
