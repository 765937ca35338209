//! `kleis permissions check --explain`, `explain` and the lists, against a running server.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::program::{CommandOutput, Program, RunDirectory};

const CONFIG: &str = "
dsn: memory
namespaces: {location: 'file://./model.ts'}
serve:
  read: {host: 127.0.0.1}
  write: {host: 127.0.0.1}
  opl: {host: 127.0.0.1}
  metrics: {host: 127.0.0.1}
";
const MODEL: &str = "\
const late: Condition = \"context.hour >= tuple.from\";
class User implements Namespace {}
class Group implements Namespace { related: { members: (User | SubjectSet<Group, \"members\">)[] } }
class Doc implements Namespace {
  related: { viewers: (User | SubjectSet<Group, \"members\"> | When<User, \"late\">)[] }
  permits = { view: (ctx) => this.related.viewers.includes(ctx.subject) }
}
";
const TUPLES: &str = r#"[
  {"namespace": "Doc", "object": "plan", "relation": "viewers",
   "subject_set": {"namespace": "Group", "object": "staff", "relation": "members"}},
  {"namespace": "Group", "object": "staff", "relation": "members",
   "subject_set": {"namespace": "User", "object": "ada", "relation": ""}},
  {"namespace": "Doc", "object": "memo", "relation": "viewers", "subject_id": "eve"},
  {"namespace": "Doc", "object": "night", "relation": "viewers",
   "subject_set": {"namespace": "User", "object": "bob", "relation": ""},
   "condition": {"name": "late", "context": {"from": 18}}},
  {"namespace": "Doc", "object": "far", "relation": "viewers",
   "subject_set": {"namespace": "Group", "object": "outer", "relation": "members"}},
  {"namespace": "Group", "object": "outer", "relation": "members",
   "subject_set": {"namespace": "Group", "object": "inner", "relation": "members"}},
  {"namespace": "Group", "object": "inner", "relation": "members",
   "subject_set": {"namespace": "User", "object": "zoe", "relation": ""}}
]"#;

struct Service {
    directory: RunDirectory,
    program: Program,
}

impl Service {
    fn start() -> Self {
        let files = [
            ("keto.yml", CONFIG),
            ("model.ts", MODEL),
            ("tuples.json", TUPLES),
            ("evening.json", "{\"hour\": 20}"),
            ("broken.json", "{"),
        ];
        let directory = RunDirectory::new(&files);
        let program = directory.serve("keto serve -c keto.yml", &[]).unwrap_or_else(|output| panic!("{output:?}"));
        let service = Self { directory, program };
        let written = service.run("kleis permissions tuples create -f tuples.json");
        assert_eq!(written.code, Some(0), "{written:?}");
        let started = Instant::now();
        // Until the relation tuples are in memory.
        while service.run("kleis permissions list-objects eve viewers Doc").code != Some(0) {
            assert!(started.elapsed() < Duration::from_secs(30), "the relation tuples are not in memory");
        }
        service
    }

    fn run(&self, line: &str) -> CommandOutput {
        let (read, write) = (self.program.url("permissions/read"), self.program.url("permissions/write"));
        self.directory.run(line, &[("KLEIS_READ_REMOTE", &read), ("KLEIS_WRITE_REMOTE", &write)])
    }

    /// Runs a command line: its exit code and what it prints.
    #[track_caller]
    fn prints(&self, line: &str, code: i32, text: &str) -> CommandOutput {
        let output = self.run(line);
        assert_eq!((output.code, output.output.as_str()), (Some(code), text), "{line}: {output:?}");
        output
    }
}

#[test]
fn a_check_says_why() {
    let service = Service::start();
    let granted = "Allowed
  Doc:plan#view includes Doc:plan#viewers
  the tuple Doc:plan#viewers@Group:staff#members
  the tuple Group:staff#members@User:ada
";
    service.prints("kleis permissions check User:ada view Doc:plan --explain", 0, granted);
    service.prints("kleis permissions explain User:ada view Doc:plan", 0, granted);
    let denied = "Denied\n  no tuple leads from Doc:memo#viewers to the subject\n";
    service.prints("kleis permissions explain User:ada viewers Doc:memo", 0, denied);
    service.prints("kleis permissions check User:ada viewers Doc:memo", 0, "Denied\n");
    let document = service.run("kleis permissions explain User:ada viewers Doc:memo --format json").json();
    let step = json!({ "level": 0, "text": "no tuple leads from Doc:memo#viewers to the subject" });
    assert_eq!(document, json!({ "allowed": false, "explanation": { "nearest_miss": [step] } }));

    let unanswered = "No answer
  the tuple Doc:night#viewers@User:bob
  the condition late has no result: context.hour is missing
";
    let output = service.prints("kleis permissions explain User:bob viewers Doc:night", 1, unanswered);
    assert!(output.errors.contains("\"late\" has no result"), "{output:?}");
    let document = service.run("kleis permissions explain User:bob viewers Doc:night --format json");
    assert_eq!(document.code, Some(1));
    assert!(document.json()["error"].as_str().unwrap().contains("\"late\" has no result"), "{document:?}");
    for context in ["@evening.json", "{\"hour\":18}"] {
        let line = format!("kleis permissions check User:bob view Doc:night --context {context}");
        service.prints(&line, 0, "Allowed\n");
    }
    for (context, reason) in [
        ("@absent.json", "absent.json cannot be read"),
        ("@broken.json", "broken.json\n  because: this is not JSON"),
        ("[", "--context\n  because: this is not JSON"),
    ] {
        let output = service.run(&format!("kleis permissions check User:bob view Doc:night --context {context}"));
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.errors.contains(reason), "{output:?}");
    }
}

#[test]
fn lists_are_asked_of_the_service() {
    let service = Service::start();
    service.prints("kleis permissions list-objects User:ada view Doc", 0, "plan\n");
    service.prints("kleis permissions list-objects eve view Doc", 0, "memo\n");
    service.prints("kleis permissions list-subjects view Doc:plan --subject-type User", 0, "User:ada\n");
    let sets = "kleis permissions list-subjects view Doc:plan --subject-type Group#members";
    service.prints(sets, 0, "Group:staff#members\n");
    service.prints("kleis permissions list-subjects view Doc:memo", 0, "eve\n");
    service.prints("kleis permissions list-subjects view Doc:plan", 0, "User:ada\n");
    service.prints("kleis permissions list-subjects view Doc:plan --subject-type=", 0, "");
    service.prints("kleis permissions list-relations User:ada Doc:plan", 0, "view\nviewers\n");
    let nothing = service.prints("kleis permissions list-objects User:nobody view Doc", 0, "");
    assert_eq!(nothing.errors, "there are none\n");

    let document = service.run("kleis permissions list-subjects view Doc:memo --format json").json();
    assert_eq!(document, json!({ "subjects": [{ "subject_id": "eve" }] }));
    let document = service.run("kleis permissions list-objects User:nobody view Doc --format json").json();
    assert_eq!(document, json!({ "objects": [] }));

    let incomplete = service.prints("kleis permissions list-objects User:bob view Doc", 1, "");
    assert!(incomplete.errors.contains("not complete (unresolved): the condition \"late\""), "{incomplete:?}");
    let document = service.run("kleis permissions list-objects User:bob view Doc --format json");
    assert_eq!((document.code, &document.json()["objects"]), (Some(1), &json!([])), "{document:?}");
    assert!(document.json()["unresolved"].is_string(), "{document:?}");
    service.prints("kleis permissions list-objects User:bob view Doc --context @evening.json", 0, "night\n");
    service.prints("kleis permissions list-objects User:ada view Doc --max-depth 1", 0, "plan\n");
    let shallow = service.run("kleis permissions list-objects User:zoe view Doc --max-depth 1");
    assert_eq!(shallow.code, Some(1), "{shallow:?}");
    assert!(shallow.errors.contains("not complete (truncated)"), "{shallow:?}");

    for (line, reason) in [
        ("kleis permissions list-objects User:ada view Ship", "there is no namespace \"Ship\""),
        ("kleis permissions list-objects User:ada fly Doc", "relation \"fly\" does not exist"),
        ("kleis permissions list-subjects view plan", "write NAMESPACE:OBJECT"),
        ("kleis permissions list-subjects view Doc:plan --subject-type Group#friends", "subject_relation"),
    ] {
        let output = service.run(line);
        assert_eq!(output.code, Some(1), "{line}: {output:?}");
        assert!(output.errors.contains(reason), "{line}: {output:?}");
        let json = service.run(&format!("{line} --format json"));
        assert_eq!((json.code, json.output.as_str()), (Some(1), ""), "{line}: {json:?}");
    }
}

#[test]
fn an_expansion_says_what_it_does_not_follow_and_what_does_not_exist() {
    let service = Service::start();
    for (line, reason) in [
        (
            "kleis permissions expand viewers Dok:plan",
            "there is no namespace \"Dok\" in the permission model; did you mean \"Doc\"?",
        ),
        (
            "kleis permissions check User:ada view Dok:plan",
            "there is no namespace \"Dok\" in the permission model; did you mean \"Doc\"?",
        ),
        ("kleis permissions expand viewer Doc:plan", "relation \"viewer\" does not exist"),
        ("kleis permissions expand viewer Doc:plan -d 1", "relation \"viewer\" does not exist"),
    ] {
        for line in [line, &format!("{line} --format json")] {
            let output = service.prints(line, 1, "");
            assert!(output.errors.contains(reason), "{line}: {output:?}");
        }
    }
    let permit = service.prints("kleis permissions expand view Doc:plan", 0, "Doc:plan#view\n");
    assert!(permit.errors.contains("kleis permissions list-subjects"), "{permit:?}");
    let document = service.run("kleis permissions expand view Doc:plan --format json").json();
    assert!(document["truncated"].as_str().is_some_and(|it| it.contains("follows relations")), "{document}");
    let nobody = service.prints("kleis permissions expand viewers Doc:empty", 0, "Doc:empty#viewers\n");
    assert_eq!(nobody.errors, "");
}

#[test]
fn the_start_logs_a_broken_model_once_and_doctor_says_what_a_good_one_has() {
    let directory = RunDirectory::new(&[("keto.yml", CONFIG), ("model.ts", "class Doc implements Namespace {")]);
    let program = directory.serve("keto serve -c keto.yml", &[]).unwrap_or_else(|output| panic!("{output:?}"));
    let reason = "expected 'permits' or 'related', got";
    assert_eq!(program.log.matches(reason).count(), 1, "{}", program.log);
    drop(program);
    std::fs::write(directory.path("model.ts"), MODEL).unwrap();
    let rows = directory.run("kleis doctor permissions -c keto.yml --format json", &[]).json();
    let of_model = |row: &&Value| row["explanation"].as_str().is_some_and(|it| it.contains("the permission model of"));
    let row = rows.as_array().unwrap().iter().find(of_model).unwrap_or_else(|| panic!("{rows}"));
    assert_eq!(row["verdict"], "ok", "{row}");
    let explanation = row["explanation"].as_str().unwrap();
    assert!(explanation.contains("model.ts is valid; "), "{row}");
    assert!(explanation.ends_with("namespaces: 3, relations: 2, permits: 1"), "{row}");
}

/// More than a page.
#[test]
fn a_long_list_is_written_page_by_page() {
    let service = Service::start();
    let lines: Vec<String> = (0..2_500).map(|number| format!("Doc:d{number:04}#viewers@ada")).collect();
    std::fs::write(service.directory.path("many.txt"), lines.join("\n")).unwrap();
    let imported = service.run("kleis permissions tuples import many.txt");
    assert_eq!(imported.code, Some(0), "{imported:?}");
    let expected: Vec<String> = (0..2_500).map(|number| format!("d{number:04}")).collect();
    let listed = service.run("kleis permissions list-objects ada view Doc");
    assert_eq!(listed.code, Some(0), "{}", listed.errors);
    assert_eq!(listed.output, expected.join("\n") + "\n");
    let document = service.run("kleis permissions list-objects ada view Doc --format json").json();
    assert_eq!(document["objects"].as_array().unwrap().len(), 2_500);
}

#[test]
fn subject_ids_are_migrated() {
    let service = Service::start();
    let line = "kleis permissions migrate-subjects --map eve=User --map *=Group";
    service.prints(&format!("{line} --dry-run"), 0, "1 relation tuple would be migrated, 0 left, 7 read\n");
    service.prints("kleis permissions check eve viewers Doc:memo", 0, "Allowed\n");
    service.prints(line, 0, "1 relation tuple migrated, 0 left, 7 read\n");
    service.prints("kleis permissions check eve viewers Doc:memo", 0, "Denied\n");
    service.prints("kleis permissions check User:eve viewers Doc:memo", 0, "Allowed\n");
    let again = service.run(&format!("{line} --format json")).json();
    assert_eq!(again, json!({ "dry_run": false, "read": 7, "migrated": 0, "left": 0, "reasons": [] }));
    for (line, reason) in [
        ("kleis permissions migrate-subjects --map eve", "write \"eve\" as PATTERN=NAMESPACE"),
        ("kleis permissions migrate-subjects --map eve=", "write \"eve=\" as PATTERN=NAMESPACE"),
        ("kleis permissions migrate-subjects --map eve=Ship", "there is no namespace \"Ship\""),
    ] {
        let output = service.run(line);
        assert_eq!(output.code, Some(1), "{line}: {output:?}");
        assert!(output.errors.contains(reason), "{line}: {output:?}");
    }
}
