//! Files of a crate import each other in one direction. Files that import each other in a circle can only be understood
//! together.
//!
//! The imports of a file are those of its `use` declarations and of its paths from `crate`, `super` and `self`. Imports from
//! parent modules do not count, because a folder and its `mod.rs` belong together.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::tree::{File, Tree};

/// The path of a module inside its crate: `["flows", "login"]`.
type Module = Vec<String>;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut crates: BTreeMap<&str, BTreeMap<Module, &File>> = BTreeMap::new();
    for file in tree.files() {
        if let Some((krate, module)) = place(file) {
            crates.entry(krate).or_default().insert(module, file);
        }
    }
    crates.values().flat_map(circles).collect()
}

/// The crate and the module of a source file; `None` for tests.
fn place(file: &File) -> Option<(&str, Module)> {
    file.code.as_ref()?;
    let krate = file.krate()?;
    let inside = file.path.strip_prefix("crates/")?.strip_prefix(krate)?.strip_prefix("/src/")?;
    if file.is_test() {
        return None;
    }
    let mut module: Module = inside.strip_suffix(".rs")?.split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        module.pop();
    }
    Some((krate, module))
}

fn circles(files: &BTreeMap<Module, &File>) -> Vec<Finding> {
    let graph: BTreeMap<&Module, BTreeSet<&Module>> =
        files.iter().map(|(module, file)| (module, imports(module, file, files))).collect();
    let mut findings = Vec::new();
    let mut reported: BTreeSet<&Module> = BTreeSet::new();
    for module in files.keys() {
        if reported.contains(module) {
            continue;
        }
        if let Some(circle) = shortest_circle(module, &graph) {
            let names: Vec<&str> = circle.iter().map(|it| files[*it].path.as_str()).collect();
            findings
                .push(Finding::error(names[0], format!("files import each other in a circle: {}", names.join(" -> "))));
            reported.extend(circle);
        }
    }
    findings
}

/// The files that a file imports from, except itself and its parent modules.
fn imports<'f>(module: &Module, file: &File, files: &'f BTreeMap<Module, &File>) -> BTreeSet<&'f Module> {
    let Some(code) = &file.code else { return BTreeSet::new() };
    let own = code.lines.iter().take_while(|line| !line.contains("#[cfg(test)]"));
    let text = own.map(String::as_str).collect::<Vec<_>>().join(" ");
    let mut found = BTreeSet::new();
    for path in paths(&text) {
        let mut target = absolute(module, &path);
        // The longest prefix that is a file; the rest is an item in it.
        while !target.is_empty() && !files.contains_key(&target) {
            target.pop();
        }
        if let Some((target, _)) = files.get_key_value(&target)
            && !target.is_empty()
            && !module.starts_with(target)
        {
            found.insert(target);
        }
    }
    found
}

/// Every path of the crate in a text, with nested imports expanded.
fn paths(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for root in ["crate::", "super::", "self::"] {
        for (start, _) in text.match_indices(root) {
            let before = text[..start].chars().next_back();
            if !before.is_some_and(|it| it.is_alphanumeric() || it == '_' || it == ':') {
                expand(&mut found, Vec::new(), &text[start..]);
            }
        }
    }
    found
}

/// Parses one path and returns the text after it. A list in braces is one path per entry.
fn expand<'t>(found: &mut Vec<Vec<String>>, mut path: Vec<String>, text: &'t str) -> &'t str {
    let mut rest = text.trim_start();
    loop {
        if let Some(mut list) = rest.strip_prefix('{') {
            loop {
                list = expand(found, path.clone(), list).trim_start();
                match list.strip_prefix(',') {
                    Some(more) => list = more,
                    None => return list.strip_prefix('}').unwrap_or(list),
                }
            }
        }
        let length = rest.find(|it: char| !(it.is_alphanumeric() || it == '_')).unwrap_or(rest.len());
        if length == 0 {
            break;
        }
        path.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
        match rest.strip_prefix("::") {
            Some(more) => rest = more.trim_start(),
            None => break,
        }
    }
    if !path.is_empty() {
        found.push(path);
    }
    // The alias of an import does not matter.
    match rest.strip_prefix("as ") {
        Some(renamed) => renamed.trim_start().trim_start_matches(|it: char| it.is_alphanumeric() || it == '_'),
        None => rest,
    }
}

fn absolute(module: &Module, path: &[String]) -> Module {
    let mut target = match path.first().map(String::as_str) {
        Some("crate") => Module::new(),
        _ => module.clone(),
    };
    for (index, step) in path.iter().enumerate() {
        match step.as_str() {
            "crate" | "self" if index == 0 => {}
            "super" => drop(target.pop()),
            step => target.push(step.to_owned()),
        }
    }
    target
}

/// The shortest path from a module back to itself.
fn shortest_circle<'g>(
    start: &'g Module,
    graph: &BTreeMap<&'g Module, BTreeSet<&'g Module>>,
) -> Option<Vec<&'g Module>> {
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
