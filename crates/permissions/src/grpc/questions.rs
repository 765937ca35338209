//! Our service of checks and of the questions in other directions: what it shares with `reverse_lists`, and the calls that have one
//! response.

use std::sync::Arc;

use base::Context;
use prost_types::Struct;
use serde_json::Value;
use web::rpc::{Code, Status};

use super::errors::{AboutToken, TokenField};
use super::kleis::object;
use super::messages::kleis_v1 as kleis;
use super::protocol::{Call, Procedure, Services, Unknown};
use super::wire;
use crate::Permissions;
use crate::domain::condition::{Object, Root};
use crate::domain::consistency::Consistency;
use crate::domain::explanation_text::Line;
use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::relation_tuple::Subject;
use crate::domain::reverse_question::ReverseQuestion;
use crate::operations::Answered;
use crate::operations::check::{CheckError, CheckOptions};
use crate::operations::explain::Explained;
use crate::operations::list_names::{NameListing, Part};

/// All relations of an object: the permission model bounds their number.
const WHOLE: Part<'static> = Part { after: None, limit: usize::MAX };

macro_rules! procedure {
    ($method:literal) => {
        // A misspelt member would ask another question.
        Procedure::at(concat!("/kleis.permissions.v1.PermissionService/", $method))
            .with_unknown_fields(Unknown::Refused)
    };
}
pub(super) use procedure;

pub(super) fn read(services: Services<Arc<Permissions>>) -> Services<Arc<Permissions>> {
    let services = services.unary(procedure!("Check"), check).unary(procedure!("BatchCheck"), batch_check);
    services.unary(procedure!("ListRelations"), list_relations)
}

/// What accompanies a question.
pub(super) struct Options {
    context: Option<Object>,
    max_depth: i64,
    pub(super) consistency: Consistency,
}

/// The same, as a request has it.
pub(super) struct OptionsMessage {
    pub(super) context: Option<Struct>,
    pub(super) consistency: Option<kleis::Consistency>,
    pub(super) max_depth: i32,
}

impl Options {
    pub(super) async fn read(permissions: &Permissions, cx: &Context, message: OptionsMessage) -> Result<Self, Status> {
        let OptionsMessage { context, consistency, max_depth } = message;
        let context = context.map(attributes).transpose()?;
        let consistency = self::consistency(permissions, cx, consistency).await?;
        Ok(Self { context, max_depth: max_depth.into(), consistency })
    }

    pub(super) fn check(&self) -> CheckOptions<'_> {
        let Self { context, max_depth, consistency } = self;
        CheckOptions { max_depth: Some(*max_depth), context: context.as_ref(), consistency: *consistency }
    }
}

fn attributes(context: Struct) -> Result<Object, Status> {
    let refused = |problem: String| Status::invalid_argument(problem).with_field("context");
    let invalid = || {
        refused(
            "context: must have finite numbers, a kind for each value, and no text with the character U+0000".into(),
        )
    };
    let object = object(context).ok_or_else(invalid)?;
    Object::new(Root::Context, Value::Object(object)).map_err(|error| refused(error.to_string()))
}

async fn consistency(
    permissions: &Permissions,
    cx: &Context,
    message: Option<kleis::Consistency>,
) -> Result<Consistency, Status> {
    use kleis::consistency::Requirement;
    let refused = |field: &str, problem: &str| {
        let field = format!("consistency.{field}");
        Status::invalid_argument(format!("{field}: {problem}")).with_field(field)
    };
    match message.and_then(|it| it.requirement) {
        None | Some(Requirement::MinimizeLatency(true)) => Ok(Consistency::MinimizeLatency),
        Some(Requirement::FullyConsistent(true)) => Ok(Consistency::FullyConsistent),
        Some(Requirement::MinimizeLatency(false)) => Err(refused("minimize_latency", "must be true")),
        Some(Requirement::FullyConsistent(false)) => Err(refused("fully_consistent", "must be true")),
        Some(Requirement::AtLeastAsFresh(token)) => {
            Ok(Consistency::AtLeastAsFresh(permissions.open_snaptoken(cx, &token).await.map_err(failed)?))
        }
    }
}

/// The status of a failed question of this service.
pub(super) fn failed(error: impl AboutToken) -> Status {
    error.with_token_in(TokenField::AtLeastAsFresh)
}

