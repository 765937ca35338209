//! The objects of a namespace that a subject has a relation to, or a permission on.

use std::task::Poll;

use base::Context;

use super::check::{CheckOptions, number};
use super::evaluate::{Answered, EvaluateError, Numbers, Question};
use super::reverse::{ListError, NameListing, Part};
use crate::Permissions;
use crate::domain::access::RequestAttributes;
use crate::domain::evaluation::Evaluator;
use crate::domain::evaluation::reverse::{Directory, Listing, ObjectsQuestion};
use crate::domain::ids::{Subject as SubjectNumber, Userset};
use crate::domain::relation_tuple::{RelationTuple, Subject};
use crate::domain::request_conditions::RequestConditions;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ObjectsQuery {
    pub namespace: String,
    pub relation: String,
    pub subject: Subject,
}

/// The objects in place of that of a tuple.
pub(super) struct OfObjects<'a> {
    /// Its object is empty.
    pub(super) tuple: &'a RelationTuple,
    /// In place of the context of the request.
    pub(super) attributes: Option<&'a RequestAttributes>,
    pub(super) part: Part<'a>,
}

impl Question for OfObjects<'_> {
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
        let (namespace, relation) = (userset.namespace(), userset.relation());
        evaluator.list_objects(ObjectsQuestion { namespace, relation, subject }, self.part)
    }

    fn present(&self, found: Listing, numbers: &(dyn Numbers + Send)) -> NameListing {
        NameListing::of(found, numbers)
    }
}

impl Permissions {
    /// A page of objects.
    pub async fn list_objects(
        &self,
        cx: &Context,
        query: &ObjectsQuery,
        part: Part<'_>,
        options: CheckOptions<'_>,
    ) -> Result<Answered<NameListing>, ListError> {
        let ObjectsQuery { namespace, relation, subject } = query.clone();
        let tuple = RelationTuple { namespace, object: String::new(), relation, subject };
        let model = self.models.current()?;
        self.may_ask(&model, &tuple)?;
        let question = OfObjects { tuple: &tuple, attributes: None, part };
        Ok(self.search(cx, self.asking(&model, options), &question).await?)
    }
}
