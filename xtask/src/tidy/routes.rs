//! The routes of the services, read from their sources: `.route(path, handlers)` and the remote procedures of `.proto` files.

use super::tree::{File, Tree};

/// What a service answers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Route {
    /// `ANY` for every method.
    pub(super) method: &'static str,
    /// With `{name}` for a segment and `{*name}` for the rest.
    pub(super) path: String,
}

const METHODS: [(&str, &str); 6] =
    [("get", "GET"), ("post", "POST"), ("put", "PUT"), ("patch", "PATCH"), ("delete", "DELETE"), ("any", "ANY")];

/// The routes of a file. A path is a literal, or a constant of this file or of a file that is named after the module of the constant.
pub(super) fn of_file(tree: &Tree, file: &File) -> Vec<Route> {
    let mut found = Vec::new();
    for call in file.text.split(".route(").skip(1) {
        let arguments = up_to_closing(call).trim_start();
        let Some((path, handlers)) = path_of(tree, file, arguments) else { continue };
        for (name, method) in METHODS {
            if calls(handlers, name) {
                found.push(Route { method, path: path.clone() });
            }
        }
    }
    found
}

/// The procedures of a `.proto` file.
pub(super) fn of_proto(text: &str) -> Vec<Route> {
    let (mut package, mut service, mut found) = ("", "", Vec::new());
    for line in text.lines() {
        let mut words = line.split([' ', '(', ';', '{']).filter(|word| !word.is_empty());
        match (words.next(), words.next()) {
            (Some("package"), Some(name)) => package = name,
            (Some("service"), Some(name)) => service = name,
            (Some("rpc"), Some(name)) => {
                found.push(Route { method: "POST", path: format!("/{package}.{service}/{name}") });
            }
            _ => {}
        }
    }
    found
}

/// The path, and the arguments behind it.
fn path_of<'a>(tree: &Tree, file: &File, arguments: &'a str) -> Option<(String, &'a str)> {
    let literal = arguments.strip_prefix('"').or_else(|| arguments.strip_prefix("&format!(\""));
    if let Some((path, handlers)) = literal.and_then(|rest| rest.split_once('"')) {
        let split = path.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let value = split.and_then(|(name, rest)| Some(format!("{}{rest}", constant_in(&file.text, name)?)));
        return Some((value.unwrap_or_else(|| path.to_owned()), handlers));
    }
    let (path, handlers) = arguments.split_once(',')?;
    Some((constant(tree, file, path)?, handlers))
}

/// The value of a constant that is named by its path.
fn constant(tree: &Tree, file: &File, path: &str) -> Option<String> {
    let mut parts = path.rsplit("::");
    let name = parts.next()?;
    let Some(module) = parts.next() else {
        let in_crate = tree.files().iter().filter(|it| it.krate() == file.krate() && !it.is_test());
        return constant_in(&file.text, name)
            .or_else(|| in_crate.into_iter().find_map(|it| constant_in(&it.text, name)));
    };
    let krate = parts.next().filter(|krate| !["crate", "super", "self", "pages"].contains(krate)).or(file.krate())?;
    let (ends, parent) = (format!("/{module}.rs"), format!("/{module}/mod.rs"));
    let named = |it: &&File| it.krate() == Some(krate) && (it.path.ends_with(&ends) || it.path.ends_with(&parent));
    tree.files().iter().filter(named).find_map(|it| constant_in(&it.text, name))
}

fn constant_in(text: &str, name: &str) -> Option<String> {
    let (_, value) = text.split_once(&format!("const {name}: &str = \""))?;
    value.split('"').next().map(str::to_owned)
}

/// The text before the closing parenthesis of a call.
fn up_to_closing(text: &str) -> &str {
    let mut depth = 1;
    for (at, c) in text.char_indices() {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        if depth == 0 {
            return &text[..at];
        }
    }
    text
}

/// Whether the text calls a function or method of this name.
fn calls(text: &str, name: &str) -> bool {
    text.match_indices(&format!("{name}(")).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && c != '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_literal_or_a_constant() {
        let routes = r#"
            const BASE: &str = "/base";
            Router::new()
                .route("/a/{id}", get(one).delete(end))
                .route(
                    "/b",
                    post(create),
                )
                .route(&format!("{BASE}/c"), any(all))
                .route(BASE, patch(change))
                .route(pages::consent::PATH, get(ask))
                .route(ui::assets::ROUTE, get(file))
                .route(path, put(unknown))"#;
        let tree = Tree::of(&[
            ("crates/oauth/src/http/mod.rs", routes),
            ("crates/oauth/src/pages/consent.rs", "pub(crate) const PATH: &str = \"/consent\";"),
            ("crates/ui/src/assets.rs", "pub const ROUTE: &str = \"/static/{file}\";"),
        ]);
        let found: Vec<_> =
            of_file(&tree, &tree.files()[0]).into_iter().map(|it| format!("{} {}", it.method, it.path)).collect();
        let expected = [
            "GET /a/{id}",
            "DELETE /a/{id}",
            "POST /b",
            "ANY /base/c",
            "PATCH /base",
            "GET /consent",
            "GET /static/{file}",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn procedures_have_the_path_of_their_service() {
        let text = "syntax = \"proto3\";\npackage a.b.v1;\nservice Reads {\n  // rpc None\n  rpc List(Request) returns (stream Response);\n}\n";
        assert_eq!(of_proto(text), [Route { method: "POST", path: "/a.b.v1.Reads/List".into() }]);
    }
}
