//! Checks with conditions and explanations, and the questions in the other directions.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::harness::{Harness, on_both, on_both_readers, plain};
use super::{Stream, call, refused};
use crate::domain::relation_tuple::{RelationTuple, StoredTuple, TupleCondition};
use crate::domain::tuple_changes::TupleChange;

const CHECK: &str = "kleis.permissions.v1.PermissionService/Check";
const BATCH_CHECK: &str = "kleis.permissions.v1.PermissionService/BatchCheck";
const LIST_OBJECTS: &str = "kleis.permissions.v1.PermissionService/ListObjects";
const LIST_SUBJECTS: &str = "kleis.permissions.v1.PermissionService/ListSubjects";
const LIST_RELATIONS: &str = "kleis.permissions.v1.PermissionService/ListRelations";

const MODEL: &str = r#"
const late: Condition = "context.hour >= tuple.from"
class User implements Namespace {}
class Group implements Namespace { related: { members: (User | SubjectSet<Group, "members">)[] } }
class Doc implements Namespace {
    related: { viewers: (User | SubjectSet<Group, "members"> | When<User, "late">)[]; banned: User[] }
    permits = {
        view: (ctx: Context): boolean =>
            this.related.viewers.includes(ctx.subject) && !this.related.banned.includes(ctx.subject),
    }
}
"#;

fn section() -> Value {
    let location = format!("base64://{}", STANDARD.encode(MODEL));
    json!({ "namespaces": { "location": location } })
}

async fn in_memory<F: Future<Output = ()>>(section: Value, test: impl Fn(Harness) -> F) {
    on_both(section, |harness| {
        let test = &test;
        async move {
            let _following = harness.follow();
            harness.is_ready().await;
            test(harness).await;
        }
    })
    .await;
}

async fn insert(harness: &Harness, tuples: &[&str]) -> String {
    let stored = |text: &&str| StoredTuple::from(text.parse::<RelationTuple>().unwrap());
    write(harness, tuples.iter().map(stored).collect()).await
}

async fn write(harness: &Harness, tuples: Vec<StoredTuple>) -> String {
    let changes: Vec<TupleChange> = tuples.into_iter().map(TupleChange::Insert).collect();
    harness.permissions.transact_relation_tuples(&harness.cx(), &changes).await.unwrap().1
}

/// `User:name` may see the document from an hour on.
fn late(object: &str, name: &str, from: u32) -> StoredTuple {
    let tuple = format!("Doc:{object}#viewers@User:{name}").parse::<RelationTuple>().unwrap();
    let context = Some(json!({ "from": from }).to_string());
    StoredTuple { condition: Some(TupleCondition { name: "late".into(), context }), ..StoredTuple::from(tuple) }
}

fn user(name: &str) -> Value {
    json!({ "set": { "namespace": "User", "object": name } })
}

fn tuple(object: &str, relation: &str, name: &str) -> Value {
    json!({ "namespace": "Doc", "object": object, "relation": relation, "subject": user(name) })
}

fn field(error: &Value) -> &Value {
    &error["details"][0]["debug"]["metadata"]["field"]
}

fn texts(steps: &Value) -> Vec<&str> {
    steps.as_array().unwrap().iter().map(|step| step["text"].as_str().unwrap()).collect()
}

/// All names of a stream, the sizes of its responses, and its last one.
async fn all(harness: &Harness, method: &str, request: &Value) -> (Vec<Value>, Vec<usize>, Value) {
    let mut stream = Stream::open(harness, method, request).await;
    let (mut names, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let message = stream.next().await.unwrap();
        let end = message["end"].clone();
        if !end.is_null() {
            assert_eq!(stream.next().await, Err(json!({})), "nothing follows the end");
            return (names, sizes, end);
        }
        let part = message["objects"].as_array().or(message["subjects"].as_array()).unwrap();
        sizes.push(part.len());
        names.extend(part.iter().cloned());
    }
}

