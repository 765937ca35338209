//! Which subject ids become objects of a namespace: for the migration of subject ids, which have no type, to subjects with one.
//!
//! A pattern is a text in which `*` stands for any number of characters. Matching takes time in proportion to the id for each
//! part of the pattern.

use super::relation_tuple::{Subject, SubjectSet};

/// The subject ids of a pattern, and their namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SubjectMap {
    pub pattern: String,
    pub namespace: String,
}

impl SubjectMap {
    /// The object that takes the place of a subject id: it keeps the whole id.
    pub fn subject_of(&self, id: &str) -> Option<Subject> {
        matches(&self.pattern, id).then(|| {
            Subject::Set(SubjectSet {
                namespace: self.namespace.clone(),
                object: id.to_owned(),
                relation: String::new(),
            })
        })
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    // The first place of each part leaves the most for those behind it.
    for part in middle.split('*') {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_number_of_characters() {
        for (pattern, text, expected) in [
            ("ada", "ada", true),
            ("ada", "adam", false),
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "a*b", true),
            ("user_*", "user_1", true),
            ("user_*", "user_", true),
            ("user_*", "User_1", false),
            ("user_*", "a user_1", false),
            ("*@example.org", "ada@example.org", true),
            ("*@example.org", "ada@example.org.evil", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "a1c2b", false),
            ("*b*b*", "abb", true),
            ("*b*b*", "ab", false),
            ("**", "x", true),
            ("\u{fc}*", "\u{fc}\u{1f512}", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn an_id_keeps_its_name() {
        let map = SubjectMap { pattern: "user_*".into(), namespace: "User".into() };
        let set = SubjectSet { namespace: "User".into(), object: "user_7".into(), relation: String::new() };
        assert_eq!(map.subject_of("user_7"), Some(Subject::Set(set)));
        assert_eq!(map.subject_of("service_7"), None);
    }
}
