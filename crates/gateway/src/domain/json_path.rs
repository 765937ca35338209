//! The paths of `subject_from` and `extra_from`: names and indexes separated by dots, `\` to escape a character, `@this`
//! for the whole value, `#` for the length of a list or, inside a path, for each of its elements.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

/// Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JsonPath {
    steps: Arc<[Step]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Each,
}

/// The path uses a query, a modifier or a wildcard, which are not supported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the path `{0}` uses more than names, positions, `#` and `@this`")]
pub(crate) struct JsonPathError(String);

impl JsonPath {
    pub(crate) fn parse(text: &str) -> Result<Self, JsonPathError> {
        if text == "@this" {
            return Ok(Self::whole());
        }
        let text = text.strip_prefix("@this.").unwrap_or(text);
        let mut steps = Vec::new();
        let mut name = String::new();
        let mut escaped = false;
        for character in text.chars() {
            match character {
                _ if std::mem::take(&mut escaped) => name.push(character),
                '\\' => escaped = true,
                '.' => steps.push(step(std::mem::take(&mut name))),
                '*' | '?' | '|' | '@' | '!' | '{' | '(' | '[' => return Err(JsonPathError(text.to_owned())),
                '#' if !name.is_empty() => return Err(JsonPathError(text.to_owned())),
                _ => name.push(character),
            }
        }
        steps.push(step(name));
        Ok(Self { steps: steps.into() })
    }

    /// `@this`
    pub(crate) fn whole() -> Self {
        Self { steps: Arc::from([]) }
    }

    /// The value at the path: a part of the input, or, with `#`, a new value.
    pub(crate) fn find<'a>(&self, value: &'a Value) -> Option<Cow<'a, Value>> {
        find(&self.steps, value)
    }
}

fn step(name: String) -> Step {
    if name == "#" { Step::Each } else { Step::Name(name) }
}

fn find<'a>(steps: &[Step], value: &'a Value) -> Option<Cow<'a, Value>> {
    let Some((first, rest)) = steps.split_first() else {
        return Some(Cow::Borrowed(value));
    };
    match (first, value) {
        (Step::Name(name), Value::Object(members)) => find(rest, members.get(name)?),
        (Step::Name(name), Value::Array(items)) => find(rest, items.get(name.parse::<usize>().ok()?)?),
        (Step::Each, Value::Array(items)) if rest.is_empty() => Some(Cow::Owned(items.len().into())),
        (Step::Each, Value::Array(items)) => {
            Some(Cow::Owned(items.iter().filter_map(|item| find(rest, item)).map(Cow::into_owned).collect()))
        }
        (Step::Name(_) | Step::Each, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_lead_to_values() {
        let value = json!({"identity": {"id": "u", "tags": [{"n": 1}, {"n": 2}]}, "a.b": true});
        let find = |path: &str| JsonPath::parse(path).unwrap().find(&value).map(Cow::into_owned);
        assert_eq!(find("identity.id"), Some(json!("u")));
        assert_eq!(find("identity.tags.1.n"), Some(json!(2)));
        assert_eq!(find("identity.tags.#"), Some(json!(2)));
        assert_eq!(find("identity.tags.#.n"), Some(json!([1, 2])));
        assert_eq!(find("a\\.b"), Some(json!(true)));
        assert_eq!(find("@this"), Some(value.clone()));
        assert_eq!(find("@this.identity.id"), Some(json!("u")));
        assert_eq!(find("identity.none"), None);
        assert_eq!(find("identity.id.x"), None);
    }

    #[test]
    fn queries_and_modifiers_are_rejected() {
        for path in ["a.#(b==1)", "a|@reverse", "a*", "@keys"] {
            assert!(JsonPath::parse(path).is_err(), "{path}");
        }
    }
}