#[tokio::test]
async fn a_check_reads_the_context_and_says_why() {
    on_both_readers(section(), |harness| async move {
        insert(&harness, &["Doc:plan#viewers@Group:staff#members", "Group:staff#members@User:ada"]).await;
        let token = write(&harness, vec![late("plan", "bob", 9)]).await;
        let fresh = json!({ "atLeastAsFresh": token });
        let request = json!({ "tuple": tuple("plan", "viewers", "ada"), "consistency": fresh, "explain": true });
        let (status, granted) = call(&harness, CHECK, &request).await;
        assert_eq!((status, &granted["allowed"], &granted["snaptoken"]), (200, &json!(true), &json!(token)));
        assert_eq!(
            texts(&granted["explanation"]["path"]),
            ["the tuple Doc:plan#viewers@Group:staff#members", "the tuple Group:staff#members@User:ada"]
        );
        let of_bob = |context: Value| json!({ "tuple": tuple("plan", "view", "bob"), "context": context });
        for (hour, allowed) in [(10.0, true), (9.0, true), (8.5, false)] {
            let (status, answer) = call(&harness, CHECK, &of_bob(json!({ "hour": hour }))).await;
            assert_eq!((status, answer["allowed"] == true), (200, allowed), "{hour}: {answer}");
            assert_eq!(answer.get("explanation"), None);
        }
        let mut early = of_bob(json!({ "hour": 8 }));
        early["explain"] = json!(true);
        let (_, denied) = call(&harness, CHECK, &early).await;
        assert_eq!(denied["explanation"].get("path"), None);
        let missing = texts(&denied["explanation"]["nearestMiss"]);
        assert!(missing.iter().any(|it| it.contains("late does not hold")), "{missing:?}");
        // Without the attribute there is no answer, and that is no denial.
        let mut unknown = of_bob(json!({}));
        unknown["explain"] = json!(true);
        let (status, error) = call(&harness, CHECK, &unknown).await;
        assert_eq!((status, &error["code"]), (400, &json!("failed_precondition")));
        assert!(error["message"].as_str().unwrap().contains("hour"), "{error}");
        let (status, answer) = call(&harness, CHECK, &json!({ "tuple": tuple("plan", "view", "eve") })).await;
        assert_eq!((status, answer.get("allowed")), (200, None), "{answer}");
    })
    .await;
}

#[tokio::test]
async fn a_batch_has_one_snapshot_and_an_error_for_each_check_without_an_answer() {
    on_both_readers(section(), |harness| async move {
        insert(&harness, &["Doc:plan#viewers@User:ada"]).await;
        let token = write(&harness, vec![late("plan", "bob", 9)]).await;
        let tuples = json!([
            tuple("plan", "view", "ada"),
            tuple("plan", "view", "bob"),
            tuple("plan", "view", "eve"),
            { "namespace": "None", "object": "a", "relation": "b", "subject": user("ada") },
            { "namespace": "Doc", "object": "plan", "relation": "view", "subject": {} },
        ]);
        let request = json!({ "tuples": tuples, "consistency": { "fullyConsistent": true } });
        let (status, answer) = call(&harness, BATCH_CHECK, &request).await;
        let results = answer["results"].as_array().unwrap();
        assert_eq!((status, &answer["snaptoken"]), (200, &json!(token)));
        let found: Vec<(bool, bool)> =
            results.iter().map(|it| (it["allowed"] == true, it.get("error").is_some())).collect();
        assert_eq!(found, [(true, false), (false, true), (false, false), (false, true), (false, true)], "{answer}");
        let mut with_hour = request.clone();
        with_hour["context"] = json!({ "hour": 12 });
        let (_, answer) = call(&harness, BATCH_CHECK, &with_hour).await;
        assert_eq!(answer["results"][1], json!({ "allowed": true }));
    })
    .await;
}

