//! `kleis permissions tuples` and the words of Keto's command line, against a running server.

use serde_json::{Value, json};

use super::program::{CommandOutput, Program, RunDirectory};

const CONFIG: &str = "
dsn: memory
namespaces: [{name: Doc}, {name: Group}]
serve:
  read: {host: 127.0.0.1}
  write: {host: 127.0.0.1}
  opl: {host: 127.0.0.1}
  metrics: {host: 127.0.0.1}
";

struct Service {
    directory: RunDirectory,
    program: Program,
}

impl Service {
    fn start() -> Self {
        let directory = RunDirectory::new(&[("keto.yml", CONFIG)]);
        let program = directory.serve("keto serve -c keto.yml", &[]).unwrap_or_else(|output| panic!("{output:?}"));
        Self { directory, program }
    }

    fn run(&self, line: &str) -> CommandOutput {
        let (read, write) = (self.program.url("permissions/read"), self.program.url("permissions/write"));
        let host = |url: &str| url.strip_prefix("http://").unwrap().to_owned();
        self.directory.run(line, &[("KETO_READ_REMOTE", &host(&read)), ("KETO_WRITE_REMOTE", &host(&write))])
    }

    #[track_caller]
    fn good(&self, line: &str) -> CommandOutput {
        let output = self.run(line);
        assert_eq!(output.code, Some(0), "{line}: {output:?}");
        output
    }

    /// All tuples as text, sorted.
    fn tuples(&self) -> Vec<String> {
        let exported = self.good("kleis permissions tuples export").output;
        let mut tuples: Vec<String> = exported.lines().map(text_of).collect();
        tuples.sort_unstable();
        tuples
    }
}

fn text_of(line: &str) -> String {
    let tuple: Value = serde_json::from_str(line).unwrap();
    let text = |name: &str| tuple[name].as_str().unwrap().to_owned();
    format!("{}:{}#{}@{}", text("namespace"), text("object"), text("relation"), text("subject_id"))
}

#[test]
fn tuples_are_created_listed_and_deleted() {
    let service = Service::start();
    let created = service.good("kleis permissions tuples create ada viewers Doc:plan --format json");
    assert_eq!(
        created.json(),
        json!([{ "namespace": "Doc", "object": "plan", "relation": "viewers", "subject_id": "ada" }])
    );
    std::fs::write(
        service.directory.path("tuples.txt"),
        "// documents\nDoc:memo#viewers@bob\nDoc:memo#viewers@(Group:staff#members)\n",
    )
    .unwrap();
    service.good("keto relation-tuple create -f tuples.txt --insecure-disable-transport-security");
    let page = service.good("keto relation-tuple get --namespace Doc --object memo --format json").json();
    assert_eq!((page["relation_tuples"].as_array().unwrap().len(), &page["next_page_token"]), (2, &json!("")));
    let table = service.good("keto relation-tuple get --subject-set Group:staff#members").output;
    assert!(table.contains("Group:staff#members") && !table.contains("bob"), "{table}");
    let first = service.good("kleis permissions tuples get --page-size 1");
    assert!(first.errors.starts_with("next page: --page-token "), "{first:?}");
    service.good("kleis permissions tuples delete Group:staff#members viewers Doc:memo");
    assert_eq!(service.tuples(), ["Doc:memo#viewers@bob", "Doc:plan#viewers@ada"]);

    let listed = service.good("keto relation-tuple delete-all --namespace Doc --object memo");
    assert!(listed.output.contains("bob") && listed.errors.contains("nothing was deleted"), "{listed:?}");
    assert_eq!(service.tuples().len(), 2);
    let deleted = service.good("keto relation-tuple delete-all --namespace Doc --object memo --force");
    assert_eq!(deleted.output, "1 relation tuple deleted\n");
    assert_eq!(service.tuples(), ["Doc:plan#viewers@ada"]);
    let again = service.good("kleis permissions tuples delete-all --namespace Doc --object memo --force --format json");
    assert_eq!(again.json(), json!({ "deleted": 0 }));
    for (line, tuples) in [("create", 2), ("delete", 1)] {
        service.good(&format!("kleis permissions tuples {line} Doc:text#viewers@ada"));
        assert_eq!(service.tuples().len(), tuples, "{line}");
    }

    for (line, reason) in [
        ("kleis permissions tuples create ada viewers Dok:plan", "kleis: namespace: there is no namespace \"Dok\""),
        ("kleis permissions tuples create ada viewers plan", "\"plan\" lacks a \":\""),
        ("kleis permissions tuples create", "name files with --file"),
        ("kleis permissions tuples create User:q viewers", "\"User:q\" is neither a file nor a relation tuple"),
        ("kleis permissions tuples delete Doc:plan#viewers", "Doc:plan#viewers@User:ada"),
        ("kleis permissions tuples parse absent.txt", "\"absent.txt\" is neither a file nor a relation tuple"),
        ("kleis permissions tuples delete-all --object plan --force", "--namespace is required"),
        ("kleis permissions tuples get --subject-set Group", "write NAMESPACE:OBJECT#RELATION"),
        ("kleis permissions tuples get --page-token x", "page_token"),
        ("kleis permissions tuples get --read-remote http://127.0.0.1:1", "with --read-remote"),
    ] {
        let output = service.run(line);
        assert_eq!(output.code, Some(1), "{line}: {output:?}");
        assert!(output.errors.contains(reason), "{line}: {output:?}");
    }
    assert_eq!(service.good("keto status").output, "SERVING\n");
    assert_eq!(service.good("keto status --endpoint write --block").output, "SERVING\n");
    assert_eq!(service.run("keto status --read-remote 127.0.0.1:1").code, Some(1));
}

