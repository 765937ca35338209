//! One file per verb. Each reads, lets the domain decide, writes and commits. Besides them only `components/writes`, which writes
//! for several requests at once, and `components/tokens`, which creates the row of a tenant, open a write transaction.

pub mod batch_check;
pub mod check;
pub mod check_syntax;
mod count_without_condition;
pub mod delete_relation_tuples;
mod evaluate;
pub mod evaluate_access;
pub mod expand;
pub mod explain;
pub mod issue_snaptoken;
pub mod list_names;
pub mod list_namespaces;
pub mod list_relation_tuples;
pub mod load_model;
pub mod migrate_subjects;
pub mod open_snaptoken;
mod permission_checks;
pub mod require_snapshot;
pub mod search_access;
mod shared_answers;
pub mod transact_relation_tuples;
pub mod watch_relation_tuples;

pub use shared_answers::{Answered, EvaluateError};
pub(crate) use shared_answers::{AskedRequests, Together};
