//! `POST /oauth2/device/auth` (RFC 8628 section 3.1). Discovery must name the endpoint, because clients of the systems that
//! we replace do not read a document without it; the grant itself is not among `grant_types_supported`.

use oauth_types::ErrorCode;

use super::token_error::TokenError;

pub(super) const PATH: &str = "/oauth2/device/auth";

/// RFC 8628 section 3.2 answers with the errors of RFC 6749 section 5.2.
pub(super) async fn post() -> TokenError {
    TokenError::new(ErrorCode::UnsupportedGrantType, "the device authorization grant is not served here")
}
