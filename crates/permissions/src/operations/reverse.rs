//! What the reverse questions share: their bounds, their pages and their errors.
//!
//! Invariants:
//! - A result that is checked with the same attributes is granted, unless something was changed meanwhile.
//! - Results are sorted by name and follow `after`. A listing that is not complete says so.

use base::Context;

use super::check::{CheckError, InvalidQuestion};
use super::evaluate::{Answered, Asking, EvaluateError, Numbers, Question};
use crate::Permissions;
use crate::components::models::Unloaded;
use crate::domain::evaluation::Failure;
use crate::domain::evaluation::reverse::Listing;
use crate::domain::invalid_tuple::InvalidTuple;

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

impl NameListing {
    pub(super) fn of(found: Listing, numbers: &dyn Numbers) -> Self {
        let Listing { names, has_more, truncated, unresolved } = found;
        Self {
            names: names.into_iter().map(|name| numbers.names().name(name).to_owned()).collect(),
            has_more,
            truncated: truncated.map(|failure| reason(failure, numbers)),
            unresolved: unresolved.map(|failure| reason(failure, numbers)),
        }
    }
}

pub(super) fn reason(failure: Failure, numbers: &dyn Numbers) -> String {
    CheckError::of(failure, numbers).to_string()
}

impl Permissions {
    /// The one way to search, for every kind of result.
    pub(super) async fn search<Q: Question<Answer = NameListing>>(
        &self,
        cx: &Context,
        asking: Asking<'_>,
        question: &Q,
    ) -> Result<Answered<NameListing>, EvaluateError> {
        self.answer_from_memory(cx, &Asking { limits: asking.limits.of_list(), ..asking }, question).await
    }
}
