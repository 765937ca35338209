//! Finds the subjects, the resources or the actions of permitted access requests, at one snapshot.
//!
//! Specification: `AuthZEN` Authorization API 1.0, section "Search APIs". Invariants:
//! - A result that is evaluated with the same properties is permitted, unless something was changed meanwhile.
//! - Results are sorted by name and follow `after`. A listing that is not complete says so.

use std::task::Poll;

use base::Context;

use super::check::{CheckError, CheckOptions, number};
use super::evaluate::{Asking, EvaluateError, Numbers, Question};
use crate::Permissions;
use crate::components::models::Unloaded;
use crate::domain::access::AccessRequest;
use crate::domain::evaluation::reverse::{Actions, Directory, Listing, ObjectsQuestion, Part, SubjectsQuestion};
use crate::domain::evaluation::{Evaluator, Failure, Limits};
use crate::domain::ids::{NamespaceId, RelationId, Subject as SubjectNumber, Userset};
use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::relation_tuple::Subject;
use crate::domain::request_conditions::RequestConditions;

/// A search looks at about as many tuples and usersets. It takes some milliseconds, in which the graph does not change.
const MOST_STEPS: u32 = 200_000;

/// What is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sought {
    Subjects,
    Resources,
    Actions,
}

#[derive(Clone, Copy, Debug)]
pub struct AccessSearch<'a> {
    pub sought: Sought,
    /// The name of what is searched is empty.
    pub request: &'a AccessRequest,
    /// Results whose name is greater, by the order of bytes.
    pub after: Option<&'a str>,
    pub limit: usize,
}

/// A page of results.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessListing {
    /// The ids of subjects and resources, the names of actions.
    pub names: Vec<String>,
    pub has_more: bool,
    /// Why results may be missing: a limit was reached.
    pub truncated: Option<String>,
    /// Why some candidates have no answer. They are not results.
    pub unresolved: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum SearchAccessError {
    #[error(transparent)]
    Unloaded(#[from] Unloaded),
    #[error(transparent)]
    Invalid(#[from] InvalidTuple),
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
}

enum Found {
    Objects(NamespaceId, Listing),
    Actions(Actions),
}

struct OfSearch<'a>(AccessSearch<'a>);

impl Question for OfSearch<'_> {
    type Numbered = (Userset, SubjectNumber);
    type Found = Found;
    type Answer = AccessListing;

    fn number(&self, numbers: &mut (dyn Numbers + Send)) -> Result<Self::Numbered, EvaluateError> {
        number(&self.0.request.tuple, numbers)
    }

    fn ask<'q, R: Directory>(
        &'q self,
        &(userset, subject): &Self::Numbered,
        evaluator: &mut Evaluator<'_, R, RequestConditions<'q>>,
    ) -> Poll<Found> {
        evaluator.conditions().read(&self.0.request.attributes);
        let part = Part { after: self.0.after, limit: self.0.limit };
        match self.0.sought {
            Sought::Subjects => {
                let namespace = subject.namespace();
                let question = SubjectsQuestion { userset, namespace, relation: RelationId::NONE };
                evaluator.list_subjects(question, part).map(|found| Found::Objects(namespace, found))
            }
            Sought::Resources => {
                let namespace = userset.namespace();
                let question = ObjectsQuestion { namespace, relation: userset.relation(), subject };
                evaluator.list_objects(question, part).map(|found| Found::Objects(namespace, found))
            }
            Sought::Actions => evaluator.list_actions(userset, subject).map(Found::Actions),
        }
    }

    fn present(&self, found: Found, numbers: &(dyn Numbers + Send)) -> AccessListing {
        let reason = |failure: Failure| CheckError::of(failure, numbers).to_string();
        match found {
            Found::Objects(namespace, Listing { names, has_more, truncated, unresolved }) => {
                let name = |name| match numbers.subject_of(Userset::new(namespace, name, RelationId::NONE)) {
                    Subject::Set(set) => set.object,
                    Subject::Id(id) => id,
                };
                AccessListing {
                    names: names.into_iter().map(name).collect(),
                    has_more,
                    truncated: truncated.map(reason),
                    unresolved: unresolved.map(reason),
                }
            }
            Found::Actions(Actions { allowed, failed }) => {
                let named = allowed.into_iter().map(|action| numbers.relation_name(action).to_owned());
                let mut names: Vec<String> =
                    named.filter(|name| self.0.after.is_none_or(|after| name.as_str() > after)).collect();
                names.sort_unstable();
                let has_more = names.len() > self.0.limit;
                names.truncate(self.0.limit);
                let unresolved = failed.into_iter().map(|(_, failure)| failure).min().map(reason);
                AccessListing { names, has_more, truncated: None, unresolved }
            }
        }
    }
}

impl Permissions {
    /// A page of results. There are none for a type or an action that the model does not declare.
    pub async fn search_access(
        &self,
        cx: &Context,
        search: AccessSearch<'_>,
    ) -> Result<AccessListing, SearchAccessError> {
        let model = self.models.current()?;
        match self.may_ask(&model, &search.request.tuple) {
            Ok(()) => {}
            Err(CheckError::Invalid(InvalidTuple::UnknownNamespace { .. }) | CheckError::UndeclaredRelation(_)) => {
                return Ok(AccessListing::default());
            }
            Err(CheckError::Invalid(invalid @ InvalidTuple::Field { .. })) => return Err(invalid.into()),
            Err(CheckError::Unloaded(error)) => return Err(error.into()),
            Err(CheckError::Evaluate(error)) => return Err(error.into()),
            // Nothing was evaluated.
            Err(CheckError::Unanswered { .. }) => return Err(EvaluateError::Endless.into()),
        }
        let asking = self.asking(&model, CheckOptions::default());
        let asking = Asking { limits: Limits { steps: MOST_STEPS, ..asking.limits }, ..asking };
        Ok(self.answer_from_memory(cx, &asking, &OfSearch(search)).await?.answer)
    }
}
