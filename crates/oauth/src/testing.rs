//! Values for the tests of this crate.

use std::time::Duration;

use base::{Rng, Timestamp};
use oauth_types::ScopeSet;

use crate::domain::client::{Client, ClientId, ClientMetadata};
use crate::domain::grant::{Grant, GrantId, GrantSession};
use crate::domain::login_session::LoginSessionId;

/// A confidential client without a secret.
pub(crate) fn a_client(id: &str) -> Client {
    Client {
        id: ClientId::parse(id).unwrap(),
        secrets: Vec::new(),
        metadata: ClientMetadata { client_name: "Shop".to_owned(), ..ClientMetadata::default() },
        registration_token: None,
        token_epoch: 1,
        version: 1,
        created_at: Timestamp::EPOCH,
        updated_at: Timestamp::EPOCH,
    }
}

/// Ada's grant for `client-1`: `openid offline photos`, without a code.
pub(crate) fn a_grant(now: Timestamp) -> Grant {
    let rng = Rng::seeded(u64::try_from(now.unix_micros()).unwrap_or(0));
    Grant {
        id: GrantId::generate(&rng),
        client_id: ClientId::parse("client-1").unwrap(),
        subject: "ada".to_owned(),
        login_session_id: Some(LoginSessionId::generate(&rng)),
        requested_scope: ScopeSet::parse("openid offline photos"),
        scope: ScopeSet::parse("openid offline photos"),
        audience: vec!["https://api.example".to_owned()],
        code: None,
        nonce: None,
        acr: None,
        amr: Vec::new(),
        authenticated_at: Some(now),
        requested_at: now,
        session: GrantSession::default(),
        refresh: None,
        revoked_at: None,
        created_at: now,
        expires_at: now.plus(Duration::from_hours(1)),
    }
}
