//! The events of this service: what the log says happened, to whom, and with which attributes.
//!
//! A variant is one event; serde gives its name and its attributes, and [`Event::subject`] what it is about. Names are
//! Hydra's where Hydra has the event. Events name clients, grants and users; they never hold a token or a secret.

use jobs::{DomainEvent, Subject};
use oauth_types::{GrantType, ScopeSet};
use serde::Serialize;
use uuid::Uuid;

use super::client::ClientId;
use super::grant::{Grant, GrantId};
use super::login_session::LoginSessionId;

/// An event of this service. `subject` is the `sub` of the user, before it is made pairwise for a client.
#[derive(Clone, Copy, Debug, Serialize)]
pub enum Event<'a> {
    /// A user signed in for a client, or their remembered login was used again. Written when the browser brings the
    /// decision of the login application, once for each authorization request.
    #[serde(rename = "OAuth2LoginAccepted")]
    LoginAccepted {
        #[serde(skip)]
        subject: &'a str,
        client_id: &'a ClientId,
        login_session_id: LoginSessionId,
    },
    /// The login application rejected a login request. The subject is empty unless the browser had a remembered login.
    #[serde(rename = "OAuth2LoginRejected")]
    LoginRejected {
        #[serde(skip)]
        subject: &'a str,
        client_id: &'a ClientId,
        consent_request_id: GrantId,
        /// The error code that the client receives.
        reason: &'a str,
    },
    /// A login session ended: the user signed out, an operator or the identity service ended it, or the account ended.
    /// Its grants are revoked in the same transaction.
    #[serde(rename = "OAuth2LoginSessionEnded")]
    LoginSessionEnded {
        #[serde(skip)]
        subject: &'a str,
        login_session_id: LoginSessionId,
    },
    /// The identity service disabled or deleted a user: their login sessions, grants and consents ended.
    #[serde(rename = "OAuth2SubjectEnded")]
    SubjectEnded { subject: &'a str },
    /// A user consented, or their consent was not needed: the client receives a code, tokens, or both.
    #[serde(rename = "OAuth2ConsentAccepted")]
    ConsentAccepted {
        #[serde(skip)]
        subject: &'a str,
        client_id: &'a ClientId,
        consent_request_id: GrantId,
        /// The granted scope.
        scope: &'a ScopeSet,
    },
    /// The consent application, or the user on the built-in page, rejected a consent request.
    #[serde(rename = "OAuth2ConsentRejected")]
    ConsentRejected {
        #[serde(skip)]
        subject: &'a str,
        client_id: &'a ClientId,
        consent_request_id: GrantId,
        /// The error code that the client receives.
        reason: &'a str,
    },
    /// Consents of a user were revoked, with the grants that they led to: one consent, those to a client, or all.
    #[serde(rename = "OAuth2ConsentRevoked")]
    ConsentRevoked {
        #[serde(skip)]
        subject: &'a str,
        /// Absent when the consents to all clients were revoked.
        #[serde(skip_serializing_if = "Option::is_none")]
        client_id: Option<&'a ClientId>,
        /// Present when one consent was revoked by its id.
        #[serde(skip_serializing_if = "Option::is_none")]
        consent_request_id: Option<GrantId>,
    },
    /// A client was registered.
    #[serde(rename = "OAuth2ClientCreated")]
    ClientCreated { client_id: &'a ClientId, client_name: &'a str },
    /// The registration, a secret or the lifespans of a client changed.
    #[serde(rename = "OAuth2ClientUpdated")]
    ClientUpdated { client_id: &'a ClientId, client_name: &'a str },
    /// A client was deleted, with its grants and consents.
    #[serde(rename = "OAuth2ClientDeleted")]
    ClientDeleted { client_id: &'a ClientId },
    /// A grant gave tokens, for a code or a refresh token. Kept for a shorter time than the other events
    /// ([`jobs::TOKEN_ISSUED`]). Tokens of the grant type `client_credentials` belong to no grant and have no event.
    #[serde(rename = "OAuth2AccessTokenIssued")]
    AccessTokenIssued {
        #[serde(skip)]
        subject: &'a str,
        client_id: &'a ClientId,
        consent_request_id: GrantId,
        grant_type: &'a str,
    },
    /// The token endpoint refused a code or a refresh token, and what was granted ended with it.
    #[serde(rename = "OAuth2TokenExchangeError")]
    TokenExchangeError {
        #[serde(skip)]
        subject: &'a str,
        client_id: &'a ClientId,
        consent_request_id: GrantId,
        reason: ExchangeFailure,
    },
    /// Tokens of a client were revoked, by the client or by an operator.
    #[serde(rename = "OAuth2AccessTokenRevoked")]
    AccessTokenRevoked {
        client_id: &'a ClientId,
        #[serde(flatten)]
        tokens: RevokedTokens,
    },
    /// An operator added a key to a set.
    #[serde(rename = "OAuth2KeyCreated")]
    KeyCreated {
        #[serde(skip)]
        set: &'a str,
        kid: &'a str,
    },
    /// An operator replaced a key of a set, or added it under a name of their choice.
    #[serde(rename = "OAuth2KeyReplaced")]
    KeyReplaced {
        #[serde(skip)]
        set: &'a str,
        kid: &'a str,
    },
    /// An operator deleted a key of a set.
    #[serde(rename = "OAuth2KeyDeleted")]
    KeyDeleted {
        #[serde(skip)]
        set: &'a str,
        kid: &'a str,
    },
    /// The next key of a set was published by the rotation. It signs later, when relying parties know it.
    #[serde(rename = "OAuth2KeyRotated")]
    KeyRotated {
        #[serde(skip)]
        set: &'a str,
        kid: &'a str,
    },
    /// An operator replaced all keys of a set.
    #[serde(rename = "OAuth2KeySetReplaced")]
    KeySetReplaced {
        #[serde(skip)]
        set: &'a str,
    },
    /// An operator deleted a set with its keys.
    #[serde(rename = "OAuth2KeySetDeleted")]
    KeySetDeleted {
        #[serde(skip)]
        set: &'a str,
    },
}

/// Why a code or a refresh token was refused and its grant, or the code alone, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExchangeFailure {
    /// The code was redeemed before: the grant ended (RFC 6749 section 4.1.2).
    CodeReplayed,
    /// The PKCE verifier was missing or wrong: the code ended.
    #[serde(rename = "code_burnt")]
    CodeInvalidated,
    /// The refresh token was used before: the grant ended (RFC 9700 section 4.14.2).
    RefreshTokenReused,
}

