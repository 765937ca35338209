//! Decisions with their reasons, and how recent they are.

use serde_json::{Value, json};

use super::super::harness::{on_both, on_both_readers};
use super::{EVALUATION, EVALUATIONS, fixture, record, refused, request, section, user, with};

/// The texts of the steps.
fn texts(steps: &Value) -> Vec<&str> {
    let steps = steps.as_array().unwrap_or_else(|| panic!("{steps}"));
    steps.iter().map(|step| step["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_decision_comes_with_its_reason_when_it_is_asked_for() {
    on_both_readers(section(), |mut harness| async move {
        fixture(&mut harness).await;
        let explained = format!("{EVALUATION}?explain=true");
        let granted = request(user("bob"), "read", record("record-1"));
        let reply = harness.read.post_json(&explained, &granted).await.expect(200);
        assert_eq!(
            texts(reply.at("/context/kleis/path")),
            ["record:record-1#read includes record:record-1#readers", "the tuple record:record-1#readers@user:bob"]
        );
        assert_eq!(reply.at("/decision"), true);
        let token = reply.string("/context/kleis/snapshot");
        let reply = harness.read.post_json(&format!("{EVALUATION}?snaptoken={token}"), &granted).await.expect(200);
        assert_eq!(reply.text, "{\"decision\":true}");

        let denied = request(user("nobody"), "read", record("record-1"));
        let reply = harness.read.post_json(&explained, &denied).await.expect(200);
        assert_eq!(reply.at("/decision"), false);
        let missing = texts(reply.at("/context/kleis/nearest_miss"));
        assert!(missing.last().unwrap().starts_with("no tuple leads from record:record-1#read"), "{reply}");
        // What a condition reads are the properties of the request.
        let archived = with(record("record-2"), json!({ "status": "archived" }));
        let denied = request(user("alice"), "write", archived);
        let reply = harness.read.post_json(&explained, &denied).await.expect(200);
        let missing = texts(reply.at("/context/kleis/nearest_miss"));
        assert_eq!(missing.last(), Some(&"the condition active does not hold"), "{reply}");
    })
    .await;
}

#[tokio::test]
async fn each_evaluation_of_a_list_has_its_reason_if_it_was_evaluated() {
    on_both_readers(section(), |mut harness| async move {
        fixture(&mut harness).await;
        let list = json!({ "subject": user("alice"), "evaluations": [
            { "action": { "name": "read" }, "resource": record("record-1") },
            { "action": { "name": "print" }, "resource": record("record-1") },
            { "action": { "name": "read" }, "resource": { "type": "spaceship", "id": "a" } },
            { "action": { "name": "read" } },
        ] });
        let reply = harness.read.post_json(&format!("{EVALUATIONS}?explain=true&latest=true"), &list).await.expect(200);
        let evaluations = reply.at("/evaluations").as_array().unwrap();
        assert_eq!(
            evaluations.iter().map(|it| it["decision"] == true).collect::<Vec<_>>(),
            [true, false, false, false]
        );
        let [granted, undecided, unknown, invalid] = evaluations.as_slice() else { panic!("{reply}") };
        assert_eq!(texts(&granted["context"]["kleis"]["path"]).len(), 2, "{granted}");
        assert_eq!(undecided["context"]["error"]["status"], 422);
        let missing = texts(&undecided["context"]["kleis"]["nearest_miss"]);
        assert_eq!(missing.last(), Some(&"the condition office has no result: context.hour is missing"));
        assert_eq!(granted["context"]["kleis"]["snapshot"], undecided["context"]["kleis"]["snapshot"]);
        for not_evaluated in [unknown, invalid] {
            assert!(not_evaluated["context"].get("kleis").is_none(), "{not_evaluated}");
        }
        assert!(unknown["context"]["reason"].is_string() && invalid["context"]["error"]["status"] == 400);
        // Without the parameter nothing is added.
        let reply = harness.read.post_json(EVALUATIONS, &list).await.expect(200);
        assert!(!reply.text.contains("kleis"), "{reply}");
    })
    .await;
}

#[tokio::test]
async fn a_parameter_that_is_not_valid_is_refused() {
    on_both_readers(section(), |mut harness| async move {
        let request = request(user("bob"), "read", record("record-1"));
        for (parameter, text) in [
            ("explain=yes", "explain: must be true or false"),
            ("latest=yes", "latest: must be true or false"),
            ("snaptoken=x", "snaptoken: "),
        ] {
            for path in [EVALUATION, EVALUATIONS, "/access/v1/search/subject"] {
                if path.contains("search") && parameter.starts_with("explain") {
                    continue;
                }
                refused(&harness.read.post_json(&format!("{path}?{parameter}"), &request).await, text);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_metadata_name_no_searches_when_no_tuples_are_kept_in_memory() {
    let mut without = section();
    without["graph"] = json!({ "max_bytes": 0 });
    on_both(without, |mut harness| async move {
        let reply = harness.read.get("/.well-known/authzen-configuration").await.expect(200);
        let names: Vec<&String> = reply.json.as_object().unwrap().keys().collect();
        assert_eq!(names, ["policy_decision_point", "access_evaluation_endpoint", "access_evaluations_endpoint"]);
    })
    .await;
}
