//! The functions by their names.

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

/// The functions that the template engine brings along.
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

/// All of them, to be given to a template.
pub fn functions() -> FuncMap {
    ALL.clone()
}

/// Whether a template can call a function of this name.
pub fn is_known(name: &str) -> bool {
    BUILT_IN.contains(&name) || ALL.contains_key(name)
}

/// What to say about a function of sprig's that is left out on purpose.
pub fn why_absent(name: &str) -> &'static str {
    match name {
        "env" | "expandenv" => ": templates cannot read the environment",
        "now" | "date" | "ago" | "htmlDate" | "dateInZone" | "date_in_zone" | "dateModify" | "date_modify" => {
            ": templates cannot read the clock"
        }
        "uuidv4" | "randAlphaNum" | "randAlpha" | "randNumeric" | "randAscii" | "randBytes" | "randInt" | "shuffle"
        | "genPrivateKey" | "genCA" | "genSelfSignedCert" | "genSignedCert" | "bcrypt" | "htpasswd" => {
            ": templates give the same text each time"
        }
        "getHostByName" => ": templates cannot use the network",
        "osBase" | "osDir" | "osExt" | "osClean" | "osIsAbs" => ": templates know no files",
        "set" | "unset" | "merge" | "mergeOverwrite" => ": values do not change; use `dict`",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_one_function() {
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
