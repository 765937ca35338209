//! `/relation-tuples/check`, whose status is the answer, `/relation-tuples/check/openapi`, which answers 200 to both, and
//! `/relation-tuples/batch/check`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use web::{Cx, RestError};

use super::explanation::ExplanationDocument;
use super::json_bodies::{self, JsonBody};
use super::query::Parameters;
use super::question::attributes;
use super::snaptoken;
use super::wire::{CheckDocument, RelationTupleDocument};
use crate::Permissions;
use crate::domain::condition::Object;
use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::relation_tuple::RelationTuple;
use crate::operations::Answered;
use crate::operations::check::{CheckError, CheckOptions};

#[derive(Serialize)]
struct Checked {
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<ExplanationDocument>,
}

pub(super) async fn get(state: State<Arc<Permissions>>, cx: Cx, query: RawQuery) -> Result<Response, RestError> {
    of_query(&state, &cx.0, query.0.as_deref()).await.map(with_status)
}

pub(super) async fn get_openapi(
    state: State<Arc<Permissions>>,
    cx: Cx,
    query: RawQuery,
) -> Result<Response, RestError> {
    of_query(&state, &cx.0, query.0.as_deref()).await.map(with_token)
}

pub(super) async fn post(
    state: State<Arc<Permissions>>,
    cx: Cx,
    query: RawQuery,
    request: Request,
) -> Result<Response, RestError> {
    of_body(&state, &cx.0, query.0.as_deref(), request).await.map(with_status)
}

pub(super) async fn post_openapi(
    state: State<Arc<Permissions>>,
    cx: Cx,
    query: RawQuery,
    request: Request,
) -> Result<Response, RestError> {
    of_body(&state, &cx.0, query.0.as_deref(), request).await.map(with_token)
}

/// An answer and its token. A check that needs no snapshot, because the namespace does not exist, has none.
struct Answer {
    body: Checked,
    snaptoken: Option<(HeaderName, HeaderValue)>,
}

fn with_status(answer: Answer) -> Response {
    let status = if answer.body.allowed { StatusCode::OK } else { StatusCode::FORBIDDEN };
    (status, with_token(answer)).into_response()
}

fn with_token(Answer { body, snaptoken }: Answer) -> Response {
    let mut response = Json(body).into_response();
    response.headers_mut().extend(snaptoken);
    response
}

async fn of_query(permissions: &Permissions, cx: &Context, query: Option<&str>) -> Result<Answer, RestError> {
    let parameters = Parameters::of(query)?;
    let tuple = parameters.tuple()?;
    check(permissions, cx, &parameters, &tuple, None).await
}

async fn of_body(
    permissions: &Permissions,
    cx: &Context,
    query: Option<&str>,
    request: Request,
) -> Result<Answer, RestError> {
    let parameters = Parameters::of(query)?;
    let document: CheckDocument = json_bodies::read(web::bounds::of_request(&request), request).await?;
    let (tuple, context) = document.into_parts();
    let tuple = tuple.stored()?.tuple;
    let context = attributes(context)?;
    check(permissions, cx, &parameters, &tuple, context.as_ref()).await
}

async fn check(
    permissions: &Permissions,
    cx: &Context,
    parameters: &Parameters<'_>,
    tuple: &RelationTuple,
    context: Option<&Object>,
) -> Result<Answer, RestError> {
    let max_depth = parameters.max_depth()?;
    let explains = parameters.flag("explain")?;
    let consistency = parameters.consistency(permissions, cx).await?;
    let options = CheckOptions { max_depth, context, consistency };
    let checked = if explains {
        permissions.explain(cx, tuple, options).await.map(|it| (it.answer.answer, Some(it.answer.steps), it.snapshot))
    } else {
        permissions.check(cx, tuple, options).await.map(|it| (Ok(it.answer), None, it.snapshot))
    };
    match checked {
        Ok((answer, steps, snapshot)) => {
            let explanation = steps.map(|steps| ExplanationDocument::of(matches!(answer, Ok(true)), steps));
            let allowed = answer.map_err(|error| unanswered(error, explanation.as_ref()))?;
            let snaptoken = Some(snaptoken::of(permissions, cx, snapshot).await?);
            Ok(Answer { body: Checked { allowed, explanation }, snaptoken })
        }
        // Nobody has a relation to an object of an unknown namespace.
        Err(CheckError::Invalid(invalid @ InvalidTuple::UnknownNamespace { .. })) => {
            let explanation = explains.then(|| ExplanationDocument::of_refusal(invalid.to_string()));
            Ok(Answer { body: Checked { allowed: false, explanation }, snaptoken: None })
        }
        Err(error) => Err(error.into()),
    }
}

/// The error of a check without an answer, with the explanation that was asked for.
fn unanswered(error: CheckError, explanation: Option<&ExplanationDocument>) -> RestError {
    let error = RestError::from(error);
    match explanation.and_then(|it| serde_json::to_value(it).ok()) {
        Some(explanation) => error.with_detail("explanation", explanation),
        None => error,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
pub(super) struct Batch {
    tuples: Option<Vec<RelationTupleDocument>>,
    context: Option<Value>,
}

#[derive(Serialize)]
pub(super) struct Results {
    results: Vec<ResultDocument>,
}

#[derive(Serialize)]
struct ResultDocument {
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(super) async fn batch(
    State(permissions): State<Arc<Permissions>>,
    Cx(cx): Cx,
    RawQuery(query): RawQuery,
    JsonBody(Batch { tuples, context }): JsonBody<Batch>,
) -> Result<Response, RestError> {
    let parameters = Parameters::of(query.as_deref())?;
    let context = attributes(context)?;
    // A tuple that is refused does not affect the others.
    let tuples: Vec<_> =
        tuples.unwrap_or_default().into_iter().map(|it| it.stored().map(|stored| stored.tuple)).collect();
    let max_depth = parameters.max_depth()?;
    let consistency = parameters.consistency(&permissions, &cx).await?;
    let options = CheckOptions { max_depth, context: context.as_ref(), consistency };
    let Answered { answer, snapshot } = permissions.batch_check(&cx, tuples, options).await?;
    let results = Results { results: answer.into_iter().map(ResultDocument::from).collect() };
    Ok(([snaptoken::of(&permissions, &cx, snapshot).await?], Json(results)).into_response())
}

impl From<Result<bool, CheckError>> for ResultDocument {
    fn from(checked: Result<bool, CheckError>) -> Self {
        match checked {
            Ok(allowed) => Self { allowed, error: None },
            Err(error) => Self { allowed: false, error: Some(error.in_batch()) },
        }
    }
}
