//! `/relation-tuples/subjects`: the subjects of one kind that have a relation to an object, or a permission on it.

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
use super::wire::SubjectDocument;
use crate::Permissions;
use crate::operations::list_subjects::{SubjectsKind, SubjectsQuery};

const PARAMETERS: &[&str] = &["namespace", "object", "relation", "subject_namespace", "subject_relation"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
pub(super) struct Question {
    namespace: Option<String>,
    object: Option<String>,
    relation: Option<String>,
    subject_namespace: Option<String>,
    subject_relation: Option<String>,
    context: Option<Value>,
}

#[derive(Serialize)]
struct Subjects {
    subjects: Vec<SubjectDocument>,
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
    let question = SubjectsQuery {
        namespace: parameters.required("namespace")?,
        object: parameters.required("object")?,
        relation: parameters.required("relation")?,
        kind: kind(parameters.find("subject_namespace"), parameters.find("subject_relation"))?,
    };
    list(&permissions, &cx, &parameters, &question, None).await
}

pub(super) async fn post(
    State(permissions): State<Arc<Permissions>>,
    Cx(cx): Cx,
    RawQuery(query): RawQuery,
    web::Json(body): web::Json<Question>,
) -> Result<Response, RestError> {
    let Question { namespace, object, relation, subject_namespace, subject_relation, context } = body;
    let parameters = Parameters::of(query.as_deref());
    refuse_others(&parameters, &[])?;
    let question = SubjectsQuery {
        namespace: required("namespace", namespace)?,
        object: required("object", object)?,
        relation: required("relation", relation)?,
        kind: kind(subject_namespace, subject_relation)?,
    };
    list(&permissions, &cx, &parameters, &question, context).await
}

/// Subject ids, unless a namespace is named.
fn kind(namespace: Option<String>, relation: Option<String>) -> Result<SubjectsKind, RestError> {
    match (namespace, relation) {
        (Some(namespace), relation) => Ok(SubjectsKind::Sets { namespace, relation: relation.unwrap_or_default() }),
        (None, None) => Ok(SubjectsKind::Ids),
        (None, Some(_)) => {
            let reason = "subject_namespace: is required with subject_relation";
            Err(RestError::bad_request(reason).with_detail("field", "subject_namespace"))
        }
    }
}

async fn list(
    permissions: &Permissions,
    cx: &Context,
    parameters: &Parameters<'_>,
    question: &SubjectsQuery,
    context: Option<Value>,
) -> Result<Response, RestError> {
    let options = Options::read(permissions, cx, parameters, question, context).await?;
    let found = permissions.list_subjects(cx, question, options.part(), options.check()).await?;
    let Page { token, document, names } = options.page(permissions, cx, found).await?;
    let subjects = names.into_iter().map(|name| question.kind.subject(name).into()).collect();
    Ok(([token], Json(Subjects { subjects, page: document })).into_response())
}
