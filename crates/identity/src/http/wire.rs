//! Identities and sessions as the public API shows them: without credentials, without what is for administrators.

use base::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use url::Url;

use crate::domain::flow::endpoint;
use crate::domain::{self, Session};

/// A person, as she may see herself.
pub(crate) fn identity(identity: &domain::Identity, public_url: &Url) -> Value {
    let schema = URL_SAFE_NO_PAD.encode(&identity.schema_id);
    let mut members = Map::new();
    members.insert("id".to_owned(), json!(identity.id));
    if let Some(external_id) = &identity.external_id {
        members.insert("external_id".to_owned(), json!(external_id));
    }
    members.insert("schema_id".to_owned(), json!(identity.schema_id));
    members.insert("schema_url".to_owned(), json!(endpoint(public_url, &format!("schemas/{schema}"))));
    members.insert("state".to_owned(), json!(identity.state));
    members.insert("state_changed_at".to_owned(), json!(identity.state_changed_at));
    members.insert("traits".to_owned(), identity.traits.clone());
    if !identity.verifiable_addresses.is_empty() {
        let shown: Vec<Value> = identity.verifiable_addresses.iter().map(verifiable_address).collect();
        members.insert("verifiable_addresses".to_owned(), Value::Array(shown));
    }
    if !identity.recovery_addresses.is_empty() {
        members.insert("recovery_addresses".to_owned(), json!(identity.recovery_addresses));
    }
    members.insert("metadata_public".to_owned(), json!(identity.metadata_public));
    members.insert("created_at".to_owned(), json!(identity.created_at));
    members.insert("updated_at".to_owned(), json!(identity.updated_at));
    members.insert("organization_id".to_owned(), json!(identity.organization_id));
    Value::Object(members)
}

fn verifiable_address(address: &domain::VerifiableAddress) -> Value {
    let mut value = json!({
        "id": address.id,
        "value": address.value,
        "verified": address.verified,
        "via": address.via,
        "status": address.status,
        "created_at": address.created_at,
        "updated_at": address.updated_at,
    });
    if let Some(at) = address.verified_at {
        value["verified_at"] = json!(at);
    }
    value
}

/// A device. Clients of the wire contract read the members without asking whether they are there.
fn device(device: &domain::Device) -> Value {
    json!({
        "id": device.id,
        "ip_address": device.ip_address,
        "user_agent": device.user_agent,
        "location": device.location.as_deref().unwrap_or_default(),
    })
}

/// A session, with its person unless she is not to be shown yet.
pub(crate) fn session(session: &Session, person: Option<&domain::Identity>, public_url: &Url, now: Timestamp) -> Value {
    let mut members = Map::new();
    members.insert("id".to_owned(), json!(session.id));
    members.insert("active".to_owned(), json!(session.is_alive(now) && person.is_none_or(domain::Identity::is_active)));
    members.insert("expires_at".to_owned(), json!(session.expires_at));
    members.insert("authenticated_at".to_owned(), json!(session.authenticated_at));
    members.insert("authenticator_assurance_level".to_owned(), json!(session.aal));
    members.insert("authentication_methods".to_owned(), json!(session.authentication_methods));
    members.insert("issued_at".to_owned(), json!(session.issued_at));
    if let Some(person) = person {
        members.insert("identity".to_owned(), identity(person, public_url));
    }
    members.insert("devices".to_owned(), session.devices.iter().map(device).collect());
    Value::Object(members)
}
