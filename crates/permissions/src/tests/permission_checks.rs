//! Checks that other services of the process ask for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contracts::{
    PermissionCheckError, PermissionChecks, PermissionQuestion, PermissionSubject, QuestionPart, Undeclared,
};
use serde_json::json;

use super::harness::{Harness, on_both};
use crate::domain::tuple_changes::TupleChange;
use crate::testing::service::service;

const MODEL: &str = r#"
const evening: Condition = "context.hour >= 18";
class User implements Namespace {}
class Doc implements Namespace {
  related: { owners: User[] guests: When<User, "evening">[] }
  permits = {
    view: (ctx: Context): boolean => this.related.owners.includes(ctx.subject) || this.related.guests.includes(ctx.subject),
  }
}
"#;

const VIEW: PermissionQuestion<'static> = PermissionQuestion {
    namespace: "Doc",
    object: "plan",
    relation: "view",
    subject: PermissionSubject::Set { namespace: "User", object: "ada", relation: "" },
    context: None,
};

fn user(object: &str) -> PermissionSubject<'_> {
    PermissionSubject::Set { namespace: "User", object, relation: "" }
}

async fn insert(harness: &Harness, text: &str, condition: Option<&str>) {
    let stored = crate::domain::relation_tuple::StoredTuple {
        tuple: text.parse().unwrap(),
        condition: condition
            .map(|name| crate::domain::relation_tuple::TupleCondition { name: name.into(), context: None }),
        expires_at: None,
    };
    harness.permissions.transact_relation_tuples(&harness.cx(), &[TupleChange::Insert(stored)]).await.unwrap();
}

#[tokio::test]
async fn another_service_gets_the_answer_of_a_check() {
    let location = format!("base64://{}", STANDARD.encode(MODEL));
    let section = json!({ "namespaces": { "location": location }, "write_validation": "strict" });
    on_both(section, |harness| async move {
        insert(&harness, "Doc:plan#owners@User:ada", None).await;
        insert(&harness, "Doc:plan#guests@User:bob", Some("evening")).await;
        let cx = harness.cx();
        let permissions: &dyn PermissionChecks = harness.permissions.as_ref();
        assert!(!permissions.is_remote());
        assert!(permissions.check(&cx, &VIEW).await.unwrap());
        for question in [
            PermissionQuestion { subject: user("eve"), ..VIEW },
            PermissionQuestion { subject: PermissionSubject::Id("ada"), ..VIEW },
            PermissionQuestion { object: "memo", ..VIEW },
        ] {
            assert!(!permissions.check(&cx, &question).await.unwrap(), "{question:?}");
        }
        let bob = PermissionQuestion { subject: user("bob"), ..VIEW };
        for (hour, expected) in [(20, true), (8, false)] {
            let context = json!({ "hour": hour }).as_object().unwrap().clone();
            let question = PermissionQuestion { context: Some(&context), ..bob };
            assert_eq!(permissions.check(&cx, &question).await.unwrap(), expected);
        }
        let large = json!({ "text": "x".repeat(40_000) }).as_object().unwrap().clone();
        let error = permissions.check(&cx, &bob).await.unwrap_err();
        assert!(matches!(error, PermissionCheckError::Undecided(_)), "{error}");
        let long = "x".repeat(2_000);
        for (question, part) in [
            (PermissionQuestion { object: &long, ..VIEW }, QuestionPart::Object),
            (PermissionQuestion { object: "a\0b", ..VIEW }, QuestionPart::Object),
            (PermissionQuestion { subject: user(&long), ..VIEW }, QuestionPart::Subject),
            (PermissionQuestion { context: Some(&large), ..VIEW }, QuestionPart::Context),
        ] {
            let error = permissions.check(&cx, &question).await.unwrap_err();
            assert!(
                matches!(error, PermissionCheckError::Invalid { part: found, .. } if found == part),
                "{question:?}: {error:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_name_that_the_model_does_not_declare_is_reported() {
    let location = format!("base64://{}", STANDARD.encode(MODEL));
    on_both(json!({ "namespaces": { "location": location } }), |harness| async move {
        let permissions: &dyn PermissionChecks = harness.permissions.as_ref();
        let error = async |question| permissions.check(&harness.cx(), &question).await.unwrap_err();
        let relation = |namespace: &str| Undeclared::Relation { namespace: namespace.into(), relation: "wiew".into() };
        let dok = Undeclared::Namespace("Dok".into());
        let found = error(PermissionQuestion { namespace: "Dok", ..VIEW }).await;
        assert!(matches!(found, PermissionCheckError::Undeclared(name) if name == dok));
        let found = error(PermissionQuestion { relation: "wiew", ..VIEW }).await;
        assert!(matches!(found, PermissionCheckError::Undeclared(name) if name == relation("Doc")));
        let set = |namespace, relation| PermissionSubject::Set { namespace, object: "a", relation };
        let found = error(PermissionQuestion { subject: set("Dok", ""), ..VIEW }).await;
        assert!(matches!(found, PermissionCheckError::UndeclaredSubject(name) if name == dok));
        let found = error(PermissionQuestion { subject: set("Doc", "wiew"), ..VIEW }).await;
        assert!(matches!(found, PermissionCheckError::UndeclaredSubject(name) if name == relation("Doc")));
        assert_eq!(permissions.undeclared("Doc", None), None);
        // A namespace without declarations accepts every relation.
        assert_eq!(permissions.undeclared("User", Some("wiew")), None);
    })
    .await;
}

#[tokio::test]
async fn without_a_model_nothing_is_denied() {
    let section = json!({ "namespaces": [{ "name": "Doc" }] });
    on_both(section, |harness| async move {
        let unloaded = service(&harness.database, json!({}), "https://read.example/", &harness.clock()).unwrap();
        let error = PermissionChecks::check(unloaded.as_ref(), &harness.cx(), &VIEW).await.unwrap_err();
        assert!(matches!(error, PermissionCheckError::Unavailable(_)), "{error}");
    })
    .await;
}
