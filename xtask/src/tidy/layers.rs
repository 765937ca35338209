//! The layers inside a crate: which folder may use the web framework, SQL, the environment, and other folders.

use super::Finding;
use super::arrows::{is_pure, is_service, is_test_support};
use super::imports::imports;
use super::tree::{File, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.files().iter().flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Finding> {
    let mut findings = web_framework(file);
    findings.extend(sql(file));
    findings.extend(environment(file));
    findings.extend(test_mode(file));
    findings.extend(folders(file));
    findings.extend(components(file));
    findings.extend(methods(file));
    findings.extend(purity(file));
    findings
}

fn report(file: &File, lines: Vec<usize>, message: &str) -> Vec<Finding> {
    lines.into_iter().map(|line| Finding::error(format!("{}:{line}", file.path), message)).collect()
}

fn web_framework(file: &File) -> Vec<Finding> {
    let (Some(code), Some(krate)) = (&file.code, file.krate()) else { return Vec::new() };
    let allowed = ["web", "server", "console"].contains(&krate)
        || is_test_support(krate)
        || ["grpc", "http", "pages"].iter().any(|folder| file.is_in(folder))
        // The gateway forwards requests and bodies of the framework directly.
        || (krate == "gateway" && file.is_in("proxy"))
        || file.is_test();
    if allowed {
        return Vec::new();
    }
    let mut lines = code.lines_naming("axum");
    if file.is_in("lib") || file.is_in("service") {
        // The interface of a service returns its routers, and uses only their type from the framework.
        lines.retain(|line| !code.lines[line - 1].contains("axum::Router"));
    }
    report(file, lines, "only `http/`, `grpc/` and `pages/` name the web framework")
}

fn sql(file: &File) -> Vec<Finding> {
    let (Some(code), Some(krate)) = (&file.code, file.krate()) else { return Vec::new() };
    if krate == "database" || file.is_in("storage") || file.is_test() {
        return Vec::new();
    }
    let lines = code.strings.iter().filter(|literal| is_sql(&literal.text)).map(|literal| literal.line).collect();
    report(file, lines, "only `storage/` contains SQL")
}

/// Whether a string literal is an SQL statement, by its beginning.
pub(super) fn is_sql(text: &str) -> bool {
    const BEGINNINGS: &[&str] = &[
        "SELECT ",
        "INSERT INTO ",
        "INSERT OR ",
        "DELETE FROM ",
        "CREATE TABLE ",
        "CREATE INDEX ",
        "CREATE UNIQUE ",
        "ALTER TABLE ",
        "DROP TABLE ",
        "DROP INDEX ",
        "PRAGMA ",
        "BEGIN IMMEDIATE",
        "WITH RECURSIVE ",
    ];
    // `\` at the end of a line continues the literal on the next line.
    let text = text.trim_start_matches(|character: char| character.is_whitespace() || character == '\\');
    let is_update = text.strip_prefix("UPDATE ").is_some_and(|rest| rest.split_whitespace().nth(1) == Some("SET"));
    is_update || BEGINNINGS.iter().any(|beginning| text.starts_with(beginning))
}

fn environment(file: &File) -> Vec<Finding> {
    let Some(code) = &file.code else { return Vec::new() };
    // Tools outside the crates, tests, client programs and build scripts may read the environment.
    let is_client = file.path.starts_with("crates/acceptance/clients/");
    let is_build_script = file.path.ends_with("/build.rs");
    if matches!(file.krate(), None | Some("server")) || file.is_test() || is_client || is_build_script {
        return Vec::new();
    }
    let names = ["env::var", "env::vars", "env::var_os", "env::vars_os", "env::args", "env::args_os", "env::set_var"];
    let lines = names.iter().flat_map(|name| code.lines_naming(name)).collect();
    let mut findings = report(file, lines, "only `server` reads the environment");
    findings.extend(report(file, code.lines_naming("tokio::signal"), "only `server` reads signals"));
    findings
}

/// Tests run the code that is shipped.
fn test_mode(file: &File) -> Vec<Finding> {
    let Some(code) = &file.code else { return Vec::new() };
    report(file, code.lines_naming("cfg!(test)"), "no code checks whether it runs under test")
}

/// The folders of the layer of `operations/`: `identity` has several.
const OPERATIONS: &[&str] = &["operations", "flows", "methods"];

/// What the domain of a service imports from its crate: the domain, and the part of a sign-in method that belongs to it.
const DOMAIN: &[&str] = &["domain", "methods::credential", "methods::*::credential", "methods::*::import"];

/// What storage imports besides: itself, and the storage of a sign-in method.
const STORAGE: &[&str] = &["storage", "methods::*::storage"];

/// The domain, and the part of a sign-in method that belongs to it: the types of its credential and of its import.
fn is_domain(file: &File) -> bool {
    let is_of_method = ["credential", "import"].iter().any(|module| file.is_in(module));
    file.is_in("domain") || (file.is_in("methods") && is_of_method)
}

/// Whether a path begins with a pattern, in which `*` is any folder.
fn begins_with(path: &[String], pattern: &str) -> bool {
    let mut steps = path.iter();
    pattern.split("::").all(|part| steps.next().is_some_and(|step| part == "*" || part == step))
}

/// The flow is always `http|pages -> operations -> domain + storage`.
fn folders(file: &File) -> Vec<Finding> {
    let (Some(code), Some(krate)) = (&file.code, file.krate()) else { return Vec::new() };
    if !is_service(krate) || file.is_test() {
        return Vec::new();
    }
    let mut findings = if is_domain(file) {
        imports_besides(file, DOMAIN, "`domain/` imports none of the other folders")
    } else if file.is_in("storage") {
        imports_besides(file, &[DOMAIN, STORAGE].concat(), "`storage/` imports only `domain/`")
    } else if OPERATIONS.iter().any(|folder| file.is_in(folder)) {
        const ABOVE: &[&str] = &["http", "grpc", "pages"];
        let mut findings =
            imports_of(file, ABOVE, "it is above this folder: http|pages -> operations -> domain + storage");
        findings.extend(report(file, code.lines_naming("http::StatusCode"), "an operation has no status of HTTP"));
        findings
    } else {
        Vec::new()
    };
    if ["grpc", "http", "pages"].iter().any(|folder| file.is_in(folder)) {
        let writes = ["database.write", "database().write", "database.write_once", "database().write_once"];
        let lines = writes.iter().flat_map(|name| code.lines_naming(name)).collect();
        findings.extend(report(file, lines, "a handler must not write: move it to an operation"));
    }
    if is_domain(file) {
        let lines = [code.lines_naming("async"), code.lines_naming("await")].concat();
        findings.extend(report(file, lines, "`domain/` is pure and synchronous"));
        findings.extend(report(file, code.lines_naming("web"), "`domain/` does not use HTTP: pass values"));
    }
    findings
}

/// A finding for each import that is in none of these folders.
fn imports_besides(file: &File, allowed: &[&str], rule: &str) -> Vec<Finding> {
    let is_allowed = |path: &[String]| allowed.iter().any(|pattern| begins_with(path, pattern));
    let foreign = imports(file).into_iter().filter(|it| !is_allowed(&it.path));
    foreign.flat_map(|it| report(file, vec![it.line], &format!("`crate::{}`: {rule}", it.path.join("::")))).collect()
}

/// A finding for each import from one of these folders.
fn imports_of(file: &File, forbidden: &[&str], rule: &str) -> Vec<Finding> {
    let is_forbidden = |path: &[String]| forbidden.iter().any(|pattern| begins_with(path, pattern));
    let found = imports(file).into_iter().filter(|it| is_forbidden(&it.path));
    found.flat_map(|it| report(file, vec![it.line], &format!("`crate::{}`: {rule}", it.path.join("::")))).collect()
}

/// What calls the parts of a service value.
const ABOVE_COMPONENTS: &[&str] = &["operations", "flows", "methods::ALL", "http", "grpc", "pages"];

/// A part of the service value calls no operation.
fn components(file: &File) -> Vec<Finding> {
    let Some(krate) = file.krate() else { return Vec::new() };
    if !is_service(krate) || !file.path.contains("/src/components/") || file.is_test() {
        return Vec::new();
    }
    imports_of(file, ABOVE_COMPONENTS, "a part of the service calls no operation: pass it what it needs")
}

/// Modules that all sign-in methods share, beside their folders.
const SHARED_BY_METHODS: &[&str] = &["credential", "sections"];

/// A sign-in method does not import another one.
fn methods(file: &File) -> Vec<Finding> {
    let Some((_, rest)) = file.path.split_once("/src/methods/") else { return Vec::new() };
    let (Some(code), Some((own, _))) = (&file.code, rest.split_once('/')) else { return Vec::new() };
    let is_foreign = |name: &str| name != own && !SHARED_BY_METHODS.contains(&name);
    let lines = code.lines.iter().enumerate().filter(|(_, line)| methods_in(line).any(is_foreign));
    let lines = lines.map(|(index, _)| index + 1).collect();
    report(file, lines, "a sign-in method does not import another one: share it in `methods/mod.rs` or `domain/`")
}

/// The modules of `methods/` that a line names, in a path or in a list of imports.
fn methods_in(line: &str) -> impl Iterator<Item = &str> {
    let paths = ["crate::methods::", "super::super::"].into_iter().flat_map(|prefix| line.split(prefix).skip(1));
    let paths = paths.flat_map(|rest| match rest.strip_prefix('{') {
        Some(list) => list.split([',', '}']).map(str::trim).collect(),
        None => vec![rest],
    });
    paths
        .filter_map(|path| path.split_once("::"))
        .map(|(name, _)| name)
        .filter(|name| name.starts_with(char::is_lowercase) && name.chars().all(|it| it.is_alphanumeric() || it == '_'))
}

fn purity(file: &File) -> Vec<Finding> {
    let (Some(code), Some(krate)) = (&file.code, file.krate()) else { return Vec::new() };
    if !is_pure(krate) || file.is_test() {
        return Vec::new();
    }
    let names = ["async fn", "Clock", "std::net::TcpStream", "std::fs"];
    let lines = names.iter().flat_map(|name| code.lines_naming(name)).collect();
    report(file, lines, "a crate of formats uses no clock, network, file or async")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(path: &str, text: &str) -> Vec<String> {
        check_file(&File::new(path, text)).into_iter().map(|finding| finding.place).collect()
    }

    #[test]
    fn the_web_framework_is_used_only_in_http_and_pages() {
        let text = "use axum::Router;\n";
        assert!(places("crates/oauth/src/http/mod.rs", text).is_empty());
        assert!(places("crates/oauth/src/pages/consent.rs", text).is_empty());
        assert!(places("crates/oauth/src/grpc/mod.rs", text).is_empty());
        assert!(places("crates/web/src/lib.rs", text).is_empty());
        assert!(places("crates/test-client/src/client.rs", text).is_empty());
        assert_eq!(
            places("crates/oauth/src/operations/refresh.rs", text),
            ["crates/oauth/src/operations/refresh.rs:1"]
        );
        assert_eq!(places("crates/jobs/src/worker.rs", text).len(), 1);
        assert!(places("crates/oauth/src/service.rs", "fn public_router(&self) -> axum::Router {}").is_empty());
        assert_eq!(places("crates/oauth/src/service.rs", "use axum::extract::State;").len(), 1);
    }

    #[test]
    fn sql_is_used_only_in_storage() {
        let text = "const A: &str = \"\\\n    UPDATE oauth_grants SET revoked_at = $2\";";
        assert!(places("crates/oauth/src/storage/grants.rs", text).is_empty());
        assert_eq!(places("crates/oauth/src/operations/revoke.rs", text).len(), 1);
        assert!(places("crates/oauth/src/operations/revoke.rs", "let a = \"UPDATE your password\";").is_empty());
    }

    #[test]
    fn only_the_server_reads_the_environment() {
        let text = "fn f() { std::env::var(\"A\"); }";
        assert!(places("crates/server/src/config/mod.rs", text).is_empty());
        assert!(places("xtask/src/main.rs", text).is_empty());
        assert!(places("crates/acceptance/clients/rust/main.rs", text).is_empty());
        assert!(places("crates/ui/build.rs", text).is_empty());
        assert_eq!(places("crates/web/src/lib.rs", text).len(), 1);
        assert!(places("crates/database/src/testing.rs", "std::env::temp_dir()").is_empty());
        let text = "use tokio::signal::unix::signal;";
        assert!(places("crates/server/src/cli/serve.rs", text).is_empty());
        assert_eq!(places("crates/jobs/src/worker.rs", text).len(), 1);
    }

    #[test]
    fn no_code_checks_whether_it_runs_under_test() {
        let text = "fn f() { if cfg!(test) { return; } }";
        assert_eq!(places("crates/oauth/src/operations/refresh.rs", text).len(), 1);
        assert_eq!(places("crates/web/src/tests.rs", text).len(), 1);
    }

    #[test]
    fn folders_import_downwards() {
        assert_eq!(places("crates/oauth/src/domain/code.rs", "use crate::storage::codes;").len(), 1);
        assert_eq!(places("crates/oauth/src/storage/codes.rs", "use crate::operations::X;").len(), 1);
        assert!(places("crates/oauth/src/storage/codes.rs", "use crate::domain::Code;").is_empty());
        assert_eq!(places("crates/oauth/src/operations/redeem.rs", "use crate::http::token;").len(), 1);
        assert_eq!(places("crates/oauth/src/domain/code.rs", "async fn f() {}").len(), 1);
        assert_eq!(places("crates/oauth/src/domain/code.rs", "use crate::config::Ttl;").len(), 1);
        assert_eq!(places("crates/oauth/src/domain/code.rs", "use web::RestError;").len(), 1);
        for folder in ["flows", "methods/totp", "operations"] {
            let path = format!("crates/identity/src/{folder}/login.rs");
            assert_eq!(places(&path, "use crate::http::view;").len(), 1, "{path}");
            assert_eq!(places(&path, "use http::StatusCode;").len(), 1, "{path}");
            assert!(places(&path, "use crate::domain::Aal;").is_empty(), "{path}");
        }
        let credential = "crates/identity/src/methods/totp/credential.rs";
        assert_eq!(places(credential, "use crate::flows::login;").len(), 1);
        assert_eq!(places(credential, "async fn f() {}").len(), 1);
        assert!(places("crates/identity/src/methods/totp/login.rs", "async fn f() {}").is_empty());
    }

    #[test]
    fn the_domain_imports_no_other_folder_whatever_its_name() {
        let others = ["components::urls::Urls", "definition::DEFINITION", "service::Parts", "pipeline::x", "Identity"];
        for name in others.iter().chain(&["storage", "jobs", "methods::code::nodes", "methods::ALL", "new_folder::x"]) {
            for prefix in ["use crate::", "use super::super::", "use crate::{domain::Aal, ", "fn f() { crate::"] {
                let text = format!("{prefix}{name}");
                assert!(!places("crates/identity/src/domain/login.rs", &text).is_empty(), "{text}");
            }
            let text = format!("use crate::{name};");
            for part in ["credential", "import"] {
                assert!(!places(&format!("crates/identity/src/methods/totp/{part}.rs"), &text).is_empty(), "{text}");
            }
        }
        for name in
            ["domain::Aal", "methods::credential::CredentialConfig", "methods::totp::credential::TotpCredential"]
        {
            assert!(places("crates/identity/src/domain/login.rs", &format!("use crate::{name};")).is_empty(), "{name}");
        }
        let test = "#[cfg(test)]\nmod tests { use crate::testing::a; }";
        assert!(places("crates/oauth/src/domain/code.rs", test).is_empty());
    }

    #[test]
    fn storage_imports_only_the_domain() {
        for name in
            ["components::urls::Urls", "service::Parts", "config::Config", "methods::totp::nodes", "jobs", "Identity"]
        {
            let text = format!("use crate::{name};");
            assert_eq!(places("crates/identity/src/storage/codes.rs", &text).len(), 1, "{text}");
            assert_eq!(places("crates/identity/src/methods/totp/storage.rs", &text).len(), 1, "{text}");
        }
        for name in
            ["domain::Code", "storage::codes", "methods::totp::storage::STATEMENTS", "methods::totp::credential::A"]
        {
            assert!(places("crates/identity/src/storage/mod.rs", &format!("use crate::{name};")).is_empty(), "{name}");
        }
    }

    #[test]
    fn a_part_of_the_service_calls_no_operation() {
        let path = "crates/identity/src/components/codes.rs";
        assert_eq!(places(path, "use crate::flows::views::SessionView;").len(), 1);
        assert!(places(path, "use crate::domain::views::SessionView;").is_empty());
        assert!(places("crates/identity/src/flows/login/mod.rs", "use crate::flows::views::FlowView;").is_empty());
    }

    #[test]
    fn a_method_does_not_import_another_one() {
        let path = "crates/identity/src/methods/totp/login.rs";
        assert_eq!(places(path, "use crate::methods::password::credential::Password;").len(), 1);
        assert_eq!(places(path, "let it = crate::methods::code::Code;").len(), 1);
        assert_eq!(places(path, "use super::super::code::nodes;").len(), 1);
        assert_eq!(places(path, "use crate::methods::{self, code::nodes, Method};").len(), 1);
        for text in [
            "use crate::methods::totp::messages;",
            "use crate::methods::{self, LoginForm, Method};",
            "use crate::methods::credential::CredentialConfig;",
            "// like crate::methods::code::Code",
        ] {
            assert!(places(path, text).is_empty(), "{text}");
        }
        assert!(places("crates/identity/src/methods/list.rs", "crate::methods::code::config::CodeMethod;").is_empty());
    }

    #[test]
    fn handlers_must_not_write() {
        let text = "self.database.write_once(cx.tenant, &INSERT, &values).await?;";
        assert_eq!(places("crates/oauth/src/http/admin.rs", text).len(), 1);
        let text = "let mut tx = self.database.write(cx.tenant).await?;";
        assert_eq!(places("crates/identity/src/http/errors.rs", text).len(), 1);
        assert_eq!(places("crates/oauth/src/pages/consent.rs", "oauth.database().write(cx.tenant)").len(), 1);
        assert!(places("crates/identity/src/flows/mod.rs", text).is_empty());
    }

    #[test]
    fn formats_use_no_clock() {
        assert_eq!(places("crates/jose/src/jwt.rs", "use base::Clock;").len(), 1);
        assert!(places("crates/jose/src/jwt.rs", "use base::Timestamp;").is_empty());
    }
}
