//! Whether a subject is a member of a userset, over any reader of relation tuples.
//!
//! Specification: the check and expand requests of Keto, with these differences: the order of alternatives never decides, an
//! exhausted budget is a failure and never a quiet "no", and a grant that is found wins over every failure.
//!
//! An answer is yes, no or a failure (strong Kleene logic). A union is yes if an alternative is, otherwise a failure if an
//! alternative is, otherwise no. An intersection is no if an operand is, otherwise a failure if an operand is, otherwise yes.
//!
//! Reads may be pending. The evaluation goes on with what it can answer, so that all reads of one round are known together; the
//! caller performs them and evaluates again. A check over SQL therefore costs as many rounds as it is deep.
//!
//! - [`relations`]: what a reader implements.
//! - [`check`]: the evaluator. [`closure`] searches unions, [`formula`] evaluates intersections, exclusions and conditions.
//! - [`rounds`]: a reader that answers from what was fetched, and lists what is missing.
//!
//! Invariants:
//! - Everything is bounded by [`Limits`]; the native stack is bounded by a constant.
//! - No state is kept between requests, except the capacity of [`Scratch`].

mod check;
mod closure;
pub mod expand;
pub mod explain;
mod formula;
mod limits;
mod outcome;
mod relations;
pub mod reverse;
pub mod rounds;
mod scratch;

pub use check::{Evaluator, EvaluatorParts};
pub use limits::{Failure, Limits};
pub use relations::{ConditionFailed, Conditions, ContextId, Link, NoConditions, Relations, SubjectKind, Terms};
pub use scratch::Scratch;

#[cfg(test)]
mod tests;
