//! Checks the guide for rule authors: its examples load, do not overlap, and behave as described.

use serde_json::{Value, json};
use test_client::Reply;

use super::harness::{Running, answer, config, exchange, gateway, server};
use crate::domain::overlap::OverlapReport;
use crate::domain::rule_document;

const GUIDE: &str = include_str!("../../../../docs/guides/write-an-access-rule.md");

/// The examples with this name: the text between the fences, without its first line.
fn examples(name: &str) -> Vec<&'static str> {
    let opening = format!("```yaml\n# {name}\n");
    GUIDE.split(opening.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// The guide's configuration with the guide's rules.
async fn running() -> Running {
    running_beside("http://127.0.0.1:1").await
}

/// The same with this authorization server.
async fn running_beside(policies: &str) -> Running {
    let file: Value = serde_saphyr::from_str(examples("kleis.yml")[0]).unwrap();
    let mut section = file["gateway"].clone();
    let rules = examples("rules.yml").concat();
    let own = config(&json!(rule_document::parse(&rules).unwrap()), json!({})).access_rules.repositories;
    section["access_rules"]["repositories"] = json!(own);
    // The fake sessions use a cookie with another name.
    let section = section.to_string().replace("ory_kratos_session", "session");
    let section = section.replace("http://policies.internal:8181", policies);
    let gateway = gateway(serde_json::from_str(&section).unwrap());
    gateway.load_rules().await.unwrap();
    Running::serve(gateway).await
}

async fn ask(running: &Running, url: &str, headers: &[(&str, &str)]) -> Reply {
    let (host, path) = url.split_once('/').unwrap();
    let path = format!("/{path}");
    let mut all = vec![("x-forwarded-proto", "https"), ("x-forwarded-host", host), ("x-forwarded-uri", path.as_str())];
    all.extend(headers);
    running.decide("/decisions", &all).await
}

#[tokio::test]
async fn every_example_is_valid_and_none_overlap() {
    let running = running().await;
    let rules = examples("rules.yml");
    assert_eq!(running.gateway.list_rules(100, 0).len(), rules.len());
    assert_eq!(running.gateway.rules.load().overlaps(), OverlapReport::default());
}

#[tokio::test]
async fn authenticated_anonymous_and_expired_sessions_behave_as_the_guide_says() {
    let running = running().await;
    let seen = async |name: &str, value: &str| {
        let answer = ask(&running, "shop.example/cart", &[(name, value)]).await;
        (answer.status.as_u16(), answer.header("x-user-id").map(str::to_owned), answer.header("set-cookie").is_some())
    };
    let anonymous = (200, None, false);
    assert_eq!(seen("cookie", "session=valid-alice").await, (200, Some("alice".to_owned()), false));
    assert_eq!(seen("cookie", "").await, anonymous);
    assert_eq!(seen("cookie", "theme=dark").await, anonymous);
    assert_eq!(seen("cookie", "session=stale").await, (200, None, true));
    assert_eq!(seen("cookie", "session=aal1").await, anonymous);
    assert_eq!(seen("authorization", "Basic eDp5").await, anonymous);
    assert_eq!(seen("cookie", "session=outage").await.0, 503);
    assert_eq!(seen("x-user-id", "admin").await, anonymous);
}

#[tokio::test]
async fn the_other_examples_behave_as_the_guide_says() {
    let running = running().await;
    assert_eq!(ask(&running, "shop.example/static/a.css", &[]).await.status, 200);

    let page = ask(&running, "shop.example/account/orders?x=1", &[("accept", "text/html")]).await;
    let back = "https://auth.example/self-service/login/browser?return_to=https%3A%2F%2Fshop.example%2Faccount%2Forders%3Fx%3D1";
    assert_eq!((page.status.as_u16(), page.header("location")), (302, Some(back)));
    assert_eq!(ask(&running, "shop.example/account", &[("accept", "application/json")]).await.status, 401);
    let own = ask(&running, "shop.example/account", &[("cookie", "session=valid-alice")]).await;
    assert_eq!((own.status.as_u16(), own.header("x-user-id")), (200, Some("alice")));

    let order = async |token: &str| ask(&running, "api.example/orders/7", &[("authorization", token)]).await;
    assert_eq!(order("Bearer good").await.status, 403, "without the scope");
    assert_eq!(order("Bearer made-up").await.status, 401);
    let read = order("Bearer reader").await;
    assert_eq!(
        (read.status.as_u16(), read.header("x-client-id"), read.header("x-order")),
        (200, Some("c"), Some("/7"))
    );

    assert_eq!(ask(&running, "api.example/partners/x", &[("authorization", "Bearer a.b.c")]).await.status, 401);

    let ledger = ask(&running, "ledger.example/x", &[("cookie", "session=valid-alice")]).await;
    let token = ledger.header("authorization").and_then(|it| it.strip_prefix("Bearer ")).unwrap();
    let claims: Value = jose::Jws::parse(token).unwrap().unverified_claims().unwrap();
    assert_eq!((&claims["aud"], &claims["traits"]["email"]), (&json!(["ledger"]), &json!("alice@example")));
    let app = async |token: &str| ask(&running, "app.example/api/x", &[("x-session-token", token)]).await;
    let native = app("ory_st_valid-alice").await;
    assert_eq!((native.status.as_u16(), native.header("x-user-id")), (200, Some("alice")));
    assert_eq!((app("ory_st_stale").await.status.as_u16(), app("other").await.status.as_u16()), (401, 401));

    assert_eq!(ask(&running, "shop.example/elsewhere", &[]).await.status, 404);
}

#[tokio::test]
async fn a_permission_is_asked_as_the_guide_says() {
    let running = running().await;
    let document = async |method: &str, cookie: &str| {
        ask(&running, "wiki.example/documents/plan", &[("x-forwarded-method", method), ("cookie", cookie)]).await
    };
    let read = document("GET", "session=valid-alice").await;
    assert_eq!((read.status.as_u16(), read.header("x-user-id")), (200, Some("alice")));
    assert_eq!(document("PUT", "session=valid-alice").await.status, 403);
    assert_eq!(document("GET", "session=stale").await.status, 401);
}

#[tokio::test]
async fn the_authorization_server_receives_the_requests_of_the_guide() {
    let (policies, at_server) = server(|parts, body| {
        let denied = body.contains("secret") || parts.headers.get("x-subject").is_some_and(|it| it == "mallory");
        answer(if denied { 403 } else { 200 }, &[("x-scope", "all")], "")
    })
    .await;
    let running = running_beside(&policies).await;
    let forwarded = |path: &'static str, method: &'static str, cookie: &'static str| {
        [
            ("x-forwarded-method", method),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "shop.example"),
            ("x-forwarded-uri", path),
            ("cookie", cookie),
            ("x-scope", "forged"),
        ]
    };
    let ask = async |path, method, cookie, body: &[u8]| {
        exchange(running.api, "POST", "/decisions", &forwarded(path, method, cookie), body).await
    };
    let alice = "session=valid-alice";
    let report = ask("/reports/2026", "GET", alice, b"").await;
    assert_eq!(
        (report.status.as_u16(), report.header("x-scope"), report.header("x-user-id")),
        (200, Some("all"), Some("alice"))
    );
    assert_eq!(ask("/reports/secret", "GET", alice, b"").await.status, 403);
    assert_eq!(ask("/reports/2026", "GET", "session=stale", b"").await.status, 401);
    assert_eq!(ask("/uploads/a", "POST", alice, b"a file").await.status, 200);
    assert_eq!(ask("/uploads/a", "POST", "session=valid-mallory", b"a file").await.status, 403);
    let at_server = at_server.lock().unwrap();
    let document: Value = serde_json::from_str(&at_server[0].1).unwrap();
    assert_eq!(document, json!({"subject": "alice", "resource": "reports:2026", "action": "GET"}));
    assert_eq!(
        (at_server.len(), at_server[2].1.as_str(), &at_server[2].0.headers["x-path"]),
        (4, "a file", &"/uploads/a".parse().unwrap())
    );
}
