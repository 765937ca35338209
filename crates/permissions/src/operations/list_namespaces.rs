//! Lists the namespaces of the permission model.

use crate::Permissions;
use crate::components::models::Unloaded;

impl Permissions {
    /// The names of the namespaces, in the order of their declaration.
    pub fn list_namespaces(&self) -> Result<Vec<String>, Unloaded> {
        let model = self.models.current()?;
        Ok(model.model.namespaces.iter().map(|namespace| namespace.name.clone()).collect())
    }
}
