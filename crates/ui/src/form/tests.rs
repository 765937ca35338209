#![expect(clippy::needless_pass_by_value, reason = "samples are more readable with inline json! values")]

use serde_json::json;

use super::*;
use crate::{FlowPage, Language, PageLink, PasswordRules};

fn node(group: &str, attributes: serde_json::Value, label: u64) -> serde_json::Value {
    let mut attributes = attributes;
    attributes["node_type"] = "input".into();
    json!({"type": "input", "group": group, "attributes": attributes, "messages": [],
        "meta": {"label": {"id": label, "text": "wire", "type": "info"}}})
}

fn container(nodes: Vec<serde_json::Value>) -> Container {
    serde_json::from_value(json!({"action": "/a", "method": "POST", "nodes": nodes, "messages": []})).unwrap()
}

fn arranged(kind: FlowKind, nodes: Vec<serde_json::Value>) -> Arranged {
    arrange(kind, &container(nodes), Localizer::plain(Language::english()), &FlowContext::default())
}

fn page(kind: FlowKind, nodes: Vec<serde_json::Value>) -> FlowPage {
    let context = FlowContext {
        forgot_password: Some("/recovery?return_to=x".to_owned()),
        password_rules: Some(PasswordRules { min_length: 12, unlike_identifier: true, not_breached: false }),
        ..FlowContext::default()
    };
    FlowPage::new(kind, &container(nodes), Localizer::plain(Language::english()), context)
}

fn csrf() -> serde_json::Value {
    node("default", json!({"name": "csrf_token", "type": "hidden", "value": "t"}), 0)
}

fn submit(group: &str, name: &str, value: &str, label: u64) -> serde_json::Value {
    node(group, json!({"name": name, "type": "submit", "value": value}), label)
}

fn labels(form: &Form) -> Vec<&str> {
    form.actions.iter().map(|button| button.label.as_str()).collect()
}

#[test]
fn providers_stand_in_a_form_of_their_own_so_that_enter_signs_in_by_password() {
    let arranged = arranged(
        FlowKind::Login,
        vec![
            csrf(),
            submit("oidc", "provider", "acme", 1_010_001),
            node("default", json!({"name": "identifier", "type": "text", "required": true}), 1_070_004),
            submit("code", "method", "code", 1_010_015),
            node("password", json!({"name": "password", "type": "password", "required": true}), 1_070_001),
            submit("password", "method", "password", 1_010_022),
        ],
    );
    let [main, providers] = arranged.forms.as_slice() else { panic!("{:?}", arranged.forms) };
    assert_eq!(labels(main), ["Sign in", "Send me a sign-in code"]);
    assert_eq!(main.actions[0].kind, ButtonKind::Primary);
    assert!(!main.actions[0].skips_validation);
    // The empty password must not block the button of the code.
    assert_eq!((main.actions[1].kind, main.actions[1].skips_validation), (ButtonKind::Secondary, true));
    assert_eq!((providers.id.as_str(), providers.divider), ("oidc", Some("or")));
    assert!(arranged.forms.iter().all(|form| form.hidden[0].name == "csrf_token"));
}

#[test]
fn a_provider_that_needs_fields_keeps_them() {
    let arranged = arranged(
        FlowKind::Registration,
        vec![
            csrf(),
            node("default", json!({"name": "traits.email", "type": "email", "required": true}), 1_070_007),
            submit("oidc", "provider", "acme", 1_040_003),
        ],
    );
    assert_eq!(arranged.forms.len(), 1);
    assert_eq!(arranged.forms[0].items.len(), 1);
}

#[test]
fn without_a_shared_field_each_second_factor_is_a_form() {
    let arranged = arranged(
        FlowKind::Login,
        vec![
            csrf(),
            node("totp", json!({"name": "totp_code", "type": "text", "required": true}), 1_010_006),
            submit("totp", "method", "totp", 1_010_009),
            node("lookup_secret", json!({"name": "lookup_secret", "type": "text", "required": true}), 1_010_007),
            submit("lookup_secret", "method", "lookup_secret", 1_010_010),
        ],
    );
    let ids: Vec<_> = arranged.forms.iter().map(|form| form.id.as_str()).collect();
    assert_eq!(ids, ["totp", "lookup_secret"]);
    assert_eq!(arranged.forms[1].actions[0].kind, ButtonKind::Secondary);
}

