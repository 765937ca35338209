//! Strict mode: only what the model declares counts.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};

use super::{Answer, BATCH, CHECK, EXPAND, OPENAPI, delta, message, query, tuple, with_keys};

const INVALID_ARGUMENT: u16 = 3;
const FAILED_PRECONDITION: u16 = 9;

#[tokio::test]
async fn strict_mode_counts_only_declared_types_and_reports_limits() -> Result<()> {
    with_keys(json!({ "feature_flags": { "strict_mode": true } }), async |keto| {
        // Ill-typed tuples are stored, because only `write_validation: strict` refuses them.
        keto.insert(&["Doc:a#view@User:ada", "Doc:a#owners@Folder:f", "Doc:a#owners@Group:g#members"]).await?;
        keto.insert(&["Group:g#members@User:bob", "Doc:a#owners@User:carol", "Doc:b#parents@Folder:f"]).await?;
        keto.insert(&["Folder:f#viewers@Group:g#members"]).await?;
        for (text, allowed) in [
            // A tuple on a permit is ignored.
            ("Doc:a#view@User:ada", false),
            // `owners` declares users only.
            ("Doc:a#owners@Folder:f", false),
            ("Doc:a#owners@Group:g#members", false),
            ("Doc:a#owners@User:bob", false),
            ("Doc:a#owners@User:carol", true),
            ("Doc:a#view@User:carol", true),
            ("Folder:f#viewers@User:bob", true),
            ("Doc:b#view@User:bob", true),
        ] {
            let answer = keto.check(text, "").await?;
            ensure!(answer == Answer::checked(if allowed { 200 } else { 403 }, allowed), "{text}: {answer:?}");
        }
        let parents: Vec<String> = (0..6).map(|it| format!("Folder:{it}#parents@Folder:{}", it + 1)).collect();
        keto.insert(&parents.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        let deep = "Folder:0#view@User:ada";
        let reason = "the depth limit was reached; raise limit.max_read_depth, and max-depth if the request has one";
        let expected = Answer::unanswered("max_depth_exceeded", reason);
        for path in [CHECK, OPENAPI] {
            let answer = keto.get(path, &query(deep)).await?;
            ensure!(answer == expected, "{path}: {answer:?}");
        }
        let call = keto.keto("read", "CheckService/Check", &json!({ "tuple": message(deep) })).await?;
        ensure!(call == (FAILED_PRECONDITION, vec![]), "{call:?}");
        let results = json!({ "results": [{ "allowed": false, "error": "max_depth_exceeded" }] });
        let answer = keto.post(BATCH, &json!({ "tuples": [tuple(deep)] })).await?;
        ensure!(answer == Answer::json(200, results).with_snaptoken(), "{answer:?}");
        // Declared: the original answers 200 with the body of an error.
        let answer = keto.get(EXPAND, "namespace=Doc&object=a&relation=nope").await?;
        ensure!(answer == Answer::refused(404, "relation \"nope\" does not exist", Some("relation")), "{answer:?}");
        Ok(())
    })
    .await
}

/// Since Keto 26.3.5.
#[tokio::test]
async fn strict_mode_refuses_subject_ids_in_checks_and_new_tuples() -> Result<()> {
    with_keys(json!({ "feature_flags": { "strict_mode": true } }), async |keto| {
        let ada = "Doc:a#owners@ada";
        let reason = "is refused in strict mode, because it has no type: use subject_set with an empty relation";
        let refused = |field: &str| Answer::refused(400, &format!("{field}: {reason}"), Some(field));
        let answers = [
            keto.get(CHECK, &query(ada)).await?,
            keto.get(OPENAPI, &query(ada)).await?,
            keto.post(CHECK, &tuple(ada)).await?,
            keto.write(Method::PUT, "", &tuple(ada)).await?,
        ];
        for answer in answers {
            ensure!(answer == refused("subject_id"), "{answer:?}");
        }
        let answer = keto.write(Method::PATCH, "", &json!([delta("insert", ada)])).await?;
        ensure!(answer == refused("[0].relation_tuple.subject_id"), "{answer:?}");
        let results = json!({ "results": [{ "allowed": false, "error": format!("subject_id: {reason}") }] });
        let answer = keto.post(BATCH, &json!({ "tuples": [tuple(ada)] })).await?;
        ensure!(answer == Answer::json(200, results).with_snaptoken(), "{answer:?}");
        let call = keto.keto("read", "CheckService/Check", &json!({ "tuple": message(ada) })).await?;
        ensure!(call == (INVALID_ARGUMENT, vec![]), "{call:?}");
        let deltas = json!({ "relationTupleDeltas": [{ "action": "ACTION_INSERT", "relationTuple": message(ada) }] });
        let call = keto.keto("write", "WriteService/TransactRelationTuples", &deltas).await?;
        ensure!(call == (INVALID_ARGUMENT, vec![]), "{call:?}");
        // Those that exist are still listed and deleted.
        ensure!(keto.list(&query(ada)).await? == json!([]));
        let answer = keto.write(Method::PATCH, "", &json!([delta("delete", ada)])).await?;
        ensure!(answer == Answer::empty(204).with_snaptoken(), "{answer:?}");
        let answer = keto.write(Method::DELETE, &format!("?{}", query(ada)), &Value::Null).await?;
        ensure!(answer == Answer::empty(204).with_snaptoken(), "{answer:?}");
        Ok(())
    })
    .await
}
