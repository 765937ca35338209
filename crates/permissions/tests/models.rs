//! Runs every test file below `tests/models` as `kleis permissions test` does, and puts `lint` and `format` to the test with their
//! models.
//!
//! The folder itself has models that others published. `openfga` has the cases of that project's own tests; its
//! `not-expressed.md` says which of them the language cannot express. `other-engines` has the questions that other engines answered
//! wrongly.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a step that fails, fails the test")]

use std::fmt::Write as _;
use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use permission_language::{Kind, Model, Problem, SourceFile, format, parse, to_text};
use permissions::domain::checked_model::CheckedModel;
use permissions::domain::model_test::{Finding, TestFile, run};

/// Models with a warning that belongs to what they show: a namespace of subjects who have everything as everybody, or that has no
/// relations any more; one of the older format; a condition that was replaced.
const WITH_WARNINGS: [&str; 8] = [
    "openfga/condition-replaced.yaml",
    "openfga/everyone-and-a-group.yaml",
    "openfga/everyone-in-a-group-alone.yaml",
    "openfga/everyone-in-an-owner-alone.yaml",
    "openfga/everyone-may-view.yaml",
    "openfga/removed-type.yaml",
    "openfga/stale-types.yaml",
    "videos.yaml",
];

/// A file and the text of its model.
struct Case {
    /// Relative to the folder of the models.
    name: String,
    file: TestFile,
    model: String,
}

impl Case {
    fn source(&self) -> [SourceFile<'_>; 1] {
        [SourceFile { name: &self.name, text: &self.model }]
    }
}

/// All files, in the order of their names. Every folder has one.
fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models");
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    paths.sort();
    paths.iter().map(|path| case(&root, path)).collect()
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    let before = into.len();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|it| it == "yaml") {
            into.push(path);
        }
    }
    assert!(into.len() > before, "{} has no test file", folder.display());
}

fn case(root: &Path, path: &Path) -> Case {
    let name = path.strip_prefix(root).unwrap().display().to_string();
    let file = TestFile::parse(&fs::read_to_string(path).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"));
    let model = file.model.clone().unwrap_or_else(|| panic!("{name}: write the model into the file"));
    Case { name, file, model }
}

/// What `of_case` returns for each case, computed by all processors.
fn for_each<T: Send>(cases: &[Case], of_case: impl Fn(&Case) -> T + Sync) -> Vec<T> {
    let (left, done) = (Mutex::new(cases.iter()), Mutex::new(Vec::new()));
    // The lock is not held while a case runs.
    let next = || left.lock().unwrap().next();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(|| {
                while let Some(case) = next() {
                    let result = of_case(case);
                    done.lock().unwrap().push(result);
                }
            });
        }
    });
    done.into_inner().unwrap()
}

fn findings(case: &Case) -> Result<Vec<Finding>, String> {
    let checked = CheckedModel::of(&case.source());
    let Some(model) = checked.model else { return Err(rendered(case, &checked.problems)) };
    run(&case.file, &model, &checked.conditions).map_err(|faults| format!("{}: {}\n", case.name, faults.join("\n")))
}

fn rendered(case: &Case, problems: &[Problem]) -> String {
    problems.iter().map(|it| it.render(&case.source())).collect()
}

/// As the command shows them: each with the way that grants, or with the nearest miss.
fn failures(case: &Case, findings: &[Finding]) -> String {
    let mut text = String::new();
    for Finding { test, question, expected, actual, path } in findings {
        let Some(actual) = actual else { continue };
        writeln!(text, "{}: {test}: {question}: expected {expected}, is {actual}", case.name).unwrap();
        for line in path {
            writeln!(text, "{}{}", "  ".repeat(usize::from(line.level) + 2), line.text).unwrap();
        }
    }
    text
}

#[test]
fn every_answer_is_the_expected_one() {
    let mut failures = for_each(&cases(), |case| match findings(case) {
        Ok(findings) => failures(case, &findings),
        Err(fault) => fault,
    });
    failures.sort_unstable();
    let failures = failures.concat();
    assert!(failures.is_empty(), "\n{failures}");
}

#[test]
fn a_published_model_has_ten_answers_and_a_denial() {
    for case in cases().iter().filter(|it| !it.name.contains(std::path::MAIN_SEPARATOR)) {
        let findings = findings(case).unwrap();
        assert!(findings.len() >= 10, "{}: {} answers", case.name, findings.len());
        assert!(findings.iter().any(|it| it.expected == "denied"), "{} denies nothing", case.name);
    }
}

fn model_of(name: &str, text: &str) -> Model {
    let outcome = parse(&[SourceFile { name, text }]);
    outcome.model.unwrap_or_else(|| panic!("{name}: {:?}", outcome.problems))
}

#[test]
fn format_and_to_text_keep_the_meaning() {
    for case in cases() {
        let model = model_of(&case.name, &case.model);
        let on_one_line = case.model.split_whitespace().collect::<Vec<_>>().join(" ");
        let formatted = format(&on_one_line).unwrap_or_else(|problems| panic!("{}: {problems:?}", case.name));
        assert_eq!(model_of(&case.name, &formatted), model, "{}: formatted:\n{formatted}", case.name);
        assert_eq!(format(&formatted).unwrap(), formatted, "{} changes when it is formatted again", case.name);
        assert_eq!(format(&case.model).unwrap(), case.model, "{} is not formatted", case.name);
        let printed = to_text(&model).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        assert_eq!(model_of(&case.name, &printed), model, "{}: printed:\n{printed}", case.name);
    }
}

#[test]
fn only_some_models_have_a_warning_and_they_are_known() {
    let all = cases();
    let with_warnings = all.iter().filter(|case| {
        let problems = parse(&case.source()).problems;
        let expected = [Kind::UnusedNamespace, Kind::UnusedCondition];
        assert!(problems.iter().all(|it| expected.contains(&it.kind)), "{}", rendered(case, &problems));
        !problems.is_empty()
    });
    let names: Vec<&str> = with_warnings.map(|case| case.name.as_str()).collect();
    assert_eq!(names, WITH_WARNINGS);
}
