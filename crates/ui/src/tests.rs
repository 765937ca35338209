//! Each kind of page, rendered in every language and compared with its snapshot.

#![expect(clippy::needless_pass_by_value, reason = "samples are more readable with inline json! values")]

use base::Locale;
use serde_json::{Value, json};

use crate::form::FlowKind;
use crate::{CodeContext, Config, FlowContext, FlowPage, Language, OutsideText, PageLink, PasswordRules, Ui};

fn input(group: &str, name: &str, kind: &str, more: Value) -> Value {
    let mut node = json!({"type": "input", "group": group, "messages": [], "meta": {},
        "attributes": {"node_type": "input", "name": name, "type": kind, "disabled": false}});
    for (key, value) in more.as_object().into_iter().flatten() {
        match key.as_str() {
            "label" => node["meta"] = json!({"label": value}),
            "messages" => node["messages"] = value.clone(),
            _ => node["attributes"][key] = value.clone(),
        }
    }
    node
}

fn label(id: u64, context: Value) -> Value {
    json!({"id": id, "text": "text of the wire", "type": "info", "context": context})
}

fn message(id: u64, kind: &str, context: Value) -> Value {
    json!({"id": id, "text": "text of the wire", "type": kind, "context": context})
}

fn csrf() -> Value {
    input("default", "csrf_token", "hidden", json!({"value": "sample-token", "required": true}))
}

fn submit(group: &str, name: &str, value: &str, id: u64, context: Value) -> Value {
    input(group, name, "submit", json!({"value": value, "label": label(id, context)}))
}

fn email_trait(value: &str, messages: Value) -> Value {
    input(
        "default",
        "traits.email",
        "email",
        json!({"value": value, "required": true, "autocomplete": "email", "messages": messages,
            "label": label(1_070_002, json!({"title": "Email", "name": "traits.email"}))}),
    )
}

fn name_trait(group: &str, value: &str) -> Value {
    input(
        group,
        "traits.name",
        "text",
        json!({"value": value, "label": label(1_070_002, json!({"title": "Name", "name": "traits.name"}))}),
    )
}

fn code_field(id: u64, messages: Value) -> Value {
    input(
        "code",
        "code",
        "text",
        json!({"required": true, "pattern": "[0-9]+", "maxlength": 6, "autocomplete": "one-time-code",
            "label": label(id, json!({})), "messages": messages}),
    )
}

struct Sample {
    name: &'static str,
    kind: FlowKind,
    nodes: Vec<Value>,
    messages: Vec<Value>,
}

