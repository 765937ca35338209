//! Explanations of checks, and reverse questions.

use std::collections::BTreeSet;

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::harness::{Harness, on_both, on_both_readers, plain};
use crate::testing::generator::Dice;

const MODEL: &str = r#"
const late: Condition = "context.hour >= tuple.from"
class User implements Namespace {}
class Group implements Namespace { related: { members: (User | SubjectSet<Group, "members">)[] } }
class Folder implements Namespace {
    related: { viewers: (User | SubjectSet<Group, "members">)[] }
    permits = { view: (ctx: Context): boolean => this.related.viewers.includes(ctx.subject) }
}
class Doc implements Namespace {
    related: {
        parents: Folder[]
        viewers: (User | SubjectSet<Group, "members"> | When<User, "late">)[]
        editors: (User | SubjectSet<Group, "members">)[]
        banned: User[]
    }
    permits = {
        view: (ctx: Context): boolean => this.related.viewers.includes(ctx.subject) ||
            this.related.parents.traverse((it) => it.permits.view(ctx)) || this.permits.edit(ctx),
        edit: (ctx: Context): boolean =>
            this.related.editors.includes(ctx.subject) && !this.related.banned.includes(ctx.subject),
    }
}
"#;

fn section() -> Value {
    let location = format!("base64://{}", STANDARD.encode(MODEL));
    json!({ "namespaces": { "location": location }, "write_validation": "strict" })
}

/// Runs `test` with the relation tuples in memory.
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

/// A tuple from its text.
fn tuple(text: &str) -> Value {
    let parsed: crate::domain::relation_tuple::RelationTuple = text.parse().unwrap();
    let stored = crate::domain::relation_tuple::StoredTuple::from(parsed);
    let mut tuple = json!({
        "namespace": stored.tuple.namespace, "object": stored.tuple.object, "relation": stored.tuple.relation,
    });
    match stored.tuple.subject {
        crate::domain::relation_tuple::Subject::Id(id) => tuple["subject_id"] = json!(id),
        crate::domain::relation_tuple::Subject::Set(set) => {
            tuple["subject_set"] =
                json!({ "namespace": set.namespace, "object": set.object, "relation": set.relation });
        }
    }
    tuple
}

async fn change(harness: &mut Harness, action: &str, tuples: &[Value]) -> String {
    let deltas: Value = tuples.iter().map(|it| json!({ "action": action, "relation_tuple": it })).collect();
    let reply = harness.write.json(Method::PATCH, "/admin/relation-tuples", &deltas).await.expect(204);
    reply.header("snaptoken").unwrap().to_owned()
}

async fn insert(harness: &mut Harness, texts: &[&str]) -> String {
    let tuples: Vec<Value> = texts.iter().map(|text| tuple(text)).collect();
    change(harness, "insert", &tuples).await
}

