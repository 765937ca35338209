//! Checks, batches and expansions, as a client sees them.

use std::time::Duration;

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::harness::{Harness, on_both, on_both_readers, plain};

const MODEL: &str = r#"
const hours: Condition = "context.hour >= tuple.from"
class User implements Namespace {}
class Group implements Namespace { related: { members: (User | SubjectSet<Group, "members">)[] } }
class Folder implements Namespace {
    related: { parents: Folder[] viewers: (User | SubjectSet<Group, "members">)[] }
    permits = { view: (ctx: Context): boolean => this.related.viewers.includes(ctx.subject) ||
        this.related.parents.traverse((p) => p.permits.view(ctx)) }
}
class Doc implements Namespace {
    related: { parents: Folder[] owners: User[] banned: User[] guests: When<User, "hours">[] }
    permits = {
        view: (ctx: Context): boolean => (this.related.owners.includes(ctx.subject) || this.related.guests.includes(ctx.subject) ||
            this.related.parents.traverse((p) => p.permits.view(ctx))) && !this.related.banned.includes(ctx.subject),
        loop: (ctx: Context): boolean => this.permits.pool(ctx),
        pool: (ctx: Context): boolean => this.permits.loop(ctx),
    }
}
"#;

fn section() -> Value {
    let location = format!("base64://{}", STANDARD.encode(MODEL));
    json!({ "namespaces": { "location": location }, "write_validation": "strict" })
}

/// `Doc:a#owners@User:ada` and so on; a subject without a colon is an id.
fn tuple(text: &str) -> Value {
    let (object, subject) = text.split_once('@').unwrap();
    let parts = |text: &str| {
        let (namespace, rest) = text.split_once(':').unwrap();
        let (object, relation) = rest.split_once('#').unwrap_or((rest, ""));
        json!({ "namespace": namespace, "object": object, "relation": relation })
    };
    let mut tuple = parts(object);
    if subject.contains(':') {
        tuple["subject_set"] = parts(subject);
    } else {
        tuple["subject_id"] = json!(subject);
    }
    tuple
}

fn query(text: &str) -> String {
    let tuple = tuple(text);
    let part = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for name in ["namespace", "object", "relation", "subject_id"] {
        if let Some(value) = tuple.get(name) {
            query.append_pair(name, &part(value));
        }
    }
    if let Some(set) = tuple.get("subject_set") {
        for name in ["namespace", "object", "relation"] {
            query.append_pair(&format!("subject_set.{name}"), &part(&set[name]));
        }
    }
    query.finish()
}

async fn write(harness: &mut Harness, tuples: &[&str]) {
    let deltas: Value = tuples.iter().map(|it| json!({ "action": "insert", "relation_tuple": tuple(it) })).collect();
    harness.write.json(Method::PATCH, "/admin/relation-tuples", &deltas).await.expect(204);
}

/// The answers of all four endpoints, which must agree.
async fn check(harness: &mut Harness, text: &str) -> bool {
    let query = query(text);
    let mut answers = Vec::new();
    for (path, denied) in [("/relation-tuples/check", 403), ("/relation-tuples/check/openapi", 200)] {
        for reply in
            [harness.read.get(&format!("{path}?{query}")).await, harness.read.post_json(path, &tuple(text)).await]
        {
            let allowed = reply.at("/allowed").as_bool().unwrap();
            assert_eq!(reply.json, json!({ "allowed": allowed }));
            assert_eq!(reply.status, if allowed { 200 } else { denied });
            answers.push(allowed);
        }
    }
    assert!(answers.iter().all(|it| *it == answers[0]), "{text}: {answers:?}");
    answers[0]
}

