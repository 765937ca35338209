//! `kleis permissions` on files: what is printed, and the exit code.

use serde_json::{Value, json};

use super::program::RunDirectory;

const MODEL: &str = "\
class User implements Namespace {}
class Doc implements Namespace {
  related: {
    viewers: User[]
    owners: User[]
    banned: User[]
  }

  permits = {
    // Owners see it as well.
    view: (ctx: Context): boolean =>
      this.related.viewers.includes(ctx.subject) || this.related.owners.includes(ctx.subject),
  }
}
";
const MIXED: &str = "\
class User implements Namespace {}
class Doc implements Namespace {
  related: { viewers: User[], owners: User[], banned: User[] }
  permits = { view: (ctx) => this.related.viewers.includes(ctx.subject) || this.related.owners.includes(ctx.subject) && !this.related.banned.includes(ctx.subject) }
}
";
const WRONG: &str = "class Doc implements Namespace { related: { owners: Usr[] } }\n";
const TESTS: &str = "\
model_files: [models]
tuples: ['Doc:plan#owners@User:ada']
tests:
  - name: owners
    check: {'Doc:plan#view@User:ada': true, 'Doc:plan#view@User:bob': true}
    list_objects:
      - {namespace: Doc, relation: view, subject: User:ada, objects: [plan]}
";

fn directory(files: &[(&str, &str)]) -> RunDirectory {
    let directory = RunDirectory::new(&[]);
    std::fs::create_dir(directory.path("models")).unwrap();
    for (name, text) in files {
        std::fs::write(directory.path(name), text).unwrap();
    }
    directory
}

#[test]
fn lint_reports_errors_and_warnings() {
    let both = MODEL.replace("view:", "owners:");
    let directory =
        directory(&[("models/model.ts", MODEL), ("mixed.ts", MIXED), ("both.ts", &both), ("wrong.ts", WRONG)]);
    let good = directory.run("kleis permissions lint models", &[]);
    assert_eq!((good.code, good.output.as_str()), (Some(0), ""), "{good:?}");
    assert_eq!(good.errors, "1 file: 0 errors, 0 warnings\n");

    let mixed = directory.run("kleis permissions lint mixed.ts", &[]);
    assert_eq!(mixed.code, Some(0), "{mixed:?}");
    assert!(mixed.output.starts_with("mixed.ts:4:"), "{mixed:?}");
    assert_eq!(directory.run("kleis permissions lint --deny-warnings mixed.ts", &[]).code, Some(1));
    let both = directory.run("kleis permissions lint both.ts", &[]);
    assert_eq!((both.code, both.errors.as_str()), (Some(0), "1 file: 0 errors, 1 warning\n"), "it loads: {both:?}");

    let wrong = directory.run("kleis permissions lint --format json wrong.ts", &[]);
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    let problems: Value = serde_json::from_str(&wrong.output).unwrap();
    let expected = json!({
        "file": "wrong.ts", "line": 1, "column": 53, "end_line": 1, "end_column": 56, "severity": "error",
        "message": "namespace \"Usr\" was not declared",
        "help": "correct the name, or declare the class \"Usr\", if need be without relations",
    });
    assert_eq!(problems, json!([expected]));
    assert_eq!(directory.run("kleis permissions lint absent.ts", &[]).code, Some(1));

    std::fs::write(directory.path("cut.ts"), "class Doc implements Namespace {\n  related: {\n    a: Doc[]\n").unwrap();
    let cut = directory.run("kleis permissions lint cut.ts", &[]);
    let help = "\nhelp: the file ends here, and the \"{\" in line 2 is not closed; the form is: related: ";
    assert!(cut.code == Some(1) && cut.output.contains(help), "{cut:?}");
}

#[test]
fn lint_refuses_a_model_without_namespaces_as_the_service_does() {
    let texts = [("empty.ts", ""), ("comment.ts", "// later\n"), ("condition.ts", "const a: Condition = \"true\";\n")];
    let directory = directory(&texts);
    for (name, _) in texts {
        let refused = directory.run(&format!("kleis permissions lint {name}"), &[]);
        assert_eq!(refused.code, Some(1), "{name}: {refused:?}");
        assert!(refused.output.contains("the model declares no namespace"), "{name}: {refused:?}");
        assert!(refused.errors.starts_with("1 file: 1 error, "), "{name}: {refused:?}");
    }
}

