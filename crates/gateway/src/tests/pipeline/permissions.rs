//! The authorizer `permission`: what it asks, and what each answer means.

use super::*;
use crate::domain::failure::Fault;

/// A rule for a person `alice` under `permission` with these settings.
fn rule(settings: Value) -> Value {
    let mut config = json!({"namespace": "Doc", "object": "plan", "relation": "read"});
    config.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    json!({
        "authenticators": [{"handler": "anonymous", "config": {"subject": "alice"}}],
        "authorizer": {"handler": "permission", "config": config},
    })
}

async fn status(settings: Value) -> Option<StatusCode> {
    let answer = run(rule(settings), &Request::get("http://h/docs/plan?by=alice"), &fixtures::services()).await;
    answer.err().map(|failure| failure.status)
}

/// The document's author is in the context.
fn edit(author: &str, more: Value) -> Value {
    let mut settings = json!({"relation": "edit", "context": format!("{{\"author\": \"{author}\"}}")});
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    settings
}

#[tokio::test]
async fn the_answer_allows_or_denies() {
    assert_eq!(status(json!({})).await, None);
    assert_eq!(status(json!({"namespace": "Folder"})).await, Some(StatusCode::FORBIDDEN));
    assert_eq!(status(edit("alice", json!({}))).await, None);
    assert_eq!(status(edit("bob", json!({}))).await, Some(StatusCode::FORBIDDEN));
}

#[tokio::test]
async fn every_part_of_the_question_is_a_template() {
    let method = json!({"namespace": "{{ if eq .MatchContext.Method \"GET\" }}Doc{{ else }}None{{ end }}"});
    assert_eq!(status(method).await, None);
    let object = json!({"object": "{{ if eq .MatchContext.Method \"GET\" }}outage{{ end }}"});
    assert_eq!(status(object).await, Some(StatusCode::SERVICE_UNAVAILABLE));
    let relation = json!({"relation": "{{ if eq .MatchContext.Method \"GET\" }}read{{ else }}edit{{ end }}"});
    assert_eq!(status(relation).await, None);
    let author = edit("{{ print .Subject }}", json!({"subject": "{{ print .Subject }}"}));
    assert_eq!(status(author).await, None);
    assert_eq!(status(edit("alice", json!({"subject": "bob"}))).await, Some(StatusCode::FORBIDDEN));
    let kind = |text: &str| format!("{{{{ if eq .MatchContext.Method \"GET\" }}}}{text}{{{{ end }}}}");
    assert_eq!(status(edit("alice", json!({"subject_namespace": kind("User")}))).await, None);
    let members = json!({"subject": "staff", "subject_namespace": kind("Group"), "subject_relation": kind("members")});
    assert_eq!(status(edit("alice", members)).await, None);
}

#[tokio::test]
async fn a_subject_is_an_id_an_object_or_a_subject_set() {
    assert_eq!(status(edit("alice", json!({"subject_namespace": "User"}))).await, None);
    assert_eq!(status(edit("bob", json!({"subject_namespace": "User"}))).await, Some(StatusCode::FORBIDDEN));
    let members = json!({"subject": "staff", "subject_namespace": "Group", "subject_relation": "members"});
    assert_eq!(status(edit("alice", members)).await, None);
    // A subject with the separators of the text form stays one id.
    assert_eq!(status(edit("alice", json!({"subject": "Group:staff#members"}))).await, Some(StatusCode::FORBIDDEN));
}

#[tokio::test]
async fn a_question_without_an_answer_neither_allows_nor_denies() {
    assert_eq!(status(json!({"relation": "limited"})).await, Some(StatusCode::INTERNAL_SERVER_ERROR));
    assert_eq!(status(json!({"object": "outage"})).await, Some(StatusCode::SERVICE_UNAVAILABLE));
    for setting in ["namespace", "object", "relation"] {
        let empty = json!({setting: "{{ print .Extra.none }}"});
        assert_eq!(status(empty).await, Some(StatusCode::BAD_REQUEST), "{setting}");
    }
    // Without its namespace or its relation the subject would be another one.
    for (namespace, relation) in [("{{ print .Extra.none }}", "members"), ("Group", "{{ print .Extra.none }}")] {
        let subject = json!({"subject": "staff", "subject_namespace": namespace, "subject_relation": relation});
        assert_eq!(status(edit("alice", subject)).await, Some(StatusCode::BAD_REQUEST), "{namespace}");
    }
    assert_eq!(status(json!({"subject": "{{ print .Extra.none }}"})).await, Some(StatusCode::FORBIDDEN));
    for context in ["[]", "{"] {
        assert_eq!(status(json!({"context": context})).await, Some(StatusCode::INTERNAL_SERVER_ERROR), "{context}");
    }
    assert_eq!(status(json!({"context": "{{ print .Extra.none }}"})).await, Some(StatusCode::BAD_REQUEST));
}

