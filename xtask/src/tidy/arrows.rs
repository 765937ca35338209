//! Which crate may use which. Each step of the ladder may use any step under it, never its own or one above.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::Finding;
use crate::process::Process;

/// The ladder, from the ground up.
const LADDER: &[&[&str]] = &[
    &["base"],
    &["database", "telemetry", "jose", "oauth-types", "go-templates", "saml", "scim"],
    &["contracts", "web", "ui", "jobs"],
    &["service"],
    &["identity", "oauth", "permissions", "gateway", "federation"],
    &["console"],
    &["server"],
    &["acceptance"],
];

/// Crates of ours that stand beside the ladder: they use nothing of ours, and nothing of ours uses them.
const BESIDE: &[&str] = &["xtask"];

/// Formats and rules without a clock, a network, a database or a runtime.
const PURE: &[&str] = &["jose", "oauth-types", "go-templates", "saml", "scim"];

/// A crate from outside, who alone may name it, and why.
struct Reserved {
    names: &'static [&'static str],
    to: &'static [&'static str],
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
        reason: "only `database` names the SQL drivers",
    },
    Reserved {
        names: &["anyhow"],
        to: &["server", "xtask", "acceptance"],
        reason: "an operation has an error enum of its own; `anyhow` is for programs and tests",
    },
    Reserved {
        names: &["axum"],
        to: &[
            "web",
            "service",
            "identity",
            "oauth",
            "permissions",
            "gateway",
            "federation",
            "console",
            "server",
            "acceptance",
        ],
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
            "identity",
            "oauth",
            "permissions",
            "gateway",
            "federation",
            "console",
            "server",
            "acceptance",
            "xtask",
        ],
        reason: "the crates of formats know no clock, network, database or async",
    },
    Reserved {
        names: &["openssl", "openssl-sys", "native-tls", "ring", "sqlx", "reqwest"],
        to: &[],
        reason: "one TLS stack, one provider of cryptography, one database layer, one outbound client",
    },
];

/// Reserved in what is shipped, and welcome in every crate's tests.
const FOR_TESTS: &[&str] = &["anyhow", "axum", "tokio"];

/// A package of the workspace as its manifest describes it.
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
    let metadata: Metadata = serde_json::from_str(&text).context("cannot read what `cargo metadata` says")?;
    Ok(metadata.packages)
}

pub(super) fn check(packages: &[Package]) -> Vec<Finding> {
    packages.iter().flat_map(check_package).collect()
}

fn check_package(package: &Package) -> Vec<Finding> {
    let place = format!("{}/Cargo.toml", package.name);
    let mut findings = Vec::new();
    if step_of(&package.name).is_none() && !BESIDE.contains(&package.name.as_str()) {
        findings.push(Finding::error(
            &place,
            "the crate has no place on the ladder; give it one in xtask and ARCHITECTURE.md",
        ));
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
    // A crate may switch on its own `testing` feature for its own tests.
    if dependency.kind.as_deref() == Some("dev") && dependency.name == package.name {
        return None;
    }
    let from = step_of(&package.name);
    let to = step_of(&dependency.name);
    let allowed = matches!((from, to), (Some(from), Some(to)) if to < from);
    (!allowed)
        .then(|| Finding::error(place, format!("no arrow leads from `{}` to `{}`", package.name, dependency.name)))
}

fn check_reserved(package: &Package, dependency: &Dependency, place: &str) -> Option<Finding> {
    let name = dependency.name.as_str();
    if dependency.kind.as_deref() == Some("dev") && FOR_TESTS.contains(&name) {
        return None;
    }
    let rule = RESERVED.iter().find(|rule| rule.names.contains(&name) && !rule.to.contains(&package.name.as_str()))?;
    Some(Finding::error(place, format!("`{name}` is not for `{}`: {}", package.name, rule.reason)))
}

fn step_of(name: &str) -> Option<usize> {
    LADDER.iter().position(|step| step.contains(&name))
}

/// The services, for the rules that concern them alone.
pub(super) fn is_service(name: &str) -> bool {
    LADDER.get(4).is_some_and(|services| services.contains(&name))
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
        assert_eq!(messages(&package("identity", &["oauth"], &[])), ["no arrow leads from `identity` to `oauth`"]);
        assert_eq!(messages(&package("base", &["web"], &[])), ["no arrow leads from `base` to `web`"]);
        assert_eq!(
            messages(&package("server", &["acceptance"], &[])),
            ["no arrow leads from `server` to `acceptance`"]
        );
    }

    #[test]
    fn the_tools_stand_beside_the_ladder() {
        assert_eq!(messages(&package("xtask", &["base"], &[])), ["no arrow leads from `xtask` to `base`"]);
        assert_eq!(messages(&package("server", &["xtask"], &[])), ["no arrow leads from `server` to `xtask`"]);
    }

    #[test]
    fn the_drivers_belong_to_the_database() {
        assert!(messages(&package("database", &["base"], &["rusqlite", "tokio-postgres"])).is_empty());
        assert_eq!(messages(&package("oauth", &[], &["rusqlite"])).len(), 1);
    }

    #[test]
    fn tests_may_be_less_strict() {
        let mut package = package("gateway", &[], &["anyhow", "rusqlite"]);
        assert_eq!(messages(&package).len(), 2);
        for dependency in &mut package.dependencies {
            dependency.kind = Some("dev".into());
        }
        assert_eq!(messages(&package).len(), 1, "the driver is not for tests either");
    }

    #[test]
    fn formats_know_no_runtime() {
        assert_eq!(messages(&package("jose", &["base"], &["tokio"])).len(), 1);
        assert!(messages(&package("web", &["base"], &["tokio", "axum"])).is_empty());
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
    fn an_unknown_crate_must_be_placed() {
        assert_eq!(messages(&package("helpers", &[], &[])).len(), 1);
    }
}
