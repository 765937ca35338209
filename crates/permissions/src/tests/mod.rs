//! Tests of the whole service, through its routers.

mod authzen;
mod changes;
mod checks;
mod consistency;
mod graph;
mod harness;
mod permission_checks;
mod relation_tuples;
mod syntax;
mod watch;
mod writes;
