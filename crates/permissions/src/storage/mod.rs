//! The SQL of this service, one file per group of tables.

use database::{Retention, Statement};

pub mod reads;
pub mod relation_tuples;
pub mod state;

/// All statements, for the test that prepares them on both engines.
pub const ALL: &[&[&Statement]] = &[reads::STATEMENTS, relation_tuples::STATEMENTS, state::STATEMENTS];

/// A relation tuple is kept until it is deleted or expires; there is one row of `permissions_state` for each tenant.
pub const RETENTION: &[Retention] = &[Retention {
    table: "permissions_relation_tuples",
    key: "tenant_id, namespace, object, relation, subject_namespace, subject_object, subject_relation",
    expired: "expires_at < $1",
}];

#[cfg(test)]
mod tests;
