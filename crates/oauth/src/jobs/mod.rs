//! Background jobs, one per file.

use std::sync::Arc;

use jobs::Handler;

use crate::OAuth;

mod backchannel_logout;
mod end_identity_session;
pub(crate) mod end_late_logins;
mod rotate_keys;

impl OAuth {
    /// What this service does in the background.
    pub fn handlers(self: &Arc<Self>) -> Vec<Arc<dyn Handler>> {
        vec![
            Arc::new(backchannel_logout::BackchannelLogout(self.clone())),
            Arc::new(end_identity_session::EndIdentitySession(self.clone())),
            Arc::new(end_late_logins::EndLateLogins(self.clone())),
            Arc::new(rotate_keys::RotateKeys(self.clone())),
        ]
    }
}
