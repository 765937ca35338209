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
    /// The help of Keto's command line.
    KetoHelp,
}

const NOT_NEEDED: &str = "not needed: the server deletes expired rows itself, in small batches, while it runs";
const COURIER: &str = "not needed: the server sends mail itself";
const NAMESPACES: &str = "kleis doctor -c FILE loads the namespaces of a configuration, and kleis permissions lint checks files of the \
    permission language";

/// Translates the command line, including the program's name.
pub(super) fn rewrite(arguments: Vec<OsString>) -> Rewritten {
    let mut arguments = arguments.into_iter().peekable();
    let program = arguments.next().unwrap_or_else(|| "kleis".into());
    let name = Path::new(&program).file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    // `kleis keto serve` is `keto serve`.
    let called_as = replaced(&name).or_else(|| {
        let word = arguments.next_if(|word| replaced(&word.to_string_lossy()).is_some())?;
        replaced(&word.to_string_lossy())
    });
    // Options before the command move after it; `migrate -c FILE sql up` has them between its words.
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
    if called_as == Some(Service::PERMISSIONS) {
        return keto(program, leading, rest);
    }
    let words: Vec<String> = rest.iter().map(|it| it.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["janitor" | "cleanup", ..] => return Rewritten::Answer { text: NOT_NEEDED, is_success: true },
        ["courier", ..] => return Rewritten::Answer { text: COURIER, is_success: true },
        _ => {}
    }
    let mut ours = vec![program];
    if let [verb, noun, ..] = words.as_slice()
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

/// The service that replaces a program.
fn replaced(program: &str) -> Option<Service> {
    let replaces = |service: &Service| service.definition().replaced.as_ref().is_some_and(|it| it.program == program);
    Service::ALL.into_iter().find(replaces)
}

/// The command line of Keto without its name.
fn keto(program: OsString, leading: Vec<OsString>, mut rest: Vec<OsString>) -> Rewritten {
    let is_quiet = |it: &OsString| it == "-q" || it == "--quiet";
    let quiet = rest.iter().any(is_quiet);
    rest.retain(|it| !is_quiet(it));
    let is_help = |it: &OsString| it == "help" || it == "--help" || it == "-h";
    if rest.first().is_none_or(is_help) {
        // `help COMMAND` is the help of the command.
        if rest.len() < 2 {
            return Rewritten::KetoHelp;
        }
        rest.remove(0);
        rest.push("--help".into());
    }
    let word = rest[0].to_string_lossy().into_owned();
    if word == "namespace" {
        return Rewritten::Answer { text: NAMESPACES, is_success: false };
    }
    let mut ours = vec![program];
    let Some((_, path, has_tables)) = OF_KETO.iter().find(|(name, ..)| *name == word || format!("{name}s") == word)
    else {
        // The other commands have the same name here.
        ours.extend(rest);
        ours.extend(leading);
        return Rewritten::Arguments(ours, Some(Service::PERMISSIONS));
    };
    // These commands call a running service and read no configuration.
    ours.extend(path.iter().map(OsString::from));
    ours.extend(rest.into_iter().skip(1));
    if quiet && *has_tables {
        ours.push("--quiet".into());
    }
    Rewritten::Arguments(ours, Some(Service::PERMISSIONS))
}

/// Commands of Keto by their names, ours for them, and whether `--quiet` changes their output.
const OF_KETO: &[(&str, &[&str], bool)] = &[
    ("check", &["permissions", "check"], false),
    ("expand", &["permissions", "expand"], false),
    ("relation-tuple", &["permissions", "tuples"], true),
    ("status", &["permissions", "status"], false),
    ("completion", &["completions"], false),
];

/// Commands of Keto that have the same name here.
const ALIKE: &[&str] = &["serve", "migrate", "version"];

/// A help or an error about a command of ours with the words of Keto.
pub(super) fn in_words_of_keto(text: &str) -> String {
    let mut text = text.to_owned();
    for program in ["kleis", "keto"] {
        for (name, path, _) in OF_KETO {
            text = text.replace(&format!("{program} {}", path.join(" ")), &format!("keto {name}"));
        }
    }
    text
}

/// The command line of Keto, for its help and its completions.
pub(super) fn keto_command() -> clap::Command {
    let ours = super::command();
    let find = |path: &[&str]| {
        let found = path.iter().try_fold(&ours, |command, name| command.find_subcommand(name));
        found.cloned().unwrap_or_else(|| clap::Command::new("keto"))
    };
    let renamed = OF_KETO.iter().map(|(name, path, _)| find(path).name(*name));
    let alike = ALIKE.iter().map(|name| find(&[name]));
    let quiet = clap::Arg::new("quiet").short('q').long("quiet").action(clap::ArgAction::SetTrue);
    clap::Command::new("keto")
        .about("Keto's command line: each command is one of kleis")
        .disable_help_subcommand(true)
        .arg(quiet.global(true).help("Print only the texts of relation tuples"))
        .subcommands(renamed.chain(alike))
        .after_help(KETO_HELP)
}

const KETO_HELP: &str = "\
keto serve and keto migrate read $HOME/keto.yml unless -c names another file.

The other commands call a running service. KETO_READ_REMOTE and
KETO_WRITE_REMOTE name its APIs, and KETO_BEARER_TOKEN is the token, where
neither a flag nor KLEIS_READ_REMOTE, KLEIS_WRITE_REMOTE or KLEIS_TOKEN is set.

kleis permissions has more commands: lint, test, format, explain, list-objects,
list-subjects, list-relations and migrate-subjects.";

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
            Rewritten::KetoHelp => ("help".to_owned(), None),
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
        assert_eq!(arguments("kleis keto serve").1, Some(Service::PERMISSIONS));
        assert_eq!(arguments("kleis kratos serve"), ("kleis serve".to_owned(), Some(Service::IDENTITY)));
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
            ("kleis keto serve -c keto.yml", "kleis serve -c keto.yml"),
            ("kleis keto check ada view Doc:plan", "kleis permissions check ada view Doc:plan"),
            ("keto completion bash", "keto completions bash"),
            ("keto relation-tuple get -q", "keto permissions tuples get --quiet"),
            ("keto -q check ada view Doc:plan", "keto permissions check ada view Doc:plan"),
            ("keto --quiet status", "keto permissions status"),
            ("keto -q version", "keto version"),
            ("keto help check", "keto permissions check --help"),
            ("keto", "help"),
            ("keto --help", "help"),
            ("kleis keto help", "help"),
            ("keto version", "keto version"),
            // Only under that name.
            ("kleis check ada view Doc:plan", "kleis check ada view Doc:plan"),
        ] {
            assert_eq!(arguments(line).0, ours);
        }
        assert!(arguments("keto namespace validate keto.yml").0.starts_with("kleis doctor"));
    }

    #[test]
    fn a_refused_command_line_of_keto_is_explained_with_its_words() {
        for line in ["keto status --timeout 1s", "kleis keto status --timeout 1s"] {
            let error = crate::cli::parsed(&arguments(line).0.split(' ').map(OsString::from).collect::<Vec<_>>());
            let text = in_words_of_keto(&error.unwrap_err().render().to_string());
            assert!(text.contains("'--timeout'") && text.contains("Usage: keto status ["), "{text}");
        }
        let of_tuples = "Usage: keto permissions tuples get\nUsage: kleis permissions check\nkleis permissions lint";
        let expected = "Usage: keto relation-tuple get\nUsage: keto check\nkleis permissions lint";
        assert_eq!(in_words_of_keto(of_tuples), expected);
    }

    #[test]
    fn every_command_of_keto_is_one_of_ours() {
        let command = keto_command();
        let names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        assert_eq!(names, ["check", "expand", "relation-tuple", "status", "completion", "serve", "migrate", "version"]);
        command.debug_assert();
    }

    #[test]
    fn a_command_that_is_not_needed_succeeds_with_a_message() {
        let line = "kleis janitor --keep-if-younger 24h postgres://host/name";
        let answer = rewrite(line.split(' ').map(OsString::from).collect());
        assert_eq!(answer, Rewritten::Answer { text: NOT_NEEDED, is_success: true });
    }
}
