//! Forbidden text: paths of one machine, hosts of package mirrors, unfinished work without an issue, and coined words where a
//! standard term exists. Also checks that the lock file uses only the public registry.

use super::Finding;
use super::tree::{File, Tree};

/// Prefixes of paths that exist on one machine only.
const MACHINE_PATHS: &[&str] = &["/work/", "/root/", "/home/", "/Users/"];

/// Hosts and schemes that would make a build depend on one network.
const REGISTRIES: &[&str] = &["index.crates.io", "static.crates.io", "sparse+", "artifactory", "jfrog"];

const UNFINISHED: &[&str] = &["TODO", "FIXME", "XXX", "HACK"];

/// Coined words in lower case, and the standard term.
const COINED: &[(&str, &str)] = &[
    ("burnt", "invalidated"),
    ("census", "statistics"),
    ("complaint", "message"),
    ("complaints", "messages"),
    ("honoured", "supported"),
    ("honours", "supports"),
    ("judge", "check"),
    ("judged", "checked"),
    ("judges", "checks"),
    ("log-out", "logout"),
    ("neighbour", "remote service"),
    ("neighbours", "remote services"),
    ("newcomer", "registrant"),
    ("parked", "saved"),
    ("tell", "report, show, say or distinguish"),
    ("tells", "reports, shows, says or distinguishes"),
    ("told", "reported, shown, said or distinguished"),
    ("vault", "sealer"),
];

/// Pronouns of one sex; a person is `they`. German has words of the same letters, so only texts in English are read.
const PRONOUNS: &[(&str, &str)] = &[
    ("he", "they"),
    ("she", "they"),
    ("him", "them"),
    ("his", "their"),
    ("her", "their or them"),
    ("hers", "theirs"),
    ("himself", "themselves"),
    ("herself", "themselves"),
];

/// Words in migrations that were applied: the checksum of a migration counts its comments.
const APPLIED: &[(&str, &str)] = &[
    ("crates/identity/migrations/0003_flows.sql", "herself"),
    ("crates/oauth/migrations/0001_oauth.sql", "burnt"),
    ("crates/oauth/migrations/0001_oauth.sql", "tells"),
    ("crates/oauth/migrations/0003_provider_ends.sql", "her"),
];

/// Coined phrases in lower case. In an identifier `_` stands for a blank.
const COINED_PHRASES: &[(&str, &str)] = &[
    ("the door", "the gateway"),
    ("turned away", "rejected"),
    ("passing key", "ephemeral key"),
    ("passing keys", "ephemeral keys"),
    ("somebody unknown", "an unknown account"),
    ("somebody known", "a known account"),
    ("could not be had", "failed"),
    ("is waited for", "waits for"),
];

/// Coined names of types; the words themselves have other uses.
const COINED_TYPES: &[(&str, &str)] = &[
    ("Places", "Urls"),
    ("Remembered", "ReadCache"),
    ("Said", "Output"),
    ("Counted", "AttemptCounter"),
    ("Words", "Texts or ErrorFormat"),
];

/// Stored values, which cannot be renamed.
const STORED: &[&str] = &["'burnt'", "\"burnt\"", "\"code_burnt\""];

const PUBLIC_REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    // The rules contain the words that they forbid.
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
            findings
                .push(Finding::error(&place, "name the issue of unfinished work, `TODO(#123)`, or remove the comment"));
        }
        if is_ours(file) {
            let coined = coined(line, file.code.is_some()).chain(pronouns(file, line));
            let coined = coined.filter(|(word, _)| !APPLIED.contains(&(file.path.as_str(), *word)));
            findings.extend(coined.map(|(word, term)| {
                Finding::error(&place, format!("`{word}` is not a term of the field; write {term}"))
            }));
        }
    }
    findings
}

/// Whether the text is our own, and not a decision, which is not edited.
fn is_ours(file: &File) -> bool {
    let is_text =
        ["rs", "md", "ftl", "html", "toml", "sql", "proto"].iter().any(|extension| file.has_extension(extension));
    is_text && !file.path.starts_with("docs/adr/")
}

