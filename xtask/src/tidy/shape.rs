//! The shape of a source file: its length, its module documentation, its name.

use std::path::Path;

use super::Finding;
use super::tree::{File, Tree};

const CONSIDER_SPLITTING: usize = 500;
const TOO_LONG: usize = 700;

/// File names without meaning.
const EMPTY_NAMES: &[&str] = &["utils", "util", "common", "helpers", "helper", "manager", "imp", "misc", "v2"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let sources = || tree.files().iter().filter(|file| file.code.is_some());
    sources().flat_map(check_file).chain(sources().filter_map(|file| module_file(tree, file))).collect()
}

/// A module with submodules is `<module>/mod.rs`, so that all of it is in one folder.
fn module_file(tree: &Tree, file: &File) -> Option<Finding> {
    let folder = format!("{}/", file.path.strip_suffix(".rs")?);
    let has_submodules = tree.files().iter().any(|other| other.code.is_some() && other.path.starts_with(&folder));
    has_submodules.then(|| Finding::error(&file.path, format!("a module with submodules is `{folder}mod.rs`")))
}

fn check_file(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let lines = file.text.lines().count();
    if lines > TOO_LONG {
        findings.push(Finding::error(&file.path, format!("{lines} lines; split it by subject")));
    } else if lines > CONSIDER_SPLITTING {
        findings.push(Finding::warning(&file.path, format!("{lines} lines; consider splitting it")));
    }
    let opens_with_docs = file.text.starts_with("//!") || file.text.starts_with("#!");
    if !opens_with_docs && !file.is_test() {
        findings.push(Finding::error(
            &file.path,
            "a module begins with `//!`: its purpose, its specification, its invariants",
        ));
    }
    let stem = Path::new(&file.path).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if EMPTY_NAMES.contains(&stem) || stem.starts_with("new_") {
        findings.push(Finding::error(&file.path, "name the file after the verb or the thing in it"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_bounded() {
        let of_length = |lines: usize| check_file(&File::new("crates/web/src/a.rs", &"//! Lines.\n".repeat(lines)));
        assert!(of_length(500).is_empty());
        assert_eq!(of_length(501), [Finding::warning("crates/web/src/a.rs", "501 lines; consider splitting it")]);
        assert_eq!(of_length(701).first().map(|finding| finding.severity), Some(super::super::Severity::Error));
    }

    #[test]
    fn a_module_begins_with_its_documentation() {
        assert_eq!(check_file(&File::new("crates/web/src/a.rs", "use a;")).len(), 1);
        assert!(check_file(&File::new("crates/web/tests/a.rs", "use a;")).is_empty());
    }

    #[test]
    fn a_module_with_submodules_is_one_folder() {
        let (parent, child) = (("crates/web/src/a.rs", "//! A."), ("crates/web/src/a/b.rs", "//! B."));
        let expected = Finding::error("crates/web/src/a.rs", "a module with submodules is `crates/web/src/a/mod.rs`");
        assert_eq!(check(&Tree::of(&[parent, child])), [expected]);
        let data = ("crates/web/src/a/data.json", "{}");
        assert!(check(&Tree::of(&[parent, data, ("crates/web/src/b/mod.rs", "//! B.")])).is_empty());
    }

    #[test]
    fn a_file_name_without_meaning_is_reported() {
        assert_eq!(check_file(&File::new("crates/web/src/utils.rs", "//! Things.")).len(), 1);
    }
}
