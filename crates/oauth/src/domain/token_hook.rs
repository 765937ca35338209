//! Token hooks: an application of the operator may replace the custom claims of tokens before they are issued. The request
//! to the hook, and the meaning of its response.
//!
//! Invariants: a hook changes only custom claims; after an invalid response no token is issued.

use base::Timestamp;
use oauth_types::{GrantType, ScopeSet};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::claims::AccessTokenClaims;
use super::client::ClientId;
use super::grant::{Grant, GrantSession};

/// The tokens to issue.
#[derive(Clone, Copy, Debug)]
pub struct HookCall<'a> {
    pub issuer: &'a str,
    pub client_id: &'a ClientId,
    pub grant_type: GrantType,
    /// Absent when the client acts for itself.
    pub grant: Option<&'a Grant>,
    pub session: &'a GrantSession,
    pub requested_scope: &'a ScopeSet,
    pub granted_scope: &'a ScopeSet,
    pub audience: &'a [String],
    pub settings: &'a AccessTokenClaims,
    pub now: Timestamp,
}

/// The meaning of the response.
#[derive(Clone, Debug, PartialEq)]
pub enum HookAnswer {
    Unchanged,
    /// These maps replace both existing ones.
    Replaced {
        access_token: Map<String, Value>,
        id_token: Map<String, Value>,
    },
    Denied,
    NotUnderstood(&'static str),
}

/// Larger claims do not fit into a token that is sent in a header.
const MAX_CLAIMS: usize = 8 * 1024;

impl HookCall<'_> {
    /// The body for `oauth2.token_hook`.
    pub fn body(&self) -> Value {
        json!({
            "session": self.session(),
            "request": {
                "client_id": self.client_id,
                "requested_scopes": self.requested_scope.as_slice(),
                "granted_scopes": self.granted_scope.as_slice(),
                "granted_audience": self.audience,
                "grant_types": [self.grant_type.as_str()],
                "payload": {"grant_type": [self.grant_type.as_str()], "client_id": [self.client_id]},
            },
        })
    }

    /// The body for the older `oauth2.refresh_token_hook`.
    pub fn refresh_body(&self) -> Value {
        json!({
            "subject": self.subject(),
            "session": self.session(),
            "requester": {
                "client_id": self.client_id,
                "granted_scopes": self.granted_scope.as_slice(),
                "granted_audience": self.audience,
                "grant_types": [self.grant_type.as_str()],
            },
            "client_id": self.client_id,
            "granted_scopes": self.granted_scope.as_slice(),
            "granted_audience": self.audience,
        })
    }

    fn subject(&self) -> &str {
        self.grant.map_or(self.client_id.as_str(), |grant| grant.subject.as_str())
    }

    fn session(&self) -> Value {
        let grant = self.grant;
        let shown_subject = self.session.shown_subject.as_deref().unwrap_or(self.subject());
        json!({
            "id_token": {
                "id_token_claims": {
                    "jti": "",
                    "iss": self.issuer,
                    "sub": shown_subject,
                    "aud": [self.client_id],
                    "nonce": grant.and_then(|it| it.nonce.as_deref()).unwrap_or_default(),
                    "exp": Value::Null,
                    "iat": self.now,
                    "rat": grant.map_or(self.now, |it| it.requested_at),
                    "auth_time": grant.and_then(|it| it.authenticated_at),
                    "at_hash": "",
                    "acr": grant.and_then(|it| it.acr.as_deref()).unwrap_or_default(),
                    "amr": grant.map(|it| it.amr.as_slice()).unwrap_or_default(),
                    "c_hash": "",
                    "ext": self.session.claims_about_person(self.granted_scope),
                },
                "headers": {"extra": {}},
                "expires_at": {},
                "username": "",
                "subject": self.subject(),
            },
            "extra": self.session.access_token,
            "client_id": self.client_id,
            "consent_challenge": grant.map(|it| it.id.as_uuid().simple().to_string()).unwrap_or_default(),
            "exclude_not_before_claim": self.settings.exclude_not_before,
            "allowed_top_level_claims": self.settings.allowed_top_level,
            "mirror_top_level_claims": self.settings.mirror_top_level,
            "preserve_ext_claims": self.settings.preserve_ext,
        })
    }
}

#[derive(Deserialize)]
struct Reply {
    session: ReplySession,
}

#[derive(Deserialize)]
struct ReplySession {
    #[serde(default)]
    access_token: Option<Map<String, Value>>,
    #[serde(default)]
    id_token: Option<Map<String, Value>>,
}

/// Parses a hook's response.
pub fn interpret(status: u16, body: &[u8]) -> HookAnswer {
    match status {
        204 => HookAnswer::Unchanged,
        403 => HookAnswer::Denied,
        200 if body.len() > MAX_CLAIMS => HookAnswer::NotUnderstood("its claims are too large"),
        200 => match serde_json::from_slice::<Reply>(body) {
            Ok(Reply { session }) => HookAnswer::Replaced {
                access_token: session.access_token.unwrap_or_default(),
                id_token: session.id_token.unwrap_or_default(),
            },
            Err(_) => HookAnswer::NotUnderstood("its body is not a session"),
        },
        _ => HookAnswer::NotUnderstood("its status is not 200, 204 or 403"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_replaces_keeps_or_denies() {
        let body = json!({"session": {"access_token": {"a": 1}, "id_token": {}}}).to_string();
        let access_token = json!({"a": 1}).as_object().unwrap().clone();
        let replaced = HookAnswer::Replaced { access_token, id_token: Map::new() };
        assert_eq!(interpret(200, body.as_bytes()), replaced);
        assert_eq!(interpret(204, b""), HookAnswer::Unchanged);
        assert_eq!(interpret(403, b"no"), HookAnswer::Denied);
        for (status, body) in [(200, ""), (200, "{}"), (200, r#"{"session":{"access_token":5}}"#), (500, ""), (302, "")]
        {
            assert!(matches!(interpret(status, body.as_bytes()), HookAnswer::NotUnderstood(_)), "{status} {body}");
        }
        assert!(matches!(interpret(200, &vec![b' '; MAX_CLAIMS + 1]), HookAnswer::NotUnderstood(_)));
    }
}