fn coined(line: &str, is_rust: bool) -> impl Iterator<Item = (&'static str, &'static str)> {
    let stored = STORED.iter().any(|value| line.contains(value));
    let lower = if stored { String::new() } else { line.to_lowercase() };
    let types: Vec<_> = if is_rust { names(line).collect() } else { Vec::new() };
    let words = COINED.iter().filter({
        let lower = lower.clone();
        move |(word, _)| stands_in(&lower, word)
    });
    let spaced = if is_rust { lower.replace('_', " ") } else { lower };
    let phrases = COINED_PHRASES.iter().filter(move |(phrase, _)| stands_in(&spaced, phrase));
    let types = COINED_TYPES.iter().filter(move |(name, _)| types.iter().any(|it| it == name));
    words.chain(phrases).chain(types).copied()
}

fn pronouns(file: &File, line: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let is_english = !file.has_extension("ftl") || file.path.ends_with("/en.ftl");
    let lower = if is_english { line.to_lowercase() } else { String::new() };
    PRONOUNS.iter().filter(move |(word, _)| stands_in(&lower, word)).copied()
}

/// The identifiers in a line of Rust, without its comment.
fn names(line: &str) -> impl Iterator<Item = String> {
    let code = line.split("//").next().unwrap_or_default();
    code.split(|character: char| !character.is_alphanumeric() && character != '_').map(str::to_owned)
}

/// Whether `word` is a whole word in `line`; `_` separates words.
fn stands_in(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + word.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

/// Whether `path` is at the beginning of an absolute path, not in the middle of a URL.
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
    fn a_coined_word_is_reported_with_its_term() {
        for text in [
            "// The client is told to wait.",
            "fn judge_code() {}",
            "struct Words;",
            "/// Nobody knocks at the door.",
            "let census = 1;",
            "fn was_turned_away() {}",
            "fn signs_with_passing_keys() {}",
        ] {
            assert_eq!(count("a.rs", text), 1, "{text}");
        }
        for text in ["// Three words.", "'burnt' => Invalidated", "// The storytellers.", "let statistics = 1;"] {
            assert_eq!(count("a.rs", text), 0, "{text}");
        }
        assert_eq!(count("docs/guides/a.md", "Places are told."), 1, "a type's name is a word elsewhere");
        assert_eq!(count("docs/adr/0001-a.md", "The client is told to wait."), 0, "a decision is not edited");
        let found = check(&Tree::of(&[("a.rs", "// the vault")]));
        assert_eq!(found, [Finding::error("a.rs:1", "`vault` is not a term of the field; write sealer")]);
    }

    #[test]
    fn comments_of_tables_and_messages_are_read() {
        assert_eq!(count("crates/oauth/migrations/0009_a.sql", "-- the vault"), 1);
        assert_eq!(count("crates/permissions/proto/a.proto", "// The client is told to wait."), 1);
        assert_eq!(count("crates/oauth/migrations/0001_oauth.sql", "-- a version tells them"), 0, "it was applied");
        assert_eq!(count("crates/oauth/migrations/0001_oauth.sql", "-- the vault tells them"), 1);
    }

    #[test]
    fn a_person_is_they() {
        for text in ["// A user and her sessions.", "fn she_signs_in() {}", "// He did it himself: his own."] {
            assert!(count("a.rs", text) > 0, "{text}");
        }
        assert_eq!(count("crates/ui/locales/en.ftl", "a = Ask her."), 1);
        assert_eq!(count("crates/ui/locales/de.ftl", "a = Stellen Sie den Zugang wieder her."), 0);
        assert_eq!(count("a.rs", "// Other users sign in there; the hero, the theme."), 0);
    }

    #[test]
    fn everything_comes_from_the_public_registry() {
        assert_eq!(count("Cargo.lock", &format!("source = \"{PUBLIC_REGISTRY}\"")), 0);
        assert_eq!(count("Cargo.lock", "source = \"git+https://example.org/x\""), 1);
        assert_eq!(count(".cargo/config.toml", "registry = \"sparse+https://mirror/\""), 1);
    }

    #[test]
    fn the_rules_may_contain_what_they_forbid() {
        assert_eq!(count("xtask/src/tidy/words.rs", "// TODO /work/"), 0);
    }
}
