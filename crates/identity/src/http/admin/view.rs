//! Response bodies for administrators: the public form, plus credentials and administrative metadata. The configuration
//! of credentials is included only for the requested types.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::Identity;
use crate::domain::message_queue::{Dispatch, Message};
use crate::domain::views::{ForAdministrators, IdentityView, SessionView};
use crate::domain::{self, Credential, CredentialType};
use crate::operations::sessions::SessionDetails;

/// Replaces values that are shown only in development mode.
const REDACTED: &str = "<redacted-unless-dev-mode>";

/// An identity; `included` are the types whose configuration is shown.
pub(super) fn identity<'a>(
    service: &Identity,
    identity: &'a domain::Identity,
    included: Option<&BTreeSet<CredentialType>>,
) -> IdentityView<'a> {
    let credentials = included.map(|included| {
        let shown = |credential: &Credential| {
            (credential.kind().as_str().to_owned(), self::credential(credential, included.contains(&credential.kind())))
        };
        identity.credentials.values().map(shown).collect()
    });
    let metadata_admin = Some(shown_metadata(identity));
    IdentityView::new(identity, service.urls.public()).with(ForAdministrators { credentials, metadata_admin })
}

/// An identity that was just created or replaced: administrative metadata that was not sent is not shown.
pub(super) fn written_identity<'a>(service: &Identity, identity: &'a domain::Identity) -> IdentityView<'a> {
    let mut view = self::identity(service, identity, Some(&BTreeSet::new()));
    if identity.metadata_admin.is_none() {
        view.for_administrators.metadata_admin = None;
    }
    view
}

/// `null` when there is none.
fn shown_metadata(identity: &domain::Identity) -> &Value {
    identity.metadata_admin.as_ref().unwrap_or(&Value::Null)
}

fn credential(credential: &Credential, with_config: bool) -> Value {
    let mut value = json!({
        "type": credential.kind(),
        "identifiers": credential.identifiers,
        "version": credential.version,
        "created_at": credential.created_at,
        "updated_at": credential.updated_at,
    });
    if with_config {
        value["config"] = credential.config.to_json();
    }
    value
}

pub(super) fn session<'a>(service: &Identity, details: &'a SessionDetails, now: base::Timestamp) -> SessionView<'a> {
    let mut view = SessionView::new(&details.session, details.identity.as_ref(), service.urls.public(), now);
    if let (Some(identity), Some(shown)) = (&details.identity, &mut view.identity) {
        shown.for_administrators.metadata_admin = Some(shown_metadata(identity));
    }
    view
}

/// A message. Subject and body contain codes, so they are hidden outside of development mode.
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
