//! The authorizer `permission` with the real permission service: in the same process, and in another one.

use acceptance::suite::{Suite, with_config_on_both_engines};
use acceptance::upstream::Upstream;
use anyhow::{Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use server::config::Service;

use super::super::identity::{register, session_token};
use super::{config, outcome, rule};

const MODEL: &str = "
class User implements Namespace {}
class Doc implements Namespace {
  related: { owners: User[] readers: User[] }
  permits = {
    read: (ctx: Context): boolean => this.related.readers.includes(ctx.subject) || this.permits.edit(ctx),
    edit: (ctx: Context): boolean => this.related.owners.includes(ctx.subject),
  }
}
";

fn model() -> Value {
    json!({ "namespaces": { "location": format!("base64://{}", STANDARD.encode(MODEL)) }, "write_validation": "strict" })
}

/// `/docs/<object>`: GET requires `read`, POST `edit`.
fn rules(upstream: &str) -> Value {
    let token = json!([{ "handler": "bearer_token", "config": { "subject_from": "identity.id" } }]);
    let mut rule = rule("docs", upstream, &token);
    rule["match"]["url"] = json!("http://<localhost|127.0.0.1>:<[0-9]+>/docs/<[^/]+>");
    rule["authorizer"] = json!({ "handler": "permission", "config": {
        "namespace": "Doc",
        "object": "{{ printIndex .MatchContext.RegexpCaptureGroups 2 }}",
        "relation": "{{ if eq .MatchContext.Method \"GET\" }}read{{ else }}edit{{ end }}",
        "subject_namespace": "User",
    } });
    json!([rule])
}

fn gateway_config(upstream: &str) -> Value {
    let mut config = config(&rules(upstream));
    config["gateway"]["authorizers"]["permission"] = json!({ "enabled": true });
    config
}

fn tuple(relation: &str, user: &str) -> Value {
    let subject = json!({ "namespace": "User", "object": user, "relation": "" });
    json!({ "namespace": "Doc", "object": "plan", "relation": relation, "subject_set": subject })
}

async fn change(permissions: &Suite, action: &str, tuple: &Value) -> Result<()> {
    let deltas = json!([{ "action": action, "relation_tuple": tuple }]);
    let url = permissions.permissions("write", "/admin/relation-tuples");
    permissions.api().json(Method::PATCH, url, &deltas).await?.expect_status(StatusCode::NO_CONTENT)?;
    Ok(())
}

/// What `token` gets from `/docs/plan`: for GET and for POST.
async fn outcomes(gateway: &Suite, token: &str) -> Result<[String; 2]> {
    let ask = async |method: Method| {
        let mut client = gateway.api().with_header("authorization", &format!("Bearer {token}"));
        anyhow::Ok(outcome(&client.json(method, gateway.gateway("/docs/plan"), &Value::Null).await?))
    };
    Ok([ask(Method::GET).await?, ask(Method::POST).await?])
}

async fn person(suite: &Suite, email: &str) -> Result<(String, String)> {
    let registered = register(suite, email).await?;
    let id = registered.at("/identity/id").as_str().unwrap_or_default().to_owned();
    Ok((id, session_token(&registered)?))
}

#[tokio::test]
async fn a_document_is_shared_and_its_reader_is_refused_after_the_revocation() -> Result<()> {
    let upstream = Upstream::start().await?;
    let mut config = gateway_config(&upstream.url());
    config["permissions"] = model();
    with_config_on_both_engines(config, async |suite| {
        let (ada, token_of_ada) = person(suite, "ada@example.org").await?;
        let (bob, token_of_bob) = person(suite, "bob@example.org").await?;
        ensure!(outcomes(suite, &token_of_ada).await? == ["403", "403"]);
        change(suite, "insert", &tuple("owners", &ada)).await?;
        ensure!(outcomes(suite, &token_of_ada).await? == [ada.as_str(), ada.as_str()]);
        ensure!(outcomes(suite, &token_of_bob).await? == ["403", "403"]);
        change(suite, "insert", &tuple("readers", &bob)).await?;
        ensure!(outcomes(suite, &token_of_bob).await? == [bob.as_str(), "403"]);
        change(suite, "delete", &tuple("readers", &bob)).await?;
        ensure!(outcomes(suite, &token_of_bob).await? == ["403", "403"]);
        ensure!(outcomes(suite, "made-up").await? == ["401", "401"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_permission_service_of_another_process_is_asked_over_http() -> Result<()> {
    let permissions = Suite::start_services(&[Service::PERMISSIONS], json!({ "permissions": model() })).await?;
    let upstream = Upstream::start().await?;
    let mut config = gateway_config(&upstream.url());
    config["gateway"]["permissions"] = json!({ "url": permissions.permissions("read", "") });
    let gateway = Suite::start_services(&[Service::IDENTITY, Service::GATEWAY], config).await?;
    let (ada, token) = person(&gateway, "ada@example.org").await?;
    ensure!(outcomes(&gateway, &token).await? == ["403", "403"]);
    change(&permissions, "insert", &tuple("readers", &ada)).await?;
    ensure!(outcomes(&gateway, &token).await? == [ada.as_str(), "403"]);
    permissions.stop().await;
    ensure!(outcomes(&gateway, &token).await? == ["503", "503"], "a service that has gone denies nothing");
    gateway.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_rule_without_a_permission_service_is_refused() -> Result<()> {
    let upstream = Upstream::start().await?;
    let config = gateway_config(&upstream.url());
    let gateway = Suite::start_services(&[Service::IDENTITY, Service::GATEWAY], config).await?;
    let (_, token) = person(&gateway, "ada@example.org").await?;
    ensure!(outcomes(&gateway, &token).await? == ["500", "500"]);
    gateway.stop().await;
    Ok(())
}
