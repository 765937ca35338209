//! The guide for those who write rules is true: its examples load, stay apart, and do what it says.

use serde_json::{Value, json};

use super::harness::{Answer, Running, config, gateway};
use crate::domain::overlap::OverlapReport;
use crate::domain::rule_document;

const GUIDE: &str = include_str!("../../../../docs/guides/write-an-access-rule.md");

/// The examples under that name: what stands between the fences, without its first line.
fn examples(name: &str) -> Vec<&'static str> {
    let opening = format!("```yaml\n# {name}\n");
    GUIDE.split(opening.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// The guide's configuration with the guide's rules.
async fn running() -> Running {
    let file: Value = serde_saphyr::from_str(examples("kleis.yml")[0]).unwrap();
    let mut section = file["gateway"].clone();
    let rules = examples("rules.yml").concat();
    let own = config(&json!(rule_document::parse(&rules).unwrap()), json!({})).access_rules.repositories;
    section["access_rules"]["repositories"] = json!(own);
    // The people of the tests are known by a cookie of another name.
    let section = section.to_string().replace("ory_kratos_session", "session");
    let gateway = gateway(serde_json::from_str(&section).unwrap());
    gateway.load_rules().await.unwrap();
    Running::serve(gateway).await
}

async fn ask(running: &Running, url: &str, headers: &[(&str, &str)]) -> Answer {
    let (host, path) = url.split_once('/').unwrap();
    let path = format!("/{path}");
    let mut all = vec![("x-forwarded-proto", "https"), ("x-forwarded-host", host), ("x-forwarded-uri", path.as_str())];
    all.extend(headers);
    running.decide("/decisions", &all).await
}

#[tokio::test]
async fn every_example_is_valid_and_no_request_matches_two() {
    let running = running().await;
    let rules = examples("rules.yml");
    assert_eq!(running.gateway.list_rules(100, 0).len(), rules.len());
    assert_eq!(running.gateway.0.rules.load().overlaps(), OverlapReport::default());
}

#[tokio::test]
async fn signed_in_anonymous_and_stale_visitors_get_what_the_guide_says() {
    let running = running().await;
    let seen = async |name: &str, value: &str| {
        let answer = ask(&running, "shop.example/cart", &[(name, value)]).await;
        (answer.status, answer.header("x-user-id").map(str::to_owned), answer.header("set-cookie").is_some())
    };
    let nobody = (200, None, false);
    assert_eq!(seen("cookie", "session=valid-alice").await, (200, Some("alice".to_owned()), false));
    assert_eq!(seen("cookie", "").await, nobody);
    assert_eq!(seen("cookie", "theme=dark").await, nobody);
    assert_eq!(seen("cookie", "session=stale").await, (200, None, true));
    assert_eq!(seen("cookie", "session=aal1").await, nobody);
    assert_eq!(seen("authorization", "Basic eDp5").await, nobody);
    assert_eq!(seen("cookie", "session=outage").await.0, 503);
    assert_eq!(seen("x-user-id", "admin").await, nobody);
}

#[tokio::test]
async fn the_other_examples_do_what_the_guide_says() {
    let running = running().await;
    assert_eq!(ask(&running, "shop.example/static/a.css", &[]).await.status, 200);

    let page = ask(&running, "shop.example/account/orders?x=1", &[("accept", "text/html")]).await;
    let back = "https://auth.example/self-service/login/browser?return_to=https%3A%2F%2Fshop.example%2Faccount%2Forders%3Fx%3D1";
    assert_eq!((page.status, page.header("location")), (302, Some(back)));
    assert_eq!(ask(&running, "shop.example/account", &[("accept", "application/json")]).await.status, 401);
    let own = ask(&running, "shop.example/account", &[("cookie", "session=valid-alice")]).await;
    assert_eq!((own.status, own.header("x-user-id")), (200, Some("alice")));

    let order = async |token: &str| ask(&running, "api.example/orders/7", &[("authorization", token)]).await;
    assert_eq!(order("Bearer good").await.status, 403, "without the scope");
    assert_eq!(order("Bearer made-up").await.status, 401);
    let read = order("Bearer reader").await;
    assert_eq!((read.status, read.header("x-client-id"), read.header("x-order")), (200, Some("c"), Some("/7")));

    assert_eq!(ask(&running, "api.example/partners/x", &[("authorization", "Bearer a.b.c")]).await.status, 401);

    let ledger = ask(&running, "ledger.example/x", &[("cookie", "session=valid-alice")]).await;
    let token = ledger.header("authorization").and_then(|it| it.strip_prefix("Bearer ")).unwrap();
    let claims: Value = jose::Jws::parse(token).unwrap().unverified_claims().unwrap();
    assert_eq!((&claims["aud"], &claims["traits"]["email"]), (&json!(["ledger"]), &json!("alice@example")));
    assert_eq!(ask(&running, "shop.example/elsewhere", &[]).await.status, 404);
}