#[tokio::test]
async fn lists_are_complete_sorted_and_come_in_parts() {
    in_memory(section(), |harness| async move {
        let mut tuples = Vec::new();
        for number in 0..6_500 {
            let tuple = format!("Doc:d{number:05}#viewers@Group:staff#members").parse::<RelationTuple>().unwrap();
            tuples.push(StoredTuple::from(tuple));
        }
        let mut expected: BTreeSet<String> = tuples.iter().map(|it| it.tuple.object.clone()).collect();
        for banned in ["d00001", "d06001"] {
            tuples.push(StoredTuple::from(format!("Doc:{banned}#banned@User:ada").parse::<RelationTuple>().unwrap()));
            expected.remove(banned);
        }
        for part in tuples.chunks(1_000) {
            write(&harness, part.to_vec()).await;
        }
        let token = insert(&harness, &["Group:staff#members@User:ada", "Doc:mine#viewers@User:ada"]).await;
        expected.insert("mine".to_owned());
        let consistency = json!({ "atLeastAsFresh": token });
        let request =
            json!({ "namespace": "Doc", "relation": "view", "subject": user("ada"), "consistency": consistency });
        let (names, sizes, end) = all(&harness, LIST_OBJECTS, &request).await;
        let expected: Vec<Value> = expected.into_iter().map(Value::from).collect();
        assert_eq!((names, &end), (expected, &json!({ "snaptoken": token })));
        assert!(sizes.iter().all(|size| (1..=1_000).contains(size)), "{sizes:?}");
        let nobody = json!({ "namespace": "Doc", "relation": "view", "subject": user("eve") });
        assert_eq!(all(&harness, LIST_OBJECTS, &nobody).await, (vec![], vec![], json!({ "snaptoken": token })));

        let of_document =
            json!({ "namespace": "Doc", "object": "mine", "relation": "view", "subjectNamespace": "User" });
        let (subjects, _, end) = all(&harness, LIST_SUBJECTS, &of_document).await;
        assert_eq!((subjects, end), (vec![user("ada")], json!({ "snaptoken": token })));
        let groups = json!({
            "namespace": "Doc", "object": "d00000", "relation": "viewers",
            "subjectNamespace": "Group", "subjectRelation": "members",
        });
        let (subjects, ..) = all(&harness, LIST_SUBJECTS, &groups).await;
        let staff = json!({ "set": { "namespace": "Group", "object": "staff", "relation": "members" } });
        assert_eq!(subjects, [staff]);
        for (object, relations) in [("mine", json!(["view", "viewers"])), ("d00001", json!(["banned", "viewers"]))] {
            let request = json!({ "namespace": "Doc", "object": object, "subject": user("ada") });
            let (_, answer) = call(&harness, LIST_RELATIONS, &request).await;
            assert_eq!(answer, json!({ "relations": relations, "snaptoken": token }));
        }
    })
    .await;
}

#[tokio::test]
async fn a_list_goes_on_after_changes_and_names_what_has_no_answer() {
    in_memory(section(), |harness| async move {
        let many: Vec<StoredTuple> = (0..6_000)
            .map(|number| format!("Doc:d{number:05}#viewers@User:ada").parse::<RelationTuple>().unwrap().into())
            .collect();
        for part in many.chunks(1_000) {
            write(&harness, part.to_vec()).await;
        }
        let token = write(&harness, vec![late("e", "ada", 9)]).await;
        let request = json!({ "namespace": "Doc", "relation": "viewers", "subject": user("ada") });
        let mut stream = Stream::open(&harness, LIST_OBJECTS, &request).await;
        let first = stream.next().await.unwrap();
        assert_eq!(first["objects"].as_array().unwrap().len(), 1_000);
        // The rest is searched later: what was there from the beginning is neither skipped nor repeated.
        insert(&harness, &["Doc:a#viewers@User:ada", "Doc:d05500x#viewers@User:ada"]).await;
        let mut names: Vec<Value> = first["objects"].as_array().unwrap().clone();
        let end = loop {
            let message = stream.next().await.unwrap();
            match message["objects"].as_array() {
                Some(objects) => names.extend(objects.iter().cloned()),
                None => break message["end"].clone(),
            }
        };
        let mut names: Vec<&str> = names.iter().map(|name| name.as_str().unwrap()).collect();
        assert!(names.is_sorted());
        names.retain(|name| *name != "d05500x");
        assert_eq!(names.len(), 6_000);
        assert_eq!(end["snaptoken"], token, "all later searches have what the first one had");
        assert!(
            end["unresolved"].as_str().unwrap().contains("\"late\" has no result: context.hour is missing"),
            "{end}"
        );
        assert_eq!(end.get("truncated"), None);
        let mut with_hour = request.clone();
        with_hour["context"] = json!({ "hour": 10 });
        let (names, _, end) = all(&harness, LIST_OBJECTS, &with_hour).await;
        assert_eq!((names.last(), end.get("unresolved")), (Some(&json!("e")), None));
        // A list that a limit cut short says so.
        let group =
            |number: usize| format!("Group:g{number}#members@Group:g{}#members", number + 1).parse::<RelationTuple>();
        write(&harness, (0..8).map(|number| group(number).unwrap().into()).collect()).await;
        insert(&harness, &["Group:g8#members@User:deep"]).await;
        let deep = json!({ "namespace": "Group", "relation": "members", "subject": user("deep") });
        let (_, _, end) = all(&harness, LIST_OBJECTS, &deep).await;
        assert!(end["truncated"].as_str().is_some_and(|it| !it.is_empty()), "{end}");
    })
    .await;
}

