//! Ends a login that was redeemed concurrently with the end of its account: PostgreSQL lets both transactions commit
//! without seeing each other. When this job runs, all concurrent transactions are over.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base::{Context, Timestamp};
use jobs::{Failure, Handler, Job, NewJob};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::OAuth;

const KIND: &str = "oauth.end_late_logins";

/// Longer than a transaction takes.
const DELAY: Duration = Duration::from_secs(10);

#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    subject: String,
    ended_at: Timestamp,
}

pub(crate) fn job(cx: &Context, subject: &str) -> NewJob {
    NewJob { kind: KIND, payload: json!({"subject": subject, "ended_at": cx.now}), run_at: cx.now.plus(DELAY) }
}

#[derive(Debug)]
pub(crate) struct EndLateLogins(pub Arc<OAuth>);

#[async_trait]
impl Handler for EndLateLogins {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, cx: &Context, job: &Job) -> Result<(), Failure> {
        let payload: Payload = serde_json::from_value(job.payload.clone())
            .map_err(|error| Failure::Permanent(format!("the payload makes no sense: {error}")))?;
        Ok(self.0.end_late_logins(cx, &payload.subject, payload.ended_at).await?)
    }
}
