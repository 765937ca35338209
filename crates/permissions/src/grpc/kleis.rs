//! Our services over relation tuples: with conditions and expiry.

use std::sync::Arc;

use base::Timestamp;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value as ValueMessage};
use serde_json::{Map, Number, Value};
use web::rpc::Status;

use super::errors::transact_error;
use super::lists::{Wanted, page};
use super::messages::kleis_v1 as kleis;
use super::protocol::{Call, Procedure, Services, Unknown};
use super::wire;
use crate::Permissions;
use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::relation_tuple::{StoredTuple, TupleCondition};
use crate::domain::tuple_changes::TupleChange;

type Of = Services<Arc<Permissions>>;

const MICROSECONDS: i64 = 1_000_000;
/// Whole numbers below this are exact as floating-point numbers.
const EXACT: f64 = 9_007_199_254_740_992.0;

pub(super) fn read(services: Of) -> Of {
    services.unary(Procedure::at("/kleis.permissions.v1.RelationTupleReadService/ListRelationTuples"), list)
}

pub(super) fn write(services: Of) -> Of {
    let path = "/kleis.permissions.v1.RelationTupleWriteService/TransactRelationTuples";
    services.unary(Procedure::list(path).with_unknown_fields(Unknown::Refused), transact)
}

async fn list(
    permissions: Arc<Permissions>,
    call: Call,
    request: kleis::ListRelationTuplesRequest,
) -> Result<kleis::ListRelationTuplesResponse, Status> {
    let kleis::ListRelationTuplesRequest { query, snaptoken, page_size, page_token } = request;
    let query = wire::query(query.unwrap_or_default()).map_err(|invalid| invalid.within("query"))?;
    let wanted = Wanted { query, snaptoken, page_size, page_token };
    let (tuples, next_page_token) = page(&permissions, &call.cx, wanted).await?;
    Ok(kleis::ListRelationTuplesResponse {
        relation_tuples: tuples.into_iter().map(message).collect(),
        next_page_token,
    })
}

async fn transact(
    permissions: Arc<Permissions>,
    call: Call,
    request: kleis::TransactRelationTuplesRequest,
) -> Result<kleis::TransactRelationTuplesResponse, Status> {
    let kleis::TransactRelationTuplesRequest { inserts, deletes } = request;
    let insertions = inserts.len();
    let place = |index: usize, field: &str| match index.checked_sub(insertions) {
        Some(index) => format!("deletes[{index}]"),
        None if field == "expires_at" || field.starts_with("condition.") => format!("inserts[{index}]"),
        None => format!("inserts[{index}].tuple"),
    };
    let inserts = inserts.into_iter().enumerate().map(|(index, message)| {
        stored(message).map(TupleChange::Insert).map_err(|invalid| invalid.within(&format!("inserts[{index}]")))
    });
    let deletes = deletes.into_iter().enumerate().map(|(index, message)| {
        wire::tuple(Some(message)).map(TupleChange::Delete).map_err(|it| it.at(&format!("deletes[{index}]")))
    });
    let changes = inserts.chain(deletes).collect::<Result<Vec<_>, InvalidTuple>>()?;
    let changed = permissions.transact_relation_tuples(&call.cx, &changes).await;
    let (_, snaptoken) = changed.map_err(|error| transact_error(error, place))?;
    Ok(kleis::TransactRelationTuplesResponse { snaptoken })
}

fn stored(message: kleis::StoredRelationTuple) -> Result<StoredTuple, InvalidTuple> {
    let kleis::StoredRelationTuple { tuple, condition, expires_at } = message;
    Ok(StoredTuple {
        tuple: wire::tuple(tuple).map_err(|it| it.at("tuple"))?,
        condition: condition.map(self::condition).transpose()?,
        expires_at: expires_at.map(|time| timestamp(&time)).transpose()?,
    })
}

fn condition(message: kleis::Condition) -> Result<TupleCondition, InvalidTuple> {
    let kleis::Condition { name, context } = message;
    if name.is_empty() {
        return Err(InvalidTuple::field("condition.name", "is required"));
    }
    let invalid = || {
        let problem = "must have finite numbers, a kind for each value, and no text with the character U+0000";
        InvalidTuple::field("condition.context", problem)
    };
    let context = object(context.unwrap_or_default()).ok_or_else(invalid)?;
    let context = (!context.is_empty()).then(|| Value::Object(context).to_string());
    Ok(TupleCondition { name, context })
}

