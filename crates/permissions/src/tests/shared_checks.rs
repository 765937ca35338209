//! Equal questions that are asked of the tables at the same time.

use std::pin::Pin;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use database::Database;
use futures_util::poll;
use permission_language::SourceFile;
use serde_json::{Value, json};

use super::harness::Harness;
use crate::components::models::loaded::{LoadedModel, Parsed};
use crate::domain::access::EvaluationsSemantic::{self, DenyOnFirstDeny, ExecuteAll};
use crate::domain::access::{AccessRequest, RequestAttributes};
use crate::domain::checked_model::CheckedModel;
use crate::domain::condition::{Object, Root};
use crate::domain::relation_tuple::{RelationTuple, StoredTuple, TupleCondition};
use crate::domain::tuple_changes::{NetChanges, TupleChange};
use crate::operations::Answered;
use crate::operations::check::{CheckError, CheckOptions};
use crate::operations::evaluate_access::AccessOptions;

const MODEL: &str = r#"
const late: Condition = "context.hour >= tuple.from"
class User implements Namespace {}
class Group implements Namespace { related: { members: User[] } }
class Doc implements Namespace { related: { viewers: (SubjectSet<Group, "members"> | When<User, "late">)[] } }
"#;

/// A service whose tables are in PostgreSQL, and which keeps no tuples in memory.
async fn harness() -> Harness {
    let database = Database::open(&database::testing::postgres_dsn().await).await.unwrap();
    database.migrate(&[jobs::MIGRATIONS, crate::MIGRATIONS], base::Timestamp::EPOCH).await.unwrap();
    let location = format!("base64://{}", STANDARD.encode(MODEL));
    let section = json!({ "namespaces": { "location": location }, "graph": { "enabled": false } });
    let harness = Harness::new(database, section).await;
    // It creates the row of the tenant.
    harness.permissions.tokens.sealer(&harness.cx()).await.unwrap();
    harness
}

fn tuple(text: &str) -> RelationTuple {
    text.parse().unwrap()
}

async fn write(harness: &Harness, tuples: Vec<StoredTuple>) {
    let changes: Vec<TupleChange> = tuples.into_iter().map(TupleChange::Insert).collect();
    harness.permissions.writes.write(&harness.cx(), NetChanges::of(&changes)).await.unwrap();
}

type Begun<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A question that reads.
async fn reading<'a, T>(question: impl Future<Output = T> + 'a) -> Begun<'a, T> {
    let mut question: Begun<'a, T> = Box::pin(question);
    assert!(poll!(&mut question).is_pending());
    question
}

/// A check that reads.
async fn begun<'a>(
    harness: &'a Harness,
    tuple: &'a RelationTuple,
    options: CheckOptions<'a>,
) -> Begun<'a, Result<Answered<bool>, CheckError>> {
    reading(async move { harness.permissions.check(&harness.cx(), tuple, options).await }).await
}

#[tokio::test]
async fn equal_checks_share_an_evaluation_and_a_later_write_is_not_hidden_from_a_later_check() {
    let harness = harness().await;
    let (asked, options) = (tuple("Group:staff#members@User:ada"), CheckOptions::default());
    let first = begun(&harness, &asked, options).await;
    // The first check has begun, and is not polled while this is written.
    write(&harness, vec![asked.clone().into()]).await;
    let mut checks = Vec::new();
    for _ in 0..40 {
        checks.push(begun(&harness, &asked, options).await);
    }
    assert_eq!(harness.permissions.checks.count(), 2);
    for check in checks {
        assert!(check.await.unwrap().answer);
    }
    first.await.unwrap();
    assert_eq!(harness.permissions.checks.count(), 2);
}

