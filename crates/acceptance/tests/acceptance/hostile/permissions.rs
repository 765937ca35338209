//! Hostile models, tuples, tokens, depths, expressions and attributes: a clear refusal, or bounded work.

use std::time::{Duration, Instant};

use acceptance::page::Page;
use acceptance::suite::{Engine, Suite};
use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use test_client::merge;
use url::Url;

use super::panics;

/// The time limit of one answer of a build without optimizations, on a busy machine.
const AT_MOST: Duration = Duration::from_secs(10);

const MODEL: &str = r#"
const triples: Condition =
    "context.list.all(a, context.list.all(b, context.list.all(c, a + b + c > 0)))"
const matches: Condition = "context.text.matches(r'^(a|aa)*(a*)*$')"
class User implements Namespace {}
class Group implements Namespace { related: { members: (User | SubjectSet<Group, "members">)[] } }
class Folder implements Namespace {
    related: { parents: Folder[], viewers: User[] }
    permits = {
        view: (ctx) => this.related.viewers.includes(ctx.subject) || this.related.parents.traverse((p) => p.permits.view(ctx)),
        all: (ctx) => this.related.viewers.includes(ctx.subject) && this.related.parents.traverse((p) => p.permits.all(ctx)),
        none: (ctx) => !this.related.parents.traverse((p) => p.permits.none(ctx)),
    }
}
class Doc implements Namespace {
    related: { guests: When<User, "triples">[], readers: When<User, "matches">[], groups: SubjectSet<Group, "members">[] }
}
"#;

struct Hostile {
    suite: Suite,
}

impl Hostile {
    async fn start(engine: Engine, keys: Value) -> Result<Self> {
        panics::watch();
        let mut section = json!({ "namespaces": { "location": format!("base64://{}", STANDARD.encode(MODEL)) } });
        merge(&mut section, keys);
        Ok(Self { suite: Suite::start_with(engine, json!({ "permissions": section })).await? })
    }

    /// Runs `test` on both engines, and checks that nothing panicked.
    async fn on_both_engines(keys: Value, test: impl AsyncFn(&Self) -> Result<()>) -> Result<()> {
        for engine in [Engine::Sqlite, Engine::Postgres] {
            let hostile = Self::start(engine, keys.clone()).await?;
            test(&hostile).await.with_context(|| format!("on {engine:?}"))?;
            hostile.end().await?;
        }
        Ok(())
    }

    async fn end(self) -> Result<()> {
        let ready = self.suite.api().get(self.suite.permissions("read", "/health/ready")).await?;
        ready.expect_status(StatusCode::OK)?;
        self.suite.stop().await;
        panics::none()
    }

    /// An answer in time, which is no server error.
    async fn send(&self, listener: &'static str, method: Method, path: &str, body: Value) -> Result<Page> {
        let started = Instant::now();
        let page = self.suite.api().json(method, self.suite.permissions(listener, path), &body).await?;
        ensure!(started.elapsed() < AT_MOST, "after {:?}: {}", started.elapsed(), page.summary());
        ensure!(page.status.as_u16() < 500, "{}", page.summary());
        Ok(page)
    }

    async fn get(&self, path: &str) -> Result<Page> {
        self.send("read", Method::GET, path, Value::Null).await
    }

    async fn insert(&self, tuples: impl IntoIterator<Item = Value>) -> Result<()> {
        let deltas: Value =
            tuples.into_iter().map(|tuple| json!({ "action": "insert", "relation_tuple": tuple })).collect();
        let page = self.send("write", Method::PATCH, "/admin/relation-tuples", deltas).await?;
        page.expect_status(StatusCode::NO_CONTENT).map(|_| ())
    }

    /// Checks a text of the Ory Permission Language; the errors.
    async fn syntax(&self, text: &str) -> Result<Vec<Value>> {
        let url = Url::parse(&self.suite.permissions("opl", "/opl/syntax/check"))?;
        let started = Instant::now();
        let page = self.suite.api().send(Method::POST, &url, Some("text/plain"), Bytes::from(text.to_owned())).await?;
        ensure!(started.elapsed() < AT_MOST, "after {:?}: {}", started.elapsed(), page.summary());
        let page = page.expect_status(StatusCode::OK)?;
        ensure!(page.body.len() < 1024 * 1024, "an answer of {} bytes", page.body.len());
        Ok(page.at("/errors").as_array().cloned().unwrap_or_default())
    }
}

