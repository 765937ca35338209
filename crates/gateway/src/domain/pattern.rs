//! The URL pattern of a rule: literal text with patterns between `<` and `>`, matched against the whole of
//! `scheme://host[:port]path`.
//!
//! Invariants:
//! - A compiled pattern matches in time linear in the URL, or, with look-around or back-references, within a fixed
//!   number of steps; beyond them the result is [`Overrun`].
//! - Every URL that matches begins with one of `prefixes()`.

use std::borrow::Cow;
use std::sync::OnceLock;

use regex_syntax::hir::literal::{ExtractKind, Extractor};

use super::glob;
use super::runs::{Part, Runs};
use serde::Serialize;

use super::target;

/// How the text between `<` and `>` is read (`access_rules.matching_strategy`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MatchingStrategy {
    #[default]
    Regexp,
    Glob,
}

/// Why a pattern is invalid. Its rule is reported, and refuses what begins as the pattern does ([`Pattern::beginning_of`]).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PatternError {
    #[error("the URL pattern is empty")]
    Empty,
    #[error("the brackets `<` and `>` are not balanced")]
    Unbalanced,
    #[error("the glob `{glob}` is not valid: {reason}")]
    Glob { glob: String, reason: &'static str },
    #[error("the regular expression is not valid: {0}")]
    Regexp(String),
}

/// A backtracking pattern exceeded its step limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the pattern took too many steps")]
pub(crate) struct Overrun;

/// The step limit of the backtracking engine for one URL: some milliseconds.
const BACKTRACK_LIMIT: usize = 100_000;
/// Larger programs are rejected at load.
const PROGRAM_SIZE: usize = 1 << 20;
/// The size limit of an active pattern's automaton cache, per thread.
const CACHE_SIZE: usize = 1 << 18;

#[derive(Debug)]
pub(crate) struct Pattern {
    engine: Engine,
    prefixes: Vec<Vec<u8>>,
    captures: bool,
}

#[derive(Debug)]
enum Engine {
    Literal(String),
    Runs { runs: Runs, source: String },
    Linear(LazyRegex),
    Backtracking(fancy_regex::Regex),
}

/// A valid regular expression that is compiled on first use: a compiled one takes twenty kilobytes and more, and most rules
/// of a long list are rarely used.
#[derive(Debug)]
struct LazyRegex {
    source: String,
    compiled: OnceLock<regex::Regex>,
}

impl LazyRegex {
    fn new(source: String) -> Result<Self, regex::Error> {
        compile(&source)?;
        Ok(Self { source, compiled: OnceLock::new() })
    }

    /// It compiled before, so it compiles again.
    fn get(&self) -> Result<&regex::Regex, Overrun> {
        if let Some(regex) = self.compiled.get() {
            return Ok(regex);
        }
        let regex = compile(&self.source).map_err(|_| Overrun)?;
        Ok(self.compiled.get_or_init(|| regex))
    }
}

fn compile(source: &str) -> Result<regex::Regex, regex::Error> {
    regex::RegexBuilder::new(source).size_limit(PROGRAM_SIZE).dfa_size_limit(CACHE_SIZE).build()
}

/// A part of a template.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Pattern(String),
}

impl Pattern {
    /// A pattern in the place of an invalid one: every URL that begins as the template does up to its invalid part. It matches
    /// whatever the invalid pattern was meant to match, so that no other rule answers these requests. `None` for an empty template.
    pub(crate) fn beginning_of(template: &str, strategy: MatchingStrategy) -> Option<Self> {
        let anything = match strategy {
            MatchingStrategy::Regexp => "<.*>",
            MatchingStrategy::Glob => "<**>",
        };
        let mut beginnings = template.rmatch_indices(['<', '>']).map(|(end, _)| &template[..end]);
        beginnings.find_map(|beginning| Self::compile(&format!("{beginning}{anything}"), strategy).ok())
    }

