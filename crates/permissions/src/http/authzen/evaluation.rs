//! `/access/v1/evaluation` and `/access/v1/evaluations` (sections "Access Evaluation API", "Access Evaluations API").

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use base::Context;
use serde::Serialize;
use serde_json::{Map, Value};
use web::{Cx, RestError};

use super::refused::Refused;
use super::request::{Parts, body, named, object, refused};
use crate::Permissions;
use crate::domain::access::{AccessRequest, EvaluationsSemantic};
use crate::domain::invalid_tuple::InvalidTuple;
use crate::operations::batch_check::BatchCheckError;
use crate::operations::check::CheckError;
use crate::operations::evaluate_access::AccessOptions;

#[derive(Serialize)]
struct Decision {
    decision: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Explanation>,
}

#[derive(Serialize)]
struct Decisions {
    evaluations: Vec<Decision>,
}

/// Why a request was denied without an evaluation, or why its evaluation has no answer.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Explanation {
    Reason(String),
    Error { status: u16, message: String },
}

pub(super) async fn one(
    State(permissions): State<Arc<Permissions>>,
    Cx(cx): Cx,
    request: Request,
) -> Result<Response, Refused> {
    decide(&permissions, &cx, &body(request).await?).await
}

pub(super) async fn list(
    State(permissions): State<Arc<Permissions>>,
    Cx(cx): Cx,
    request: Request,
) -> Result<Response, Refused> {
    let members = body(request).await?;
    let evaluations = match members.get("evaluations") {
        None => &[][..],
        Some(Value::Array(evaluations)) => evaluations.as_slice(),
        Some(_) => return Err(refused(InvalidTuple::field("evaluations", "must be a list")).into()),
    };
    let semantic = semantic(&members).map_err(refused)?;
    if evaluations.is_empty() {
        return decide(&permissions, &cx, &members).await;
    }
    // A default that is not valid makes the whole request invalid.
    let defaults = Parts::read(&members).map_err(refused)?;
    let requests = evaluations.iter().map(|evaluation| item(evaluation, &defaults)).collect();
    let options = AccessOptions { semantic, ..AccessOptions::default() };
    let decisions = permissions.evaluate_access(&cx, requests, options).await.map_err(whole)?.answer;
    Ok(Json(Decisions { evaluations: decisions.into_iter().map(|it| Decision::from(it.answer)).collect() })
        .into_response())
}

async fn decide(permissions: &Permissions, cx: &Context, members: &Map<String, Value>) -> Result<Response, Refused> {
    let request = Parts::read(members).and_then(Parts::complete).map_err(refused)?;
    let decisions = permissions.evaluate_access(cx, vec![Ok(request)], AccessOptions::default()).await;
    match decisions.map_err(whole)?.answer.pop().map(|it| it.answer) {
        Some(Err(CheckError::Invalid(invalid @ InvalidTuple::Field { .. }))) => Err(refused(invalid).into()),
        Some(decision) => Ok(Json(Decision::from(decision)).into_response()),
        None => Err(RestError::internal().into()),
    }
}

fn item(evaluation: &Value, defaults: &Parts) -> Result<AccessRequest, InvalidTuple> {
    let members = evaluation.as_object().ok_or_else(|| InvalidTuple::field("evaluation", "must be a JSON object"))?;
    Parts::read(members)?.or(defaults).complete()
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

impl From<Result<bool, CheckError>> for Decision {
    fn from(decision: Result<bool, CheckError>) -> Self {
        let error = match decision {
            Ok(decision) => return Self { decision, context: None },
            Err(error) => error,
        };
        let failed = |status, message| Explanation::Error { status, message };
        let context = match error {
            CheckError::Invalid(invalid @ InvalidTuple::UnknownNamespace { .. }) => {
                Explanation::Reason(named(invalid).to_string())
            }
            CheckError::UndeclaredRelation(_) => Explanation::Reason(format!("action.name: {error}")),
            CheckError::Invalid(invalid @ InvalidTuple::Field { .. }) => failed(400, named(invalid).to_string()),
            CheckError::Unanswered { reason, .. } => failed(422, reason),
            // Both are errors of the whole request.
            CheckError::Unloaded(error) => failed(503, error.to_string()),
            CheckError::Evaluate(_) => failed(500, "the request could not be evaluated".to_owned()),
        };
        Self { decision: false, context: Some(context) }
    }
}
