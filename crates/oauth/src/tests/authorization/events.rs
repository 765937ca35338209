//! What the event log holds after people signed in and operators took things back.

use super::*;
use crate::MIGRATIONS;
use crate::tests::token;

/// Names, subjects and attributes, without the ids that are random.
async fn events(server: &TestServer) -> Vec<(String, String, Value)> {
    let page = base::PageRequest { size: 100, after: None };
    let events = jobs::list_events(&mut server.oauth.database.read(TenantId::DEFAULT), page).await.unwrap().items;
    events
        .into_iter()
        .map(|event| {
            let mut attributes = event.attributes;
            for (name, value) in attributes.as_object_mut().unwrap() {
                if ["consent_request_id", "login_session_id", "jti", "kid"].contains(&name.as_str()) {
                    *value = Value::from("(id)");
                }
            }
            (event.name, event.subject, attributes)
        })
        .collect()
}

#[tokio::test]
async fn each_change_has_one_event_about_one_kind_of_subject() {
    database::testing::on_both_engines(&[MIGRATIONS, jobs::MIGRATIONS], |database| async move {
        let server = TestServer::with_applications(database);
        server.client(json!({})).await;
        let mut browser = server.browser();
        let callback = server.sign_in(&mut browser, &request(""), json!({"subject": "ada", "remember": true})).await;
        let tokens = server.redeem(&callback).await.json;
        let listed = server.admin(Method::GET, "/admin/oauth2/auth/sessions/consent?subject=ada", Value::Null).await;
        let id = listed.json[0]["consent_request_id"].as_str().unwrap().to_owned();
        let revocation = format!("/admin/oauth2/auth/sessions/consent?consent_request_id={id}");
        // What is revoked already is not recorded again.
        for _ in 0..2 {
            server.admin(Method::DELETE, &revocation, Value::Null).await.expect(204);
        }
        assert!(!token::is_active(&server, tokens["access_token"].as_str().unwrap()).await);
        assert_eq!(server.redeem(&callback).await.status, StatusCode::BAD_REQUEST);
        server.admin(Method::DELETE, "/admin/oauth2/tokens?client_id=shop", Value::Null).await;
        server.admin(Method::DELETE, "/admin/oauth2/auth/sessions/login?subject=ada", Value::Null).await;
        server.admin(Method::DELETE, "/admin/clients/shop", Value::Null).await;
        let event = |name: &str, subject: &str, attributes| (name.to_owned(), subject.to_owned(), attributes);
        let of_shop = |more: Value| {
            let mut attributes = json!({"client_id": "shop"});
            attributes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            attributes
        };
        assert_eq!(
            events(&server).await,
            [
                event("OAuth2ClientCreated", "shop", of_shop(json!({"client_name": "The Shop"}))),
                event("OAuth2LoginAccepted", "ada", of_shop(json!({"login_session_id": "(id)"}))),
                event(
                    "OAuth2ConsentAccepted",
                    "ada",
                    of_shop(json!({"consent_request_id": "(id)", "scope": "openid photos.read"}))
                ),
                event(
                    "OAuth2AccessTokenIssued",
                    "ada",
                    of_shop(json!({"consent_request_id": "(id)", "grant_type": "authorization_code"}))
                ),
                event("OAuth2ConsentRevoked", "ada", of_shop(json!({"consent_request_id": "(id)"}))),
                event("OAuth2AccessTokenRevoked", "shop", of_shop(json!({"all": true}))),
                event("OAuth2LoginSessionEnded", "ada", json!({"login_session_id": "(id)"})),
                event("OAuth2ClientDeleted", "shop", of_shop(json!({}))),
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn a_code_that_is_redeemed_again_is_recorded_once() {
    let server = TestServer::with_applications(database::testing::sqlite(&[MIGRATIONS, jobs::MIGRATIONS]).await);
    server.client(json!({})).await;
    let callback = server.sign_in(&mut server.browser(), &request(""), json!({"subject": "ada"})).await;
    for status in [StatusCode::OK, StatusCode::BAD_REQUEST, StatusCode::BAD_REQUEST] {
        assert_eq!(server.redeem(&callback).await.status, status);
    }
    let failures: Vec<_> =
        events(&server).await.into_iter().filter(|(name, ..)| name == "OAuth2TokenExchangeError").collect();
    let attributes = json!({"client_id": "shop", "consent_request_id": "(id)", "reason": "code_replayed"});
    assert_eq!(failures, [("OAuth2TokenExchangeError".to_owned(), "ada".to_owned(), attributes)]);
}
