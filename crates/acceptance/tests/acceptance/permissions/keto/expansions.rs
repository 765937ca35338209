//! `GET /relation-tuples/expand`.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{Answer, EXPAND, Keto, set, with_keys, with_model};

/// A node whose tuple has only a subject: `ada`, or `Group:g#members`.
fn node(kind: &str, subject: &str, children: &[Value]) -> Value {
    let mut tuple = json!({ "namespace": "", "object": "", "relation": "" });
    match subject {
        "" => {}
        set if set.contains(':') => tuple["subject_set"] = self::set(set),
        id => tuple["subject_id"] = json!(id),
    }
    let mut node = json!({ "type": kind, "tuple": tuple });
    if !children.is_empty() {
        node["children"] = json!(children);
    }
    sort(&mut node);
    node
}

/// Children have no order that a client may rely on: it differs between the tables and the memory.
fn sort(node: &mut Value) {
    if let Some(children) = node.get_mut("children").and_then(Value::as_array_mut) {
        children.iter_mut().for_each(sort);
        children.sort_by_key(Value::to_string);
    }
}

fn leaf(subject: &str) -> Value {
    node("leaf", subject, &[])
}

async fn expand(keto: &Keto<'_>, text: &str, more: &str) -> Result<Answer> {
    let set = set(text);
    let part = |name: &str| set[name].as_str().unwrap_or_default().to_owned();
    let query =
        format!("namespace={}&object={}&relation={}{more}", part("namespace"), part("object"), part("relation"));
    let mut answer = keto.get(EXPAND, &query).await?;
    sort(&mut answer.body);
    Ok(answer)
}

#[tokio::test]
async fn an_expansion_has_unions_and_leaves_whose_tuples_have_only_a_subject() -> Result<()> {
    with_model(async |keto| {
        keto.insert(&["Group:g#members@User:ada", "Group:g#members@Group:h#members", "Group:g#members@bob"]).await?;
        keto.insert(&["Group:h#members@User:eve", "Group:h#members@Group:g#members"]).await?;
        let inner = node("union", "Group:h#members", &[leaf("User:eve"), leaf("Group:g#members")]);
        let tree = node("union", "Group:g#members", &[leaf("bob"), leaf("User:ada"), inner]);
        let whole = Answer::json(200, tree).with_snaptoken();
        for more in ["", "&max-depth=0", "&max-depth=-3", "&max-depth=3", "&max-depth=99"] {
            let answer = expand(&keto, "Group:g#members", more).await?;
            ensure!(answer == whole, "{more}: {answer:?}");
        }
        let two = node("union", "Group:g#members", &[leaf("bob"), leaf("User:ada"), leaf("Group:h#members")]);
        for (depth, tree) in [(2, two), (1, leaf("Group:g#members"))] {
            let answer = expand(&keto, "Group:g#members", &format!("&max-depth={depth}")).await?;
            ensure!(answer == Answer::json(200, tree).with_snaptoken(), "{depth}: {answer:?}");
        }
        // Without tuples, and without a relation, there is a leaf: the set itself. A permit is not followed.
        for text in ["Group:none#members", "Group:g#", "Folder:f#view"] {
            let answer = expand(&keto, text, "").await?;
            ensure!(answer == Answer::json(200, leaf(text)).with_snaptoken(), "{text}: {answer:?}");
        }
        let subject = json!({ "subject": { "id": "ada" } });
        let call = keto.keto("read", "ExpandService/Expand", &subject).await?;
        let id = json!({ "id": "ada" });
        let tree = json!({ "tree": { "nodeType": "NODE_TYPE_LEAF", "subject": id, "tuple": { "subject": id } } });
        ensure!(call == (0, vec![tree]), "{call:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn expand_rewrites_shows_the_relations_that_a_permit_depends_on() -> Result<()> {
    with_keys(json!({ "feature_flags": { "expand_rewrites": true } }), async |keto| {
        keto.insert(&["Doc:a#owners@User:ada", "Doc:a#parents@Folder:f", "Folder:f#viewers@User:bob"]).await?;
        let owners = node("union", "Doc:a#owners", &[leaf("User:ada")]);
        let viewers = node("union", "Folder:f#viewers", &[leaf("User:bob")]);
        let folder = node("union", "Folder:f#view", &[viewers, leaf("Folder:f#parents")]);
        let parents = node("union", "Doc:a#parents", &[folder]);
        let tree = node("union", "Doc:a#view", &[owners, parents]);
        let answer = expand(&keto, "Doc:a#view", "").await?;
        ensure!(answer == Answer::json(200, tree).with_snaptoken(), "{answer:#?}");
        Ok(())
    })
    .await
}
