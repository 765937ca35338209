//! A recovery code or link that an administrator gives to a user. It has its own flow, which works in any browser,
//! because the user did not begin it. It does not verify an address.

use std::time::Duration;

use base::{Context, PlainToken, Secret, Timestamp};

use crate::Identity;
use crate::domain::client_kind::FlowType;
use crate::domain::code::{self, AskedBy, Code, CodeId, CodePurpose};
use crate::domain::event::Event;
use crate::domain::flow::{Beginning, Flow, FlowKind, FlowState, Recovery, endpoint, with_flow};
use crate::domain::message::recovery as messages;
use crate::domain::return_to::ForbiddenReturnTo;
use crate::domain::{CredentialType, IdentityId, Via};
use crate::methods::code::nodes as code_nodes;
use crate::methods::link;
use crate::storage::{self, identities};

/// A recovery code for an administrator to pass on.
#[derive(Debug)]
pub struct RecoveryCode {
    /// The page that asks for the code.
    pub link: String,
    pub code: PlainToken,
    pub expires_at: Timestamp,
}

/// A recovery link for an administrator to pass on. Opening it is the proof.
#[derive(Debug)]
pub struct RecoveryLink {
    pub link: Secret<String>,
    pub expires_at: Timestamp,
}

#[derive(Debug, thiserror::Error)]
pub enum CreateRecoveryError {
    #[error("the identity is unknown")]
    UnknownIdentity,
    #[error("recovery by {0} is disabled")]
    Disabled(CredentialType),
    #[error(transparent)]
    ReturnTo(#[from] ForbiddenReturnTo),
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl Identity {
    pub async fn create_recovery_code(
        &self,
        cx: &Context,
        id: IdentityId,
        flow_type: FlowType,
        return_to: Option<String>,
        lifespan: Option<Duration>,
    ) -> Result<RecoveryCode, CreateRecoveryError> {
        if !self.flow_policy.methods().code.is_enabled() {
            return Err(CreateRecoveryError::Disabled(CredentialType::Code));
        }
        if let Some(return_to) = &return_to {
            self.urls.returns().check(return_to)?;
        }
        let mut flow = self.recovery_of(cx, id, flow_type, lifespan.unwrap_or(self.code_policy.lifespan()));
        flow.active = Some(CredentialType::Code);
        flow.return_to = return_to;
        code_nodes::recovery_sent_form(&mut flow.ui, None);
        flow.ui.messages.push(messages::code_sent());
        let code = self.hand_out(cx, id, &flow, CodePurpose::Recovery).await?;
        let link = with_flow(self.urls.page(FlowKind::Recovery), flow.id);
        Ok(RecoveryCode { link, code, expires_at: flow.expires_at })
    }

    pub async fn create_recovery_link(
        &self,
        cx: &Context,
        id: IdentityId,
        return_to: Option<String>,
        lifespan: Option<Duration>,
    ) -> Result<RecoveryLink, CreateRecoveryError> {
        if !self.flow_policy.methods().link.is_enabled() {
            return Err(CreateRecoveryError::Disabled(CredentialType::Link));
        }
        if let Some(return_to) = &return_to {
            self.urls.returns().check(return_to)?;
        }
        let mut flow =
            self.recovery_of(cx, id, FlowType::Browser, lifespan.unwrap_or(self.code_policy.link_lifespan()));
        flow.active = Some(CredentialType::Link);
        flow.return_to = return_to;
        link::form(&mut flow.ui, None);
        let token = self.hand_out(cx, id, &flow, CodePurpose::RecoveryLink).await?;
        let link = Secret::new(self.codes.mailed_link(&flow, &token).into());
        Ok(RecoveryLink { link, expires_at: flow.expires_at })
    }

    /// A flow that its user did not begin: it belongs to no browser.
    fn recovery_of(&self, cx: &Context, id: IdentityId, flow_type: FlowType, lifespan: Duration) -> Flow<Recovery> {
        let request_url = endpoint(self.urls.public(), "self-service/recovery");
        let beginning = Beginning {
            flow_type,
            request_url: request_url.as_str(),
            lifespan,
            public_url: self.urls.public(),
            csrf: None,
        };
        let details = Recovery { identity_id: Some(id), skip_csrf: true, ..Recovery::default() };
        let mut flow = Flow::begin(&beginning, details, &self.rng, cx.now);
        flow.state = FlowState::SentEmail;
        flow
    }

    /// Stores the flow with a code of the same lifespan, and returns the code.
    async fn hand_out(
        &self,
        cx: &Context,
        id: IdentityId,
        flow: &Flow<Recovery>,
        purpose: CodePurpose,
    ) -> Result<PlainToken, CreateRecoveryError> {
        let plain = code::generate(&self.rng, purpose);
        let code = Code {
            id: CodeId::generate(&self.rng),
            purpose,
            flow_id: flow.id,
            at_rest: self.codes.at_rest(cx, purpose, &plain),
            identity_id: Some(id),
            via: Via::Email,
            // The code is not sent.
            address: String::new(),
            asked_by: AskedBy::Administrator,
            attempts: 0,
            created_at: cx.now,
            expires_at: flow.expires_at,
        };
        let mut tx = self.database.write(cx.tenant).await?;
        if identities::find(&mut tx, id).await?.is_none() {
            return Err(CreateRecoveryError::UnknownIdentity);
        }
        storage::flows::insert(&mut tx, flow).await?;
        storage::codes::supersede_of_person(&mut tx, id, [purpose; 2], code.asked_by).await?;
        storage::codes::insert(&mut tx, &code).await?;
        let (flow, flow_type) = (flow.id, flow.flow_type.as_str());
        jobs::append(&mut tx, cx, &[Event::RecoveryInitiatedByAdmin { identity: id, flow, flow_type }]).await?;
        tx.commit().await?;
        Ok(plain)
    }
}
