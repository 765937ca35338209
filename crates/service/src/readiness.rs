//! Whether a service can do its work.

use std::sync::Arc;

use crate::build::Check;

/// The checks of a service. `server` adds it to the requests of admin listeners, for health protocols of the service.
#[derive(Clone)]
pub struct Readiness(Arc<[Arc<dyn Check>]>);

impl Readiness {
    pub fn new(checks: Arc<[Arc<dyn Check>]>) -> Self {
        Self(checks)
    }

    /// Whether all checks pass.
    pub async fn is_ready(&self) -> bool {
        for check in self.0.iter() {
            if check.run().await.is_err() {
                return false;
            }
        }
        true
    }
}

impl std::fmt::Debug for Readiness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Readiness")
    }
}
