//! A grant: what one user allowed one client to do, in one authorization (RFC 6749 section 1.3). One row holds the
//! authorization code, the session data for tokens and the family of refresh tokens.
//!
//! Invariants: scope and audience are never extended; a revoked grant stays revoked; all tokens of a grant end with it.

use base::{Timestamp, TokenDigest};
use oauth_types::{CodeChallenge, ScopeSet};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::client::ClientId;
use super::login_session::LoginSessionId;
use super::person_claims::PersonClaims;

base::uuid_ids! {
    /// A grant; it has the id of its consent request.
    GrantId;
}

#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    pub id: GrantId,
    pub client_id: ClientId,
    pub subject: String,
    pub login_session_id: Option<LoginSessionId>,
    pub requested_scope: ScopeSet,
    pub scope: ScopeSet,
    pub audience: Vec<String>,
    /// Absent for grants without a code.
    pub code: Option<IssuedCode>,
    pub nonce: Option<String>,
    pub acr: Option<String>,
    pub amr: Vec<String>,
    pub authenticated_at: Option<Timestamp>,
    pub requested_at: Timestamp,
    pub session: GrantSession,
    /// Absent until the first refresh token is issued.
    pub refresh: Option<RefreshFamily>,
    pub revoked_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// When the row is no longer needed: every token has expired, and replays of the code are no longer detected.
    pub expires_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq)]
pub struct IssuedCode {
    pub digest: TokenDigest,
    pub state: CodeState,
    pub expires_at: Timestamp,
    pub challenge: Option<CodeChallenge>,
    /// As sent; `None` when the authorization request omitted it.
    pub redirect_uri: Option<String>,
}

/// Issued -> Redeemed | Invalidated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeState {
    Issued,
    Redeemed,
    /// Presented without the matching proof (RFC 7636).
    Invalidated,
}

/// The refresh tokens of a grant: one is current, and its predecessor may be reused for a while.
#[derive(Clone, Debug, PartialEq)]
pub struct RefreshFamily {
    /// 1 for the first token; incremented by each rotation.
    pub generation: i32,
    pub digest: TokenDigest,
    /// The current token, sealed, to be returned again when its predecessor is reused.
    pub successor: Option<Vec<u8>>,
    pub rotated_at: Option<Timestamp>,
    /// How often the predecessor was reused.
    pub grace_uses: i32,
    pub expires_at: Timestamp,
}

/// Token data that is not in columns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GrantSession {
    /// `sub` for the client, if it differs from the subject (pairwise or forced).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown_subject: Option<String>,
    /// Custom claims for access tokens; introspection returns them as `ext`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub access_token: Map<String, Value>,
    /// Custom claims for ID tokens and userinfo.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub id_token: Map<String, Value>,
    /// Claims about the user in ID tokens and userinfo, as far as the scope allows.
    #[serde(default, skip_serializing_if = "PersonClaims::is_empty")]
    pub person: PersonClaims,
}

impl GrantSession {
    /// The claims about the user for tokens with this scope: those of the identity, overridden by the consent
    /// application's.
    pub fn claims_about_person(&self, scope: &ScopeSet) -> Map<String, Value> {
        let mut claims = self.person.granted_by(scope);
        claims.extend(self.id_token.iter().map(|(name, value)| (name.clone(), value.clone())));
        claims
    }
}

impl Grant {
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }

    /// `sub` in ID tokens and userinfo.
    pub fn shown_subject(&self) -> &str {
        self.session.shown_subject.as_deref().unwrap_or(&self.subject)
    }
}

impl CodeState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Redeemed => "redeemed",
            Self::Invalidated => "burnt",
        }
    }
}