#[tokio::test]
async fn a_check_that_cannot_be_asked_names_its_field() {
    in_memory(section(), |harness| async move {
        let token = insert(&harness, &["Doc:plan#viewers@User:ada"]).await;
        let check = |name: &str, value: Value| {
            let mut request = json!({ "tuple": tuple("plan", "view", "ada") });
            request[name] = value;
            request
        };
        let mut foreign = tuple("plan", "view", "ada");
        foreign["namespace"] = json!("None");
        let nested = (0..20).fold(json!(1), |inner, _| json!({ "a": inner }));
        for (request, code, named) in [
            (json!({}), "invalid_argument", "tuple"),
            (check("tuple", json!({ "namespace": "Doc" })), "invalid_argument", "tuple.subject"),
            (check("tuple", foreign), "not_found", "tuple.namespace"),
            (check("tuple", tuple("plan", "fly", "ada")), "invalid_argument", "tuple.relation"),
            (
                check("consistency", json!({ "atLeastAsFresh": "x" })),
                "invalid_argument",
                "consistency.at_least_as_fresh",
            ),
            (
                check("consistency", json!({ "atLeastAsFresh": "" })),
                "invalid_argument",
                "consistency.at_least_as_fresh",
            ),
            (
                check("consistency", json!({ "fullyConsistent": false })),
                "invalid_argument",
                "consistency.fully_consistent",
            ),
            (
                check("consistency", json!({ "minimizeLatency": false })),
                "invalid_argument",
                "consistency.minimize_latency",
            ),
            (check("context", json!({ "text": "x".repeat(100_000) })), "invalid_argument", "context"),
            (check("context", nested), "invalid_argument", "context"),
        ] {
            let (_, error) = call(&harness, CHECK, &request).await;
            assert_eq!((&error["code"], field(&error)), (&json!(code), &json!(named)), "{error}");
        }
        // A misspelt member would ask another question.
        let (status, error) = call(&harness, CHECK, &check("consistensy", json!({}))).await;
        assert_eq!((status, &error["code"]), (400, &json!("invalid_argument")));
        let too_many = json!({ "tuples": vec![tuple("plan", "view", "ada"); 11] });
        assert_eq!(field(&call(&harness, BATCH_CHECK, &too_many).await.1), "tuples");
        let (status, _) = call(&harness, CHECK, &check("consistency", json!({ "atLeastAsFresh": token }))).await;
        assert_eq!(status, 200);
    })
    .await;
}

/// Each service has the token in a field of its own.
#[tokio::test]
async fn a_snapshot_that_does_not_exist_is_refused_with_the_field_of_its_token() {
    in_memory(section(), |harness| async move {
        insert(&harness, &["Doc:plan#viewers@User:ada"]).await;
        let sealer = harness.permissions.tokens.sealer(&harness.cx()).await.unwrap();
        let ahead = crate::domain::snapshot::Snapshot(i64::MAX);
        let token = crate::components::tokens::snaptoken(&sealer, harness.cx().tenant, ahead);
        let fresh = json!({ "atLeastAsFresh": token });
        let relations = json!({ "namespace": "Doc", "object": "plan", "subject": user("ada"), "consistency": fresh });
        let tuple = tuple("plan", "view", "ada");
        let keto = "ory.keto.relation_tuples.v1alpha2.CheckService/Check";
        for (method, request, named) in [
            (CHECK, json!({ "tuple": tuple, "consistency": fresh }), "consistency.at_least_as_fresh"),
            (BATCH_CHECK, json!({ "tuples": [tuple], "consistency": fresh }), "consistency.at_least_as_fresh"),
            (LIST_RELATIONS, relations, "consistency.at_least_as_fresh"),
            (keto, json!({ "tuple": tuple, "snaptoken": token }), "snaptoken"),
        ] {
            let (status, error) = call(&harness, method, &request).await;
            assert_eq!((status, &error["code"]), (400, &json!("failed_precondition")), "{method}");
            assert_eq!(field(&error), named, "{error}");
            assert!(error["message"].as_str().unwrap().starts_with(&format!("{named}: names a change")), "{error}");
        }
        let objects = json!({ "namespace": "Doc", "relation": "view", "subject": user("ada"), "consistency": fresh });
        let found = refused(&harness, LIST_OBJECTS, &objects).await;
        assert_eq!(found, ("failed_precondition".to_owned(), json!("consistency.at_least_as_fresh")));
    })
    .await;
}

