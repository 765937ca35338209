//! `/access/v1/evaluation` and `/access/v1/evaluations` (sections "Access Evaluation API", "Access Evaluations API").

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, Request, State};
use axum::response::{IntoResponse, Response};
use base::Context;
use serde::Serialize;
use serde_json::{Map, Value};
use web::{Cx, RestError};

use super::super::explanation::ExplanationDocument;
use super::super::query::Parameters;
use super::refused::Refused;
use super::request::{PartialRequest, body, named, object, refused};
use crate::Permissions;
use crate::domain::access::{AccessRequest, EvaluationsSemantic};
use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::snapshot::Snapshot;
use crate::operations::EvaluateError;
use crate::operations::batch_check::BatchCheckError;
use crate::operations::check::CheckError;
use crate::operations::evaluate_access::{AccessOptions, Decision};

#[derive(Serialize)]
struct DecisionDocument {
    decision: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<DecisionContext>,
}

#[derive(Serialize)]
struct DecisionContext {
    #[serde(flatten)]
    undecided: Option<Undecided>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kleis: Option<Kleis>,
}

/// The explanation of an evaluated request, and the token of the snapshot that it was evaluated at.
#[derive(Serialize)]
struct Kleis {
    #[serde(flatten)]
    explanation: ExplanationDocument,
    snapshot: String,
}

#[derive(Serialize)]
struct Decisions {
    evaluations: Vec<DecisionDocument>,
}

/// Why a request was denied without an evaluation, or why its evaluation has no answer.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Undecided {
    Reason(String),
    Error { status: u16, message: String },
}

