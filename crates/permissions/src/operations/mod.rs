//! One file per verb. Each reads, lets the domain decide, writes and commits; nothing else opens a write transaction.

pub mod check_syntax;
pub mod delete_relation_tuples;
pub mod list_namespaces;
pub mod list_relation_tuples;
pub mod load_model;
pub mod open_snaptoken;
pub mod require_snapshot;
pub mod transact_relation_tuples;
pub mod watch_relation_tuples;
