//! A crate creates and uses only its own tables: their names begin with its name, and no foreign key refers to another service.

use super::Finding;
use super::arrows::services;
use super::layers::is_sql;
use super::tree::{File, Tree};

/// SQL keywords before a table's name.
const INTRODUCTIONS: &[&str] = &["FROM", "INTO", "UPDATE", "JOIN", "TABLE", "REFERENCES", "ON"];

/// The other crates that have tables, each with the prefix of their names. Tests may read these tables, but none of another service.
const OTHERS: &[(&str, &str)] = &[("server", "server"), ("jobs", "jobs"), ("database", "kleis")];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.files().iter().flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Finding> {
    let Some((krate, prefix)) = owners().find(|(krate, _)| file.krate() == Some(*krate)) else { return Vec::new() };
    let mut findings = Vec::new();
    if file.is_in("migrations") {
        let foreign = tables_after(&["TABLE"], &file.text).filter(|table| !has_prefix(table, prefix));
        let message = |table: &str| format!("the name of `{table}` must begin with `{prefix}_`");
        findings.extend(foreign.map(|table| Finding::error(&file.path, message(table))));
    }
    let is_allowed = |table: &str| file.is_test() && OTHERS.iter().any(|(_, prefix)| has_prefix(table, prefix));
    let mut check = |line: usize, sql: &str| {
        for table in foreign_tables(krate, sql).into_iter().filter(|table| !is_allowed(table)) {
            let message = format!("`{table}` belongs to another crate; call it through a trait in `contracts`");
            findings.push(Finding::error(format!("{}:{line}", file.path), message));
        }
    };
    if file.is_in("migrations") {
        check(1, &file.text);
    }
    if let Some(code) = &file.code {
        for literal in code.strings.iter().filter(|literal| is_sql(&literal.text)) {
            check(literal.line, &literal.text);
        }
    }
    findings
}

fn foreign_tables(krate: &str, sql: &str) -> Vec<String> {
    let is_foreign = |table: &&str| owners().any(|(owner, prefix)| owner != krate && has_prefix(table, prefix));
    let mut tables: Vec<_> = tables_after(INTRODUCTIONS, sql).filter(is_foreign).map(str::to_owned).collect();
    tables.dedup();
    tables
}

/// The words that follow one of these keywords.
fn tables_after<'a>(keywords: &[&str], sql: &'a str) -> impl Iterator<Item = &'a str> {
    let sql = sql.lines().filter(|line| !line.trim_start().starts_with("--"));
    let words = sql.flat_map(|line| line.split(|c: char| !(c.is_alphanumeric() || c == '_')));
    let words: Vec<_> = words.filter(|word| !["", "IF", "NOT", "EXISTS"].contains(word)).collect();
    let follows = |pair: &&[&str]| keywords.contains(&pair[0].to_ascii_uppercase().as_str());
    words.windows(2).filter(follows).map(|pair| pair[1]).collect::<Vec<_>>().into_iter()
}

fn has_prefix(table: &str, prefix: &str) -> bool {
    table.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('_'))
}

/// Each crate that has tables, with the prefix of their names.
fn owners() -> impl Iterator<Item = (&'static str, &'static str)> {
    services().iter().map(|service| (*service, *service)).chain(OTHERS.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_reads_only_its_own_tables() {
        assert!(foreign_tables("oauth", "SELECT id FROM oauth_grants WHERE identity_id = $2").is_empty());
        assert_eq!(foreign_tables("oauth", "SELECT 1 FROM identity_sessions WHERE x = $1"), ["identity_sessions"]);
        assert_eq!(foreign_tables("identity", "x uuid REFERENCES oauth_clients (id)"), ["oauth_clients"]);
    }

    #[test]
    fn a_crate_reads_no_table_of_the_crates_below() {
        assert_eq!(foreign_tables("oauth", "SELECT id FROM jobs_queue"), ["jobs_queue"]);
        assert_eq!(foreign_tables("jobs", "DELETE FROM kleis_changes"), ["kleis_changes"]);
        assert!(foreign_tables("database", "DELETE FROM kleis_changes").is_empty());
    }

    #[test]
    fn a_test_reads_no_table_of_another_service() {
        let count = |path: &str, table: &str| {
            check_file(&File::new(path, &format!("const A: &str = \"SELECT a FROM {table}\";"))).len()
        };
        assert_eq!(count("crates/oauth/src/tests/mod.rs", "identity_sessions"), 1);
        assert_eq!(count("crates/oauth/src/tests/mod.rs", "jobs_events"), 0);
        assert_eq!(count("crates/oauth/src/storage/grants.rs", "jobs_events"), 1);
        assert_eq!(count("crates/server/src/storage/mod.rs", "identity_sessions"), 1);
    }

    #[test]
    fn a_table_has_the_name_of_its_crate() {
        let of = |krate: &str, sql: &str| check_file(&File::new(&format!("crates/{krate}/migrations/0001_a.sql"), sql));
        let expected = "the name of `grants` must begin with `oauth_`";
        assert_eq!(
            of("oauth", "CREATE TABLE IF NOT EXISTS grants (a integer)"),
            [Finding::error("crates/oauth/migrations/0001_a.sql", expected)]
        );
        assert!(of("oauth", "-- Each TABLE is small.\nCREATE TABLE oauth_grants (a integer)").is_empty());
        assert!(of("database", "CREATE TABLE kleis_changes (a integer)").is_empty());
    }

    #[test]
    fn migrations_are_checked_as_well() {
        let text = "CREATE TABLE oauth_x (a integer REFERENCES identity_x)";
        let message = "`identity_x` belongs to another crate; call it through a trait in `contracts`";
        let path = "crates/oauth/migrations/0001_a.sql";
        assert_eq!(check_file(&File::new(path, text)), [Finding::error(format!("{path}:1"), message)]);
    }
}