fn timestamp(message: &prost_types::Timestamp) -> Result<Timestamp, InvalidTuple> {
    let invalid = || InvalidTuple::field("expires_at", "must be a time from the year 1 to the year 9999");
    let nanoseconds = u32::try_from(message.nanos).ok().filter(|it| *it < 1_000_000_000).ok_or_else(invalid)?;
    let micros = message.seconds.checked_mul(MICROSECONDS).ok_or_else(invalid)?;
    let micros = micros.checked_add(i64::from(nanoseconds / 1000)).ok_or_else(invalid)?;
    let time = Timestamp::from_unix_micros(micros);
    if time.unix_micros() == micros { Ok(time) } else { Err(invalid()) }
}

/// Messages nest a bounded number of levels, by their decoder.
pub(super) fn object(message: Struct) -> Option<Map<String, Value>> {
    message.fields.into_iter().map(|(name, value)| Some((text(name)?, json(value)?))).collect()
}

fn json(message: ValueMessage) -> Option<Value> {
    Some(match message.kind? {
        Kind::NullValue(_) => Value::Null,
        Kind::BoolValue(value) => Value::Bool(value),
        Kind::StringValue(text) => Value::String(self::text(text)?),
        Kind::NumberValue(number) => Value::Number(self::number(number)?),
        Kind::ListValue(list) => Value::Array(list.values.into_iter().map(json).collect::<Option<_>>()?),
        Kind::StructValue(fields) => Value::Object(object(fields)?),
    })
}

fn text(text: String) -> Option<String> {
    (!base::holds_nul(&text)).then_some(text)
}

/// The messages have only floating-point numbers.
fn number(number: f64) -> Option<Number> {
    if number.fract() == 0.0 && number.abs() < EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number in the range of the type")]
        return Some(Number::from(number as i64));
    }
    Number::from_f64(number)
}

pub(super) fn message(stored: StoredTuple) -> kleis::StoredRelationTuple {
    let StoredTuple { tuple, condition, expires_at } = stored;
    let condition = condition.map(|TupleCondition { name, context }| {
        let context = context.and_then(|text| serde_json::from_str(&text).ok()).map(fields);
        kleis::Condition { name, context }
    });
    let expires_at = expires_at.map(time_message);
    kleis::StoredRelationTuple { tuple: Some(wire::tuple_message(tuple)), condition, expires_at }
}

pub(super) fn time_message(time: Timestamp) -> prost_types::Timestamp {
    let micros = time.unix_micros();
    let nanos = i32::try_from(micros.rem_euclid(MICROSECONDS) * 1000).unwrap_or(0);
    prost_types::Timestamp { seconds: micros.div_euclid(MICROSECONDS), nanos }
}

fn fields(object: Map<String, Value>) -> Struct {
    Struct { fields: object.into_iter().map(|(name, value)| (name, value_message(value))).collect() }
}

fn value_message(value: Value) -> ValueMessage {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(value) => Kind::BoolValue(value),
        Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => Kind::StringValue(text),
        Value::Array(items) => Kind::ListValue(ListValue { values: items.into_iter().map(value_message).collect() }),
        Value::Object(object) => Kind::StructValue(fields(object)),
    };
    ValueMessage { kind: Some(kind) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_context_is_the_same_after_a_round_trip() {
        let context = json!({"a": [1, -2.5, true, null, "x"], "b": {"c": {}}, "d": 9_007_199_254_740_991_i64});
        let context = context.as_object().unwrap().clone();
        assert_eq!(object(fields(context.clone())), Some(context));
    }

    #[test]
    fn numbers_and_values_that_json_lacks_are_refused() {
        let context = |kind: Option<Kind>| {
            let fields = [("a".to_owned(), ValueMessage { kind })].into();
            let condition = kleis::Condition { name: "c".into(), context: Some(Struct { fields }) };
            condition_error(condition)
        };
        for kind in [
            None,
            Some(Kind::NumberValue(f64::NAN)),
            Some(Kind::NumberValue(f64::INFINITY)),
            Some(Kind::StringValue("\0".into())),
        ] {
            assert!(context(kind).unwrap().starts_with("condition.context: "));
        }
        assert_eq!(context(Some(Kind::NumberValue(1e300))), None);
        assert!(condition_error(kleis::Condition::default()).unwrap().starts_with("condition.name: "));
    }

    fn condition_error(message: kleis::Condition) -> Option<String> {
        condition(message).err().map(|invalid| invalid.to_string())
    }

    #[test]
    fn an_expiry_has_microseconds_and_bounds() {
        let time = |seconds, nanos| timestamp(&prost_types::Timestamp { seconds, nanos }).map(Timestamp::unix_micros);
        assert_eq!(time(2, 1_999), Ok(2_000_001));
        assert_eq!(time(-1, 999_999_999), Ok(-1));
        for (seconds, nanos) in [(0, -1), (0, 1_000_000_000), (i64::MAX, 0), (i64::MIN, 0), (253_402_300_800, 0)] {
            assert!(time(seconds, nanos).is_err(), "{seconds} {nanos}");
        }
    }
}