fn set(namespace: &str, object: &str, relation: &str) -> Value {
    json!({ "namespace": namespace, "object": object, "relation": relation })
}

fn tuple(namespace: &str, object: &str, relation: &str, subject: Value) -> Value {
    let mut tuple = set(namespace, object, relation);
    tuple["subject_set"] = subject;
    tuple
}

fn ada() -> Value {
    set("User", "ada", "")
}

const ADA: &str = "subject_set.namespace=User&subject_set.object=ada&subject_set.relation=";

fn check(namespace: &str, object: &str, relation: &str) -> String {
    format!("/relation-tuples/check?namespace={namespace}&object={object}&relation={relation}&{ADA}")
}

/// Why a check has no answer.
fn limitation(page: &Page) -> Option<String> {
    let limitation = page.at("/error/details/limitation").as_str().map(str::to_owned);
    limitation.filter(|_| page.status == StatusCode::UNPROCESSABLE_ENTITY)
}

#[tokio::test]
async fn a_bad_model_is_refused_with_its_place_in_bounded_time() -> Result<()> {
    let hostile = Hostile::start(Engine::Sqlite, json!({})).await?;
    let class = |inside: &str| format!("class A implements Namespace {{ {inside} }}");
    let permit = |expression: &str| class(&format!("related: {{ a: A[] }} permits = {{ p: (ctx) => {expression} }}"));
    let has = "this.related.a.includes(ctx.subject)";
    let condition = |text: &str| format!("const c: Condition = \"{text}\"\n{}", class(""));
    let many = |part: &str, count: usize| part.repeat(count);
    for (what, text) in [
        ("parentheses", permit(&many("(", 100_000))),
        ("closed parentheses", permit(&format!("{}{has}{}", many("(", 50_000), many(")", 50_000)))),
        ("negations", permit(&format!("{}{has}", many("!", 100_000)))),
        ("nested negations", permit(&format!("{}{has}{}", many("!(", 50_000), many(")", 50_000)))),
        ("braces", many("class A implements Namespace {", 20_000)),
        ("an open comment", format!("{}/*", class(""))),
        ("an open string", class("related: { a: SubjectSet<A, \"")),
        ("a null character", class("related: { \0: A[] }")),
        ("classes of one name", many(&class(""), 20_000)),
        ("deep parentheses in a condition", condition(&many("(", 3_000))),
        ("deep lists in a condition", condition(&many("[", 3_000))),
        ("a long condition", condition(&format!("{}true", many("true && ", 10_000)))),
        ("a large pattern in a condition", condition("'a'.matches('((a{1000}){1000}){1000}')")),
    ] {
        let errors = hostile.syntax(&text).await.context(what)?;
        ensure!(!errors.is_empty(), "{what} is accepted");
        for error in &errors {
            ensure!(error["start"]["Line"].is_u64() && error["end"]["column"].is_u64(), "{what}: {error}");
            ensure!(error["message"].as_str().is_some_and(|it| !it.is_empty()), "{what}: {error}");
        }
    }
    ensure!(hostile.syntax(&class(&format!("related: {{ a: ({}A)[] }}", many("A | ", 100_000)))).await?.is_empty());
    ensure!(hostile.syntax(&permit(&format!("{}{has}", many(&format!("{has} || "), 15_000)))).await?.is_empty());
    // A long name is one that no tuple has.
    ensure!(hostile.syntax(&class(&format!("related: {{ {}: A[] }}", many("a", 500_000)))).await?.is_empty());
    // Circles are no errors of a text: their checks are.
    let circles = "class A implements Namespace { related: { a: A[] } permits = { p: (ctx) => this.permits.q(ctx), \
                   q: (ctx) => this.related.a.traverse((x) => x.permits.p(ctx)) && !this.permits.p(ctx) } }";
    ensure!(hostile.syntax(circles).await?.is_empty());
    hostile.end().await
}

