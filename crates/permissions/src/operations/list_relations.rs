//! The relations that a subject has to an object, and the permissions on it.

use std::task::Poll;

use base::Context;

use super::check::{CheckOptions, number};
use super::evaluate::{Answered, EvaluateError, Numbers, Question};
use super::reverse::{ListError, NameListing, Part, reason};
use crate::Permissions;
use crate::domain::access::RequestAttributes;
use crate::domain::evaluation::Evaluator;
use crate::domain::evaluation::reverse::{Actions, Directory};
use crate::domain::ids::{Subject as SubjectNumber, Userset};
use crate::domain::relation_tuple::{RelationTuple, Subject};
use crate::domain::request_conditions::RequestConditions;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RelationsQuery {
    pub namespace: String,
    pub object: String,
    pub subject: Subject,
}

/// The relations in place of that of a tuple.
pub(super) struct OfRelations<'a> {
    /// Its relation is empty.
    pub(super) tuple: &'a RelationTuple,
    /// In place of the context of the request.
    pub(super) attributes: Option<&'a RequestAttributes>,
    pub(super) part: Part<'a>,
}

impl Question for OfRelations<'_> {
    type Numbered = (Userset, SubjectNumber);
    type Found = Actions;
    type Answer = NameListing;

    fn number(&self, numbers: &mut (dyn Numbers + Send)) -> Result<Self::Numbered, EvaluateError> {
        number(self.tuple, numbers)
    }

    fn ask<'q, R: Directory>(
        &'q self,
        &(userset, subject): &Self::Numbered,
        evaluator: &mut Evaluator<'_, R, RequestConditions<'q>>,
    ) -> Poll<Actions> {
        if let Some(attributes) = self.attributes {
            evaluator.conditions().read(attributes);
        }
        evaluator.list_actions(userset, subject)
    }

    fn present(&self, Actions { allowed, failed }: Actions, numbers: &(dyn Numbers + Send)) -> NameListing {
        let Part { after, limit } = self.part;
        let named = allowed.into_iter().map(|action| numbers.symbols().relation_name(action).to_owned());
        let mut names: Vec<String> = named.filter(|name| after.is_none_or(|after| name.as_str() > after)).collect();
        names.sort_unstable();
        let has_more = names.len() > limit;
        names.truncate(limit);
        let unresolved = failed.into_iter().map(|(_, failure)| failure).min().map(|it| reason(it, numbers));
        NameListing { names, has_more, truncated: None, unresolved }
    }
}

impl Permissions {
    /// A page of relations and permissions.
    pub async fn list_relations(
        &self,
        cx: &Context,
        query: &RelationsQuery,
        part: Part<'_>,
        options: CheckOptions<'_>,
    ) -> Result<Answered<NameListing>, ListError> {
        let RelationsQuery { namespace, object, subject } = query.clone();
        let tuple = RelationTuple { namespace, object, relation: String::new(), subject };
        let model = self.models.current()?;
        self.may_ask(&model, &tuple)?;
        let question = OfRelations { tuple: &tuple, attributes: None, part };
        Ok(self.search(cx, self.asking(&model, options), &question).await?)
    }
}
