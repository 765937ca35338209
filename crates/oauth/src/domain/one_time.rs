//! Each challenge is redeemed once, whatever is replayed.
//!
//! The row that a redemption writes anyway is the proof of it: the login session, whose id the login challenge fixed, and
//! the grant, which takes the id of the flow. Where no such row is written, a marker is: for a rejection, and for a login
//! that an existing session answered. What always holds: a proof outlives the challenge that it guards.

use std::time::Duration;

use base::{PlainToken, Timestamp, TokenDigest};
use uuid::Uuid;

use super::login_challenge::AuthorizationFlow;

/// A challenge, as far as it can be used up.
#[derive(Clone, Copy, Debug)]
pub struct OneTime {
    /// Names the marker.
    pub marker: TokenDigest,
    pub proof: Proof,
    /// When the challenge, and whatever comes of it, is no longer accepted.
    pub expires_at: Timestamp,
}

/// The row that tells that a challenge was redeemed, beside its marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    LoginSession(Uuid),
    Grant(Uuid),
    /// No row comes into being by the redemption.
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
