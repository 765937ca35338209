use serde_json::json;

use super::*;

fn faults(service: Service, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    Schema::of(service).unwrap().validate(value, &mut faults);
    faults.iter().map(Fault::to_string).collect()
}

#[test]
fn the_fault_of_a_wrong_text_names_what_is_expected() {
    let found = faults(
        Service::IDENTITY,
        &json!({
            "courier": {"smtp": {"connection_uri": "mail.example.org"}},
            "session": {"lifespan": "a day"},
            "identity": {"schemas": [{"id": "a", "url": "schema.json"}]},
        }),
    );
    for wanted in [
        "identity.courier.smtp.connection_uri: must begin with smtp:// or smtps://",
        "identity.session.lifespan: must be a duration, for instance 10m or 1h30m",
        "identity.identity.schemas.0.url: must be a URL; a file is file:///path",
    ] {
        assert!(found.iter().any(|it| it == wanted), "{wanted} is missing in {found:?}");
    }
}

#[test]
fn keys_and_hooks_of_older_files_are_named_by_their_present_names() {
    let hook = json!([{"hook": "webhook", "config": {"url": "http://x/", "method": "POST"}}]);
    let found = faults(
        Service::IDENTITY,
        &json!({
            "selfservice": {"whitelisted_return_urls": [], "flows": {"login": {"after": {"hooks": hook}}}},
            "identity": {"default_schema_url": "file://x", "schemas": []},
        }),
    );
    for wanted in [
        "identity.selfservice.whitelisted_return_urls: there is no such key; it is now called allowed_return_urls",
        "identity.identity.default_schema_url: there is no such key; list the schema in identity.schemas",
        "identity.selfservice.flows.login.after.hooks.0.hook: is not a hook that is allowed here; hooks are called web_hook",
    ] {
        assert!(found.iter().any(|it| it.starts_with(wanted)), "{wanted} is missing in {found:?}");
    }
}

#[test]
fn every_fault_is_named_by_its_path_and_no_value_is_shown() {
    let found = faults(
        Service::OAUTH,
        &json!({"serve": {"public": {"port": "planted"}}, "urls": {"selv": {"issuer": "http://x"}}, "secrets": {"system": ["planted"]}}),
    );
    assert!(found.contains(&"oauth.serve.public.port: must be of type integer".to_owned()), "{found:?}");
    assert!(found.contains(&"oauth.urls.selv: there is no such key; did you mean \"self\"?".to_owned()), "{found:?}");
    assert!(found.contains(&"oauth.secrets.system.0: must have at least 16 characters".to_owned()), "{found:?}");
    assert!(found.iter().all(|fault| !fault.contains("planted")), "{found:?}");
}

#[test]
fn the_schemas_accept_what_the_replaced_programs_accept() {
    let kratos = json!({
        "dsn": "memory", "identity": {"schemas": [{"id": "person", "url": "file:///etc/person.json"}]},
        "selfservice": {"default_browser_return_url": "http://127.0.0.1:4455/", "methods": {"totp": {"enabled": true}}},
        "courier": {"smtp": {"connection_uri": "smtps://user:password@mail:1025/?skip_ssl_verify=true"}},
    });
    assert_eq!(faults(Service::IDENTITY, &kratos), Vec::<String>::new());
    let oathkeeper = json!({
        "authenticators": {"noop": {"enabled": true}, "cookie_session": {"enabled": true, "config": {"check_session_url": "http://127.0.0.1:4433/sessions/whoami"}}},
        "errors": {"fallback": ["json"], "handlers": {"json": {"enabled": true, "config": {}}}},
    });
    assert_eq!(faults(Service::GATEWAY, &oathkeeper), Vec::<String>::new());
    let bare = json!({
        "authenticators": {"anonymous": {"enabled": true}},
        "errors": {"handlers": {"json": {"enabled": true}, "www_authenticate": {"enabled": true}}},
        "security": {"decision": {"x_forwarded_headers": "trust"}, "request": {"path": "strict"}},
    });
    assert_eq!(faults(Service::GATEWAY, &bare), Vec::<String>::new());
    let settings_alone = json!({"errors": {"handlers": {"json": {"config": {"verbose": true}}}}});
    assert_eq!(faults(Service::GATEWAY, &settings_alone), Vec::<String>::new());
    let misspelled = json!({"errors": {"handlers": {"json": {"enabled": true, "config": {"verbos": true}}}}});
    assert_eq!(
        faults(Service::GATEWAY, &misspelled),
        ["gateway.errors.handlers.json.config.verbos: there is no such key; did you mean \"verbose\"?"]
    );
    let unfinished = json!({"errors": {"handlers": {"redirect": {"enabled": true}}}});
    assert_eq!(faults(Service::GATEWAY, &unfinished), ["gateway.errors.handlers.redirect: lacks the key \"config\""]);
    let hydra =
        json!({"dsn": "memory", "urls": {"self": {"issuer": "http://127.0.0.1:4444"}}, "ttl": {"access_token": "1h"}});
    assert_eq!(faults(Service::OAUTH, &hydra), Vec::<String>::new());
}