#[tokio::test]
async fn permits_follow_from_tuples_over_groups_and_parents() {
    on_both_readers(section(), |mut harness| async move {
        let tuples = [
            "Doc:a#owners@User:ada",
            "Doc:a#banned@User:eve",
            "Doc:a#parents@Folder:f",
            "Folder:f#parents@Folder:root",
            "Folder:root#viewers@Group:g#members",
            "Group:g#members@Group:h#members",
            "Group:h#members@User:bob",
            "Group:h#members@User:eve",
        ];
        write(&mut harness, &tuples).await;
        for (text, allowed) in [
            ("Doc:a#view@User:ada", true),
            ("Doc:a#owners@User:ada", true),
            ("Doc:a#view@User:bob", true),
            ("Folder:root#viewers@User:bob", true),
            ("Doc:a#view@User:eve", false),
            ("Folder:f#view@User:eve", true),
            ("Doc:a#view@User:Ada", false),
            ("Doc:a#view@ada", false),
            ("Doc:b#view@User:ada", false),
            ("Folder:root#viewers@Group:g#members", true),
            ("Folder:root#viewers@Group:g", false),
        ] {
            assert_eq!(check(&mut harness, text).await, allowed, "{text}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_exhausted_limit_and_a_cycle_of_permits_have_no_answer() {
    let mut section = section();
    section["limit"] = json!({ "max_read_depth": 9, "max_read_width": 3 });
    on_both_readers(section, |mut harness| async move {
        let chain: Vec<String> = (0..9).map(|it| format!("Folder:{it}#parents@Folder:{}", it + 1)).collect();
        write(&mut harness, &chain.iter().map(String::as_str).collect::<Vec<_>>()).await;
        write(&mut harness, &["Folder:3#viewers@User:ada", "Folder:9#viewers@User:ada"]).await;
        let get = async |harness: &mut Harness, text: &str, depth: &str| {
            harness.read.get(&format!("/relation-tuples/check?{}&max-depth={depth}", query(text))).await
        };
        get(&mut harness, "Folder:0#view@User:ada", "5").await.expect(200);
        let cut = get(&mut harness, "Folder:4#view@User:ada", "3").await.expect(422);
        assert_eq!(cut.at("/error/details/limitation"), "max_depth_exceeded");
        assert_eq!(cut.at("/error/message"), "The check could not be completed");
        // Outside of its range the depth is the configured one.
        for depth in ["0", "-1", "10", "0x10"] {
            get(&mut harness, "Folder:4#view@User:ada", depth).await.expect(200);
        }
        get(&mut harness, "Folder:4#view@User:ada", "x").await.expect(400);
        let cyclic = get(&mut harness, "Doc:a#loop@User:ada", "5").await.expect(422);
        assert_eq!(cyclic.at("/error/details/limitation"), "cyclic_permits");
        let groups: Vec<String> = (0..5).map(|it| format!("Folder:w#viewers@Group:{it}#members")).collect();
        write(&mut harness, &groups.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let wide = get(&mut harness, "Folder:w#viewers@User:ada", "5").await.expect(422);
        assert_eq!(wide.at("/error/details/limitation"), "max_width_exceeded");
        write(&mut harness, &["Folder:w#viewers@User:ada"]).await;
        get(&mut harness, "Folder:w#viewers@User:ada", "5").await.expect(200);
        // A cycle of parents ends.
        write(&mut harness, &["Folder:x#parents@Folder:y", "Folder:y#parents@Folder:x"]).await;
        get(&mut harness, "Folder:x#view@User:ada", "5").await.expect(403);
    })
    .await;
}

/// As many as the limit are followed, as in Keto: the subject may be the member of the last one.
#[tokio::test]
async fn a_depth_is_the_number_of_subject_sets_and_parents_that_are_followed() {
    let mut section = section();
    section["limit"] = json!({ "max_read_depth": 5 });
    on_both_readers(section, |mut harness| async move {
        let groups = (1..7).map(|it| format!("Group:{it}#members@Group:{}#members", it - 1));
        let folders = (1..7).map(|it| format!("Folder:{it}#parents@Folder:{}", it - 1));
        let through = (0..6).map(|it| format!("Folder:x{it}#viewers@Group:{it}#members"));
        let all: Vec<String> = groups.chain(folders).chain(through).collect();
        write(&mut harness, &all.iter().map(String::as_str).collect::<Vec<_>>()).await;
        write(&mut harness, &["Group:0#members@User:zoe", "Folder:0#viewers@User:zoe"]).await;
        let granted = ["Group:5#members", "Folder:5#view", "Folder:x4#viewers", "Folder:x4#view"];
        let cut = ["Group:6#members", "Folder:6#view", "Folder:x5#viewers", "Folder:x5#view"];
        for (granted, cut) in granted.into_iter().zip(cut) {
            let path = |text: &str| format!("/relation-tuples/check?{}", query(&format!("{text}@User:zoe")));
            harness.read.get(&path(granted)).await.expect(200);
            let reply = harness.read.get(&path(cut)).await.expect(422);
            assert_eq!(reply.at("/error/details/limitation"), "max_depth_exceeded", "{cut}");
        }
        for (text, depth, status) in
            [("Group:1#members", 1, 200), ("Group:2#members", 1, 422), ("Group:0#members", 1, 200)]
        {
            let text = query(&format!("{text}@User:zoe"));
            harness.read.get(&format!("/relation-tuples/check?{text}&max-depth={depth}")).await.expect(status);
        }
    })
    .await;
}

#[tokio::test]
async fn unknown_names_are_denied_or_refused_as_in_keto() {
    on_both_readers(section(), |mut harness| async move {
        assert!(!check(&mut harness, "Nope:a#view@User:ada").await);
        assert!(!check(&mut harness, "Doc:a#view@Nope:ada").await);
        let refused =
            harness.read.get(&format!("/relation-tuples/check?{}", query("Doc:a#nope@User:ada"))).await.expect(400);
        assert_eq!(refused.string("/error/reason"), "relation \"nope\" does not exist");
        assert!(!check(&mut harness, "User:a#anything@User:ada").await);
        assert!(!check(&mut harness, "Doc:a@User:ada").await);
        for query in [
            "namespace=Doc&object=a&relation=view",
            "object=a&relation=view&subject_id=ada",
            "namespace=Doc&object=a&relation=view&subject_id=a&subject_set.namespace=User",
            "namespace=Doc&object=a&relation=view&subject=ada",
            "namespace=Doc&object=a&relation=view&subject_id=ada&snaptoken=x",
        ] {
            harness.read.get(&format!("/relation-tuples/check?{query}")).await.expect(400);
            harness.read.get(&format!("/relation-tuples/check/openapi?{query}")).await.expect(400);
        }
        harness.read.post("/relation-tuples/check", "application/json", "{").await.expect(400);
        harness.read.post_json("/relation-tuples/check", &json!({ "namespace": "Doc" })).await.expect(400);
    })
    .await;
}

#[tokio::test]
async fn conditions_use_the_attributes_of_the_request_and_tuples_expire() {
    on_both_readers(section(), |mut harness| async move {
        let mut guest = tuple("Doc:a#guests@User:ada");
        harness.write.json(Method::PUT, "/admin/relation-tuples", &guest).await.expect(400);
        guest["condition"] = json!({ "name": "hours", "context": { "from": 9 } });
        guest["expires_at"] = json!(harness.clock().now().plus(Duration::from_mins(1)).to_string());
        let created = harness.write.json(Method::PUT, "/admin/relation-tuples", &guest).await.expect(201);
        assert_eq!(created.json, guest);
        let mut question = tuple("Doc:a#view@User:ada");
        let ask = async |harness: &mut Harness, question: &Value| {
            harness.read.post_json("/relation-tuples/check", question).await
        };
        let unanswered = ask(&mut harness, &question).await.expect(422);
        assert_eq!(unanswered.at("/error/details/limitation"), "condition_without_result");
        assert!(unanswered.string("/error/reason").contains("\"hours\""), "{unanswered}");
        question["context"] = json!({ "hour": 8 });
        ask(&mut harness, &question).await.expect(403);
        question["context"] = json!({ "hour": 9 });
        ask(&mut harness, &question).await.expect(200);
        question["context"] = json!([]);
        let refused = ask(&mut harness, &question).await.expect(400);
        assert_eq!(refused.string("/error/details/field"), "context");
        harness.clock.advance(Duration::from_mins(1));
        question["context"] = json!({ "hour": 9 });
        ask(&mut harness, &question).await.expect(403);
    })
    .await;
}

#[tokio::test]
async fn a_batch_answers_in_order_and_reads_together() {
    let mut section = section();
    section["limit"] = json!({ "max_read_depth": 2 });
    on_both_readers(section, |mut harness| async move {
        let chain: Vec<String> = (0..5).map(|it| format!("Folder:{it}#parents@Folder:{}", it + 1)).collect();
        write(&mut harness, &chain.iter().map(String::as_str).collect::<Vec<_>>()).await;
        write(&mut harness, &["Doc:a#owners@User:ada", "Folder:2#viewers@User:ada"]).await;
        let texts = [
            "Doc:a#view@User:ada",
            "Doc:a#view@User:bob",
            "Folder:0#view@User:ada",
            "Nope:a#view@User:ada",
            "Doc:a#nope@User:ada",
            "Folder:0#view@User:bob",
        ];
        let tuples: Vec<_> = texts.iter().map(|it| tuple(it)).collect();
        let before = harness.database.usage().statements;
        let batch =
            harness.read.post_json("/relation-tuples/batch/check", &json!({ "tuples": tuples })).await.expect(200);
        let results = batch.at("/results").as_array().unwrap();
        let allowed: Vec<_> = results.iter().map(|it| it["allowed"].as_bool().unwrap()).collect();
        assert_eq!(allowed, [true, false, true, false, false, false]);
        let errors: Vec<_> = results.iter().map(|it| it["error"].as_str()).collect();
        assert_eq!((errors[0], errors[1], errors[2], errors[5]), (None, None, None, Some("max_depth_exceeded")));
        assert!(errors[3].is_some_and(|it| it.contains("Nope")), "{batch}");
        assert_eq!(errors[4], Some("relation \"nope\" does not exist"));
        // As many statements as the deepest check has levels, each read in two steps at most.
        let statements = harness.database.usage().statements - before;
        assert!(statements <= 7, "{statements} statements");
        let many = vec![tuple("Doc:a#view@User:ada"); 11];
        let refused =
            harness.read.post_json("/relation-tuples/batch/check", &json!({ "tuples": many })).await.expect(400);
        assert_eq!(refused.string("/error/reason"), "tuples: batch exceeds max size of 10");
        let mut both = tuple("Doc:a#view@User:ada");
        both["subject_id"] = json!("ada");
        let wrong = json!({ "tuples": [{ "namespace": "Doc" }, tuple("Doc:a#view@User:ada"), both] });
        let wrong = harness.read.post_json("/relation-tuples/batch/check", &wrong).await.expect(200);
        let results = json!([
            { "allowed": false, "error": "subject_id: subject_id or subject_set is required" },
            { "allowed": true },
            { "allowed": false, "error": "subject_id: exactly one of subject_set or subject_id has to be provided" },
        ]);
        assert_eq!(wrong.at("/results"), &results);
        for none in [json!({ "tuples": [] }), json!({ "tuples": null }), json!({})] {
            let reply = harness.read.post_json("/relation-tuples/batch/check", &none).await.expect(200);
            assert_eq!(reply.json, json!({ "results": [] }), "{none}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_expansion_is_a_tree_of_subjects() {
    on_both_readers(section(), |mut harness| async move {
        write(
            &mut harness,
            &["Folder:f#viewers@User:ada", "Folder:f#viewers@Group:g#members", "Group:g#members@User:bob"],
        )
        .await;
        let set = |namespace: &str, object: &str, relation: &str| {
            let set = json!({ "namespace": namespace, "object": object, "relation": relation });
            json!({ "namespace": "", "object": "", "relation": "", "subject_set": set })
        };
        let expand = async |harness: &mut Harness, query: &str| {
            harness.read.get(&format!("/relation-tuples/expand?{query}")).await
        };
        let tree = expand(&mut harness, "namespace=Folder&object=f&relation=viewers").await.expect(200);
        assert_eq!(tree.header("content-type"), Some("application/json"));
        assert_eq!((tree.at("/type"), tree.at("/tuple")), (&json!("union"), &set("Folder", "f", "viewers")));
        let group = json!({
            "type": "union", "tuple": set("Group", "g", "members"),
            "children": [{ "type": "leaf", "tuple": set("User", "bob", "") }],
        });
        assert_eq!(tree.at("/children"), &json!([group, { "type": "leaf", "tuple": set("User", "ada", "") }]));
        assert_eq!(tree.header("truncated"), None);
        let leaf = expand(&mut harness, "namespace=Folder&object=f&relation=viewers&max-depth=1").await.expect(200);
        assert_eq!(leaf.json, json!({ "type": "leaf", "tuple": set("Folder", "f", "viewers") }));
        assert!(leaf.header("truncated").unwrap().contains("raise limit.max_read_depth"), "{leaf}");
        let itself = expand(&mut harness, "namespace=Folder&object=f").await.expect(200);
        assert_eq!(itself.json, json!({ "type": "leaf", "tuple": set("Folder", "f", "") }));
        assert_eq!(itself.header("truncated"), None);
        let permit = expand(&mut harness, "namespace=Folder&object=f&relation=view").await.expect(200);
        assert_eq!(permit.json, json!({ "type": "leaf", "tuple": set("Folder", "f", "view") }));
        assert!(permit.header("truncated").unwrap().contains("follows relations, not permits"), "{permit}");
        expand(&mut harness, "namespace=Nope&object=f&relation=viewers").await.expect(404);
        expand(&mut harness, "").await.expect(404);
    })
    .await;
}

/// The tree that Keto 26.3 answers.
#[tokio::test]
async fn an_expanded_permit_is_the_node_of_its_outermost_operator() {
    let mut section = section();
    section["feature_flags"] = json!({ "expand_rewrites": true });
    on_both_readers(section, |mut harness| async move {
        write(&mut harness, &["Doc:a#owners@User:ada", "Doc:a#parents@Folder:f", "Folder:f#viewers@User:bob"]).await;
        let tree = harness.read.get("/relation-tuples/expand?namespace=Doc&object=a&relation=view").await.expect(200);
        let set = |text: &str| {
            let (namespace, rest) = text.split_once(':').unwrap();
            let (object, relation) = rest.split_once('#').unwrap();
            let set = json!({ "namespace": namespace, "object": object, "relation": relation });
            json!({ "namespace": "", "object": "", "relation": "", "subject_set": set })
        };
        let leaf = |text: &str| json!({ "type": "leaf", "tuple": set(text) });
        let union = |text: &str, children: Value| json!({ "type": "union", "tuple": set(text), "children": children });
        let nameless = json!({ "namespace": "", "object": "", "relation": "" });
        let viewers = union("Folder:f#viewers", json!([leaf("User:bob#")]));
        let folder = union("Folder:f#view", json!([viewers, leaf("Folder:f#parents")]));
        let any = json!([
            union("Doc:a#owners", json!([leaf("User:ada#")])),
            leaf("Doc:a#guests"),
            union("Doc:a#parents", json!([folder])),
        ]);
        let all = json!([
            { "type": "union", "tuple": nameless, "children": any },
            { "type": "exclusion", "tuple": nameless, "children": [leaf("Doc:a#banned")] },
        ]);
        assert_eq!(tree.json, json!({ "type": "intersection", "tuple": set("Doc:a#view"), "children": all }));
        assert_eq!(tree.header("truncated"), None);
        // The folder's relations are on the third level: operators and traversals have none of their own.
        let path =
            |depth: u8| format!("/relation-tuples/expand?namespace=Doc&object=a&relation=view&max-depth={depth}");
        assert_eq!(harness.read.get(&path(4)).await.expect(200).json, tree.json);
        let cut = harness.read.get(&path(3)).await.expect(200);
        assert!(cut.header("truncated").is_some() && !cut.text.contains("bob") && cut.text.contains("ada"), "{cut}");
    })
    .await;
}

/// The tuples are written in another order than that of their texts.
#[tokio::test]
async fn an_expansion_has_the_same_order_and_the_same_end_from_tables_and_from_memory() {
    let mut section = section();
    section["limit"] = json!({ "max_expand_size": 5 });
    on_both_readers(section, |mut harness| async move {
        let tuples = ["Folder:f#viewers@User:eve", "Folder:f#viewers@Group:z#members", "Group:z#members@User:x"];
        write(&mut harness, &tuples).await;
        let query = "/relation-tuples/expand?namespace=Folder&object=f&relation=viewers";
        let subjects = |tree: &Value| -> Vec<String> {
            let children = tree["children"].as_array().unwrap();
            children.iter().map(|it| it["tuple"]["subject_set"]["object"].as_str().unwrap().to_owned()).collect()
        };
        let whole = harness.read.get(query).await.expect(200);
        assert_eq!((subjects(&whole.json), whole.header("truncated")), (vec!["z".into(), "eve".into()], None));
        let more = ["Folder:f#viewers@User:ada", "Folder:f#viewers@Group:a#members", "Folder:f#viewers@User:bob"];
        write(&mut harness, &more).await;
        let cut = harness.read.get(query).await.expect(200);
        assert_eq!(subjects(&cut.json), ["a", "z", "ada", "bob"]);
        assert_eq!(cut.header("truncated"), Some("the tree has more nodes than limit.max_expand_size"));
    })
    .await;
}

/// In memory they stay for a minute.
#[tokio::test]
async fn a_tuple_that_has_expired_does_not_count_for_the_width() {
    let mut section = section();
    section["limit"] = json!({ "max_read_width": 2 });
    on_both_readers(section, |mut harness| async move {
        let now = harness.cx().now;
        let groups = |names: &[&str], expires_at: Option<base::Timestamp>| -> Value {
            let delta = |name: &&str| {
                let mut tuple = tuple(&format!("Folder:f#viewers@Group:{name}#members"));
                if let Some(at) = expires_at {
                    tuple["expires_at"] = json!(at);
                }
                json!({ "action": "insert", "relation_tuple": tuple })
            };
            names.iter().map(delta).collect()
        };
        let soon = Some(now.plus(Duration::from_secs(10)));
        for deltas in [groups(&["a", "b", "c", "d"], soon), groups(&["e", "f"], None)] {
            harness.write.json(Method::PATCH, "/admin/relation-tuples", &deltas).await.expect(204);
        }
        write(&mut harness, &["Group:f#members@User:ada"]).await;
        let path = "/relation-tuples/check/openapi";
        let wide = harness.read.post_json(path, &tuple("Folder:f#viewers@User:eve")).await.expect(422);
        assert_eq!(wide.at("/error/details/limitation"), "max_width_exceeded", "{wide}");
        harness.clock.advance(Duration::from_secs(11));
        assert!(check(&mut harness, "Folder:f#viewers@User:ada").await);
        assert!(!check(&mut harness, "Folder:f#viewers@User:eve").await);
    })
    .await;
}

/// Whichever was written first, and whichever reader answers.
#[tokio::test]
async fn of_more_subject_sets_than_the_width_the_first_by_name_are_followed() {
    let mut section = section();
    section["limit"] = json!({ "max_read_width": 2 });
    on_both_readers(section, |mut harness| async move {
        for group in ["z", "m", "c", "y", "a", "x"] {
            write(&mut harness, &[&format!("Folder:f#viewers@Group:{group}#members")]).await;
            write(&mut harness, &[&format!("Group:{group}#members@User:{group}")]).await;
        }
        for (user, is_followed) in [("a", true), ("c", true), ("m", false), ("x", false), ("y", false), ("z", false)] {
            let asked = tuple(&format!("Folder:f#viewers@User:{user}"));
            let reply = harness.read.post_json("/relation-tuples/check/openapi", &asked).await;
            if is_followed {
                assert_eq!((reply.status.as_u16(), reply.at("/allowed")), (200, &json!(true)), "{user}: {reply}");
            } else {
                let found = (reply.status.as_u16(), reply.at("/error/details/limitation"));
                assert_eq!(found, (422, &json!("max_width_exceeded")), "{user}: {reply}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn strict_mode_counts_only_declared_types_and_refuses_subject_ids() {
    on_both(section(), |mut lax| async move {
        // Written by a service that accepts everything.
        let mut section = section();
        section["write_validation"] = json!("lax");
        let mut writer = Harness::new(lax.database.clone(), section.clone()).await;
        write(&mut writer, &["Doc:a#view@User:ada", "Doc:a#owners@Group:g#members", "Group:g#members@User:bob"]).await;
        section["feature_flags"] = json!({ "strict_mode": true });
        let mut strict = Harness::new(lax.database.clone(), section).await;
        for text in ["Doc:a#view@User:ada", "Doc:a#owners@User:bob"] {
            assert!(check(&mut lax, text).await, "{text}");
            assert!(!check(&mut strict, text).await, "{text}");
        }
        let refused = strict.read.get(&format!("/relation-tuples/check?{}", query("Doc:a#view@ada"))).await.expect(400);
        assert!(refused.string("/error/reason").starts_with("subject_id: is refused in strict mode"), "{refused}");
        let undeclared = "namespace=Doc&object=a&relation=nope";
        strict.read.get(&format!("/relation-tuples/expand?{undeclared}")).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn namespaces_without_declarations_accept_any_relation() {
    on_both_readers(plain(), |mut harness| async move {
        write(&mut harness, &["Doc:a#viewer@Group:g#member", "Group:g#member@ada"]).await;
        assert!(check(&mut harness, "Doc:a#viewer@ada").await);
        assert!(!check(&mut harness, "Doc:a#editor@ada").await);
        assert!(!check(&mut harness, "Doc:a#viewer@Group:g").await);
    })
    .await;
}

fn with_model(model: &str) -> Value {
    let location = format!("base64://{}", STANDARD.encode(model));
    json!({ "namespaces": { "location": location }, "write_validation": "lax" })
}

#[tokio::test]
async fn a_permit_with_a_long_name_is_asked_about_like_any_other() {
    let long = "p".repeat(70);
    let permit = format!("{long}: (ctx: Context): boolean => this.permits.view(ctx),\n        loop:");
    on_both_readers(with_model(&MODEL.replace("loop:", &permit)), |mut harness| {
        let long = long.clone();
        async move {
            write(&mut harness, &["Doc:a#owners@User:ada"]).await;
            assert!(check(&mut harness, &format!("Doc:a#{long}@User:ada")).await);
            assert!(!check(&mut harness, &format!("Doc:a#{long}@User:bob")).await);
            assert!(!check(&mut harness, &format!("Doc:a#owners@Doc:a#{long}")).await);
            let expand = format!("/relation-tuples/expand?namespace=Doc&object=a&relation={long}");
            harness.read.get(&expand).await.expect(200);
            let undeclared = format!("/relation-tuples/check?{}", query(&format!("Doc:a#q{long}@User:ada")));
            let refused = harness.read.get(&undeclared).await.expect(400);
            assert_eq!(refused.string("/error/reason"), "relation: must have at most 64 bytes");
            let written = tuple(&format!("Doc:a#{long}@User:ada"));
            let refused = harness.write.json(Method::PUT, "/admin/relation-tuples", &written).await.expect(400);
            assert_eq!(refused.string("/error/reason"), "relation: must have at most 64 bytes");
        }
    })
    .await;
}

#[tokio::test]
async fn a_relation_that_was_renamed_is_named_with_its_namespace() {
    on_both(section(), |mut harness| async move {
        write(&mut harness, &["Folder:1#viewers@Group:staff#members"]).await;
        let renamed = with_model(&MODEL.replace("members", "people"));
        let mut renamed = Harness::new(harness.database.clone(), renamed).await;
        let path = format!("/relation-tuples/check?{}", query("Folder:1#view@User:ada"));
        let refused = renamed.read.get(&path).await.expect(400);
        assert_eq!(
            refused.string("/error/reason"),
            "relation \"members\" does not exist in the namespace \"Group\", and a relation tuple leads to it; explain=true shows which"
        );
        assert_eq!(refused.json.pointer("/error/details/field"), None, "the question is good: {refused}");
        let explained = renamed.read.get(&format!("{path}&explain=true")).await.expect(400);
        assert!(explained.text.contains("the tuple Folder:1#viewers@Group:staff#members"), "{explained}");
        let batch = json!({ "tuples": [tuple("Folder:1#view@User:ada")] });
        let batch = renamed.read.post_json("/relation-tuples/batch/check", &batch).await.expect(200);
        assert!(batch.string("/results/0/error").contains("in the namespace \"Group\""), "{batch}");
        let request = json!({
            "subject": { "type": "User", "id": "ada" },
            "action": { "name": "view" },
            "resource": { "type": "Folder", "id": "1" },
        });
        let evaluated = renamed.read.post_json("/access/v1/evaluation", &request).await.expect(200);
        assert_eq!((evaluated.at("/decision"), evaluated.at("/context/error/status")), (&json!(false), &json!(422)));
        assert!(evaluated.string("/context/error/message").contains("in the namespace \"Group\""), "{evaluated}");
    })
    .await;
}
