//! `kleis identity` and `kleis oauth client`, run as programs against a running server.

use serde_json::{Value, json};

use super::program::{CommandOutput, RunDirectory};

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

fn good(output: CommandOutput) -> CommandOutput {
    assert_eq!(output.code, Some(0), "{output:?}");
    output
}

fn client_flags_are_kept(directory: &RunDirectory, endpoint: &[(&str, &str)]) {
    let created = good(directory.run(&format!("kleis oauth client create --format json {ALL_FLAGS}"), endpoint));
    let client = created.json();
    for (name, value) in kept().as_object().unwrap() {
        assert_eq!(&client[name], value, "{name} of {client}");
    }
    assert_eq!(created.errors, "");
    let table = good(directory.run("kleis oauth client get all", endpoint)).output;
    for (name, value) in [("BACKCHANNEL LOGOUT URI", "https://app.example/back"), ("CONTACTS", "ada@example.org")] {
        let row = table.lines().find(|line| line.trim_start().starts_with(name));
        assert!(row.is_some_and(|row| row.contains(value)), "{name}: {table}");
    }
    let changed =
        good(directory.run("hydra update oauth2-client all --owner= --skip-consent=false --format json", endpoint));
    let (mut wanted, client) = (kept(), changed.json());
    (wanted["owner"], wanted["skip_consent"]) = (json!(""), json!(false));
    for (name, value) in wanted.as_object().unwrap() {
        assert_eq!(&client[name], value, "{name} of {client}");
    }
}

fn a_client_without_redirect_uri_causes_a_warning(directory: &RunDirectory, endpoint: &[(&str, &str)]) {
    let output = good(directory.run("hydra create oauth2-client --name Code --format json", endpoint));
    let id = output.json()["client_id"].as_str().unwrap().to_owned();
    assert!(output.errors.contains(&format!("kleis oauth client update {id} --redirect-uri URL")), "{}", output.errors);
    let line =
        format!("kleis oauth client update {id} --redirect-uri https://app.example/cb --jwks-uri https://a.example/j");
    assert_eq!(good(directory.run(&line, endpoint)).errors, "");
    let machine = "kleis oauth client create --name Nightly --grant-type client_credentials";
    let output = good(directory.run(machine, endpoint));
    assert!(!output.errors.contains("warning"), "{}", output.errors);
    assert!(output.output.contains("Nightly") && !output.output.contains("REDIRECT URIS"), "{}", output.output);
    let listed = good(directory.run("hydra list oauth2-clients --format json", endpoint)).json();
    assert_eq!(listed.as_array().unwrap().len(), 3, "{listed}");
    good(directory.run(&format!("hydra delete oauth2-client {id}"), endpoint));
    let gone = directory.run(&format!("kleis oauth client get {id}"), endpoint);
    assert_eq!((gone.code, gone.errors), (Some(1), format!("kleis: no resource has the id {id}\n")));
}

fn people_are_created_verified(directory: &RunDirectory, endpoint: &[(&str, &str)]) {
    let create = |more: &str| good(directory.run(&format!("kleis identity create --format json {more}"), endpoint));
    let addresses = |output: &CommandOutput| output.json()["verifiable_addresses"].clone();
    let verified = |address: &Value| (address["value"].clone(), address["verified"].clone(), address["status"].clone());

    let plain = addresses(&create("--email ada@example.org"));
    assert_eq!(verified(&plain[0]), (json!("ada@example.org"), json!(false), json!("pending")));
    let found = addresses(&create("--email Bea@example.org --verified"));
    assert_eq!(verified(&found[0]), (json!("bea@example.org"), json!(true), json!("completed")));
    let found =
        addresses(&create("--verified --traits {\"email\":\"cleo@example.org\",\"name\":\"cleo@other.example\"}"));
    assert_eq!(found.as_array().unwrap().len(), 1, "the schema defines which traits are addresses: {found}");
    assert_eq!(verified(&found[0]), (json!("cleo@example.org"), json!(true), json!("completed")));

    let none = create("--verified --schema plain --email dan@example.org");
    assert!(none.errors.contains("the identity schema marks none"), "{}", none.errors);
    let table = good(directory.run("kleis identity create --verified --email eve@example.org", endpoint)).output;
    assert!(table.contains("eve@example.org (verified)"), "{table}");
    let id = none.json()["id"].as_str().unwrap().to_owned();
    let same = good(directory.run(&format!("kratos get identity {id} --format json-pretty"), endpoint)).json();
    assert_eq!(same["id"], json!(id));
    good(directory.run(&format!("kratos delete identity {id}"), endpoint));
    let listed = good(directory.run("kratos list identities --format json", endpoint)).json();
    assert_eq!(listed.as_array().unwrap().len(), 4, "{listed}");
}

#[test]
fn the_admin_commands_work_against_a_running_server() {
    let directory = RunDirectory::new(&[("kleis.yml", SCHEMA), ("default.json", DEFAULT), ("plain.json", PLAIN)]);
    let server = directory.serve("kleis serve identity oauth -c kleis.yml", &[]).unwrap();
    let (identity, oauth) = (server.url("identity/admin"), server.url("oauth/admin"));
    client_flags_are_kept(&directory, &[("KLEIS_ENDPOINT", &oauth)]);
    a_client_without_redirect_uri_causes_a_warning(&directory, &[("HYDRA_ADMIN_URL", &oauth)]);
    people_are_created_verified(&directory, &[("KLEIS_ENDPOINT", &identity)]);
    assert_eq!(server.stop().code(), Some(0));
}
