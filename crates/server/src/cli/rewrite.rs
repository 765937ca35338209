//! Translates the command lines of the replaced programs. A binary that is called or linked under one of their names behaves
//! like it, and the commands of their compose files and charts work under the name `kleis` as well.

use std::ffi::OsString;
use std::path::Path;

use crate::config::Service;

/// The result of the translation.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rewritten {
    /// Arguments of `kleis`, with the program's name first, and the replaced program whose name was used.
    Arguments(Vec<OsString>, Option<Service>),
    /// Nothing to run: the text to print, and whether this is a success.
    Answer { text: &'static str, is_success: bool },
}

const NOT_NEEDED: &str = "not needed: the server deletes expired rows itself, in small batches, while it runs";
const COURIER: &str = "not needed: the server sends mail itself";
const NAMESPACES: &str = "kleis doctor -c FILE loads the namespaces of a configuration, and kleis permissions lint checks files of the \
    permission language";

/// Translates the command line, including the program's name.
pub(super) fn rewrite(arguments: Vec<OsString>) -> Rewritten {
    let mut arguments = arguments.into_iter();
    let program = arguments.next().unwrap_or_else(|| "kleis".into());
    let name = Path::new(&program).file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    let called_as: Option<Service> = Service::ALL
        .into_iter()
        .find(|service| service.definition().replaced.as_ref().is_some_and(|it| it.program == name));
    // Options before the command move behind it; `migrate -c FILE sql up` has them between its words.
    let (mut leading, mut rest) = (Vec::new(), Vec::new());
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy().into_owned();
        let is_before = rest.iter().all(|it: &OsString| it == "migrate" || it == "sql");
        if is_before && (text == "-c" || text == "--config") {
            leading.push(argument);
            leading.extend(arguments.next());
        } else if is_before && (text.starts_with("--config=") || is_without_effect(&text)) {
            leading.push(argument);
        } else {
            rest.push(argument);
        }
    }
    let words: Vec<String> = rest.iter().map(|it| it.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["janitor" | "cleanup", ..] => return Rewritten::Answer { text: NOT_NEEDED, is_success: true },
        ["courier", ..] => return Rewritten::Answer { text: COURIER, is_success: true },
        ["namespace", ..] if called_as == Some(Service::PERMISSIONS) => {
            return Rewritten::Answer { text: NAMESPACES, is_success: false };
        }
        _ => {}
    }
    let mut ours = vec![program];
    if called_as == Some(Service::PERMISSIONS)
        && let Some(path) = words.first().and_then(|word| of_keto(word))
    {
        ours.extend(path.iter().map(OsString::from));
        rest.drain(..1);
        // These commands call a running service and read no configuration.
        leading.clear();
    } else if let [verb, noun, ..] = words.as_slice()
        && let Some(path) = of_a_noun(verb, noun)
    {
        ours.extend(path.iter().map(OsString::from));
        ours.push(verb.into());
        rest.drain(..2);
    }
    ours.extend(rest);
    ours.extend(leading);
    Rewritten::Arguments(ours, called_as)
}

/// Our command for those that the replaced programs name by verb and noun, such as `create oauth2-client`.
fn of_a_noun(verb: &str, noun: &str) -> Option<&'static [&'static str]> {
    match (verb, noun) {
        (
            "create" | "get" | "list" | "update" | "delete",
            "oauth2-client" | "oauth2-clients" | "client" | "clients",
        ) => Some(&["oauth", "client"]),
        ("get" | "list" | "import" | "delete", "identity" | "identities") => Some(&["identity"]),
        _ => None,
    }
}

/// Our command for a command of Keto that calls a running service.
fn of_keto(word: &str) -> Option<&'static [&'static str]> {
    match word {
        "check" => Some(&["permissions", "check"]),
        "expand" => Some(&["permissions", "expand"]),
        "relation-tuple" | "relation-tuples" => Some(&["permissions", "tuples"]),
        "status" => Some(&["permissions", "status"]),
        _ => None,
    }
}

/// Flags of features that do not exist here.
fn is_without_effect(text: &str) -> bool {
    text == "--sqa-opt-out" || text == "--sqa-opt-out=true"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(line: &str) -> (String, Option<Service>) {
        match rewrite(line.split(' ').map(OsString::from).collect()) {
            Rewritten::Arguments(arguments, called_as) => {
                let words: Vec<_> = arguments.iter().map(|it| it.to_string_lossy().into_owned()).collect();
                (words.join(" "), called_as)
            }
            Rewritten::Answer { text, .. } => (text.to_owned(), None),
        }
    }

    #[test]
    fn a_file_may_be_named_before_the_command() {
        assert_eq!(arguments("kleis -c kratos.yml migrate sql -e --yes").0, "kleis migrate sql -e --yes -c kratos.yml");
        assert_eq!(arguments("kleis --config=a.yml serve").0, "kleis serve --config=a.yml");
        assert_eq!(arguments("hydra migrate -c a.yml sql -e --yes").0, "hydra migrate sql -e --yes -c a.yml");
        assert_eq!(arguments("hydra migrate sql --config=a.yml up -e").0, "hydra migrate sql up -e --config=a.yml");
        assert_eq!(arguments("kleis migrate -c a.yml").0, "kleis migrate -c a.yml");
    }

    #[test]
    fn the_name_of_the_program_selects_the_service() {
        assert_eq!(arguments("/usr/bin/oathkeeper serve").1, Some(Service::GATEWAY));
        assert_eq!(arguments("kratos serve all").1, Some(Service::IDENTITY));
        assert_eq!(arguments("hydra serve all").1, Some(Service::OAUTH));
        assert_eq!(arguments("keto serve").1, Some(Service::PERMISSIONS));
        assert_eq!(arguments("kleis serve").1, None);
    }

    #[test]
    fn a_verb_before_its_noun_is_accepted() {
        assert_eq!(arguments("hydra create oauth2-client --name a").0, "hydra oauth client create --name a");
        assert_eq!(arguments("kratos list identities -e http://a").0, "kratos identity list -e http://a");
        assert_eq!(arguments("kleis identity list").0, "kleis identity list");
    }

    #[test]
    fn the_words_of_keto_are_commands_of_permissions() {
        for (line, ours) in [
            ("keto check ada view Doc:plan -d 3", "keto permissions check ada view Doc:plan -d 3"),
            ("keto expand view Doc:plan", "keto permissions expand view Doc:plan"),
            ("keto relation-tuple get --namespace Doc", "keto permissions tuples get --namespace Doc"),
            ("/usr/bin/keto status --block", "/usr/bin/keto permissions status --block"),
            ("keto -c keto.yml check ada view Doc:plan", "keto permissions check ada view Doc:plan"),
            ("keto serve", "keto serve"),
            ("keto version", "keto version"),
            // Only under that name.
            ("kleis check ada view Doc:plan", "kleis check ada view Doc:plan"),
        ] {
            assert_eq!(arguments(line).0, ours);
        }
        assert!(arguments("keto namespace validate keto.yml").0.starts_with("kleis doctor"));
    }

    #[test]
    fn a_command_that_is_not_needed_succeeds_with_a_message() {
        let line = "kleis janitor --keep-if-younger 24h postgres://host/name";
        let answer = rewrite(line.split(' ').map(OsString::from).collect());
        assert_eq!(answer, Rewritten::Answer { text: NOT_NEEDED, is_success: true });
    }
}
