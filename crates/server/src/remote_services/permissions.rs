//! Checks of a permission service in another process: `/relation-tuples/check/openapi` of its read API, which Keto has as well.

use async_trait::async_trait;
use base::Context;
use bytes::Bytes;
use contracts::{
    PermissionCheckError, PermissionChecks, PermissionQuestion, PermissionSubject, QuestionPart, Undeclared,
};
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
            status @ (StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY) => {
                // A page that something else answers is no reason.
                Err(match reason(&answer) {
                    None => self.0.strange(&url, &answer, "the permission could not be checked").into(),
                    Some(reason) if status == StatusCode::BAD_REQUEST => refusal(question, reason),
                    Some(reason) => PermissionCheckError::Undecided(reason),
                })
            }
            _ => Err(self.0.strange(&url, &answer, "the permission could not be checked").into()),
        }
    }

    fn is_remote(&self) -> bool {
        true
    }
}

/// Why the service refuses a question. It says so in words alone, which begin with the member that is wrong; those of a relation
/// that is not declared are Keto's.
fn refusal(question: &PermissionQuestion<'_>, reason: String) -> PermissionCheckError {
    let PermissionQuestion { namespace, relation, .. } = *question;
    if reason == format!("relation \"{relation}\" does not exist") {
        let name = Undeclared::Relation { namespace: namespace.to_owned(), relation: relation.to_owned() };
        return PermissionCheckError::Undeclared(name);
    }
    let member = reason.split([':', ' ']).next().unwrap_or_default();
    let in_context = (member == "context" || member.starts_with("context.")).then_some(QuestionPart::Context);
    match QuestionPart::of_member(member).or(in_context) {
        Some(part) => PermissionCheckError::Invalid { part, reason },
        None => PermissionCheckError::Undecided(reason),
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
