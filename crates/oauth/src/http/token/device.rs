//! `POST /oauth2/device/auth` (RFC 8628 section 3.1). The device authorization grant is not supported, so discovery lists
//! neither the endpoint nor the grant; a client that uses the endpoint gets an error that says so.

use oauth_types::ErrorCode;

use super::token_error::TokenError;

pub(super) const PATH: &str = "/oauth2/device/auth";

/// RFC 8628 section 3.2 uses the errors of RFC 6749 section 5.2.
pub(super) async fn post() -> TokenError {
    TokenError::new(ErrorCode::UnsupportedGrantType, "the device authorization grant is not supported")
}
