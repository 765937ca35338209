//! The table of the hostile tests has every route: what a service answers is tested with hostile input.

use super::Finding;
use super::arrows::is_service;
use super::routes::{self, Route};
use super::tree::Tree;

const TABLE: &str = "crates/acceptance/tests/acceptance/hostile/routes.rs";

/// A row of the table. Its path has `{name}` for a known id, and no query.
struct Row<'t> {
    listener: &'t str,
    method: &'t str,
    path: &'t str,
}

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(table) = tree.files().iter().find(|file| file.path == TABLE) else { return Vec::new() };
    let rows = rows(&table.text);
    let mut findings = Vec::new();
    for file in tree.files() {
        let Some(service) = file.krate().filter(|krate| is_service(krate) && !file.is_test()) else { continue };
        let served = if file.has_extension("proto") {
            routes::of_proto(&file.text)
        } else if file.has_extension("rs") {
            routes::of_file(tree, file)
        } else {
            continue;
        };
        let of_service = || rows.iter().filter(|row| is_listener_of(service, row.listener));
        for route in served.iter().filter(|route| !of_service().any(|row| row.asks(route))) {
            let message = format!("`{} {}` has no row in {TABLE}", route.method, route.path);
            findings.push(Finding::error(&*file.path, message));
        }
    }
    findings
}

/// Whether the name of a listener in the table begins with that of the service: `OauthPublic`, `PermissionsRead`.
fn is_listener_of(service: &str, listener: &str) -> bool {
    listener.get(..service.len()).is_some_and(|name| name.eq_ignore_ascii_case(service))
}

fn rows(table: &str) -> Vec<Row<'_>> {
    let (mut listener, mut rows) = ("", Vec::new());
    for line in table.lines().map(str::trim) {
        if let Some(name) = line.strip_suffix(" {") {
            listener = name;
        } else if let Some((head, path)) = line.strip_suffix("\";").and_then(|line| line.split_once(" \"")) {
            let method = head.split(' ').next().unwrap_or_default();
            rows.push(Row { listener, method, path: path.split('?').next().unwrap_or_default() });
        }
    }
    rows
}

impl Row<'_> {
    /// Whether the request of the row reaches the route. Some routes of administration are served with and without `/admin`.
    fn asks(&self, route: &Route) -> bool {
        let is_method = route.method == "ANY" || route.method == self.method;
        let below_admin = self.path.strip_prefix("/admin").unwrap_or(self.path);
        is_method && (is_at(&route.path, self.path) || is_at(&route.path, below_admin))
    }
}

fn is_at(route: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    for pattern in route.split('/') {
        match segments.next() {
            _ if pattern.starts_with("{*") => return true,
            Some(segment) if pattern.starts_with('{') || pattern == segment => {}
            _ => return false,
        }
    }
    segments.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::super::arrows::services;
    use super::*;

    fn missing(table: &str, routes: &str) -> Vec<String> {
        let proto = "package a.v1;\nservice B {\n  rpc C(D) returns (E);\n}";
        let tree = Tree::of(&[
            (TABLE, table),
            ("crates/gateway/src/http/mod.rs", routes),
            ("crates/permissions/proto/b.proto", proto),
            ("crates/web/src/cors.rs", ".route(\"/elsewhere\", get(it))"),
        ]);
        check(&tree).into_iter().map(|it| it.message).collect()
    }

    #[test]
    fn the_routes_of_every_service_are_compared() {
        for service in services() {
            let path = format!("crates/{service}/src/http/mod.rs");
            let of = |table: &str| check(&Tree::of(&[(TABLE, table), (&path, ".route(\"/a\", get(it))")])).len();
            let name = format!("{}{}", service[..1].to_uppercase(), &service[1..]);
            assert_eq!(of(&format!("    {name}Public {{\n        GET None \"/a\";\n    }}\n")), 0, "{service}");
            assert_eq!(of("    ConsolePublic {\n        GET None \"/a\";\n    }\n"), 1, "{service}");
        }
    }

    #[test]
    fn a_route_without_a_row_of_its_service_is_found() {
        let table = "    PermissionsRead {\n        POST Json \"/a.v1.B/C\";\n        GET None \"/rules\";\n    }\n    \
                     GatewayApi {\n        GET None \"/rules/{id}?a=b\";\n        GET None \"/admin/keys\";\n        \
                     POST None \"/decisions/a/b\";\n    }\n";
        let served =
            ".route(\"/rules/{id}\", get(one)).route(\"/keys\", get(keys)).route(\"/decisions/{*path}\", any(it))";
        assert_eq!(missing(table, served), [""; 0]);
        assert_eq!(missing(table, ".route(\"/rules\", get(list))").len(), 1, "another service has it");
        assert_eq!(missing(table, ".route(\"/rules/{id}\", delete(end))").len(), 1, "another method");
        assert_eq!(missing(table, ".route(\"/rules/{id}/{more}\", get(one))").len(), 1, "longer");
        let without_calls = table.replace("a.v1.B/C", "a.v1.B/D");
        assert_eq!(missing(&without_calls, served), [format!("`POST /a.v1.B/C` has no row in {TABLE}")]);
    }
}
