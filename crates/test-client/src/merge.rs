//! Configurations of tests: what a test changes, over what all tests share.

use serde_json::Value;

/// Merges `over` into `under`: objects are merged, everything else is replaced.
pub fn merge(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                merge(under.entry(key).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}
