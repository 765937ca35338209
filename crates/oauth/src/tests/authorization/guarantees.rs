//! Guarantees under races, and the cost of one login.

use std::sync::{Arc, Mutex};

use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jobs::Worker;
use tokio::task::JoinSet;

use super::*;
use crate::MIGRATIONS;

#[tokio::test]
async fn of_many_redemptions_of_one_verifier_one_gets_a_code() {
    database::testing::on_both_engines(&[jobs::MIGRATIONS, MIGRATIONS], |database| async move {
        let server = Arc::new(TestServer::with_applications(database));
        server.client(json!({})).await;
        let mut browser = server.browser();
        let challenge = server.begin(&mut browser, &request("")).await;
        let back = server.accept("login", &challenge, json!({"subject": "ada"})).await;
        let answers = many_visits(&browser, &back).await;
        let passed: Vec<&Reply> = answers.iter().filter(|answer| answer.status == StatusCode::FOUND).collect();
        assert_eq!(passed.len(), 1);
        let challenge = passed[0].parameter("consent_challenge").unwrap();
        browser.keep_cookies(passed[0]);
        let back = server.accept("consent", &challenge, json!({"grant_scope": ["openid"]})).await;
        let answers = many_visits(&browser, &back).await;
        let codes = answers.iter().filter(|answer| answer.status == StatusCode::SEE_OTHER).count();
        let refused = answers.iter().filter(|answer| answer.status == StatusCode::FORBIDDEN).count();
        assert_eq!((codes, refused), (1, answers.len() - 1));
    })
    .await;
}

async fn many_visits(browser: &Client, url: &Url) -> Vec<Reply> {
    let mut visits = JoinSet::new();
    for _ in 0..64 {
        let (mut browser, url) = (browser.clone(), url.clone());
        visits.spawn(async move { browser.get(url.as_str()).await });
    }
    visits.join_all().await
}

/// Counts statements and write transactions.
struct Meter(Database, database::Usage);

impl Meter {
    fn start(database: &Database) -> Self {
        Self(database.clone(), database.usage())
    }

    fn read(&self) -> (u64, u64) {
        let now = self.0.usage();
        (now.statements - self.1.statements, now.write_transactions - self.1.write_transactions)
    }
}

/// A login after which the client is cached and signing keys exist.
async fn warm(server: &TestServer) {
    let callback = server.sign_in(&mut server.browser(), &request(""), json!({"subject": "bob"})).await;
    assert_eq!(server.redeem(&callback).await.status, StatusCode::OK);
}

// The clock is stopped in these tests, so that short-lived cache entries do not expire on a slow machine.

#[tokio::test(start_paused = true)]
async fn a_login_with_the_operators_applications_costs_eight_statements() {
    let database = database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await;
    let server = TestServer::with_applications(database.clone());
    server.client(json!({})).await;
    warm(&server).await;

    let meter = Meter::start(&database);
    let mut browser = server.browser();
    let challenge = server.begin(&mut browser, &request("+offline_access")).await;
    assert_eq!(server.look("login", &challenge).await.status, StatusCode::OK);
    let back = server.accept("login", &challenge, json!({"subject": "ada", "remember": true})).await;
    assert_eq!(meter.read(), (0, 0), "nothing is written before the login");
    // Session and event.
    let challenge = browser.get(back.as_str()).await.parameter("consent_challenge").unwrap();
    assert_eq!(server.look("consent", &challenge).await.status, StatusCode::OK);
    let grant = json!({"grant_scope": ["openid", "photos.read", "offline_access"], "remember": true});
    let back = server.accept("consent", &challenge, grant).await;
    assert_eq!(meter.read(), (2, 1));
    // Grant, consent and event.
    let callback = browser.get(back.as_str()).await.redirect();
    assert_eq!(meter.read(), (5, 2));
    // The grant is read and redeemed; event.
    assert!(server.redeem(&callback).await.json["refresh_token"].is_string());
    assert_eq!(meter.read(), (8, 3));
}

