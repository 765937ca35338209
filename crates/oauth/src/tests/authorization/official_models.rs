//! Responses of the admin API have exactly the members of the official clients' models: some clients reject all others.
//! `official_models.json` lists the members of each model, and which of them are required.

use std::collections::HashMap;

use serde::Deserialize;

use super::*;
use crate::MIGRATIONS;
use crate::tests::token;

#[derive(Deserialize)]
struct Model {
    required: Vec<String>,
    members: Vec<String>,
}

/// Members that contain another model.
const NESTED: [(&str, &str); 5] = [
    ("client", "oAuth2Client"),
    ("oidc_context", "oAuth2ConsentRequestOpenIDConnectContext"),
    ("consent_request", "oAuth2ConsentRequest"),
    ("session", "acceptOAuth2ConsentRequestSession"),
    ("keys", "jsonWebKey"),
];

#[track_caller]
fn check(model: &str, value: &Value) {
    let models: HashMap<String, Model> = serde_json::from_str(include_str!("official_models.json")).unwrap();
    check_with(&models, model, value);
}

#[track_caller]
fn check_with(models: &HashMap<String, Model>, name: &str, value: &Value) {
    let model = &models[name];
    let object = value.as_object().unwrap_or_else(|| panic!("{name}: {value}"));
    for member in object.keys() {
        assert!(model.members.contains(member), "{name} has no {member}: {value}");
    }
    for member in &model.required {
        assert!(object.contains_key(member), "{name} requires {member}: {value}");
    }
    for (member, nested) in NESTED {
        match object.get(member) {
            Some(Value::Array(items)) => items.iter().for_each(|item| check_with(models, nested, item)),
            Some(value @ Value::Object(_)) => check_with(models, nested, value),
            None | Some(_) => {}
        }
    }
}

#[tokio::test]
async fn admin_responses_have_the_members_of_the_official_models() {
    let server = TestServer::with_applications(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    check("oAuth2Client", &server.client(json!({"subject_type": "public"})).await);
    let mut browser = server.browser();
    let more = "+offline_access&acr_values=a&display=page&login_hint=ada&ui_locales=de";
    let challenge = server.begin(&mut browser, &request(more)).await;
    check("oAuth2LoginRequest", &server.look("login", &challenge).await.json);
    let uri = format!("/admin/oauth2/auth/requests/login/accept?login_challenge={challenge}");
    let login = json!({"subject": "ada", "remember": true, "context": {"a": 1}});
    let accepted = server.admin(Method::PUT, &uri, login).await.json;
    check("oAuth2RedirectTo", &accepted);
    let answer = browser.get(accepted["redirect_to"].as_str().unwrap()).await;
    let challenge = answer.parameter("consent_challenge").unwrap();
    check("oAuth2ConsentRequest", &server.look("consent", &challenge).await.json);
    let consent = json!({
        "grant_scope": ["openid", "offline_access"], "session": {"access_token": {"x": 1}, "id_token": {"y": 1}},
    });
    let callback = server.pass(&mut browser, "consent", &challenge, consent).await.redirect();
    let tokens = server.redeem(&callback).await.json;
    for name in ["access_token", "refresh_token"] {
        let active = token::introspect(&server, tokens[name].as_str().unwrap()).await;
        assert_eq!(active["active"], true);
        check("introspectedOAuth2Token", &active);
    }
    check("introspectedOAuth2Token", &token::introspect(&server, "nothing").await);

    let uri = "/admin/oauth2/auth/sessions/consent?subject=ada";
    let sessions = server.admin(Method::GET, uri, Value::Null).await.json;
    sessions.as_array().unwrap().iter().for_each(|session| check("oAuth2ConsentSession", session));
    let logout = browser.get("https://op.example/oauth2/sessions/logout").await;
    let challenge = logout.parameter("logout_challenge").unwrap();
    check("oAuth2LogoutRequest", &server.look("logout", &challenge).await.json);
}

#[tokio::test]
async fn key_sets_have_the_members_of_the_official_models() {
    let server = TestServer::with_applications(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        let new = json!({"alg": algorithm, "kid": algorithm, "use": "sig"});
        let made = server.admin(Method::POST, "/admin/keys/a-set", new).await.json;
        check("jsonWebKeySet", &made);
    }
    let missing = server.admin(Method::GET, "/admin/keys/another-set", Value::Null).await.expect(404);
    check("errorOAuth2", &missing.json);
}
