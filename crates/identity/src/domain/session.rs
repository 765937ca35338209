//! Sessions: who is signed in, since when, and with which authentication methods.
//!
//! A session lives until it expires or is revoked; its expiry does not slide. Its methods are only ever added to. Its
//! assurance level follows from them alone: assurance counts factors, not methods.

use std::time::Duration;

use base::{PlainToken, Rng, Timestamp, TokenDigest};
use serde::{Deserialize, Serialize};

use super::credential_type::Identifiers;
use super::device::Device;
use super::{Aal, CredentialType, IdentityId};

base::uuid_ids! {
    /// One session of one user.
    SessionId;
}

/// The prefix of every session token.
const TOKEN_PREFIX: &str = "ory_st_";
const TOKEN_LENGTH: usize = 32;

/// One completed authentication method of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthenticationMethod {
    pub method: CredentialType,
    pub aal: Aal,
    pub completed_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
}

impl AuthenticationMethod {
    pub fn new(method: CredentialType, aal: Aal, completed_at: Timestamp) -> Self {
        Self { method, aal, completed_at, provider: None, organization: None }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    pub id: SessionId,
    pub identity_id: IdentityId,
    pub token_digest: TokenDigest,
    /// Whether it was not revoked; for expiry see [`Session::is_alive`].
    pub active: bool,
    pub aal: Aal,
    pub authentication_methods: Vec<AuthenticationMethod>,
    pub issued_at: Timestamp,
    pub authenticated_at: Timestamp,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub devices: Vec<Device>,
}

impl Session {
    /// Replaces the token; the previous one is no longer valid.
    pub fn renew_token(&mut self, rng: &Rng) -> PlainToken {
        let token = PlainToken::generate(rng, TOKEN_PREFIX, TOKEN_LENGTH);
        self.token_digest = token.digest();
        token
    }

    /// A new session, and its token, which is not stored.
    pub fn issue(
        rng: &Rng,
        identity_id: IdentityId,
        method: AuthenticationMethod,
        device: Device,
        lifespan: Duration,
        now: Timestamp,
    ) -> (Self, PlainToken) {
        let token = PlainToken::generate(rng, TOKEN_PREFIX, TOKEN_LENGTH);
        let mut session = Self {
            id: SessionId::generate(rng),
            identity_id,
            token_digest: token.digest(),
            active: true,
            aal: Aal::Aal0,
            authentication_methods: Vec::new(),
            issued_at: now,
            authenticated_at: now,
            expires_at: now.plus(lifespan),
            created_at: now,
            updated_at: now,
            devices: vec![device],
        };
        session.authenticate(method, lifespan, now);
        (session, token)
    }

    /// Records another proof by the same user: the session gets a new lifespan and keeps its earlier proofs.
    pub fn authenticate(&mut self, method: AuthenticationMethod, lifespan: Duration, now: Timestamp) {
        self.authentication_methods.push(method);
        self.aal = level_of(&self.authentication_methods);
        self.authenticated_at = now;
        self.expires_at = now.plus(lifespan);
        self.updated_at = now;
    }

    /// Adds a factor that the user set up within the session. Neither the time of the last sign-in nor the expiry of the
    /// session changes. A factor that is set up again counts once.
    pub fn add_factor(&mut self, method: AuthenticationMethod, now: Timestamp) {
        self.authentication_methods.retain(|known| known.method != method.method);
        self.authentication_methods.push(method);
        self.aal = level_of(&self.authentication_methods);
        self.updated_at = now;
    }

    /// The authentication method references of the session (RFC 8176 section 2).
    pub fn authentication_method_references(&self) -> Vec<&'static str> {
        let mut references = Vec::new();
        let of_methods = self.authentication_methods.iter().filter_map(|it| it.method.reference());
        for reference in of_methods.chain((self.aal == Aal::Aal2).then_some("mfa")) {
            if !references.contains(&reference) {
                references.push(reference);
            }
        }
        references
    }

    /// Whether the session is neither revoked nor expired. Its identity must also be active.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.active && now < self.expires_at
    }

    /// Whether the last proof is recent enough for privileged changes; a `max_age` of zero or less requires nothing.
    pub fn is_privileged(&self, max_age: Option<Duration>, now: Timestamp) -> bool {
        max_age.is_none_or(|max_age| now < self.authenticated_at.plus(max_age))
    }

    /// The expiry after an extension at `now`. An extension earlier than `earliest` before the expiry has no effect.
    pub fn extended_expiry(&self, lifespan: Duration, earliest: Duration, now: Timestamp) -> Timestamp {
        if self.expires_at.minus(earliest) <= now { now.plus(lifespan) } else { self.expires_at }
    }
}

