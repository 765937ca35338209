//! How deep JSON may nest. Documents are put into others (events, answers, patches) and read back by a parser that stops at
//! 128 levels; code that walks a document by recursion must not meet one without a bottom.

use serde_json::Value;

/// The levels of objects and lists that a document from outside may have.
pub const MAX_NESTING: usize = 64;

/// Whether objects and lists lie deeper in each other than [`MAX_NESTING`]. It looks no further than that.
pub fn is_nested_too_deep(value: &Value) -> bool {
    is_deeper(value, MAX_NESTING)
}

fn is_deeper(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels == 0 || items.iter().any(|item| is_deeper(item, levels - 1)),
        Value::Object(members) => levels == 0 || members.values().any(|member| is_deeper(member, levels - 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_counted_to_the_limit() {
        let nested = |depth: usize| (1..depth).fold(Value::Array(Vec::new()), |inner, _| Value::Array(vec![inner]));
        assert!(!is_nested_too_deep(&Value::Null));
        assert!(!is_nested_too_deep(&nested(MAX_NESTING)));
        assert!(is_nested_too_deep(&nested(MAX_NESTING + 1)));
        assert!(is_nested_too_deep(&serde_json::json!({ "a": 1, "b": { "c": nested(MAX_NESTING) } })));
    }
}
