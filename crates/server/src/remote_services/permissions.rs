//! Checks of a permission service in another process: `/relation-tuples/check/openapi` of its read API, which Keto has as well.

use async_trait::async_trait;
use base::Context;
use bytes::Bytes;
use contracts::{PermissionCheckError, PermissionChecks, PermissionQuestion, PermissionSubject};
use http::{HeaderMap, Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::RemoteService;

/// Unlike `/relation-tuples/check`, it answers a denied check with 200, so that a proxy's 403 is no answer.
const PATH: &str = "/relation-tuples/check/openapi";

pub(super) struct RemotePermissions(RemoteService);

impl RemotePermissions {
    pub(super) fn new(remote: RemoteService) -> Self {
        Self(remote)
    }
}

#[derive(Deserialize)]
struct Checked {
    allowed: bool,
}

#[async_trait]
impl PermissionChecks for RemotePermissions {
    async fn check(&self, cx: &Context, question: &PermissionQuestion<'_>) -> Result<bool, PermissionCheckError> {
        let url = self.0.url(PATH, &[]);
        let body = document(question).to_string().into_bytes();
        let answer = self.0.ask(cx, Method::POST, &url, HeaderMap::new(), Some(body)).await?;
        match answer.status() {
            StatusCode::OK => {
                let checked: Checked = serde_json::from_slice(answer.body())
                    .map_err(|_| self.0.strange(&url, &answer, "the answer is not that of a check"))?;
                Ok(checked.allowed)
            }
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY => {
                // A page that something else answers is no reason.
                reason(&answer).map_or_else(
                    || Err(self.0.strange(&url, &answer, "the permission could not be checked").into()),
                    |reason| Err(PermissionCheckError::Undecided(reason)),
                )
            }
            _ => Err(self.0.strange(&url, &answer, "the permission could not be checked").into()),
        }
    }

    fn is_remote(&self) -> bool {
        true
    }
}

fn document(question: &PermissionQuestion<'_>) -> Value {
    let PermissionQuestion { namespace, object, relation, subject, context } = *question;
    let mut document = json!({ "namespace": namespace, "object": object, "relation": relation });
    match subject {
        PermissionSubject::Id(id) => document["subject_id"] = id.into(),
        PermissionSubject::Set { namespace, object, relation } => {
            document["subject_set"] = json!({ "namespace": namespace, "object": object, "relation": relation });
        }
    }
    if let Some(context) = context {
        document["context"] = context.clone().into();
    }
    document
}

fn reason(answer: &Response<Bytes>) -> Option<String> {
    let body: Value = serde_json::from_slice(answer.body()).ok()?;
    let member = |name: &str| body.pointer(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    member("/error/reason").or_else(|| member("/error/message")).map(str::to_owned)
}
