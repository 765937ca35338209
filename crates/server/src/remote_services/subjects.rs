//! Ends the logins and consents at the authorization server when an identity is disabled or deleted here. The authorization
//! server has another database, so a job of the same transaction calls it, and is retried until the call succeeds.
//!
//! The end of a single session cannot be forwarded, because the admin API of the replaced programs has no operation for it.
//! Logins at the authorization server then last until they expire.

use async_trait::async_trait;
use base::{Context, Rng};
use contracts::{SubjectObserver, SubjectObserverError, Unavailable};
use database::WriteTx;
use http::{HeaderMap, Method, StatusCode};
use jobs::{Failure, Handler, Job, NewJob};
use serde_json::json;
use uuid::Uuid;

use super::RemoteService;

const KIND: &str = "server.end_subject_at_remote_service";
const LOGINS: &str = "/admin/oauth2/auth/sessions/login";
const CONSENTS: &str = "/admin/oauth2/auth/sessions/consent";

pub(super) struct RemoteSubjects(Rng);

impl RemoteSubjects {
    pub(super) fn new(rng: Rng) -> Self {
        Self(rng)
    }
}

#[async_trait]
impl SubjectObserver for RemoteSubjects {
    async fn sessions_ended(&self, _: &Context, _: &mut WriteTx, _: &[Uuid]) -> Result<(), SubjectObserverError> {
        Ok(())
    }

    async fn subject_ended(&self, cx: &Context, tx: &mut WriteTx, subject: &str) -> Result<(), SubjectObserverError> {
        let job = NewJob { kind: KIND, payload: json!({ "subject": subject }), run_at: cx.now };
        Ok(jobs::enqueue(tx, cx, self.0.uuid(), job).await?)
    }
}

/// Ends the logins and the consents of a subject, and with them its tokens.
pub(super) struct EndSubject(RemoteService);

impl EndSubject {
    pub(super) fn new(remote: RemoteService) -> Self {
        Self(remote)
    }

    async fn delete(&self, cx: &Context, path: &str, query: &[(&str, &str)]) -> Result<(), Unavailable> {
        let url = self.0.url(path, query);
        let answer = self.0.ask(cx, Method::DELETE, &url, HeaderMap::new(), None).await?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            StatusCode::NOT_FOUND => Ok(()),
            _ => Err(self.0.strange(&url, &answer, "the grants of a subject could not be ended")),
        }
    }
}

#[async_trait]
impl Handler for EndSubject {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, cx: &Context, job: &Job) -> Result<(), Failure> {
        let subject = job.payload["subject"].as_str().unwrap_or_default();
        if subject.is_empty() {
            return Err(Failure::Permanent("the job has no subject".to_owned()));
        }
        let retry = |error: Unavailable| Failure::Retry(error.to_string());
        self.delete(cx, LOGINS, &[("subject", subject)]).await.map_err(retry)?;
        self.delete(cx, CONSENTS, &[("subject", subject), ("all", "true")]).await.map_err(retry)
    }
}