    pub(crate) fn compile(template: &str, strategy: MatchingStrategy) -> Result<Self, PatternError> {
        if template.is_empty() {
            return Err(PatternError::Empty);
        }
        let pieces = split(template)?;
        if let [Piece::Literal(text)] = pieces.as_slice() {
            let prefixes = vec![text.as_bytes().to_vec()];
            return Ok(Self { engine: Engine::Literal(text.clone()), prefixes, captures: false });
        }
        let parts = pieces.iter().map(|piece| piece.part(strategy)).collect::<Result<Vec<_>, _>>()?;
        let source = regex_source(&parts, strategy);
        let literal_start = match pieces.first() {
            Some(Piece::Literal(text)) => text.as_str(),
            _ => "",
        };
        let captures = strategy == MatchingStrategy::Regexp;
        let regular_prefixes = || prefixes_of(&source).unwrap_or_else(|| vec![literal_start.as_bytes().to_vec()]);
        if let Some(runs) = Runs::compile(&parts) {
            let prefixes = regular_prefixes();
            return Ok(Self { engine: Engine::Runs { runs, source }, prefixes, captures });
        }
        match LazyRegex::new(source.clone()) {
            Ok(regex) => Ok(Self { engine: Engine::Linear(regex), prefixes: regular_prefixes(), captures }),
            // Look-around and back-references are not regular: they need the other engine.
            Err(error) => {
                let regex = fancy_regex::RegexBuilder::new(&source)
                    .backtrack_limit(BACKTRACK_LIMIT)
                    .delegate_size_limit(PROGRAM_SIZE)
                    .build()
                    .map_err(|_| PatternError::Regexp(last_line(&error.to_string())))?;
                let prefixes = vec![literal_start.as_bytes().to_vec()];
                Ok(Self { engine: Engine::Backtracking(regex), prefixes, captures })
            }
        }
    }

    pub(crate) fn matches(&self, url: &str) -> Result<bool, Overrun> {
        match &self.engine {
            Engine::Literal(text) => Ok(text == url),
            Engine::Runs { runs, .. } => Ok(runs.matches(url)),
            Engine::Linear(regex) => Ok(regex.get()?.is_match(url)),
            Engine::Backtracking(regex) => regex.is_match(url).map_err(|_| Overrun),
        }
    }

    /// The captured groups, in the order of their opening brackets; empty for globs. A group that did not participate is an
    /// empty string.
    pub(crate) fn captures(&self, url: &str) -> Vec<String> {
        if !self.captures {
            return Vec::new();
        }
        match &self.engine {
            Engine::Literal(_) => Vec::new(),
            Engine::Runs { runs, .. } => runs.captures(url),
            Engine::Linear(regex) => {
                regex.get().ok().and_then(|regex| regex.captures(url)).map_or_else(Vec::new, |groups| {
                    groups
                        .iter()
                        .skip(1)
                        .map(|group| group.map_or_else(String::new, |it| it.as_str().to_owned()))
                        .collect()
                })
            }
            Engine::Backtracking(regex) => regex.captures(url).ok().flatten().map_or_else(Vec::new, |groups| {
                groups.iter().skip(1).map(|group| group.map_or_else(String::new, |it| it.as_str().to_owned())).collect()
            }),
        }
    }

    pub(crate) fn prefixes(&self) -> &[Vec<u8>] {
        &self.prefixes
    }

    /// Whether the pattern is a regular language: without look-around and back-references.
    pub(crate) const fn is_regular(&self) -> bool {
        !matches!(self.engine, Engine::Backtracking(_))
    }

    /// The equivalent regular expression; `None` when the pattern is not regular.
    pub(crate) fn regular_source(&self) -> Option<String> {
        match &self.engine {
            Engine::Literal(text) => Some(format!("^(?:{})$", regex_syntax::escape(text))),
            Engine::Runs { source, .. } => Some(source.clone()),
            Engine::Linear(regex) => Some(regex.source.clone()),
            Engine::Backtracking(_) => None,
        }
    }
}