/// The texts of the steps.
fn texts(steps: &Value) -> Vec<&str> {
    let steps = steps.as_array().unwrap_or_else(|| panic!("{steps}"));
    steps.iter().map(|step| step["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_explanation_names_the_way_that_grants_or_what_is_missing() {
    on_both_readers(section(), |mut harness| async move {
        let plan =
            ["Doc:plan#viewers@Group:staff#members", "Group:staff#members@User:ada", "Doc:plan#editors@User:eve"];
        insert(&mut harness, &plan).await;
        insert(&mut harness, &["Doc:plan#banned@User:eve"]).await;
        let path = "/relation-tuples/check/openapi?explain=true";
        let granted = harness.read.post_json(path, &tuple("Doc:plan#view@User:ada")).await.expect(200);
        assert_eq!(granted.at("/allowed"), true);
        assert_eq!(
            texts(granted.at("/explanation/path")),
            [
                "Doc:plan#view includes Doc:plan#viewers",
                "the tuple Doc:plan#viewers@Group:staff#members",
                "the tuple Group:staff#members@User:ada"
            ]
        );
        assert!(granted.header("snaptoken").is_some());
        let denied = harness.read.post_json(path, &tuple("Doc:plan#viewers@User:bob")).await.expect(200);
        assert_eq!(denied.at("/allowed"), false);
        let missing = texts(denied.at("/explanation/nearest_miss"));
        assert_eq!(missing, ["no tuple leads from Doc:plan#viewers to the subject"]);
        // A name that no tuple has is that of the question.
        let denied = harness.read.post_json(path, &tuple("Doc:none#viewers@User:none")).await.expect(200);
        let missing = texts(denied.at("/explanation/nearest_miss"));
        assert_eq!(missing, ["no tuple leads from Doc:none#viewers to the subject"]);
        let banned = harness.read.post_json(path, &tuple("Doc:plan#edit@User:eve")).await.expect(200);
        let steps = texts(banned.at("/explanation/nearest_miss"));
        assert_eq!(steps.last(), Some(&"the tuple Doc:plan#banned@User:eve"), "{banned}");
        assert!(steps.iter().any(|it| it.starts_with("excluded from Doc:plan, because of:")), "{banned}");
        assert_eq!(banned.at("/explanation/nearest_miss/0/level"), 0);

        let query = "namespace=Doc&object=plan&relation=view&subject_set.namespace=User&subject_set.object=bob\
                     &subject_set.relation=";
        let reply = harness.read.get(&format!("/relation-tuples/check?{query}&explain=true")).await.expect(403);
        assert!(!texts(reply.at("/explanation/nearest_miss")).is_empty(), "{reply}");
        // Without the parameter the body is that of Keto.
        for more in ["", "&explain=false", "&explain="] {
            let reply = harness.read.get(&format!("/relation-tuples/check?{query}{more}")).await.expect(403);
            assert_eq!(reply.text, "{\"allowed\":false}");
        }
        let refused = harness.read.get(&format!("/relation-tuples/check?{query}&explain=1")).await.expect(400);
        assert_eq!(refused.at("/error/details/field"), "explain", "{refused}");
    })
    .await;
}

#[tokio::test]
async fn an_explanation_names_the_namespace_and_the_relation_that_do_not_exist() {
    on_both_readers(section(), |mut harness| async move {
        let path = "/relation-tuples/check?explain=true";
        let reply = harness.read.post_json(path, &tuple("Ship:a#view@User:ada")).await.expect(403);
        assert!(texts(reply.at("/explanation/nearest_miss"))[0].contains("no namespace \"Ship\""), "{reply}");
        let reply = harness.read.post_json(path, &tuple("Doc:a#fly@User:ada")).await.expect(400);
        assert_eq!(reply.at("/error/details/field"), "relation", "{reply}");
    })
    .await;
}

#[tokio::test]
async fn an_explanation_names_the_condition_and_what_it_lacks() {
    on_both_readers(section(), |mut harness| async move {
        let mut conditional = tuple("Doc:plan#viewers@User:ada");
        conditional["condition"] = json!({ "name": "late", "context": { "from": 18 } });
        change(&mut harness, "insert", &[conditional]).await;
        let path = "/relation-tuples/check/openapi?explain=true";
        let mut question = tuple("Doc:plan#view@User:ada");
        let reply = harness.read.post_json(path, &question).await.expect(422);
        assert_eq!(reply.at("/error/details/limitation"), "condition_without_result");
        let steps = texts(reply.at("/error/details/explanation/nearest_miss"));
        assert_eq!(steps.last(), Some(&"the condition late has no result: context.hour is missing"), "{reply}");
        for (hour, member, last) in
            [(9, "nearest_miss", "the condition late does not hold"), (20, "path", "the condition late holds")]
        {
            question["context"] = json!({ "hour": hour });
            let reply = harness.read.post_json(path, &question).await.expect(200);
            assert_eq!(texts(reply.at(&format!("/explanation/{member}"))).last(), Some(&last), "{reply}");
        }
        // Without an explanation the error is as before.
        question.as_object_mut().unwrap().remove("context");
        let reply = harness.read.post_json("/relation-tuples/check/openapi", &question).await.expect(422);
        assert!(reply.json.pointer("/error/details/explanation").is_none(), "{reply}");
        let reason = "the condition \"late\" has no result: context.hour is missing";
        assert_eq!(reply.at("/error/reason"), reason, "{reply}");
        let batch = json!({ "tuples": [question] });
        let reply = harness.read.post_json("/relation-tuples/batch/check", &batch).await.expect(200);
        assert_eq!(reply.at("/results/0/error"), reason, "{reply}");
    })
    .await;
}

/// All pages of a list, as texts.
async fn all(harness: &mut Harness, path: &str, member: &str) -> Vec<String> {
    let (mut found, mut token) = (Vec::new(), String::new());
    loop {
        let page = harness.read.get(&format!("{path}&page_size=2&page_token={token}")).await.expect(200);
        assert!(page.header("snaptoken").is_some_and(|it| !it.is_empty()), "{page}");
        assert!(page.json.get("truncated").is_none() && page.json.get("unresolved").is_none(), "{page}");
        let items = page.at(&format!("/{member}")).as_array().unwrap().clone();
        assert!(items.len() <= 2);
        found.extend(items.iter().map(|item| match item {
            Value::String(name) => name.clone(),
            subject => {
                subject.pointer("/subject_set/object").or(subject.get("subject_id")).unwrap().as_str().unwrap().into()
            }
        }));
        token = page.string("/next_page_token");
        if token.is_empty() {
            return found;
        }
    }
}

async fn is_allowed(harness: &mut Harness, text: &str) -> bool {
    let reply = harness.read.post_json("/relation-tuples/check/openapi", &tuple(text)).await.expect(200);
    reply.at("/allowed") == true
}

const RELATIONS: [&str; 6] = ["parents", "viewers", "editors", "banned", "view", "edit"];

/// Relation tuples of the model, without conditions.
fn random_tuples(dice: &mut Dice) -> Vec<Value> {
    let texts: BTreeSet<String> = (0..40)
        .map(|_| {
            let (doc, user, group) = (dice.below(5), dice.below(4), dice.below(3));
            match dice.below(7) {
                0 => format!("Doc:d{doc}#viewers@User:u{user}"),
                1 => format!("Doc:d{doc}#viewers@Group:g{group}#members"),
                2 => format!("Doc:d{doc}#editors@User:u{user}"),
                3 => format!("Doc:d{doc}#banned@User:u{user}"),
                4 => format!("Doc:d{doc}#parents@Folder:f{group}"),
                5 => format!("Folder:f{group}#viewers@Group:g{}#members", dice.below(3)),
                _ => format!("Group:g{group}#members@User:u{user}"),
            }
        })
        .collect();
    texts.iter().map(|text| tuple(text)).collect()
}

#[tokio::test]
async fn lists_have_exactly_what_checks_allow() {
    in_memory(section(), |mut harness| async move {
        let tuples = random_tuples(&mut Dice::new(7));
        change(&mut harness, "insert", &tuples).await;
        let (docs, users) = (["d0", "d1", "d2", "d3", "d4"], ["u0", "u1", "u2", "u3"]);
        let mut count = 0;
        let mut allowed = BTreeSet::new();
        for (doc, user) in docs.iter().flat_map(|doc| users.map(|user| (*doc, user))) {
            for relation in RELATIONS {
                if is_allowed(&mut harness, &format!("Doc:{doc}#{relation}@User:{user}")).await {
                    allowed.insert((doc, relation, user));
                }
            }
        }
        for relation in RELATIONS {
            for user in users {
                let subject = format!("subject_set.namespace=User&subject_set.object={user}&subject_set.relation=");
                let path = format!("/relation-tuples/objects?namespace=Doc&relation={relation}&{subject}");
                let expected: Vec<&str> =
                    docs.into_iter().filter(|doc| allowed.contains(&(*doc, relation, user))).collect();
                assert_eq!(all(&mut harness, &path, "objects").await, expected, "{path}");
                count += expected.len();
            }
            for doc in docs {
                let question = format!("namespace=Doc&object={doc}&relation={relation}&subject_namespace=User");
                let path = format!("/relation-tuples/subjects?{question}");
                let expected: Vec<&str> =
                    users.into_iter().filter(|user| allowed.contains(&(doc, relation, user))).collect();
                assert_eq!(all(&mut harness, &path, "subjects").await, expected, "{path}");
            }
        }
        for (doc, user) in docs.iter().flat_map(|doc| users.map(|user| (*doc, user))) {
            let subject = format!("subject_set.namespace=User&subject_set.object={user}&subject_set.relation=");
            let path = format!("/relation-tuples/relations?namespace=Doc&object={doc}&{subject}");
            let mut expected: Vec<&str> =
                RELATIONS.into_iter().filter(|relation| allowed.contains(&(doc, relation, user))).collect();
            expected.sort_unstable();
            assert_eq!(all(&mut harness, &path, "relations").await, expected, "{path}");
        }
        assert!(count > 20, "the lists are almost empty: {count}");
    })
    .await;
}

#[tokio::test]
async fn subjects_are_ids_objects_or_subject_sets() {
    in_memory(plain(), |mut harness| async move {
        let viewers = ["Doc:a#viewer@ada", "Doc:a#viewer@Group:g#member", "Doc:a#viewer@Group:h", "Group:g#member@bob"];
        insert(&mut harness, &viewers).await;
        let path = "/relation-tuples/subjects?namespace=Doc&object=a&relation=viewer";
        let reply = harness.read.get(path).await.expect(200);
        let ids = json!([{ "subject_id": "ada" }, { "subject_id": "bob" }]);
        assert_eq!(reply.json, json!({ "subjects": ids, "next_page_token": "" }));
        for (relation, parameters, object) in
            [("", "&subject_namespace=Group", "h"), ("member", "&subject_namespace=Group&subject_relation=member", "g")]
        {
            let reply = harness.read.get(&format!("{path}{parameters}")).await.expect(200);
            let set = json!({ "namespace": "Group", "object": object, "relation": relation });
            assert_eq!(reply.at("/subjects"), &json!([{ "subject_set": set }]), "{parameters}");
        }
        let objects = "/relation-tuples/objects?namespace=Doc&relation=viewer&subject_id=bob";
        assert_eq!(harness.read.get(objects).await.expect(200).text, "{\"objects\":[\"a\"],\"next_page_token\":\"\"}");
        let relations = "/relation-tuples/relations?namespace=Doc&object=a&subject_id=bob";
        assert_eq!(harness.read.get(relations).await.expect(200).at("/relations"), &json!(["viewer"]));
        // The same question as a body.
        let body = json!({ "namespace": "Doc", "relation": "viewer", "subject_id": "bob" });
        let reply = harness.read.post_json("/relation-tuples/objects", &body).await.expect(200);
        assert_eq!(reply.at("/objects"), &json!(["a"]));
        let body = json!({ "namespace": "Doc", "object": "a", "relation": "viewer", "subject_namespace": "Group" });
        let reply = harness.read.post_json("/relation-tuples/subjects", &body).await.expect(200);
        assert_eq!(reply.at("/subjects/0/subject_set/object"), "h");
        let body = json!({ "namespace": "Doc", "object": "a", "subject_id": "bob" });
        let reply = harness.read.post_json("/relation-tuples/relations", &body).await.expect(200);
        assert_eq!(reply.at("/relations"), &json!(["viewer"]));
    })
    .await;
}

#[tokio::test]
async fn a_list_that_is_not_complete_says_so() {
    in_memory(section(), |mut harness| async move {
        let mut conditional = tuple("Doc:plan#viewers@User:ada");
        conditional["condition"] = json!({ "name": "late", "context": { "from": 18 } });
        change(&mut harness, "insert", &[conditional, tuple("Doc:memo#viewers@User:ada")]).await;
        let set = json!({ "namespace": "User", "object": "ada", "relation": "" });
        let mut body = json!({ "namespace": "Doc", "relation": "view", "subject_set": set });
        let reply = harness.read.post_json("/relation-tuples/objects", &body).await.expect(200);
        assert_eq!(reply.at("/objects"), &json!(["memo"]));
        assert!(reply.string("/unresolved").contains("\"late\" has no result: context.hour is missing"), "{reply}");
        for (hour, objects) in [(9, json!(["memo"])), (20, json!(["memo", "plan"]))] {
            body["context"] = json!({ "hour": hour });
            let reply = harness.read.post_json("/relation-tuples/objects", &body).await.expect(200);
            assert_eq!(reply.json, json!({ "objects": objects, "next_page_token": "" }), "{hour}");
        }
        let far = ["Group:g#members@User:bob", "Group:h#members@Group:g#members", "Doc:deep#viewers@Group:h#members"];
        insert(&mut harness, &far).await;
        let path = "/relation-tuples/objects?namespace=Doc&relation=view&subject_set.namespace=User\
                    &subject_set.object=bob&subject_set.relation=";
        assert_eq!(harness.read.get(path).await.expect(200).at("/objects"), &json!(["deep"]));
        let reply = harness.read.get(&format!("{path}&max-depth=1")).await.expect(200);
        assert_eq!(reply.at("/objects"), &json!([]));
        assert!(reply.string("/truncated").contains("max-depth"), "{reply}");
    })
    .await;
}

#[tokio::test]
async fn pages_go_on_behind_the_last_result_while_tuples_change() {
    in_memory(plain(), |mut harness| async move {
        let text = |index: usize| format!("Doc:d{index}#viewer@ada");
        let first: Vec<String> = (10..19).map(text).collect();
        insert(&mut harness, &first.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let path = "/relation-tuples/objects?namespace=Doc&relation=viewer&subject_id=ada&page_size=4";
        let (mut names, mut token, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let page = harness.read.get(&format!("{path}&page_token={token}")).await.expect(200);
            names.extend(page.at("/objects").as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()));
            pages += 1;
            // One in front of the position, one behind it, and the result at the position itself.
            insert(&mut harness, &[&format!("Doc:d0{pages}#viewer@ada"), &format!("Doc:d9{pages}#viewer@ada")]).await;
            change(&mut harness, "delete", &[tuple(&format!("Doc:{}#viewer@ada", names.last().unwrap()))]).await;
            token = page.string("/next_page_token");
            if token.is_empty() {
                break;
            }
        }
        let expected: Vec<String> = (10..19).chain([91, 92]).map(|index| format!("d{index}")).collect();
        assert_eq!((names, pages), (expected, 3));
    })
    .await;
}

#[tokio::test]
async fn a_page_token_belongs_to_its_question() {
    in_memory(plain(), |mut harness| async move {
        insert(&mut harness, &["Doc:a#viewer@ada", "Doc:b#viewer@ada", "Doc:c#viewer@ada"]).await;
        let body =
            json!({ "namespace": "Doc", "relation": "viewer", "subject_id": "ada", "context": { "x": 1, "y": 2 } });
        let reply = harness.read.post_json("/relation-tuples/objects?page_size=1", &body).await.expect(200);
        let token = reply.string("/next_page_token");
        let changed = |member: &str, value: Value| {
            let mut body = body.clone();
            body[member] = value;
            body
        };
        let path = format!("/relation-tuples/objects?page_token={token}");
        for (path, body) in [
            (path.clone(), changed("relation", json!("owner"))),
            (path.clone(), changed("subject_id", json!("bob"))),
            (path.clone(), changed("context", json!({ "x": 1 }))),
            (format!("{path}&max-depth=2"), body.clone()),
        ] {
            let refused = harness.read.post_json(&path, &body).await.expect(400);
            assert_eq!(refused.at("/error/details/field"), "page_token", "{refused}");
        }
        let relations = format!("/relation-tuples/relations?page_token={token}");
        let question = json!({ "namespace": "Doc", "object": "viewer", "subject_id": "ada" });
        harness.read.post_json(&relations, &question).await.expect(400);
        // The size of a page and the order of members may change.
        let same = changed("context", json!({ "y": 2, "x": 1 }));
        let reply = harness.read.post_json(&format!("{path}&page_size=5"), &same).await.expect(200);
        assert_eq!(reply.json, json!({ "objects": ["b", "c"], "next_page_token": "" }));
    })
    .await;
}

#[tokio::test]
async fn a_parameter_that_is_not_valid_is_named() {
    in_memory(section(), |mut harness| async move {
        let ada = "subject_set.namespace=User&subject_set.object=ada&subject_set.relation=";
        let objects = format!("objects?namespace=Doc&relation=view&{ada}");
        let subjects = "subjects?namespace=Doc&object=a&relation=view&subject_namespace=User".to_owned();
        for (status, path, field) in [
            (400, format!("objects?relation=view&{ada}"), "namespace"),
            (400, format!("objects?namespace=Doc&{ada}"), "relation"),
            (400, "objects?namespace=Doc&relation=view".to_owned(), "subject_id"),
            (400, format!("{objects}&subject_id=ada"), "subject_id"),
            (404, format!("objects?namespace=Ship&relation=view&{ada}"), "namespace"),
            (404, objects.replace("User", "Ship"), "subject_set.namespace"),
            (400, objects.replace("=view", "=fly"), "relation"),
            (400, format!("{objects}&max-depth=x"), "max-depth"),
            (400, format!("{objects}&latest=yes"), "latest"),
            (400, format!("{objects}&snaptoken=x"), "snaptoken"),
            (400, "subjects?namespace=Doc&relation=view".to_owned(), "object"),
            (
                400,
                "subjects?namespace=Doc&object=a&relation=view&subject_relation=members".to_owned(),
                "subject_namespace",
            ),
            (404, subjects.replace("User", "Ship"), "subject_namespace"),
            (404, subjects.replace("User", ""), "subject_namespace"),
            (400, format!("{}&subject_relation=fly", subjects.replace("User", "Group")), "subject_relation"),
            (400, format!("relations?namespace=Doc&{ada}"), "object"),
        ] {
            let refused = harness.read.get(&format!("/relation-tuples/{path}")).await.expect(status);
            assert_eq!(refused.at("/error/details/field"), field, "{path}: {refused}");
        }
        for (path, text) in [
            (format!("{objects}&subject_namespace=User"), "\"subject_namespace\" is not a parameter"),
            (format!("{subjects}&page_sise=1"), "\"page_sise\" is not a parameter"),
            (format!("{objects}&page_size=x"), "page_size: not a whole number"),
            (format!("{objects}&page_token=x"), "page_token: not a token"),
        ] {
            let refused = harness.read.get(&format!("/relation-tuples/{path}")).await.expect(400);
            assert!(refused.text.contains(&text.replace('"', "\\\"")), "{path}: {refused}");
        }
        for (path, body, text) in [
            ("objects", json!({ "namespace": "Doc", "relation": "view", "subject": "ada" }), "subject"),
            ("objects", json!({ "relation": "view", "subject_id": "ada" }), "namespace: is required"),
            ("objects", json!({ "namespace": "Doc", "relation": 5, "subject_id": "ada" }), "relation"),
            ("subjects", json!({ "namespace": "Doc", "object": "a", "relation": "view", "context": [] }), "context"),
            ("relations", json!({ "namespace": "Doc", "object": "a" }), "subject_id"),
            ("relations", json!([]), "expected a JSON object"),
            ("relations?namespace=Doc", json!({ "object": "a", "subject_id": "b" }), "is not a parameter"),
        ] {
            let refused = harness.read.post_json(&format!("/relation-tuples/{path}"), &body).await.expect(400);
            assert!(refused.text.contains(text), "{path} {body}: {refused}");
        }
    })
    .await;
}

#[tokio::test]
async fn strict_mode_lists_no_subject_ids() {
    let mut strict = section();
    strict["feature_flags"] = json!({ "strict_mode": true });
    in_memory(strict, |mut harness| async move {
        let path = "/relation-tuples/subjects?namespace=Doc&object=a&relation=view";
        let refused = harness.read.get(path).await.expect(400);
        assert_eq!(refused.at("/error/details/field"), "subject_namespace", "{refused}");
        harness.read.get(&format!("{path}&subject_namespace=User")).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_list_has_the_snapshot_that_it_is_asked_for_and_needs_the_tuples_in_memory() {
    let path = "/relation-tuples/objects?namespace=Doc&relation=viewer&subject_id=ada";
    in_memory(plain(), |mut harness| async move {
        for index in 0..20 {
            let token = insert(&mut harness, &[&format!("Doc:d{index:02}#viewer@ada")]).await;
            for more in [format!("snaptoken={token}"), "latest=true".to_owned()] {
                let reply = harness.read.get(&format!("{path}&{more}")).await.expect(200);
                assert_eq!(reply.at("/objects").as_array().unwrap().len(), index + 1, "{more}");
                assert_eq!(reply.header("snaptoken"), Some(token.as_str()), "{more}");
            }
        }
    })
    .await;
    on_both(plain(), |mut harness| async move {
        let reply = harness.read.get(path).await.expect(503);
        assert!(reply.text.contains("not in memory"), "{reply}");
        assert_eq!(reply.header("retry-after"), Some("5"));
    })
    .await;
}
