//! `/relation-tuples/relations`: the relations that a subject has to an object, and the permissions on it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use base::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use web::{Cx, RestError};

use super::query::Parameters;
use super::question::{Options, Page, PageDocument, refuse_others, required};
use super::wire::{SubjectSetDocument, subject};
use crate::Permissions;
use crate::operations::list_relations::RelationsQuery;

const PARAMETERS: &[&str] =
    &["namespace", "object", "subject_id", "subject_set.namespace", "subject_set.object", "subject_set.relation"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
pub(super) struct Question {
    namespace: Option<String>,
    object: Option<String>,
    subject_id: Option<String>,
    subject_set: Option<SubjectSetDocument>,
    context: Option<Value>,
}

#[derive(Serialize)]
struct Relations {
    relations: Vec<String>,
    #[serde(flatten)]
    page: PageDocument,
}

pub(super) async fn get(
    State(permissions): State<Arc<Permissions>>,
    Cx(cx): Cx,
    RawQuery(query): RawQuery,
) -> Result<Response, RestError> {
    let parameters = Parameters::of(query.as_deref());
    refuse_others(&parameters, PARAMETERS)?;
    let question = RelationsQuery {
        namespace: parameters.required("namespace")?,
        object: parameters.required("object")?,
        subject: parameters.required_subject()?,
    };
    list(&permissions, &cx, &parameters, &question, None).await
}

pub(super) async fn post(
    State(permissions): State<Arc<Permissions>>,
    Cx(cx): Cx,
    RawQuery(query): RawQuery,
    web::Json(body): web::Json<Question>,
) -> Result<Response, RestError> {
    let Question { namespace, object, subject_id, subject_set, context } = body;
    let parameters = Parameters::of(query.as_deref());
    refuse_others(&parameters, &[])?;
    let question = RelationsQuery {
        namespace: required("namespace", namespace)?,
        object: required("object", object)?,
        subject: subject(subject_id, subject_set)?,
    };
    list(&permissions, &cx, &parameters, &question, context).await
}

async fn list(
    permissions: &Permissions,
    cx: &Context,
    parameters: &Parameters<'_>,
    question: &RelationsQuery,
    context: Option<Value>,
) -> Result<Response, RestError> {
    let options = Options::read(permissions, cx, parameters, question, context).await?;
    let found = permissions.list_relations(cx, question, options.part(), options.check()).await?;
    let Page { token, document, names } = options.page(permissions, cx, found).await?;
    Ok(([token], Json(Relations { relations: names, page: document })).into_response())
}
