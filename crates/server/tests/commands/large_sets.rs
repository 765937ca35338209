//! Sets of very many subjects, filled by an import: a question about one is answered from a bounded part of it.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::program::{Program, RunDirectory};

/// More than a page, an expansion and a search have, by far.
const SUBJECTS: usize = 40_000;
/// More than `limit.max_read_width`.
const SETS: usize = 2_000;

/// The time limit of an answer of a build without optimizations, on a busy machine.
const AT_MOST: Duration = Duration::from_secs(5);
/// What the process may have more than before the import: the tuples in memory, the cache of the database, and the batches.
const GROWTH_BYTES: u64 = 96 * 1024 * 1024;

const CONFIG: &str = "
dsn: memory
namespaces: {location: 'file://model.ts'}
serve:
  read: {host: 127.0.0.1}
  write: {host: 127.0.0.1}
  opl: {host: 127.0.0.1}
  metrics: {host: 127.0.0.1}
";

const MODEL: &str = "
class User implements Namespace {}
class Group implements Namespace { related: { members: User[] } }
class Doc implements Namespace {
    related: { viewers: (User | SubjectSet<Group, 'members'>)[] }
    permits = { view: (ctx) => this.related.viewers.includes(ctx.subject) }
}
";

/// The status and the body of an answer in time.
fn ask(program: &Program, path: &str) -> (u16, Value) {
    let started = Instant::now();
    let (status, answer) = program.get("permissions/read", path);
    assert!(started.elapsed() < AT_MOST, "{path}: after {:?}", started.elapsed());
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    (status, serde_json::from_str(body).unwrap())
}

fn check(program: &Program, object: &str, user: &str) -> (u16, Value) {
    let user = format!("subject_set.namespace=User&subject_set.object={user}&subject_set.relation=");
    ask(program, &format!("/relation-tuples/check?namespace=Doc&object={object}&relation=view&{user}"))
}

#[test]
fn a_question_about_very_many_subjects_is_bounded_work() {
    let directory = RunDirectory::new(&[("keto.yml", CONFIG), ("model.ts", MODEL)]);
    let config = CONFIG.replace("file://model.ts", &format!("file://{}", directory.path("model.ts").display()));
    std::fs::write(directory.path("keto.yml"), config).unwrap();
    let program = directory.serve("keto serve -c keto.yml", &[]).unwrap_or_else(|output| panic!("{output:?}"));
    let mut lines = String::new();
    for number in 0..SUBJECTS {
        let _ = writeln!(lines, "Doc:large#viewers@User:{number:06}");
    }
    for number in 0..SETS {
        let _ = writeln!(lines, "Doc:wide#viewers@Group:{number:06}#members");
    }
    std::fs::write(directory.path("tuples.txt"), lines).unwrap();
    let before = program.resident_bytes();
    let (read, write) = (program.url("permissions/read"), program.url("permissions/write"));
    let import = format!("kleis permissions tuples import tuples.txt --read-remote {read} --write-remote {write}");
    let imported = directory.run(&import, &[]);
    assert_eq!(imported.code, Some(0), "{imported:?}");

    assert_eq!(check(&program, "large", &format!("{:06}", SUBJECTS - 1)).0, 200);
    assert_eq!(check(&program, "large", "nobody").0, 403);
    // All sets of an object would have to be followed.
    let (status, error) = check(&program, "wide", "nobody");
    assert_eq!((status, &error["error"]["details"]["limitation"]), (422, &Value::from("max_width_exceeded")));
    let (status, tree) = ask(&program, "/relation-tuples/expand?namespace=Doc&object=large&relation=viewers");
    assert_eq!(status, 200);
    // `limit.max_expand_size` is 4 000.
    let children = tree["children"].as_array().map_or(0, Vec::len);
    assert!((3_999..=4_000).contains(&children), "{children} children");
    let (status, page) = ask(&program, "/relation-tuples?namespace=Doc&object=large&page_size=100000");
    assert_eq!((status, page["relation_tuples"].as_array().map(Vec::len)), (200, Some(500)));
    let after = program.resident_bytes();
    assert!(after < before + GROWTH_BYTES, "{before} bytes before, {after} after");
}
