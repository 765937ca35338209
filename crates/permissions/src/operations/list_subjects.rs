//! The subjects of one kind that have a relation to an object, or a permission on it.

use std::task::Poll;

use base::Context;

use super::check::{CheckOptions, InvalidQuestion, number};
use super::evaluate::{Answered, EvaluateError, Numbers, Question};
use super::reverse::{ListError, NameListing, Part};
use crate::Permissions;
use crate::components::models::LoadedModel;
use crate::domain::access::RequestAttributes;
use crate::domain::evaluation::Evaluator;
use crate::domain::evaluation::reverse::{Directory, Listing, SubjectsQuestion};
use crate::domain::ids::{Subject as SubjectNumber, Userset};
use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::relation_tuple::{RelationTuple, Subject, SubjectSet};
use crate::domain::request_conditions::RequestConditions;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SubjectsQuery {
    pub namespace: String,
    pub object: String,
    pub relation: String,
    pub kind: SubjectsKind,
}

/// Which subjects are listed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SubjectsKind {
    Ids,
    /// Subject sets of a namespace with this relation; the objects themselves if it is empty.
    Sets {
        namespace: String,
        relation: String,
    },
}

impl SubjectsKind {
    /// The subject of this kind that has a name.
    pub fn subject(&self, name: String) -> Subject {
        match self {
            Self::Ids => Subject::Id(name),
            Self::Sets { namespace, relation } => {
                Subject::Set(SubjectSet { namespace: namespace.clone(), object: name, relation: relation.clone() })
            }
        }
    }
}

/// The subjects in place of that of a tuple.
pub(super) struct OfSubjects<'a> {
    /// Its subject has the kind of the results, and no name.
    pub(super) tuple: &'a RelationTuple,
    /// In place of the context of the request.
    pub(super) attributes: Option<&'a RequestAttributes>,
    pub(super) part: Part<'a>,
}

impl Question for OfSubjects<'_> {
    type Numbered = (Userset, SubjectNumber);
    type Found = Listing;
    type Answer = NameListing;

    fn number(&self, numbers: &mut (dyn Numbers + Send)) -> Result<Self::Numbered, EvaluateError> {
        number(self.tuple, numbers)
    }

    fn ask<'q, R: Directory>(
        &'q self,
        &(userset, subject): &Self::Numbered,
        evaluator: &mut Evaluator<'_, R, RequestConditions<'q>>,
    ) -> Poll<Listing> {
        if let Some(attributes) = self.attributes {
            evaluator.conditions().read(attributes);
        }
        let (namespace, relation) = (subject.namespace(), subject.relation());
        evaluator.list_subjects(SubjectsQuestion { userset, namespace, relation }, self.part)
    }

    fn present(&self, found: Listing, numbers: &(dyn Numbers + Send)) -> NameListing {
        NameListing::of(found, numbers)
    }
}

impl Permissions {
    /// A page of the names of subjects. An error about their kind is one of the fields `subject_namespace` and
    /// `subject_relation`.
    pub async fn list_subjects(
        &self,
        cx: &Context,
        query: &SubjectsQuery,
        part: Part<'_>,
        options: CheckOptions<'_>,
    ) -> Result<Answered<NameListing>, ListError> {
        let model = self.models.current()?;
        self.check_kind(&model, &query.kind)?;
        let SubjectsQuery { namespace, object, relation, kind } = query.clone();
        let tuple = RelationTuple { namespace, object, relation, subject: kind.subject(String::new()) };
        self.may_ask(&model, &tuple).map_err(of_kind)?;
        let question = OfSubjects { tuple: &tuple, attributes: None, part };
        Ok(self.search(cx, self.asking(&model, options), &question).await?)
    }

    fn check_kind(&self, model: &LoadedModel, kind: &SubjectsKind) -> Result<(), InvalidTuple> {
        match kind {
            SubjectsKind::Ids if self.write_rules.refuses_subject_ids => {
                let problem = "is required in strict mode, because subject ids have no type";
                Err(InvalidTuple::field("subject_namespace", problem))
            }
            // An unknown namespace is another error.
            SubjectsKind::Sets { namespace, relation }
                if !relation.is_empty()
                    && model.symbols.namespace(namespace).is_some()
                    && !model.accepts(namespace, relation) =>
            {
                Err(InvalidTuple::field("subject_relation", format!("relation \"{relation}\" does not exist")))
            }
            SubjectsKind::Ids | SubjectsKind::Sets { .. } => Ok(()),
        }
    }
}

/// The same fault with the fields of this question.
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