#[test]
fn a_folder_is_read_without_the_packages_and_the_declarations_of_typescript() {
    let directory = directory(&[("models/model.ts", MODEL), ("models/types.d.ts", "declare const a: number;\n")]);
    std::fs::create_dir_all(directory.path("models/node_modules/a")).unwrap();
    std::fs::write(directory.path("models/node_modules/a/index.ts"), "export class {").unwrap();
    let linted = directory.run("kleis permissions lint models", &[]);
    assert_eq!((linted.code, linted.errors.as_str()), (Some(0), "1 file: 0 errors, 0 warnings\n"), "{linted:?}");
}

#[test]
fn a_test_file_that_is_not_yaml_is_named_in_its_error() {
    let directory = directory(&[("model.test.yml", "tests: [\n")]);
    let invalid = directory.run("kleis permissions test model.test.yml", &[]);
    assert_eq!(invalid.code, Some(1), "{invalid:?}");
    assert!(invalid.output.contains("model.test.yml:") && !invalid.output.contains("<input>"), "{invalid:?}");
}

#[test]
fn format_writes_the_layout_and_checks_it() {
    let canonical = permission_language::format(MODEL).unwrap();
    let files = [("models/model.ts", canonical.as_str()), ("models/mixed.ts", MIXED), ("wrong.ts", "class {")];
    let directory = directory(&files);
    let check = directory.run("kleis permissions format --check models", &[]);
    assert_eq!((check.code, check.output.as_str()), (Some(1), "models/mixed.ts\n"), "{check:?}");
    let refused = directory.run("kleis permissions format models wrong.ts", &[]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let text = |name: &str| std::fs::read_to_string(directory.path(name)).unwrap();
    assert_eq!(text("models/mixed.ts"), MIXED, "nothing is written when a file has an error");
    let written = directory.run("kleis permissions format models", &[]);
    assert_eq!((written.code, written.errors.as_str()), (Some(0), "formatted models/mixed.ts\n"), "{written:?}");
    assert_eq!(text("models/model.ts"), canonical);
    assert_eq!(directory.run("kleis permissions format --check models", &[]).code, Some(0));
}

#[test]
fn test_shows_each_failure_with_its_way() {
    let directory = directory(&[("models/model.ts", MODEL), ("tests.yml", TESTS)]);
    let tested = directory.run("kleis permissions test tests.yml", &[]);
    assert_eq!(tested.code, Some(1), "{tested:?}");
    assert_eq!(
        tested.output,
        "tests.yml: owners: Doc:plan#view@User:bob: expected allowed, is denied
    no tuple leads from Doc:plan#view to the subject\n"
    );
    assert_eq!(tested.errors, "2 passed, 1 failed\n");

    let document = directory.run("kleis permissions test --format json tests.yml", &[]);
    let document: Value = serde_json::from_str(&document.output).unwrap();
    assert_eq!((&document["passed"], &document["failed"]), (&json!(2), &json!(1)));
    let results = document["files"][0]["results"].as_array().unwrap();
    assert_eq!(results.iter().map(|it| &it["passed"]).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(results[1]["path"][0]["level"], 0);

    std::fs::write(directory.path("tests.yml"), TESTS.replace("User:bob': true", "User:bob': false")).unwrap();
    assert_eq!(directory.run("kleis permissions test tests.yml", &[]).code, Some(0));
    for (text, fault) in [
        (TESTS.replace("Doc:plan#owners", "Dok:plan#owners"), "there is no namespace \"Dok\""),
        (TESTS.replace("model_files", "modle_files"), "modle_files"),
        ("model: 'class {'\ntests: []".to_owned(), "error"),
        ("model: 'class A implements Namespace {}'\ntests: []".to_owned(), "no question"),
    ] {
        std::fs::write(directory.path("tests.yml"), text).unwrap();
        let invalid = directory.run("kleis permissions test tests.yml", &[]);
        assert_eq!(invalid.code, Some(1), "{invalid:?}");
        assert!(invalid.output.contains(fault), "{invalid:?}");
    }
}
