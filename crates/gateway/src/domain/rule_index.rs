//! The immutable index of all rules, which finds the rules that match a request.
//!
//! Rules are indexed by method and by the literal prefixes of their URLs, so that a request is compared with few rules.
//! Invariant: the index finds exactly the rules that a linear search would find.

use std::collections::HashMap;

use super::pattern::{Overrun, Pattern};

/// The fields of a rule that the index uses.
#[derive(Debug)]
pub(crate) struct IndexedRule {
    /// In upper case; a rule without methods never matches.
    pub(crate) methods: Vec<String>,
    pub(crate) pattern: Pattern,
}

#[derive(Debug, Default)]
pub(crate) struct RuleIndex {
    rules: Vec<IndexedRule>,
    by_method: HashMap<String, PrefixTree>,
}

/// How many rules match, by their positions in the list from which the index was built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lookup {
    None,
    One(usize),
    /// More than one: the first two.
    Many(usize, usize),
    /// This rule's pattern could not be evaluated, so that the number of matches is unknown.
    Overrun(usize),
}

impl RuleIndex {
    pub(crate) fn new(rules: Vec<IndexedRule>) -> Self {
        let mut by_method: HashMap<String, PrefixTree> = HashMap::new();
        for (position, rule) in rules.iter().enumerate() {
            for method in &rule.methods {
                let tree = by_method.entry(method.clone()).or_default();
                for prefix in rule.pattern.prefixes() {
                    tree.insert(prefix, position);
                }
            }
        }
        Self { rules, by_method }
    }

    pub(crate) fn find(&self, method: &str, url: &str) -> Lookup {
        let tree = match self.by_method.get(method) {
            Some(tree) => Some(tree),
            // Methods are compared without case, although RFC 9110 section 9.1 says that they are case-sensitive.
            None if method.bytes().any(|byte| byte.is_ascii_lowercase()) => {
                self.by_method.get(&method.to_ascii_uppercase())
            }
            None => None,
        };
        let Some(tree) = tree else {
            return Lookup::None;
        };
        let mut found = None;
        let mut node = tree;
        let mut rest = url.as_bytes();
        loop {
            for &position in &node.rules {
                match self.rules[position].pattern.matches(url) {
                    Ok(false) => {}
                    // Several prefixes of one rule may match.
                    Ok(true) if found == Some(position) => {}
                    Ok(true) => match found {
                        None => found = Some(position),
                        Some(first) => return Lookup::Many(first.min(position), first.max(position)),
                    },
                    Err(Overrun) => return Lookup::Overrun(position),
                }
            }
            let Some((child, after)) = node.step(rest) else {
                return found.map_or(Lookup::None, Lookup::One);
            };
            (node, rest) = (child, after);
        }
    }

    pub(crate) fn captures(&self, position: usize, url: &str) -> Vec<String> {
        self.rules.get(position).map_or_else(Vec::new, |rule| rule.pattern.captures(url))
    }

    pub(crate) fn rules(&self) -> &[IndexedRule] {
        &self.rules
    }
}

/// A radix tree: the labels from the root form a prefix, and a node holds the rules whose prefix ends there.
#[derive(Debug, Default)]
struct PrefixTree {
    /// The bytes between the parent and this node.
    label: Vec<u8>,
    rules: Vec<usize>,
    /// Sorted by their first bytes, which are distinct.
    children: Vec<PrefixTree>,
}

impl PrefixTree {
    fn child(&self, first: u8) -> Result<usize, usize> {
        self.children.binary_search_by_key(&Some(first), |child| child.label.first().copied())
    }

