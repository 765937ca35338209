//! The statements, on both engines.

use base::{Context, Page, PageRequest, RequestId, Rng, TenantId, Timestamp};
use database::Database;
use database::testing::on_both_engines;
use jobs::list_tuple_changes;

use super::reads::{self, ObjectRelation, Reads};
use super::relation_tuples::ChangedKeys;
use super::{relation_tuples, state};
use crate::domain::relation_tuple::{RelationTuple, StoredTuple, Subject, SubjectSet, TupleCondition};
use crate::domain::snapshot::Snapshot;
use crate::domain::tuple_key::{TupleKey, subject_columns};
use crate::domain::tuple_query::TupleQuery;
use crate::domain::tuple_record::TupleRecord;
use crate::domain::write_validation::{NAMESPACE_BYTES, OBJECT_BYTES, RELATION_BYTES};

const SETS: &[database::MigrationSet] = &[jobs::MIGRATIONS, crate::MIGRATIONS];

/// A list by object or relation alone has no index. SQLite sorts the tuples of one object when a namespace is listed by
/// relation. A count by kind reads all tuples of a tenant.
const EXCEPTIONS: &[&str] = &[
    "relation_tuples::LIST_FILTERED",
    "relation_tuples::LIST_OF_NAMESPACE_BY_RELATION",
    "relation_tuples::COUNT_WITHOUT_CONDITION",
];

/// A tenant has one row of it.
const SMALL_TABLES: &[&str] = &["permissions_state"];

#[tokio::test]
async fn no_list_reads_or_sorts_a_whole_table() {
    database::testing::assert_index_ranges_besides(SMALL_TABLES, SETS, super::ALL, EXCEPTIONS).await;
}

#[tokio::test]
async fn a_statement_is_parsed_once() {
    database::testing::assert_parsed_once(SETS, super::ALL).await;
}

#[tokio::test]
async fn every_statement_is_accepted_by_both_engines() {
    database::testing::prepare_all(SETS, super::ALL).await;
}

fn set(namespace: &str, object: &str, relation: &str) -> Subject {
    Subject::Set(SubjectSet { namespace: namespace.into(), object: object.into(), relation: relation.into() })
}

fn tuple(namespace: &str, object: &str, relation: &str, subject: Subject) -> StoredTuple {
    RelationTuple { namespace: namespace.into(), object: object.into(), relation: relation.into(), subject }.into()
}

async fn write(database: &Database, tenant: TenantId, tuples: &[StoredTuple]) -> Vec<TupleKey> {
    let mut tx = database.write(tenant).await.unwrap();
    let records: Vec<TupleRecord> = tuples.iter().map(TupleRecord::from).collect();
    let changed = relation_tuples::upsert(&mut tx, &records.iter().collect::<Vec<_>>()).await.unwrap();
    tx.commit().await.unwrap();
    changed.keys
}

async fn find(
    database: &Database,
    query: &TupleQuery,
    after: Option<TupleKey>,
    size: u32,
) -> Page<StoredTuple, TupleKey> {
    let page = PageRequest { size, after };
    let mut tx = database.read(TenantId::DEFAULT);
    relation_tuples::list(&mut tx, query, &page, Timestamp::EPOCH).await.unwrap()
}

#[tokio::test]
async fn a_tuple_exists_once_and_is_written_only_when_it_differs() {
    on_both_engines(SETS, |database| async move {
        let plain = tuple("Doc", "a", "viewer", Subject::Id("ada".into()));
        let conditional = StoredTuple {
            condition: Some(TupleCondition { name: "hours".into(), context: Some("{\"from\":9}".into()) }),
            expires_at: Some(Timestamp::from_unix_micros(1_234_567)),
            ..plain.clone()
        };
        let key = TupleKey::from(&plain.tuple);
        assert_eq!(write(&database, TenantId::DEFAULT, std::slice::from_ref(&plain)).await, std::slice::from_ref(&key));
        assert_eq!(write(&database, TenantId::DEFAULT, std::slice::from_ref(&plain)).await, []);
        for different in [
            StoredTuple { expires_at: conditional.expires_at, ..plain.clone() },
            conditional.clone(),
            StoredTuple {
                condition: Some(TupleCondition { name: "hours".into(), context: None }),
                ..conditional.clone()
            },
            conditional.clone(),
        ] {
            assert_eq!(
                write(&database, TenantId::DEFAULT, std::slice::from_ref(&different)).await,
                std::slice::from_ref(&key)
            );
            assert_eq!(write(&database, TenantId::DEFAULT, &[different]).await, []);
        }
        assert_eq!(find(&database, &TupleQuery::default(), None, 9).await.items, [conditional]);
        let mut tx = database.write(TenantId::DEFAULT).await.unwrap();
        let missing = TupleKey::from(&tuple("Doc", "b", "viewer", Subject::Id("ada".into())).tuple);
        let deleted = relation_tuples::delete(&mut tx, &[missing, key.clone()]).await.unwrap().keys;
        tx.commit().await.unwrap();
        assert_eq!(deleted, [key]);
        assert!(find(&database, &TupleQuery::default(), None, 9).await.items.is_empty());
    })
    .await;
}

