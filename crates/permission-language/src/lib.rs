//! The Ory Permission Language: which relations the objects of a namespace have, and which permissions follow from them.
//!
//! Specification: the language of Ory Keto 26.3, a subset of TypeScript, and conditions, which are ours.

mod model;

pub use model::{Condition, Expression, Model, Namespace, Permit, Relation, SubjectType};
