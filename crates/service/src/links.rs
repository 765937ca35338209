//! The contracts that connect the services of a process.

use contracts::{Connections, Link, LoginRequests, PermissionChecks, Sessions, SubjectObserver, TokenIntrospection};

/// One handle for each contract. A service sets those that it implements and keeps clones of those that it uses. A cheap
/// clone.
#[derive(Clone, Debug, Default)]
pub struct Links {
    pub sessions: Link<dyn Sessions>,
    pub introspection: Link<dyn TokenIntrospection>,
    pub login_requests: Link<dyn LoginRequests>,
    pub subject_observer: Link<dyn SubjectObserver>,
    pub connections: Link<dyn Connections>,
    pub permissions: Link<dyn PermissionChecks>,
}
