//! Tests of the whole service, through its routers.

mod changes;
mod graph;
mod harness;
mod relation_tuples;
mod syntax;
mod watch;
