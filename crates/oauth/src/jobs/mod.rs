//! Background jobs, one per file.

use std::sync::Arc;

use jobs::Handler;

use crate::OAuth;

pub(crate) mod backchannel_logout;
pub(crate) mod end_identity_session;
pub(crate) mod end_late_logins;
pub(crate) mod rotate_keys;

pub(crate) fn handlers(oauth: &Arc<OAuth>) -> Vec<Arc<dyn Handler>> {
    vec![
        Arc::new(backchannel_logout::BackchannelLogout(oauth.clone())),
        Arc::new(end_identity_session::EndIdentitySession(oauth.clone())),
        Arc::new(end_late_logins::EndLateLogins(oauth.clone())),
        Arc::new(rotate_keys::RotateKeys(oauth.clone())),
    ]
}
