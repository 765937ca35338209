//! Loads the permission model from its source, and activates it if it has changed.

use crate::Permissions;
use crate::components::models::ModelFault;

impl Permissions {
    /// Reads the source. A model that cannot be loaded changes nothing, and the reason is kept.
    pub async fn load_model(&self) -> Result<(), ModelFault> {
        self.models.refresh().await
    }
}
