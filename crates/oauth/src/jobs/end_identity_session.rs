//! Ends the session of an identity service in another process when a login ended and the call right after the commit
//! failed. A session that no longer exists is not an error.

use std::sync::Arc;

use async_trait::async_trait;
use base::Context;
use jobs::{Failure, Handler, Job};

use crate::OAuth;
use crate::domain::effect::END_IDENTITY_SESSION;

#[derive(Debug)]
pub(crate) struct EndIdentitySession(pub Arc<OAuth>);

#[async_trait]
impl Handler for EndIdentitySession {
    fn kind(&self) -> &'static str {
        END_IDENTITY_SESSION
    }

    async fn run(&self, cx: &Context, job: &Job) -> Result<(), Failure> {
        let id = job.payload["session_id"].as_str().unwrap_or_default();
        let id =
            id.parse().map_err(|_| Failure::Permanent("the session is none of the identity service".to_owned()))?;
        // Without an identity service there is no session to end.
        let Some(sessions) = self.0.sessions.get() else { return Ok(()) };
        sessions.end(cx, id).await.map_err(|error| Failure::Retry(error.to_string()))
    }
}