/// The level of these proofs together.
fn level_of(methods: &[AuthenticationMethod]) -> Aal {
    let mut first = false;
    let mut second = false;
    for method in methods {
        match method.aal {
            Aal::Aal0 => {}
            Aal::Aal1 => first = true,
            Aal::Aal2 => {
                second = true;
                // A provider that required two factors itself counts as both.
                first = first || method.method.identifiers() == Identifiers::Foreign;
            }
        }
    }
    match (first, second) {
        (true, true) => Aal::Aal2,
        (true, false) | (false, true) => Aal::Aal1,
        (false, false) => Aal::Aal0,
    }
}

/// The assurance level that an endpoint requires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequiredAal {
    Aal1,
    /// The second factor of every user who has one.
    #[default]
    // `aal2` requires a second factor of every user, but no page asks users to set one up yet: `server` rejects it unless
    // the operator accepts the missing protection.
    #[serde(alias = "aal2")]
    HighestAvailable,
}

impl RequiredAal {
    /// Whether a session at `reached` suffices for a user whose credentials reach `available`.
    pub fn is_met(self, reached: Aal, available: Aal) -> bool {
        match self {
            Self::Aal1 => true,
            Self::HighestAvailable => available < Aal::Aal2 || reached >= Aal::Aal2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(kind: CredentialType, aal: Aal) -> AuthenticationMethod {
        AuthenticationMethod::new(kind, aal, Timestamp::EPOCH)
    }

    #[test]
    fn assurance_counts_factors_not_methods() {
        use CredentialType::{CodeRecovery, Oidc, Password, Totp};
        assert_eq!(level_of(&[]), Aal::Aal0);
        assert_eq!(level_of(&[method(Password, Aal::Aal1), method(CodeRecovery, Aal::Aal1)]), Aal::Aal1);
        assert_eq!(level_of(&[method(Totp, Aal::Aal2)]), Aal::Aal1);
        assert_eq!(level_of(&[method(Password, Aal::Aal1), method(Totp, Aal::Aal2)]), Aal::Aal2);
        assert_eq!(level_of(&[method(Oidc, Aal::Aal2)]), Aal::Aal2);
    }

    fn session() -> Session {
        let rng = Rng::seeded(1);
        let identity = IdentityId::generate(&rng);
        let device = Device::unknown(&rng);
        let proof = method(CredentialType::Password, Aal::Aal1);
        Session::issue(&rng, identity, proof, device, Duration::from_mins(1), Timestamp::EPOCH).0
    }

    #[test]
    fn a_session_ends_at_its_expiry_and_when_revoked() {
        let mut session = session();
        assert!(session.is_alive(Timestamp::from_unix_seconds(59)));
        assert!(!session.is_alive(Timestamp::from_unix_seconds(60)));
        session.active = false;
        assert!(!session.is_alive(Timestamp::EPOCH));
    }

    #[test]
    fn a_factor_that_is_set_up_does_not_renew_the_session_and_counts_once() {
        let mut session = session();
        let before = session.clone();
        for _ in 0..3 {
            session.add_factor(method(CredentialType::LookupSecret, Aal::Aal2), Timestamp::from_unix_seconds(30));
        }
        assert_eq!(session.aal, Aal::Aal2);
        assert_eq!(session.authentication_methods.len(), 2);
        assert_eq!((session.authenticated_at, session.expires_at), (before.authenticated_at, before.expires_at));
    }

    #[test]
    fn a_recent_proof_is_privileged_for_a_while() {
        let session = session();
        assert!(session.is_privileged(Some(Duration::from_secs(10)), Timestamp::from_unix_seconds(9)));
        assert!(!session.is_privileged(Some(Duration::from_secs(10)), Timestamp::from_unix_seconds(10)));
        assert!(session.is_privileged(None, Timestamp::MAX));
    }

    #[test]
    fn an_extension_is_ignored_before_its_window() {
        let session = session();
        let (lifespan, earliest) = (Duration::from_mins(1), Duration::from_secs(10));
        assert_eq!(session.extended_expiry(lifespan, earliest, Timestamp::from_unix_seconds(49)).unix_seconds(), 60);
        assert_eq!(session.extended_expiry(lifespan, earliest, Timestamp::from_unix_seconds(50)).unix_seconds(), 110);
    }

    #[test]
    fn the_highest_available_level_is_required_only_of_people_who_have_it() {
        assert!(RequiredAal::HighestAvailable.is_met(Aal::Aal1, Aal::Aal1));
        assert!(RequiredAal::HighestAvailable.is_met(Aal::Aal1, Aal::Aal0));
        assert!(!RequiredAal::HighestAvailable.is_met(Aal::Aal1, Aal::Aal2));
        assert!(RequiredAal::Aal1.is_met(Aal::Aal1, Aal::Aal2));
    }
}
