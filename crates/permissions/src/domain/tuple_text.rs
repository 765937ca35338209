//! Relation tuples as text: `namespace:object#relation@subject`, where the subject is an id, an object `namespace:object`, or a
//! subject set `namespace:object#relation`.
//!
//! Specification: the string form of Keto. A text is divided at its first `:`, the first `#` after it, and the first `@` after
//! that. All brackets around the subject are removed; a subject with a `:` is a subject set.
//!
//! Invariant: names may contain these characters, which the text cannot express: such a tuple reads back as another one.

use std::fmt;
use std::str::FromStr;

use super::relation_tuple::{RelationTuple, Subject, SubjectSet};

/// The text is no relation tuple.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" lacks a \"{missing}\": write namespace:object#relation@subject")]
pub struct MalformedTuple {
    /// The beginning of the text.
    text: String,
    missing: char,
}

/// The longest part of a text that an error quotes, in bytes.
const QUOTED_BYTES: usize = 200;

impl FromStr for RelationTuple {
    type Err = MalformedTuple;

    fn from_str(text: &str) -> Result<Self, MalformedTuple> {
        let missing =
            |missing| MalformedTuple { text: text[..text.floor_char_boundary(QUOTED_BYTES)].to_owned(), missing };
        let (namespace, rest) = text.split_once(':').ok_or_else(|| missing(':'))?;
        let (object, rest) = rest.split_once('#').ok_or_else(|| missing('#'))?;
        let (relation, subject) = rest.split_once('@').ok_or_else(|| missing('@'))?;
        Ok(Self {
            namespace: namespace.to_owned(),
            object: object.to_owned(),
            relation: relation.to_owned(),
            subject: Subject::from_text(subject),
        })
    }
}

impl Subject {
    /// Every text is a subject.
    pub fn from_text(text: &str) -> Self {
        let text = text.trim_matches(['(', ')']);
        match text.split_once(':') {
            None => Self::Id(text.to_owned()),
            Some((namespace, rest)) => {
                let (object, relation) = rest.split_once('#').unwrap_or((rest, ""));
                Self::Set(SubjectSet {
                    namespace: namespace.to_owned(),
                    object: object.to_owned(),
                    relation: relation.to_owned(),
                })
            }
        }
    }
}

impl fmt::Display for RelationTuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { namespace, object, relation, subject } = self;
        write!(f, "{namespace}:{object}#{relation}@{subject}")
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => f.write_str(id),
            Self::Set(set) => set.fmt(f),
        }
    }
}

impl fmt::Display for SubjectSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { namespace, object, relation } = self;
        write!(f, "{namespace}:{object}")?;
        if relation.is_empty() { Ok(()) } else { write!(f, "#{relation}") }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> RelationTuple {
        text.parse().unwrap()
    }

    #[test]
    fn a_text_is_divided_at_the_first_separators() {
        let tuple = read("Doc:a/b@c#view@d:e#f#g");
        assert_eq!(
            (tuple.namespace.as_str(), tuple.object.as_str(), tuple.relation.as_str()),
            ("Doc", "a/b@c", "view")
        );
        let set = SubjectSet { namespace: "d".into(), object: "e".into(), relation: "f#g".into() };
        assert_eq!(tuple.subject, Subject::Set(set));
    }

    #[test]
    fn brackets_around_the_subject_are_removed() {
        assert_eq!(read("Doc:a#view@(Group:g#members)").to_string(), "Doc:a#view@Group:g#members");
        assert_eq!(read("Doc:a#view@((ada))").subject, Subject::Id("ada".into()));
        assert_eq!(read("Doc:a#view@a(b)c").subject, Subject::Id("a(b)c".into()));
    }

    #[test]
    fn an_object_as_subject_has_no_relation() {
        let tuple = read("Doc:a#parents@Folder:b");
        assert!(matches!(&tuple.subject, Subject::Set(set) if set.relation.is_empty()));
        assert_eq!(tuple.to_string(), "Doc:a#parents@Folder:b");
        assert_eq!(read("Doc:a#parents@Folder:b#").to_string(), "Doc:a#parents@Folder:b");
    }

    #[test]
    fn a_missing_separator_is_named() {
        for (text, missing) in [("", ':'), ("Doc#a@b", ':'), ("Doc:a@b", '#'), ("Doc:a#view", '@')] {
            let error = text.parse::<RelationTuple>().unwrap_err();
            assert_eq!(error, MalformedTuple { text: text.into(), missing });
        }
        let long = "é".repeat(1000).parse::<RelationTuple>().unwrap_err();
        assert_eq!(long.text.len(), QUOTED_BYTES);
    }

    proptest! {
        #[test]
        fn any_text_is_a_tuple_or_an_error(text in "[a-c:#@()]{0,40}|.{0,100}") {
            let has_brackets = text.contains(['(', ')']);
            if let Some(tuple) = text.parse::<RelationTuple>().ok().filter(|_| !has_brackets) {
                prop_assert_eq!(tuple.to_string().parse::<RelationTuple>(), Ok(tuple));
            }
        }

        #[test]
        fn a_tuple_without_separators_reads_back(
            names in prop::array::uniform6("[^:#@()]{0,12}"),
            is_set in any::<bool>(),
        ) {
            let [namespace, object, relation, of, name, role] = names;
            let subject = if is_set {
                Subject::Set(SubjectSet { namespace: of, object: name, relation: role })
            } else {
                Subject::Id(name)
            };
            let tuple = RelationTuple { namespace, object, relation, subject };
            prop_assert_eq!(tuple.to_string().parse::<RelationTuple>(), Ok(tuple));
        }
    }
}
