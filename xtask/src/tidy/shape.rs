//! The shape of a source file: its length, its module documentation, its name, and that the files of tests have names of tests.

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
    findings.extend(test_files(file));
    findings
}

/// The files of tests are `tests`, `testing` or `<subject>_tests`, so that every rule knows them by their path.
fn test_files(file: &File) -> Vec<Finding> {
    let lines = file.code.iter().flat_map(|code| &code.lines).map(|line| line.trim()).enumerate();
    let mut lines = lines.filter(|(_, line)| !line.is_empty());
    let mut findings = Vec::new();
    while let Some((_, line)) = lines.next() {
        if line != "#[cfg(test)]" {
            continue;
        }
        let Some((at, item)) = lines.find(|(_, line)| !line.starts_with("#[")) else { break };
        let module = item.strip_suffix(';').and_then(|item| item.rsplit_once("mod ")).map(|(_, name)| name);
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        if let Some(name) = module
            && !File::new(&format!("{folder}/{name}.rs"), "").is_test()
        {
            let place = format!("{}:{}", file.path, at + 1);
            findings.push(Finding::error(place, format!("`{name}` is compiled for tests alone; put it into `tests`")));
        }
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
    fn a_file_of_tests_has_a_name_of_tests() {
        let of = |text: &str| check_file(&File::new("crates/web/src/a/mod.rs", &format!("//! A.\n{text}")));
        let message = "`samples` is compiled for tests alone; put it into `tests`";
        let expected = [Finding::error("crates/web/src/a/mod.rs:4", message)];
        assert_eq!(of("#[cfg(test)]\n#[expect(a)]\npub(crate) mod samples;"), expected);
        for name in ["tests", "testing", "cookie_tests"] {
            assert_eq!(of(&format!("#[cfg(test)]\nmod {name};\nmod samples;")), []);
        }
        assert_eq!(of("#[cfg(test)]\nuse a::b;\nmod samples;"), []);
        assert_eq!(of("#[cfg(test)]\nmod tests {\n    mod samples;\n}"), []);
        assert_eq!(check_file(&File::new("crates/web/src/tests/mod.rs", "//! A.\n#[cfg(test)]\nmod samples;")), []);
    }

    #[test]
    fn a_file_name_without_meaning_is_reported() {
        assert_eq!(check_file(&File::new("crates/web/src/utils.rs", "//! Things.")).len(), 1);
    }
}
