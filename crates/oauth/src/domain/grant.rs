//! A grant: what one person let one client do, in one authorization (RFC 6749 section 1.3). One row holds the
//! authorization code, the session data for tokens and the family of refresh tokens.
//!
//! What always holds: the scope and audience never widen; a revoked grant stays revoked; every token of a grant ends with
//! it.

use base::{Timestamp, TokenDigest};
use oauth_types::{CodeChallenge, ScopeSet};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::client::ClientId;
use super::login_session::LoginSessionId;
use super::person_claims::PersonClaims;

base::uuid_ids! {
    /// A grant; the consent request that led to it had the same id.
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
    /// Absent for grants that no code led to.
    pub code: Option<IssuedCode>,
    pub nonce: Option<String>,
    pub acr: Option<String>,
    pub amr: Vec<String>,
    pub authenticated_at: Option<Timestamp>,
    pub requested_at: Timestamp,
    pub session: GrantSession,
    /// Absent until a first refresh token is issued.
    pub refresh: Option<RefreshFamily>,
    pub revoked_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// When the row is of no more use: every token has expired, and a code would no longer be recognised as replayed.
    pub expires_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq)]
pub struct IssuedCode {
    pub digest: TokenDigest,
    pub state: CodeState,
    pub expires_at: Timestamp,
    pub challenge: Option<CodeChallenge>,
    /// As it was sent; `None` when the authorization request left it out.
    pub redirect_uri: Option<String>,
}

/// Issued -> Redeemed | Invalidated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeState {
    Issued,
    Redeemed,
    /// Somebody presented it without the proof that belongs to it (RFC 7636).
    Invalidated,
}

/// The refresh tokens of a grant: one is current, and its predecessor may be repeated for a while.
#[derive(Clone, Debug, PartialEq)]
pub struct RefreshFamily {
    /// 1 for the first token; grows with each rotation.
    pub generation: i32,
    pub digest: TokenDigest,
    /// The current token, sealed for a repetition of the rotation that made it.
    pub successor: Option<Vec<u8>>,
    pub rotated_at: Option<Timestamp>,
    /// How often the predecessor was repeated.
    pub grace_uses: i32,
    pub expires_at: Timestamp,
}

/// What the tokens say beside the columns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GrantSession {
    /// `sub` as the client may see it, when that is not the subject itself (pairwise or forced).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown_subject: Option<String>,
    /// Custom claims for access tokens; introspection shows them as `ext`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub access_token: Map<String, Value>,
    /// Custom claims for ID tokens and userinfo.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub id_token: Map<String, Value>,
    /// What ID tokens and userinfo say about the person, as far as the scope allows.
    #[serde(default, skip_serializing_if = "PersonClaims::is_empty")]
    pub person: PersonClaims,
}

impl GrantSession {
    /// What tokens of this scope say about the person: what is known, then what an application chose to say.
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
