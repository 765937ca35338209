//! Tests of the admin API over the router, on both engines, with a fixed clock.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use base::{Secret, TenantId, Timestamp};
use http::StatusCode;
use serde_json::{Value, json};
use test_client::{Client, Kind, Reply};

use super::TestServer;
use crate::domain::session::AuthenticationMethod;
use crate::domain::{Aal, CredentialType, Device, IdentityId, Session};
use crate::storage;

mod shapes;
mod ways_in;

async fn on_both<F: Future<Output = ()>>(test: impl Fn(TestServer) -> F) {
    let config = json!({
        "dev": true,
        "serve": {"public": {"base_url": "http://id.example/"}, "admin": {"base_url": "http://admin.example/"}},
        "selfservice": {"methods": {"password": {"config": {"haveibeenpwned_enabled": false}}, "link": {"enabled": true}}},
        "hashers": {"bcrypt": {"cost": 4}},
    });
    database::testing::on_both_engines(&[jobs::MIGRATIONS, crate::MIGRATIONS], |database| {
        test(TestServer::start(database, config.clone()))
    })
    .await;
}

impl TestServer {
    fn public(&self, kind: Kind) -> Client {
        self.client(kind, "http://id.example")
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> Reply {
        self.operator().json(method.parse().unwrap(), path, &body).await
    }

    async fn create(&self, email: &str) -> String {
        self.ask("POST", "/admin/identities", json!({"traits": {"email": email}})).await.expect(201).string("/id")
    }

    async fn sign_in(&self, id: &str) -> Session {
        let rng = &self.identity.rng;
        let now = self.clock.clock().now();
        let device = Device::new(rng, Some("192.0.2.1".into()), Some("test"), None);
        let method = AuthenticationMethod::new(CredentialType::Password, Aal::Aal1, now);
        let lifespan = Duration::from_hours(1);
        let (session, _) = Session::issue(rng, id.parse::<IdentityId>().unwrap(), method, device, lifespan, now);
        let mut tx = self.identity.database.write(TenantId::DEFAULT).await.unwrap();
        storage::sessions::insert(&mut tx, &session).await.unwrap();
        tx.commit().await.unwrap();
        session
    }
}

#[tokio::test]
async fn an_identity_is_created_read_replaced_and_deleted() {
    on_both(|server| async move {
        let created = server
            .ask(
                "POST",
                "/admin/identities",
                json!({
                    "schema_id": "default",
                    "traits": {"email": "Ada@Example.org", "name": {"first": "Ada"}},
                    "credentials": {"password": {"config": {"password": "correct horse"}}},
                    "metadata_public": {"a": 1}, "metadata_admin": {"b": 2}, "external_id": "crm-1",
                    "verifiable_addresses": [
                        {"value": "ADA@example.org", "verified": true, "via": "email", "status": "completed"},
                        {"value": "other@example.org", "verified": true, "via": "email", "status": "completed"},
                    ],
                }),
            )
            .await
            .expect(201);
        let id = created.json["id"].as_str().unwrap().to_owned();
        assert_eq!(created.headers["location"], format!("http://admin.example/admin/identities/{id}"));
        assert_eq!(created.json["state"], "active");
        assert_eq!(created.json["schema_url"], "http://id.example/schemas/ZGVmYXVsdA");
        assert_eq!(created.json["metadata_admin"], json!({"b": 2}));
        assert_eq!(created.json["external_id"], "crm-1");
        let password = &created.json["credentials"]["password"];
        assert_eq!((&password["identifiers"], password.get("config")), (&json!(["ada@example.org"]), None));
        let addresses = created.json["verifiable_addresses"].as_array().unwrap();
        assert_eq!(addresses.len(), 1, "an address that is not in the traits is dropped");
        assert_eq!((&addresses[0]["value"], &addresses[0]["verified"]), (&json!("ada@example.org"), &json!(true)));
        assert_eq!(created.json["recovery_addresses"][0]["value"], "ada@example.org");

        let read = server
            .ask("GET", &format!("/admin/identities/{id}?include_credential=password"), Value::Null)
            .await
            .expect(200);
        let hash = read.json["credentials"]["password"]["config"]["hashed_password"].as_str().unwrap();
        assert!(server.identity.hasher.verify(&Secret::new("correct horse".into()), hash).await.unwrap());
        let external = server.ask("GET", "/identities/by/external/crm-1", Value::Null).await.expect(200);
        assert_eq!(external.json["id"], id.as_str(), "the prefix is optional");

        let updated = server
            .ask(
                "PUT",
                &format!("/admin/identities/{id}"),
                json!({
                    "schema_id": "default", "state": "inactive", "traits": {"email": "ada@new.example"},
                }),
            )
            .await
            .expect(200);
        assert_eq!(updated.json["state"], "inactive");
        assert_eq!(updated.json["metadata_admin"], Value::Null);
        assert_eq!(updated.json.get("external_id"), None, "omitted members are cleared");
        assert_eq!(updated.json["verifiable_addresses"][0]["verified"], false, "a new address must be verified");
        assert_eq!(updated.json["credentials"]["password"]["identifiers"], json!(["ada@new.example"]));
        server.ask("GET", "/admin/identities/by/external/crm-1", Value::Null).await.expect(404);

        server.ask("DELETE", &format!("/admin/identities/{id}"), Value::Null).await.expect(204);
        server.ask("DELETE", &format!("/admin/identities/{id}"), Value::Null).await.expect(404);
        server.ask("GET", "/admin/identities/not-a-uuid", Value::Null).await.expect(404);
        server.create("ada@new.example").await;
        let names = server.events().await;
        for name in ["IdentityCreated", "IdentityUpdated", "IdentityDeleted"] {
            assert!(names.iter().any(|event| event == name), "{name} in {names:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn errors_name_the_invalid_member() {
    on_both(|server| async move {
        server.create("taken@example.org").await;
        let refused = |body: Value| {
            let server = &server;
            async move { server.ask("POST", "/admin/identities", body).await }
        };
        for (body, status, word) in [
            (json!({"traits": {}}), 400, "/traits/email"),
            (json!({"traits": {"email": "nobody"}}), 400, "email"),
            (json!({"traits": {"email": "a@b.example"}, "schema_id": "unknown"}), 400, "schema_id"),
            (json!({"traits": {"email": "a@b.example"}, "colour": "red"}), 400, "colour"),
            (
                json!({"traits": {"email": "a@b.example"},
                    "verifiable_addresses": [{"value": "a@b.example", "via": "email", "verifed": true}]}),
                400,
                "verifed",
            ),
            (
                json!({"traits": {"email": "a@b.example"},
                    "recovery_addresses": [{"value": "a@b.example", "via": "email", "verified": true}]}),
                400,
                "verified",
            ),
            (json!({"traits": {"email": "a@b.example"}, "state": "asleep"}), 400, "state"),
            (
                json!({"traits": {"email": "a@b.example"}, "credentials": {"password": {"config": {"hashed_password": "x"}}}}),
                400,
                "hashed_password",
            ),
            (
                json!({"traits": {"email": "a@b.example"}, "credentials": {"password": {"config": {"password": "x".repeat(73)}}}}),
                400,
                "password",
            ),
            (json!({"traits": {"email": "TAKEN@example.org"}}), 409, "Another identity"),
            (json!([]), 400, ".: invalid type: sequence"),
            (json!({"credentials": {"password": [{}]}}), 400, "credentials.password: invalid type: sequence"),
            (
                json!({"credentials": {"oidc": {"config": {"providers": [["ada", "github"]]}}}}),
                400,
                "credentials.oidc.config.providers[0]: invalid type: sequence",
            ),
        ] {
            let reply = refused(body.clone()).await;
            assert_eq!(reply.status.as_u16(), status, "{body}: {}", reply.json);
            assert!(reply.string("/error/reason").contains(word), "{body}: {}", reply.json);
        }
        let all = server.ask("GET", "/admin/identities", Value::Null).await.expect(200);
        assert_eq!(all.json.as_array().unwrap().len(), 1, "a rejected request has no effect");
    })
    .await;
}

#[tokio::test]
async fn lists_are_paged_by_sealed_tokens_and_filtered() {
    on_both(|server| async move {
        let mut expected = BTreeSet::new();
        for number in 0..7 {
            expected.insert(server.create(&format!("p{number}@example.org")).await);
        }
        let mut found = BTreeSet::new();
        let mut path = Some("/admin/identities?page_size=3".to_owned());
        let mut pages = 0;
        while let Some(next) = path {
            let page = server.ask("GET", &next, Value::Null).await.expect(200);
            pages += 1;
            for identity in page.json.as_array().unwrap() {
                assert!(identity.get("credentials").is_none());
                assert_eq!(identity["verifiable_addresses"].as_array().unwrap().len(), 1);
                assert!(found.insert(identity["id"].as_str().unwrap().to_owned()), "an identity is listed twice");
            }
            path = page.next_page().map(str::to_owned);
        }
        assert_eq!((pages, found), (3, expected.clone()));

        let with = server.ask("GET", "/admin/identities?include_credential=code", Value::Null).await.expect(200);
        let first = &with.json[0]["credentials"];
        assert!(
            first["code"]["config"]["addresses"].is_array() && first["password"].get("config").is_none(),
            "{first}"
        );

        let by = |query: String| {
            let server = &server;
            async move { server.ask("GET", &format!("/admin/identities?{query}"), Value::Null).await }
        };
        let one = by("credentials_identifier=P3%40Example.ORG".into()).await.expect(200);
        assert_eq!(one.json.as_array().unwrap().len(), 1);
        let similar = by("preview_credentials_identifier_similar=p&page_size=5".into()).await.expect(200);
        assert_eq!(similar.json.as_array().unwrap().len(), 5);
        let rest = server.ask("GET", similar.next_page().unwrap(), Value::Null).await.expect(200);
        assert_eq!(rest.json.as_array().unwrap().len(), 2, "the link contains the filters");
        assert_eq!(by("preview_credentials_identifier_similar=p%25".into()).await.expect(200).json, json!([]));
        let two: Vec<_> = expected.iter().take(2).cloned().collect();
        let ids = by(format!("ids={}&ids={}", two[0], two[1])).await.expect(200);
        assert_eq!(ids.json.as_array().unwrap().len(), 2);
        let old = by("page=1&per_page=5".into()).await.expect(200);
        assert_eq!((old.json.as_array().unwrap().len(), &old.headers["x-total-count"]), (2, &"7".parse().unwrap()));
        for wrong in [
            "page_size=x",
            "page_token=x",
            "ids=x",
            "page=900&per_page=2",
            "include_credential=fax",
            "organization_id=1",
            "credentials_identifier=a&organization_id=9b6a3c7e-1f0a-4a55-8f4c-000000000000",
        ] {
            by(wrong.into()).await.expect(400);
        }
    })
    .await;
}

#[tokio::test]
async fn a_patch_changes_members_and_is_validated_by_the_schema() {
    on_both(|server| async move {
        let id = server.create("ada@example.org").await;
        let path = format!("/admin/identities/{id}");
        let patched = server
            .ask(
                "PATCH",
                &path,
                json!([
                    {"op": "replace", "path": "/traits/name", "value": {"first": "Ada"}},
                    {"op": "add", "path": "/metadata_public/deep/er", "value": 1},
                    {"op": "replace", "path": "/state", "value": "inactive"},
                    {"op": "replace", "path": "/verifiable_addresses/0/verified", "value": true},
                    {"op": "add", "path": "/external_id", "value": "x-1"},
                ]),
            )
            .await
            .expect(200);
        assert_eq!(patched.json["traits"]["name"]["first"], "Ada");
        assert_eq!(patched.json["metadata_public"], json!({"deep": {"er": 1}}));
        assert_eq!((&patched.json["state"], &patched.json["external_id"]), (&json!("inactive"), &json!("x-1")));
        assert_eq!(patched.json["verifiable_addresses"][0]["verified"], true);
        let hash = "$2a$04$abcdefghijklmnopqrstuu960j13X6kQlzbqdzgQcooaqGRvuvICC";
        server
            .ask(
                "PATCH",
                &path,
                json!([{"op": "replace", "path": "/credentials/password/config/hashed_password", "value": hash}]),
            )
            .await
            .expect(200);
        let read = server.ask("GET", &format!("{path}?include_credential=password"), Value::Null).await.expect(200);
        assert_eq!(read.json["credentials"]["password"]["config"]["hashed_password"], hash);
        assert_eq!(read.json["credentials"]["password"]["identifiers"], json!(["ada@example.org"]));
        for wrong in [
            json!([{"op": "replace", "path": "/id", "value": "x"}]),
            json!([{"op": "replace", "path": "/credentials", "value": {}}]),
            json!([{"op": "replace", "path": "/credentials/oidc/config/providers", "value": []}]),
            json!([{"op": "replace", "path": "/state", "value": "asleep"}]),
            json!([{"op": "remove", "path": "/traits/email"}]),
            json!([{"op": "move", "path": "/traits/email", "from": "/traits/name"}]),
            json!([{"op": "add", "path": "/colour", "value": "red"}]),
            json!([{"op": "replace", "path": "/credentials/password/config/hashed_password", "value": "plain"}]),
            json!({"op": "replace"}),
        ] {
            server.ask("PATCH", &path, wrong).await.expect(400);
        }
        server.create("other@example.org").await;
        let taken = json!([{"op": "replace", "path": "/traits/email", "value": "other@example.org"}]);
        server.ask("PATCH", &path, taken).await.expect(409);
        let after = server.ask("GET", &path, Value::Null).await.expect(200);
        assert_eq!(after.json["traits"]["email"], "ada@example.org");
    })
    .await;
}

#[tokio::test]
async fn a_batch_reports_a_result_per_item() {
    on_both(|server| async move {
        let create = |email: &str| json!({"traits": {"email": email}, "credentials": {"password": {"config": {"password": "correct horse"}}}});
        let patch_id = "6f6f4a3e-0c1d-4b56-9a63-1b3f6e5a7c11";
        let reply = server
            .ask("PATCH", "/admin/identities", json!({"identities": [
                {"create": create("a@example.org"), "patch_id": patch_id},
                {"create": create("A@example.org"), "patch_id": "6f6f4a3e-0c1d-4b56-9a63-1b3f6e5a7c12"},
                {"create": create("nobody")},
                {"create": create("b@example.org")},
            ]}))
            .await
            .expect(200);
        let items = reply.json["identities"].as_array().unwrap();
        let actions: Vec<_> = items.iter().map(|item| item["action"].as_str().unwrap()).collect();
        assert!(actions == ["create", "error", "error", "create"] || actions == ["error", "create", "error", "create"]);
        let codes: BTreeSet<_> = items.iter().filter_map(|item| item["error"]["code"].as_i64()).collect();
        assert_eq!(codes, BTreeSet::from([400, 409]));
        assert_eq!(items[0]["patch_id"], patch_id);
        let all = server.ask("GET", "/admin/identities", Value::Null).await.expect(200);
        assert_eq!(all.json.as_array().unwrap().len(), 2);
        let many = vec![json!({"create": create("x@example.org")}); 201];
        server.ask("PATCH", "/admin/identities", json!({"identities": many})).await.expect(400);
        let bad_hash = json!({"traits": {"email": "c@example.org"}, "credentials": {"password": {"config": {"hashed_password": "x"}}}});
        server
            .ask("PATCH", "/admin/identities", json!({"identities": [{"create": create("d@example.org")}, {"create": bad_hash}]}))
            .await
            .expect(400);
        let all = server.ask("GET", "/admin/identities", Value::Null).await.expect(200);
        assert_eq!(all.json.as_array().unwrap().len(), 2, "a batch with an invalid item has no effect");
    })
    .await;
}

#[tokio::test]
async fn schemas_are_public() {
    on_both(|server| async move {
        for path in ["/schemas/default", "/schemas/ZGVmYXVsdA", "/admin/schemas/default"] {
            let reply = server.public(Kind::Native).get(path).await.expect(200);
            assert!(reply.json["properties"]["traits"].is_object());
        }
        let list = server.public(Kind::Native).get("/schemas").await.expect(200);
        assert_eq!((&list.json[0]["id"], list.json.as_array().unwrap().len()), (&json!("default"), 1));
        server.public(Kind::Native).get("/schemas/unknown").await.expect(404);
        server.public(Kind::Native).get("/admin/identities").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn messages_are_listed_and_their_attempts_shown() {
    on_both(|server| async move {
        let cx = server.cx();
        let mut tx = server.identity.database.write(cx.tenant).await.unwrap();
        let data = json!({"to": "a@example.org", "recovery_code": "123456", "expires_in_minutes": 60});
        let template = crate::components::courier::Template::RecoveryCodeValid;
        let via = crate::domain::Via::Email;
        let id = server.identity.courier.queue(&mut tx, &cx, template, via, "a@example.org", data).await.unwrap();
        tx.commit().await.unwrap();
        let queued = server
            .ask("GET", "/admin/courier/messages?status=queued&recipient=a@example.org", Value::Null)
            .await
            .expect(200);
        assert_eq!(queued.json[0]["id"], json!(id));
        assert!(queued.json[0]["body"].as_str().unwrap().contains("123456"), "contents are shown in development");

        let worker = jobs::Worker::new(
            server.identity.database.clone(),
            server.clock.clock(),
            server.identity.rng.clone(),
            server.identity.handlers(),
            crate::RETENTION.iter().copied(),
        );
        worker.run_due().await.unwrap();
        let sent = server.ask("GET", &format!("/admin/courier/messages/{id}"), Value::Null).await.expect(200);
        assert_eq!((&sent.json["status"], &sent.json["send_count"]), (&json!("sent"), &json!(1)));
        assert_eq!(sent.json["dispatches"][0]["status"], "success");
        assert_eq!(sent.json["dispatches"][0].get("error"), Some(&Value::Null));
        assert_eq!(
            server.ask("GET", "/admin/courier/messages?status=queued", Value::Null).await.expect(200).json,
            json!([])
        );
        server.ask("GET", "/admin/courier/messages/not-a-uuid", Value::Null).await.expect(400);
        server
            .ask("GET", "/admin/courier/messages/9b6a3c7e-1f0a-4a55-8f4c-000000000000", Value::Null)
            .await
            .expect(404);
        server.ask("GET", "/admin/courier/messages?status=lost", Value::Null).await.expect(400);
    })
    .await;
}
