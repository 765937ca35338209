//! The imports of a source file: its `use` declarations, and the paths in its code. Test code is left out.

use super::tree::File;

/// The path of a module or an item inside its crate: `["flows", "login"]`.
pub(super) type Path = Vec<String>;

/// What a file imports from its own crate.
pub(super) struct Import {
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) path: Path,
}

/// A name that a `use` declaration makes in its module. The children of the module see it, and all others if it is `pub`.
pub(super) struct Name {
    pub(super) name: String,
    pub(super) path: Path,
}

/// The module that a file of `src/` is.
pub(super) fn module(file: &File) -> Option<Path> {
    let inside = file.path.strip_prefix("crates/")?.strip_prefix(file.krate()?)?.strip_prefix("/src/")?;
    let mut module: Path = inside.strip_suffix(".rs")?.split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        module.pop();
    }
    Some(module)
}

/// The imports from the crate of the file. `pub use` is none: it makes a name, and who uses the name imports what it stands for.
pub(super) fn imports(file: &File) -> Vec<Import> {
    let (Some(code), Some(module)) = (&file.code, module(file)) else { return Vec::new() };
    let text = without_public_uses(&code.shipped());
    let mut found = Vec::new();
    for root in ["crate::", "super::", "self::"] {
        for (start, _) in text.match_indices(root) {
            let before = text[..start].chars().next_back();
            if before.is_some_and(|it| it.is_alphanumeric() || it == '_' || it == ':') {
                continue;
            }
            let line = text[..start].matches('\n').count() + 1;
            let mut names = Vec::new();
            expand(&mut names, Vec::new(), &text[start..]);
            found.extend(names.into_iter().map(|it| Import { line, path: absolute(&module, &it.path) }));
        }
    }
    found
}

/// The names that the `use` declarations of a file make. A path that begins with a child of the module is one of the crate.
pub(super) fn names(file: &File, is_module: impl Fn(&Path) -> bool) -> Vec<Name> {
    let (Some(code), Some(module)) = (&file.code, module(file)) else { return Vec::new() };
    let text = code.shipped();
    let mut names = Vec::new();
    for (start, _) in uses(&text) {
        expand(&mut names, Vec::new(), text[start..].trim_start_matches("use "));
    }
    names.retain_mut(|it| {
        let child = it.path.first().map(|first| [module.as_slice(), std::slice::from_ref(first)].concat());
        let is_of_crate = it.path.first().is_some_and(|first| ["crate", "super", "self"].contains(&first.as_str()));
        it.path = absolute(&module, &it.path);
        is_of_crate || child.is_some_and(|child| is_module(&child))
    });
    names
}

/// Where the `use` declarations begin and end.
fn uses(text: &str) -> impl Iterator<Item = (usize, usize)> {
    text.match_indices("use ").filter_map(|(start, _)| {
        let before = text[..start].chars().next_back();
        let is_word = before.is_some_and(|it| it.is_alphanumeric() || it == '_');
        let end = start + text[start..].find(';')?;
        (!is_word).then_some((start, end))
    })
}

/// Blanks the declarations `pub use` and `pub(…) use`, but keeps their line breaks.
fn without_public_uses(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut done = 0;
    for (start, end) in uses(text) {
        let before = text[..start].rsplit([';', '{', '}', '\n']).next().unwrap_or_default();
        if before.trim_start().starts_with("pub") {
            kept.push_str(&text[done..start]);
            kept.extend(text[start..end].chars().filter(|it| *it == '\n'));
            done = end;
        }
    }
    kept.push_str(&text[done..]);
    kept
}

/// Parses one path and returns the text after it. A list in braces is one path per entry.
fn expand<'t>(found: &mut Vec<Name>, mut path: Path, text: &'t str) -> &'t str {
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
        let length = word(rest);
        if length == 0 {
            break;
        }
        // `self` at the end of a list is the module itself.
        if path.is_empty() || &rest[..length] != "self" {
            path.push(rest[..length].to_owned());
        }
        rest = rest[length..].trim_start();
        match rest.strip_prefix("::") {
            Some(more) => rest = more.trim_start(),
            None => break,
        }
    }
    let Some(last) = path.last() else { return rest };
    let alias = rest.strip_prefix("as ").map(str::trim_start);
    let name = alias.map_or(last.as_str(), |alias| &alias[..word(alias)]).to_owned();
    found.push(Name { name, path });
    alias.map_or(rest, |alias| &alias[word(alias)..])
}

/// The length of the word at the beginning.
fn word(text: &str) -> usize {
    text.find(|it: char| !(it.is_alphanumeric() || it == '_')).unwrap_or(text.len())
}

fn absolute(module: &Path, path: &[String]) -> Path {
    let mut target = match path.first().map(String::as_str) {
        Some("crate") => Path::new(),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn imported(path: &str, text: &str) -> Vec<(usize, String)> {
        imports(&File::new(path, text)).into_iter().map(|it| (it.line, it.path.join("::"))).collect()
    }

    #[test]
    fn lists_aliases_and_paths_in_code_are_imports() {
        let text =
            "use crate::{x, deep::{inner::{self, Inner as Other}, y}};\nfn f() -> super::a::A {}\nuse serde::a;\n";
        let found = imported("crates/oauth/src/folder/child.rs", text);
        assert_eq!(
            found.iter().map(|(line, path)| (*line, path.as_str())).collect::<Vec<_>>(),
            [(1, "x"), (1, "deep::inner"), (1, "deep::inner::Inner"), (1, "deep::y"), (2, "folder::a::A")]
        );
    }

    #[test]
    fn tests_and_public_uses_are_no_imports() {
        let text = "#[cfg(test)]\nuse crate::c::C;\npub(crate) use self::d::{\n    D,\n};\n#[cfg(test)]\nmod tests { fn f() { crate::e::E } }\nuse crate::a::A;";
        assert_eq!(imported("crates/oauth/src/folder/mod.rs", text), [(8, "a::A".to_owned())]);
    }

    #[test]
    fn a_use_of_a_child_makes_a_name_of_the_crate() {
        let file = File::new("crates/oauth/src/folder/mod.rs", "pub use child::Child as It;\nuse serde::Serialize;");
        let found = names(&file, |path| path.join("::") == "folder::child");
        let found: Vec<_> = found.iter().map(|it| (it.name.as_str(), it.path.join("::"))).collect();
        assert_eq!(found, [("It", "folder::child::Child".to_owned())]);
    }
}