/// The message of a regular expression error without the marked-up pattern above it.
fn last_line(message: &str) -> String {
    message.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// The template without a default port, because requests are matched without one: see [`target::without_default_port`].
fn without_default_port(template: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = template.split_once("://") else { return Cow::Borrowed(template) };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let shorter = target::without_default_port(scheme, authority);
    if shorter == authority || authority.contains(['<', '>']) {
        return Cow::Borrowed(template);
    }
    Cow::Owned(format!("{scheme}://{shorter}{path}"))
}

/// Splits a template at its outermost brackets. The literal text before the path is lowercased, because hosts and schemes
/// are compared in lower case.
fn split(template: &str) -> Result<Vec<Piece>, PatternError> {
    let template = &*without_default_port(template);
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut depth = 0_usize;
    let mut in_path = false;
    let mut previous = ['\0'; 2];
    for character in template.chars() {
        match character {
            '<' => {
                if depth == 0 && !text.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut text)));
                } else if depth > 0 {
                    text.push('<');
                }
                depth += 1;
            }
            '>' => {
                depth = depth.checked_sub(1).ok_or(PatternError::Unbalanced)?;
                if depth == 0 {
                    pieces.push(Piece::Pattern(std::mem::take(&mut text)));
                } else {
                    text.push('>');
                }
            }
            _ if depth > 0 => text.push(character),
            _ => {
                in_path |= character == '/' && previous[1] != ':' && previous != [':', '/'];
                text.push(if in_path { character } else { character.to_ascii_lowercase() });
            }
        }
        previous = [previous[1], character];
    }
    if depth > 0 {
        return Err(PatternError::Unbalanced);
    }
    if !text.is_empty() {
        pieces.push(Piece::Literal(text));
    }
    Ok(pieces)
}

impl Piece {
    /// The part as a literal, or as the regular expression of a group.
    fn part(&self, strategy: MatchingStrategy) -> Result<Part<'_>, PatternError> {
        match (self, strategy) {
            (Self::Literal(text), _) => Ok(Part::Text(text.into())),
            (Self::Pattern(pattern), MatchingStrategy::Regexp) => Ok(Part::Group(pattern.into())),
            (Self::Pattern(pattern), MatchingStrategy::Glob) => glob::to_regex(pattern)
                .map(|translated| Part::Group(translated.into()))
                .map_err(|reason| PatternError::Glob { glob: pattern.clone(), reason }),
        }
    }
}

