//! Tables of a replaced program in a database: they identify an existing database before anything is written.

use database::{Error, Read, values};

database::statements! {
    across_tenants HOLDS_TABLE = {
        sqlite: "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $1",
        postgres: "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename::text = $1",
    };
}

/// A program, a table that only it creates, and its table of migrations.
const PROGRAMS: &[(&str, &str)] =
    &[("Kratos", "identity_credential_types"), ("Hydra", "hydra_client"), ("Keto", "keto_relation_tuples")];
const MIGRATIONS: &str = "schema_migration";

/// The programs whose tables are in the database.
pub(crate) async fn programs(tx: &mut impl Read) -> Result<Vec<&'static str>, Error> {
    let mut found = Vec::new();
    if tx.query_opt(&HOLDS_TABLE, &values![MIGRATIONS]).await?.is_none() {
        return Ok(found);
    }
    for (program, table) in PROGRAMS {
        if tx.query_opt(&HOLDS_TABLE, &values![*table]).await?.is_some() {
            found.push(*program);
        }
    }
    Ok(found)
}

/// The fault of a database that belongs to `program`.
pub(crate) fn message(program: &str) -> String {
    format!(
        "this database belongs to {program}: its tables cannot be used as they are, and nothing was written to it. Name an empty \
         database, and move people and clients over the admin APIs (docs/guides/move-from-ory.md)"
    )
}
