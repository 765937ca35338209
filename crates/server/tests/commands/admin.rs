//! `kleis identity` and `kleis oauth client`, typed at the real program and answered by another one.

use serde_json::{Value, json};

use super::program::{House, Said};

const SCHEMA: &str = r"
identity:
  identity:
    default_schema_id: default
    schemas:
      - id: default
        url: file://./default.json
      - id: plain
        url: file://./plain.json
";
const DEFAULT: &str = r#"{"type": "object", "properties": {"traits": {"type": "object", "properties": {
  "email": {"type": "string", "format": "email", "ory.sh/kratos": {"credentials": {"password": {"identifier": true}},
    "verification": {"via": "email"}}},
  "name": {"type": "string"}}}}}"#;
const PLAIN: &str = r#"{"type": "object", "properties": {"traits": {"type": "object", "properties": {
  "email": {"type": "string"}}}}}"#;

/// Every flag of Hydra's `create oauth2-client` that describes a client, with what the server keeps.
const ALL_FLAGS: &str = "--id all --name App --secret a-secret-that-is-long --grant-type authorization_code,refresh_token \
    --response-type code --scope openid,offline_access --audience https://api.example --redirect-uri https://app.example/cb \
    --token-endpoint-auth-method client_secret_post --jwks-uri https://app.example/jwks --access-token-strategy jwt \
    --subject-type public --request-uri https://app.example/request --request-object-signing-alg RS256 --skip-consent \
    --skip-logout-consent --post-logout-callback https://app.example/bye --backchannel-logout-callback https://app.example/back \
    --backchannel-logout-session-required --frontchannel-logout-callback https://app.example/front \
    --frontchannel-logout-session-required --allowed-cors-origin https://app.example --client-uri https://app.example/about \
    --logo-uri https://app.example/logo --policy-uri https://app.example/policy --tos-uri https://app.example/tos \
    --contact ada@example.org --owner ada --metadata {\"team\":7}";

fn kept() -> Value {
    json!({
        "client_id": "all", "client_name": "App", "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"], "scope": "openid offline_access", "audience": ["https://api.example"],
        "redirect_uris": ["https://app.example/cb"], "token_endpoint_auth_method": "client_secret_post",
        "jwks_uri": "https://app.example/jwks", "access_token_strategy": "jwt", "subject_type": "public",
        "request_uris": ["https://app.example/request"], "request_object_signing_alg": "RS256",
        "skip_consent": true, "skip_logout_consent": true, "post_logout_redirect_uris": ["https://app.example/bye"],
        "backchannel_logout_uri": "https://app.example/back", "backchannel_logout_session_required": true,
        "frontchannel_logout_uri": "https://app.example/front", "frontchannel_logout_session_required": true,
        "allowed_cors_origins": ["https://app.example"], "client_uri": "https://app.example/about",
        "logo_uri": "https://app.example/logo", "policy_uri": "https://app.example/policy",
        "tos_uri": "https://app.example/tos", "contacts": ["ada@example.org"], "owner": "ada", "metadata": {"team": 7},
    })
}

fn good(said: Said) -> Said {
    assert_eq!(said.code, Some(0), "{said:?}");
    said
}

fn client_flags_are_kept(house: &House, endpoint: &[(&str, &str)]) {
    let created = good(house.run(&format!("kleis oauth client create --format json {ALL_FLAGS}"), endpoint));
    let client = created.json();
    for (name, value) in kept().as_object().unwrap() {
        assert_eq!(&client[name], value, "{name} of {client}");
    }
    assert_eq!(created.errors, "");
    let table = good(house.run("kleis oauth client get all", endpoint)).output;
    for (name, value) in [("BACKCHANNEL LOGOUT URI", "https://app.example/back"), ("CONTACTS", "ada@example.org")] {
        let row = table.lines().find(|line| line.trim_start().starts_with(name));
        assert!(row.is_some_and(|row| row.contains(value)), "{name}: {table}");
    }
    let changed =
        good(house.run("hydra update oauth2-client all --owner= --skip-consent=false --format json", endpoint));
    let (mut wanted, client) = (kept(), changed.json());
    (wanted["owner"], wanted["skip_consent"]) = (json!(""), json!(false));
    for (name, value) in wanted.as_object().unwrap() {
        assert_eq!(&client[name], value, "{name} of {client}");
    }
}

