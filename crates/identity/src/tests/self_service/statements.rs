//! The statements of the flows that a person takes, request by request: a flow that needs more of them fails its test, which prints
//! them by name.

use database::testing::recorded;
use serde_json::{Value, json};
use test_client::Kind;

use super::totp::{code_of, secret_of};
use super::{Client, FlowReply as _, PASSWORD, Reply, TestServer, with_server};
use crate::domain::code::CodePurpose;

const ADA: &str = "ada@example.org";

/// The requests of one flow, each with its statements.
struct Flow<'s> {
    server: &'s TestServer,
    requests: Vec<(&'static str, Vec<String>)>,
    write_transactions: u64,
}

impl<'s> Flow<'s> {
    fn of(server: &'s TestServer) -> Self {
        Self { server, requests: Vec::new(), write_transactions: 0 }
    }

    async fn take<T>(&mut self, name: &'static str, request: impl Future<Output = T>) -> T {
        let usage = || self.server.identity.database.usage().write_transactions;
        let before = usage();
        let (reply, statements) = recorded(request).await;
        self.write_transactions += usage() - before;
        self.requests.push((name, statements));
        reply
    }

    /// Begins a flow, fetches it as a browser's page does, and submits to it.
    async fn enter(&mut self, client: &mut Client, kind: &str, mut body: Value) -> Reply {
        let id = self.take("begins", client.begin(kind)).await;
        if client.http.kind != Kind::Native {
            body["csrf_token"] = json!(self.take("is fetched", client.csrf_token(kind, &id)).await);
        }
        self.take("is submitted", client.submit(kind, &id, body)).await
    }

    fn costs_at_most(&self, statements: usize, write_transactions: u64) {
        let total: usize = self.requests.iter().map(|(_, statements)| statements.len()).sum();
        let engine = self.server.identity.database.engine_name();
        let cost = format!("{total} statements and {} write transactions on {engine}", self.write_transactions);
        assert!(total > 0 && total <= statements, "{cost}: {:#?}", self.requests);
        assert!(self.write_transactions <= write_transactions, "{cost}: {:#?}", self.requests);
    }
}

#[tokio::test]
async fn a_sign_in_in_a_browser_and_the_page_after_it() {
    with_server(json!({}), |server| async move {
        server.native().sign_up(ADA).await.expect(200);
        for (mut client, status) in [(server.browser(), 303), (server.spa(), 200)] {
            let mut flow = Flow::of(&server);
            let body = json!({"method": "password", "identifier": ADA, "password": PASSWORD});
            flow.enter(&mut client, "login", body).await.expect(status);
            flow.take("is followed by a page", client.whoami()).await.expect(200);
            flow.costs_at_most(8, 2);
        }
    })
    .await;
}

#[tokio::test]
async fn a_registration_with_a_session_and_a_mail() {
    with_server(json!({}), |server| async move {
        for (mut client, address, status, statements) in
            [(server.browser(), ADA, 303, 19), (server.native(), "eve@example.org", 200, 17)]
        {
            let mut flow = Flow::of(&server);
            let body = json!({"method": "password", "password": PASSWORD, "traits": {"email": address}});
            flow.enter(&mut client, "registration", body).await.expect(status);
            flow.costs_at_most(statements, 2);
        }
    })
    .await;
}

#[tokio::test]
async fn a_recovery_by_code_and_the_new_password() {
    with_server(json!({}), |server| async move {
        server.native().sign_up(ADA).await.expect(200);
        let mut client = server.browser();
        let mut flow = Flow::of(&server);
        let id = flow.take("begins", client.begin("recovery")).await;
        let csrf_token = flow.take("is fetched", client.csrf_token("recovery", &id)).await;
        let body = json!({"method": "code", "email": ADA, "csrf_token": csrf_token});
        flow.take("sends a code", client.submit("recovery", &id, body)).await.expect(303);
        let code = server.code(&id, CodePurpose::Recovery).await;
        let body = json!({"method": "code", "code": code, "csrf_token": csrf_token});
        let id = flow.take("takes the code", client.submit("recovery", &id, body)).await.expect(303).sent_to("flow");
        let csrf_token = flow.take("asks for a password", client.csrf_token("settings", &id)).await;
        let body = json!({"method": "password", "password": "a better password", "csrf_token": csrf_token});
        flow.take("takes the password", client.submit("settings", &id, body)).await.expect(303);
        flow.costs_at_most(47, 4);
    })
    .await;
}

#[tokio::test]
async fn second_factors_that_are_set_up() {
    let methods = json!({"totp": {"enabled": true}, "lookup_secret": {"enabled": true}});
    with_server(json!({"selfservice": {"methods": methods}}), |server| async move {
        let mut client = server.native();
        client.sign_up(ADA).await.expect(200);
        let mut flow = Flow::of(&server);
        let id = flow.take("begins", client.begin("settings")).await;
        let secret = secret_of(&flow.take("is fetched", client.fetch("settings", &id)).await);
        let body = json!({"method": "totp", "totp_code": code_of(&server, &secret)});
        flow.take("sets an app up", client.submit("settings", &id, body)).await.expect(200);
        flow.costs_at_most(18, 2);

        let mut flow = Flow::of(&server);
        let id = flow.take("begins", client.begin("settings")).await;
        for (name, button) in
            [("creates codes", "lookup_secret_regenerate"), ("confirms the codes", "lookup_secret_confirm")]
        {
            flow.take(name, client.submit("settings", &id, json!({button: true}))).await.expect(200);
        }
        flow.costs_at_most(18, 3);
    })
    .await;
}
