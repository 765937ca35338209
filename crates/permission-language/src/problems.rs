//! Collects problems up to a bound.
//!
//! Invariant: problems over the bound are dropped, but a dropped error still prevents loading.

use crate::limits::MAX_PROBLEMS;
use crate::problem::Problem;

#[derive(Debug, Default)]
pub(crate) struct Problems {
    preventing: Vec<Problem>,
    others: Vec<Problem>,
}

impl Problems {
    pub(crate) fn push(&mut self, problem: Problem) {
        let list = if problem.kind.prevents_loading() { &mut self.preventing } else { &mut self.others };
        if list.len() < MAX_PROBLEMS {
            list.push(problem);
        }
    }

    /// Whether further errors would be dropped, so that their messages need not be made.
    pub(crate) fn is_full(&self) -> bool {
        self.preventing.len() >= MAX_PROBLEMS
    }

    pub(crate) fn prevent_loading(&self) -> bool {
        !self.preventing.is_empty()
    }

    /// All of them in the order of their places.
    pub(crate) fn into_vec(self) -> Vec<Problem> {
        let mut problems = self.preventing;
        problems.extend(self.others);
        problems.sort_by_key(|problem| (problem.file, problem.span));
        problems
    }
}
