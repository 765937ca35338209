//! Completeness: each operation, method, hook and handler of the replaced systems is implemented, or `docs/compatibility.md`
//! lists it in the part of its service.

use std::collections::BTreeSet;

use super::Finding;
use super::methods;
use super::routes::{self, Route};
use super::tree::{File, Tree};

const DOCUMENT: &str = "docs/compatibility.md";
/// One line per item: service, kind, name.
const CONTRACT: &str = include_str!("contract.txt");
/// Crates with routes of all services.
const SHARED: &[&str] = &["web", "server"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    check_contract(tree, CONTRACT)
}

fn check_contract(tree: &Tree, contract: &str) -> Vec<Finding> {
    let Some(document) = tree.files().iter().find(|file| file.path == DOCUMENT) else { return Vec::new() };
    let lines = contract.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let missing = lines.filter(|line| {
        let mut words = line.splitn(3, ' ');
        let (Some(service), Some(kind), Some(name)) = (words.next(), words.next(), words.next()) else { return true };
        !is_served(tree, service, kind, name) && !is_named(&document.text, service, name)
    });
    missing.map(|line| Finding::error(DOCUMENT, format!("`{line}` is neither implemented nor listed"))).collect()
}

fn is_served(tree: &Tree, service: &str, kind: &str, name: &str) -> bool {
    let sources = tree.files().iter().filter(|file| {
        let is_source = file.has_extension("rs") && !file.is_test();
        is_source && file.krate().is_some_and(|krate| krate == service || SHARED.contains(&krate))
    });
    match kind {
        "operation" => {
            let shown = |route: Route| format!("{} {}", route.method, without_names(&route.path));
            let served: BTreeSet<String> = sources.flat_map(|file| routes::of_file(tree, file)).map(shown).collect();
            let (method, path) = name.split_once(' ').unwrap_or_default();
            let path = without_names(path);
            let below_admin = path.strip_prefix("/admin").unwrap_or(&path);
            [method, "ANY"]
                .iter()
                .any(|method| [&*path, below_admin].iter().any(|path| served.contains(&format!("{method} {path}"))))
        }
        "method" => sources.flat_map(|file| methods::configured(file.text.lines())).any(|method| method.name == name),
        "handler" => quotes(sources.filter(|file| file.is_in("pipeline")), name),
        _ => quotes(sources.filter(|file| file.is_in("config")), name),
    }
}

fn quotes<'f>(mut files: impl Iterator<Item = &'f File>, text: &str) -> bool {
    files.any(|file| file.text.contains(&format!("\"{text}\"")))
}

/// A path with its parameter names removed: `/clients/{id}` is `/clients/{}`.
fn without_names(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect::<Vec<_>>().join("/")
}

/// Whether the part of the service, or the part about all services, contains the name between backticks.
fn is_named(document: &str, service: &str, name: &str) -> bool {
    let mut parts = document.split("\n## ");
    parts.any(|part| {
        let title = part.lines().next().unwrap_or_default();
        (title == service || title == "Everywhere") && part.contains(&format!("`{name}`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_that_is_neither_implemented_nor_listed_is_found() {
        let routes = r#"Router::new()
            .route("/clients/{id}", get(read).delete(end))
            .route(
                "/keys/{set}",
                post(create),
            )
            .route(&format!("{REQUESTS}/login"), get(login))"#;
        let routes = &format!("const REQUESTS: &str = \"/admin/requests\";\n{routes}");
        let methods = "macro_rules! methods {\n    $build! {\n    code: Code, CodeMethod;\n    oidc: Oidc;\n}";
        let tree = Tree::of(&[
            ("crates/oauth/src/http/mod.rs", routes),
            ("crates/identity/src/methods/list.rs", methods),
            (DOCUMENT, "# C\n## oauth\n`PUT /clients/{id}` comes later\n## identity\n`totp`"),
        ]);
        let find = |contract: &str| check_contract(&tree, contract).len();
        assert_eq!(find("oauth operation GET /admin/clients/{id}\noauth operation DELETE /clients/{client}"), 0);
        assert_eq!(find("oauth operation POST /keys/{set}\noauth operation PUT /clients/{id}"), 0);
        assert_eq!(find("oauth operation GET /admin/requests/login"), 0);
        assert_eq!(find("oauth operation PATCH /clients/{id}"), 1);
        assert_eq!(find("oauth operation PUT /keys/{set}"), 1);
        assert_eq!(find("identity method totp\noauth method totp"), 1);
        assert_eq!(find("identity method code\nidentity method oidc"), 1);
    }

    #[test]
    fn the_contract_is_complete() {
        assert!(CONTRACT.lines().filter(|line| line.contains(" operation ")).count() > 100);
        for kind in ["method", "hook", "handler"] {
            assert!(CONTRACT.contains(&format!(" {kind} ")), "{kind}");
        }
    }
}
