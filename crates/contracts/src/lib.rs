//! What one service may ask of another: a small trait a file, implemented by the service that knows and plugged in by
//! `server`, either as the service itself or as a client that speaks to it over HTTP.
//!
//! What always holds: a service never names another service, only a trait of this crate; an answer that could not be had
//! is [`Unavailable`], which is never taken for a "no".

mod connections;
mod link;
mod login_requests;
mod sessions;
mod subject_observer;
mod token_introspection;

pub use connections::{Connection, Connections, MAX_CONNECTIONS};
pub use link::Link;
pub use login_requests::{
    AcceptLogin, LoginClient, LoginRequest, LoginRequestError, LoginRequests, OidcContext, RejectLogin,
};
pub use sessions::{ActiveSession, SessionCheck, SessionCredentials, SessionEnd, Sessions};
pub use subject_observer::{SubjectObserver, SubjectObserverError};
pub use token_introspection::{Introspection, TokenIntrospection};

/// The other service cannot answer now: it cannot be reached, is overloaded, or failed. The cause is in the log.
#[derive(Debug, thiserror::Error)]
#[error("{service} is unavailable: {reason}")]
pub struct Unavailable {
    /// The service that was asked, for instance `identity`.
    pub service: &'static str,
    pub reason: String,
}

impl Unavailable {
    pub fn new(service: &'static str, reason: impl std::fmt::Display) -> Self {
        Self { service, reason: reason.to_string() }
    }
}