#[tokio::test]
async fn a_model_that_turns_bad_keeps_the_last_good_one() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("model.ts");
    std::fs::write(&file, MODEL)?;
    let keys = json!({ "namespaces": { "location": format!("file://{}", file.display()) } });
    let hostile = Hostile::start(Engine::Sqlite, keys).await?;
    hostile.insert([tuple("Group", "g", "members", ada())]).await?;
    let check = check("Group", "g", "members");
    let replace = |text: &str| {
        // At once, so that no half of it is read.
        let other = folder.path().join("other");
        std::fs::write(&other, text)?;
        std::fs::rename(&other, &file)
    };
    let deep = format!("class Group implements Namespace {{ permits = {{ p: (ctx) => {} }} }}", "(".repeat(900_000));
    for text in
        [&*deep, "class Group implements", "class Group implements Namespace { related: { members: Nope[] } }", "\0"]
    {
        replace(text)?;
        let until = Instant::now() + Duration::from_millis(700);
        while Instant::now() < until {
            hostile.get(&check).await?.expect_status(StatusCode::OK)?;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    // It still follows the file.
    replace("class Doc implements Namespace {}")?;
    let started = Instant::now();
    while hostile.get(&check).await?.status != StatusCode::FORBIDDEN {
        ensure!(started.elapsed() < AT_MOST, "the next good model is not loaded");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    hostile.end().await
}

#[tokio::test]
async fn a_bad_tuple_is_refused_by_every_way_of_writing_it() -> Result<()> {
    Hostile::on_both_engines(json!({}), async |hostile| {
        let guest = |condition: Value| {
            let mut tuple = tuple("Doc", "a", "guests", ada());
            tuple["condition"] = condition;
            tuple
        };
        let deep = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!({ "a": inner }));
        let expired = || {
            let mut tuple = tuple("Group", "g", "members", ada());
            tuple["expires_at"] = json!("2001-01-01T00:00:00Z");
            tuple
        };
        let long = "x".repeat(1025);
        for (bad, status, field) in [
            (tuple("Nope", "a", "members", ada()), 404, "namespace"),
            (tuple("Group", "g", "members", set("Nope", "a", "")), 404, "subject_set.namespace"),
            (tuple("Group", "g", "nope", ada()), 400, "relation"),
            (tuple("Folder", "f", "view", ada()), 400, "relation"),
            (tuple("Group", "g", "members", set("Folder", "f", "")), 400, "subject_set.namespace"),
            (tuple("Group", "g", "members", set("Group", "g", "")), 400, "subject_set.relation"),
            (tuple("Group", &long, "members", ada()), 400, "object"),
            (tuple("Group", "g", "members", set("User", &long, "")), 400, "subject_set.object"),
            (tuple("Group", "g\0", "members", ada()), 400, "object"),
            (tuple("Doc", "a", "guests", ada()), 400, "condition"),
            (guest(json!({ "name": "nope" })), 400, "condition.name"),
            (guest(json!({ "name": "triples", "context": [] })), 400, "condition.context"),
            (guest(json!({ "name": "triples", "context": deep(17) })), 400, "condition.context"),
            (guest(json!({ "name": "triples", "context": { "a": "x".repeat(5_000) } })), 400, "condition.context"),
            (expired(), 400, "expires_at"),
            (set("Group", "g", "members"), 400, "subject_id"),
        ] {
            let page = hostile.send("write", Method::PUT, "/admin/relation-tuples", bad.clone()).await?;
            ensure!(page.status == status, "{bad}: {}", page.summary());
            let named = page.at("/error/details/field").as_str().unwrap_or_default().to_owned();
            ensure!(named.starts_with(field), "{bad}: {}", page.summary());
            // One bad tuple refuses the whole patch, and is named.
            let good = json!({ "action": "insert", "relation_tuple": tuple("Group", "whole", "members", ada()) });
            let deltas = json!([good, { "action": "insert", "relation_tuple": bad }]);
            let page = hostile.send("write", Method::PATCH, "/admin/relation-tuples", deltas).await?;
            ensure!(page.status == status, "{bad}: {}", page.summary());
            let named = page.at("/error/details/field").as_str().unwrap_or_default().to_owned();
            ensure!(named.starts_with("[1]") && named.contains(field), "{bad}: {}", page.summary());
        }
        ensure!(hostile.get("/relation-tuples").await?.at("/relation_tuples") == json!([]), "something was written");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_bad_token_is_refused_by_name_wherever_it_is_read() -> Result<()> {
    Hostile::on_both_engines(json!({}), async |hostile| {
        hostile.insert((0..3).map(|it| tuple("Group", &it.to_string(), "members", ada()))).await?;
        let page = hostile.get("/relation-tuples?page_size=1").await?;
        let of_page = page.at("/next_page_token").as_str().context("a token")?.to_owned();
        let checked = hostile.get(&check("Group", "0", "members")).await?.expect_status(StatusCode::OK)?;
        let of_snapshot = checked.header("snaptoken").to_owned();
        let mut bad: Vec<String> = super::tokens::with_one_bit_flipped(&of_snapshot).collect();
        let long = "A".repeat(12_000);
        let garbage =
            ["x", "MQ", "-1", "%ff", "%00", "not yet implemented", "AAAA", "9223372036854775807", &of_page, &long];
        bad.extend(garbage.map(str::to_owned));
        ensure!(bad.len() > 15);
        let (expand, list) =
            ("/relation-tuples/expand?namespace=Group&object=0&relation=members", "/relation-tuples?a=b");
        let watch = "/relation-tuples/watch?a=b";
        let body = tuple("Group", "0", "members", ada());
        for token in &bad {
            let refused = |page: Page, what: &str| {
                let is_named = page.text().contains("snaptoken") || page.text().contains("U+0000");
                ensure!(page.status == StatusCode::BAD_REQUEST && is_named, "{what} {token}: {}", page.summary());
                Ok(())
            };
            for path in [&*check("Group", "0", "members"), expand, list, watch] {
                refused(hostile.get(&format!("{path}&snaptoken={token}")).await?, path)?;
            }
            for (path, body) in [
                ("/relation-tuples/check/openapi", body.clone()),
                ("/relation-tuples/batch/check", json!({ "tuples": [body] })),
            ] {
                let path = format!("{path}?snaptoken={token}");
                refused(hostile.send("read", Method::POST, &path, body.clone()).await?, &path)?;
            }
            let mut reconnecting = hostile.suite.api().with_header("last-event-id", token);
            refused(reconnecting.get(hostile.suite.permissions("read", watch)).await?, "Last-Event-ID")?;
            let message = json!({ "relation_query": {}, "snaptoken": token });
            let path = "/ory.keto.relation_tuples.v1alpha2.ReadService/ListRelationTuples";
            refused(hostile.send("read", Method::POST, path, message).await?, path)?;
        }
        // A token of a snapshot is no token of a page.
        let page = hostile.get(&format!("/relation-tuples?page_size=1&page_token={of_snapshot}")).await?;
        ensure!(page.status == StatusCode::BAD_REQUEST && page.text().contains("page_token"), "{}", page.summary());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_absurd_depth_is_bounded_work() -> Result<()> {
    const LENGTH: usize = 20_000;
    let limit = json!({ "limit": { "max_read_depth": 65_535, "max_read_width": 65_535 } });
    Hostile::on_both_engines(limit, async |hostile| {
        let parents =
            |from: usize, to: usize| tuple("Folder", &from.to_string(), "parents", set("Folder", &to.to_string(), ""));
        let members = |from: usize, to: usize| {
            tuple("Group", &from.to_string(), "members", set("Group", &to.to_string(), "members"))
        };
        for begin in (0..LENGTH).step_by(10_000) {
            // The last folder and the last group lead back to the first.
            let links = (begin..begin + 10_000).map(|it| (it, (it + 1) % LENGTH));
            hostile.insert(links.clone().map(|(from, to)| parents(from, to))).await?;
            hostile.insert(links.map(|(from, to)| members(from, to))).await?;
        }
        hostile.insert((0..LENGTH).step_by(20).map(|it| tuple("Folder", &it.to_string(), "viewers", ada()))).await?;
        for (namespace, relation) in [("Folder", "view"), ("Folder", "all"), ("Folder", "none"), ("Group", "members")] {
            for depth in ["65535", "9223372036854775807", "1000", "1"] {
                let page = hostile.get(&format!("{}&max-depth={depth}", check(namespace, "1", relation))).await?;
                let limitation = limitation(&page);
                let bounded = ["max_depth_exceeded", "max_steps_exceeded", "depends_on_own_negation"];
                let is_bounded = limitation.as_deref().is_some_and(|it| bounded.contains(&it));
                ensure!(is_bounded || [200, 403].contains(&page.status.as_u16()), "{}", page.summary());
                if depth == "1" && relation == "members" {
                    ensure!(limitation.as_deref() == Some("max_depth_exceeded"), "{}", page.summary());
                }
            }
            let path =
                format!("/relation-tuples/expand?namespace={namespace}&object=1&relation={relation}&max-depth=65535");
            let tree = hostile.get(&path).await?.expect_status(StatusCode::OK)?;
            ensure!(tree.text().matches("\"type\":").count() <= 4_000, "a tree of {} bytes", tree.body.len());
        }
        let subject = json!({ "subject": { "set": set("Group", "1", "members") }, "max_depth": i32::MAX });
        let path = "/ory.keto.relation_tuples.v1alpha2.ExpandService/Expand";
        let tree = hostile.send("read", Method::POST, path, subject).await?.expect_status(StatusCode::OK)?;
        ensure!(tree.text().matches("\"nodeType\":").count() <= 51, "{}", tree.summary());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_hostile_expression_and_deep_attributes_are_bounded_work() -> Result<()> {
    Hostile::on_both_engines(json!({}), async |hostile| {
        let guest = |relation: &str, name: &str, object: &str, user: &str| {
            let mut tuple = tuple("Doc", object, relation, set("User", user, ""));
            tuple["condition"] = json!({ "name": name });
            tuple
        };
        hostile.insert([guest("guests", "triples", "a", "ada"), guest("readers", "matches", "a", "ada")]).await?;
        let ask = async |relation: &str, context: Value| {
            let mut body = tuple("Doc", "a", relation, ada());
            body["context"] = context;
            hostile.send("read", Method::POST, "/relation-tuples/check", body).await
        };
        // A billion combinations take more than the budget of an evaluation.
        let list: Vec<u32> = (1..=1_000).collect();
        let page = ask("guests", json!({ "list": list })).await?;
        ensure!(limitation(&page).as_deref() == Some("condition_without_result"), "{}", page.summary());
        ensure!(ask("guests", json!({ "list": [1, 2, 3] })).await?.status == StatusCode::OK);
        // An expression that takes exponential time where it is tried step by step.
        let text = format!("{}!", "a".repeat(25_000));
        let page = ask("readers", json!({ "text": text })).await?;
        let is_answered = page.status == StatusCode::FORBIDDEN || limitation(&page).is_some();
        ensure!(is_answered, "{}", page.summary());
        ensure!(ask("readers", json!({ "text": "aaa" })).await?.status == StatusCode::OK);

        let deep = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!([inner]));
        let wide: Value = (0..40_000).map(|it| (format!("m{it}"), json!(it))).collect::<serde_json::Map<_, _>>().into();
        for context in [
            json!({ "a": deep(17) }),
            json!({ "a": deep(60) }),
            json!({ "a": "x".repeat(40_000) }),
            wide,
            json!("text"),
            json!([1]),
        ] {
            let page = ask("readers", context).await?;
            ensure!(page.status == StatusCode::BAD_REQUEST, "{}", page.summary());
            ensure!(page.text().contains("context") || page.text().contains("values"), "{}", page.summary());
            ensure!(page.body.len() < 2_000, "an answer of {} bytes", page.body.len());
        }
        let url = Url::parse(&hostile.suite.permissions("read", "/relation-tuples/check"))?;
        let deeper = format!("{{\"context\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
        let page = hostile.suite.api().send(Method::POST, &url, Some("application/json"), deeper.into()).await?;
        ensure!(page.status == StatusCode::BAD_REQUEST, "{}", page.summary());
        Ok(())
    })
    .await
}