pub(super) async fn one(
    State(permissions): State<Arc<Permissions>>,
    Cx(cx): Cx,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, Refused> {
    let options = options(&permissions, &cx, query.as_deref()).await?;
    let asked = asked(&body(request).await?)?;
    decide(&permissions, &cx, asked, options).await
}

pub(super) async fn list(
    State(permissions): State<Arc<Permissions>>,
    Cx(cx): Cx,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, Refused> {
    let options = options(&permissions, &cx, query.as_deref()).await?;
    let mut members = body(request).await?;
    let evaluations = match members.remove("evaluations") {
        None => Vec::new(),
        Some(Value::Array(evaluations)) => evaluations,
        Some(_) => return Err(refused(InvalidTuple::field("evaluations", "must be a list")).into()),
    };
    permissions.require_batch_size(evaluations.len()).map_err(whole)?;
    let semantic = semantic(&members).map_err(refused)?;
    if evaluations.is_empty() {
        let asked = asked(&members)?;
        drop(members);
        return decide(&permissions, &cx, asked, options).await;
    }
    // A default that is not valid makes the whole request invalid.
    let defaults = PartialRequest::read(&members).map_err(refused)?;
    let requests = evaluations.iter().map(|evaluation| item(evaluation, &defaults)).collect();
    // What is not a part of the requests need not wait with them.
    drop((members, evaluations, defaults));
    let options = AccessOptions { semantic, ..options };
    let decided = permissions.evaluate_access(&cx, requests, options).await.map_err(whole)?;
    let token = token(&permissions, &cx, options, decided.snapshot).await?;
    let evaluations = decided.answer.into_iter().map(|decision| document(decision, &token)).collect();
    Ok(Json(Decisions { evaluations }).into_response())
}

/// How recent the answer must be, and whether it comes with its reasons: parameters of the URL, as for checks.
async fn options(permissions: &Permissions, cx: &Context, query: Option<&str>) -> Result<AccessOptions, RestError> {
    let parameters = Parameters::of(query)?;
    let explains = parameters.flag("explain")?;
    let consistency = parameters.consistency(permissions, cx).await?;
    Ok(AccessOptions { consistency, explains, ..AccessOptions::default() })
}

fn asked(members: &Map<String, Value>) -> Result<AccessRequest, RestError> {
    PartialRequest::read(members).and_then(PartialRequest::complete).map_err(refused)
}

async fn decide(
    permissions: &Permissions,
    cx: &Context,
    request: AccessRequest,
    options: AccessOptions,
) -> Result<Response, Refused> {
    let decided = permissions.evaluate_access(cx, vec![Ok(request)], options).await.map_err(whole)?;
    let token = token(permissions, cx, options, decided.snapshot).await?;
    match decided.answer.into_iter().next() {
        Some(Decision { answer: Err(CheckError::Invalid(invalid @ InvalidTuple::Field { .. })), .. }) => {
            Err(refused(invalid).into())
        }
        Some(decision) => Ok(Json(document(decision, &token)).into_response()),
        None => Err(RestError::internal().into()),
    }
}

/// The token for explanations; empty when there are none.
async fn token(
    permissions: &Permissions,
    cx: &Context,
    options: AccessOptions,
    snapshot: Snapshot,
) -> Result<String, RestError> {
    if options.explains { Ok(permissions.issue_snaptoken(cx, snapshot).await?) } else { Ok(String::new()) }
}

fn item(evaluation: &Value, defaults: &PartialRequest) -> Result<AccessRequest, InvalidTuple> {
    let members = evaluation.as_object().ok_or_else(|| InvalidTuple::field("evaluation", "must be a JSON object"))?;
    PartialRequest::read(members)?.or(defaults).complete()
}

fn semantic(members: &Map<String, Value>) -> Result<EvaluationsSemantic, InvalidTuple> {
    let Some(options) = members.get("options") else { return Ok(EvaluationsSemantic::default()) };
    match object(options, "options")?.get("evaluations_semantic").map(Value::as_str) {
        None => Ok(EvaluationsSemantic::default()),
        Some(Some("execute_all")) => Ok(EvaluationsSemantic::ExecuteAll),
        Some(Some("deny_on_first_deny")) => Ok(EvaluationsSemantic::DenyOnFirstDeny),
        Some(Some("permit_on_first_permit")) => Ok(EvaluationsSemantic::PermitOnFirstPermit),
        Some(_) => {
            let problem = "must be execute_all, deny_on_first_deny or permit_on_first_permit";
            Err(InvalidTuple::field("options.evaluations_semantic", problem))
        }
    }
}

fn whole(error: BatchCheckError) -> RestError {
    match error {
        BatchCheckError::Unloaded(unloaded) => unloaded.into(),
        BatchCheckError::TooLarge(most) => {
            RestError::bad_request(format!("evaluations: must have at most {most} elements"))
        }
        BatchCheckError::Evaluate(error) => error.into(),
    }
}

fn document(Decision { answer, steps }: Decision, token: &str) -> DecisionDocument {
    let is_allowed = matches!(answer, Ok(true));
    let kleis = steps
        .map(|steps| Kleis { explanation: ExplanationDocument::of(is_allowed, steps), snapshot: token.to_owned() });
    let undecided = answer.err().map(Undecided::from);
    let has_context = undecided.is_some() || kleis.is_some();
    DecisionDocument { decision: is_allowed, context: has_context.then_some(DecisionContext { undecided, kleis }) }
}

impl From<CheckError> for Undecided {
    fn from(error: CheckError) -> Self {
        let failed = |status, message| Self::Error { status, message };
        match error {
            CheckError::Invalid(invalid @ InvalidTuple::UnknownNamespace { .. }) => {
                Self::Reason(named(invalid).to_string())
            }
            CheckError::UndeclaredRelation(_) => Self::Reason(format!("action.name: {error}")),
            CheckError::Invalid(invalid @ InvalidTuple::Field { .. }) => failed(400, named(invalid).to_string()),
            CheckError::UndeclaredOnTheWay { .. } => failed(422, error.to_string()),
            CheckError::Unanswered { reason, .. } => failed(422, reason),
            // Both are errors of the whole request.
            CheckError::Unloaded(error) => failed(503, error.to_string()),
            CheckError::Evaluate(error @ EvaluateError::TooManyTuples) => failed(422, error.to_string()),
            CheckError::Evaluate(_) => failed(500, "the request could not be evaluated".to_owned()),
        }
    }
}
