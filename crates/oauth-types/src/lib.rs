//! OAuth 2.0 and OpenID Connect as values: parameters, scopes, response types, redirect URIs, PKCE, error codes and
//! response bodies (RFC 6749, 6750, 7009, 7636, 7662, 8252, 8414, 9700; OpenID Connect Core and Discovery).
//!
//! Invariants:
//! - No clock, network or database.
//! - Every value is valid: input is parsed into one of these types, or into an error that names the parameter.

mod client_credentials;
mod error;
mod grant_type;
mod introspection;
mod metadata;
mod parameters;
mod pkce;
mod prompt;
mod redirect_uri;
mod response_type;
mod scope;
mod token_response;

pub use client_credentials::{ClientCredentials, JWT_BEARER_ASSERTION, MalformedCredentials};
pub use error::{ErrorCode, OAuthError};
pub use grant_type::GrantType;
pub use introspection::{ActiveToken, Introspection, TokenUse};
pub use metadata::ProviderMetadata;
pub use parameters::{ParameterError, Parameters};
pub use pkce::{CodeChallenge, CodeVerifier, PkceError};
pub use prompt::{Prompt, PromptError, PromptSet};
pub use redirect_uri::{RedirectUri, RedirectUriError, redirect_uri_matches};
pub use response_type::{ResponseMode, ResponseTypeError, ResponseTypes};
pub use scope::{ScopeMatching, ScopeSet};
pub use token_response::{TokenResponse, TokenType};
