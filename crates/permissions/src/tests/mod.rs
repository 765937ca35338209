//! Tests of the whole service, through its routers.

mod changes;
mod checks;
mod harness;
mod permission_checks;
mod relation_tuples;
mod syntax;
