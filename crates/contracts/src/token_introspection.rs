//! Access token introspection, called by the gateway and served by `oauth`.

use async_trait::async_trait;
use base::{Context, PlainToken};
use serde_json::{Map, Value};

use crate::Unavailable;

#[async_trait]
pub trait TokenIntrospection: Send + Sync {
    /// Equivalent to `POST /admin/oauth2/introspect` (RFC 7662).
    async fn introspect(&self, cx: &Context, token: &PlainToken) -> Result<Introspection, Unavailable>;
}

/// The members of an introspection response (RFC 7662 section 2.2).
#[derive(Clone, Debug, Default)]
pub struct Introspection {
    pub active: bool,
    /// Everything but `active`; empty when the token is not active.
    pub claims: Map<String, Value>,
}
