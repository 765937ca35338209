//! Measures the resident graph: bytes per tuple, loading, checks and reverse questions. It fails when two threads do not reach
//! [`BUDGET`].
//!
//! `cargo bench -p permissions --features testing --bench graph -- [--tuples 1000000] [--database kleis.db]`. A folder tree with
//! documents, groups in groups, and users: the names are as long as those of real deployments (UUIDs for documents, addresses for
//! users). With `--database` it only reads the relation tuples of that SQLite file and fills a graph with them, and measures both.

#![expect(clippy::cast_precision_loss, reason = "rates and shares are printed with a few digits")]

use std::hint::black_box;
use std::task::Poll;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail, ensure};
use base::{PageRequest, TenantId, Timestamp};
use database::{Database, Dsn};
use permission_language::{Expression, Model, Namespace, Permit, Relation};
use permissions::domain::evaluation::reverse::{ObjectsQuestion, Part};
use permissions::domain::evaluation::{Evaluator, EvaluatorParts, Limits, NoConditions, Scratch};
use permissions::domain::graph::Graph;
use permissions::domain::ids::Userset;
use permissions::domain::relation_tuple::{RelationTuple, StoredTuple, Subject, SubjectSet};
use permissions::domain::schema::Schema;
use permissions::domain::tuple_query::TupleQuery;
use permissions::storage::relation_tuples;
use permissions::testing::generator::Dice;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
const MEASURED: Duration = Duration::from_secs(2);
/// Checks per second on two cores: direct ones, and those at depth 3.
const BUDGET: f64 = 1_000_000.0;

fn main() -> anyhow::Result<()> {
    let mut tuples = 1_000_000;
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        match &*name {
            "--tuples" => tuples = arguments.next().context("--tuples needs a number")?.parse()?,
            "--database" => return from_table(&arguments.next().context("--database needs a path")?),
            "--bench" => {}
            _ => bail!("{name} is not --tuples or --database"),
        }
    }
    let before = resident_bytes()?;
    let mut graph = Graph::default();
    let world = World::load(&mut graph, tuples)?;
    let resident = resident_bytes()?.saturating_sub(before);
    let len = graph.len();
    println!("{len} tuples, {} names, {:?} usersets and subjects", graph.names().len(), graph.key_counts());
    println!("loaded in {:.2} s, making the names included", world.loading.as_secs_f64());
    println!("{:.1} bytes per tuple, {:.1} by the resident set", per(graph.heap_bytes(), len), per(resident, len));
    let schema = Schema::compile(&model(), graph.symbols_mut(), false)?;
    checks(&graph, &schema, &world)?;
    listings(&graph, &schema, &world);
    Ok(())
}

/// Reads all pages of a table, and then fills a graph, as the service does at its start.
#[tokio::main(flavor = "current_thread")]
async fn from_table(path: &str) -> anyhow::Result<()> {
    const PAGE: u32 = 2_000;
    let database = Database::open(&Dsn::sqlite(path)).await?;
    let (mut reading, mut filling) = (Duration::ZERO, Duration::ZERO);
    let mut graph = Graph::default();
    let mut page = PageRequest { size: PAGE, after: None };
    loop {
        let start = Instant::now();
        let mut tx = database.read(TenantId::DEFAULT);
        let found = relation_tuples::list(&mut tx, &TupleQuery::default(), &page, NOW).await?;
        reading += start.elapsed();
        let start = Instant::now();
        for stored in &found.items {
            graph.insert(stored)?;
        }
        filling += start.elapsed();
        let Some(after) = found.next else { break };
        page.after = Some(after);
    }
    let each = |time: Duration| time.as_secs_f64() * 1e9 / graph.len() as f64;
    println!("{} tuples: {:.0} ns to read one, {:.0} ns to insert it", graph.len(), each(reading), each(filling));
    Ok(())
}

fn per(bytes: usize, tuples: usize) -> f64 {
    bytes as f64 / tuples as f64
}

/// `Doc.view`: owners, viewers, and who may view the folder. `Folder.view`: viewers, and who may view the parent.
fn model() -> Model {
    let relation = |name: &str| Relation { name: name.into(), types: Vec::new() };
    let has = |name: &str| Expression::Has(name.into());
    let up = Expression::Traverse { relation: "parent".into(), target: "view".into() };
    let view = |members: Vec<Expression>| Permit { name: "view".into(), expression: Expression::Any(members) };
    let names = |names: &[&str]| names.iter().map(|name| relation(name)).collect();
    let namespace = |name: &str, relations, permits| Namespace { name: name.into(), relations, permits };
    Model {
        namespaces: vec![
            namespace("User", Vec::new(), Vec::new()),
            namespace("Group", names(&["member"]), Vec::new()),
            namespace("Folder", names(&["viewer", "parent"]), vec![view(vec![has("viewer"), up.clone()])]),
            namespace("Doc", names(&["owner", "viewer", "parent"]), vec![view(vec![has("owner"), has("viewer"), up])]),
        ],
        conditions: Vec::new(),
    }
}