fn a_client_without_redirect_uri_is_warned_of(house: &House, endpoint: &[(&str, &str)]) {
    let said = good(house.run("hydra create oauth2-client --name Code --format json", endpoint));
    let id = said.json()["client_id"].as_str().unwrap().to_owned();
    assert!(said.errors.contains(&format!("kleis oauth client update {id} --redirect-uri URL")), "{}", said.errors);
    let line =
        format!("kleis oauth client update {id} --redirect-uri https://app.example/cb --jwks-uri https://a.example/j");
    assert_eq!(good(house.run(&line, endpoint)).errors, "");
    let machine = "kleis oauth client create --name Nightly --grant-type client_credentials";
    let said = good(house.run(machine, endpoint));
    assert!(!said.errors.contains("warning"), "{}", said.errors);
    assert!(said.output.contains("Nightly") && !said.output.contains("REDIRECT URIS"), "{}", said.output);
    let listed = good(house.run("hydra list oauth2-clients --format json", endpoint)).json();
    assert_eq!(listed.as_array().unwrap().len(), 3, "{listed}");
    good(house.run(&format!("hydra delete oauth2-client {id}"), endpoint));
    let gone = house.run(&format!("kleis oauth client get {id}"), endpoint);
    assert_eq!((gone.code, gone.errors), (Some(1), format!("kleis: nothing has the id {id}\n")));
}

fn people_are_created_verified(house: &House, endpoint: &[(&str, &str)]) {
    let create = |more: &str| good(house.run(&format!("kleis identity create --format json {more}"), endpoint));
    let addresses = |said: &Said| said.json()["verifiable_addresses"].clone();
    let verified = |address: &Value| (address["value"].clone(), address["verified"].clone(), address["status"].clone());

    let plain = addresses(&create("--email ada@example.org"));
    assert_eq!(verified(&plain[0]), (json!("ada@example.org"), json!(false), json!("pending")));
    let said = addresses(&create("--email Bea@example.org --verified"));
    assert_eq!(verified(&said[0]), (json!("bea@example.org"), json!(true), json!("completed")));
    let said =
        addresses(&create("--verified --traits {\"email\":\"cleo@example.org\",\"name\":\"cleo@other.example\"}"));
    assert_eq!(said.as_array().unwrap().len(), 1, "the schema says what is an address: {said}");
    assert_eq!(verified(&said[0]), (json!("cleo@example.org"), json!(true), json!("completed")));

    let none = create("--verified --schema plain --email dan@example.org");
    assert!(none.errors.contains("the identity schema marks none"), "{}", none.errors);
    let table = good(house.run("kleis identity create --verified --email eve@example.org", endpoint)).output;
    assert!(table.contains("eve@example.org (verified)"), "{table}");
    let id = none.json()["id"].as_str().unwrap().to_owned();
    let same = good(house.run(&format!("kratos get identity {id} --format json-pretty"), endpoint)).json();
    assert_eq!(same["id"], json!(id));
    good(house.run(&format!("kratos delete identity {id}"), endpoint));
    let listed = good(house.run("kratos list identities --format json", endpoint)).json();
    assert_eq!(listed.as_array().unwrap().len(), 4, "{listed}");
}

#[test]
fn the_admin_commands_do_what_they_say() {
    let house = House::new(&[("kleis.yml", SCHEMA), ("default.json", DEFAULT), ("plain.json", PLAIN)]);
    let server = house.serve("kleis serve identity oauth -c kleis.yml", &[]).unwrap();
    let (identity, oauth) = (server.url("identity/admin"), server.url("oauth/admin"));
    client_flags_are_kept(&house, &[("KLEIS_ENDPOINT", &oauth)]);
    a_client_without_redirect_uri_is_warned_of(&house, &[("HYDRA_ADMIN_URL", &oauth)]);
    people_are_created_verified(&house, &[("KLEIS_ENDPOINT", &identity)]);
    assert_eq!(server.stop().code(), Some(0));
}
