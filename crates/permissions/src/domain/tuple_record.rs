//! A relation tuple as JSON in events and in parameters of statements.

use base::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::relation_tuple::{StoredTuple, TupleCondition};
use super::tuple_key::TupleKey;

/// The six texts of a [`TupleKey`], the name of the condition, its context, and the expiry in microseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TupleRecord(
    pub String,
    pub String,
    pub String,
    pub String,
    pub String,
    pub String,
    pub String,
    pub Option<String>,
    pub Option<i64>,
);

impl TupleRecord {
    pub fn text_bytes(&self) -> usize {
        let context = self.7.as_ref().map_or(0, String::len);
        [&self.0, &self.1, &self.2, &self.3, &self.4, &self.5, &self.6].into_iter().map(String::len).sum::<usize>()
            + context
    }
}

impl From<&StoredTuple> for TupleRecord {
    fn from(stored: &StoredTuple) -> Self {
        let TupleKey(namespace, object, relation, subject_namespace, subject_object, subject_relation) =
            TupleKey::from(&stored.tuple);
        let condition = stored.condition.as_ref();
        Self(
            namespace,
            object,
            relation,
            subject_namespace,
            subject_object,
            subject_relation,
            condition.map(|it| it.name.clone()).unwrap_or_default(),
            condition.and_then(|it| it.context.clone()),
            stored.expires_at.map(Timestamp::unix_micros),
        )
    }
}

/// The context of a condition is not a JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the context of a condition is not a JSON object")]
pub struct InvalidContext;

impl TryFrom<TupleRecord> for StoredTuple {
    type Error = InvalidContext;

    fn try_from(record: TupleRecord) -> Result<Self, InvalidContext> {
        let TupleRecord(
            namespace,
            object,
            relation,
            subject_namespace,
            subject_object,
            subject_relation,
            condition,
            context,
            expires_at,
        ) = record;
        let key = TupleKey(namespace, object, relation, subject_namespace, subject_object, subject_relation);
        let is_object = |text: &String| serde_json::from_str::<Map<String, Value>>(text).is_ok();
        if !context.as_ref().is_none_or(is_object) {
            return Err(InvalidContext);
        }
        let condition = (!condition.is_empty()).then_some(TupleCondition { name: condition, context });
        Ok(Self { tuple: key.into(), condition, expires_at: expires_at.map(Timestamp::from_unix_micros) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::relation_tuple::{RelationTuple, Subject, SubjectSet};

    fn tuple(subject: Subject) -> RelationTuple {
        RelationTuple { namespace: "Doc".into(), object: "a".into(), relation: "viewer".into(), subject }
    }

    #[test]
    fn a_record_is_the_same_tuple() {
        let set = SubjectSet { namespace: "Group".into(), object: "b".into(), relation: "member".into() };
        let conditional = StoredTuple {
            tuple: tuple(Subject::Set(set)),
            condition: Some(TupleCondition { name: "hours".into(), context: Some("{\"from\":9}".into()) }),
            expires_at: Some(Timestamp::from_unix_seconds(1)),
        };
        let plain = StoredTuple::from(tuple(Subject::Id("ada".into())));
        let written = [&conditional, &plain].map(|it| serde_json::to_value(TupleRecord::from(it)).unwrap());
        assert_eq!(
            written[0],
            json!(["Doc", "a", "viewer", "Group", "b", "member", "hours", "{\"from\":9}", 1_000_000])
        );
        assert_eq!(written[1], json!(["Doc", "a", "viewer", "", "ada", "", "", null, null]));
        let read = written.map(|it| StoredTuple::try_from(serde_json::from_value::<TupleRecord>(it).unwrap()));
        assert_eq!(read, [Ok(conditional), Ok(plain)]);
    }

    #[test]
    fn a_context_that_is_no_object_is_an_error() {
        let stored = StoredTuple::from(tuple(Subject::Id("ada".into())));
        let mut record = TupleRecord::from(&stored);
        record.7 = Some("[]".into());
        assert_eq!(StoredTuple::try_from(record), Err(InvalidContext));
    }
}
