//! What administrators see: the public form and, besides, credentials and administrative metadata. Configurations of
//! credentials come only when they were asked for by kind.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::Identity;
use crate::domain::message_queue::{Dispatch, Message};
use crate::domain::{self, Credential, CredentialType};
use crate::http::wire;
use crate::operations::sessions::SessionDetails;

/// In place of what only development may show.
const REDACTED: &str = "<redacted-unless-dev-mode>";

/// An identity; `included` are the kinds whose configuration is shown.
pub(super) fn identity(
    service: &Identity,
    identity: &domain::Identity,
    included: Option<&BTreeSet<CredentialType>>,
) -> Value {
    let mut value = wire::identity(identity, service.public_url());
    if let Some(included) = included {
        let credentials: Map<String, Value> = identity
            .credentials
            .values()
            .map(|credential| {
                (credential.kind.as_str().to_owned(), self::credential(credential, included.contains(&credential.kind)))
            })
            .collect();
        value["credentials"] = Value::Object(credentials);
    }
    value["metadata_admin"] = json!(identity.metadata_admin);
    value
}

/// An identity just created or replaced: administrative metadata that was not sent is not shown.
pub(super) fn written_identity(service: &Identity, identity: &domain::Identity) -> Value {
    let mut value = self::identity(service, identity, Some(&BTreeSet::new()));
    if let (None, Some(members)) = (&identity.metadata_admin, value.as_object_mut()) {
        members.remove("metadata_admin");
    }
    value
}

fn credential(credential: &Credential, with_config: bool) -> Value {
    let mut value = json!({
        "type": credential.kind,
        "identifiers": credential.identifiers,
        "version": credential.version,
        "created_at": credential.created_at,
        "updated_at": credential.updated_at,
    });
    if with_config {
        value["config"] = credential.config.clone();
    }
    value
}

pub(super) fn session(service: &Identity, details: &SessionDetails, now: base::Timestamp) -> Value {
    let mut value = wire::session(&details.session, details.identity.as_ref(), service.public_url(), now);
    if let (Some(identity), Some(shown)) = (&details.identity, value.get_mut("identity")) {
        shown["metadata_admin"] = json!(identity.metadata_admin);
    }
    value
}

/// A message. Subject and body carry codes, so they are hidden outside of development.
pub(super) fn message(service: &Identity, message: &Message, dispatches: Option<&[Dispatch]>) -> Value {
    let shown = |text: &str| if service.config.dev { text.to_owned() } else { REDACTED.to_owned() };
    let mut value = json!({
        "id": message.id,
        "status": message.status,
        "type": message.kind,
        "recipient": message.recipient,
        "subject": shown(&message.content.subject),
        "body": shown(&message.content.body),
        "template_type": message.template_type.wire_str(),
        "channel": message.channel,
        "send_count": message.send_count,
        "created_at": message.created_at,
        "updated_at": message.updated_at,
    });
    if let Some(dispatches) = dispatches {
        let shown: Vec<Value> = dispatches.iter().map(|attempt| dispatch(message, attempt)).collect();
        value["dispatches"] = Value::Array(shown);
    }
    value
}

fn dispatch(message: &Message, dispatch: &Dispatch) -> Value {
    let error = dispatch.error.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    json!({
        "id": dispatch.id,
        "message_id": message.id,
        "status": dispatch.status,
        "error": error,
        "created_at": dispatch.created_at,
        "updated_at": dispatch.created_at,
    })
}
