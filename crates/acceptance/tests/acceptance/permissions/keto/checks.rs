//! Checks: statuses, depths, circles, unknown names, batches.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};

use super::{Answer, BATCH, CHECK, EXPAND, LIST, OPENAPI, delta, message, query, tuple, with_model};

/// The code of gRPC for an unknown name, and those of refusals.
const NOT_FOUND: u16 = 5;
const INVALID_ARGUMENT: u16 = 3;
const FAILED_PRECONDITION: u16 = 9;

#[tokio::test]
async fn a_denied_check_is_403_and_200_at_the_path_of_openapi_with_the_same_body() -> Result<()> {
    with_model(async |keto| {
        keto.insert(&["Doc:a#owners@User:ada"]).await?;
        for (text, allowed) in [("Doc:a#owners@User:ada", true), ("Doc:a#owners@User:bob", false)] {
            for (path, denied) in [(CHECK, 403), (OPENAPI, 200)] {
                let expected = Answer::checked(if allowed { 200 } else { denied }, allowed);
                let answers = [keto.get(path, &query(text)).await?, keto.post(path, &tuple(text)).await?];
                ensure!(answers == [expected.clone(), expected], "{path} {text}: {answers:?}");
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_unknown_namespace_is_denied_by_rest_and_not_found_elsewhere() -> Result<()> {
    with_model(async |keto| {
        for (text, field) in
            [("Nope:a#owners@User:ada", "namespace"), ("Doc:a#owners@Nope:ada", "subject_set.namespace")]
        {
            let reason = format!("{field}: there is no namespace \"Nope\" in the permission model");
            let not_found = Answer::refused(404, &reason, Some(field));
            for (path, status) in [(CHECK, 403), (OPENAPI, 200)] {
                // No snapshot was read.
                let denied = Answer::json(status, json!({ "allowed": false }));
                let answers = [keto.get(path, &query(text)).await?, keto.post(path, &tuple(text)).await?];
                ensure!(answers == [denied.clone(), denied], "{path} {text}: {answers:?}");
            }
            let listed = keto.get(LIST, &query(text)).await?;
            let created = keto.write(Method::PUT, "", &tuple(text)).await?;
            let deleted = keto.write(Method::DELETE, &format!("?{}", query(text)), &Value::Null).await?;
            for answer in [listed, created, deleted] {
                ensure!(answer == not_found, "{text}: {answer:?}");
            }
            let place = format!("[0].relation_tuple.{field}");
            let reason = format!("{place}: there is no namespace \"Nope\" in the permission model");
            for action in ["insert", "delete"] {
                let answer = keto.write(Method::PATCH, "", &json!([delta(action, text)])).await?;
                ensure!(answer == Answer::refused(404, &reason, Some(&place)), "{text}: {answer:?}");
            }
            let call = keto.keto("read", "CheckService/Check", &json!({ "tuple": message(text) })).await?;
            ensure!(call == (NOT_FOUND, vec![]), "{text}: {call:?}");
            let deltas =
                json!({ "relationTupleDeltas": [{ "action": "ACTION_INSERT", "relationTuple": message(text) }] });
            let call = keto.keto("write", "WriteService/TransactRelationTuples", &deltas).await?;
            ensure!(call == (NOT_FOUND, vec![]), "{text}: {call:?}");
        }
        let reason = "namespace: there is no namespace \"Nope\" in the permission model";
        let expanded = keto.get(EXPAND, "namespace=Nope&object=a&relation=owners").await?;
        ensure!(expanded == Answer::refused(404, reason, Some("namespace")), "{expanded:?}");
        let subject = json!({ "subject": { "set": { "namespace": "Nope", "object": "a", "relation": "owners" } } });
        let call = keto.keto("read", "ExpandService/Expand", &subject).await?;
        ensure!(call == (NOT_FOUND, vec![]), "{call:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_undeclared_relation_is_400_and_an_empty_class_has_every_relation() -> Result<()> {
    with_model(async |keto| {
        let undeclared = "Doc:a#nope@User:ada";
        let expected = Answer::refused(400, "relation \"nope\" does not exist", Some("relation"));
        for path in [CHECK, OPENAPI] {
            let answers = [keto.get(path, &query(undeclared)).await?, keto.post(path, &tuple(undeclared)).await?];
            ensure!(answers == [expected.clone(), expected.clone()], "{path}: {answers:?}");
        }
        let call = keto.keto("read", "CheckService/Check", &json!({ "tuple": message(undeclared) })).await?;
        ensure!(call == (INVALID_ARGUMENT, vec![]), "{call:?}");
        // Neither a namespace without declarations nor a relation without a name is an error.
        keto.insert(&["Open:a#anything@User:ada", "Doc:a#@User:ada"]).await?;
        for (text, status) in [
            ("Open:a#anything@User:ada", 200),
            ("Open:a#nothing@User:ada", 403),
            ("Doc:a#@User:ada", 200),
            ("Doc:b#@User:ada", 403),
        ] {
            let answer = keto.check(text, "").await?;
            ensure!(answer == Answer::checked(status, status == 200), "{text}: {answer:?}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_max_depth_outside_of_its_range_is_the_configured_one() -> Result<()> {
    with_model(async |keto| {
        // The default of `limit.max_read_depth` is 5: as many parents are followed.
        let parents: Vec<String> = (0..6).map(|it| format!("Folder:{it}#parents@Folder:{}", it + 1)).collect();
        keto.insert(&parents.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        keto.insert(&["Folder:5#viewers@User:ada", "Folder:6#viewers@User:bob"]).await?;
        let reason = "the depth limit was reached; raise limit.max_read_depth, and max-depth if the request has one";
        let cut = Answer::unanswered("max_depth_exceeded", reason);
        for depth in ["0", "-1", "-9223372036854775808", "5", "0x5", "6", "0x10", "65536", "9223372036854775807"] {
            let answer = keto.check("Folder:0#view@User:ada", &format!("&max-depth={depth}")).await?;
            ensure!(answer == Answer::checked(200, true), "{depth}: {answer:?}");
            let answer = keto.check("Folder:0#view@User:bob", &format!("&max-depth={depth}")).await?;
            ensure!(answer == cut, "{depth}: {answer:?}");
        }
        for depth in ["1", "4", "0b100"] {
            let answer = keto.check("Folder:0#view@User:ada", &format!("&max-depth={depth}")).await?;
            ensure!(answer == cut, "{depth}: {answer:?}");
        }
        let invalid = Answer::refused(400, "max-depth: not a whole number", Some("max-depth"));
        for depth in ["", "x", "1.5", "9223372036854775808"] {
            let answer = keto.check("Folder:0#view@User:ada", &format!("&max-depth={depth}")).await?;
            ensure!(answer == invalid, "{depth}: {answer:?}");
        }
        for (depth, code) in [(0, 0), (-1, 0), (6, 0), (i32::MIN, 0), (i32::MAX, 0), (4, FAILED_PRECONDITION)] {
            let request = json!({ "tuple": message("Folder:0#view@User:ada"), "maxDepth": depth });
            let call = keto.keto("read", "CheckService/Check", &request).await?;
            ensure!(call.0 == code, "{depth}: {call:?}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn permits_that_refer_to_each_other_are_422() -> Result<()> {
    with_model(async |keto| {
        let expected = Answer::unanswered("cyclic_permits", "cyclic permits: a permit refers to itself");
        for permit in ["cycle", "cycle_too"] {
            let text = format!("Doc:a#{permit}@User:ada");
            for path in [CHECK, OPENAPI] {
                let answers = [keto.get(path, &query(&text)).await?, keto.post(path, &tuple(&text)).await?];
                ensure!(answers == [expected.clone(), expected.clone()], "{path} {text}: {answers:?}");
            }
            let call = keto.keto("read", "CheckService/Check", &json!({ "tuple": message(&text) })).await?;
            ensure!(call == (FAILED_PRECONDITION, vec![]), "{call:?}");
        }
        // A tuple of one of them decides, also for the other.
        keto.insert(&["Doc:a#cycle@User:ada"]).await?;
        for permit in ["cycle", "cycle_too"] {
            let answer = keto.check(&format!("Doc:a#{permit}@User:ada"), "").await?;
            ensure!(answer == Answer::checked(200, true), "{permit}: {answer:?}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn parents_in_circles_end_and_are_denied() -> Result<()> {
    with_model(async |keto| {
        // Each of eight folders is a parent of all, itself included: as a tree this has eight branches on each level.
        let pairs =
            (0..8).flat_map(|child| (0..8).map(move |parent| format!("Folder:{child}#parents@Folder:{parent}")));
        let pairs: Vec<String> = pairs.collect();
        keto.insert(&pairs.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        keto.insert(&["Folder:x#parents@Folder:y", "Folder:y#parents@Folder:x", "Doc:a#parents@Folder:x"]).await?;
        for object in ["Folder:0", "Folder:x", "Doc:a"] {
            let answer = keto.check(&format!("{object}#view@User:ada"), "").await?;
            ensure!(answer == Answer::checked(403, false), "{object}: {answer:?}");
        }
        keto.insert(&["Folder:7#viewers@User:ada", "Folder:y#viewers@User:ada"]).await?;
        for object in ["Folder:0", "Folder:x", "Doc:a"] {
            let answer = keto.check(&format!("{object}#view@User:ada"), "").await?;
            ensure!(answer == Answer::checked(200, true), "{object}: {answer:?}");
        }
        Ok(())
    })
    .await
}

/// `owners || editors && banned` is `(owners || editors) && banned`; in TypeScript an owner would be granted.
#[tokio::test]
async fn alternatives_before_an_and_are_grouped_from_the_left() -> Result<()> {
    with_model(async |keto| {
        keto.insert(&["Doc:a#owners@User:owner", "Doc:a#owners@User:both", "Doc:a#banned@User:both"]).await?;
        keto.insert(&["Doc:a#editors@User:editor", "Doc:a#editors@User:other", "Doc:a#banned@User:other"]).await?;
        for (user, allowed) in [("owner", false), ("both", true), ("editor", false), ("other", true), ("none", false)] {
            let answer = keto.check(&format!("Doc:a#mixed@User:{user}"), "").await?;
            ensure!(answer == Answer::checked(if allowed { 200 } else { 403 }, allowed), "{user}: {answer:?}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_batch_has_ten_tuples_at_most_and_its_errors_are_in_place() -> Result<()> {
    with_model(async |keto| {
        let parents: Vec<String> = (0..6).map(|it| format!("Folder:{it}#parents@Folder:{}", it + 1)).collect();
        keto.insert(&parents.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        keto.insert(&["Doc:a#owners@User:ada"]).await?;
        let batch = |texts: &[&str]| json!({ "tuples": texts.iter().map(|it| tuple(it)).collect::<Value>() });
        let texts = [
            "Doc:a#owners@User:ada",
            "Doc:a#owners@User:bob",
            "Nope:a#owners@User:ada",
            "Doc:a#owners@Nope:ada",
            "Doc:a#nope@User:ada",
            "Folder:0#view@User:ada",
            "Doc:a#view@User:ada",
        ];
        let no_namespace = "there is no namespace \"Nope\" in the permission model";
        let results = json!([
            { "allowed": true },
            { "allowed": false },
            { "allowed": false, "error": format!("namespace: {no_namespace}") },
            { "allowed": false, "error": format!("subject_set.namespace: {no_namespace}") },
            { "allowed": false, "error": "relation \"nope\" does not exist" },
            { "allowed": false, "error": "max_depth_exceeded" },
            { "allowed": true },
        ]);
        let answer = keto.post(BATCH, &batch(&texts)).await?;
        ensure!(answer == Answer::json(200, json!({ "results": results })).with_snaptoken(), "{answer:?}");
        let empty = keto.post(BATCH, &batch(&[])).await?;
        ensure!(empty == Answer::json(200, json!({ "results": [] })).with_snaptoken(), "{empty:?}");

        let ten = keto.post(BATCH, &batch(&[texts[0]; 10])).await?;
        let results = json!(vec![json!({ "allowed": true }); 10]);
        ensure!(ten == Answer::json(200, json!({ "results": results })).with_snaptoken(), "{ten:?}");
        let eleven = keto.post(BATCH, &batch(&[texts[0]; 11])).await?;
        let expected = Answer::refused(400, "tuples: batch exceeds max size of 10", Some("tuples"));
        ensure!(eleven == expected, "{eleven:?}");
        let messages: Value = [texts[0]; 11].iter().map(|it| message(it)).collect();
        let call = keto.keto("read", "CheckService/BatchCheck", &json!({ "tuples": messages })).await?;
        ensure!(call == (INVALID_ARGUMENT, vec![]), "{call:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_subject_set_without_a_relation_is_only_itself() -> Result<()> {
    with_model(async |keto| {
        keto.insert(&["Doc:a#owners@Group:g", "Group:g#members@User:ada", "Group:g#@User:bob"]).await?;
        keto.insert(&["Doc:b#owners@Group:g#members"]).await?;
        for (text, allowed) in [
            ("Doc:a#owners@Group:g", true),
            ("Doc:a#owners@Group:g#members", false),
            ("Doc:a#owners@Group:h", false),
            // Its members are not implied, neither those of a relation nor those without one.
            ("Doc:a#owners@User:ada", false),
            ("Doc:a#owners@User:bob", false),
            // It is not the id of the same text.
            ("Doc:a#owners@g", false),
            ("Doc:b#owners@Group:g", false),
            ("Doc:b#owners@Group:g#members", true),
            ("Doc:b#owners@User:ada", true),
        ] {
            let answer = keto.check(text, "").await?;
            ensure!(answer == Answer::checked(if allowed { 200 } else { 403 }, allowed), "{text}: {answer:?}");
        }
        Ok(())
    })
    .await
}