#[test]
fn a_check_and_an_expansion_are_asked_of_the_service() {
    let service = Service::start();
    service.good("keto relation-tuple create ada viewers Doc:plan");
    service.good("keto relation-tuple create Group:staff#members viewers Doc:plan");
    service.good("keto relation-tuple create bob members Group:staff");
    for (line, answer) in [
        ("keto check ada viewers Doc:plan", "Allowed\n"),
        ("keto check bob viewers Doc:plan --max-depth 3", "Allowed\n"),
        ("keto check bob viewers Doc plan", "Allowed\n"),
        ("keto check eve viewers Doc:plan", "Denied\n"),
        ("kleis permissions check Group:staff#members viewers Doc:plan", "Allowed\n"),
        ("kleis permissions check Group:ada viewers Doc:plan", "Denied\n"),
    ] {
        assert_eq!(service.good(line).output, answer, "{line}");
    }
    assert_eq!(service.good("keto check ada viewers Doc:plan --format json").json(), json!({ "allowed": true }));
    for line in [
        "keto check ada viewers Nope:a",
        "keto check Nope:ada viewers Doc:plan",
        "kleis permissions check ada viewers Nope:a --format json",
        "kleis permissions check ada viewers Nope:a --explain",
    ] {
        let refused = service.run(line);
        assert_eq!((refused.code, refused.output.as_str()), (Some(1), ""), "{line}: {refused:?}");
        assert!(refused.errors.contains("there is no namespace \"Nope\""), "{line}: {refused:?}");
    }
    let quiet = service.good("keto relation-tuple get -q --namespace Doc").output;
    assert_eq!(quiet, "Doc:plan#viewers@ada\nDoc:plan#viewers@Group:staff#members\n");
    assert_eq!(service.run("keto check ada viewers plan").code, Some(1));
    assert_eq!(service.run("keto check ada viewers Doc:plan --context [").code, Some(1));
    let whole = service.good("keto expand viewers Doc:plan");
    assert_eq!(whole.output, "Doc:plan#viewers (union)\n├── ada\n└── Group:staff#members (union)\n    └── bob\n");
    let cut = service.good("keto expand viewers Doc:plan -d 2");
    assert_eq!(cut.output, "Doc:plan#viewers (union)\n├── ada\n└── Group:staff#members\n");
    let reason =
        |errors: &str| errors.trim_end().strip_prefix("the tree is not complete (truncated): ").map(str::to_owned);
    assert_eq!((whole.errors.as_str(), reason(&cut.errors).is_some()), ("", true), "{cut:?}");
    let cut = service.good("kleis permissions expand viewers Doc:plan -d 2 --format json");
    assert_eq!(cut.json()["truncated"].as_str().map(str::to_owned), reason(&cut.errors), "{cut:?}");
    assert!(service.good("kleis permissions expand viewers Doc:plan --format json").json().get("truncated").is_none());
    let tree = service.good("kleis permissions expand viewers Doc:plan -d 1 --format json").json();
    assert_eq!((&tree["type"], &tree["tuple"]["subject_set"]["object"]), (&json!("leaf"), &json!("plan")));
}

#[test]
fn tuples_of_files_are_shown_without_a_server() {
    let directory =
        RunDirectory::new(&[("tuples.txt", "Doc:plan#viewers@Group:staff#members\n"), ("bad.txt", "Doc:plan")]);
    let parsed = directory.run("keto relation-tuple parse -f tuples.txt --format json", &[]);
    let set = json!({ "namespace": "Group", "object": "staff", "relation": "members" });
    let tuple = json!({ "namespace": "Doc", "object": "plan", "relation": "viewers", "subject_set": set });
    assert_eq!((parsed.code, parsed.json()), (Some(0), json!([tuple])));
    let bad = directory.run("kleis permissions tuples parse bad.txt", &[]);
    assert_eq!(bad.code, Some(1));
    assert!(bad.errors.contains("line 1") && bad.errors.contains("lacks a \"#\""), "{bad:?}");
}

