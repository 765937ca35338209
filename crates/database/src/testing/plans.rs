//! The plans of statements: which indexes they use, and whether they sort.

use super::{postgres, sqlite};
use crate::{Engine, MigrationSet, Statement};

/// Fills every table with rows, so that the planner of PostgreSQL prefers indexes to a sequential scan of a small table.
const FILL_TABLES: &str = "
DO $$
DECLARE
    name text;
    columns text;
    expressions text;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename <> 'kleis_migrations' LOOP
        SELECT string_agg(column_name, ', '), string_agg(CASE
            WHEN column_name = 'tenant_id' THEN '1'
            WHEN data_type = 'uuid' THEN 'gen_random_uuid()'
            WHEN data_type = 'boolean' THEN 'g % 2 = 0'
            WHEN data_type = 'bytea' THEN 'convert_to(md5(g::text), ''UTF8'')'
            WHEN data_type = 'text' THEN 'md5(g::text)'
            ELSE 'g' END, ', ')
        INTO columns, expressions FROM information_schema.columns
        WHERE table_schema = current_schema() AND table_name = name AND is_identity = 'NO';
        EXECUTE format('INSERT INTO %I (%s) SELECT %s FROM generate_series(1, 3000) g ON CONFLICT DO NOTHING', name, columns, expressions);
    END LOOP;
END $$;
ANALYZE;
";

