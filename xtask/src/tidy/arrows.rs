//! The allowed dependencies between crates. Each layer may use any layer below it, never its own or one above.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::Finding;
use crate::process::Process;

/// The layers, from the bottom to the top.
const LAYERS: &[&[&str]] = &[
    &["base"],
    &[
        "database",
        "telemetry",
        "jose",
        "oauth-types",
        "go-templates",
        "permission-language",
        "saml",
        "scim",
        "test-client",
    ],
    &["contracts", "web", "ui", "jobs"],
    &["service"],
    &["identity", "oauth", "permissions", "gateway", "federation"],
    &["console"],
    &["server"],
    &["acceptance"],
];

/// Crates outside the layers: they use none of our crates, and none of our crates uses them.
const OUTSIDE: &[&str] = &["xtask"];

/// Crates that only tests use. Other crates have them as dev-dependencies.
const TEST_SUPPORT: &[&str] = &["test-client", "acceptance"];

/// Crates of formats and rules, without a clock, a network, a database or a runtime.
const PURE: &[&str] = &["jose", "oauth-types", "go-templates", "permission-language", "saml", "scim"];

/// The position of the services in [`LAYERS`].
const SERVICES: usize = 4;

/// A third-party crate, the crates that may use it, and the reason.
struct Reserved {
    names: &'static [&'static str],
    to: &'static [&'static str],
    /// Whether every service may use it as well.
    to_services: bool,
    reason: &'static str,
}

const RESERVED: &[Reserved] = &[
    Reserved {
        names: &[
            "rusqlite",
            "libsqlite3-sys",
            "tokio-postgres",
            "tokio-postgres-rustls",
            "deadpool-postgres",
            "postgres-types",
        ],
        to: &["database"],
        to_services: false,
        reason: "only `database` names the SQL drivers",
    },
    Reserved {
        names: &["anyhow"],
        to: &["server", "xtask", "acceptance"],
        to_services: false,
        reason: "an operation has an error enum of its own; `anyhow` is for programs and tests",
    },
    Reserved {
        names: &["axum"],
        to: &["web", "service", "console", "server", "acceptance"],
        to_services: true,
        reason: "only `http/`, `pages/`, `web`, `console` and `server` name the web framework",
    },
    Reserved {
        names: &["tokio", "axum", "hyper", "hyper-util", "futures-util", "async-trait", "tower"],
        to: &[
            "base",
            "database",
            "telemetry",
            "contracts",
            "web",
            "ui",
            "jobs",
            "service",
            "console",
            "server",
            "acceptance",
            "xtask",
        ],
        to_services: true,
        reason: "the crates of formats use no clock, network, database or async",
    },
    Reserved {
        names: &["openssl", "openssl-sys", "native-tls", "ring", "sqlx", "reqwest"],
        to: &[],
        to_services: false,
        reason: "one TLS stack, one cryptography provider, one database layer, one outbound client",
    },
];

/// Reserved in shipped code, and allowed in the tests of every crate and in test support.
const FOR_TESTS: &[&str] = &["anyhow", "axum", "tokio", "tower"];

/// A package of the workspace, from its manifest.
#[derive(Debug, Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) dependencies: Vec<Dependency>,
    pub(super) features: std::collections::BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Dependency {
    pub(super) name: String,
    /// Set for crates of this workspace.
    pub(super) path: Option<String>,
    /// `dev`, `build`, or nothing.
    pub(super) kind: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

pub(super) fn read(root: &Path) -> Result<Vec<Package>> {
    let arguments = ["metadata", "--no-deps", "--format-version", "1"];
    let text = Process::cargo(root, &arguments).output()?;
    let metadata: Metadata = serde_json::from_str(&text).context("cannot parse the output of `cargo metadata`")?;
    Ok(metadata.packages)
}

pub(super) fn check(packages: &[Package]) -> Vec<Finding> {
    packages.iter().flat_map(check_package).collect()
}

fn check_package(package: &Package) -> Vec<Finding> {
    let place = format!("{}/Cargo.toml", package.name);
    let mut findings = Vec::new();
    if layer_of(&package.name).is_none() && !OUTSIDE.contains(&package.name.as_str()) {
        findings.push(Finding::error(&place, "the crate is not in a layer; add it in xtask and ARCHITECTURE.md"));
    }
    for dependency in &package.dependencies {
        if dependency.path.is_some() {
            findings.extend(check_arrow(package, dependency, &place));
        } else {
            findings.extend(check_reserved(package, dependency, &place));
        }
    }
    for feature in package.features.keys().filter(|feature| feature.as_str() != "testing") {
        findings.push(Finding::error(&place, format!("feature `{feature}`: `testing` is the only cargo feature")));
    }
    findings
}

fn check_arrow(package: &Package, dependency: &Dependency, place: &str) -> Option<Finding> {
    // A crate may enable its own `testing` feature for its own tests.
    if dependency.kind.as_deref() == Some("dev") && dependency.name == package.name {
        return None;
    }
    let from = layer_of(&package.name);
    let to = layer_of(&dependency.name);
    let allowed = matches!((from, to), (Some(from), Some(to)) if to < from);
    if !allowed {
        return Some(Finding::error(place, format!("`{}` must not depend on `{}`", package.name, dependency.name)));
    }
    let is_shipped = is_test_support(&dependency.name) && !is_for_tests(package, dependency);
    is_shipped.then(|| Finding::error(place, format!("`{}` is for tests: use it as a dev-dependency", dependency.name)))
}

fn check_reserved(package: &Package, dependency: &Dependency, place: &str) -> Option<Finding> {
    let name = dependency.name.as_str();
    if is_for_tests(package, dependency) && FOR_TESTS.contains(&name) {
        return None;
    }
    let user = package.name.as_str();
    let is_allowed = |rule: &Reserved| rule.to.contains(&user) || (rule.to_services && is_service(user));
    let rule = RESERVED.iter().find(|rule| rule.names.contains(&name) && !is_allowed(rule))?;
    Some(Finding::error(place, format!("`{name}` is not for `{}`: {}", package.name, rule.reason)))
}

fn is_for_tests(package: &Package, dependency: &Dependency) -> bool {
    dependency.kind.as_deref() == Some("dev") || is_test_support(&package.name)
}

fn layer_of(name: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&name))
}

