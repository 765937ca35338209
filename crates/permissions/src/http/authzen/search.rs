//! `/access/v1/search/subject`, `…/resource` and `…/action` (section "Search APIs").

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use base::Context;
use serde::Serialize;
use web::{Cx, RestError};

use super::super::query::Parameters;
use super::page::Page;
use super::refused::Refused;
use super::request::{PartialRequest, body, refused};
use crate::Permissions;
use crate::components::pages::{Position, QuestionDigest, SEARCH};
use crate::domain::access::AccessRequest;
use crate::domain::relation_tuple::Subject;
use crate::domain::reverse_question::{ReverseQuestion, Sought};
use crate::operations::check::InvalidQuestion;
use crate::operations::list_names::{ListError, NameListing, Part};
use crate::operations::search_access::AccessSearch;

/// The page is in front of its results, so that a client that reads a long answer knows their number first.
#[derive(Serialize)]
struct Results {
    page: PageDocument,
    results: Vec<ResultDocument>,
}

#[derive(Serialize)]
struct PageDocument {
    next_token: String,
    count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Incomplete>,
}

/// Why results may be missing, or why some candidates are none.
#[derive(Serialize)]
struct Incomplete {
    #[serde(skip_serializing_if = "Option::is_none")]
    truncated: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unresolved: Option<String>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum ResultDocument {
    Entity { r#type: String, id: String },
    Action { name: String },
}

pub(super) async fn subject(state: State<Arc<Permissions>>, cx: Cx, request: Request) -> Result<Response, Refused> {
    search(&state, &cx.0, Sought::Subjects, request).await
}

pub(super) async fn resource(state: State<Arc<Permissions>>, cx: Cx, request: Request) -> Result<Response, Refused> {
    search(&state, &cx.0, Sought::Objects, request).await
}

pub(super) async fn action(state: State<Arc<Permissions>>, cx: Cx, request: Request) -> Result<Response, Refused> {
    search(&state, &cx.0, Sought::Relations, request).await
}

async fn search(
    permissions: &Permissions,
    cx: &Context,
    sought: Sought,
    request: Request,
) -> Result<Response, Refused> {
    let consistency = Parameters::of(request.uri().query())?.consistency(permissions, cx).await?;
    let members = body(request).await?;
    let request = PartialRequest::read_search(&members, sought).and_then(PartialRequest::complete).map_err(refused)?;
    let AccessRequest { tuple, attributes } = request;
    let question = ReverseQuestion { sought, tuple };
    let sealer = permissions.tokens.sealer(cx).await.map_err(RestError::from)?;
    let digest = QuestionDigest::of_search(&question, &attributes);
    let open = |token: &str| SEARCH.open(&sealer, cx.tenant, token).ok();
    let Page { limit, after } = Page::read(members.get("page"), digest, open).map_err(refused)?;
    drop(members);
    let part = Part { after: after.as_deref(), limit: limit as usize };
    let search = AccessSearch { question: &question, attributes: &attributes, part, consistency };
    let found = permissions.search_access(cx, search).await.map_err(search_error)?;
    let found = found.map(|answered| answered.answer).unwrap_or_default();
    let next = found
        .has_more
        .then(|| found.names.last().cloned().or(after))
        .map(|after| SEARCH.seal(&sealer, cx.tenant, Position::new(digest, (limit, after)), cx.now));
    Ok(Json(results(&question, found, next.unwrap_or_default())).into_response())
}

fn results(question: &ReverseQuestion, found: NameListing, next_token: String) -> Results {
    let NameListing { names, truncated, unresolved, .. } = found;
    let is_complete = truncated.is_none() && unresolved.is_none();
    let properties = (!is_complete).then_some(Incomplete { truncated, unresolved });
    let page = PageDocument { next_token, count: names.len(), properties };
    let result = |name: String| match question.sought {
        Sought::Subjects => match question.subject_of(name) {
            Subject::Set(set) => ResultDocument::Entity { r#type: set.namespace, id: set.object },
            // A request has no such subject.
            Subject::Id(id) => ResultDocument::Entity { r#type: String::new(), id },
        },
        Sought::Objects => ResultDocument::Entity { r#type: question.tuple.namespace.clone(), id: name },
        Sought::Relations => ResultDocument::Action { name },
    };
    Results { page, results: names.into_iter().map(result).collect() }
}

fn search_error(error: ListError) -> RestError {
    match error {
        ListError::Unloaded(unloaded) => unloaded.into(),
        ListError::Question(InvalidQuestion::Tuple(invalid)) => refused(invalid),
        ListError::Question(error @ InvalidQuestion::UndeclaredRelation(_)) => {
            RestError::bad_request(format!("action.name: {error}"))
        }
        ListError::Evaluate(error) => error.into(),
    }
}
