use super::*;
use crate::domain::checked_model::CheckedModel;
use permission_language::SourceFile;

const MODEL: &str = r#"
const officeHours: Condition = "context.hour >= 8 && context.hour < tuple.until";
const beforeNoon: Condition = "now.getHours() < 12";
class User implements Namespace {}
class Group implements Namespace { related: { members: (User | SubjectSet<Group, "members">)[] } }
class Folder implements Namespace {
  related: { viewers: (User | SubjectSet<Group, "members">)[] }
  permits = { view: (ctx) => this.related.viewers.includes(ctx.subject) }
}
class Doc implements Namespace {
  related: {
    parents: Folder[]
    viewers: (User | SubjectSet<Group, "members"> | When<User, "officeHours">)[]
    blocked: User[]
  }
  permits = {
    view: (ctx) => (this.related.viewers.includes(ctx.subject) || this.related.parents.traverse((p) => p.permits.view(ctx)))
      && !this.related.blocked.includes(ctx.subject),
    read: (ctx) => this.related.viewers.includes(ctx.subject) && ctx.meets("beforeNoon"),
  }
}
"#;

fn findings(text: &str) -> Result<Vec<Finding>, Vec<String>> {
    let checked = CheckedModel::of(&[SourceFile { name: "model.ts", text: MODEL }]);
    let model = checked.model.expect("the model is valid");
    let file = TestFile::parse(&format!("model_files: [model.ts]\n{text}")).expect(text);
    run(&file, &model, &checked.conditions)
}

/// The example that users begin with.
#[test]
fn the_test_file_of_the_readme_passes_with_its_model() {
    let readme = include_str!("../../../README.md");
    let block = |kind: &str| {
        let (_, rest) = readme.split_once(&format!("```{kind}\n")).unwrap();
        rest.split_once("```").unwrap().0
    };
    let checked = CheckedModel::of(&[SourceFile { name: "model.ts", text: block("ts") }]);
    assert!(checked.model.is_some(), "{:?}", checked.problems);
    let file = TestFile::parse(block("yaml")).unwrap();
    let findings = run(&file, &checked.model.unwrap(), &checked.conditions).unwrap();
    assert!(findings.len() >= 4 && findings.iter().all(|it| it.actual.is_none()), "{findings:?}");
}

const TUPLES: &str = "
time: 2026-11-22T10:20:30Z
tuples:
  - Doc:plan#viewers@User:ada
  - Doc:plan#viewers@Group:staff#members
  - Group:staff#members@User:bob
  - Group:staff#members@Group:board#members
  - Group:board#members@User:eve
  - Doc:plan#blocked@User:eve
  - Doc:memo#parents@Folder:desk
  - Folder:desk#viewers@User:ada
  - tuple: Doc:memo#viewers@User:bob
    condition: {name: officeHours, context: {until: 18}}
  - {tuple: 'Doc:old#viewers@User:ada', expires_at: 2026-11-22T10:20:30Z}
";

