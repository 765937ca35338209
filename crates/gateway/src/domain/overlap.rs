//! Finds pairs of rules that match the same request, before such a request arrives and gets a 500.
//!
//! Two regular patterns overlap when the product of their automata reaches a state in which both accept; the path to this
//! state is an example URL. Assertions inside a pattern (`\b`, `$`) are taken as always true, so that there may be false
//! positives, but no false negatives. Patterns with look-around are not regular and are skipped.

use std::cell::OnceCell;
use std::collections::{HashMap, VecDeque};

use regex_automata::nfa::thompson::{NFA, State, WhichCaptures};
use regex_automata::util::primitives::StateID;

use super::rule_index::{IndexedRule, RuleIndex};

/// Two rules by index, and a request that both match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Overlap {
    pub(crate) first: usize,
    pub(crate) second: usize,
    pub(crate) method: String,
    pub(crate) url: String,
}

/// The result of the search, and its limits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OverlapReport {
    pub(crate) overlaps: Vec<Overlap>,
    /// Rules whose patterns cannot be compared.
    pub(crate) not_regular: Vec<usize>,
    /// Whether the search stopped at its limits: too many pairs, or a pair that is too large.
    pub(crate) incomplete: bool,
}

/// The most pairs to compare, and the most states of one product: a few seconds at worst.
const MOST_PAIRS: usize = 20_000;
const MOST_STATES: usize = 50_000;
/// The most overlaps to report.
const MOST_OVERLAPS: usize = 100;

pub(crate) fn find(index: &RuleIndex) -> OverlapReport {
    let not_regular = (0..index.rules().len()).filter(|it| !index.rules()[*it].pattern.is_regular()).collect();
    let mut report = OverlapReport { not_regular, ..OverlapReport::default() };
    // Most rules share no prefix with another one; only those that do need an automaton.
    let automata: Vec<OnceCell<Option<NFA>>> = index.rules().iter().map(|_| OnceCell::new()).collect();
    let automaton = |position: usize| automata[position].get_or_init(|| automaton(&index.rules()[position])).as_ref();
    let mut compared = 0;
    for (first, second) in pairs_with_common_prefix(index) {
        let (one, other) = (&index.rules()[first], &index.rules()[second]);
        let Some(method) = one.methods.iter().find(|method| other.methods.contains(method)) else {
            continue;
        };
        let (Some(one_automaton), Some(other_automaton)) = (automaton(first), automaton(second)) else {
            report.incomplete |= one.pattern.is_regular() && other.pattern.is_regular();
            continue;
        };
        compared += 1;
        if compared > MOST_PAIRS || report.overlaps.len() >= MOST_OVERLAPS {
            report.incomplete = true;
            break;
        }
        match common_text(one_automaton, other_automaton) {
            Ok(None) => {}
            Ok(Some(url)) => report.overlaps.push(Overlap { first, second, method: method.clone(), url }),
            Err(TooLarge) => report.incomplete = true,
        }
    }
    report
}

fn automaton(rule: &IndexedRule) -> Option<NFA> {
    let source = rule.pattern.regular_source()?;
    NFA::compiler()
        .configure(NFA::config().which_captures(WhichCaptures::None).nfa_size_limit(Some(1 << 20)))
        .build(&source)
        .ok()
}

