//! Response bodies at the end of a flow.

use base::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use super::flow::{FlowView, IdentityBody};
use crate::domain::continue_with::{ContinueWith, ShownToken};
use crate::domain::views::SessionView;
use crate::domain::{self, Session};

/// The body of the last response of a flow.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Body {
    Flow(Box<FlowView>),
    SignedIn(Box<SignedInView>),
    Registered(Box<RegisteredView>),
}

/// The end of a login. `continue_with` is `null` when nothing follows.
#[derive(Debug, Serialize)]
pub(crate) struct SignedInView {
    /// For native clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session_token: Option<ShownToken>,
    pub(crate) session: SessionBody,
    pub(crate) continue_with: Option<Vec<ContinueWith>>,
}

/// The end of a registration.
#[derive(Debug, Serialize)]
pub(crate) struct RegisteredView {
    pub(crate) identity: IdentityBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<SessionBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session_token: Option<ShownToken>,
    pub(crate) continue_with: Option<Vec<ContinueWith>>,
}

/// A session inside another response. The identity is omitted where it must not be shown yet.
#[derive(Debug)]
pub(crate) struct SessionBody {
    pub(crate) session: Session,
    pub(crate) identity: Option<domain::Identity>,
    pub(crate) public_url: Url,
    pub(crate) now: Timestamp,
}

impl Serialize for SessionBody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        SessionView::new(&self.session, self.identity.as_ref(), &self.public_url, self.now).serialize(serializer)
    }
}

/// The link that signs a browser out.
#[derive(Debug, Serialize)]
pub struct LogoutView {
    pub(crate) logout_url: Url,
    pub(crate) logout_token: String,
}

/// An error that a browser was redirected to.
#[derive(Debug, Serialize)]
pub struct StoredErrorView {
    pub(crate) id: Uuid,
    pub(crate) error: Value,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}
