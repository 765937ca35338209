//! Tests of the whole service, through its routers.

mod attributes;
mod authzen;
mod changes;
mod checks;
mod consistency;
mod differential;
mod graph;
mod grpc;
mod harness;
mod json_bodies;
mod migrate_subjects;
mod old_tuples;
mod permission_checks;
mod questions;
mod relation_tuples;
mod shared_checks;
mod syntax;
mod watch;
mod writes;
