//! Candidates of a reverse question, and the page of results that follows from them.

use std::task::Poll;

use roaring::RoaringBitmap;

use super::{Directory, Listing, Part};
use crate::domain::evaluation::check::Evaluator;
use crate::domain::evaluation::limits::Failure;
use crate::domain::evaluation::outcome::Value;
use crate::domain::evaluation::relations::Conditions;
use crate::domain::ids::{NameId, SubjectNumber, Userset};

/// So many candidates are sorted first; twice as many every time that these are not enough.
const SORTED_AT_ONCE: usize = 1024;

#[derive(Default)]
pub(super) struct Candidates {
    /// Results, whatever else is found.
    pub(super) certain: RoaringBitmap,
    /// Results if a check says so.
    pub(super) possible: RoaringBitmap,
    pub(super) truncated: Option<Failure>,
    pub(super) is_pending: bool,
}

impl Candidates {
    pub(super) fn truncate(&mut self, failure: Failure) {
        self.truncated = Some(self.truncated.map_or(failure, |other| other.min(failure)));
    }

    pub(super) fn add(&mut self, name: NameId, is_certain: bool) {
        if is_certain {
            self.certain.insert(name.0);
        } else {
            self.possible.insert(name.0);
        }
    }
}

impl<R: Directory, C: Conditions> Evaluator<'_, R, C> {
    /// Confirms candidates in the order of their names until the page is full.
    pub(super) fn page(
        &mut self,
        candidates: Candidates,
        part: Part<'_>,
        question: impl Fn(NameId) -> (Userset, SubjectNumber),
    ) -> Poll<Listing> {
        let Candidates { certain, possible, truncated, is_pending } = candidates;
        if is_pending {
            return Poll::Pending;
        }
        let mut listing = Listing { truncated, ..Listing::default() };
        let all = &certain | &possible;
        let mut left: Vec<NameId> = all.iter().map(NameId).filter(|id| self.follows(*id, part.after)).collect();
        let mut is_pending = false;
        let mut at_once = part.limit.saturating_add(1).max(SORTED_AT_ONCE);
        while !left.is_empty() {
            let first = self.smallest(&mut left, at_once);
            at_once = at_once.saturating_mul(2);
            for id in first {
                if listing.names.len() == part.limit {
                    listing.has_more = true;
                    return if is_pending { Poll::Pending } else { Poll::Ready(listing) };
                }
                let (userset, subject) = question(id);
                let value = if certain.contains(id.0) { Value::Yes } else { self.ask(userset, subject) };
                match value {
                    Value::Yes => listing.names.push(id),
                    Value::No => {}
                    // Candidates that are certain need no further step.
                    Value::Failed(failure @ Failure::StepsExhausted) => listing.truncated = Some(failure),
                    Value::Failed(failure) => {
                        listing.unresolved = Some(listing.unresolved.map_or(failure, |other| other.min(failure)));
                    }
                    // What is still unknown counts, so that a round does not read more than a page.
                    Value::Pending => {
                        is_pending = true;
                        listing.names.push(id);
                    }
                }
            }
        }
        if is_pending { Poll::Pending } else { Poll::Ready(listing) }
    }

    fn follows(&self, id: NameId, after: Option<&str>) -> bool {
        after.is_none_or(|after| self.relations.name(id) > after.as_bytes())
    }

    /// Takes the first candidates by name, sorted.
    fn smallest(&self, left: &mut Vec<NameId>, count: usize) -> Vec<NameId> {
        let mut named: Vec<(&[u8], NameId)> = left.drain(..).map(|id| (self.relations.name(id), id)).collect();
        if named.len() > count {
            named.select_nth_unstable(count);
            left.extend(named.drain(count..).map(|(_, id)| id));
        }
        named.sort_unstable();
        named.into_iter().map(|(_, id)| id).collect()
    }
}
