//! Documents stay true: a path that ARCHITECTURE.md names exists, and so does the target of every relative link.

use super::Finding;
use super::tree::{File, Tree};

const MAP: &str = "ARCHITECTURE.md";

/// Folders of the root, by which a path in running text is known as one.
const ROOTS: &[&str] = &["crates/", "docs/", "xtask/", "fuzz/", ".ci/"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let documents = tree.files().iter().filter(|file| file.has_extension("md"));
    documents.flat_map(|document| check_document(tree, document)).collect()
}

fn check_document(tree: &Tree, document: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in document.text.lines().enumerate() {
        let mut paths: Vec<String> = links(line).map(|target| resolve(&document.path, target)).collect();
        if document.path == MAP {
            paths.extend(quoted_paths(line));
        }
        for path in paths.iter().filter(|path| !tree.contains(path)) {
            findings
                .push(Finding::error(format!("{}:{}", document.path, index + 1), format!("`{path}` does not exist")));
        }
    }
    findings
}

/// The targets of `[text](target)` that lie in this repository, without their fragments.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split(')').next()).filter_map(|target| {
        let path = target.split('#').next().unwrap_or_default();
        (!path.is_empty() && !target.contains("://") && !target.starts_with("mailto:")).then_some(path)
    })
}

/// Paths between backticks.
fn quoted_paths(line: &str) -> impl Iterator<Item = String> {
    let quoted = line.split('`').skip(1).step_by(2);
    quoted
        .filter(|text| ROOTS.iter().any(|root| text.starts_with(root)) && !text.contains(['*', '<', ' ']))
        .map(str::to_owned)
}

/// A link relative to the document's folder, as a path from the root.
fn resolve(document: &str, target: &str) -> String {
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
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
    fn what_the_map_names_exists() {
        let there = ("crates/web/src/lib.rs", "//! Web.");
        assert!(check(&Tree::of(&[(MAP, "see `crates/web/` and `crates/web/src/lib.rs`"), there])).is_empty());
        assert_eq!(check(&Tree::of(&[(MAP, "see `crates/webb`"), there])).len(), 1);
    }

    #[test]
    fn a_broken_link_is_reported() {
        let there = ("docs/adr/0001-a.md", "[up](../guides/b.md#part) [out](https://example.org)");
        assert_eq!(check(&Tree::of(&[there])).len(), 1);
        assert!(check(&Tree::of(&[there, ("docs/guides/b.md", "x")])).is_empty());
    }
}