#[tokio::test]
async fn letter_case_accents_and_the_kind_of_a_subject_distinguish_tuples() {
    on_both_engines(SETS, |database| async move {
        let subjects = ["ada", "Ada", "ADA", "a\u{301}da", "\u{e1}da", "ada ", ""].map(|id| Subject::Id(id.into()));
        let sets = [set("User", "ada", ""), set("User", "ada", "x"), set("user", "ada", "")];
        let tuples: Vec<_> = subjects.into_iter().chain(sets).map(|it| tuple("Doc", "a", "viewer", it)).collect();
        assert_eq!(write(&database, TenantId::DEFAULT, &tuples).await.len(), tuples.len());
        for stored in &tuples {
            let query = TupleQuery { subject: Some(stored.tuple.subject.clone()), ..TupleQuery::default() };
            assert_eq!(find(&database, &query, None, 9).await.items, std::slice::from_ref(stored));
        }
        let other = TupleQuery { object: Some("A".into()), ..TupleQuery::default() };
        assert!(find(&database, &other, None, 9).await.items.is_empty());
        // The order of the pages is that of the program.
        let found = find(&database, &TupleQuery::default(), None, 20).await.items;
        let keys: Vec<_> = found.iter().map(|stored| TupleKey::from(&stored.tuple)).collect();
        assert!(keys.is_sorted() && keys.len() == tuples.len());
    })
    .await;
}

/// All queries that name parts of tuples of this test.
fn queries() -> Vec<TupleQuery> {
    let texts = |text: &str| [None, Some(text.to_owned())];
    let subjects = [None, Some(Subject::Id("u1".into())), Some(set("Group", "", "member"))];
    let mut queries = Vec::new();
    for namespace in texts("Doc") {
        for object in texts("b") {
            for relation in texts("viewer") {
                for subject in subjects.clone() {
                    let (namespace, object, relation) = (namespace.clone(), object.clone(), relation.clone());
                    queries.push(TupleQuery { namespace, object, relation, subject });
                }
            }
        }
    }
    queries
}

fn matches(query: &TupleQuery, stored: &StoredTuple) -> bool {
    let tuple = &stored.tuple;
    let is = |wanted: &Option<String>, text: &String| wanted.as_ref().is_none_or(|it| it == text);
    is(&query.namespace, &tuple.namespace)
        && is(&query.object, &tuple.object)
        && is(&query.relation, &tuple.relation)
        && query.subject.as_ref().is_none_or(|it| *it == tuple.subject)
}

