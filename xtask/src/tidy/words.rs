//! Words that must not stand in the repository: paths of one person's machine, hosts of package mirrors, work put off
//! without an issue. Also keeps the lock file to the public registry.

use super::Finding;
use super::tree::{File, Tree};

/// The beginning of a path that exists on one machine only.
const MACHINE_PATHS: &[&str] = &["/work/", "/root/", "/home/", "/Users/"];

/// Hosts and schemes by which a build would depend on one network.
const REGISTRIES: &[&str] = &["index.crates.io", "static.crates.io", "sparse+", "artifactory", "jfrog"];

const UNFINISHED: &[&str] = &["TODO", "FIXME", "XXX", "HACK"];

const PUBLIC_REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    // The rules have to name what they forbid.
    let files = tree.files().iter().filter(|file| !file.path.starts_with("xtask/src/tidy/"));
    files.flat_map(|file| if file.path.ends_with("Cargo.lock") { lock_file(file) } else { text_file(file) }).collect()
}

fn text_file(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let place = format!("{}:{}", file.path, index + 1);
        if let Some(path) = MACHINE_PATHS.iter().find(|path| begins_path(line, path)) {
            findings.push(Finding::error(&place, format!("`{path}` exists on one machine only")));
        }
        if let Some(host) = REGISTRIES.iter().find(|host| line.contains(*host)) {
            findings.push(Finding::error(
                &place,
                format!("`{host}`: the public registry is the only source, by its default"),
            ));
        }
        if UNFINISHED.iter().any(|word| is_without_issue(line, word)) {
            findings.push(Finding::error(&place, "work put off names its issue, `TODO(#123)`, or is not mentioned"));
        }
    }
    findings
}

/// Whether `path` stands at the beginning of an absolute path, not in the middle of an address.
fn begins_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        !before.is_some_and(|character| character.is_alphanumeric() || "._-}*/".contains(character))
    })
}

fn is_without_issue(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = &line[start + word.len()..];
        let stands_alone = !before.is_some_and(is_word) && !after.chars().next().is_some_and(is_word);
        let issue = after.strip_prefix("(#").and_then(|rest| rest.split_once(')')).map(|(number, _)| number);
        stands_alone
            && !issue.is_some_and(|number| !number.is_empty() && number.chars().all(|digit| digit.is_ascii_digit()))
    })
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '-'
}

fn lock_file(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let Some(source) = line.strip_prefix("source = ") else { continue };
        if source.trim_matches('"') != PUBLIC_REGISTRY {
            let place = format!("{}:{}", file.path, index + 1);
            findings.push(Finding::error(place, format!("{source} is not the public registry")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn paths_of_one_machine_are_refused() {
        assert_eq!(count("README.md", "see /work/notes.md"), 1);
        assert_eq!(count("README.md", "`/home/me/x`"), 1);
        assert_eq!(count("README.md", "https://example.org/work/notes and ./root/x"), 0);
    }

    #[test]
    fn unfinished_work_names_its_issue() {
        assert_eq!(count("a.rs", "// TODO: later"), 1);
        assert_eq!(count("a.rs", "// TODO(#12): later"), 0);
        assert_eq!(count("a.rs", "const TODO_LIST: u8 = 1; // XXX-LARGE"), 0);
    }

    #[test]
    fn everything_comes_from_the_public_registry() {
        assert_eq!(count("Cargo.lock", &format!("source = \"{PUBLIC_REGISTRY}\"")), 0);
        assert_eq!(count("Cargo.lock", "source = \"git+https://example.org/x\""), 1);
        assert_eq!(count(".cargo/config.toml", "registry = \"sparse+https://mirror/\""), 1);
    }

    #[test]
    fn the_rules_may_name_what_they_forbid() {
        assert_eq!(count("xtask/src/tidy/words.rs", "// TODO /work/"), 0);
    }
}