#[test]
fn sending_again_comes_after_the_button_that_enter_presses() {
    let arranged = arranged(
        FlowKind::Recovery,
        vec![
            csrf(),
            submit("code", "email", "a@example.org", 1_070_008),
            node("code", json!({"name": "code", "type": "text", "required": true}), 1_070_010),
            node("code", json!({"name": "method", "type": "hidden", "value": "code"}), 0),
            submit("code", "method", "code", 1_070_009),
        ],
    );
    assert_eq!(labels(&arranged.forms[0]), ["Continue", "Send the code again"]);
    assert_eq!(arranged.forms[0].actions[1].kind, ButtonKind::Quiet);
}

#[test]
fn a_problem_of_a_hidden_value_is_shown_above_the_form() {
    let mut hidden = node("default", json!({"name": "traits.age", "type": "hidden", "value": "x"}), 1_070_002);
    hidden["meta"]["label"]["context"] = json!({"title": "Age"});
    hidden["messages"] = json!([{"id": 4_000_026, "text": "wire", "type": "error"}]);
    let arranged = arranged(FlowKind::Registration, vec![hidden, submit("password", "method", "password", 1_040_001)]);
    assert_eq!(arranged.alerts[0].text, "Age: This type of value is not allowed here.");
}

#[test]
fn a_password_is_never_written_into_the_page() {
    let arranged = arranged(
        FlowKind::Login,
        vec![
            node("password", json!({"name": "password", "type": "password", "value": "hunter2"}), 1_070_001),
            submit("password", "method", "password", 1_010_022),
        ],
    );
    assert!(!arranged.forms[0].render().unwrap().contains("hunter2"));
}

#[test]
fn a_password_manager_gets_the_account_of_the_password() {
    let arranged = arranged(
        FlowKind::Registration,
        vec![
            node("default", json!({"name": "traits.email", "type": "hidden", "value": "ada@example.org"}), 1_070_007),
            node("password", json!({"name": "password", "type": "password"}), 1_070_001),
            submit("password", "method", "password", 1_040_001),
            submit("code", "method", "code", 1_040_006),
        ],
    );
    assert_eq!(arranged.forms[0].username.as_deref(), Some("ada@example.org"));
    assert_eq!(arranged.forms[1].username, None);
}

