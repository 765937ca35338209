//! `POST /opl/syntax/check`.

use serde_json::json;

use super::harness::{on_both, plain};

const PATH: &str = "/opl/syntax/check";

#[tokio::test]
async fn a_text_without_errors_has_an_empty_answer() {
    on_both(plain(), |mut harness| async move {
        for text in ["", "class User implements Namespace {}", "// ü\nclass A implements Namespace {}"] {
            let checked = harness.opl.post(PATH, "text/plain", text).await.expect(200);
            assert_eq!(checked.text, "{}");
        }
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
        let broken = harness.opl.post(PATH, "text/plain", "class").await.expect(200);
        assert_eq!(broken.at("/errors").as_array().unwrap().len(), 1, "{broken}");
    })
    .await;
}
