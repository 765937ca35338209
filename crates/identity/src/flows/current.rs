//! The session of a request.

use base::Context;

use crate::Identity;
use crate::components::sessions::Current;

use super::visitor::Visitor;

impl Identity {
    /// The active session of this visitor.
    pub(crate) async fn current(&self, cx: &Context, visitor: &Visitor) -> Result<Option<Current>, database::Error> {
        self.sessions.current(cx, &visitor.credentials()).await
    }
}