#[tokio::test(start_paused = true)]
async fn a_login_through_the_built_in_pages_costs_eight_statements() {
    let database = database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await;
    let server = TestServer::with_own_pages(database.clone());
    server.client(json!({})).await;
    warm(&server).await;

    let meter = Meter::start(&database);
    let mut browser = server.browser();
    let page = super::pages::consent_page(&server, &mut browser, &request("")).await;
    let back = super::pages::allow(&mut browser, &page).await;
    assert_eq!(meter.read(), (2, 1));
    let callback = browser.get(back.as_str()).await.redirect();
    assert_eq!(server.redeem(&callback).await.status, StatusCode::OK);
    assert_eq!(meter.read(), (8, 3));

    // A known user costs less: nothing is asked, and session and grant are written together.
    let meter = Meter::start(&database);
    let challenge = server.begin(&mut browser, &request("")).await;
    let callback = server.pass(&mut browser, "login", &challenge, json!({"subject": "ada"})).await.redirect();
    assert_eq!(server.redeem(&callback).await.status, StatusCode::OK);
    let (statements, transactions) = meter.read();
    assert_eq!(transactions, 2);
    assert!(statements <= 10, "{statements}");
}

#[tokio::test]
async fn challenges_and_verifiers_stay_short() {
    let database = database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await;
    let server = TestServer::with_applications(database);
    let keys = json!({"x": "y".repeat(4000)});
    server.client(json!({"metadata": keys})).await;
    let mut browser = server.browser();
    let challenge = server.begin(&mut browser, &request("&nonce=0123456789abcdef")).await;
    let login_back = server.accept("login", &challenge, json!({"subject": Uuid::nil(), "amr": ["password"]})).await;
    let consent = browser.get(login_back.as_str()).await.parameter("consent_challenge").unwrap();
    let consent_back = server.accept("consent", &consent, json!({"grant_scope": ["openid"]})).await;
    let lengths = [challenge.len(), login_back.as_str().len(), consent.len(), consent_back.as_str().len()];
    assert!(lengths.into_iter().all(|length| length < 2_000), "{lengths:?}");
}

/// The logout tokens that a client's server received.
type Inbox = Arc<Mutex<Vec<String>>>;

#[tokio::test]
async fn a_back_channel_logout_is_retried_until_it_succeeds() {
    let inbox = Inbox::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let received = inbox.clone();
    let receiver = Router::new().route(
        "/out",
        post(async move |body: String| {
            let mut inbox = received.lock().unwrap();
            inbox.push(body);
            // The first delivery fails.
            if inbox.len() == 1 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
        }),
    );
    let mut serving = JoinSet::new();
    serving.spawn(async move { axum::serve(listener, receiver).await });

    let database = database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await;
    let server = TestServer::with_applications(database.clone());
    server.client(json!({"backchannel_logout_uri": format!("http://{address}/out")})).await;
    let mut browser = server.browser();
    let callback = server.sign_in(&mut browser, &request(""), json!({"subject": "ada", "remember": true})).await;
    let tokens = server.redeem(&callback).await.json;
    server.admin(Method::DELETE, "/admin/oauth2/auth/sessions/login?subject=ada", Value::Null).await.expect(204);

    let worker = Worker::new(database, server.clock.clock(), Rng::seeded(9), server.oauth.handlers(), []);
    worker.run_due().await.unwrap();
    server.wait(60);
    worker.run_due().await.unwrap();
    server.wait(3600);
    worker.run_due().await.unwrap();
    let bodies = inbox.lock().unwrap().clone();
    serving.abort_all();
    assert_eq!(bodies.len(), 2, "{bodies:?}");
    let token = bodies[1].strip_prefix("logout_token=").unwrap();
    let part = |token: &str, index: usize| -> Value {
        let part = token.split('.').nth(index).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    assert_eq!(part(token, 0)["typ"], "logout+jwt");
    let (claims, id_token) = (part(token, 1), part(tokens["id_token"].as_str().unwrap(), 1));
    assert_eq!(claims["iss"], "https://op.example/");
    assert_eq!(claims["aud"], json!(["shop"]));
    assert_eq!((&claims["sub"], &claims["sid"]), (&id_token["sub"], &id_token["sid"]));
    assert!(claims["events"]["http://schemas.openid.net/event/backchannel-logout"].is_object());
    assert!(claims.get("nonce").is_none());

    // A logout token is not an ID token.
    browser.get(&format!("https://op.example/oauth2/sessions/logout?id_token_hint={token}")).await.expect(400);
}
