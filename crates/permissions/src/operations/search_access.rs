//! Finds the subjects, the resources or the actions of permitted access requests, at one snapshot.
//!
//! Specification: `AuthZEN` Authorization API 1.0, section "Search APIs". A search is a [reverse question](super::reverse) with
//! the properties of a request.

use base::Context;

use super::check::{CheckOptions, InvalidQuestion};
use super::evaluate::Answered;
use super::list_objects::OfObjects;
use super::list_relations::OfRelations;
use super::list_subjects::OfSubjects;
use super::reverse::{ListError, NameListing, Part};
use crate::Permissions;
use crate::domain::access::AccessRequest;
use crate::domain::consistency::Consistency;
use crate::domain::invalid_tuple::InvalidTuple;

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
    pub part: Part<'a>,
    pub consistency: Consistency,
}

impl Permissions {
    /// A page of results: the ids of subjects and resources, the names of actions. There are none for a type or an action that
    /// the model does not declare; then there is no snapshot either.
    pub async fn search_access(
        &self,
        cx: &Context,
        search: AccessSearch<'_>,
    ) -> Result<Option<Answered<NameListing>>, ListError> {
        let AccessSearch { sought, request: AccessRequest { tuple, attributes }, part, consistency } = search;
        let model = self.models.current()?;
        match self.may_ask(&model, tuple) {
            Ok(()) => {}
            Err(
                InvalidQuestion::Tuple(InvalidTuple::UnknownNamespace { .. }) | InvalidQuestion::UndeclaredRelation(_),
            ) => return Ok(None),
            Err(invalid @ InvalidQuestion::Tuple(InvalidTuple::Field { .. })) => return Err(invalid.into()),
        }
        let asking = self.asking(&model, CheckOptions { consistency, ..CheckOptions::default() });
        let attributes = Some(attributes);
        let found = match sought {
            Sought::Subjects => self.search(cx, asking, &OfSubjects { tuple, attributes, part }).await,
            Sought::Resources => self.search(cx, asking, &OfObjects { tuple, attributes, part }).await,
            Sought::Actions => self.search(cx, asking, &OfRelations { tuple, attributes, part }).await,
        };
        Ok(Some(found?))
    }
}
