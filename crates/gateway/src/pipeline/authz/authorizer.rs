//! What an authorizer does: it decides whether a known sender may do this.

use std::fmt::Debug;

use super::{Answer, Inbound, Services};
use crate::domain::failure::Failure;
use crate::domain::session::Session;

pub(crate) trait Authorizer: Debug + Send + Sync {
    fn authorize<'a>(
        &'a self,
        inbound: &'a Inbound<'a>,
        session: &'a mut Session,
        services: &'a Services,
    ) -> Answer<'a, Result<(), Box<Failure>>>;
}
