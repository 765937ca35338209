//! Templates of rules: rendering never panics, always ends, and no value can add a claim.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, &str)| {
    let (template, subject, extra) = input;
    let extra = serde_json::from_str(extra).unwrap_or_default();
    let _ = gateway::testing::find_in_json(template, &extra);
    let _ = gateway::testing::render_claims(template, subject, extra.clone());
    let _ = gateway::testing::render(template, subject, extra);
    let claims = r#"{"sub": "{{ print .Subject }}", "group": "{{ printIndex .MatchContext.RegexpCaptureGroups 0 }}"}"#;
    let claims = gateway::testing::render_claims(claims, subject, serde_json::Value::Null).expect("claims");
    let claims: serde_json::Value = serde_json::from_str(&claims).expect("JSON");
    assert_eq!(claims, serde_json::json!({"sub": subject, "group": subject}));
});
