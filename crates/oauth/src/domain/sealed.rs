//! Challenges and verifiers: values that pass through a browser or a login application and must come back unchanged. Each
//! is sealed for its own purpose and tenant, so that they cannot be confused.

use base::seal::Purpose;
use base::{Sealer, TenantId};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value that is exposed only in sealed form.
pub trait SealedValue: Serialize + DeserializeOwned {
    const PURPOSE: Purpose;

    fn seal(&self, sealer: &Sealer, tenant: TenantId) -> String {
        // These types have string keys and no custom serializers, so serialization cannot fail; an empty string would be
        // rejected when it comes back.
        let text = serde_json::to_vec(self).unwrap_or_default();
        sealer.seal_text(Self::PURPOSE, tenant, &text)
    }

    fn open(sealer: &Sealer, tenant: TenantId, sealed: &str) -> Result<Self, NotOurs> {
        let text = sealer.open_text(Self::PURPOSE, tenant, sealed).map_err(|_| NotOurs)?;
        serde_json::from_slice(&text).map_err(|_| NotOurs)
    }
}

/// The text was not sealed by this service for this purpose and tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value was not issued here for this purpose")]
pub struct NotOurs;
