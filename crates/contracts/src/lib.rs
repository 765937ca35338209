//! Interfaces between services: one small trait per file, implemented by the service that owns the data and connected by
//! `server`, either directly or through an HTTP client.
//!
//! Invariants: a service never names another service, only a trait of this crate. A failed call is [`Unavailable`], which
//! is never treated as a negative answer.

mod connections;
mod link;
mod login_requests;
mod permission_checks;
mod sessions;
mod subject_observer;
mod token_introspection;

pub use connections::{Connection, Connections, MAX_CONNECTIONS};
pub use link::Link;
pub use login_requests::{
    AcceptLogin, LoginClient, LoginRequest, LoginRequestError, LoginRequests, OidcContext, RejectLogin,
};
pub use permission_checks::{
    PermissionCheckError, PermissionChecks, PermissionQuestion, PermissionSubject, QuestionPart, Undeclared,
};
pub use sessions::{ActiveSession, SessionCheck, SessionCredentials, SessionEnd, Sessions};
pub use subject_observer::{SubjectObserver, SubjectObserverError};
pub use token_introspection::{Introspection, TokenIntrospection};

/// The other service is unreachable, overloaded, or failed. The cause is in the log.
#[derive(Debug, thiserror::Error)]
#[error("{service} is unavailable: {reason}")]
pub struct Unavailable {
    /// The name of the service, for instance `identity`.
    pub service: &'static str,
    pub reason: String,
}

impl Unavailable {
    pub fn new(service: &'static str, reason: impl std::fmt::Display) -> Self {
        Self { service, reason: reason.to_string() }
    }
}
