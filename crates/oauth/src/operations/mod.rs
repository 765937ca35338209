//! The operations of the service, one per file: read the data, call the domain for a decision, execute it in one
//! transaction.

pub mod answer_authorization;
pub mod authorize_client;
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
pub mod redeem_code;
pub mod redeem_consent;
pub mod redeem_login;
mod redeem_rejection;
pub mod refresh;
pub mod revoke_token;
pub mod rotate_client_secret;
pub mod save_client;
mod serve_contracts;
pub mod start_authorization;
pub mod start_logout;
pub mod update_client;
pub mod userinfo;
