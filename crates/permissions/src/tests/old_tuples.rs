//! Relation tuples that were written before the model changed.

use base::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use service::Check as _;

use super::harness::{Harness, on_both};
use crate::definition::ModelLoaded;
use crate::domain::relation_tuple::{RelationTuple, StoredTuple, TupleCondition};
use crate::domain::tuple_changes::TupleChange;

fn section(types: &str, is_strict: bool) -> Value {
    let model = format!(
        "const late: Condition = \"context.hour > 20\"
        class User implements Namespace {{}}
        class Doc implements Namespace {{ related: {{ viewers: ({types})[], owners: User[] }} }}"
    );
    let location = format!("base64://{}", STANDARD.encode(model));
    json!({ "namespaces": { "location": location }, "feature_flags": { "strict_mode": is_strict } })
}

#[tokio::test]
async fn the_doctor_counts_tuples_whose_type_needs_a_condition_by_now() {
    on_both(section("User", false), |harness| async move {
        let stored = |text: &str| StoredTuple::from(text.parse::<RelationTuple>().unwrap());
        let conditional = Some(TupleCondition { name: "late".into(), context: None });
        let soon = Some(Timestamp::from_unix_seconds(harness.cx().now.unix_seconds() + 10));
        let changes = [
            stored("Doc:a#viewers@User:ada"),
            stored("Doc:b#viewers@User:ada"),
            stored("Doc:a#viewers@eve"),
            stored("Doc:a#owners@User:ada"),
            StoredTuple { condition: conditional, ..stored("Doc:c#viewers@User:ada") },
            StoredTuple { expires_at: soon, ..stored("Doc:d#viewers@User:ada") },
        ];
        let (permissions, cx) = (harness.permissions.clone(), harness.cx());
        permissions.transact_relation_tuples(&cx, &changes.map(TupleChange::Insert)).await.unwrap();
        assert_eq!(ModelLoaded(permissions).examine().await, None, "no type needs a condition");
        for (is_strict, consequence) in [(false, "still count"), (true, "do not count in strict mode")] {
            let changed = section("When<User, \"late\">", is_strict);
            let later = Harness::new(harness.database.clone(), changed).await;
            later.clock.advance(std::time::Duration::from_secs(20));
            let found = ModelLoaded(later.permissions).examine().await.unwrap();
            assert!(found.explanation.contains(consequence), "{found:?}");
            assert!(found.explanation.ends_with("; Doc.viewers: subject ids (1), Doc.viewers: User (2)"), "{found:?}");
        }
    })
    .await;
}