/// The plans of the statements on both engines, one step per line. PostgreSQL uses generic plans.
///
/// # Panics
/// When a statement cannot be planned.
pub async fn plans(sets: &[MigrationSet], statements: &[&[&'static Statement]]) -> Vec<Plan> {
    let sqlite = sqlite(sets).await;
    let Engine::Sqlite(engine) = &sqlite.0.engine else { panic!("not SQLite") };
    let connection = engine.another_writer().expect("a connection");
    let postgres = postgres(sets).await;
    let Engine::Postgres(engine) = &postgres.0.engine else { panic!("not PostgreSQL") };
    engine.connection().await.expect("a connection").batch_execute(FILL_TABLES).await.expect("the tables are filled");
    let mut plans = Vec::new();
    for statement in statements.iter().copied().flatten().copied() {
        let mut explain =
            connection.prepare(&format!("EXPLAIN QUERY PLAN {}", statement.sqlite_text())).expect("a statement");
        for position in 1..=explain.parameter_count() {
            explain.raw_bind_parameter(position, 1).expect("binds");
        }
        let mut rows = explain.raw_query();
        let mut steps = Vec::new();
        while let Some(row) = rows.next().expect("a plan") {
            steps.push(row.get::<_, String>("detail").expect("a step"));
        }
        plans.push(Plan { statement, engine: "sqlite", steps });
        let steps = engine.explain(statement).await;
        let steps = steps.unwrap_or_else(|error| panic!("{}: {error:?}", statement.name()));
        plans.push(Plan { statement, engine: "postgres", steps });
    }
    plans
}

impl crate::postgres::Postgres {
    async fn explain(&self, statement: &'static Statement) -> Result<Vec<String>, tokio_postgres::Error> {
        let connection = self.connection().await.expect("a connection");
        let parameters = connection.prepare(statement.postgres_text()).await?.params().len();
        let nulls = if parameters == 0 { String::new() } else { format!("({})", vec!["NULL"; parameters].join(", ")) };
        let script = format!(
            "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off; \
             SET enable_mergejoin = off; DEALLOCATE ALL; PREPARE explained AS {}; EXPLAIN (COSTS OFF) EXECUTE explained {nulls}",
            statement.postgres_text()
        );
        let messages = connection.simple_query(&script).await?;
        // The pool must not return the connection with these settings.
        drop(deadpool_postgres::Object::take(connection));
        let step = |message: &tokio_postgres::SimpleQueryMessage| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(ToOwned::to_owned),
            _ => None,
        };
        Ok(messages.iter().filter_map(step).collect())
    }
}

/// The plan of a statement on an engine.
#[derive(Debug)]
pub struct Plan {
    pub statement: &'static Statement,
    pub engine: &'static str,
    pub steps: Vec<String>,
}

impl Plan {
    /// Whether every table is read by an index, and not only by its tenant.
    pub fn is_by_index(&self) -> bool {
        self.is_by_index_except(&[])
    }

    /// The same without the steps that read one of the `tables`.
    fn is_by_index_except(&self, tables: &[&str]) -> bool {
        let tenant_alone = ["(tenant_id=?)", "Index Cond: (tenant_id = $1)"];
        let mut table = "";
        self.steps.iter().map(|step| step.trim()).all(|step| {
            // The condition of a step of PostgreSQL is a line of its own below it.
            table = table_of(step).unwrap_or(table);
            // SQLite treats the values of a statement as a table: its rows, or a list that is as long as the caller's.
            let given = step == "SCAN CONSTANT ROW"
                || step.starts_with("SCAN json_each ")
                || step.starts_with("SCAN ") && step.ends_with("-ROW VALUES CLAUSE");
            let scans = step.starts_with("SCAN ") && !given || step.contains("Seq Scan");
            tables.contains(&table) || !scans && !tenant_alone.iter().any(|it| step.ends_with(it))
        })
    }

    /// Whether one of the steps reads the table.
    fn reads(&self, table: &str) -> bool {
        self.steps.iter().any(|step| table_of(step.trim()) == Some(table))
    }

    /// Whether rows are sorted after they are read.
    pub fn sorts(&self) -> bool {
        self.steps.iter().any(|step| step.contains("TEMP B-TREE") || step.contains("Sort"))
    }
}

/// The table that a step reads, if it reads one.
fn table_of(step: &str) -> Option<&str> {
    let of_sqlite = step.strip_prefix("SEARCH ").or_else(|| step.strip_prefix("SCAN "));
    let named = of_sqlite.or_else(|| Some(step.split_once("Scan")?.1.rsplit_once(" on ")?.1))?;
    named.split(' ').next()
}

/// Requires that no statement reads a whole table or all rows of a tenant, and that none sorts, except for `exceptions`. An
/// unnecessary exception fails as well.
///
/// # Panics
/// With every statement that violates the rule, and its plan.
pub async fn assert_index_ranges(sets: &[MigrationSet], statements: &[&[&'static Statement]], exceptions: &[&str]) {
    assert_index_ranges_besides(&[], sets, statements, exceptions).await;
}

/// Like [`assert_index_ranges`]; `small_tables` have one row for each tenant, so that they may be read in any way.
///
/// # Panics
/// With every statement that violates the rule, and its plan; and if no statement reads one of these tables.
pub async fn assert_index_ranges_besides(
    small_tables: &[&str],
    sets: &[MigrationSet],
    statements: &[&[&'static Statement]],
    exceptions: &[&str],
) {
    let plans = plans(sets, statements).await;
    for table in small_tables {
        for engine in ["sqlite", "postgres"] {
            let is_read = plans.iter().any(|plan| plan.engine == engine && plan.reads(table));
            assert!(is_read, "no statement reads {table} on {engine}");
        }
    }
    let is_exception = |plan: &Plan| exceptions.iter().any(|it| plan.statement.name().ends_with(it));
    let breaks = |plan: &Plan| !plan.is_by_index_except(small_tables) || plan.sorts();
    let wrong: Vec<String> = plans
        .iter()
        .filter(|plan| breaks(plan) && !is_exception(plan))
        .map(|plan| format!("{} on {}:\n  {}", plan.statement.name(), plan.engine, plan.steps.join("\n  ")))
        .collect();
    assert!(wrong.is_empty(), "these statements read or sort too much:\n{}", wrong.join("\n"));
    for exception in exceptions {
        let needed = plans.iter().any(|plan| plan.statement.name().ends_with(exception) && breaks(plan));
        assert!(needed, "{exception} is not needed as an exception");
    }
}

#[cfg(test)]
mod tests {
    use super::Plan;

    crate::statements! {
        ONE = "SELECT 1";
    }

    #[test]
    fn an_exempt_table_does_not_exempt_the_others_of_its_statement() {
        let small_by_tenant = [
            vec!["SEARCH small USING PRIMARY KEY (tenant_id=?)"],
            vec!["SCAN small"],
            vec!["->  Index Scan using small_pkey on small", "Index Cond: (tenant_id = $1)"],
            vec!["Seq Scan on small s", "Filter: (tenant_id = $1)"],
        ];
        let large_by_tenant = [
            vec!["SEARCH large USING INDEX large_by_name (tenant_id=?)"],
            vec!["SCAN large"],
            vec!["Index Only Scan using large_pkey on large t", "Index Cond: (tenant_id = $1)"],
            vec!["Seq Scan on large"],
        ];
        let plan = |steps: &[&str]| {
            let steps = steps.iter().map(|step| format!("  {step}")).collect();
            Plan { statement: STATEMENTS[0], engine: "any", steps }
        };
        for small in &small_by_tenant {
            assert!(!plan(small).is_by_index() && plan(small).is_by_index_except(&["small"]), "{small:?}");
            assert!(plan(small).reads("small") && !plan(small).reads("large"), "{small:?}");
            for large in &large_by_tenant {
                for both in [[&small[..], large].concat(), [&large[..], small].concat()] {
                    assert!(!plan(&both).is_by_index_except(&["small"]), "{both:?}");
                }
            }
        }
        let by_key = [
            "SEARCH large USING INDEX large_by_name (tenant_id=? AND name=?)",
            "SCAN json_each VIRTUAL TABLE INDEX 1:",
            "SCAN 2-ROW VALUES CLAUSE",
        ];
        assert!(plan(&by_key).is_by_index());
    }
}
