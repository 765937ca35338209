//! `/relation-tuples/objects`, `/relation-tuples/subjects` and `/relation-tuples/relations`: the reverse questions.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use base::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use web::{Cx, RestError};

use super::json_bodies::JsonBody;
use super::query::Parameters;
use super::question::{Options, Page, PageDocument, refuse_others};
use super::wire::{SubjectDocument, SubjectSetDocument, subject};
use crate::Permissions;
use crate::domain::relation_tuple::Subject;
use crate::domain::reverse_question::{ReverseQuestion, Sought};

/// The members of a question, in the URL or in a body. Each kind of question has some of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
struct Members {
    namespace: Option<String>,
    object: Option<String>,
    relation: Option<String>,
    subject_id: Option<String>,
    subject_set: Option<SubjectSetDocument>,
    subject_namespace: Option<String>,
    subject_relation: Option<String>,
    context: Option<Value>,
}

/// An answer has the results in front of its page.
#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    results: Results,
    #[serde(flatten)]
    page: PageDocument,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Results {
    Objects(Vec<String>),
    Subjects(Vec<SubjectDocument>),
    Relations(Vec<String>),
}

/// The endpoint for one kind of question.
pub(super) fn about(sought: Sought) -> MethodRouter<Arc<Permissions>> {
    let of_query = move |State(permissions): State<Arc<Permissions>>, Cx(cx): Cx, RawQuery(query): RawQuery| async move {
        let parameters = Parameters::of(query.as_deref())?;
        refuse_others(&parameters, parameters_of(sought))?;
        let members = Members::of_query(&parameters)?;
        answer(&permissions, &cx, &parameters, (members.into_question(sought)?, None)).await
    };
    let of_body = move |State(permissions): State<Arc<Permissions>>,
                        Cx(cx): Cx,
                        RawQuery(query): RawQuery,
                        JsonBody(mut members): JsonBody<Members>| async move {
        let parameters = Parameters::of(query.as_deref())?;
        refuse_others(&parameters, &[])?;
        let context = members.context.take();
        answer(&permissions, &cx, &parameters, (members.into_question(sought)?, context)).await
    };
    get(of_query).post(of_body)
}

async fn answer(
    permissions: &Permissions,
    cx: &Context,
    parameters: &Parameters<'_>,
    (question, context): (ReverseQuestion, Option<Value>),
) -> Result<Response, RestError> {
    let options = Options::read(permissions, cx, parameters, &question, context).await?;
    let found = permissions.list_names(cx, &question, options.part(), options.check()).await?;
    let Page { token, document, names } = options.page(permissions, cx, found).await?;
    let results = match question.sought {
        Sought::Objects => Results::Objects(names),
        Sought::Subjects => Results::Subjects(names.into_iter().map(|name| question.subject_of(name).into()).collect()),
        Sought::Relations => Results::Relations(names),
    };
    Ok(([token], Json(Answer { results, page: document })).into_response())
}

/// The members that a question has, as parameters.
const fn parameters_of(sought: Sought) -> &'static [&'static str] {
    match sought {
        Sought::Objects => &[
            "namespace",
            "relation",
            "subject_id",
            "subject_set.namespace",
            "subject_set.object",
            "subject_set.relation",
        ],
        Sought::Subjects => &["namespace", "object", "relation", "subject_namespace", "subject_relation"],
        Sought::Relations => &[
            "namespace",
            "object",
            "subject_id",
            "subject_set.namespace",
            "subject_set.object",
            "subject_set.relation",
        ],
    }
}

impl Members {
    fn of_query(parameters: &Parameters<'_>) -> Result<Self, RestError> {
        let (subject_id, subject_set) = match parameters.subject_of_question()? {
            None => (None, None),
            Some(Subject::Id(id)) => (Some(id), None),
            Some(Subject::Set(set)) => (None, Some(set.into())),
        };
        Ok(Self {
            namespace: parameters.find("namespace"),
            object: parameters.find("object"),
            relation: parameters.find("relation"),
            subject_id,
            subject_set,
            subject_namespace: parameters.find("subject_namespace"),
            subject_relation: parameters.find("subject_relation"),
            context: None,
        })
    }

    fn into_question(mut self, sought: Sought) -> Result<ReverseQuestion, RestError> {
        let namespace = required("namespace", self.namespace.take())?;
        let question = match sought {
            Sought::Objects => {
                let relation = required("relation", self.relation.take())?;
                ReverseQuestion::objects(namespace, relation, self.take_subject()?)
            }
            Sought::Subjects => {
                let object = required("object", self.object.take())?;
                let relation = required("relation", self.relation.take())?;
                let (of_namespace, of_relation) = (self.subject_namespace.take(), self.subject_relation.take());
                ReverseQuestion::subjects((namespace, object, relation), of_namespace, of_relation)?
            }
            Sought::Relations => {
                let object = required("object", self.object.take())?;
                ReverseQuestion::relations(namespace, object, self.take_subject()?)
            }
        };
        self.refuse_rest()?;
        Ok(question)
    }

    fn take_subject(&mut self) -> Result<Subject, RestError> {
        Ok(subject(self.subject_id.take(), self.subject_set.take())?)
    }

    /// Refuses the members of other questions.
    fn refuse_rest(&self) -> Result<(), RestError> {
        let rest = [
            ("object", self.object.is_some()),
            ("relation", self.relation.is_some()),
            ("subject_id", self.subject_id.is_some()),
            ("subject_set", self.subject_set.is_some()),
            ("subject_namespace", self.subject_namespace.is_some()),
            ("subject_relation", self.subject_relation.is_some()),
        ];
        let refused = |name| {
            let reason = format!("{name}: this question does not have such a member");
            RestError::bad_request(reason).with_detail("field", name)
        };
        rest.into_iter().find(|(_, is_left)| *is_left).map_or(Ok(()), |(name, _)| Err(refused(name)))
    }
}

/// A member that a question must have.
fn required(name: &str, value: Option<String>) -> Result<String, RestError> {
    value.ok_or_else(|| {
        RestError::bad_request(format!("{name}: is required, and may be empty")).with_detail("field", name)
    })
}
