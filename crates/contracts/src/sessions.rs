//! Who is signed in: asked of `identity` by the gateway on every request and by `oauth` on its consent page.

use std::sync::Arc;

use async_trait::async_trait;
use base::{Context, PlainToken, Timestamp};
use database::WriteTx;
use serde_json::Value;
use uuid::Uuid;

use crate::Unavailable;

#[async_trait]
pub trait Sessions: Send + Sync {
    /// Looks at what the request carries and says whose session it is. A session that this process ended is never reported
    /// as active; one that another process ended, not for longer than a second.
    async fn check(&self, cx: &Context, credentials: &SessionCredentials) -> Result<SessionCheck, Unavailable>;

    /// Ends the session behind a login in the transaction of the provider's logout. Unknown ids are no error. A service in
    /// another process shares no transaction: the caller calls [`Sessions::end`] after its commit.
    async fn end_in_transaction(
        &self,
        _cx: &Context,
        _tx: &mut WriteTx,
        _session_id: Uuid,
    ) -> Result<SessionEnd, database::Error> {
        Ok(SessionEnd::AfterCommit)
    }

    /// Ends the session behind a login at the provider's logout. Unknown ids are no error.
    async fn end(&self, cx: &Context, session_id: Uuid) -> Result<(), Unavailable>;
}

/// How the session behind a login ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// With the commit of the transaction.
    InTransaction,
    /// By a call to [`Sessions::end`] after the commit.
    AfterCommit,
}

/// What a request carries that may prove a session, in the order in which it is looked at.
#[derive(Clone, Debug, Default)]
pub struct SessionCredentials {
    /// The value of `X-Session-Token`.
    pub session_token: Option<PlainToken>,
    /// The whole `Cookie` header, as it came.
    pub cookie: Option<String>,
    /// The token of `Authorization: Bearer`.
    pub bearer: Option<PlainToken>,
}

/// The three answers, and the one in between.
#[derive(Clone, Debug)]
pub enum SessionCheck {
    /// The request carries nothing that claims to be a session.
    Absent,
    /// It carries something that is no session: unknown, expired, revoked or tampered with.
    Invalid,
    /// A session that must be raised to a second factor before it counts.
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
    /// The methods that were used, for instance `password`.
    pub amr: Vec<String>,
    /// The body that `GET /sessions/whoami` answers with.
    pub whoami: Arc<Value>,
}
