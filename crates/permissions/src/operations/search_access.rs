//! Finds the subjects, the resources or the actions of permitted access requests, at one snapshot.
//!
//! Specification: `AuthZEN` Authorization API 1.0, section "Search APIs". A search is a [reverse question](super::list_names) with
//! the properties of a request.

use base::Context;

use super::check::{CheckOptions, InvalidQuestion};
use super::evaluate::Answered;
use super::list_names::{ListError, NameListing, Part, Search};
use crate::Permissions;
use crate::domain::access::RequestAttributes;
use crate::domain::consistency::Consistency;
use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::reverse_question::ReverseQuestion;

#[derive(Clone, Copy, Debug)]
pub struct AccessSearch<'a> {
    pub question: &'a ReverseQuestion,
    pub attributes: &'a RequestAttributes,
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
        let AccessSearch { question, attributes, part, consistency } = search;
        let model = self.models.current()?;
        match self.may_ask(&model, &question.tuple) {
            Ok(()) => {}
            Err(
                InvalidQuestion::Tuple(InvalidTuple::UnknownNamespace { .. }) | InvalidQuestion::UndeclaredRelation(_),
            ) => return Ok(None),
            Err(invalid @ InvalidQuestion::Tuple(InvalidTuple::Field { .. })) => return Err(invalid.into()),
        }
        let asking = self.asking(&model, CheckOptions { consistency, ..CheckOptions::default() });
        let search = Search { question, attributes: Some(attributes), part };
        Ok(Some(self.search(cx, asking, &search).await?))
    }
}
