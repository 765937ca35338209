//! `/relation-tuples/objects`: the objects that a subject has a relation to, or a permission on.

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
use crate::operations::list_objects::ObjectsQuery;

const PARAMETERS: &[&str] =
    &["namespace", "relation", "subject_id", "subject_set.namespace", "subject_set.object", "subject_set.relation"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
pub(super) struct Question {
    namespace: Option<String>,
    relation: Option<String>,
    subject_id: Option<String>,
    subject_set: Option<SubjectSetDocument>,
    context: Option<Value>,
}

#[derive(Serialize)]
struct Objects {
    objects: Vec<String>,
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
    let question = ObjectsQuery {
        namespace: parameters.required("namespace")?,
        relation: parameters.required("relation")?,
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
    let Question { namespace, relation, subject_id, subject_set, context } = body;
    let parameters = Parameters::of(query.as_deref());
    refuse_others(&parameters, &[])?;
    let question = ObjectsQuery {
        namespace: required("namespace", namespace)?,
        relation: required("relation", relation)?,
        subject: subject(subject_id, subject_set)?,
    };
    list(&permissions, &cx, &parameters, &question, context).await
}

async fn list(
    permissions: &Permissions,
    cx: &Context,
    parameters: &Parameters<'_>,
    question: &ObjectsQuery,
    context: Option<Value>,
) -> Result<Response, RestError> {
    let options = Options::read(permissions, cx, parameters, question, context).await?;
    let found = permissions.list_objects(cx, question, options.part(), options.check()).await?;
    let Page { token, document, names } = options.page(permissions, cx, found).await?;
    Ok(([token], Json(Objects { objects: names, page: document })).into_response())
}