/// Views 10 000 documents, all in one folder.
const BIG_USER: &str = "user-big@example.com";

struct World {
    documents: usize,
    users: usize,
    loading: Duration,
}

impl World {
    /// Of 10 tuples, 4 are documents' owners and parents, 4 viewers of documents, 1 membership of a group, and 1 of folders.
    fn load(graph: &mut Graph, tuples: usize) -> anyhow::Result<Self> {
        let begin = Instant::now();
        let world = Self { documents: tuples / 5, users: (tuples / 20).max(10), loading: Duration::ZERO };
        let mut dice = Dice::new(1);
        let folders = (tuples / 25).max(10);
        let groups = (tuples / 200).max(10);
        for index in 0..folders {
            let parent = set("Folder", folder(index / 8), "");
            add(graph, "Folder", folder(index), "parent", parent)?;
            let viewer = set("Group", group(dice.below(groups)), "member");
            add(graph, "Folder", folder(index), "viewer", viewer)?;
        }
        for _ in 0..tuples / 10 {
            let member = set("User", user(dice.below(world.users)), "");
            add(graph, "Group", group(dice.below(groups)), "member", member)?;
        }
        for index in 0..world.documents {
            add(graph, "Doc", document(index), "owner", set("User", user(index % world.users), ""))?;
            add(graph, "Doc", document(index), "parent", set("Folder", folder(index % folders), ""))?;
            for _ in 0..2 {
                add(graph, "Doc", document(index), "viewer", set("User", user(dice.below(world.users)), ""))?;
            }
        }
        add(graph, "Folder", "folder-big".into(), "viewer", set("User", BIG_USER.into(), ""))?;
        for index in 0..world.documents.min(10_000) {
            add(graph, "Doc", document(index * 7 % world.documents), "parent", set("Folder", "folder-big".into(), ""))?;
        }
        Ok(Self { loading: begin.elapsed(), ..world })
    }
}

fn add(graph: &mut Graph, namespace: &str, object: String, relation: &str, subject: Subject) -> anyhow::Result<()> {
    let tuple = RelationTuple { namespace: namespace.into(), object, relation: relation.into(), subject };
    graph.insert(&StoredTuple::from(tuple))?;
    Ok(())
}

fn set(namespace: &str, object: String, relation: &str) -> Subject {
    Subject::Set(SubjectSet { namespace: namespace.into(), object, relation: relation.into() })
}

/// As long as a UUID.
fn document(index: usize) -> String {
    format!("{:08x}-{:04x}-7000-8000-{index:012x}", index.wrapping_mul(0x9e37_79b9) & 0xffff_ffff, index & 0xffff)
}

fn folder(index: usize) -> String {
    format!("folder-{index}")
}

fn group(index: usize) -> String {
    format!("group-{index}")
}

fn user(index: usize) -> String {
    format!("user-{index}@example.com")
}

fn checks(graph: &Graph, schema: &Schema, world: &World) -> anyhow::Result<()> {
    let mut dice = Dice::new(2);
    let mut direct = Vec::new();
    let mut any = Vec::new();
    let mut denied = Vec::new();
    for _ in 0..1 << 16 {
        let index = dice.below(world.documents);
        let view = graph.find("Doc", &document(index), "view");
        direct.push((view, graph.find("User", &user(index % world.users), "")));
        any.push((view, graph.find("User", &user(dice.below(world.users)), "")));
        denied.push((graph.find("Doc", &document(index), "owner"), any[any.len() - 1].1));
    }
    let mut through_group = Vec::new();
    for (view, _) in &direct {
        if let Some(member) = member_of_folder(graph, *view) {
            through_group.push((*view, member));
        }
    }
    rate("direct", graph, schema, &direct);
    rate("depth 3: document, folder, group", graph, schema, &through_group);
    rate("any user: folders up to the limit", graph, schema, &any);
    rate("denied without a rule", graph, schema, &denied);
    on_two_cores("direct", graph, schema, &direct)?;
    on_two_cores("depth 3: document, folder, group", graph, schema, &through_group)
}

/// Two threads with the same questions, from different ends. Of each thread only the time counts in which it had a core, so that
/// other programs of the machine do not.
fn on_two_cores(name: &str, graph: &Graph, schema: &Schema, questions: &[(Userset, Userset)]) -> anyhow::Result<()> {
    let backwards: Vec<_> = questions.iter().rev().copied().collect();
    let ask = |questions: &[(Userset, Userset)]| {
        let processor = processor_seconds()?;
        let answers = ask_for_a_while(graph, schema, questions);
        anyhow::Ok(answers.count as f64 / (processor_seconds()? - processor))
    };
    let rates = std::thread::scope(|scope| {
        let threads = [questions, &backwards].map(|questions| scope.spawn(move || ask(questions)));
        threads.map(|thread| thread.join().map_err(|_| anyhow!("a thread panicked"))?)
    });
    let [first, second] = rates;
    let rate = first? + second?;
    println!("{rate:>10.0} checks/s on two cores, at least {BUDGET:.0}  {name}");
    ensure!(rate >= BUDGET, "{name}: {rate:.0} checks/s on two cores");
    Ok(())
}

