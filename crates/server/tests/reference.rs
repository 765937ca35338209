//! The reference in `docs/reference/` is up to date. `cargo xtask docs` writes it by running this test with `UPDATE_REFERENCE`
//! set.

use std::path::Path;

use serde_json::{Value, json};

const COMMAND: &str = "run `cargo xtask docs`, and commit what it changes";

#[test]
#[expect(clippy::disallowed_methods, reason = "the command that writes the reference sets the variable")]
fn the_reference_is_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference");
    let is_update = std::env::var_os("UPDATE_REFERENCE").is_some();
    let mut stale = Vec::new();
    for file in server::reference::files().unwrap() {
        let path = folder.join(file.name);
        if is_update {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(path, file.text).unwrap();
        } else if std::fs::read_to_string(path).ok() != Some(file.text) {
            stale.push(file.name);
        }
    }
    assert_eq!(stale, Vec::<&str>::new(), "docs/reference is out of date: {COMMAND}");
}

#[test]
fn every_key_has_a_description() {
    let missing = server::reference::keys_without_description().unwrap();
    assert_eq!(missing, Vec::<String>::new(), "write a doc comment for the field of each");
}

/// The schema for editors accepts and rejects the same documents as the server.
#[test]
fn the_schema_for_editors_validates_like_the_server() {
    let [_, schema, _] = server::reference::files().unwrap();
    let schema: Value = serde_json::from_str(&schema.text).unwrap();
    let validator = jsonschema::options().with_draft(jsonschema::Draft::Draft7).build(&schema).unwrap();
    let good = json!({
        "dsn": "memory",
        "oauth": { "urls": { "self": { "issuer": "https://a.example" } }, "ttl": { "access_token": "1h" } },
        "identity": { "selfservice": { "flows": { "login": { "after": { "hooks": [{ "hook": "revoke_active_sessions" }] } } } } },
        "gateway": { "errors": { "handlers": { "json": { "enabled": true, "config": { "verbose": true } } } } },
    });
    let accepted =
        |tree: &Value| (validator.is_valid(tree), server::config::Config::from_value(&[], tree.clone()).is_ok());
    assert_eq!(accepted(&good), (true, true));
    for bad in [
        json!({ "planted": 1 }),
        json!({ "oauth": { "planted": 1 } }),
        json!({ "oauth": { "ttl": { "access_token": "a day" } } }),
        json!({ "identity": { "selfservice": { "flows": { "login": { "planted": 1 } } } } }),
        json!({ "gateway": { "serve": { "proxy": { "port": "planted" } } } }),
    ] {
        assert_eq!(accepted(&bad), (false, false), "{bad}");
    }
}