#[expect(clippy::too_many_lines, reason = "a list of samples is more readable in one piece")]
fn samples() -> Vec<Sample> {
    let none = || json!([]);
    let password = |autocomplete: &str| {
        let more = json!({"required": true, "autocomplete": autocomplete, "label": label(1_070_001, json!({}))});
        input("password", "password", "password", more)
    };
    let identifier = || {
        let more = json!({"value": "", "required": true, "label": label(1_070_004, json!({}))});
        input("default", "identifier", "text", more)
    };
    vec![
        Sample {
            name: "login",
            kind: FlowKind::Login,
            nodes: vec![
                csrf(),
                identifier(),
                password("current-password"),
                submit("password", "method", "password", 1_010_022, json!({})),
            ],
            messages: vec![],
        },
        Sample {
            name: "login_all_methods",
            kind: FlowKind::Login,
            nodes: vec![
                submit("oidc", "provider", "acme", 1_010_002, json!({"provider": "Acme"})),
                submit("oidc", "provider", "other", 1_010_002, json!({"provider": "Blue <Bank> & Sons"})),
                csrf(),
                identifier(),
                input("passkey", "passkey_challenge", "hidden", json!({"value": "{\"publicKey\":{}}"})),
                input(
                    "passkey",
                    "passkey_login",
                    "hidden",
                    json!({"onloadTrigger": "oryPasskeyLoginAutocompleteInit"}),
                ),
                input(
                    "passkey",
                    "passkey_login_trigger",
                    "button",
                    json!({"value": "",
                    "onclickTrigger": "oryPasskeyLogin", "label": label(1_010_021, json!({}))}),
                ),
                submit("code", "method", "code", 1_010_015, json!({})),
                password("current-password"),
                submit("password", "method", "password", 1_010_022, json!({})),
                json!({"type": "script", "group": "passkey", "messages": [], "meta": {}, "attributes": {
                    "node_type": "script", "src": "/.well-known/ory/webauthn.js", "integrity": "sha512-sample"}}),
            ],
            messages: vec![message(4_000_006, "error", json!({}))],
        },
        Sample {
            name: "login_password",
            kind: FlowKind::Login,
            nodes: vec![
                csrf(),
                input("identifier_first", "identifier", "hidden", json!({"value": "ada@example.org"})),
                submit("code", "method", "code", 1_010_015, json!({})),
                password("current-password"),
                submit("password", "method", "password", 1_010_022, json!({})),
            ],
            messages: vec![message(4_000_006, "error", json!({}))],
        },
        Sample {
            name: "login_second_factor",
            kind: FlowKind::Login,
            nodes: vec![
                csrf(),
                input(
                    "totp",
                    "totp_code",
                    "text",
                    json!({"value": "", "required": true, "label": label(1_010_006, json!({}))}),
                ),
                submit("totp", "method", "totp", 1_010_009, json!({})),
                input(
                    "lookup_secret",
                    "lookup_secret",
                    "text",
                    json!({"required": true, "label": label(1_010_007, json!({}))}),
                ),
                submit("lookup_secret", "method", "lookup_secret", 1_010_010, json!({})),
            ],
            messages: vec![message(1_010_004, "info", json!({}))],
        },
        Sample {
            name: "registration",
            kind: FlowKind::Registration,
            nodes: vec![
                csrf(),
                email_trait("not an address", json!([message(4_000_040, "error", json!({"value": "x"}))])),
                name_trait("default", ""),
                input(
                    "default",
                    "traits.plan",
                    "text",
                    json!({"required": true,
                    "options": [{"value": "free"}, {"value": "team"}],
                    "label": label(1_070_002, json!({"title": "Plan", "name": "traits.plan"}))}),
                ),
                input(
                    "default",
                    "traits.news",
                    "checkbox",
                    json!({"value": false,
                    "label": label(1_070_002, json!({"title": "Send me news", "name": "traits.news"}))}),
                ),
                submit("profile", "method", "profile", 1_040_001, json!({})),
                submit("oidc", "provider", "acme", 1_040_002, json!({"provider": "Acme"})),
            ],
            messages: vec![],
        },
        Sample {
            name: "registration_credentials",
            kind: FlowKind::Registration,
            nodes: vec![
                csrf(),
                input("default", "traits.email", "hidden", json!({"value": "ada@example.org"})),
                password("new-password"),
                submit("password", "method", "password", 1_040_001, json!({})),
                submit("code", "method", "code", 1_040_006, json!({})),
                submit("profile", "screen", "previous", 1_040_008, json!({})),
            ],
            messages: vec![message(1_040_009, "info", json!({}))],
        },
        Sample {
            name: "recovery",
            kind: FlowKind::Recovery,
            nodes: vec![
                csrf(),
                input("code", "email", "email", json!({"required": true, "label": label(1_070_007, json!({}))})),
                submit("code", "method", "code", 1_070_009, json!({})),
            ],
            messages: vec![],
        },
        Sample {
            name: "recovery_code",
            kind: FlowKind::Recovery,
            nodes: vec![
                csrf(),
                code_field(1_070_010, none()),
                input("code", "method", "hidden", json!({"value": "code"})),
                submit("code", "method", "code", 1_070_009, json!({})),
                submit("code", "email", "ada@example.org", 1_070_008, json!({})),
            ],
            messages: vec![message(1_060_003, "info", json!({}))],
        },
        Sample {
            name: "verification_code_wrong",
            kind: FlowKind::Verification,
            nodes: vec![
                csrf(),
                code_field(1_070_011, json!([])),
                input("code", "method", "hidden", json!({"value": "code"})),
                submit("code", "method", "code", 1_070_009, json!({})),
                submit("code", "email", "ada@example.org", 1_070_008, json!({})),
            ],
            messages: vec![message(4_070_006, "error", json!({}))],
        },
        Sample {
            name: "verification_done",
            kind: FlowKind::Verification,
            nodes: vec![
                json!({"type": "a", "group": "code", "messages": [], "meta": {"label": label(1_070_009, json!({}))},
                "attributes": {"node_type": "a", "href": "https://example.org/", "id": "continue",
                    "title": {"id": 1_070_009, "text": "Continue", "type": "info"}}}),
            ],
            messages: vec![message(1_080_002, "success", json!({}))],
        },
        Sample {
            name: "settings",
            kind: FlowKind::Settings,
            nodes: vec![
                csrf(),
                input(
                    "profile",
                    "traits.email",
                    "email",
                    json!({"value": "ada@example.org", "required": true,
                    "label": label(1_070_002, json!({"title": "Email", "name": "traits.email"}))}),
                ),
                name_trait("profile", "Ada Lovelace"),
                submit("profile", "method", "profile", 1_070_003, json!({})),
                input(
                    "password",
                    "password",
                    "password",
                    json!({"required": true, "autocomplete": "new-password",
                    "label": label(1_070_001, json!({})),
                    "messages": [message(4_000_032, "error", json!({"min_length": 8, "actual_length": 3}))]}),
                ),
                submit("password", "method", "password", 1_070_003, json!({})),
                submit("oidc", "link", "acme", 1_050_002, json!({"provider": "Acme"})),
                submit("oidc", "unlink", "other", 1_050_003, json!({"provider": "Other"})),
                json!({"type": "text", "group": "lookup_secret", "messages": [],
                "meta": {"label": label(1_050_010, json!({}))},
                "attributes": {"node_type": "text", "id": "lookup_secret_codes", "text": message(1_050_015, "info",
                    json!({"secrets": [
                        message(1_050_009, "info", json!({"secret": "a1b2c3d4"})),
                        message(1_050_014, "info", json!({"used_at": "2026-03-05T09:07:31Z"})),
                        message(1_050_009, "info", json!({"secret": "e5f6g7h8"})),
                    ]}))}}),
                submit("lookup_secret", "lookup_secret_confirm", "true", 1_050_011, json!({})),
                submit("lookup_secret", "lookup_secret_disable", "true", 1_050_016, json!({})),
                json!({"type": "img", "group": "totp", "messages": [], "meta": {"label": label(1_050_005, json!({}))},
                    "attributes": {"node_type": "img", "id": "totp_qr", "width": 256, "height": 256,
                        "src": "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="}}),
                json!({"type": "text", "group": "totp", "messages": [], "meta": {"label": label(1_050_017, json!({}))},
                    "attributes": {"node_type": "text", "id": "totp_secret_key",
                        "text": message(1_050_006, "info", json!({"secret": "JBSWY3DPEHPK3PXP"}))}}),
                input("totp", "totp_code", "text", json!({"required": true, "label": label(1_070_006, json!({}))})),
                submit("totp", "method", "totp", 1_070_003, json!({})),
            ],
            messages: vec![message(1_050_001, "success", json!({}))],
        },
    ]
}