/// The services, present and planned, for rules that concern only them.
pub(super) fn services() -> &'static [&'static str] {
    LAYERS[SERVICES]
}

pub(super) fn is_service(name: &str) -> bool {
    services().contains(&name)
}

pub(super) fn is_test_support(name: &str) -> bool {
    TEST_SUPPORT.contains(&name)
}

pub(super) fn is_pure(name: &str) -> bool {
    PURE.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, ours: &[&str], outside: &[&str]) -> Package {
        let ours = ours.iter().map(|name| (name, Some(format!("crates/{name}"))));
        let outside = outside.iter().map(|name| (name, None));
        Package {
            name: name.into(),
            dependencies: ours
                .chain(outside)
                .map(|(name, path)| Dependency { name: (*name).into(), path, kind: None })
                .collect(),
            features: std::collections::BTreeMap::new(),
        }
    }

    fn messages(package: &Package) -> Vec<String> {
        check_package(package).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn arrows_point_down() {
        assert!(messages(&package("identity", &["base", "database", "web", "contracts"], &[])).is_empty());
        assert_eq!(messages(&package("identity", &["oauth"], &[])), ["`identity` must not depend on `oauth`"]);
        assert_eq!(messages(&package("base", &["web"], &[])), ["`base` must not depend on `web`"]);
        assert_eq!(messages(&package("server", &["acceptance"], &[])), ["`server` must not depend on `acceptance`"]);
    }

    #[test]
    fn the_tools_are_outside_the_layers() {
        assert_eq!(messages(&package("xtask", &["base"], &[])), ["`xtask` must not depend on `base`"]);
        assert_eq!(messages(&package("server", &["xtask"], &[])), ["`server` must not depend on `xtask`"]);
    }

    #[test]
    fn only_the_database_may_use_the_drivers() {
        assert!(messages(&package("database", &["base"], &["rusqlite", "tokio-postgres"])).is_empty());
        assert_eq!(messages(&package("oauth", &[], &["rusqlite"])).len(), 1);
    }

    #[test]
    fn tests_may_use_reserved_crates_but_not_the_drivers() {
        let mut package = package("gateway", &[], &["anyhow", "rusqlite"]);
        assert_eq!(messages(&package).len(), 2);
        for dependency in &mut package.dependencies {
            dependency.kind = Some("dev".into());
        }
        assert_eq!(messages(&package).len(), 1, "the driver is not allowed in tests either");
    }

    #[test]
    fn test_support_is_for_tests() {
        let mut package = package("oauth", &["test-client"], &[]);
        assert_eq!(messages(&package), ["`test-client` is for tests: use it as a dev-dependency"]);
        package.dependencies[0].kind = Some("dev".into());
        assert!(messages(&package).is_empty());
        package.name = "base".into();
        assert_eq!(messages(&package), ["`base` must not depend on `test-client`"], "not even in tests");
        assert!(messages(&self::package("acceptance", &["test-client"], &["anyhow"])).is_empty());
        assert!(messages(&self::package("test-client", &["base"], &["axum", "tower"])).is_empty());
        assert_eq!(messages(&self::package("test-client", &["web"], &["rusqlite"])).len(), 2);
    }

    #[test]
    fn formats_use_no_runtime() {
        assert_eq!(messages(&package("jose", &["base"], &["tokio"])).len(), 1);
        assert!(messages(&package("web", &["base"], &["tokio", "axum"])).is_empty());
        assert_eq!(messages(&package("jobs", &["base"], &["axum"])).len(), 1);
    }

    #[test]
    fn every_service_may_use_the_web_framework() {
        assert!(services().contains(&"oauth") && !is_service("server"));
        for service in services() {
            assert!(messages(&package(service, &["base"], &["tokio", "axum"])).is_empty(), "{service}");
            assert_eq!(messages(&package(service, &[], &["anyhow"])).len(), 1, "{service}");
        }
    }

    #[test]
    fn testing_is_the_only_feature() {
        let mut package = package("database", &[], &[]);
        package.features.insert("testing".into(), Vec::new());
        assert!(messages(&package).is_empty());
        package.features.insert("mysql".into(), Vec::new());
        assert_eq!(messages(&package), ["feature `mysql`: `testing` is the only cargo feature"]);
    }

    #[test]
    fn an_unknown_crate_must_be_assigned_to_a_layer() {
        assert_eq!(messages(&package("helpers", &[], &[])).len(), 1);
    }
}