#[test]
fn a_forgotten_password_has_its_link_at_the_field_and_without_a_field_below_the_form() {
    let identifier = || node("default", json!({"name": "identifier", "type": "text"}), 1_070_004);
    let password = node("password", json!({"name": "password", "type": "password"}), 1_070_001);
    let button = |group: &str| submit(group, "method", group, 1_010_022);
    let with = page(FlowKind::Login, vec![identifier(), password, button("password")]);
    let html = with.arranged.forms[0].render().unwrap();
    assert!(with.links.is_empty());
    let at = |text: &str| html.find(text).unwrap_or_else(|| panic!("no {text} in {html}"));
    // The order of the keyboard focus.
    let stops = [r#"name="identifier""#, r#"name="password""#, "data-reveals", "Forgot password?", r#"type="submit""#];
    assert!(stops.map(at).is_sorted(), "{html}");
    assert!(html.contains(r#"href="/recovery?return_to=x""#), "{html}");
    let without = page(FlowKind::Login, vec![identifier(), button("code")]);
    assert_eq!(without.links, [PageLink::new("Can’t sign in?", "/recovery?return_to=x")]);
    let elsewhere = page(FlowKind::Registration, vec![button("password")]);
    assert!(!elsewhere.arranged.has_link_beside());
}

#[test]
fn the_rules_are_shown_where_a_password_is_chosen() {
    let form = |kind| {
        let password = node("password", json!({"name": "password", "type": "password"}), 1_070_001);
        page(kind, vec![password, submit("password", "method", "password", 1_070_003)])
            .arranged
            .forms
            .remove(0)
            .render()
            .unwrap()
    };
    let rule = "At least 12 characters. Not similar to your sign-in name.</p>";
    for kind in [FlowKind::Registration, FlowKind::Settings] {
        let html = form(kind);
        assert!(html.contains(rule), "{html}");
        let described = html.split_once("aria-describedby=\"").unwrap().1.split_once('"').unwrap().0;
        assert!(html.contains(&format!(r#"<p class="hint" id="{described}">"#)), "{html}");
    }
    assert!(!form(FlowKind::Login).contains("At least"), "the sign-in does not show the rules");
}

#[test]
fn every_password_can_be_shown_by_a_button_that_only_a_script_reveals() {
    let form = arranged(
        FlowKind::Login,
        vec![
            node("password", json!({"name": "password", "type": "password"}), 1_070_001),
            submit("password", "method", "password", 1_010_022),
        ],
    );
    assert!(form.has_aids);
    let html = form.forms[0].render().unwrap();
    let button = html.split_once("<button class=\"reveal\"").unwrap().1.split_once('>').unwrap().0;
    for attribute in [r#"type="button""#, r#"aria-pressed="false""#, r#"title="Show password""#, " hidden"] {
        assert!(button.contains(attribute), "{button}");
    }
}

#[test]
fn a_problem_above_the_forms_is_read_at_the_focused_field() {
    let refused = |kind: &str| {
        let mut container = container(vec![
            node(
                "default",
                json!({"name": "identifier", "type": "text", "value": "ada", "autocomplete": "username"}),
                1,
            ),
            node("password", json!({"name": "password", "type": "password"}), 1_070_001),
            submit("password", "method", "password", 1_010_022),
        ]);
        container.messages = serde_json::from_value(json!([{"id": 4_000_006, "text": "wire", "type": kind}])).unwrap();
        FlowPage::new(FlowKind::Login, &container, Localizer::plain(Language::english()), FlowContext::default())
    };
    let page = refused("error");
    let html = page.render().unwrap();
    assert!(html.contains(r#"<div class="alerts" id="alerts">"#), "{html}");
    assert!(html.contains(r#"autofocus aria-describedby="alerts">"#), "{html}");
    assert_eq!(page.page().title, "Error: Sign in");
    let page = refused("info");
    assert!(!page.render().unwrap().contains("aria-describedby"));
    assert_eq!(page.page().title, "Sign in");
}

#[test]
fn a_phone_does_not_correct_the_sign_in_name() {
    let field = |name: &str, kind: &str| {
        let form = arranged(FlowKind::Login, vec![node("default", json!({"name": name, "type": kind}), 1)]);
        form.forms[0].render().unwrap()
    };
    assert!(field("identifier", "text").contains(r#" autocapitalize="none" spellcheck="false""#));
    assert!(!field("traits.name", "text").contains("autocapitalize"));
}

#[test]
fn a_later_step_shows_the_account_and_the_form_with_a_field_first() {
    let context = FlowContext { another_account: Some("/login".to_owned()), ..FlowContext::default() };
    let nodes = vec![
        node(
            "identifier_first",
            json!({"name": "identifier", "type": "hidden", "value": "ada@example.org"}),
            1_070_004,
        ),
        submit("code", "method", "code", 1_010_015),
        node("password", json!({"name": "password", "type": "password"}), 1_070_001),
        submit("password", "method", "password", 1_010_022),
    ];
    let words = Localizer::plain(Language::english());
    let arranged = arrange(FlowKind::Login, &container(nodes), words, &context);
    let ids: Vec<_> = arranged.forms.iter().map(|form| form.id.as_str()).collect();
    assert_eq!(ids, ["password", "code"]);
    let html = arranged.forms[0].render().unwrap();
    let account = "<strong><bdi>ada@example.org</bdi></strong> <a href=\"/login\">Use another account</a>";
    assert!(html.contains(account) && html.contains("autofocus"), "{html}");
    assert!(!arranged.forms[1].render().unwrap().contains("<bdi>"));
    let asked = vec![node("default", json!({"name": "identifier", "type": "text", "value": "ada"}), 1_070_004)];
    let arranged = arrange(FlowKind::Login, &container(asked), words, &context);
    assert!(!arranged.forms[0].render().unwrap().contains("Use another account"), "the field is there to be changed");
}

#[test]
fn the_address_of_a_code_is_shown_once() {
    let shown = |message: serde_json::Value| {
        let mut container = container(vec![node("code", json!({"name": "code", "type": "text"}), 1_070_011)]);
        container.messages = vec![serde_json::from_value(message).unwrap()];
        let code = CodeContext {
            sent_to: OutsideText::new("ada@example.org", OutsideText::ADDRESS),
            wrong_address: Some("/registration".to_owned()),
            resend_wait: 0,
        };
        let context = FlowContext { code: Some(code), ..FlowContext::default() };
        FlowPage::new(FlowKind::Verification, &container, Localizer::plain(Language::english()), context)
            .render()
            .unwrap()
    };
    let own = json!({"variant": "own_address", "address": "ada@example.org"});
    let sent = shown(json!({"id": 1_080_003, "text": "wire", "type": "info", "context": own}));
    let wrong = shown(json!({"id": 4_070_006, "text": "wire", "type": "error"}));
    for html in [sent, wrong] {
        assert_eq!(html.matches("ada@example.org").count(), 1, "{html}");
        assert!(html.contains("Wrong address?"), "{html}");
    }
}

fn text(group: &str, text: serde_json::Value) -> serde_json::Value {
    json!({"type": "text", "group": group, "messages": [], "meta": {}, "attributes": {"node_type": "text", "text": text}})
}

#[test]
fn a_key_is_shown_in_groups_without_blanks_between_them() {
    let key = json!({"id": 1_050_006, "text": "wire", "type": "info", "context": {"secret": "JBSWY3DPEH"}});
    let code = node("totp", json!({"name": "totp_code", "type": "text"}), 1_070_006);
    let html = arranged(FlowKind::Settings, vec![text("totp", key), code]).forms[0].render().unwrap();
    assert!(html.contains("<span>JBSW</span><span>Y3DP</span><span>EH</span></p>"), "{html}");
    assert!(html.contains(r#"inputmode="numeric""#) && html.contains(r#"autocomplete="one-time-code""#), "{html}");
    let words = json!({"id": 1, "text": "Some words", "type": "info", "context": {"secret": "JBSWY3DPEH"}});
    let html = arranged(FlowKind::Settings, vec![text("totp", words)]).forms[0].render().unwrap();
    assert!(html.contains(r#"<p class="secret" dir="ltr">Some words</p>"#), "{html}");
}

#[test]
fn backup_codes_come_last_and_have_the_focus() {
    let of =
        |id: u64, context: serde_json::Value| json!({"id": id, "text": "wire", "type": "info", "context": context});
    let secrets = [of(1_050_009, json!({"secret": "a<b"})), of(1_050_014, json!({"used_at": "2026-03-05T09:07:31Z"}))];
    let arranged = arranged(
        FlowKind::Settings,
        vec![
            csrf(),
            text("lookup_secret", of(1_050_015, json!({"secrets": secrets}))),
            submit("lookup_secret", "lookup_secret_confirm", "true", 1_050_011),
            submit("totp", "totp_unlink", "true", 1_050_004),
        ],
    );
    let ids: Vec<_> = arranged.forms.iter().map(|form| form.id.as_str()).collect();
    assert_eq!(ids, ["totp", "lookup_secret"]);
    let html = arranged.forms[1].render().unwrap();
    assert!(html.contains(r#" tabindex="-1" autofocus>"#) && html.contains("<li>a&#60;b</li>"), "{html}");
    assert_eq!(html.matches("<s aria-hidden").count(), 1, "{html}");
}

#[test]
fn a_backup_code_is_entered_with_letters_and_not_stored() {
    let field = node("lookup_secret", json!({"name": "lookup_secret", "type": "text", "required": true}), 1_010_007);
    let form = arranged(FlowKind::Login, vec![field, submit("lookup_secret", "method", "lookup_secret", 1_010_010)]);
    let html = form.forms[0].render().unwrap();
    assert!(html.contains(r#"class="code" autocapitalize="none" spellcheck="false" autocomplete="off""#), "{html}");
}

#[test]
fn a_refused_second_factor_stays_the_second_step_and_its_field_has_the_focus() {
    for (id, field) in [(4_000_008, "totp_code"), (4_000_016, "lookup_secret")] {
        let nodes = ["totp_code", "lookup_secret"].map(|name| {
            let group = name.trim_end_matches("_code");
            [node(group, json!({"name": name, "type": "text"}), 0), submit(group, "method", group, 0)]
        });
        let mut container = container(nodes.into_iter().flatten().collect());
        container.messages = serde_json::from_value(json!([{"id": id, "text": "wire", "type": "error"}])).unwrap();
        let words = Localizer::plain(Language::english());
        let page = FlowPage::new(FlowKind::Login, &container, words, FlowContext::default());
        assert_eq!(page.page().title, "Error: One more step");
        let html = page.render().unwrap();
        let focused = html.split("<input ").find(|input| input.contains(" autofocus")).unwrap();
        assert!(focused.contains(&format!("name=\"{field}\"")), "{html}");
    }
}

fn html(button: &Button) -> String {
    button.render().unwrap()
}

#[test]
fn a_button_that_removes_something_asks_first_and_needs_no_script() {
    let removes = [
        submit("oidc", "unlink", "acme", 1_050_003),
        submit("webauthn", "webauthn_remove", "1", 1_050_018),
        submit("passkey", "passkey_remove", "1", 1_050_020),
        submit("totp", "totp_unlink", "true", 1_050_004),
        submit("lookup_secret", "lookup_secret_disable", "true", 1_050_016),
    ];
    for node in removes {
        let arranged = arranged(FlowKind::Settings, vec![csrf(), node.clone()]);
        let html = html(&arranged.forms[0].actions[0]);
        let (first, second) = html.split_once("</summary>").unwrap_or_else(|| panic!("{node}: {html}"));
        assert!(first.trim_start().starts_with("<details") && !first.contains("<button"), "{html}");
        let sends = format!(
            r#"name="{}" value="{}""#,
            node["attributes"]["name"].as_str().unwrap(),
            node["attributes"]["value"].as_str().unwrap()
        );
        assert!(
            second.contains("?</p>") && second.contains(&sends) && second.contains("Yes, remove</button>"),
            "{html}"
        );
    }
    let arranged =
        arranged(FlowKind::Settings, vec![csrf(), submit("lookup_secret", "lookup_secret_reveal", "true", 1_050_007)]);
    assert!(!html(&arranged.forms[0].actions[0]).contains("<details"));
}

#[test]
fn a_person_with_an_authenticator_app_and_without_backup_codes_is_led_to_them() {
    let leads = |kind, nodes| {
        let arranged = arranged(kind, nodes);
        arranged.alerts.iter().filter_map(|alert| alert.link.as_ref()).map(|link| link.href.clone()).collect::<Vec<_>>()
    };
    let app = || submit("totp", "totp_unlink", "true", 1_050_004);
    let codes = |name| submit("lookup_secret", name, "true", 1_050_008);
    let led = leads(FlowKind::Settings, vec![csrf(), app(), codes("lookup_secret_regenerate")]);
    assert_eq!(led, ["#lookup_secret-heading"]);
    let shown = page(FlowKind::Settings, vec![csrf(), app(), codes("lookup_secret_regenerate")]).render().unwrap();
    assert!(shown.contains(r#"<h2 id="lookup_secret-heading">"#), "{shown}");
    for nodes in [
        vec![csrf(), codes("lookup_secret_regenerate")],
        vec![csrf(), app()],
        vec![csrf(), app(), codes("lookup_secret_confirm")],
        vec![csrf(), app(), codes("lookup_secret_reveal"), codes("lookup_secret_disable")],
        vec![csrf(), app(), codes("lookup_secret_disable"), codes("lookup_secret_regenerate")],
    ] {
        assert!(leads(FlowKind::Settings, nodes).is_empty());
    }
}