#[tokio::test]
async fn every_query_finds_its_tuples_page_by_page() {
    on_both_engines(SETS, |database| async move {
        let mut tuples = Vec::new();
        for namespace in ["Doc", "Folder"] {
            for object in ["", "a", "a\u{1}", "b"] {
                for relation in ["", "viewer", "viewer2"] {
                    for subject in [Subject::Id("u1".into()), Subject::Id("u2".into()), set("Group", "", "member")] {
                        tuples.push(tuple(namespace, object, relation, subject));
                    }
                }
            }
        }
        write(&database, TenantId::DEFAULT, &tuples).await;
        write(&database, TenantId::from_i32(2), &tuples).await;
        let key = |stored: &StoredTuple| TupleKey::from(&stored.tuple);
        for query in queries() {
            let mut wanted: Vec<_> = tuples.iter().filter(|it| matches(&query, it)).map(key).collect();
            wanted.sort_unstable();
            for size in [1, 2, 100] {
                let (mut found, mut after) = (Vec::new(), None);
                loop {
                    let page = find(&database, &query, after, size).await;
                    found.extend(page.items.iter().map(key));
                    after = page.next;
                    if after.is_none() || found.len() > tuples.len() {
                        break;
                    }
                }
                found.sort_unstable();
                assert_eq!(found, wanted, "{query:?} in pages of {size}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_longest_tuple_fits_into_the_indexes() {
    on_both_engines(SETS, |database| async move {
        // Random texts, because PostgreSQL compresses others.
        let rng = Rng::seeded(5);
        let text = |length| rng.alphanumeric(length);
        let subject =
            SubjectSet { namespace: text(NAMESPACE_BYTES), object: text(OBJECT_BYTES), relation: text(RELATION_BYTES) };
        let stored = StoredTuple::from(RelationTuple {
            namespace: text(NAMESPACE_BYTES),
            object: text(OBJECT_BYTES),
            relation: text(RELATION_BYTES),
            subject: Subject::Set(subject),
        });
        assert_eq!(write(&database, TenantId::DEFAULT, std::slice::from_ref(&stored)).await.len(), 1);
        assert_eq!(find(&database, &TupleQuery::default(), None, 9).await.items, [stored]);
    })
    .await;
}

#[tokio::test]
async fn expired_tuples_are_not_listed_and_are_deleted_later() {
    on_both_engines(SETS, |database| async move {
        let ends = |object: &str, seconds| StoredTuple {
            expires_at: Some(Timestamp::from_unix_seconds(seconds)),
            ..tuple("Doc", object, "viewer", Subject::Id("ada".into()))
        };
        let tuples = [ends("a", 10), ends("b", 20), tuple("Doc", "c", "viewer", Subject::Id("ada".into()))];
        write(&database, TenantId::DEFAULT, &tuples).await;
        let count = async |at: i64| {
            let (page, now) = (PageRequest { size: 9, after: None }, Timestamp::from_unix_seconds(at));
            let mut tx = database.read(TenantId::DEFAULT);
            relation_tuples::list(&mut tx, &TupleQuery::default(), &page, now).await.unwrap().items.len()
        };
        assert_eq!((count(9).await, count(10).await, count(20).await), (3, 2, 1));
        let reaper = database::Reaper::new(database.clone(), super::RETENTION.iter().copied());
        let reaped = reaper.reap(Timestamp::from_unix_seconds(15), 9).await.unwrap();
        assert_eq!(reaped.iter().map(|it| it.rows).collect::<Vec<_>>(), [1]);
        assert_eq!(count(0).await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_tenant_has_one_secret_and_one_snapshot() {
    on_both_engines(SETS, |database| async move {
        let (own, other) = (TenantId::DEFAULT, TenantId::from_i32(2));
        assert_eq!(state::find_token_key(&mut database.read(own)).await.unwrap(), None);
        assert_eq!(state::snapshot(&mut database.read(own)).await.unwrap(), Snapshot(0));
        for key in ["first", "second"] {
            let mut tx = database.write(own).await.unwrap();
            state::insert(&mut tx, key).await.unwrap();
            state::lock(&mut tx).await.unwrap();
            let ada = tuple("Doc", key, "viewer", Subject::Id("ada".into()));
            let changed = relation_tuples::upsert(&mut tx, &[&TupleRecord::from(&ada)]).await.unwrap();
            assert_eq!(changed.place.before, Some(Snapshot(if key == "first" { 0 } else { 7 })));
            state::set_snapshot(&mut tx, Snapshot(7)).await.unwrap();
            let deleted = relation_tuples::delete(&mut tx, &[TupleKey::from(&ada.tuple)]).await.unwrap();
            assert_eq!(deleted.place.before, Some(Snapshot(7)));
            assert_eq!(relation_tuples::delete(&mut tx, &deleted.keys).await.unwrap(), ChangedKeys::default());
            tx.commit().await.unwrap();
        }
        assert_eq!(state::positions(&database).await.unwrap(), [(own, Snapshot(7))]);
        assert_eq!(state::find_token_key(&mut database.read(own)).await.unwrap().as_deref(), Some("first"));
        assert_eq!(state::snapshot(&mut database.read(own)).await.unwrap(), Snapshot(7));
        assert_eq!(state::find_token_key(&mut database.read(other)).await.unwrap(), None);
        let cx = Context::for_background(Timestamp::EPOCH, own, RequestId(Rng::seeded(1).uuid()));
        assert!(list_tuple_changes(&mut database.read(cx.tenant), 0, 1).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_reads_of_a_round_are_answered_by_their_positions() {
    on_both_engines(SETS, |database| async move {
        let object = |object: &str| ObjectRelation("Doc".into(), object.into(), "viewer".into());
        let ends = Timestamp::from_unix_seconds(10);
        let condition = TupleCondition { name: "hours".into(), context: Some("{\"from\":9}".into()) };
        let mut tuples: Vec<_> =
            (0..5).map(|it| tuple("Doc", "a", "viewer", set("User", &it.to_string(), ""))).collect();
        tuples.extend((0..3).map(|it| tuple("Doc", "a", "viewer", set("Group", &it.to_string(), "member"))));
        tuples.push(StoredTuple { expires_at: Some(ends), ..tuple("Doc", "b", "viewer", set("Group", "g", "member")) });
        let ada = tuple("Doc", "b", "viewer", Subject::Id("ada".into()));
        tuples.push(StoredTuple { condition: Some(condition.clone()), ..ada.clone() });
        write(&database, TenantId::DEFAULT, &tuples).await;
        write(&database, TenantId::from_i32(2), &[tuple("Doc", "c", "viewer", set("Group", "g", "member"))]).await;
        let reads = Reads {
            tuples: vec![
                TupleKey::from(&tuple("Doc", "a", "viewer", Subject::Id("ada".into())).tuple),
                TupleKey::from(&ada.tuple),
            ],
            sets: vec![object("a"), object("b"), object("c")],
            objects: vec![object("b"), object("a")],
            subjects: vec![object("b")],
            limits: [2; 3],
            most: None,
        };
        let perform_at_most = async |most: Option<u32>, seconds: i64| {
            let mut tx = database.read(TenantId::DEFAULT);
            let reads = Reads { most, ..reads.clone() };
            reads::perform(&mut tx, &reads, Timestamp::from_unix_seconds(seconds)).await.unwrap()
        };
        let perform = async |seconds: i64| perform_at_most(None, seconds).await;
        let name = |subject: &Subject| {
            let (namespace, object, relation) = subject_columns(subject);
            format!("{namespace}:{object}#{relation}")
        };
        let names =
            |subjects: &[(Subject, reads::StoredTerms)]| subjects.iter().map(|(it, _)| name(it)).collect::<Vec<_>>();
        let found = perform(0).await;
        let conditional = reads::StoredTerms { condition: Some(condition), expires_at: None };
        assert_eq!(found.tuples, [None, Some(conditional)]);
        let sets: Vec<_> = found.sets.iter().map(|it| names(it)).collect();
        assert_eq!(sets, [vec!["Group:0#member", "Group:1#member"], vec!["Group:g#member"], Vec::new()]);
        let objects: Vec<_> = found.objects.iter().map(|it| names(it)).collect();
        assert_eq!(objects, [vec!["Group:g#member"], vec!["Group:0#member", "Group:1#member"]]);
        assert_eq!(names(&found.subjects[0]), [":ada#", "Group:g#member"]);
        assert_eq!(found.sets[1][0].1, reads::StoredTerms { condition: None, expires_at: Some(ends) });
        assert!(perform(10).await.sets[1].is_empty());
        assert_eq!((found.count, found.is_cut), (9, false));
        assert!(!perform_at_most(Some(9), 0).await.is_cut);
        let cut = perform_at_most(Some(8), 0).await;
        assert_eq!((cut.count, cut.is_cut, cut.snapshot), (9, true, found.snapshot));
        let none = Reads { limits: [2; 3], ..Reads::default() };
        let nothing = reads::perform(&mut database.read(TenantId::DEFAULT), &none, Timestamp::EPOCH).await.unwrap();
        assert!(nothing.tuples.is_empty() && nothing.sets.is_empty() && nothing.objects.is_empty());
    })
    .await;
}
