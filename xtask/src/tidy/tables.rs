//! A service uses only its own tables: their names begin with the service's name, and no foreign key refers to another service.

use super::Finding;
use super::arrows::{is_service, services};
use super::layers::is_sql;
use super::tree::{File, Tree};

/// SQL keywords before a table's name.
const INTRODUCTIONS: &[&str] = &["FROM", "INTO", "UPDATE", "JOIN", "TABLE", "REFERENCES", "ON", "EXISTS"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.files().iter().flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Finding> {
    let Some(krate) = file.krate().filter(|krate| is_service(krate)) else { return Vec::new() };
    let mut findings = Vec::new();
    let mut check = |line: usize, sql: &str| {
        for table in foreign_tables(krate, sql) {
            let message = format!("`{table}` belongs to another service; call it through a trait in `contracts`");
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
    let words: Vec<_> =
        sql.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).collect();
    let mut tables: Vec<String> = words
        .windows(2)
        .filter(|pair| INTRODUCTIONS.contains(&pair[0].to_ascii_uppercase().as_str()))
        .filter(|pair| owner(pair[1]).is_some_and(|owner| owner != krate))
        .map(|pair| pair[1].to_owned())
        .collect();
    tables.dedup();
    tables
}

fn owner(table: &str) -> Option<&'static str> {
    services().iter().copied().find(|service| table.strip_prefix(service).is_some_and(|rest| rest.starts_with('_')))
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
    fn migrations_are_checked_as_well() {
        let file = File::new("crates/oauth/migrations/0001_a.sql", "CREATE TABLE identity_x (a integer)");
        assert_eq!(check_file(&file).len(), 1);
    }
}