    /// The child that continues with `rest`, and the remainder.
    fn step<'a>(&self, rest: &'a [u8]) -> Option<(&Self, &'a [u8])> {
        let child = &self.children[self.child(*rest.first()?).ok()?];
        Some((child, rest.strip_prefix(child.label.as_slice())?))
    }

    fn insert(&mut self, prefix: &[u8], rule: usize) {
        let Some(&first) = prefix.first() else {
            self.rules.push(rule);
            return;
        };
        match self.child(first) {
            Err(place) => {
                let leaf = Self { label: prefix.to_vec(), rules: vec![rule], children: Vec::new() };
                self.children.insert(place, leaf);
            }
            Ok(place) => {
                let child = &mut self.children[place];
                let common = child.label.iter().zip(prefix).take_while(|(a, b)| a == b).count();
                if common < child.label.len() {
                    child.split_at(common);
                }
                child.insert(&prefix[common..], rule);
            }
        }
    }

    fn split_at(&mut self, length: usize) {
        let lower = Self {
            label: self.label.split_off(length),
            rules: std::mem::take(&mut self.rules),
            children: std::mem::take(&mut self.children),
        };
        self.children.push(lower);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::pattern::MatchingStrategy;
    use proptest::prelude::*;

    fn index(rules: &[(&str, &str)]) -> RuleIndex {
        RuleIndex::new(
            rules
                .iter()
                .map(|(methods, template)| IndexedRule {
                    methods: methods.split(',').map(str::to_owned).collect(),
                    pattern: Pattern::compile(template, MatchingStrategy::Regexp).unwrap(),
                })
                .collect(),
        )
    }

    fn naive(index: &RuleIndex, method: &str, url: &str) -> Lookup {
        let mut matching = index.rules.iter().enumerate().filter(|(_, rule)| {
            rule.methods.iter().any(|one| one.eq_ignore_ascii_case(method)) && rule.pattern.matches(url) == Ok(true)
        });
        match (matching.next(), matching.next()) {
            (None, _) => Lookup::None,
            (Some((only, _)), None) => Lookup::One(only),
            (Some((first, _)), Some((second, _))) => Lookup::Many(first, second),
        }
    }

    #[test]
    fn exactly_one_rule_is_found() {
        let index = index(&[
            ("GET", "http://h/a"),
            ("GET,POST", "http://h/a/<.*>"),
            ("POST", "http://h/<a|b>"),
            ("GET", "<https?>://other/<.*>"),
            ("DELETE", "<.*>"),
        ]);
        assert_eq!(index.find("GET", "http://h/a"), Lookup::One(0));
        assert_eq!(index.find("get", "http://h/a"), Lookup::One(0));
        assert_eq!(index.find("GET", "http://h/a/b"), Lookup::One(1));
        assert_eq!(index.find("POST", "http://h/b"), Lookup::One(2));
        assert_eq!(index.find("GET", "https://other/"), Lookup::One(3));
        assert_eq!(index.find("GET", "http://h/"), Lookup::None);
        assert_eq!(index.find("DELETE", "ftp"), Lookup::One(4));
        assert_eq!(index.find("PUT", "http://h/a"), Lookup::None);
    }

    #[test]
    fn two_matches_are_a_conflict() {
        let index = index(&[("GET", "http://h/<.*>"), ("GET", "http://h/a"), ("GET", "<.*>b")]);
        assert_eq!(index.find("GET", "http://h/a"), Lookup::Many(0, 1));
        assert_eq!(index.find("GET", "http://h/b"), Lookup::Many(0, 2));
        assert_eq!(index.find("GET", "http://h/c"), Lookup::One(0));
    }

    #[test]
    fn a_pattern_that_overruns_gives_no_result() {
        let index = index(&[("GET", "http://h/<(?=x)(a?x?)*(a?x?)*\\2b$>")]);
        assert_eq!(index.find("GET", &format!("http://h/x{}", "ax".repeat(200))), Lookup::Overrun(0));
    }

    fn template() -> impl Strategy<Value = String> {
        let scheme = prop::sample::select(vec!["http", "https", "<https?>", "<http|https>", "<[a-z]+>", "http<s|>"]);
        let host = prop::sample::select(vec!["h", "g", "<h|g>", "<.*>", "h<g?>"]);
        let segment =
            prop::sample::select(vec!["a", "b", "ab", "<a|b>", "<.*>", "<[^/]+>", "<a?>", "<(?!b).*>", "<(a|ab)b?>"]);
        (scheme, host, prop::collection::vec(segment, 0..4)).prop_map(|(scheme, host, segments)| {
            let path: String = segments.iter().flat_map(|segment| ["/", segment]).collect();
            format!("{scheme}://{host}{path}")
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn the_index_finds_what_a_linear_search_finds(
            templates in prop::collection::vec(template(), 1..12),
            methods in prop::collection::vec("GET|POST|GET,POST", 12),
            urls in prop::collection::vec("(http|https)://(h|g|hg)(/(a|b|ab|)){0,3}", 1..20),
        ) {
            let rules: Vec<_> = methods.iter().map(String::as_str).zip(templates.iter().map(String::as_str)).collect();
            let index = index(&rules);
            for url in &urls {
                for method in ["GET", "POST", "PUT"] {
                    let (found, expected) = (index.find(method, url), naive(&index, method, url));
                    let kind = |lookup| match lookup {
                        Lookup::Many(..) => Lookup::Many(0, 0),
                        other => other,
                    };
                    prop_assert_eq!(kind(found), kind(expected), "{} {} among {:?}", method, url, rules);
                    if let Lookup::Many(first, second) = found {
                        prop_assert!(first != second);
                        prop_assert_eq!(index.rules[first].pattern.matches(url), Ok(true));
                        prop_assert_eq!(index.rules[second].pattern.matches(url), Ok(true));
                    }
                }
            }
        }
    }
}
