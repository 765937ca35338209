//! Error codes and the fields `error` and `error_description` (RFC 6749 sections 4.1.2.1 and 5.2, RFC 6750 section 3.1,
//! OpenID Connect Core section 3.1.2.6, RFC 8628 section 3.5, RFC 7591 section 3.2.2).

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

macro_rules! error_codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $status:literal, $sentence:literal;)+) => {
        /// An `error` code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode { $($(#[$doc])* $variant,)+ }

        impl ErrorCode {
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The HTTP status of a response that is not a redirect.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ }
            }

            /// The first sentence of the description.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)+ }
            }
        }
    };
}

error_codes! {
    InvalidRequest = "invalid_request", 400,
        "A parameter is missing, repeated, malformed or has a value that is not accepted.";
    InvalidClient = "invalid_client", 401,
        "The client is unknown, or it did not authenticate in the way that is registered for it.";
    UnauthorizedClient = "unauthorized_client", 400,
        "The client is not registered for this grant type or response type.";
    InvalidGrant = "invalid_grant", 400,
        "The authorization code, refresh token or other grant is unknown, expired, revoked, or was issued to someone else.";
    UnsupportedGrantType = "unsupported_grant_type", 400, "This grant type is not supported.";
    InvalidScope = "invalid_scope", 400, "A requested scope is unknown, malformed, or not allowed for this client.";
    AccessDenied = "access_denied", 403, "The resource owner or this server denied the request.";
    UnsupportedResponseType = "unsupported_response_type", 400, "This response type is not supported or not registered.";
    UnsupportedResponseMode = "unsupported_response_mode", 400, "This response mode is not supported here.";
    ServerError = "server_error", 500, "An internal error prevented the server from processing the request.";
    TemporarilyUnavailable = "temporarily_unavailable", 503, "The server is temporarily unavailable; try again later.";
    InvalidState = "invalid_state", 400, "The state parameter is missing or too short.";
    InsufficientEntropy = "insufficient_entropy", 400, "A value that must be hard to guess is too short.";
    RequestUnauthorized = "request_unauthorized", 401, "The request is not, or no longer, authorized.";
    RequestForbidden = "request_forbidden", 403, "The request is not allowed.";
    InvalidToken = "invalid_token", 401, "The access token is unknown, expired or revoked.";
    TokenInactive = "token_inactive", 401, "The token is no longer active.";
    InsufficientScope = "insufficient_scope", 403, "The access token does not have a required scope.";
    ScopeNotGranted = "scope_not_granted", 403, "The token was not granted a required scope.";
    LoginRequired = "login_required", 400, "The user must sign in.";
    ConsentRequired = "consent_required", 400, "The user must give consent.";
    InteractionRequired = "interaction_required", 400, "The request requires user interaction.";
    RequestNotSupported = "request_not_supported", 400, "The request parameter is not supported.";
    RequestUriNotSupported = "request_uri_not_supported", 400, "The request_uri parameter is not supported.";
    RegistrationNotSupported = "registration_not_supported", 400, "The registration parameter is not supported.";
    InvalidRequestUri = "invalid_request_uri", 400, "The request_uri is not registered or does not refer to a request object.";
    InvalidRequestObject = "invalid_request_object", 400, "The request object is not valid.";
    JtiKnown = "jti_known", 400, "The assertion was used before.";
    AuthorizationPending = "authorization_pending", 400, "The user has not decided yet.";
    SlowDown = "slow_down", 400, "The client is polling too often.";
    ExpiredToken = "expired_token", 400, "The device code has expired.";
    InvalidClientMetadata = "invalid_client_metadata", 400, "A value in the client's metadata is not accepted.";
    InvalidRedirectUri = "invalid_redirect_uri", 400, "A redirect URI in the client's metadata is not accepted.";
    NotFound = "not_found", 404, "The resource does not exist.";
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// An error for the client: its code and a specific description.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {hint}")]
pub struct OAuthError {
    pub code: ErrorCode,
    pub hint: Cow<'static, str>,
}

impl OAuthError {
    pub fn new(code: ErrorCode, hint: impl Into<Cow<'static, str>>) -> Self {
        Self { code, hint: hint.into() }
    }

    /// The `error_description`: the code's sentence, then the hint, limited to the characters that RFC 6749 section 5.2
    /// allows.
    pub fn description(&self) -> String {
        let sentence = self.code.sentence();
        let text = if self.hint.is_empty() { sentence.to_owned() } else { format!("{sentence} {}", self.hint) };
        text.chars().map(allowed_character).collect()
    }
}

impl From<ErrorCode> for OAuthError {
    fn from(code: ErrorCode) -> Self {
        Self::new(code, "")
    }
}

fn allowed_character(character: char) -> char {
    match character {
        '"' => '\'',
        '\\' => '/',
        ' '..='~' => character,
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_uses_only_allowed_characters() {
        let error = OAuthError::new(ErrorCode::InvalidRequest, "Parameter \"näme\"\nis C:\\bad.");
        assert!(error.description().ends_with("Parameter 'n?me'?is C:/bad."));
        assert_eq!(OAuthError::from(ErrorCode::InvalidGrant).description(), ErrorCode::InvalidGrant.sentence());
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ErrorCode::ALL.len());
    }
}
