//! Lists what a reverse question asks for: the objects, subjects or relations that a check would allow.
//!
//! Invariants:
//! - A result that is checked with the same attributes is granted, unless something was changed meanwhile.
//! - Results are sorted by name and follow `after`. A listing that is not complete says so.

use std::task::Poll;

use base::Context;

use super::check::{CheckError, CheckOptions, InvalidQuestion, NoAnswer, number};
use super::evaluate::{Answered, Asking, EvaluateError, Numbers, Question};
use crate::Permissions;
use crate::components::models::{LoadedModel, Unloaded};
use crate::domain::access::RequestAttributes;
use crate::domain::evaluation::reverse::{Actions, Directory, Listing, ObjectsQuestion, SubjectsQuestion};
use crate::domain::evaluation::{Evaluator, Failure};
use crate::domain::ids::{SubjectNumber, Userset};
use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::relation_tuple::{Subject, SubjectSet};
use crate::domain::request_conditions::{Reasons, RequestConditions};
use crate::domain::reverse_question::{ReverseQuestion, Sought};

pub use crate::domain::evaluation::reverse::Part;

/// A page of results.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameListing {
    /// Objects, the names of subjects of one kind, or relations.
    pub names: Vec<String>,
    pub has_more: bool,
    /// Why results may be missing: a limit was reached.
    pub truncated: Option<String>,
    /// Why some candidates have no answer. They are not results.
    pub unresolved: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum ListError {
    #[error(transparent)]
    Unloaded(#[from] Unloaded),
    #[error(transparent)]
    Question(#[from] InvalidQuestion),
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
}

impl From<InvalidTuple> for ListError {
    fn from(invalid: InvalidTuple) -> Self {
        Self::Question(invalid.into())
    }
}

/// A part of the results of a reverse question.
pub(super) struct Search<'a> {
    pub(super) question: &'a ReverseQuestion,
    /// In place of the context of the request.
    pub(super) attributes: Option<&'a RequestAttributes>,
    pub(super) part: Part<'a>,
}

/// The results in numbers of a reader, and why conditions have no result.
pub(super) struct Found {
    results: Results,
    reasons: Reasons,
}

enum Results {
    Names(Listing),
    Relations(Actions),
}

impl Question for Search<'_> {
    type Numbered = (Userset, SubjectNumber);
    type Found = Found;
    type Answer = NameListing;

    fn number(&self, numbers: &mut (dyn Numbers + Send)) -> Result<Self::Numbered, EvaluateError> {
        number(&self.question.tuple, numbers)
    }

    fn ask<'q, R: Directory>(
        &'q self,
        &(userset, subject): &Self::Numbered,
        evaluator: &mut Evaluator<'_, R, RequestConditions<'q>>,
    ) -> Poll<Found> {
        if let Some(attributes) = self.attributes {
            evaluator.conditions().read(attributes);
        }
        evaluator.conditions().forget_reasons();
        let results = match self.question.sought {
            Sought::Objects => {
                let (namespace, relation) = (userset.namespace(), userset.relation());
                let asked = ObjectsQuestion { namespace, relation, subject };
                evaluator.list_objects(asked, self.part).map(Results::Names)
            }
            Sought::Subjects => {
                let (namespace, relation) = (subject.namespace(), subject.relation());
                let asked = SubjectsQuestion { userset, namespace, relation };
                evaluator.list_subjects(asked, self.part).map(Results::Names)
            }
            Sought::Relations => evaluator.list_actions(userset, subject).map(Results::Relations),
        };
        results.map(|results| Found { results, reasons: evaluator.conditions().take_reasons() })
    }

    fn present(&self, found: Found, numbers: &(dyn Numbers + Send)) -> NameListing {
        let Found { results, mut reasons } = found;
        let mut reason = |failure: Failure| CheckError::of(NoAnswer::of(failure, &mut reasons), numbers).to_string();
        match results {
            Results::Names(Listing { names, has_more, truncated, unresolved }) => NameListing {
                names: names.into_iter().map(|name| numbers.names().name(name).to_owned()).collect(),
                has_more,
                truncated: truncated.map(&mut reason),
                unresolved: unresolved.map(reason),
            },
            Results::Relations(Actions { allowed, failed }) => {
                let Part { after, limit } = self.part;
                let named = allowed.into_iter().map(|relation| numbers.symbols().relation_name(relation).to_owned());
                let mut names: Vec<String> =
                    named.filter(|name| after.is_none_or(|after| name.as_str() > after)).collect();
                names.sort_unstable();
                let has_more = names.len() > limit;
                names.truncate(limit);
                let unresolved = failed.into_iter().map(|(_, failure)| failure).min().map(reason);
                NameListing { names, has_more, truncated: None, unresolved }
            }
        }
    }
}

impl Permissions {
    /// A page of results. An error about the kind of subjects that are sought is one of the fields `subject_namespace` and
    /// `subject_relation`.
    pub async fn list_names(
        &self,
        cx: &Context,
        question: &ReverseQuestion,
        part: Part<'_>,
        options: CheckOptions<'_>,
    ) -> Result<Answered<NameListing>, ListError> {
        let model = self.models.current()?;
        if question.sought == Sought::Subjects {
            self.check_kind(&model, &question.tuple.subject)?;
            self.may_ask(&model, &question.tuple).map_err(of_kind)?;
        } else {
            self.may_ask(&model, &question.tuple)?;
        }
        let search = Search { question, attributes: None, part };
        Ok(self.search(cx, self.asking(&model, options), &search).await?)
    }

    /// The one way to search, for every kind of result.
    pub(super) async fn search(
        &self,
        cx: &Context,
        asking: Asking<'_>,
        search: &Search<'_>,
    ) -> Result<Answered<NameListing>, EvaluateError> {
        self.answer_from_memory(cx, &asking, search).await
    }

    fn check_kind(&self, model: &LoadedModel, kind: &Subject) -> Result<(), InvalidTuple> {
        match kind {
            Subject::Id(_) if self.write_rules.refuses_subject_ids => {
                let problem = "is required in strict mode, because subject ids have no type";
                Err(InvalidTuple::field("subject_namespace", problem))
            }
            // An unknown namespace is another error.
            Subject::Set(SubjectSet { namespace, relation, .. })
                if !relation.is_empty()
                    && model.symbols.namespace(namespace).is_some()
                    && !model.accepts(namespace, relation) =>
            {
                Err(InvalidTuple::field("subject_relation", format!("relation \"{relation}\" does not exist")))
            }
            Subject::Id(_) | Subject::Set(_) => Ok(()),
        }
    }
}

/// The same fault with the fields of a question about subjects.
fn of_kind(invalid: InvalidQuestion) -> InvalidQuestion {
    let name = |field: String| match field.as_str() {
        "subject_set.namespace" => "subject_namespace".to_owned(),
        "subject_set.relation" => "subject_relation".to_owned(),
        _ => field,
    };
    match invalid {
        InvalidQuestion::Tuple(InvalidTuple::UnknownNamespace { field, namespace }) => {
            InvalidTuple::UnknownNamespace { field: name(field), namespace }.into()
        }
        InvalidQuestion::Tuple(InvalidTuple::Field { field, problem }) => {
            InvalidTuple::Field { field: name(field), problem }.into()
        }
        undeclared @ InvalidQuestion::UndeclaredRelation(_) => undeclared,
    }
}
