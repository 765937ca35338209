//! The effects that an operation queues as jobs in its transaction. The folder `jobs/` performs them.

use std::time::Duration;

use base::{Context, Timestamp};
use jobs::NewJob;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::client::ClientId;
use super::login_session::{LoginSession, LoginSessionId};

pub const ROTATE_KEYS: &str = "oauth.rotate_keys";
pub const BACKCHANNEL_LOGOUT: &str = "oauth.backchannel_logout";
pub const END_IDENTITY_SESSION: &str = "oauth.end_identity_session";
pub const END_LATE_LOGINS: &str = "oauth.end_late_logins";

/// Longer than a transaction takes.
const DELAY_OF_LATE_LOGINS: Duration = Duration::from_secs(10);

/// A client's server is notified of a logout.
#[derive(Debug, Serialize, Deserialize)]
pub struct BackchannelLogout {
    pub client_id: ClientId,
    pub session_id: LoginSessionId,
    pub subject: String,
}

/// Logins that were redeemed concurrently with the end of their account are ended.
#[derive(Debug, Serialize, Deserialize)]
pub struct EndLateLogins {
    pub subject: String,
    pub ended_at: Timestamp,
}

pub fn rotate_keys(cx: &Context) -> NewJob {
    NewJob { kind: ROTATE_KEYS, payload: json!({}), run_at: cx.now }
}

pub fn backchannel_logout(cx: &Context, client: &ClientId, session: &LoginSession) -> NewJob {
    let payload = json!({"client_id": client, "session_id": session.id, "subject": session.subject});
    NewJob { kind: BACKCHANNEL_LOGOUT, payload, run_at: cx.now }
}

pub fn end_identity_session(cx: &Context, provider_session: &str) -> NewJob {
    NewJob { kind: END_IDENTITY_SESSION, payload: json!({"session_id": provider_session}), run_at: cx.now }
}

pub fn end_late_logins(cx: &Context, subject: &str) -> NewJob {
    let payload = json!({"subject": subject, "ended_at": cx.now});
    NewJob { kind: END_LATE_LOGINS, payload, run_at: cx.now.plus(DELAY_OF_LATE_LOGINS) }
}
