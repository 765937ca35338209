//! What the self-service and admin APIs return, as structs. Handlers serialize them, pages read their fields.

mod answers;
mod flow;

pub(crate) use answers::{Body, LogoutView, RegisteredView, SessionBody, SignedInView, StoredErrorView};
pub(crate) use flow::{DetailsView, FlowView, IdentityBody, OAuth2View};
