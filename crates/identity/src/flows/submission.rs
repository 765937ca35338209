//! Submissions to flows, from JSON and from forms.

use serde_json::{Map, Value};
use web::config::parse_go_bool;

use crate::domain::form::{self, FieldRules, FormError};

/// The body of a submission before its fields are typed by the identity schema.
#[derive(Clone, Debug)]
pub enum RawSubmission {
    Json(Map<String, Value>),
    Form(Vec<(String, String)>),
    Empty,
    /// A body that cannot be parsed, and the reason.
    Unreadable(String),
}

impl RawSubmission {
    pub fn decode(self, rules: &FieldRules) -> Result<Submission, FormError> {
        match self {
            Self::Json(members) => unfold(members, rules).map(Submission),
            Self::Form(fields) => form::decode(&fields, rules).map(Submission),
            Self::Empty => Ok(Submission(Map::new())),
            Self::Unreadable(reason) => Err(FormError::Unreadable(reason)),
        }
    }

    /// As `decode`, for flows without traits; query parameters apply where the body has none.
    pub fn decode_with_query<'a>(
        self,
        query: impl Iterator<Item = (std::borrow::Cow<'a, str>, std::borrow::Cow<'a, str>)>,
    ) -> Result<Submission, FormError> {
        let mut submission = self.decode(&FieldRules::new())?;
        for (key, value) in query {
            submission.0.entry(key.into_owned()).or_insert_with(|| Value::String(value.into_owned()));
        }
        Ok(submission)
    }
}

/// Unfolds members that are named like form fields, such as `traits.email`. A member that is already nested takes
/// precedence.
fn unfold(mut members: Map<String, Value>, rules: &FieldRules) -> Result<Map<String, Value>, FormError> {
    let names: Vec<String> = members.keys().filter(|name| name.contains('.')).cloned().collect();
    let mut fields = Vec::new();
    for name in names {
        match members.remove(&name) {
            None | Some(Value::Null) => {}
            Some(Value::Array(items)) => fields.extend(items.into_iter().map(|item| (name.clone(), text_of(item)))),
            Some(value) => fields.push((name, text_of(value))),
        }
    }
    if !fields.is_empty() {
        add_missing(&mut members, form::decode(&fields, rules)?);
    }
    Ok(members)
}

fn text_of(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn add_missing(members: &mut Map<String, Value>, more: Map<String, Value>) {
    for (name, value) in more {
        match (members.get_mut(&name), value) {
            (None, value) => drop(members.insert(name, value)),
            (Some(Value::Object(there)), Value::Object(value)) => add_missing(there, value),
            (Some(_), _) => {}
        }
    }
}

/// The members of a submission.
#[derive(Clone, Debug, Default)]
pub struct Submission(pub Map<String, Value>);

impl Submission {
    /// A non-empty string member.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// Whether a member is true, as a boolean or as a string.
    pub fn flag(&self, name: &str) -> bool {
        match self.0.get(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => parse_go_bool(text) == Some(true),
            _ => false,
        }
    }

    pub fn method(&self) -> Option<&str> {
        self.text("method")
    }

    /// The submitted traits, which may be a string of JSON; an empty object by default.
    pub fn traits(&self) -> Value {
        let traits = self.0.get("traits").cloned().unwrap_or_else(|| Value::Object(Map::new()));
        let parsed = traits.as_str().and_then(|text| serde_json::from_str(text).ok());
        parsed.filter(|it: &Value| it.is_object() && !base::is_nested_too_deep(it)).unwrap_or(traits)
    }

    /// Data for the message templates of this request: an object, which a form sends as a string of JSON. It is stored
    /// inside other JSON, so its depth is limited: at the maximum depth of the parser it would make the flow and the
    /// message unreadable.
    pub fn transient_payload(&self) -> Option<Value> {
        let payload = match self.0.get("transient_payload")? {
            Value::String(text) => serde_json::from_str(text).ok()?,
            payload => payload.clone(),
        };
        Some(payload).filter(|payload| payload.is_object() && !base::is_nested_too_deep(payload))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_members_with_form_names_are_unfolded() {
        use crate::domain::form::{FieldKind, FieldRule, ItemKind};
        let rule = |kind| FieldRule { kind, required: false };
        let rules = FieldRules::from_iter([
            ("traits.age".to_owned(), rule(FieldKind::Integer)),
            ("traits.tags".to_owned(), rule(FieldKind::List(ItemKind::Text))),
        ]);
        let decoded = |body: Value| {
            let Value::Object(members) = body else { panic!("an object") };
            RawSubmission::Json(members).decode(&rules).map(|submission| Value::Object(submission.0))
        };
        let flat = json!({
            "method": "password", "traits.email": "a@example.org", "traits.age": 7, "traits.tags": ["x", "y"],
            "traits.name.first": "Ada", "traits.name.last": null, "traits": {"name": {"first": "Grace"}},
        });
        let unfolded = json!({
            "method": "password",
            "traits": {"email": "a@example.org", "age": 7, "tags": ["x", "y"], "name": {"first": "Grace"}},
        });
        assert_eq!(decoded(flat), Ok(unfolded.clone()));
        assert_eq!(decoded(unfolded.clone()), Ok(unfolded));
        let contradiction = decoded(json!({"traits.a": 1, "traits.a.b": 2}));
        assert!(matches!(contradiction, Err(FormError::Contradiction(_))), "{contradiction:?}");
    }

    #[test]
    fn traits_may_be_a_json_string() {
        let traits = |value: Value| Submission(Map::from_iter([("traits".to_owned(), value)])).traits();
        assert_eq!(traits(json!(r#"{"email": "a@example.org"}"#)), json!({"email": "a@example.org"}));
        assert_eq!(traits(json!("[1]")), json!("[1]"), "the schema rejects it");
        assert_eq!(traits(json!({"a": 1})), json!({"a": 1}));
    }

    #[test]
    fn a_transient_payload_is_an_object_or_a_string_of_one() {
        let payload =
            |value: Value| Submission(Map::from_iter([("transient_payload".to_owned(), value)])).transient_payload();
        assert_eq!(payload(json!({"a": 1})), Some(json!({"a": 1})));
        assert_eq!(payload(json!("{\"a\": 1}")), Some(json!({"a": 1})));
        let nested = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
        assert!(payload(json!(nested(base::MAX_NESTING))).is_some());
        let too_deep = [json!(nested(base::MAX_NESTING + 1)), json!(nested(126)), json!(format!(" {}", nested(127)))];
        let nothing = [json!("[1]"), json!("{"), json!(""), json!(1), json!(null)];
        for nothing in nothing.into_iter().chain(too_deep) {
            assert_eq!(payload(nothing), None);
        }
    }
}