#[test]
fn every_sample_page_matches_its_snapshot() {
    let ui = Ui::new(Config::default()).unwrap();
    for sample in samples() {
        let container = serde_json::from_value(json!({
            "action": format!("https://id.example.org/self-service/{}?flow=1", sample.name),
            "method": "POST", "nodes": sample.nodes, "messages": sample.messages,
        }))
        .unwrap();
        for language in Language::all() {
            let locale = Locale::from_tag(language.tag()).unwrap();
            let words = ui.localizer(locale);
            let links = vec![
                PageLink::new(words.strings().create_account, "/ui/registration")
                    .asking(words.strings().no_account_yet),
            ];
            let is_login = sample.kind == FlowKind::Login;
            let links = if is_login { links } else { vec![] };
            let forgot_password = is_login.then(|| "/ui/recovery".to_owned());
            let another_account = is_login.then(|| "/ui/login".to_owned());
            let password_rules = Some(PasswordRules { min_length: 8, unlike_identifier: true, not_breached: true });
            let client = ["login_all_methods", "registration"]
                .contains(&sample.name)
                .then(|| OutsideText::new("Photo <Printer>", OutsideText::NAME).unwrap());
            let code = ["recovery_code", "verification_code_wrong"].contains(&sample.name).then(|| CodeContext {
                sent_to: OutsideText::new("ada@example.org", OutsideText::ADDRESS),
                wrong_address: Some("/ui/recovery".to_owned()),
                resend_wait: 27,
            });
            let page = FlowPage::new(
                sample.kind,
                &container,
                words,
                FlowContext { links, forgot_password, another_account, password_rules, client, code },
            );
            let html = ui.respond(locale, page.page(), &page).into_body();
            assert!(!html.contains("text of the wire"), "{}: {html}", sample.name);
            assert!(!html.contains(" style=") && !html.contains(" onclick="), "{}", sample.name);
            // A changed style sheet has another file name, which is not a change of the page.
            let html = mask_hashes(&html);
            insta::assert_snapshot!(format!("{}.{}", sample.name, language.tag()), html);
        }
    }
}

/// Replaces the hash in file names, as in `kleis-….css`.
fn mask_hashes(html: &str) -> String {
    html.split("/ui/static/")
        .enumerate()
        .map(|(index, part)| match part.split_once('.') {
            Some((name, rest)) if index > 0 => {
                let stem = name.split('-').next().unwrap_or(name);
                format!("/ui/static/{stem}-HASH.{rest}")
            }
            _ => part.to_owned(),
        })
        .collect()
}
