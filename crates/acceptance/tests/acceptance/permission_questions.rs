//! Explanations and reverse questions over the real listeners, and of two nodes.

use std::time::{Duration, Instant};

use acceptance::suite::{Engine, Suite, with_config_on_both_engines};
use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use url::Url;

const MODEL: &str = "\
class User implements Namespace {}
class Group implements Namespace { related: { members: User[] } }
class Doc implements Namespace {
  related: { viewers: (User | SubjectSet<Group, \"members\">)[], owners: User[] }
  permits = {
    view: (ctx) => this.related.viewers.includes(ctx.subject) || this.related.owners.includes(ctx.subject),
  }
}
";

/// A configuration with the model in a file.
fn config(folder: &tempfile::TempDir) -> Result<Value> {
    let file = folder.path().join("model.ts");
    std::fs::write(&file, MODEL)?;
    Ok(json!({ "permissions": { "namespaces": { "location": format!("file://{}", file.display()) } } }))
}

fn user(name: &str) -> Value {
    json!({ "namespace": "User", "object": name, "relation": "" })
}

fn tuple(namespace: &str, object: &str, relation: &str, subject_set: &Value) -> Value {
    json!({ "namespace": namespace, "object": object, "relation": relation, "subject_set": subject_set })
}

/// Writes tuples and returns the token.
async fn insert(suite: &Suite, tuples: &[Value]) -> Result<String> {
    let deltas: Value = tuples.iter().map(|it| json!({ "action": "insert", "relation_tuple": it })).collect();
    let url = suite.permissions("write", "/admin/relation-tuples");
    let written = suite.api().json(Method::PATCH, url, &deltas).await?.expect_status(StatusCode::NO_CONTENT)?;
    Ok(written.header("snaptoken").to_owned())
}

/// The answer to a question, once the tuples are in memory.
async fn list(suite: &Suite, path: &str, question: &Value) -> Result<Value> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let url = suite.permissions("read", &format!("/relation-tuples/{path}"));
        let answer = suite.api().json(Method::POST, url, question).await?;
        if answer.status != StatusCode::SERVICE_UNAVAILABLE {
            let answer = answer.expect_status(StatusCode::OK)?;
            ensure!(!answer.header("snaptoken").is_empty());
            return answer.json();
        }
        ensure!(answer.header("retry-after") == "5", "{}", answer.summary());
        ensure!(Instant::now() < deadline, "the relation tuples are not in memory: {}", answer.text());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_client_learns_why_and_lists_what_it_may_see() -> Result<()> {
    let folder = tempfile::tempdir()?;
    with_config_on_both_engines(config(&folder)?, async |suite| {
        let staff = json!({ "namespace": "Group", "object": "staff", "relation": "members" });
        let mut tuples: Vec<Value> =
            (0..25).map(|number| tuple("Doc", &format!("d{number:02}"), "viewers", &staff)).collect();
        tuples.push(tuple("Group", "staff", "members", &user("ada")));
        tuples.push(tuple("Doc", "d00", "owners", &user("bob")));
        let token = insert(suite, &tuples).await?;

        let check = suite.permissions("read", &format!("/relation-tuples/check?explain=true&snaptoken={token}"));
        let question = tuple("Doc", "d07", "view", &user("ada"));
        let granted = suite.api().json(Method::POST, &check, &question).await?.expect_status(StatusCode::OK)?;
        let path = granted.at("/explanation/path").as_array().context("a path")?.clone();
        let last = path.last().context("a step")?;
        ensure!(last["text"] == "the tuple Group:staff#members@User:ada" && last["level"] == 0, "{path:?}");
        let question = tuple("Doc", "d07", "view", &user("bob"));
        let denied = suite.api().json(Method::POST, &check, &question).await?.expect_status(StatusCode::FORBIDDEN)?;
        let missing = denied.at("/explanation/nearest_miss/0/text").as_str().context("a reason")?.to_owned();
        ensure!(missing.contains("no tuple leads from Doc:d07#view to the subject"), "{missing}");

        let question = json!({ "namespace": "Doc", "relation": "view", "subject_set": user("ada") });
        let (mut names, mut next) = (Vec::new(), String::new());
        loop {
            let page = list(suite, &format!("objects?page_size=10&page_token={next}"), &question).await?;
            names.extend(page["objects"].as_array().context("objects")?.iter().cloned());
            page["next_page_token"].as_str().context("a token")?.clone_into(&mut next);
            if next.is_empty() {
                break;
            }
        }
        let expected: Vec<Value> = (0..25).map(|number| json!(format!("d{number:02}"))).collect();
        ensure!(names == expected, "{names:?}");
        let question = json!({ "namespace": "Doc", "object": "d00", "relation": "view", "subject_namespace": "User" });
        let found = list(suite, "subjects", &question).await?;
        ensure!(
            found["subjects"] == json!([{ "subject_set": user("ada") }, { "subject_set": user("bob") }]),
            "{found}"
        );
        let question = json!({ "namespace": "Doc", "object": "d00", "subject_set": user("bob") });
        let found = list(suite, "relations", &question).await?;
        ensure!(found["relations"] == json!(["owners", "view"]), "{found}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_decision_comes_with_its_reason_and_its_snapshot() -> Result<()> {
    let folder = tempfile::tempdir()?;
    with_config_on_both_engines(config(&folder)?, async |suite| {
        let token = insert(suite, &[tuple("Doc", "plan", "owners", &user("ada"))]).await?;
        let request = |name: &str| {
            json!({
                "subject": { "type": "User", "id": name },
                "action": { "name": "view" },
                "resource": { "type": "Doc", "id": "plan" },
            })
        };
        let url = |parameters: &str| suite.permissions("read", &format!("/access/v1/evaluation{parameters}"));
        let plain = suite.api().json(Method::POST, url(""), &request("ada")).await?.expect_status(StatusCode::OK)?;
        ensure!(plain.text() == "{\"decision\":true}", "{}", plain.text());
        let explained = url(&format!("?explain=true&snaptoken={token}"));
        let granted =
            suite.api().json(Method::POST, &explained, &request("ada")).await?.expect_status(StatusCode::OK)?;
        ensure!(granted.at("/decision") == true && granted.at("/context/kleis/snapshot") == token.as_str());
        ensure!(granted.at("/context/kleis/path/1/text") == "the tuple Doc:plan#owners@User:ada", "{}", granted.text());
        let denied =
            suite.api().json(Method::POST, &explained, &request("bob")).await?.expect_status(StatusCode::OK)?;
        ensure!(denied.at("/decision") == false, "{}", denied.text());
        let missing = denied.at("/context/kleis/nearest_miss/0/text").as_str().context("a reason")?.to_owned();
        ensure!(missing.contains("no tuple leads from"), "{missing}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn every_answer_of_authzen_has_the_id_of_its_request() -> Result<()> {
    const EVALUATION: &str = "/access/v1/evaluation";
    let folder = tempfile::tempdir()?;
    let suite = Suite::start_with(Engine::Sqlite, config(&folder)?).await?;
    let request = json!({
        "subject": { "type": "User", "id": "ada" },
        "action": { "name": "view" },
        "resource": { "type": "Doc", "id": "plan" },
    })
    .to_string();
    let (json, none) = (Some("application/json"), ("accept", "*/*"));
    for (method, path, kind, (name, value), body, status) in [
        (Method::POST, EVALUATION, json, none, request.as_str(), 200),
        (Method::POST, EVALUATION, json, none, "{}", 400),
        (Method::POST, EVALUATION, json, ("origin", "https://evil.example"), "{}", 403),
        (Method::POST, EVALUATION, json, ("host", "evil.example"), "{}", 421),
        (Method::POST, "/access/v1/unknown", json, none, "{}", 404),
        (Method::GET, "/.well-known/authzen-configuration/unknown", None, none, "", 404),
        (Method::GET, EVALUATION, None, none, "", 405),
    ] {
        let url = Url::parse(&suite.permissions("read", path))?;
        let mut client = suite.api().with_header("x-request-id", "any text").with_header(name, value);
        let answer = client.send(method.clone(), &url, kind, Bytes::from(body.to_owned())).await?;
        let answer = answer.expect_status(StatusCode::from_u16(status)?)?;
        ensure!(answer.header("x-request-id") == "any text", "{method} {path}: {}", answer.summary());
    }
    let url = suite.permissions("read", "/relation-tuples/unknown");
    let elsewhere = suite.api().with_header("x-request-id", "any text").get(url).await?;
    ensure!(elsewhere.header("x-request-id").len() == 36, "{}", elsewhere.summary());
    suite.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_service_without_tuples_in_memory_names_no_searches() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut section = config(&folder)?;
    for is_off in [false, true] {
        if is_off {
            section["permissions"]["graph"] = json!({ "enabled": false });
        }
        let suite = Suite::start_with(Engine::Sqlite, section.clone()).await?;
        let metadata = suite.api().get(suite.permissions("read", "/.well-known/authzen-configuration")).await?;
        let metadata: Value = metadata.expect_status(StatusCode::OK)?.json()?;
        ensure!(metadata["access_evaluations_endpoint"].is_string(), "{metadata}");
        for name in ["search_subject_endpoint", "search_resource_endpoint", "search_action_endpoint"] {
            ensure!(metadata.get(name).is_some() != is_off, "{name}: {metadata}");
        }
        suite.stop().await;
    }
    Ok(())
}

#[tokio::test]
async fn a_list_of_one_node_has_what_the_other_wrote() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let [first, second] = Suite::start_two_nodes(config(&folder)?).await?;
    let question = json!({ "namespace": "Doc", "relation": "owners", "subject_set": user("ada") });
    for number in 0..10_usize {
        let (writer, reader) = if number % 2 == 0 { (&first, &second) } else { (&second, &first) };
        let token = insert(writer, &[tuple("Doc", &format!("d{number}"), "owners", &user("ada"))]).await?;
        for consistency in [format!("snaptoken={token}"), "latest=true".to_owned()] {
            let found = list(reader, &format!("objects?{consistency}"), &question).await?;
            ensure!(found["objects"].as_array().context("objects")?.len() == number + 1, "{number}: {found}");
        }
    }
    first.stop().await;
    second.stop().await;
    Ok(())
}
