//! Replacing an identity.

use base::Context;
use serde_json::Value;

use crate::Identity;
use crate::domain::event::Event;
use crate::domain::identity::State;
use crate::domain::import::ImportedCredentials;
use crate::domain::imported_config::Import;
use crate::domain::{self, IdentityId};
use crate::storage::identities::{self, StoreError, Taken};

use super::create_identity::ComposeError;

/// The new identity. A field that is `None` is cleared, except as noted.
#[derive(Clone, Debug, Default)]
pub struct IdentityUpdate {
    /// `None` keeps the schema.
    pub schema_id: Option<String>,
    pub traits: Value,
    /// `None` keeps the state.
    pub state: Option<State>,
    /// Merged into the existing credentials.
    pub credentials: ImportedCredentials,
    pub metadata_public: Option<Value>,
    pub metadata_admin: Option<Value>,
    pub external_id: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum UpdateIdentityError {
    #[error("the identity is unknown")]
    Unknown,
    #[error(transparent)]
    Compose(#[from] ComposeError),
    #[error("another identity has the same identifier, address or external id")]
    Taken(Taken),
    #[error("another request changed the identity at the same time")]
    Changed,
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl From<StoreError> for UpdateIdentityError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken(taken) => Self::Taken(taken),
            StoreError::Stale => Self::Changed,
            StoreError::Database(error) => Self::Database(error),
        }
    }
}

impl Identity {
    pub async fn update_identity(
        &self,
        cx: &Context,
        id: IdentityId,
        update: IdentityUpdate,
    ) -> Result<domain::Identity, UpdateIdentityError> {
        update.credentials.check().map_err(ComposeError::from)?;
        let hash = self.hash_imported(&update.credentials).await.map_err(ComposeError::from)?;
        let mut tx = self.database.write(cx.tenant).await?;
        let sealer = self.tenant_sealer(cx);
        let before = identities::lock_whole(&mut tx, sealer, id).await?.ok_or(UpdateIdentityError::Unknown)?;
        let mut after = before.clone();
        if let Some(schema_id) = update.schema_id.filter(|id| !id.is_empty()) {
            after.schema_id = schema_id;
        }
        after.traits = update.traits;
        after.metadata_public = update.metadata_public;
        after.metadata_admin = update.metadata_admin;
        after.external_id = update.external_id.filter(|id| !id.is_empty());
        if let Some(state) = update.state {
            after.set_state(state, cx.now);
        }
        let import = Import { owner: id, hashed_password: hash.as_deref() };
        update.credentials.apply(import, &mut after.credentials, cx.now);
        self.conform(cx, &mut after)?;
        identities::update(&mut tx, sealer, &before, &after).await?;
        self.state_has_changed(&mut tx, cx, &before, &after).await?;
        jobs::append(&mut tx, cx, &[Event::IdentityUpdated((&after).into())]).await?;
        tx.commit().await?;
        Ok(after)
    }

    /// Applies the schema to an identity after any change. All operations use this validation.
    pub(crate) fn conform(&self, cx: &Context, identity: &mut domain::Identity) -> Result<(), ComposeError> {
        let schema = self.traits_schema(Some(&identity.schema_id))?;
        let derived = schema.validate(&mut identity.traits).map_err(ComposeError::Traits)?;
        identity.apply_derived(&derived, &self.rng, cx.now);
        identity.refresh_available_aal(self.session_policy.factor_rules());
        identity.updated_at = cx.now;
        identity.oversized().map_or(Ok(()), |member| Err(ComposeError::TooLong(member)))
    }
}
