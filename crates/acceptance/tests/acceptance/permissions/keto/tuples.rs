//! Relation tuples: writing, deleting, and subjects in queries.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};

use super::{Answer, CHECK, LIST, OPENAPI, delta, query, tuple, with_model};

#[tokio::test]
async fn a_patch_that_inserts_and_deletes_a_tuple_leaves_it_absent() -> Result<()> {
    with_model(async |keto| {
        let (ada, bob) = ("Doc:a#owners@User:ada", "Doc:a#owners@User:bob");
        for order in [["insert", "delete"], ["delete", "insert"]] {
            let deltas: Value = order.iter().map(|action| delta(action, ada)).collect();
            let answer = keto.write(Method::PATCH, "", &deltas).await?;
            ensure!(answer == Answer::empty(204).with_snaptoken(), "{answer:?}");
            ensure!(keto.list("namespace=Doc").await? == json!([]), "{order:?}");
        }
        // The others of the patch are written, and a tuple that existed before is gone.
        keto.insert(&[ada]).await?;
        let deltas = json!([delta("delete", ada), delta("insert", bob), delta("insert", ada)]);
        let answer = keto.write(Method::PATCH, "", &deltas).await?;
        ensure!(answer == Answer::empty(204).with_snaptoken(), "{answer:?}");
        ensure!(keto.list("namespace=Doc").await? == json!([tuple(bob)]));
        let answer = keto.write(Method::PATCH, "", &json!([])).await?;
        ensure!(answer == Answer::empty(204).with_snaptoken(), "{answer:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_deletion_needs_a_namespace_and_known_parameters_but_no_match() -> Result<()> {
    with_model(async |keto| {
        let ada = "Doc:a#owners@User:ada";
        keto.insert(&[ada]).await?;
        let delete = async |query: &str| keto.write(Method::DELETE, query, &Value::Null).await;
        let parameters = "namespace, object, relation, subject_id, subject_set.namespace, subject_set.object, \
                          subject_set.relation";
        for query in ["", "?object=a", "?subject_id=x"] {
            let answer = delete(query).await?;
            let expected = Answer::refused(400, "namespace: is required", Some("namespace"));
            ensure!(answer == expected, "{query}: {answer:?}");
        }
        for name in ["objekt", "page_size", "subject", "Namespace"] {
            let answer = delete(&format!("?namespace=Doc&{name}=a")).await?;
            let reason = format!("\"{name}\" is not a parameter; the parameters are {parameters}");
            ensure!(answer == Answer::refused(400, &reason, None), "{name}: {answer:?}");
        }
        let with_body = keto.write(Method::DELETE, "?namespace=Doc", &tuple(ada)).await?;
        let reason = "the body must be empty: the parameters of the URL say what to delete";
        ensure!(with_body == Answer::refused(400, reason, None), "{with_body:?}");
        // Nothing was deleted so far, and an empty value is a value.
        for query in ["?namespace=Doc&object=", "?namespace=Doc&object=b", "?namespace=Folder"] {
            let answer = delete(query).await?;
            ensure!(answer == Answer::empty(204).with_snaptoken(), "{query}: {answer:?}");
        }
        ensure!(keto.list("").await? == json!([tuple(ada)]));
        for _ in 0..2 {
            let answer = delete("?namespace=Doc&object=a").await?;
            ensure!(answer == Answer::empty(204).with_snaptoken(), "{answer:?}");
            ensure!(keto.list("").await? == json!([]));
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_created_tuple_is_echoed_and_its_location_finds_it() -> Result<()> {
    with_model(async |keto| {
        for (text, location) in [
            (
                "Doc:a b/c&d=e?ü#owners@User:ada",
                "/relation-tuples?namespace=Doc&object=a+b%2Fc%26d%3De%3F%C3%BC&relation=owners\
                 &subject_set.namespace=User&subject_set.object=ada&subject_set.relation=",
            ),
            ("Doc:a#owners@x+y%", "/relation-tuples?namespace=Doc&object=a&relation=owners&subject_id=x%2By%25"),
            ("Doc:#@", "/relation-tuples?namespace=Doc&object=&relation=&subject_id="),
        ] {
            let created = keto.write(Method::PUT, "", &tuple(text)).await?;
            let expected = Answer { location: location.to_owned(), ..Answer::json(201, tuple(text)).with_snaptoken() };
            ensure!(created == expected, "{created:?}");
            // A second one of the same tuple changes nothing.
            ensure!(keto.write(Method::PUT, "", &tuple(text)).await? == expected);
            let query = location.trim_start_matches("/relation-tuples?");
            ensure!(keto.list(query).await? == json!([tuple(text)]), "{text}");
        }
        let body = json!({ "namespace": "Doc", "object": "a", "relation": "owners" });
        let refused = keto.write(Method::PUT, "", &body).await?;
        let expected = Answer::refused(400, "subject_id: subject_id or subject_set is required", Some("subject_id"));
        ensure!(refused == expected, "{refused:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_query_has_one_subject_in_one_of_its_two_forms() -> Result<()> {
    with_model(async |keto| {
        let set = "subject_set.namespace=User&subject_set.object=ada&subject_set.relation=";
        let both = "subject_id: exactly one of subject_set or subject_id has to be provided";
        let legacy = "subject: is no parameter; use subject_id or subject_set.*";
        let partial = "subject_set: is incomplete; subject_set.namespace, subject_set.object and subject_set.relation are \
                       needed together, and may be empty";
        let cases = [
            (format!("subject_id=ada&{set}"), both),
            (format!("{set}&subject_id="), both),
            ("subject_id=ada&subject_set.namespace=User".to_owned(), both),
            ("subject=ada".to_owned(), legacy),
            ("subject=ada&subject_id=ada".to_owned(), legacy),
            ("subject=".to_owned(), legacy),
            ("subject_set.namespace=User".to_owned(), partial),
            ("subject_set.namespace=User&subject_set.object=ada".to_owned(), partial),
            ("subject_set.object=ada&subject_set.relation=".to_owned(), partial),
        ];
        for (subject, reason) in &cases {
            let query = format!("namespace=Doc&object=a&relation=owners&{subject}");
            for path in [CHECK, OPENAPI, LIST] {
                let answer = keto.get(path, &query).await?;
                ensure!(answer == Answer::refused(400, reason, None), "{path} {subject}: {answer:?}");
            }
            // Here `subject` is one of the unknown parameters.
            if *reason != legacy {
                let answer = keto.write(Method::DELETE, &format!("?{query}"), &Value::Null).await?;
                ensure!(answer == Answer::refused(400, reason, None), "{subject}: {answer:?}");
            }
        }
        let answer = keto.get(CHECK, "namespace=Doc&object=a&relation=owners").await?;
        ensure!(answer == Answer::refused(400, "subject_id: subject is not allowed to be nil", None), "{answer:?}");
        // Declared: in a body the original ignores the set.
        let mut body = tuple("Doc:a#owners@User:ada");
        body["subject_id"] = json!("ada");
        let expected = Answer::refused(
            400,
            "subject_id: exactly one of subject_set or subject_id has to be provided",
            Some("subject_id"),
        );
        for answer in [keto.post(CHECK, &body).await?, keto.write(Method::PUT, "", &body).await?] {
            ensure!(answer == expected, "{answer:?}");
        }
        // An absent key is not an empty value.
        for name in ["namespace", "object", "relation"] {
            let query = query("Doc:a#owners@ada").replace(&format!("{name}="), "other=");
            let answer = keto.get(CHECK, &query).await?;
            let reason = format!("{name}: is required, and may be empty");
            ensure!(answer == Answer::refused(400, &reason, None), "{name}: {answer:?}");
        }
        Ok(())
    })
    .await
}
