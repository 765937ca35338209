//! A recovery code that an administrator hands to a person: it opens a flow of its own, in any browser, because the
//! person has not begun it. It proves no address.

use std::time::Duration;

use base::{Context, PlainToken, Timestamp};
use serde_json::json;

use crate::Identity;
use crate::domain::client_kind::FlowType;
use crate::domain::code::{self, Code, CodeId, CodePurpose};
use crate::domain::flow::{Beginning, Flow, FlowKind, FlowState, Recovery, endpoint};
use crate::domain::message::recovery as messages;
use crate::domain::{CredentialType, IdentityId, Via};
use crate::storage::{self, identities};
use crate::strategies;

/// What the administrator passes on.
#[derive(Debug)]
pub struct RecoveryCode {
    /// Opens the page that asks for the code.
    pub link: String,
    pub code: PlainToken,
    pub expires_at: Timestamp,
}

#[derive(Debug, thiserror::Error)]
pub enum CreateRecoveryCodeError {
    #[error("the identity is unknown")]
    UnknownIdentity,
    #[error("recovery by code is switched off")]
    Disabled,
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl Identity {
    pub async fn create_recovery_code(
        &self,
        cx: &Context,
        id: IdentityId,
        flow_type: FlowType,
        lifespan: Option<Duration>,
    ) -> Result<RecoveryCode, CreateRecoveryCodeError> {
        if !self.methods().code {
            return Err(CreateRecoveryCodeError::Disabled);
        }
        let lifespan = lifespan.unwrap_or(self.code_lifespan());
        let request_url = endpoint(self.public_url(), "self-service/recovery");
        let beginning = Beginning {
            flow_type,
            request_url: request_url.as_str(),
            lifespan,
            public_url: self.public_url(),
            csrf: None,
        };
        let details = Recovery { identity_id: Some(id), skip_csrf: true, ..Recovery::default() };
        let mut flow = Flow::begin(&beginning, details, &self.rng, cx.now);
        flow.active = Some(CredentialType::Code);
        flow.state = FlowState::SentEmail;
        strategies::code::recovery_sent_form(&mut flow.ui, None);
        flow.ui.messages.push(messages::code_sent());
        let plain = code::generate(&self.rng);
        let code = Code {
            id: CodeId::generate(&self.rng),
            purpose: CodePurpose::Recovery,
            flow_id: flow.id,
            sealed: self.sealer.seal(storage::codes::SEALED, cx.tenant, plain.expose().as_bytes()),
            identity_id: Some(id),
            via: Via::Email,
            // It was sent nowhere.
            address: String::new(),
            attempts: 0,
            created_at: cx.now,
            expires_at: flow.expires_at,
        };
        let mut tx = self.database.write(cx.tenant).await?;
        if identities::find(&mut tx, id).await?.is_none() {
            return Err(CreateRecoveryCodeError::UnknownIdentity);
        }
        storage::flows::insert(&mut tx, &flow).await?;
        storage::codes::insert(&mut tx, &code).await?;
        let attributes = json!({ "IdentityID": id, "FlowID": flow.id, "FlowType": flow_type.as_str() });
        let event = jobs::Event { name: "RecoveryInitiatedByAdmin", subject: id.to_string(), attributes };
        jobs::append_event(&mut tx, cx, event).await?;
        tx.commit().await?;
        let mut link = self.page(FlowKind::Recovery);
        link.query_pairs_mut().append_pair("flow", &flow.id.to_string());
        Ok(RecoveryCode { link: link.into(), code: plain, expires_at: flow.expires_at })
    }
}