async fn check(
    permissions: Arc<Permissions>,
    call: Call,
    request: kleis::CheckRequest,
) -> Result<kleis::CheckResponse, Status> {
    let kleis::CheckRequest { tuple, context, consistency, max_depth, explain } = request;
    let tuple = wire::tuple(tuple).map_err(|missing| missing.at("tuple"))?;
    let options = OptionsMessage { context, consistency, max_depth };
    let options = Options::read(&permissions, &call.cx, options).await?;
    if !explain {
        let Answered { answer, snapshot } =
            permissions.check(&call.cx, &tuple, options.check()).await.map_err(|error| refused(error, &[]))?;
        let snaptoken = permissions.issue_snaptoken(&call.cx, snapshot).await?;
        return Ok(kleis::CheckResponse { allowed: answer, explanation: None, snaptoken });
    }
    let Answered { answer: Explained { answer, steps }, snapshot } =
        permissions.explain(&call.cx, &tuple, options.check()).await.map_err(|error| refused(error, &[]))?;
    let allowed = answer.map_err(|error| refused(error, &steps))?;
    let snaptoken = permissions.issue_snaptoken(&call.cx, snapshot).await?;
    Ok(kleis::CheckResponse { allowed, explanation: Some(explanation(allowed, steps)), snaptoken })
}

fn explanation(is_allowed: bool, steps: Vec<Line>) -> kleis::Explanation {
    let step = |Line { level, text }| kleis::ExplanationStep { level: u32::from(level), text };
    let steps = steps.into_iter().map(step).collect();
    if is_allowed {
        kleis::Explanation { path: steps, nearest_miss: Vec::new() }
    } else {
        kleis::Explanation { path: Vec::new(), nearest_miss: steps }
    }
}

/// `steps` say why there is no answer.
fn refused(error: CheckError, steps: &[Line]) -> Status {
    match error {
        CheckError::Invalid(invalid) => invalid.within("tuple").into(),
        CheckError::Unanswered { reason, .. } if !steps.is_empty() => {
            let steps: Vec<&str> = steps.iter().map(|step| step.text.as_str()).collect();
            Status::new(Code::FailedPrecondition, format!("{reason}: {}", steps.join("; "))).with_reason()
        }
        other => failed(other),
    }
}

async fn batch_check(
    permissions: Arc<Permissions>,
    call: Call,
    request: kleis::BatchCheckRequest,
) -> Result<kleis::BatchCheckResponse, Status> {
    let kleis::BatchCheckRequest { tuples, context, consistency, max_depth } = request;
    let options = OptionsMessage { context, consistency, max_depth };
    let options = Options::read(&permissions, &call.cx, options).await?;
    let answered = permissions.batch_check(&call.cx, wire::tuples(tuples), options.check()).await;
    let Answered { answer, snapshot } = answered.map_err(failed)?;
    let result = |checked: Result<bool, CheckError>| kleis::BatchCheckResult {
        allowed: matches!(checked, Ok(true)),
        error: checked.err().map(|error| error.to_string()).unwrap_or_default(),
    };
    let results = answer.into_iter().map(result).collect();
    Ok(kleis::BatchCheckResponse { results, snaptoken: permissions.issue_snaptoken(&call.cx, snapshot).await? })
}

async fn list_relations(
    permissions: Arc<Permissions>,
    call: Call,
    request: kleis::ListRelationsRequest,
) -> Result<kleis::ListRelationsResponse, Status> {
    let kleis::ListRelationsRequest { namespace, object, subject, context, consistency, max_depth } = request;
    let question = ReverseQuestion::relations(namespace, object, required_subject(subject)?);
    let options = OptionsMessage { context, consistency, max_depth };
    let options = Options::read(&permissions, &call.cx, options).await?;
    let listed = permissions.list_names(&call.cx, &question, WHOLE, options.check()).await;
    let Answered { answer, snapshot } = listed.map_err(failed)?;
    let NameListing { names, has_more: _, truncated, unresolved } = answer;
    Ok(kleis::ListRelationsResponse {
        relations: names,
        truncated: truncated.unwrap_or_default(),
        unresolved: unresolved.unwrap_or_default(),
        snaptoken: permissions.issue_snaptoken(&call.cx, snapshot).await?,
    })
}

pub(super) fn required_subject(message: Option<super::messages::keto::Subject>) -> Result<Subject, InvalidTuple> {
    wire::subject(message)?.ok_or_else(|| InvalidTuple::field("subject", wire::NO_SUBJECT))
}
