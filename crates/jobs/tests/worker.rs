//! Jobs run after their transaction has committed, are retried, and are set aside; on both engines.

#![expect(clippy::unwrap_used, reason = "a failing step fails the test")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use base::{Clock, Context, ManualClock, PageRequest, RequestId, Rng, TenantId, Timestamp};
use database::Database;
use database::testing::{assert_index_ranges, assert_parsed_once, on_both_engines, prepare_all};
use jobs::{
    DomainEvent, Failure, Handler, Job, NewJob, Subject, Worker, append, append_at, append_if, enqueue, list_events,
    list_tuple_changes, reserve_sequences,
};
use serde::Serialize;
use serde_json::json;

struct Recorder {
    runs: Mutex<Vec<(serde_json::Value, u32)>>,
    fail_first: AtomicU32,
}

#[async_trait]
impl Handler for Recorder {
    fn kind(&self) -> &'static str {
        "record"
    }

    fn max_attempts(&self) -> u32 {
        3
    }

    async fn run(&self, _: &Context, job: &Job) -> Result<(), Failure> {
        self.runs.lock().unwrap().push((job.payload.clone(), job.attempt));
        if job.payload == json!("never") {
            return Err(Failure::Permanent("cannot be".to_owned()));
        }
        let fails =
            self.fail_first.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        if fails { Err(Failure::Retry("not yet".to_owned())) } else { Ok(()) }
    }
}

struct Fixture {
    database: Database,
    time: ManualClock,
    rng: Rng,
    recorder: Arc<Recorder>,
    worker: Worker,
}

impl Fixture {
    fn new(database: Database, fail_first: u32) -> Self {
        let time = ManualClock::starting_at(Timestamp::from_unix_seconds(1_000_000));
        let rng = Rng::seeded(3);
        let recorder = Arc::new(Recorder { runs: Mutex::default(), fail_first: AtomicU32::new(fail_first) });
        let handlers: [Arc<dyn Handler>; 1] = [recorder.clone()];
        let worker =
            Worker::new(database.clone(), time.clock(), rng.clone(), handlers, jobs::RETENTION.iter().copied());
        Self { database, time, rng, recorder, worker }
    }

    fn cx(&self) -> Context {
        Context::for_background(Clock::now(&self.time.clock()), TenantId::DEFAULT, RequestId(self.rng.uuid()))
    }

    async fn enqueue(&self, payload: serde_json::Value, commit: bool) {
        let cx = self.cx();
        let mut tx = self.database.write(cx.tenant).await.unwrap();
        enqueue(&mut tx, &cx, self.rng.uuid(), NewJob { kind: "record", payload, run_at: cx.now }).await.unwrap();
        if commit {
            tx.commit().await.unwrap();
        }
    }