#[tokio::test]
async fn a_wrong_value_that_a_template_takes_from_the_request_is_the_fault_of_the_request() {
    let answer = async |settings: Value, value: &str| {
        let request = Request::get(&format!("http://h/?value={value}"));
        run(rule(settings), &request, &fixtures::services()).await.map(|_| ()).map_err(|it| (it.status, it.fault))
    };
    let taken = "{{ .MatchContext.URL.Query.Get \"value\" }}";
    let long = "x".repeat(1025);
    let (malformed, denied) = ((StatusCode::BAD_REQUEST, Fault::Client), (StatusCode::FORBIDDEN, Fault::Client));
    assert_eq!(answer(json!({"object": taken}), "plan").await, Ok(()));
    assert_eq!(answer(json!({"object": taken}), &long).await, Err(malformed));
    assert_eq!(answer(json!({"object": taken}), "").await, Err(malformed));
    // Nobody has a permission of a name that does not exist; so Keto answers for a namespace.
    assert_eq!(answer(json!({"namespace": taken}), "Dok").await, Err(denied));
    assert_eq!(answer(json!({"relation": taken}), "raed").await, Err(denied));
    assert_eq!(answer(json!({"namespace": taken, "relation": "edit"}), "Folder").await, Err(denied));
    assert_eq!(answer(edit("alice", json!({"subject_namespace": taken})), "Robot").await, Err(denied));
    let members = json!({"subject": "staff", "subject_namespace": "Group", "subject_relation": taken});
    assert_eq!(answer(edit("alice", members), "member").await, Err(denied));
    // What the rule itself says is its own fault, whatever the request is.
    let ours = (StatusCode::INTERNAL_SERVER_ERROR, Fault::Ours);
    assert_eq!(answer(json!({"object": long, "subject": taken}), "bob").await, Err(ours));
    assert_eq!(answer(json!({"namespace": "Dok", "relation": taken}), "read").await, Err(ours));
    assert_eq!(answer(json!({"relation": "raed", "object": taken}), "plan").await, Err(ours));
}

#[tokio::test]
async fn a_name_that_the_model_does_not_have_is_an_error_of_the_rule() {
    let members =
        |relation: &str| json!({"subject": "staff", "subject_namespace": "Group", "subject_relation": relation});
    let printed = |text: &str| format!("{{{{ if .Subject }}}}{text}{{{{ end }}}}");
    for (settings, setting, value) in [
        (json!({"namespace": "Dok"}), "namespace", "Dok"),
        (json!({"relation": "raed"}), "relation", "raed"),
        (json!({"subject_namespace": "Robot"}), "subject_namespace", "Robot"),
        (members("member"), "subject_relation", "member"),
    ] {
        let services = fixtures::services();
        let request = Request::get("http://h/docs/plan?by=alice");
        let failure = run(rule(settings.clone()), &request, &services).await.unwrap_err();
        assert_eq!(failure.status, StatusCode::INTERNAL_SERVER_ERROR, "{settings}");
        let reason = failure.reason.unwrap();
        assert!(reason.contains(&format!("`{setting}`")) && reason.contains(&format!("\"{value}\"")), "{reason}");
        let mistakes = |settings: Value| {
            let rule = fixtures::rule(rule(settings));
            Pipeline::compile(&rule, &fixtures::config(), &services).unwrap().mistakes()
        };
        assert_eq!(mistakes(settings), [reason]);
        // What a template will print is not known when the rule is loaded.
        let mut dynamic = json!({"relation": printed("raed"), "subject_namespace": printed("Robot")});
        dynamic["namespace"] = printed("Dok").into();
        assert_eq!(mistakes(dynamic), [""; 0]);
        assert_eq!(mistakes(json!({})), [""; 0]);
    }
}

#[tokio::test]
async fn a_value_cannot_change_the_attributes_around_it() {
    let query = "{\"author\": \"{{ .MatchContext.URL.Query.Get \"by\" }}\"}";
    let ask = async |by: &str| {
        let settings = json!({"relation": "edit", "context": query});
        run(rule(settings), &Request::get(&format!("http://h/?by={by}")), &fixtures::services()).await.is_ok()
    };
    assert!(ask("alice").await);
    assert!(!ask("x%22,%22author%22:%22alice").await);
}

#[test]
fn a_rule_with_wrong_settings_is_invalid() {
    let error = |settings: Value| invalid(rule(settings));
    for setting in ["namespace", "object", "relation", "subject"] {
        let message = error(json!({setting: ""}));
        assert!(message.ends_with(&format!("requires the setting `{setting}`")), "{message}");
    }
    assert!(error(json!({"object": "{{ .Subject"})).contains("has a template for `object`"));
    assert!(error(json!({"context": "{{ nope }}"})).contains("has a `context`"));
    assert!(error(json!({"subject_relation": "members"})).contains("requires the setting `subject_namespace`"));
    assert!(error(json!({"permission": "read"})).contains("unknown field `permission`"));
    let mut services = fixtures::services();
    services.in_process.permissions = Link::unset();
    let error = Pipeline::compile(&fixtures::rule(rule(json!({}))), &fixtures::config(), &services).unwrap_err();
    assert!(error.to_string().contains("needs the permission service"), "{error}");
}
