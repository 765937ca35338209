//! The session of a request.

use base::Context;

use crate::Identity;
use crate::components::sessions::Current;
use crate::domain;
use crate::storage;

use super::visitor::Visitor;

impl Identity {
    /// The active session of this visitor.
    pub(crate) async fn current(&self, cx: &Context, visitor: &Visitor) -> Result<Option<Current>, database::Error> {
        self.sessions.current(cx, &visitor.credentials()).await
    }

    /// The identity of a session, with its credentials; `None` if it was deleted in the meantime.
    pub(crate) async fn person_of(
        &self,
        cx: &Context,
        current: &Current,
    ) -> Result<Option<domain::Identity>, database::Error> {
        let mut tx = self.database.read(cx.tenant);
        storage::identities::find_whole(&mut tx, self.tenant_sealer(cx), current.session.identity_id).await
    }
}