#[test]
fn an_import_lists_what_is_refused_and_an_export_has_the_rest() {
    let service = Service::start();
    let mut lines: Vec<String> = (0..2_500).map(|number| format!("Doc:{number}#viewers@ada")).collect();
    lines.insert(700, "Dok:x#viewers@ada".into());
    lines.insert(1_900, "no tuple".into());
    std::fs::write(service.directory.path("all.txt"), lines.join("\n")).unwrap();
    let imported = service.run("kleis permissions tuples import all.txt");
    assert_eq!(imported.code, Some(1), "{imported:?}");
    assert!(imported.errors.contains("line 701: "), "{imported:?}");
    assert!(imported.errors.contains("line 1901: "), "{imported:?}");
    assert!(imported.errors.contains("2500 imported, 2 refused"), "{imported:?}");
    assert!(!service.directory.path("all.txt.import-progress").exists());
    assert_eq!(service.tuples().len(), 2_500);

    service.good("kleis permissions tuples export -o out.ndjson");
    assert!(!service.directory.path("out.ndjson.export-progress").exists());
    let exported = std::fs::read_to_string(service.directory.path("out.ndjson")).unwrap();
    assert_eq!(exported.lines().count(), 2_500);
    let again = service.run("kleis permissions tuples export -o out.ndjson");
    assert!(again.code == Some(1) && again.errors.contains("--restart"), "{again:?}");
    service.good("kleis permissions tuples export -o out.ndjson --restart --namespace Group");
    assert_eq!(std::fs::read_to_string(service.directory.path("out.ndjson")).unwrap(), "");
}

/// An interrupted run leaves its place behind: here it is written as such a run does.
#[test]
fn interrupted_runs_continue() {
    let service = Service::start();
    let lines: Vec<String> = (0..1_200).map(|number| format!("Doc:{number:04}#viewers@ada")).collect();
    let lines = lines.join("\n") + "\n";
    std::fs::write(service.directory.path("all.txt"), &lines).unwrap();
    let stopped = service
        .directory
        .run("kleis permissions tuples import all.txt --retries 1 --write-remote http://127.0.0.1:1", &[]);
    assert_eq!(stopped.code, Some(1), "{stopped:?}");
    assert!(stopped.errors.contains("run the command again to continue"), "{stopped:?}");

    let bytes = lines.lines().take(1_000).map(|line| line.len() + 1).sum::<usize>();
    let digest = digest_of(&lines.as_bytes()[..bytes]);
    let place = |endpoint: &str, digest: &str| {
        let state = json!({
            "endpoint": endpoint, "digest": digest, "bytes": bytes, "lines": 1_000, "imported": 1_000, "refused": 0
        });
        std::fs::write(service.directory.path("all.txt.import-progress"), state.to_string()).unwrap();
    };
    let endpoint_of = |listener: &str| service.program.url(listener) + "/";
    let endpoint = endpoint_of("permissions/write");
    place(&endpoint, &digest);
    let continued = service.good("kleis permissions tuples import all.txt");
    assert!(continued.errors.starts_with("continuing after line 1000\n1200 imported, 0 refused"), "{continued:?}");
    assert_eq!(service.tuples().len(), 200, "the first thousand were not sent again");

    // The place of another file, or for another service, is not that of this one.
    for (endpoint, digest) in [(endpoint.as_str(), "0"), ("http://127.0.0.1:1/", &digest)] {
        service.good("kleis permissions tuples delete-all --namespace Doc --force");
        place(endpoint, digest);
        service.good("kleis permissions tuples import all.txt");
        assert_eq!(service.tuples().len(), 1_200, "{endpoint} {digest}");
    }

    let page = service.good("kleis permissions tuples get --page-size 500 --format json").json();
    let first: Vec<String> = page["relation_tuples"].as_array().unwrap().iter().map(Value::to_string).collect();
    let first = first.join("\n") + "\n";
    let state = json!({
        "endpoint": endpoint_of("permissions/read"), "query": [], "bytes": first.len(), "exported": 500,
        "page_token": page["next_page_token"],
    });
    std::fs::write(service.directory.path("out.ndjson.export-progress"), state.to_string()).unwrap();
    // The page that was being written is cut off.
    std::fs::write(service.directory.path("out.ndjson"), format!("{first}{{\"namesp")).unwrap();
    let continued = service.good("kleis permissions tuples export --output out.ndjson");
    assert!(continued.errors.starts_with("continuing after 500 relation tuples\n1200 exported"), "{continued:?}");
    let exported = std::fs::read_to_string(service.directory.path("out.ndjson")).unwrap();
    let mut objects: Vec<String> = exported.lines().map(text_of).collect();
    objects.dedup();
    assert_eq!(objects.len(), 1_200);
}

/// The digest that an import keeps of what it has read of its file.
fn digest_of(bytes: &[u8]) -> String {
    use base64::Engine as _;
    use sha2::Digest as _;
    base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(bytes))
}
