//! The functions by name.

mod built_in;
mod casing;
mod dictionaries;
mod encodings;
mod lists;
mod logic;
mod numbers;
mod patterns;
mod texts;

use std::sync::{Arc, LazyLock};

use gotmpl::{FuncMap, Value, ValueFunc};

use crate::Outcome;

/// A function of a template.
pub type Function = fn(&[Value]) -> Outcome;

type Table = &'static [(&'static str, Function)];

/// The functions that the template engine provides.
const BUILT_IN: &[&str] = &["and", "call", "eq", "ge", "gt", "index", "le", "len", "lt", "ne", "not", "or"];

const TABLES: &[Table] = &[
    built_in::FUNCTIONS,
    casing::FUNCTIONS,
    dictionaries::FUNCTIONS,
    encodings::FUNCTIONS,
    lists::FUNCTIONS,
    logic::FUNCTIONS,
    numbers::FUNCTIONS,
    patterns::FUNCTIONS,
    texts::FUNCTIONS,
];

static ALL: LazyLock<FuncMap> = LazyLock::new(|| {
    let all = TABLES.iter().copied().flatten();
    all.map(|(name, function)| ((*name).to_owned(), Arc::new(*function) as ValueFunc)).collect()
});

/// All functions, to register with a template.
pub fn functions() -> FuncMap {
    ALL.clone()
}

/// Whether templates can call a function with this name.
pub fn is_known(name: &str) -> bool {
    BUILT_IN.contains(&name) || ALL.contains_key(name)
}

/// Why a function of sprig is deliberately missing.
pub fn why_absent(name: &str) -> &'static str {
    match name {
        "env" | "expandenv" => ": templates cannot read the environment",
        "now" | "date" | "ago" | "htmlDate" | "dateInZone" | "date_in_zone" | "dateModify" | "date_modify" => {
            ": templates cannot read the clock"
        }
        "uuidv4" | "randAlphaNum" | "randAlpha" | "randNumeric" | "randAscii" | "randBytes" | "randInt" | "shuffle"
        | "genPrivateKey" | "genCA" | "genSelfSignedCert" | "genSignedCert" | "bcrypt" | "htpasswd" => {
            ": templates must be deterministic"
        }
        "getHostByName" => ": templates cannot use the network",
        "osBase" | "osDir" | "osExt" | "osClean" | "osIsAbs" => ": templates cannot access files",
        "set" | "unset" | "merge" | "mergeOverwrite" => ": values are immutable; use `dict`",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn function_names_are_unique() {
        let mut names: Vec<&str> = TABLES.iter().copied().flatten().map(|(name, _)| *name).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!((names.len(), ALL.len()), (all, all));
        assert!(names.iter().all(|name| why_absent(name).is_empty()));
        for table in TABLES {
            assert!(table.is_sorted_by_key(|(name, _)| name.to_lowercase()), "{:?}", table.first().map(|it| it.0));
        }
    }
}
