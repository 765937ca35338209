//! Strict mode: only what the model declares counts.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};

use super::{Answer, BATCH, CHECK, EXPAND, OPENAPI, message, query, tuple, with_keys};

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
        let reason = "the depth limit was reached; raise max-depth or limit.max_read_depth";
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

/// A subject id has no type, so that none that the model declares excludes it.
#[tokio::test]
async fn strict_mode_accepts_subject_ids_of_relations() -> Result<()> {
    with_keys(json!({ "feature_flags": { "strict_mode": true } }), async |keto| {
        let ada = "Doc:a#owners@ada";
        let created = keto.write(Method::PUT, "", &tuple(ada)).await?;
        ensure!(created.status == 201, "{created:?}");
        let deltas = json!({ "relationTupleDeltas": [
            { "action": "ACTION_INSERT", "relationTuple": message("Doc:b#view@ada") },
        ] });
        let call = keto.keto("write", "WriteService/TransactRelationTuples", &deltas).await?;
        ensure!(call.0 == 0, "{call:?}");
        for (text, allowed) in [(ada, true), ("Doc:a#view@ada", true), ("Doc:b#view@ada", false)] {
            let answer = keto.check(text, "").await?;
            ensure!(answer == Answer::checked(if allowed { 200 } else { 403 }, allowed), "{text}: {answer:?}");
        }
        let results = json!({ "results": [{ "allowed": true }] });
        let answer = keto.post(BATCH, &json!({ "tuples": [tuple(ada)] })).await?;
        ensure!(answer == Answer::json(200, results).with_snaptoken(), "{answer:?}");
        let call = keto.keto("read", "CheckService/Check", &json!({ "tuple": message(ada) })).await?;
        ensure!(call.0 == 0, "{call:?}");
        ensure!(keto.list(&query(ada)).await? == json!([tuple(ada)]));
        let answer = keto.write(Method::DELETE, &format!("?{}", query(ada)), &Value::Null).await?;
        ensure!(answer == Answer::empty(204).with_snaptoken(), "{answer:?}");
        Ok(())
    })
    .await
}
