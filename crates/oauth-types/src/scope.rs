//! Scope values (RFC 6749 section 3.3): an ordered set of words.

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Unique scope values in order of their first occurrence. Serialized as one space-separated string.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeSet(Vec<String>);

/// How a registered scope is compared with a requested one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScopeMatching {
    /// Equal strings.
    Exact,
    /// The registered scope is a pattern of dot-separated segments: `*` stands for one segment, or for one or more at the
    /// end.
    #[default]
    Wildcard,
}

impl ScopeSet {
    pub fn parse(text: &str) -> Self {
        text.split(' ').filter(|scope| !scope.is_empty()).collect()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn contains(&self, scope: &str) -> bool {
        self.0.iter().any(|it| it == scope)
    }

    pub fn insert(&mut self, scope: &str) {
        if !self.contains(scope) {
            self.0.push(scope.to_owned());
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub fn as_slice(&self) -> &[String] {
        &self.0
    }

    pub fn is_subset_of(&self, other: &Self) -> bool {
        let other: HashSet<&str> = other.iter().collect();
        self.iter().all(|scope| other.contains(scope))
    }

    /// Whether these scopes request a refresh token (OpenID Connect Core section 11; `offline` is the older name).
    pub fn asks_for_offline_access(&self) -> bool {
        self.contains("offline_access") || self.contains("offline")
    }

    /// The first of the `requested` scopes that this set of registered scopes does not cover.
    pub fn first_uncovered<'a>(&self, requested: &'a Self, matching: ScopeMatching) -> Option<&'a str> {
        // A scope without a star covers only itself, so only patterns need a pairwise comparison.
        let literals: HashSet<&str> = self.iter().collect();
        let patterns: Vec<&str> = match matching {
            ScopeMatching::Exact => Vec::new(),
            ScopeMatching::Wildcard => self.iter().filter(|scope| scope.contains('*')).collect(),
        };
        requested
            .iter()
            .find(|scope| !literals.contains(scope) && !patterns.iter().any(|pattern| matching.covers(pattern, scope)))
    }
}

impl ScopeMatching {
    pub fn covers(self, registered: &str, requested: &str) -> bool {
        match self {
            Self::Exact => registered == requested,
            Self::Wildcard => wildcard_covers(registered, requested),
        }
    }
}

fn wildcard_covers(pattern: &str, requested: &str) -> bool {
    let mut words = requested.split('.');
    let mut segments = pattern.split('.').peekable();
    while let Some(segment) = segments.next() {
        let Some(word) = words.next() else { return false };
        match segment {
            "*" if word.is_empty() => return false,
            "*" if segments.peek().is_none() => return words.all(|word| !word.is_empty()),
            "*" => {}
            literal if literal != word => return false,
            _ => {}
        }
    }
    words.next().is_none()
}

impl<S: AsRef<str>> FromIterator<S> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = S>>(scopes: I) -> Self {
        let mut known = HashSet::new();
        let mut set = Vec::new();
        for scope in scopes {
            if known.insert(scope.as_ref().to_owned()) {
                set.push(scope.as_ref().to_owned());
            }
        }
        Self(set)
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope)?;
        }
        Ok(())
    }
}

impl Serialize for ScopeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ScopeSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(deserializer).map(|text| Self::parse(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn wildcards_cover_whole_segments() {
        let covers = |pattern, requested| ScopeMatching::Wildcard.covers(pattern, requested);
        assert!(covers("foo.*", "foo.bar"));
        assert!(covers("foo.*", "foo.bar.baz"));
        assert!(!covers("foo.*", "foo"));
        assert!(!covers("foo.*", "foo."));
        assert!(!covers("foo.*", "foo..baz"));
        assert!(covers("foo.*.baz", "foo.bar.baz"));
        assert!(!covers("foo.*.baz", "foo.baz"));
        assert!(!covers("foo", "foo.bar"));
        assert!(covers("*", "anything.at.all"));
        assert!(!ScopeMatching::Exact.covers("foo.*", "foo.bar"));
    }

    #[test]
    fn a_set_keeps_order_and_removes_duplicates() {
        assert_eq!(ScopeSet::parse("openid  offline openid email").to_string(), "openid offline email");
        assert!(ScopeSet::parse("openid offline").asks_for_offline_access());
        let registered = ScopeSet::parse("openid files.*");
        let requested = ScopeSet::parse("openid files.read mail");
        assert_eq!(registered.first_uncovered(&requested, ScopeMatching::Wildcard), Some("mail"));
    }

    #[test]
    fn many_scopes_are_parsed_and_compared_in_linear_time() {
        // 400 000 scopes: a quadratic algorithm would take minutes.
        let text = (0..400_000).map(|n| format!("s{n} ")).collect::<Vec<_>>().concat();
        let set = ScopeSet::parse(&text);
        assert_eq!(set.as_slice().len(), 400_000);
        assert!(set.is_subset_of(&set));
        assert_eq!(set.first_uncovered(&set, ScopeMatching::Wildcard), None);
        assert_eq!(set.first_uncovered(&set, ScopeMatching::Exact), None);
    }

    proptest! {
        #[test]
        fn any_set_round_trips(text in "[ a-z.*:]{0,40}") {
            let set = ScopeSet::parse(&text);
            prop_assert_eq!(ScopeSet::parse(&set.to_string()), set);
        }

        #[test]
        fn matching_never_fails_and_a_literal_covers_itself(scope in "[a-z.]{1,20}") {
            prop_assert!(ScopeMatching::Wildcard.covers(&scope, &scope));
        }
    }
}
