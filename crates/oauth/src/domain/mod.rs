//! Values, states and decisions of the OAuth service: pure and synchronous, without IO.

pub mod access_token;
pub mod audience;
pub mod authorization_code;
pub mod authorization_request;
pub mod claims;
pub mod client;
pub mod client_id;
pub mod client_secret;
pub mod client_validation;
pub mod consent;
pub mod event;
pub mod grant;
pub mod lifespan;
pub mod login_challenge;
pub mod login_session;
pub mod logout;
pub mod one_time;
pub mod person_claims;
pub mod redemption;
pub mod refresh;
pub mod rejection;
pub mod sealed;
pub mod sealed_token;
pub mod signing_key;
pub mod subject_identifier;
pub mod token_hook;
