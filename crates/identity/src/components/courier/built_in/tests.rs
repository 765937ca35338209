use serde_json::json;

use super::*;

fn data() -> Value {
    json!({
        "to": "ada@example.org", "recovery_code": "123456", "verification_code": "123456", "login_code": "123456",
        "registration_code": "123456", "recovery_url": "https://id.example.org/r?a=1&b=2",
        "verification_url": "https://id.example.org/v?a=1&b=2", "expires_in_minutes": 60,
        "request_url": "https://id.example.org/self-service/login", "changed_at": "2026-03-05T09:07:31Z",
    })
}

fn brand(config: Value) -> Brand {
    ui::Ui::new(serde_json::from_value(config).unwrap()).unwrap().brand()
}

fn written(kind: TemplateType, tag: &str, brand: &Brand, data: &Value) -> [String; 4] {
    let mail = BuiltIn { kind, language: Language::find(tag).unwrap(), brand, data };
    [Part::Subject, Part::PlainText, Part::TextMessage, Part::Html].map(|part| mail.part(part))
}

#[test]
fn every_message_matches_its_snapshot_in_each_language() {
    let brand = brand(json!({"product_name": "Acme", "variables": {"accent": "#7a1fa2"}}));
    for kind in TemplateType::ALL {
        for tag in Language::all().iter().map(|language| language.tag()) {
            let [subject, plain, short, html] = written(*kind, tag, &brand, &data());
            for text in [&subject, &plain, &short, &html] {
                assert!(!text.contains(['{', '}']), "{kind:?} {tag}: {text}");
            }
            let all = format!("{subject}\n--- text\n{plain}--- text message\n{short}\n--- html\n{html}");
            insta::assert_snapshot!(format!("{}.{tag}", kind.as_str()), all);
        }
    }
}

#[test]
fn values_are_escaped_in_html_and_plain_in_text() {
    let brand = brand(json!({"product_name": "A<b>&\"c\""}));
    let data = json!({"to": "\"<img src=x>\"@example.org", "expires_in_minutes": 60});
    let [_, plain, _, html] = written(TemplateType::RecoveryInvalid, "en", &brand, &data);
    assert!(plain.contains("\"<img src=x>\"@example.org") && plain.contains("by A<b>&\"c\"."), "{plain}");
    assert!(html.contains("&#34;&#60;img src=x&#62;&#34;@example.org"), "{html}");
    assert!(html.contains("A&#60;b&#62;&#38;&#34;c&#34;") && !html.contains("<img"), "{html}");
}

#[test]
fn a_value_with_braces_is_not_expanded_and_an_absent_one_is_empty() {
    let brand = brand(json!({"product_name": "{ $code }"}));
    let [subject, plain, ..] = written(TemplateType::RecoveryInvalid, "en", &brand, &json!({"to": "{code} { $to }"}));
    assert!(plain.contains("the account of {code} { $to }.") && plain.contains("by { $code }."), "{plain}");
    assert!(!subject.contains('$'), "{subject}");
    let [subject, ..] = written(TemplateType::RecoveryCodeValid, "en", &brand, &json!({}));
    assert_eq!(subject, "Your recovery code: ");
}

#[test]
fn a_link_that_is_not_an_http_url_is_not_rendered() {
    let data = json!({"recovery_url": "javascript:alert(1)", "expires_in_minutes": 60});
    let [_, plain, _, html] = written(TemplateType::RecoveryValid, "en", &brand(json!({})), &data);
    assert!(!html.contains("javascript") && !plain.contains("javascript"), "{html}");
}

#[test]
fn only_a_logo_with_an_absolute_address_is_loaded() {
    let html = |config: Value| written(TemplateType::LoginCodeValid, "en", &brand(config), &data())[3].clone();
    let logo = html(json!({"product_name": "Acme", "logo_url": "https://cdn.example.org/l.png"}));
    assert!(logo.contains(r#"<img src="https://cdn.example.org/l.png" alt="Acme""#), "{logo}");
    for config in [json!({}), json!({"logo_url": "/logo.svg"})] {
        let html = html(config);
        assert!(!html.contains("src=") && !html.contains("url(") && !html.contains("<link"), "{html}");
    }
}