/// A member of the first group that views the folder of a document.
fn member_of_folder(graph: &Graph, view: Userset) -> Option<Userset> {
    let parent = graph.symbols().relation("parent")?;
    let viewer = graph.symbols().relation("viewer")?;
    let folder = *graph.subjects_of(view.with_relation(parent)).first()?;
    let group = *graph.subjects_of(folder.with_relation(viewer)).first()?;
    graph.subjects_of(group).first().copied()
}

/// Pages of all results, and of the first ten.
fn listings(graph: &Graph, schema: &Schema, world: &World) {
    let view = graph.find("Doc", &document(0), "view");
    let big = graph.find("User", BIG_USER, "");
    let mut dice = Dice::new(3);
    let users: Vec<Userset> = (0..1000).map(|_| graph.find("User", &user(dice.below(world.users)), "")).collect();
    list("all documents of a user", graph, schema, view, &users, 10_000);
    list("10 of 10 000 documents", graph, schema, view, &[big], 10);
    list("10 000 documents", graph, schema, view, &[big], 10_000);
}

fn list(name: &str, graph: &Graph, schema: &Schema, view: Userset, subjects: &[Userset], limit: usize) {
    let mut scratch = Scratch::default();
    let mut times = Vec::new();
    let mut results = 0;
    let begin = Instant::now();
    while begin.elapsed() < MEASURED {
        for subject in subjects {
            let question =
                ObjectsQuestion { namespace: view.namespace(), relation: view.relation(), subject: *subject };
            let mut relations = graph.at(NOW);
            let (relations, conditions) = (&mut relations, &mut NoConditions);
            let limits = Limits { depth: 5, ..Limits::default() };
            let parts = EvaluatorParts { schema, relations, conditions, scratch: &mut scratch, limits, now: NOW };
            let start = Instant::now();
            let listing = Evaluator::new(parts).list_objects(question, Part { after: None, limit });
            times.push(start.elapsed());
            if let Poll::Ready(listing) = black_box(listing) {
                results += listing.names.len();
            }
        }
    }
    times.sort_unstable();
    let count = times.len();
    let milliseconds = |at: usize| times[at.min(count - 1)].as_secs_f64() * 1000.0;
    let (median, slow) = (milliseconds(count / 2), milliseconds(count * 99 / 100));
    println!("p50 {median:.3} ms, p99 {slow:.3} ms, {:.0} results  {name}", results as f64 / count as f64);
}

#[derive(Default)]
struct Answers {
    count: u64,
    yes: u64,
    failures: u64,
}

fn ask_for_a_while(graph: &Graph, schema: &Schema, questions: &[(Userset, Userset)]) -> Answers {
    let mut scratch = Scratch::default();
    let limits = Limits { depth: 5, ..Limits::default() };
    let mut answers = Answers::default();
    let begin = Instant::now();
    while begin.elapsed() < MEASURED {
        for (userset, subject) in questions {
            let mut relations = graph.at(NOW);
            let (relations, conditions) = (&mut relations, &mut NoConditions);
            let parts = EvaluatorParts { schema, relations, conditions, scratch: &mut scratch, limits, now: NOW };
            match black_box(Evaluator::new(parts).check(*userset, *subject)) {
                Poll::Ready(Ok(answer)) => answers.yes += u64::from(answer),
                Poll::Ready(Err(_)) | Poll::Pending => answers.failures += 1,
            }
            answers.count += 1;
        }
    }
    answers
}

fn rate(name: &str, graph: &Graph, schema: &Schema, questions: &[(Userset, Userset)]) {
    let processor = processor_seconds().unwrap_or_default();
    let begin = Instant::now();
    let Answers { count, yes, failures } = ask_for_a_while(graph, schema, questions);
    let rate = count as f64 / begin.elapsed().as_secs_f64();
    let of_processor = count as f64 / processor_seconds().map_or(f64::NAN, |now| now - processor);
    let share = |part: u64| 100.0 * part as f64 / count as f64;
    println!(
        "{rate:>10.0} checks/s {of_processor:>10.0} per second of one core  {:>5.1} % yes  {:>5.1} % failures  {name}",
        share(yes),
        share(failures)
    );
}

/// The time that this thread has had a core. Other programs of the machine do not count.
fn processor_seconds() -> anyhow::Result<f64> {
    const NANOSECONDS: f64 = 1e9;
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = text.split(' ').next().context("no time")?.parse()?;
    Ok(nanoseconds / NANOSECONDS)
}

fn resident_bytes() -> anyhow::Result<usize> {
    let pages = std::fs::read_to_string("/proc/self/statm")?;
    let pages: usize = pages.split(' ').nth(1).context("no resident pages")?.parse()?;
    Ok(pages * 4096)
}
