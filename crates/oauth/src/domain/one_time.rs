//! One-time redemption of challenges.
//!
//! The proof of a redemption is the row that it writes: the login session, whose id is fixed by the login challenge, and
//! the grant, which has the id of the flow. A redemption without such a row writes a marker: a rejection, or a login that
//! reuses an existing session. Invariant: a proof outlives its challenge.

use std::time::Duration;

use base::{PlainToken, Timestamp, TokenDigest};
use uuid::Uuid;

use super::login_challenge::AuthorizationFlow;

/// The part of a challenge that identifies its redemption.
#[derive(Clone, Copy, Debug)]
pub struct OneTime {
    /// The key of the marker.
    pub marker: TokenDigest,
    pub proof: Proof,
    /// When the challenge and its verifier are no longer accepted.
    pub expires_at: Timestamp,
}

/// The row besides the marker that proves a redemption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    LoginSession(Uuid),
    Grant(Uuid),
    /// The redemption creates no row.
    MarkerAlone,
}

impl OneTime {
    pub fn of_login(flow: &AuthorizationFlow, lifetime: Duration) -> Self {
        let proof = if flow.skip() { Proof::MarkerAlone } else { Proof::LoginSession(flow.session_id.as_uuid()) };
        Self { marker: marker("login", flow), proof, expires_at: flow.expires_at(lifetime) }
    }

    pub fn of_consent(flow: &AuthorizationFlow, lifetime: Duration) -> Self {
        let proof = Proof::Grant(flow.id.as_uuid());
        Self { marker: marker("consent", flow), proof, expires_at: flow.expires_at(lifetime) }
    }
}

fn marker(step: &str, flow: &AuthorizationFlow) -> TokenDigest {
    PlainToken::received(format!("{step} {}", flow.id)).digest()
}