/// Pairs of rules where a prefix of one begins with a prefix of the other: no other pair can overlap.
fn pairs_with_common_prefix(index: &RuleIndex) -> Vec<(usize, usize)> {
    let mut prefixes: Vec<(&[u8], usize)> = index
        .rules()
        .iter()
        .enumerate()
        .flat_map(|(position, rule)| rule.pattern.prefixes().iter().map(move |prefix| (prefix.as_slice(), position)))
        .collect();
    prefixes.sort_unstable();
    let mut pairs = Vec::new();
    // In sorted order, the prefixes that the current one begins with form a stack.
    let mut open: Vec<(&[u8], usize)> = Vec::new();
    for (prefix, position) in prefixes {
        while open.last().is_some_and(|(shorter, _)| !prefix.starts_with(shorter)) {
            open.pop();
        }
        pairs.extend(
            open.iter()
                .filter(|(_, other)| *other != position)
                .map(|(_, other)| (position.min(*other), position.max(*other))),
        );
        open.push((prefix, position));
        if pairs.len() > MOST_PAIRS * 4 {
            break;
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

struct TooLarge;

type Pair = (StateID, StateID);

/// A shortest text that both automata accept in full.
fn common_text(one: &NFA, other: &NFA) -> Result<Option<String>, TooLarge> {
    let start = (one.start_anchored(), other.start_anchored());
    let mut came_from: HashMap<Pair, Option<(Pair, Option<u8>)>> = HashMap::from([(start, None)]);
    let mut queue = VecDeque::from([start]);
    while let Some(pair) = queue.pop_front() {
        let (a, b) = (one.state(pair.0), other.state(pair.1));
        if matches!((a, b), (State::Match { .. }, State::Match { .. })) {
            return Ok(Some(spell(&came_from, pair)));
        }
        let mut visit = |next: Pair, byte: Option<u8>, urgent: bool| {
            if let std::collections::hash_map::Entry::Vacant(entry) = came_from.entry(next) {
                entry.insert(Some((pair, byte)));
                if urgent { queue.push_front(next) } else { queue.push_back(next) }
            }
        };
        let (epsilon_a, epsilon_b) = (epsilon_moves(a), epsilon_moves(b));
        for &next in &epsilon_a {
            visit((next, pair.1), None, true);
        }
        for &next in &epsilon_b {
            visit((pair.0, next), None, true);
        }
        if epsilon_a.is_empty() && epsilon_b.is_empty() {
            for (low_a, high_a, next_a) in byte_moves(a) {
                for (low_b, high_b, next_b) in byte_moves(b) {
                    let (low, high) = (low_a.max(low_b), high_a.min(high_b));
                    if low <= high {
                        visit((next_a, next_b), Some(readable(low, high)), false);
                    }
                }
            }
        }
        if came_from.len() > MOST_STATES {
            return Err(TooLarge);
        }
    }
    Ok(None)
}

/// A readable byte of the range, for messages.
fn readable(low: u8, high: u8) -> u8 {
    [b'a', b'x', b'0', b'A', b'/', b'.', b'-'].into_iter().find(|byte| (low..=high).contains(byte)).unwrap_or(high)
}

fn epsilon_moves(state: &State) -> Vec<StateID> {
    match state {
        State::Look { next, .. } | State::Capture { next, .. } => vec![*next],
        State::Union { alternates } => alternates.to_vec(),
        State::BinaryUnion { alt1, alt2 } => vec![*alt1, *alt2],
        State::ByteRange { .. } | State::Sparse(_) | State::Dense(_) | State::Fail | State::Match { .. } => Vec::new(),
    }
}

fn byte_moves(state: &State) -> Vec<(u8, u8, StateID)> {
    match state {
        State::ByteRange { trans } => vec![(trans.start, trans.end, trans.next)],
        State::Sparse(sparse) => sparse.transitions.iter().map(|it| (it.start, it.end, it.next)).collect(),
        State::Dense(dense) => {
            (0..=u8::MAX).zip(dense.transitions.iter()).map(|(byte, next)| (byte, byte, *next)).collect()
        }
        State::Look { .. }
        | State::Capture { .. }
        | State::Union { .. }
        | State::BinaryUnion { .. }
        | State::Fail
        | State::Match { .. } => Vec::new(),
    }
}

fn spell(came_from: &HashMap<Pair, Option<(Pair, Option<u8>)>>, end: Pair) -> String {
    let mut bytes = Vec::new();
    let mut at = end;
    while let Some(Some((before, byte))) = came_from.get(&at) {
        bytes.extend(*byte);
        at = *before;
    }
    bytes.reverse();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::pattern::{MatchingStrategy, Pattern};
    use proptest::prelude::*;

    fn report(templates: &[&str]) -> OverlapReport {
        let rules = templates.iter().map(|template| IndexedRule {
            methods: vec!["GET".to_owned()],
            pattern: Pattern::compile(template, MatchingStrategy::Regexp).unwrap(),
        });
        find(&RuleIndex::new(rules.collect()))
    }

    #[test]
    fn overlapping_rules_are_shown_with_a_request_that_both_match() {
        let templates = ["http://h/<[a-z]+>/x", "http://h/foo/<.*>"];
        let found = report(&templates);
        assert_eq!(found.overlaps.len(), 1);
        assert_eq!(found.overlaps[0].url, "http://h/foo/x");
        for template in templates {
            let pattern = Pattern::compile(template, MatchingStrategy::Regexp).unwrap();
            assert_eq!(pattern.matches(&found.overlaps[0].url), Ok(true));
        }
    }

    #[test]
    fn disjoint_rules_are_not_reported() {
        let found =
            report(&["http://h/a", "http://h/a/<.*>", "http://h/b<[0-9]*>", "<https>://h/<.*>", "http://g/<.+>"]);
        assert_eq!(found, OverlapReport::default());
    }

    #[test]
    fn the_same_url_under_other_methods_is_no_overlap() {
        let rule = |method: &str| IndexedRule {
            methods: vec![method.to_owned()],
            pattern: Pattern::compile("http://h/<.*>", MatchingStrategy::Regexp).unwrap(),
        };
        assert!(find(&RuleIndex::new(vec![rule("GET"), rule("POST")])).overlaps.is_empty());
        assert_eq!(find(&RuleIndex::new(vec![rule("GET"), rule("GET")])).overlaps.len(), 1);
    }

    #[test]
    fn patterns_with_look_around_are_skipped_and_reported() {
        let found = report(&["http://h/<(?!a).*>", "http://h/<.*>"]);
        assert_eq!(found.not_regular, [0]);
        assert!(found.overlaps.is_empty());
    }

    fn template() -> impl Strategy<Value = String> {
        let host = prop::sample::select(vec!["h", "g", "<h|g>", "<[a-z]+>"]);
        let segment = prop::sample::select(vec!["a", "b", "<a|b>", "<.*>", "<[^/]+>"]);
        (host, prop::collection::vec(segment, 0..4)).prop_map(|(host, segments)| {
            let path: String = segments.iter().flat_map(|segment| ["/", segment]).collect();
            format!("http://{host}{path}")
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn an_overlap_is_reported_when_and_only_when_some_request_matches_both(
            templates in prop::collection::vec(template(), 2),
            urls in prop::collection::vec("http://(h|g|x)(/(a|b|c)){0,3}", 40),
        ) {
            let templates: Vec<&str> = templates.iter().map(String::as_str).collect();
            let found = report(&templates);
            let matches_both = |url: &str| templates.iter().all(|template| {
                Pattern::compile(template, MatchingStrategy::Regexp).unwrap().matches(url) == Ok(true)
            });
            match found.overlaps.first() {
                Some(overlap) => prop_assert!(matches_both(&overlap.url), "{:?} {:?}", templates, overlap),
                None => prop_assert!(!urls.iter().any(|url| matches_both(url)), "{:?}", templates),
            }
        }
    }
}
