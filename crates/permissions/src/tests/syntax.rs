//! `POST /opl/syntax/check`.

use serde_json::json;

use super::harness::{on_both, plain};

const PATH: &str = "/opl/syntax/check";

#[tokio::test]
async fn a_text_without_errors_has_an_empty_answer() {
    on_both(plain(), |mut harness| async move {
        for text in [
            "",
            "class User implements Namespace {}",
            "// ü\nclass A implements Namespace {}",
            "\u{feff}class A implements Namespace {}",
        ] {
            let checked = harness.opl.post(PATH, "text/plain", text).await.expect(200);
            assert_eq!(checked.text, "{}");
        }
        // As curl sends it.
        let checked = harness.opl.post(PATH, "application/x-www-form-urlencoded", "class").await.expect(200);
        assert!(checked.json.get("errors").is_some(), "{checked}");
        harness.opl.get(PATH).await.expect(405);
    })
    .await;
}

#[tokio::test]
async fn errors_have_the_positions_that_keto_reports_and_what_to_do() {
    on_both(plain(), |mut harness| async move {
        let text =
            "class User implements Namespace {}\nclass Doc implements Namespace { related: { owner: Person[] } }";
        let checked = harness.opl.post(PATH, "text/plain", text).await.expect(200);
        let errors = checked.at("/errors").as_array().unwrap();
        assert_eq!(errors.len(), 1, "{checked}");
        assert_eq!(errors[0]["message"], "namespace \"Person\" was not declared");
        let (start, end) = (&errors[0]["start"], &errors[0]["end"]);
        assert_eq!((start, end), (&json!({"Line": 2, "column": 51}), &json!({"Line": 2, "column": 57})));
        assert!(errors[0]["help"].as_str().is_some_and(|help| !help.is_empty()), "{checked}");
        let broken = harness.opl.post(PATH, "text/plain", "class A implements Namespace {\n").await.expect(200);
        let errors = broken.at("/errors").as_array().unwrap();
        assert_eq!(errors.len(), 1, "{broken}");
        assert_eq!(errors[0]["message"], "expected 'permits' or 'related', got \"\"");
        let help = errors[0]["help"].as_str().unwrap();
        assert!(help.starts_with("the file ends here, and the \"{\" in line 1 is not closed; "), "{broken}");
    })
    .await;
}

#[tokio::test]
async fn a_text_may_be_a_json_string_if_the_media_type_says_so() {
    on_both(plain(), |mut harness| async move {
        let text = "class Doc implements Namespace { related: { owner: SubjectSet<Doc, \"no\">[] } }";
        let plain = harness.opl.post(PATH, "text/plain", text).await.expect(200);
        assert_eq!(plain.at("/errors").as_array().map(Vec::len), Some(1), "{plain}");
        for media_type in ["application/json", "Application/JSON; charset=utf-8"] {
            let quoted = harness.opl.post(PATH, media_type, &json!(text).to_string()).await.expect(200);
            assert_eq!(quoted.json, plain.json);
            // Programs that send the text itself under this media type are read as before.
            let unquoted = harness.opl.post(PATH, media_type, text).await.expect(200);
            assert_eq!(unquoted.json, plain.json);
        }
        let literal = harness.opl.post(PATH, "text/plain", &json!(text).to_string()).await.expect(200);
        assert_ne!(literal.json, plain.json);
    })
    .await;
}

#[tokio::test]
async fn one_name_as_a_relation_and_a_permit_is_an_error() {
    on_both(plain(), |mut harness| async move {
        let text = "class Doc implements Namespace { related: { view: Doc[] } permits = { view: (ctx) => \
                    this.related.view.includes(ctx.subject) } }";
        let checked = harness.opl.post(PATH, "text/plain", text).await.expect(200);
        assert_eq!(checked.at("/errors").as_array().map(Vec::len), Some(1), "{checked}");
        let message = checked.string("/errors/0/message");
        assert_eq!(message, "\"view\" is declared as a relation and as a permit in namespace \"Doc\"");
    })
    .await;
}

#[tokio::test]
async fn a_condition_that_always_fails_is_an_error() {
    on_both(plain(), |mut harness| async move {
        for (expression, reason) in [
            ("1 + 1", "a bool is needed, and this is a value of the type int"),
            ("context.a && 'a'", "a bool is needed, and this is a value of the type string"),
            ("timestamp('x') < now", "timestamp"),
            ("1/0 == 1", "zero"),
        ] {
            let text = format!(
                "const it: Condition = \"{expression}\"\nclass A implements Namespace {{ related: {{ b: When<A, \"it\">[] }} }}"
            );
            let checked = harness.opl.post(PATH, "text/plain", &text).await.expect(200);
            assert_eq!(checked.at("/errors").as_array().map(Vec::len), Some(1), "{expression}: {checked}");
            let message = checked.string("/errors/0/message");
            assert!(message.starts_with("the condition \"it\" fails whatever the attributes are: "), "{message}");
            assert!(message.contains(reason), "{expression}: {message}");
        }
    })
    .await;
}
