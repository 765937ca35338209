//! Files of a crate import each other in one direction. Files that import each other in a circle can only be understood
//! together.
//!
//! The imports of a file are those of its `use` declarations and of its paths from `crate`, `super` and `self`. An import of a
//! name that a module takes from another (`pub use`) is one of the file that defines it. Imports from parent modules do not
//! count, because a folder and its `mod.rs` belong together.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::imports::{Path, imports, module, names};
use super::tree::{File, Tree};

/// The files of a crate, and the names that each of them takes from others.
#[derive(Default)]
struct Crate<'t> {
    files: BTreeMap<Path, &'t File>,
    names: BTreeMap<Path, BTreeMap<String, Path>>,
}

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut crates: BTreeMap<&str, Crate<'_>> = BTreeMap::new();
    for file in tree.files().iter().filter(|file| file.code.is_some() && !file.is_test()) {
        if let (Some(krate), Some(module)) = (file.krate(), module(file)) {
            crates.entry(krate).or_default().files.insert(module, file);
        }
    }
    crates.into_values().flat_map(|krate| circles(&krate.with_names())).collect()
}

impl Crate<'_> {
    fn with_names(mut self) -> Self {
        for (module, file) in &self.files {
            let names = names(file, |path| self.files.contains_key(path));
            self.names.insert(module.clone(), names.into_iter().map(|it| (it.name, it.path)).collect());
        }
        self
    }

    /// The file that defines what a path names. Names that modules take from others are followed.
    fn definition(&self, path: &Path) -> Option<&Path> {
        let mut path = path.clone();
        let mut followed = BTreeSet::new();
        loop {
            // The longest prefix that is a file; the rest is an item in it.
            let mut length = path.len();
            while length > 0 && !self.files.contains_key(&path[..length]) {
                length -= 1;
            }
            let (module, item) = path.split_at(length);
            let name = item.first().and_then(|name| self.names.get(module)?.get(name));
            match name {
                Some(target) if followed.insert(path.clone()) => path = [target, &item[1..]].concat(),
                _ => return self.files.get_key_value(module).map(|(module, _)| module),
            }
        }
    }

    /// The files that a file imports from, except itself and its parent modules.
    fn imports(&self, module: &Path, file: &File) -> BTreeSet<&Path> {
        let targets = imports(file).into_iter().filter_map(|it| self.definition(&it.path));
        targets.filter(|target| !target.is_empty() && !module.starts_with(target)).collect()
    }

    fn graph(&self) -> BTreeMap<&Path, BTreeSet<&Path>> {
        self.files.iter().map(|(module, file)| (module, self.imports(module, file))).collect()
    }
}

fn circles(krate: &Crate<'_>) -> Vec<Finding> {
    let graph = krate.graph();
    let mut findings = Vec::new();
    let mut reported: BTreeSet<&Path> = BTreeSet::new();
    for module in krate.files.keys() {
        if reported.contains(module) {
            continue;
        }
        if let Some(circle) = shortest_circle(module, &graph) {
            let names: Vec<&str> = circle.iter().map(|it| krate.files[*it].path.as_str()).collect();
            findings
                .push(Finding::error(names[0], format!("files import each other in a circle: {}", names.join(" -> "))));
            reported.extend(circle);
        }
    }
    findings
}

/// The shortest path from a module back to itself.
fn shortest_circle<'g>(start: &'g Path, graph: &BTreeMap<&'g Path, BTreeSet<&'g Path>>) -> Option<Vec<&'g Path>> {
    let mut ways = vec![vec![start]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            let last = way.last().copied().unwrap_or(start);
            for next in graph.get(last).into_iter().flatten() {
                if *next == start {
                    return Some([way, vec![start]].concat());
                }
                if seen.insert(*next) {
                    longer.push([way.clone(), vec![*next]].concat());
                }
            }
        }
        ways = longer;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_circle_of_two_files_is_reported_once() {
        let found = messages(&[
            ("crates/oauth/src/a.rs", "use crate::b::B;"),
            ("crates/oauth/src/b.rs", "fn f() -> super::a::A { A }"),
        ]);
        assert_eq!(
            found,
            ["error: crates/oauth/src/a.rs: files import each other in a circle: \
              crates/oauth/src/a.rs -> crates/oauth/src/b.rs -> crates/oauth/src/a.rs"]
        );
    }

    #[test]
    fn a_longer_circle_through_lists_and_folders_is_found() {
        let found = messages(&[
            ("crates/oauth/src/a.rs", "use crate::{x, deep::{inner::{self, Inner as Other}, y}};"),
            ("crates/oauth/src/deep/inner.rs", "use super::super::c::{\n    One,\n    Two,\n};"),
            ("crates/oauth/src/c.rs", "use crate::a;"),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn a_circle_through_names_that_modules_take_from_others_is_found() {
        for import in [
            "use crate::B;",
            "use crate::folder::B;",
            "use super::Renamed;",
            "fn f() { crate::folder::Renamed::new() }",
        ] {
            let found = messages(&[
                ("crates/oauth/src/lib.rs", "mod a; mod folder; pub use folder::B; use folder::Renamed;"),
                ("crates/oauth/src/folder/mod.rs", "mod b; pub use b::{B, B as Renamed};"),
                ("crates/oauth/src/folder/b.rs", "use crate::a::A;"),
                ("crates/oauth/src/a.rs", import),
            ]);
            assert_eq!(found.len(), 1, "{import}: {found:?}");
        }
    }

    #[test]
    fn a_module_that_passes_names_on_imports_nothing() {
        let found = messages(&[
            ("crates/oauth/src/lib.rs", "mod a; mod folder; pub use folder::B;"),
            ("crates/oauth/src/folder/mod.rs", "mod b; pub use crate::a::A; pub use self::b::B; pub struct C;"),
            ("crates/oauth/src/folder/b.rs", "use super::A; use super::C;"),
            ("crates/oauth/src/a.rs", "use crate::folder::C;"),
        ]);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn imports_in_one_direction_and_of_parents_tests_and_comments_are_no_circle() {
        let found = messages(&[
            ("crates/oauth/src/a.rs", "use crate::b::B;\n// crate::c\n#[cfg(test)]\nmod tests { use crate::c::C; }"),
            ("crates/oauth/src/b.rs", "use serde::a;\nlet text = \"crate::a\";"),
            ("crates/oauth/src/c.rs", "use crate::a::A;"),
            ("crates/oauth/src/folder/mod.rs", "mod child; use child::Child; pub use self::child::Other;"),
            ("crates/oauth/src/folder/child.rs", "use super::Parent;"),
            ("crates/web/src/b.rs", "use crate::a;"),
            ("crates/oauth/src/b/tests.rs", "use crate::a::A;"),
        ]);
        assert_eq!(found, [""; 0]);
    }
}
