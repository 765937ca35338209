//! Session checks: called by the gateway on every request and by `oauth` on its consent page.

use std::sync::Arc;

use async_trait::async_trait;
use base::{Context, PlainToken, Timestamp};
use database::WriteTx;
use serde_json::Value;
use uuid::Uuid;

use crate::Unavailable;

#[async_trait]
pub trait Sessions: Send + Sync {
    /// Finds the session of the request's credentials. A session that this process ended is never reported as active; one
    /// that another process ended, for at most a second.
    async fn check(&self, cx: &Context, credentials: &SessionCredentials) -> Result<SessionCheck, Unavailable>;

    /// Ends the session of a login in the transaction of the provider's logout. Unknown ids are not an error. A service in
    /// another process cannot join the transaction: the caller calls [`Sessions::end`] after its commit.
    async fn end_in_transaction(
        &self,
        _cx: &Context,
        _tx: &mut WriteTx,
        _session_id: Uuid,
    ) -> Result<SessionEnd, database::Error> {
        Ok(SessionEnd::AfterCommit)
    }

    /// Ends the session of a login on logout at the provider. Unknown ids are not an error.
    async fn end(&self, cx: &Context, session_id: Uuid) -> Result<(), Unavailable>;
}

/// When the session of a login ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// With the commit of the transaction.
    InTransaction,
    /// By a call to [`Sessions::end`] after the commit.
    AfterCommit,
}

/// The credentials of a request that may identify a session, in the order in which they are checked.
#[derive(Clone, Debug, Default)]
pub struct SessionCredentials {
    /// The value of `X-Session-Token`.
    pub session_token: Option<PlainToken>,
    /// The complete `Cookie` header as received.
    pub cookie: Option<String>,
    /// The token of `Authorization: Bearer`.
    pub bearer: Option<PlainToken>,
}

/// The result of a session check.
#[derive(Clone, Debug)]
pub enum SessionCheck {
    /// The request carries no session credential.
    Absent,
    /// The credential is unknown, expired, revoked or tampered with.
    Invalid,
    /// The session requires a second factor before it is valid.
    NeedsSecondFactor,
    Active(Box<ActiveSession>),
}

#[derive(Clone, Debug)]
pub struct ActiveSession {
    pub session_id: Uuid,
    pub identity_id: Uuid,
    pub authenticated_at: Timestamp,
    pub expires_at: Timestamp,
    /// `aal1`, `aal2`.
    pub aal: String,
    /// The authentication methods used, for instance `password`.
    pub amr: Vec<String>,
    /// The response body of `GET /sessions/whoami`.
    pub whoami: Arc<Value>,
}
