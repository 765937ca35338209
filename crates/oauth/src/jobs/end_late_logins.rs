//! Ends a login that was redeemed concurrently with the end of its account: PostgreSQL lets both transactions commit
//! without seeing each other. When this job runs, all concurrent transactions are over.

use std::sync::Arc;

use async_trait::async_trait;
use base::Context;
use jobs::{Failure, Handler, Job};

use crate::OAuth;
use crate::domain::effect::{self, END_LATE_LOGINS};

#[derive(Debug)]
pub(crate) struct EndLateLogins(pub Arc<OAuth>);

#[async_trait]
impl Handler for EndLateLogins {
    fn kind(&self) -> &'static str {
        END_LATE_LOGINS
    }

    async fn run(&self, cx: &Context, job: &Job) -> Result<(), Failure> {
        let payload: effect::EndLateLogins = serde_json::from_value(job.payload.clone())
            .map_err(|error| Failure::Permanent(format!("the payload makes no sense: {error}")))?;
        Ok(self.0.end_late_logins(cx, &payload.subject, payload.ended_at).await?)
    }
}