/// Which tokens of a client were revoked.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(untagged)]
pub enum RevokedTokens {
    /// All tokens of a grant.
    OfGrant { consent_request_id: GrantId },
    /// One access token without a grant.
    One { jti: Uuid },
    /// Every access token of the client; refresh tokens stay. `all` is true.
    AccessTokens { all: bool },
}

impl RevokedTokens {
    pub const ALL_ACCESS_TOKENS: Self = Self::AccessTokens { all: true };
}

impl<'a> Event<'a> {
    pub fn token_issued(grant: &'a Grant, grant_type: GrantType) -> Self {
        Self::AccessTokenIssued {
            subject: &grant.subject,
            client_id: &grant.client_id,
            consent_request_id: grant.id,
            grant_type: grant_type.as_str(),
        }
    }

    pub fn exchange_failed(grant: &'a Grant, reason: ExchangeFailure) -> Self {
        Self::TokenExchangeError {
            subject: &grant.subject,
            client_id: &grant.client_id,
            consent_request_id: grant.id,
            reason,
        }
    }
}

impl DomainEvent for Event<'_> {
    fn subject(&self) -> Subject<'_> {
        match *self {
            Self::LoginAccepted { subject, .. }
            | Self::LoginRejected { subject, .. }
            | Self::LoginSessionEnded { subject, .. }
            | Self::SubjectEnded { subject }
            | Self::ConsentAccepted { subject, .. }
            | Self::ConsentRejected { subject, .. }
            | Self::ConsentRevoked { subject, .. }
            | Self::AccessTokenIssued { subject, .. }
            | Self::TokenExchangeError { subject, .. } => Subject::Person(subject.into()),
            Self::ClientCreated { client_id, .. }
            | Self::ClientUpdated { client_id, .. }
            | Self::ClientDeleted { client_id }
            | Self::AccessTokenRevoked { client_id, .. } => Subject::Client(client_id.as_str().into()),
            Self::KeyCreated { set, .. }
            | Self::KeyReplaced { set, .. }
            | Self::KeyDeleted { set, .. }
            | Self::KeyRotated { set, .. }
            | Self::KeySetReplaced { set }
            | Self::KeySetDeleted { set } => Subject::KeySet(set.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    /// Every event: a new variant does not compile without a line here, and fails the test below without a sample.
    const NAMES: usize = 19;

    fn number(event: &Event<'_>) -> usize {
        match event {
            Event::LoginAccepted { .. } => 0,
            Event::LoginRejected { .. } => 1,
            Event::LoginSessionEnded { .. } => 2,
            Event::SubjectEnded { .. } => 3,
            Event::ConsentAccepted { .. } => 4,
            Event::ConsentRejected { .. } => 5,
            Event::ConsentRevoked { .. } => 6,
            Event::ClientCreated { .. } => 7,
            Event::ClientUpdated { .. } => 8,
            Event::ClientDeleted { .. } => 9,
            Event::AccessTokenIssued { .. } => 10,
            Event::TokenExchangeError { .. } => 11,
            Event::AccessTokenRevoked { .. } => 12,
            Event::KeyCreated { .. } => 13,
            Event::KeyReplaced { .. } => 14,
            Event::KeyDeleted { .. } => 15,
            Event::KeyRotated { .. } => 16,
            Event::KeySetReplaced { .. } => 17,
            Event::KeySetDeleted { .. } => 18,
        }
    }

    #[test]
    fn every_event_has_its_name_its_kind_of_subject_and_its_attributes() {
        let (client, name) = (ClientId::parse("shop").unwrap(), "The Shop");
        let (grant, session) = (GrantId::from_uuid(Uuid::nil()), LoginSessionId::from_uuid(Uuid::max()));
        let scope = ScopeSet::parse("openid photos");
        let (subject, client_id, consent_request_id, login_session_id) = ("ada", &client, grant, session);
        let (set, kid, reason) = ("hydra.openid.id-token", "key-1", "access_denied");
        let revoked = |client_id, consent_request_id| Event::ConsentRevoked { subject, client_id, consent_request_id };
        let failed = |reason| Event::TokenExchangeError { subject, client_id, consent_request_id, reason };
        let events = [
            Event::LoginAccepted { subject, client_id, login_session_id },
            Event::LoginRejected { subject, client_id, consent_request_id, reason },
            Event::LoginSessionEnded { subject, login_session_id },
            Event::SubjectEnded { subject },
            Event::ConsentAccepted { subject, client_id, consent_request_id, scope: &scope },
            Event::ConsentRejected { subject, client_id, consent_request_id, reason },
            revoked(None, None),
            revoked(Some(client_id), None),
            revoked(Some(client_id), Some(grant)),
            Event::ClientCreated { client_id, client_name: name },
            Event::ClientUpdated { client_id, client_name: name },
            Event::ClientDeleted { client_id },
            Event::AccessTokenIssued { subject, client_id, consent_request_id, grant_type: "refresh_token" },
            failed(ExchangeFailure::CodeReplayed),
            failed(ExchangeFailure::CodeInvalidated),
            failed(ExchangeFailure::RefreshTokenReused),
            Event::AccessTokenRevoked { client_id, tokens: RevokedTokens::OfGrant { consent_request_id } },
            Event::AccessTokenRevoked { client_id, tokens: RevokedTokens::One { jti: Uuid::nil() } },
            Event::AccessTokenRevoked { client_id, tokens: RevokedTokens::ALL_ACCESS_TOKENS },
            Event::KeyCreated { set, kid },
            Event::KeyReplaced { set, kid },
            Event::KeyDeleted { set, kid },
            Event::KeyRotated { set, kid },
            Event::KeySetReplaced { set },
            Event::KeySetDeleted { set },
        ];
        let shown: BTreeSet<usize> = events.iter().map(number).collect();
        assert_eq!(shown, (0..NAMES).collect());
        insta::assert_snapshot!(events.iter().map(line).collect::<String>());
    }

    fn line(event: &Event<'_>) -> String {
        let Value::Object(variant) = serde_json::to_value(event).unwrap() else { panic!("{event:?} is no object") };
        let (name, attributes) = variant.into_iter().next().unwrap();
        format!("{name} {:?} {attributes}\n", event.subject())
    }

    #[test]
    fn the_event_of_an_issued_token_has_the_name_that_the_event_log_keeps_for_a_shorter_time() {
        let client_id = &ClientId::parse("shop").unwrap();
        let consent_request_id = GrantId::from_uuid(Uuid::nil());
        let event = Event::AccessTokenIssued { subject: "ada", client_id, consent_request_id, grant_type: "" };
        assert!(line(&event).starts_with(&format!("{} Person(", jobs::TOKEN_ISSUED)));
    }
}
