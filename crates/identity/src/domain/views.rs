//! Identities and sessions as the APIs return them. They are structs, so that a list is serialized without a tree of
//! JSON values for each row. The public API shows neither credentials nor data for administrators.

use base::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Map, Value};
use url::Url;
use uuid::Uuid;

use crate::domain::flow::endpoint;
use crate::domain::session::AuthenticationMethod;
use crate::domain::{self, Aal, IdentityId, Session, SessionId, State};

/// An identity, as its owner may see it.
#[derive(Debug, Serialize)]
pub(crate) struct IdentityView<'a> {
    id: IdentityId,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<&'a str>,
    schema_id: &'a str,
    schema_url: Url,
    state: State,
    state_changed_at: Option<Timestamp>,
    traits: &'a Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    verifiable_addresses: Vec<VerifiableAddressView<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    recovery_addresses: &'a [domain::RecoveryAddress],
    metadata_public: Option<&'a Value>,
    created_at: Timestamp,
    updated_at: Timestamp,
    organization_id: Option<Uuid>,
    #[serde(flatten)]
    pub(crate) for_administrators: ForAdministrators<'a>,
}

impl<'a> IdentityView<'a> {
    pub(crate) fn new(identity: &'a domain::Identity, public_url: &Url) -> Self {
        let schema = URL_SAFE_NO_PAD.encode(&identity.schema_id);
        Self {
            id: identity.id,
            external_id: identity.external_id.as_deref(),
            schema_id: &identity.schema_id,
            schema_url: endpoint(public_url, &format!("schemas/{schema}")),
            state: identity.state,
            state_changed_at: identity.state_changed_at,
            traits: &identity.traits,
            verifiable_addresses: identity.verifiable_addresses.iter().map(VerifiableAddressView::new).collect(),
            recovery_addresses: &identity.recovery_addresses,
            metadata_public: identity.metadata_public.as_ref(),
            created_at: identity.created_at,
            updated_at: identity.updated_at,
            organization_id: identity.organization_id,
            for_administrators: ForAdministrators::default(),
        }
    }

    pub(crate) fn with(self, for_administrators: ForAdministrators<'a>) -> Self {
        Self { for_administrators, ..self }
    }
}

/// Fields of the admin API only.
#[derive(Debug, Default, Serialize)]
pub(crate) struct ForAdministrators<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) credentials: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata_admin: Option<&'a Value>,
}

#[derive(Debug, Serialize)]
struct VerifiableAddressView<'a> {
    id: domain::VerifiableAddressId,
    value: &'a str,
    verified: bool,
    via: domain::Via,
    status: domain::AddressStatus,
    created_at: Timestamp,
    updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified_at: Option<Timestamp>,
}

impl<'a> VerifiableAddressView<'a> {
    fn new(address: &'a domain::VerifiableAddress) -> Self {
        Self {
            id: address.id,
            value: &address.value,
            verified: address.verified,
            via: address.via,
            status: address.status,
            created_at: address.created_at,
            updated_at: address.updated_at,
            verified_at: address.verified_at,
        }
    }
}

/// A session. The identity is omitted where it must not be shown yet.
#[derive(Debug, Serialize)]
pub(crate) struct SessionView<'a> {
    id: SessionId,
    active: bool,
    expires_at: Timestamp,
    authenticated_at: Timestamp,
    authenticator_assurance_level: Aal,
    authentication_methods: &'a [AuthenticationMethod],
    issued_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) identity: Option<IdentityView<'a>>,
    devices: Vec<DeviceView<'a>>,
}

impl<'a> SessionView<'a> {
    pub(crate) fn new(
        session: &'a Session,
        person: Option<&'a domain::Identity>,
        public_url: &Url,
        now: Timestamp,
    ) -> Self {
        Self {
            id: session.id,
            active: session.is_alive(now) && person.is_none_or(domain::Identity::is_active),
            expires_at: session.expires_at,
            authenticated_at: session.authenticated_at,
            authenticator_assurance_level: session.aal,
            authentication_methods: &session.authentication_methods,
            issued_at: session.issued_at,
            identity: person.map(|person| IdentityView::new(person, public_url)),
            devices: session.devices.iter().map(DeviceView::new).collect(),
        }
    }
}

/// A device. Clients of the wire contract require all members to be present.
#[derive(Debug, Serialize)]
struct DeviceView<'a> {
    id: domain::DeviceId,
    ip_address: Option<&'a str>,
    user_agent: Option<&'a str>,
    location: &'a str,
}

impl<'a> DeviceView<'a> {
    fn new(device: &'a domain::Device) -> Self {
        Self {
            id: device.id,
            ip_address: device.ip_address.as_deref(),
            user_agent: device.user_agent.as_deref(),
            location: device.location.as_deref().unwrap_or_default(),
        }
    }
}
