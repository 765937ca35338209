//! The operations of the service, one per file: read the data, call the domain for a decision, execute it in one
//! transaction.

use std::time::Duration;

pub mod answer_authorization;
pub mod authenticate_client;
pub mod authorize_client;
pub mod call_token_hooks;
pub mod check_identity_session;
pub mod consent_requests;
pub mod consent_sessions;
pub mod create_client;
pub mod delete_client;
pub mod end_login_session;
pub mod introspect_token;
pub mod list_clients;
pub mod login_requests;
pub mod manage_keys;
pub mod mint_tokens;
pub mod redeem_code;
pub mod redeem_consent;
pub mod redeem_login;
mod redeem_rejection;
pub mod refresh;
pub mod revoke_token;
pub mod rotate_client_secret;
mod rules;
pub mod save_client;
mod serve_contracts;
pub mod signing_keys;
pub mod start_authorization;
pub mod start_logout;
pub mod update_client;
pub mod userinfo;

/// The allowed clock skew between nodes of this service.
const CLOCK_LEEWAY: Duration = Duration::from_secs(5);