#[tokio::test]
async fn checks_with_different_contexts_or_depths_do_not_share() {
    let harness = harness().await;
    let (plan, memo) = (tuple("Doc:plan#viewers@User:ada"), tuple("Doc:memo#viewers@User:ada"));
    let condition = Some(TupleCondition { name: "late".into(), context: Some("{\"from\":9}".into()) });
    let stored = StoredTuple { condition, ..StoredTuple::from(plan.clone()) };
    let through = ["Doc:memo#viewers@Group:staff#members", "Group:staff#members@Group:board#members"];
    let through = through.map(|text| tuple(text).into());
    let all = [stored, tuple("Group:board#members@User:ada").into()].into_iter().chain(through);
    write(&harness, all.collect()).await;
    let context = |hour: u32| Object::new(Root::Context, json!({ "hour": hour, "of": { "a": 1, "b": 2 } })).unwrap();
    let (early, late) = (context(8), context(10));
    let same = Object::new(Root::Context, json!({ "of": { "b": 2, "a": 1 }, "hour": 10 })).unwrap();
    let with = |context| CheckOptions { context, ..CheckOptions::default() };
    let shallow = CheckOptions { max_depth: Some(1), ..CheckOptions::default() };
    let mut checks = Vec::new();
    for (asked, options, answer) in [
        (&plan, with(Some(&early)), Some(false)),
        (&plan, with(Some(&late)), Some(true)),
        (&plan, with(None), None),
        (&memo, with(None), Some(true)),
        (&memo, shallow, None),
    ] {
        for _ in 0..3 {
            checks.push((begun(&harness, asked, options).await, answer));
        }
    }
    // The order of members does not matter.
    checks.push((begun(&harness, &plan, with(Some(&same))).await, Some(true)));
    // Of each five there is one that has begun, and one that waits for it.
    assert_eq!(harness.permissions.checks.count(), 10);
    for (check, answer) in checks {
        match (check.await, answer) {
            (Ok(answered), Some(answer)) => assert_eq!(answered.answer, answer),
            (Err(CheckError::Unanswered { .. }), None) => {}
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    }
}

/// The answer is that of the model that was in force when the check was asked.
#[tokio::test]
async fn a_check_does_not_share_with_those_of_the_model_before() {
    let harness = harness().await;
    let (asked, options) = (tuple("Group:staff#members@User:ada"), CheckOptions::default());
    write(&harness, vec![asked.clone().into()]).await;
    let mut checks = Vec::new();
    for _ in 0..3 {
        checks.push((begun(&harness, &asked, options).await, true));
    }
    assert_eq!(harness.permissions.checks.count(), 2);
    // The tuple does not count any more.
    let text = MODEL.replace("members: User[]", "members: Doc[]");
    let CheckedModel { model, conditions, .. } = CheckedModel::of(&[SourceFile { name: "model.ts", text: &text }]);
    let parsed = Parsed { model: model.unwrap(), conditions };
    harness.permissions.models.put_in_force(LoadedModel::compile(parsed, true).unwrap());
    for _ in 0..3 {
        checks.push((begun(&harness, &asked, options).await, false));
    }
    assert_eq!(harness.permissions.checks.count(), 4);
    for (check, answer) in checks {
        assert_eq!(check.await.unwrap().answer, answer);
    }
}

#[tokio::test]
async fn equal_batches_share_an_evaluation() {
    let harness = harness().await;
    let [member, stranger] = ["Group:staff#members@User:ada", "Group:staff#members@User:eve"].map(tuple);
    write(&harness, vec![member.clone().into()]).await;
    let batch = |tuples: [&RelationTuple; 2]| {
        let tuples = tuples.map(Clone::clone).to_vec();
        let (permissions, cx) = (harness.permissions.clone(), harness.cx());
        async move { permissions.batch_check(&cx, tuples.into_iter().map(Ok).collect(), CheckOptions::default()).await }
    };
    let mut batches = Vec::new();
    for _ in 0..3 {
        batches.push((reading(batch([&member, &stranger])).await, [true, false]));
        // The answers have the order of the tuples.
        batches.push((reading(batch([&stranger, &member])).await, [false, true]));
    }
    assert_eq!(harness.permissions.batches.count(), 4);
    for (batch, expected) in batches {
        let answers: Vec<bool> = batch.await.unwrap().answer.into_iter().map(|answer| answer.unwrap()).collect();
        assert_eq!(answers, expected);
    }
}

#[tokio::test]
async fn equal_access_evaluations_share_an_evaluation() {
    let harness = harness().await;
    let plan = tuple("Doc:plan#viewers@User:ada");
    let condition = Some(TupleCondition { name: "late".into(), context: Some("{\"from\":9}".into()) });
    write(&harness, vec![StoredTuple { condition, ..StoredTuple::from(plan.clone()) }]).await;
    let evaluation = |root: Root, members: Value, semantic: EvaluationsSemantic| {
        let object = Some(Object::new(root, members).unwrap());
        let attributes = match root {
            Root::Context => RequestAttributes { context: object, ..RequestAttributes::default() },
            _ => RequestAttributes { subject: object, ..RequestAttributes::default() },
        };
        let requests = vec![Ok(AccessRequest { tuple: plan.clone(), attributes }); 2];
        let options = AccessOptions { semantic, ..AccessOptions::default() };
        let (permissions, cx) = (harness.permissions.clone(), harness.cx());
        async move { permissions.evaluate_access(&cx, requests, options).await }
    };
    let mut evaluations = Vec::new();
    for _ in 0..3 {
        for (root, members, semantic, expected) in [
            (Root::Context, json!({ "hour": 10, "of": { "a": 1, "b": 2 } }), ExecuteAll, &[true, true][..]),
            // The order of members does not matter.
            (Root::Context, json!({ "of": { "b": 2, "a": 1 }, "hour": 10 }), ExecuteAll, &[true, true][..]),
            (Root::Context, json!({ "hour": 8 }), ExecuteAll, &[false, false][..]),
            (Root::Context, json!({ "hour": 8 }), DenyOnFirstDeny, &[false][..]),
            // The condition lacks the attribute.
            (Root::Subject, json!({ "hour": 10 }), ExecuteAll, &[false, false][..]),
        ] {
            evaluations.push((reading(evaluation(root, members, semantic)).await, expected));
        }
    }
    // Of each of the four there is one that has begun, and one that waits for it.
    assert_eq!(harness.permissions.access_evaluations.count(), 8);
    for (evaluation, expected) in evaluations {
        let decisions = evaluation.await.unwrap().answer;
        let decisions: Vec<bool> = decisions.iter().map(|it| matches!(it.answer, Ok(true))).collect();
        assert_eq!(decisions, expected);
    }
}

#[tokio::test]
async fn a_check_that_is_given_up_leaves_its_evaluation_to_the_others() {
    let harness = harness().await;
    let (asked, options) = (tuple("Group:staff#members@User:ada"), CheckOptions::default());
    write(&harness, vec![asked.clone().into()]).await;
    let first = begun(&harness, &asked, options).await;
    let (second, third) = (begun(&harness, &asked, options).await, begun(&harness, &asked, options).await);
    drop(first);
    drop(second);
    assert!(third.await.unwrap().answer);
    assert_eq!(harness.permissions.checks.count(), 2);
}
