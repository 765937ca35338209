//! `POST /oauth2/device/auth` (RFC 8628 section 3.1). The device authorization grant is not served, so discovery names
//! neither the endpoint nor the grant; a client that is configured with the endpoint reads why it gets no device code.

use oauth_types::ErrorCode;

use super::token_error::TokenError;

pub(super) const PATH: &str = "/oauth2/device/auth";

/// RFC 8628 section 3.2 answers with the errors of RFC 6749 section 5.2.
pub(super) async fn post() -> TokenError {
    TokenError::new(ErrorCode::UnsupportedGrantType, "the device authorization grant is not served here")
}
