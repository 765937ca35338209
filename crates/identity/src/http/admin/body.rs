//! Request bodies of the admin API. Unknown members are rejected, so that a misspelt one is not ignored.

use base::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use uuid::Uuid;
use web::RestError;

use crate::domain::identity::State;
use crate::domain::import::ImportedCredentials;
use crate::domain::{AddressStatus, IdentityId, SessionId, Via};
use crate::operations::batch_create::BatchItem;
use crate::operations::create_identity::{KnownAddress, NewIdentity};
use crate::operations::manage_sessions::{ManageAction, Target};
use crate::operations::update_identity::IdentityUpdate;

/// The maximum number of ids per call to manage sessions.
const MAX_MANAGED: usize = 500;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateIdentity {
    #[serde(default)]
    schema_id: Option<String>,
    #[serde(default)]
    traits: Option<Value>,
    #[serde(default)]
    state: Option<State>,
    #[serde(default)]
    credentials: Option<ImportedCredentials>,
    #[serde(default)]
    metadata_public: Option<Value>,
    #[serde(default)]
    metadata_admin: Option<Value>,
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default)]
    organization_id: Option<Uuid>,
    #[serde(default)]
    verifiable_addresses: Option<Vec<VerifiableAddress>>,
    #[serde(default)]
    recovery_addresses: Option<Vec<RecoveryAddress>>,
    /// For hosted systems with several regions; ignored here.
    #[serde(default, rename = "region")]
    _region: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct VerifiableAddress {
    value: String,
    via: Via,
    #[serde(default)]
    verified: bool,
    #[serde(default)]
    verified_at: Option<Timestamp>,
    #[serde(default)]
    status: Option<AddressStatus>,
    // Exported addresses have these; the new ones get their own.
    #[serde(default, rename = "id")]
    _id: Option<IgnoredAny>,
    #[serde(default, rename = "created_at")]
    _created_at: Option<IgnoredAny>,
    #[serde(default, rename = "updated_at")]
    _updated_at: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecoveryAddress {
    value: String,
    via: Via,
    #[serde(default, rename = "id")]
    _id: Option<IgnoredAny>,
    #[serde(default, rename = "created_at")]
    _created_at: Option<IgnoredAny>,
    #[serde(default, rename = "updated_at")]
    _updated_at: Option<IgnoredAny>,
    /// Of enterprise editions; ignored here.
    #[serde(default, rename = "break_glass_for_organization")]
    _break_glass: Option<IgnoredAny>,
}

impl From<CreateIdentity> for NewIdentity {
    fn from(body: CreateIdentity) -> Self {
        let verifiable_addresses = body
            .verifiable_addresses
            .unwrap_or_default()
            .into_iter()
            .map(|VerifiableAddress { value, via, verified, verified_at, status, .. }| KnownAddress {
                via,
                value,
                verified,
                verified_at,
                status,
            })
            .collect();
        let recovery_addresses = body
            .recovery_addresses
            .unwrap_or_default()
            .into_iter()
            .map(|address| (address.via, address.value))
            .collect();
        Self {
            schema_id: body.schema_id,
            traits: body.traits.unwrap_or_else(|| Value::Object(serde_json::Map::new())),
            state: body.state.unwrap_or_default(),
            credentials: body.credentials.unwrap_or_default(),
            metadata_public: body.metadata_public,
            metadata_admin: body.metadata_admin,
            external_id: body.external_id,
            organization_id: body.organization_id,
            verifiable_addresses,
            recovery_addresses,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateIdentity {
    #[serde(default)]
    schema_id: Option<String>,
    #[serde(default)]
    traits: Option<Value>,
    #[serde(default)]
    state: Option<State>,
    #[serde(default)]
    credentials: Option<ImportedCredentials>,
    #[serde(default)]
    metadata_public: Option<Value>,
    #[serde(default)]
    metadata_admin: Option<Value>,
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default, rename = "region")]
    _region: Option<String>,
}

impl From<UpdateIdentity> for IdentityUpdate {
    fn from(body: UpdateIdentity) -> Self {
        Self {
            schema_id: body.schema_id,
            traits: body.traits.unwrap_or_else(|| Value::Object(serde_json::Map::new())),
            state: body.state,
            credentials: body.credentials.unwrap_or_default(),
            metadata_public: body.metadata_public,
            metadata_admin: body.metadata_admin,
            external_id: body.external_id,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PatchIdentities {
    #[serde(default)]
    identities: Vec<IdentityPatch>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentityPatch {
    create: CreateIdentity,
    #[serde(default)]
    patch_id: Option<Uuid>,
}

impl From<PatchIdentities> for Vec<BatchItem> {
    fn from(body: PatchIdentities) -> Self {
        body.identities
            .into_iter()
            .map(|IdentityPatch { create, patch_id }| BatchItem { patch_id, new: create.into() })
            .collect()
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ManageSessions {
    action: Action,
    #[serde(default)]
    identities: Option<Vec<String>>,
    #[serde(default)]
    sessions: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Disable,
    Delete,
}

impl ManageSessions {
    pub(super) fn read(self) -> Result<(ManageAction, Target), RestError> {
        let action = match self.action {
            Action::Disable => ManageAction::Disable,
            Action::Delete => ManageAction::Delete,
        };
        let target = match (self.identities, self.sessions) {
            (Some(identities), None) if identities == ["*"] => Target::Everybody,
            (Some(identities), None) => {
                Target::Identities(ids("identities", &identities)?.into_iter().map(IdentityId::from_uuid).collect())
            }
            (None, Some(sessions)) => {
                Target::Sessions(ids("sessions", &sessions)?.into_iter().map(SessionId::from_uuid).collect())
            }
            _ => return Err(RestError::bad_request("exactly one of identities and sessions is required")),
        };
        Ok((action, target))
    }
}

fn ids(field: &'static str, texts: &[String]) -> Result<Vec<Uuid>, RestError> {
    if texts.is_empty() || texts.len() > MAX_MANAGED {
        let reason = format!("{field}: must have 1 to {MAX_MANAGED} ids");
        return Err(RestError::bad_request(reason).with_detail("field", field));
    }
    texts
        .iter()
        .enumerate()
        .map(|(index, text)| {
            text.parse().map_err(|_| {
                let field = format!("{field}.{index}");
                RestError::bad_request(format!("{field}: not a UUID")).with_detail("field", field)
            })
        })
        .collect()
}
