//! What was submitted to a flow, from JSON or a form alike.

use serde_json::{Map, Value};

use crate::domain::form::{self, FieldRules, FormError};

/// The body of a submission before the identity schema is known that its fields follow.
#[derive(Clone, Debug)]
pub enum RawSubmission {
    Json(Map<String, Value>),
    Form(Vec<(String, String)>),
    Empty,
    /// A body in no readable format, and why.
    Unreadable(String),
}

impl RawSubmission {
    pub fn decode(self, rules: &FieldRules) -> Result<Submission, FormError> {
        match self {
            Self::Json(members) => Ok(Submission(members)),
            Self::Form(fields) => form::decode(&fields, rules).map(Submission),
            Self::Empty => Ok(Submission(Map::new())),
            Self::Unreadable(reason) => Err(FormError::Unreadable(reason)),
        }
    }

    /// As `decode`, for flows without traits; parameters of the query count where the body has none.
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

/// The members of a submission.
#[derive(Clone, Debug, Default)]
pub struct Submission(pub Map<String, Value>);

impl Submission {
    /// A text member that is not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    pub fn method(&self) -> Option<&str> {
        self.text("method")
    }

    /// The submitted traits; an empty object when there are none.
    pub fn traits(&self) -> Value {
        self.0.get("traits").cloned().unwrap_or_else(|| Value::Object(Map::new()))
    }

    /// Data for the messages of this one request: an object, which a form sends as JSON text. It is kept inside of other JSON,
    /// so a text that nests as deep as a reader can read would leave a flow and a message that nobody can read.
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
    fn a_transient_payload_is_an_object_or_the_text_of_one() {
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