#[test]
fn expected_answers_pass() {
    let found = findings(&format!(
        "{TUPLES}
tests:
  - name: viewers
    check:
      Doc:plan#view@User:ada: true
      Doc:plan#view@User:bob: true
      Doc:plan#view@User:eve: false
      Doc:memo#view@User:ada: true
      Doc:old#view@User:ada: false
      Doc:memo#view@User:bob: error
    list_objects:
      - {{namespace: Doc, relation: view, subject: User:ada, objects: [plan, memo]}}
    list_subjects:
      - {{object: Doc:plan, relation: view, subject_type: User, subjects: [bob, ada]}}
      - {{object: Doc:plan, relation: viewers, subject_type: Group#members, subjects: [staff, board]}}
      - {{object: Doc:plan, relation: viewers, subjects: []}}
  - name: at ten
    context: {{hour: 10}}
    check: {{'Doc:memo#view@User:bob': true, 'Doc:plan#read@User:ada': true}}
  - name: in the evening
    time: 2026-11-22T20:00:00Z
    context: {{hour: 20}}
    check: {{'Doc:memo#view@User:bob': false, 'Doc:plan#read@User:ada': false}}
  - name: earlier
    time: 2026-11-22T10:20:29Z
    check: {{'Doc:old#view@User:ada': true}}
  - name: with another tuple
    tuples: ['Doc:plan#blocked@User:ada']
    check: {{'Doc:plan#view@User:ada': false}}
"
    ))
    .unwrap();
    assert_eq!(found.len(), 16);
    assert!(found.iter().all(|it| it.actual.is_none()), "{found:#?}");
}

/// The only finding, as text.
fn failure(tests: &str) -> String {
    let found = findings(&format!("{TUPLES}\ntests:\n{tests}")).unwrap();
    let [Finding { question, expected, actual, path, .. }] = found.as_slice() else { panic!("{found:#?}") };
    let mut text = format!("{question} is {}, not {expected}", actual.as_deref().expect("a failure"));
    for line in path {
        text.push('\n');
        text.push_str(&"  ".repeat(usize::from(line.level)));
        text.push_str(&line.text);
    }
    text
}

#[test]
fn a_failure_shows_the_way_that_grants() {
    assert_eq!(
        failure("  - {name: a, check: {'Doc:plan#viewers@User:eve': false}}"),
        "Doc:plan#viewers@User:eve is allowed, not denied
the tuple Doc:plan#viewers@Group:staff#members
the tuple Group:staff#members@Group:board#members
the tuple Group:board#members@User:eve"
    );
    assert_eq!(
        failure("  - {name: a, check: {'Doc:memo#view@User:ada': false}}"),
        "Doc:memo#view@User:ada is allowed, not denied
Doc:memo#view is an expression of:
  the tuple Doc:memo#parents@Folder:desk, and so Folder:desk#view
  Folder:desk#view includes Folder:desk#viewers
  the tuple Folder:desk#viewers@User:ada
  not excluded from Doc:memo"
    );
}

#[test]
fn a_failure_shows_the_nearest_miss() {
    assert_eq!(
        failure("  - {name: a, check: {'Doc:plan#view@User:eve': true}}"),
        "Doc:plan#view@User:eve is denied, not allowed
Doc:plan#view is an expression of:
  excluded from Doc:plan, because of:
    the tuple Doc:plan#blocked@User:eve"
    );
    assert_eq!(
        failure("  - {name: a, check: {'Doc:memo#viewers@User:bob': true}}"),
        "Doc:memo#viewers@User:bob is an error: the condition officeHours has no result: context.hour is missing, not allowed
the tuple Doc:memo#viewers@User:bob
the condition officeHours has no result: context.hour is missing"
    );
    assert_eq!(
        failure("  - {name: a, check: {'Doc:old#viewers@User:ada': true}}"),
        "Doc:old#viewers@User:ada is denied, not allowed\nthe tuple Doc:old#viewers@User:ada\nthis tuple has expired"
    );
    assert_eq!(
        failure("  - {name: a, check: {'Doc:new#viewers@User:nobody': true}}"),
        "Doc:new#viewers@User:nobody is denied, not allowed\nno tuple leads from Doc:new#viewers to the subject"
    );
    assert_eq!(
        failure("  - {name: a, check: {'Doc:plan#wievers@User:ada': true}}"),
        "Doc:plan#wievers@User:ada is an error: the namespace Doc does not declare the relation wievers, not allowed
the namespace Doc does not declare the relation wievers"
    );
}

#[test]
fn each_difference_of_a_list_is_a_failure() {
    let tests = "
tests:
  - name: lists
    list_objects:
      - {namespace: Doc, relation: viewers, subject: User:ada, objects: [plan, memo]}
    list_subjects:
      - {object: Doc:plan, relation: viewers, subject_type: User, subjects: [ada, bob]}
      - {object: Doc:memo, relation: viewers, subject_type: User, subjects: []}
";
    let found = findings(&format!("{TUPLES}{tests}")).unwrap();
    let texts: Vec<String> =
        found.iter().map(|it| format!("{} / {}", it.expected, it.actual.as_deref().unwrap_or("yes"))).collect();
    assert_eq!(
        texts,
        [
            "memo in the list / not in it",
            "eve not in the list / in it",
            "a complete list / an incomplete list: the condition officeHours has no result: context.hour is missing",
        ]
    );
    assert_eq!(found[1].path.last().unwrap().text, "the tuple Group:board#members@User:eve");
}

#[test]
fn an_incomplete_list_can_be_expected() {
    let tests = "
tests:
  - name: lists
    list_objects:
      - {namespace: Doc, relation: viewers, subject: User:bob, objects: error}
      - {namespace: Doc, relation: view, subject: User:ada, objects: error}
    list_subjects:
      - {object: Doc:memo, relation: viewers, subject_type: User, subjects: error}
";
    let found = findings(&format!("{TUPLES}{tests}")).unwrap();
    let texts: Vec<String> =
        found.iter().map(|it| format!("{} / {}", it.expected, it.actual.as_deref().unwrap_or("yes"))).collect();
    assert_eq!(
        texts,
        ["an incomplete list / yes", "an incomplete list / a complete list: memo, plan", "an incomplete list / yes"]
    );
}

#[test]
fn limits_are_those_of_the_file() {
    let tests = "
limit: {max_read_depth: 1}
tests: [{name: a, check: {'Doc:plan#viewers@User:eve': true}}]
";
    let found = findings(&format!("{TUPLES}{tests}")).unwrap();
    assert!(found[0].actual.as_ref().is_some_and(|it| it.contains("depth limit")), "{found:?}");
}

#[test]
fn mistakes_of_the_file_are_faults() {
    let faults = |text: &str| findings(text).unwrap_err().join("\n");
    assert_eq!(
        faults("tuples: ['Doc:a#viewers@Usr:ada', 'Doc:a#view@User:ada', 'Doc:a']\ntests: []"),
        "tuples: Doc:a#viewers@Usr:ada: subject_set.namespace: there is no namespace \"Usr\" in the permission model
tuples: Doc:a#view@User:ada: relation: \"view\" of Doc is a permission, which follows from relations and cannot be written
tuples: \"Doc:a\" lacks a \"#\": write namespace:object#relation@subject"
    );
    assert_eq!(
        faults("tests: [{name: a, check: {'Doc:a#view@User:ada': true}}]"),
        "test \"a\": a condition reads the time: add the time of the test, time"
    );
    assert_eq!(
        faults("time: 2026-11-22T10:20:30Z\ntests: [{name: a, check: {'Dok:a#view@User:ada': true}}]"),
        "test \"a\": check: Dok:a#view@User:ada: namespace: there is no namespace \"Dok\" in the permission model"
    );
    assert_eq!(
        faults("time: 2026-11-22T10:20:30Z\ntests: [{name: a, context: [1]}]"),
        "test \"a\": context must be a JSON object"
    );
    let lists = "
time: 2026-11-22T10:20:30Z
tests:
  - name: a
    list_objects: [{namespace: Doc, relation: wievers, subject: User:ada, objects: []}]
    list_subjects:
      - {object: Doc:plan, relation: wiev, subject_type: User, subjects: []}
      - {object: Doc:plan, relation: view, subject_type: Group#member, subjects: []}
";
    assert_eq!(
        faults(lists),
        "test \"a\": list_objects Doc#wievers@User:ada: the namespace Doc does not declare the relation wievers
test \"a\": list_subjects Doc:plan#wiev@User: the namespace Doc does not declare the relation wiev
test \"a\": list_subjects Doc:plan#view@Group#member: the namespace Group does not declare the relation member"
    );
    let lists = "[{namespace: Dok, relation: a, subject: b, objects: []}]";
    assert!(
        faults(&format!("time: 2026-11-22T10:20:30Z\ntests: [{{name: a, list_objects: {lists}}}]")).contains("Dok")
    );
}

#[test]
fn a_file_that_cannot_be_read_says_where() {
    let error = |text: &str| TestFile::parse(text).unwrap_err().to_string();
    assert!(error("tests: []").contains("no model"));
    assert!(error("model: ''\nmodel_files: [a]\ntests: []").contains("exclude each other"));
    let unknown = error("model: ''\ntests:\n  - name: a\n    cheque: {}\n");
    assert!(unknown.contains("cheque") && unknown.contains("line 4"), "{unknown}");
    let answer = error("model: ''\ntests:\n  - name: a\n    check:\n      Doc:a#view@b: maybe\n");
    assert!(answer.contains("true, false or error"), "{answer}");
    let list = error(
        "model: ''\ntests:\n  - name: a\n    list_objects:\n      - {namespace: Doc, relation: a, subject: b, objects: none}\n",
    );
    assert!(list.contains("a list of names, or error") && list.contains("line 5"), "{list}");
    let twice =
        error("model: ''\ntests:\n  - name: a\n    check:\n      Doc:a#view@b: true\n      Doc:a#view@b: false\n");
    assert!(twice.contains("duplicate"), "{twice}");
    for (list, expected) in [
        ("[m]", "expected mapping start"),
        ("model: ''\nlimit: [1, 2]\ntests: []\n", "expected mapping start"),
        ("model: ''\ntests:\n  - [a]\n", "expected mapping start"),
        ("model: ''\ntests: []\ntuples:\n  - {tuple: 'Doc:a#b@c', condition: [late]}\n", "expected keys and values"),
    ] {
        let error = error(list);
        assert!(error.contains(expected), "{list}: {error}");
    }
}
