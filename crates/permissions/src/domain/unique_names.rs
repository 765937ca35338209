//! JSON whose objects have members of different names.
//!
//! A name that occurs twice has one meaning for the client, for a proxy or for a log, and may have another here, so it is refused
//! (RFC 7493 section 2.3). Every JSON text of a client is checked before it is decoded: decoders keep one of the two members.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_path_to_error::Track;

/// Why a text is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct NotUnique {
    /// The object with the two members, for instance `relation_tuple.condition`; `.` is the whole text.
    pub path: String,
    pub problem: String,
}

/// What the names in a value mean.
pub trait Naming: Clone {
    /// The one spelling of a name in the object, and the naming of its member. A list has the naming of its elements.
    fn member<'n>(&self, name: &'n str) -> (Cow<'n, str>, Self);
}

/// Each name has one spelling.
impl Naming for () {
    fn member<'n>(&self, name: &'n str) -> (Cow<'n, str>, Self) {
        (name.into(), ())
    }
}

/// Whether `json` is JSON, and no object in it has two members of one name. Its depth must be bounded already.
pub fn check_names(json: &[u8], naming: impl Naming) -> Result<(), NotUnique> {
    let refused = |path: String, error: &serde_json::Error| NotUnique { path, problem: error.to_string() };
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let mut track = Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut deserializer, &mut track);
    Check(naming).deserialize(tracked).map_err(|error| refused(track.path().to_string(), &error))?;
    deserializer.end().map_err(|error| refused(".".to_owned(), &error))
}

/// Checks a value without keeping it.
#[derive(Clone)]
struct Check<N>(N);

impl<'de, N: Naming> DeserializeSeed<'de> for Check<N> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, N: Naming> Visitor<'de> for Check<N> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(self.clone())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = object.next_key::<String>()? {
            let (spelling, member) = self.0.member(&name);
            if !names.insert(spelling.into_owned()) {
                let shown = &name[..name.floor_char_boundary(64)];
                return Err(A::Error::custom(format!("the object has two members of the name {shown:?}")));
            }
            object.next_value_seed(Check(member))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(json: &str) -> Option<String> {
        check_names(json.as_bytes(), ()).err().map(|error| error.to_string())
    }

    #[test]
    fn a_name_that_occurs_twice_is_refused_at_every_level() {
        let long = "x".repeat(1000);
        for (json, path, name) in [
            (r#"{"a":1,"a":1}"#, ".", "a"),
            (r#"{"a":[{"b":1},{"b":{"c":1,"d":2,"c":3}}]}"#, "a[1].b", "c"),
            // The same name, written in two ways.
            (r#"{"context":{"limit":1,"l\u0069mit":2}}"#, "context", "limit"),
            (format!(r#"{{"{long}":1,"{long}":1}}"#).as_str(), ".", &long[..64]),
        ] {
            let problem = problem(json).unwrap();
            let expected = format!("{path}: the object has two members of the name {name:?} at line 1");
            assert!(problem.starts_with(&expected), "{problem}");
        }
        for different in [r#"{"a":{"a":1},"b":{"a":1}}"#, r#"[{"a":1},{"a":1}]"#, r#"{"a":1,"A":1}"#, "null", "1e3"] {
            assert_eq!(problem(different), None, "{different}");
        }
    }

    /// Otherwise what follows the error would not be checked, and a decoder that skips a member may not see the error.
    #[test]
    fn a_text_that_cannot_be_checked_to_its_end_is_refused() {
        for text in [r#"{"a":1e999,"b":{"c":1,"c":2}}"#, r#"{"a":"\ud800"}"#, "{", "{} {}", ""] {
            assert!(problem(text).is_some(), "{text}");
        }
        assert!(problem(r#"{"a":{"b":1e999}}"#).is_some_and(|it| it.starts_with("a.b: number out of range")));
    }
}