#[tokio::test]
async fn a_list_that_cannot_be_asked_for_names_its_field() {
    in_memory(section(), |harness| async move {
        let objects = |name: &str, value: Value| {
            let mut request = json!({ "namespace": "Doc", "relation": "view", "subject": user("ada") });
            request[name] = value;
            request
        };
        let subjects =
            json!({ "namespace": "Doc", "object": "plan", "relation": "view", "subjectRelation": "members" });
        for (method, request, code, named) in [
            (LIST_OBJECTS, objects("namespace", json!("None")), "not_found", "namespace"),
            (LIST_OBJECTS, objects("relation", json!("fly")), "invalid_argument", "relation"),
            (LIST_OBJECTS, objects("subject", json!({})), "invalid_argument", "subject"),
            (
                LIST_OBJECTS,
                objects("subject", json!({ "set": { "namespace": "None" } })),
                "not_found",
                "subject.set.namespace",
            ),
            (
                LIST_OBJECTS,
                objects("consistency", json!({ "atLeastAsFresh": "x" })),
                "invalid_argument",
                "consistency.at_least_as_fresh",
            ),
            (LIST_SUBJECTS, subjects, "invalid_argument", "subject_namespace"),
        ] {
            let found = refused(&harness, method, &request).await;
            assert_eq!(found, (code.to_owned(), json!(named)), "{request}");
        }
    })
    .await;
}

#[tokio::test]
async fn lists_that_are_sent_have_a_bound_and_end_at_the_shutdown() {
    on_both(section(), |harness| async move {
        let following = harness.follow();
        harness.is_ready().await;
        insert(&harness, &["Doc:plan#viewers@User:ada"]).await;
        let request = json!({ "namespace": "Doc", "relation": "view", "subject": user("ada") });
        let router = harness.permissions.read_router();
        let mut streams = Vec::new();
        for _ in 0..64 {
            streams.push(Stream::of(&harness, router.clone(), LIST_OBJECTS, &request).await);
        }
        let end = Stream::of(&harness, router.clone(), LIST_OBJECTS, &request).await.next().await.unwrap_err();
        assert_eq!(end["error"]["code"], "resource_exhausted");
        streams.pop();
        let mut stream = Stream::of(&harness, router.clone(), LIST_OBJECTS, &request).await;
        assert_eq!(stream.next().await, Ok(json!({ "objects": ["plan"] })));
        following.stop().await;
        assert_eq!(stream.next().await.unwrap_err()["error"]["code"], "unavailable", "an incomplete list has no end");
    })
    .await;
}

#[tokio::test]
async fn lists_without_relation_tuples_in_memory_are_unavailable() {
    on_both(section(), |harness| async move {
        insert(&harness, &["Doc:plan#viewers@User:ada"]).await;
        let request = json!({ "namespace": "Doc", "relation": "view", "subject": user("ada") });
        assert_eq!(refused(&harness, LIST_OBJECTS, &request).await.0, "unavailable");
    })
    .await;
}

#[tokio::test]
async fn subjects_that_are_ids_are_listed_as_ids() {
    in_memory(plain(), |harness| async move {
        insert(
            &harness,
            &["Doc:a#viewer@bob", "Doc:a#viewer@ada", "Doc:a#viewer@Group:g#member", "Group:g#member@eve"],
        )
        .await;
        let mut request = json!({ "namespace": "Doc", "object": "a", "relation": "viewer" });
        let (subjects, ..) = all(&harness, LIST_SUBJECTS, &request).await;
        assert_eq!(subjects, ["ada", "bob", "eve"].map(|id| json!({ "id": id })));
        request["subjectNamespace"] = json!("Group");
        request["subjectRelation"] = json!("member");
        let group = json!({ "set": { "namespace": "Group", "object": "g", "relation": "member" } });
        assert_eq!(all(&harness, LIST_SUBJECTS, &request).await.0, [group]);
    })
    .await;
}