    fn runs(&self) -> Vec<(serde_json::Value, u32)> {
        self.recorder.runs.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn every_statement_is_prepared_on_both_engines() {
    prepare_all(&[jobs::MIGRATIONS], jobs::STATEMENTS).await;
}

#[tokio::test]
async fn no_list_reads_or_sorts_a_whole_table() {
    // SQLite plans the reserved numbers as a scan of their list.
    let exceptions = ["storage::RESERVE_SEQUENCES"];
    assert_index_ranges(&[jobs::MIGRATIONS], jobs::STATEMENTS, &exceptions).await;
}

#[tokio::test]
async fn a_statement_is_parsed_once() {
    assert_parsed_once(&[jobs::MIGRATIONS], jobs::STATEMENTS).await;
}

#[tokio::test]
async fn events_of_issued_tokens_are_kept_for_days_and_others_for_their_retention() {
    on_both_engines(&[jobs::MIGRATIONS], |database| async move {
        let fixture = Fixture::new(database, 0);
        let append = async |event| {
            let cx = fixture.cx();
            let mut tx = fixture.database.write(cx.tenant).await.unwrap();
            jobs::append(&mut tx, &cx, &[event]).await.unwrap();
            tx.commit().await.unwrap();
        };
        append(Happened::TokenIssued {}).await;
        append(Happened::LoginSucceeded {}).await;
        let names = async || -> Vec<String> {
            let page = base::PageRequest { size: 10, after: None };
            let events = jobs::list_events(&mut fixture.database.read(TenantId::DEFAULT), page).await.unwrap();
            events.items.into_iter().map(|event| event.name).collect()
        };
        let day = Duration::from_hours(24);
        for (days, left) in [
            (6, vec![jobs::TOKEN_ISSUED, "LoginSucceeded"]),
            (2, vec!["LoginSucceeded"]),
            (391, vec!["LoginSucceeded"]),
            (2, Vec::new()),
        ] {
            fixture.time.advance(day * days);
            fixture.worker.reap().await;
            assert_eq!(names().await, left);
        }
    })
    .await;
}

#[tokio::test]
async fn a_job_runs_once_and_only_when_its_transaction_committed() {
    on_both_engines(&[jobs::MIGRATIONS], |database| async move {
        let fixture = Fixture::new(database, 0);
        fixture.enqueue(json!("dropped"), false).await;
        fixture.enqueue(json!("kept"), true).await;
        assert_eq!(fixture.worker.run_due().await.unwrap(), 1);
        assert_eq!(fixture.worker.run_due().await.unwrap(), 0);
        assert_eq!(fixture.runs(), [(json!("kept"), 1)]);
    })
    .await;
}

#[tokio::test]
async fn a_failed_job_is_retried_and_finally_set_aside() {
    on_both_engines(&[jobs::MIGRATIONS], |database| async move {
        let fixture = Fixture::new(database, 99);
        fixture.enqueue(json!("stubborn"), true).await;
        fixture.enqueue(json!("never"), true).await;
        assert_eq!(fixture.worker.run_due().await.unwrap(), 2);
        assert_eq!(fixture.worker.run_due().await.unwrap(), 0, "a retry is delayed");
        for _ in 0..5 {
            fixture.time.advance(Duration::from_hours(1));
            fixture.worker.run_due().await.unwrap();
        }
        let stubborn =
            fixture.runs().into_iter().filter(|(payload, _)| *payload == json!("stubborn")).collect::<Vec<_>>();
        assert_eq!(stubborn.iter().map(|(_, attempt)| *attempt).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(fixture.runs().len(), 4);
        fixture.time.advance(Duration::from_hours(15 * 24));
        fixture.worker.reap().await;
        assert_eq!(fixture.worker.run_due().await.unwrap(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_share_the_queue_without_running_a_job_twice() {
    on_both_engines(&[jobs::MIGRATIONS], |database| async move {
        let one = Fixture::new(database.clone(), 0);
        let two = Fixture::new(database, 0);
        for number in 0..40 {
            one.enqueue(json!(number), true).await;
        }
        let (first, second) = tokio::join!(one.worker.run_due(), two.worker.run_due());
        assert_eq!(first.unwrap() + second.unwrap(), 40);
        let mut numbers: Vec<_> =
            one.runs().into_iter().chain(two.runs()).map(|(it, _)| it.as_i64().unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..40).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test]
async fn events_are_kept_in_order_and_by_tenant() {
    on_both_engines(&[jobs::MIGRATIONS], |database| async move {
        let fixture = Fixture::new(database, 0);
        let cx = fixture.cx();
        let mut tx = fixture.database.write(cx.tenant).await.unwrap();
        for number in 0..3 {
            append(&mut tx, &cx, &[Happened::Numbered { name: format!("s{number}"), n: number }]).await.unwrap();
        }
        tx.commit().await.unwrap();
        let mut reader = fixture.database.read(cx.tenant);
        let page = list_events(&mut reader, PageRequest { size: 2, after: None }).await.unwrap();
        assert_eq!(page.items.iter().map(|it| it.subject.as_str()).collect::<Vec<_>>(), ["s0", "s1"]);
        let rest = list_events(&mut reader, PageRequest { size: 2, after: page.next }).await.unwrap();
        assert_eq!((rest.items[0].subject.as_str(), rest.next), ("s2", None));
        assert_eq!(rest.items[0].actor, "system");
        let mut other = fixture.database.read(TenantId::from_i32(2));
        assert!(list_events(&mut other, PageRequest { size: 2, after: None }).await.unwrap().items.is_empty());
    })
    .await;
}

#[derive(Serialize)]
enum Happened {
    #[serde(rename = "ShopOpened")]
    Opened {
        #[serde(skip)]
        name: &'static str,
        doors: u32,
    },
    Closed(Closing),
    Forgotten,
    #[serde(rename = "OAuth2AccessTokenIssued")]
    TokenIssued {},
    LoginSucceeded {},
    Numbered {
        #[serde(skip)]
        name: String,
        n: u32,
    },
}

#[derive(Serialize)]
struct Closing {
    reason: &'static str,
}

impl DomainEvent for Happened {
    fn subject(&self) -> Subject<'_> {
        match self {
            Self::Opened { name, .. } => Subject::Person((*name).into()),
            Self::Closed(_) | Self::Forgotten => Subject::Client("shop".into()),
            Self::TokenIssued {} | Self::LoginSucceeded {} => Subject::Person("ada".into()),
            Self::Numbered { name, .. } => Subject::Person(name.as_str().into()),
        }
    }
}

#[tokio::test]
async fn typed_events_have_the_names_that_serde_gives_them_and_share_a_statement() {
    on_both_engines(&[jobs::MIGRATIONS], |database| async move {
        let fixture = Fixture::new(database, 0);
        let cx = fixture.cx();
        let mut tx = fixture.database.write(cx.tenant).await.unwrap();
        let before = fixture.database.usage().statements;
        let opened = |doors| Happened::Opened { name: "ada", doors };
        append(&mut tx, &cx, &[opened(1), Happened::Closed(Closing { reason: "late" }), opened(2)]).await.unwrap();
        assert_eq!(fixture.database.usage().statements - before, 1);
        let unwritten = append(&mut tx, &cx, &[Happened::Forgotten]).await.unwrap_err();
        assert_eq!(unwritten.to_string(), "inconsistent row in jobs_events: an event has no attributes");
        tx.commit().await.unwrap();
        let page = PageRequest { size: 9, after: None };
        let written = list_events(&mut fixture.database.read(cx.tenant), page).await.unwrap().items;
        let written: Vec<_> =
            written.iter().map(|it| (it.name.as_str(), it.subject.as_str(), &it.attributes)).collect();
        assert_eq!(
            written,
            [
                ("ShopOpened", "ada", &json!({"doors": 1})),
                ("Closed", "shop", &json!({"reason": "late"})),
                ("ShopOpened", "ada", &json!({"doors": 2})),
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn a_suppressed_event_costs_the_same_statement() {
    on_both_engines(&[jobs::MIGRATIONS], |database| async move {
        let fixture = Fixture::new(database, 0);
        let cx = fixture.cx();
        let mut tx = fixture.database.write(cx.tenant).await.unwrap();
        let mut costs = Vec::new();
        for is_written in [true, false] {
            let event = Happened::Numbered { name: format!("{is_written}"), n: 0 };
            let before = fixture.database.usage().statements;
            append_if(&mut tx, &cx, &event, is_written).await.unwrap();
            costs.push(fixture.database.usage().statements - before);
        }
        tx.commit().await.unwrap();
        assert_eq!(costs, [1, 1]);
        let mut reader = fixture.database.read(cx.tenant);
        let page = list_events(&mut reader, PageRequest { size: 2, after: None }).await.unwrap();
        assert_eq!(page.items.iter().map(|it| it.subject.as_str()).collect::<Vec<_>>(), ["true"]);
    })
    .await;
}

#[tokio::test]
async fn changes_of_relation_tuples_are_read_in_their_order_after_a_sequence() {
    #[derive(Serialize)]
    enum Changed {
        RelationTuplesChanged { n: u32 },
    }
    impl DomainEvent for Changed {
        fn subject(&self) -> Subject<'_> {
            Subject::Namespace("Document".into())
        }
    }
    on_both_engines(&[jobs::MIGRATIONS], |database| async move {
        let fixture = Fixture::new(database, 0);
        let cx = fixture.cx();
        let mut tx = fixture.database.write(cx.tenant).await.unwrap();
        assert!(reserve_sequences(&mut tx, 0).await.unwrap().is_empty());
        let [first, second] = reserve_sequences(&mut tx, 2).await.unwrap()[..] else { panic!("not two sequences") };
        assert!(first < second);
        let events = [(first, 1), (second, 2)].map(|(at, n)| (&cx, at, Changed::RelationTuplesChanged { n }));
        append_at(&mut tx, &events).await.unwrap();
        append(&mut tx, &cx, &[Happened::LoginSucceeded {}]).await.unwrap();
        let [third] = reserve_sequences(&mut tx, 1).await.unwrap()[..] else { panic!("not one sequence") };
        append_at(&mut tx, &[(&cx, third, Changed::RelationTuplesChanged { n: 3 })]).await.unwrap();
        // The log continues after it.
        append(&mut tx, &cx, &[Happened::LoginSucceeded {}]).await.unwrap();
        tx.commit().await.unwrap();
        let mut reader = fixture.database.read(cx.tenant);
        let changes = list_tuple_changes(&mut reader, second - 1, 1).await.unwrap();
        let found: Vec<_> = changes.iter().map(|it| (it.sequence, it.subject.as_str(), &it.attributes)).collect();
        assert_eq!(found, [(second, "Document", &json!({"n": 2}))]);
        let changes = list_tuple_changes(&mut reader, second, 9).await.unwrap();
        let found: Vec<_> = changes.iter().map(|it| (it.sequence, it.name.as_str())).collect();
        assert_eq!(found, [(third, jobs::TUPLES_CHANGED)]);
        let mut stranger = fixture.database.read(TenantId::from_i32(2));
        assert!(list_tuple_changes(&mut stranger, 0, 9).await.unwrap().is_empty());
    })
    .await;
}