fn regex_source(parts: &[Part<'_>], strategy: MatchingStrategy) -> String {
    let opening = if strategy == MatchingStrategy::Regexp { "(" } else { "(?:" };
    let mut source = String::from("^(?:");
    for part in parts {
        match part {
            Part::Text(text) => source.push_str(&regex_syntax::escape(text)),
            Part::Group(group) => source.extend([opening, group, ")"]),
        }
    }
    source.push_str(")$");
    source
}

/// A small set of strings such that every match begins with one of them.
fn prefixes_of(source: &str) -> Option<Vec<Vec<u8>>> {
    let hir = regex_syntax::parse(source).ok()?;
    let sequence = Extractor::new()
        .kind(ExtractKind::Prefix)
        .limit_class(4)
        .limit_repeat(4)
        .limit_literal_len(512)
        .limit_total(32)
        .extract(&hir);
    let mut prefixes: Vec<Vec<u8>> = sequence.literals()?.iter().map(|literal| literal.as_bytes().to_vec()).collect();
    prefixes.sort();
    // A string that begins with another one of the set is redundant.
    prefixes.dedup_by(|longer, shorter| longer.starts_with(shorter));
    Some(prefixes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn regexp(template: &str) -> Pattern {
        Pattern::compile(template, MatchingStrategy::Regexp).unwrap()
    }

    fn prefixes(pattern: &Pattern) -> Vec<String> {
        pattern.prefixes().iter().map(|prefix| String::from_utf8(prefix.clone()).unwrap()).collect()
    }

    #[test]
    fn text_outside_brackets_is_literal() {
        let pattern = regexp("http://h.example/a.b?<[0-9]+>/x");
        assert_eq!(pattern.matches("http://h.example/a.b?12/x"), Ok(true));
        assert_eq!(pattern.matches("http://h.example/aXb?12/x"), Ok(false));
        assert_eq!(pattern.matches("http://h.example/a.b?12/x/y"), Ok(false));
        assert_eq!(pattern.matches("xhttp://h.example/a.b?12/x"), Ok(false));
        assert_eq!(pattern.captures("http://h.example/a.b?12/x"), ["12"]);
    }

    #[test]
    fn alternatives_stay_inside_their_brackets() {
        let pattern = regexp("http://h/<a|b>/c");
        assert_eq!(pattern.matches("http://h/a"), Ok(false));
        assert_eq!(pattern.matches("http://h/b/c"), Ok(true));
        assert_eq!(prefixes(&pattern), ["http://h/a/c", "http://h/b/c"]);
    }

    #[test]
    fn groups_are_listed_in_the_order_of_their_brackets() {
        let pattern = regexp("http://h/<(?<kind>cat|dog)s?>/<[0-9]+(x)?>");
        assert_eq!(pattern.captures("http://h/cats/7"), ["cats", "cat", "7", ""]);
    }

    #[test]
    fn look_around_runs_with_a_limit() {
        let pattern = regexp("http://h/<(?!protected).*>");
        assert_eq!(pattern.matches("http://h/open"), Ok(true));
        assert_eq!(pattern.matches("http://h/protected/x"), Ok(false));
        assert_eq!(pattern.captures("http://h/open"), ["open"]);
        assert_eq!(prefixes(&pattern), ["http://h/"]);
        let greedy = regexp("http://h/<(?=x)(a?x?)*(a?x?)*\\2b$>");
        assert_eq!(greedy.matches(&format!("http://h/x{}", "ax".repeat(200))), Err(Overrun));
    }

    #[test]
    fn brackets_must_balance() {
        for template in ["http://h/<a", "http://h/a>", "http://h/<a>>", "<<a>"] {
            assert_eq!(Pattern::compile(template, MatchingStrategy::Regexp).unwrap_err(), PatternError::Unbalanced);
        }
        assert!(matches!(
            Pattern::compile("http://h/<(>", MatchingStrategy::Regexp),
            Err(PatternError::Regexp(reason)) if !reason.is_empty() && !reason.contains('\n')
        ));
    }

    #[test]
    fn hosts_are_compared_in_lower_case_and_paths_as_they_are() {
        let pattern = regexp("HTTP://Example.COM/Path/<.*>");
        assert_eq!(pattern.matches("http://example.com/Path/x"), Ok(true));
        assert_eq!(pattern.matches("http://example.com/path/x"), Ok(false));
        assert_eq!(regexp("http://<a|b>.Example/X").matches("http://a.example/X"), Ok(true));
    }

    #[test]
    fn small_leading_alternatives_still_give_prefixes() {
        assert_eq!(prefixes(&regexp("<https?>://h/api/<.*>")), ["http://h/api/", "https://h/api/"]);
        assert_eq!(prefixes(&regexp("http<s|>://h/<.*>")), ["http://h/", "https://h/"]);
        assert_eq!(prefixes(&regexp("<.*>")), [""]);
    }

    #[test]
    fn globs_capture_nothing() {
        let pattern = Pattern::compile("https://<*>.example.com/<**>", MatchingStrategy::Glob).unwrap();
        assert_eq!(pattern.matches("https://a.example.com/b/c.d"), Ok(true));
        assert_eq!(pattern.matches("https://a.b.example.com/"), Ok(false));
        assert!(pattern.captures("https://a.example.com/b").is_empty());
    }

    proptest! {
        #[test]
        fn the_compiler_never_panics(template in "[<>()|*+?{},!=a\\[\\]\\\\^$.:/-]{0,24}", url in "[a-b/:.]{0,12}") {
            for strategy in [MatchingStrategy::Regexp, MatchingStrategy::Glob] {
                if let Ok(pattern) = Pattern::compile(&template, strategy)
                    && pattern.matches(&url) == Ok(true)
                {
                    let begins = pattern.prefixes().iter().any(|prefix| url.as_bytes().starts_with(prefix));
                    prop_assert!(begins, "{} matches {} and has the prefixes {:?}", template, url, prefixes(&pattern));
                    let _ = pattern.captures(&url);
                }
            }
        }
    }
}
