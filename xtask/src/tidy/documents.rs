//! Paths in documents and in the documentation of modules exist, the names of source files too, and so do the targets of all
//! relative links. A row of a table is one line, because Markdown ends it there.

use super::Finding;
use super::tree::{File, Tree};

/// Root folders that identify a path in running text.
const ROOTS: &[&str] = &["crates/", "docs/", "xtask/", "fuzz/", ".ci/"];

/// Extensions that identify a path in running text.
const EXTENSIONS: &[&str] = &[".rs", ".md", ".ftl", ".html", ".sql", ".toml"];

/// Extensions that identify a file by its name alone.
const NAMED: &[&str] = &[".rs", ".sql"];

/// Decisions are not edited, and a changelog mentions former files.
const HISTORY: &[&str] = &["docs/adr/", "CHANGELOG.md"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.files().iter().flat_map(|file| check_file(tree, file)).collect()
}

fn check_file(tree: &Tree, file: &File) -> Vec<Finding> {
    let is_document = file.has_extension("md");
    if !is_document && file.code.is_none() {
        return Vec::new();
    }
    let is_history = HISTORY.iter().any(|path| file.path.starts_with(path));
    let mut findings = if is_document { broken_rows(file) } else { Vec::new() };
    for (index, line) in file.text.lines().enumerate() {
        let mut missing = Vec::new();
        if is_document {
            let targets = links(line).map(|target| resolve(&file.path, target));
            missing.extend(targets.filter(|path| !tree.contains(path)));
        }
        if (is_document && !is_history) || is_documentation(line) {
            missing.extend(quoted_paths(line).filter(|path| !is_known(tree, file, path)).map(str::to_owned));
        }
        let place = format!("{}:{}", file.path, index + 1);
        findings.extend(missing.iter().map(|path| Finding::error(&place, format!("`{path}` does not exist"))));
    }
    findings
}

/// The rows of tables that do not end on their line.
fn broken_rows(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut is_code = false;
    for (index, line) in file.text.lines().map(str::trim).enumerate() {
        if line.starts_with("```") {
            is_code = !is_code;
        }
        if !is_code && line.starts_with('|') && !line.ends_with('|') {
            let place = format!("{}:{}", file.path, index + 1);
            findings.push(Finding::error(place, "a row of a table must be one line that ends with `|`"));
        }
    }
    findings
}

fn is_documentation(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("//!") || line.starts_with("///")
}

/// Whether `path` exists, relative to the root, to the folder of `file`, or to a crate or its sources: the crate of `file`, or
/// any crate if it belongs to none.
fn is_known(tree: &Tree, file: &File, path: &str) -> bool {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let exists_in = |folder: &str| tree.contains(&resolve(&format!("{folder}/"), path));
    let exists_in_crate =
        |krate: &str| exists_in(&format!("crates/{krate}")) || exists_in(&format!("crates/{krate}/src"));
    if !path.contains('/') {
        let name = format!("/{path}");
        let same_crate = |other: &&File| file.krate().is_none() || other.krate() == file.krate();
        return tree.files().iter().filter(same_crate).any(|other| other.path.ends_with(&name));
    }
    exists_in("")
        || exists_in(folder)
        || match file.krate() {
            Some(krate) => exists_in_crate(krate),
            None => tree.files().iter().filter_map(File::krate).any(exists_in_crate),
        }
}

/// The targets of `[text](target)` in this repository, without fragments.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split(')').next()).filter_map(|target| {
        let path = target.split('#').next().unwrap_or_default();
        (!path.is_empty() && !target.contains("://") && !target.starts_with("mailto:")).then_some(path)
    })
}

/// Paths and names of files between backticks, and paths from the root.
fn quoted_paths(line: &str) -> impl Iterator<Item = &str> {
    let quoted = line.split('`').skip(1).step_by(2);
    quoted.filter(|text| {
        let is_from_root = ROOTS.iter().any(|root| text.starts_with(root));
        let is_named = |extension: &str| text.len() > extension.len() && text.ends_with(extension);
        let is_file = NAMED.iter().any(|extension| is_named(extension))
            || (text.contains('/') && EXTENSIONS.iter().any(|extension| text.ends_with(extension)));
        let is_address = text.starts_with(['/', '~', '.']) || text.contains("://");
        let is_pattern = text.contains(['*', '<', '{', ' ', '$']);
        (is_from_root || (is_file && !is_address)) && !is_pattern
    })
}

/// A link relative to the document's folder, as a path from the root.
fn resolve(document: &str, target: &str) -> String {
    let mut parts: Vec<&str> = document.split('/').filter(|part| !part.is_empty()).collect();
    if !document.ends_with('/') {
        parts.pop();
    }
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_documents_exist() {
        let there = ("crates/web/src/lib.rs", "//! Web.");
        let count = |path: &str, text: &str| check(&Tree::of(&[(path, text), there])).len();
        assert_eq!(count("ARCHITECTURE.md", "see `crates/web/` and `crates/web/src/lib.rs`"), 0);
        assert_eq!(count("ARCHITECTURE.md", "see `crates/webb`"), 1);
        assert_eq!(count("docs/adr/0001-a.md", "see `crates/webb`"), 0, "a decision is not edited");
        assert_eq!(count("crates/web/README.md", "see `src/lib.rs`, `https://example.org/a.html`, `<name>/a.rs`"), 0);
        assert_eq!(count("crates/web/README.md", "see `src/lob.rs`"), 1);
        assert_eq!(count("crates/web/README.md", "see `lib.rs`, and `.rs` files"), 0);
        assert_eq!(count("crates/web/README.md", "see `lob.rs`"), 1);
        assert_eq!(count("crates/oauth/README.md", "see `lib.rs`"), 1, "only of another crate");
    }

    #[test]
    fn a_row_of_a_table_is_one_line() {
        let count = |text: &str| check(&Tree::of(&[("README.md", text)])).len();
        assert_eq!(count("| a | b |\n| --- | --- |\n| 1 | 2 |\n"), 0);
        assert_eq!(count("| a | b |\n| --- | --- |\n| 1 | two\nlines |\n"), 1);
        assert_eq!(count("```\n| a shell pipe\n```\n"), 0);
    }

    #[test]
    fn paths_in_module_documentation_exist() {
        let there = ("crates/web/src/http/token.rs", "//! Tokens.");
        let count = |text: &str| check(&Tree::of(&[("crates/web/src/http/keys.rs", text), there])).len();
        assert_eq!(count("//! See `http/token.rs`, `crates/web/src/http/token.rs` and `/etc/kleis/kleis.toml`."), 0);
        assert_eq!(count("//! See `http/tokens.rs`."), 1);
        assert_eq!(count("    /// See `crates/webb/`."), 1);
        assert_eq!(count("let path = \"`http/tokens.rs`\";"), 0, "not documentation");
    }

    #[test]
    fn a_broken_link_is_reported() {
        let there = ("docs/adr/0001-a.md", "[up](../guides/b.md#part) [out](https://example.org)");
        assert_eq!(check(&Tree::of(&[there])).len(), 1);
        assert!(check(&Tree::of(&[there, ("docs/guides/b.md", "x")])).is_empty());
    }
}
