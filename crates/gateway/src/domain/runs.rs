//! Patterns of alternating literals and character runs, such as `http://<[^/]+>/api/<.*>`: nearly all patterns in practice.
//! They need no automaton: a run ends where the next literal begins, because the literal's first character is not in the
//! run's set.
//!
//! Invariants: such a pattern matches and captures the same as the original regular expression; a match reads each byte
//! once.

use std::borrow::Cow;

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

#[derive(Debug)]
pub(crate) struct Runs {
    steps: Vec<Step>,
    /// For each group the steps that it spans.
    groups: Vec<(usize, usize)>,
}

#[derive(Debug)]
enum Step {
    Text(Vec<u8>),
    Run { of: ByteSet, may_be_empty: bool },
}

/// The input of a pattern: literals, and the regular expressions between them, each a group.
pub(crate) enum Part<'a> {
    Text(Cow<'a, str>),
    Group(Cow<'a, str>),
}

impl Runs {
    /// `None` when the pattern has other elements, or a run does not end by itself.
    pub(crate) fn compile(parts: &[Part<'_>]) -> Option<Self> {
        let mut runs = Self { steps: Vec::new(), groups: Vec::new() };
        for part in parts {
            match part {
                Part::Text(text) if text.is_empty() => {}
                Part::Text(text) => runs.steps.push(Step::Text(text.as_bytes().to_vec())),
                Part::Group(source) => {
                    let from = runs.steps.len();
                    runs.push(&regex_syntax::parse(source).ok()?)?;
                    runs.groups.push((from, runs.steps.len()));
                }
            }
        }
        let each_run_ends = runs.steps.windows(2).all(|pair| match pair {
            [Step::Run { of, .. }, Step::Text(text)] => text.first().is_some_and(|first| !of.contains(*first)),
            [Step::Run { .. }, Step::Run { .. }] => false,
            _ => true,
        });
        each_run_ends.then_some(runs)
    }

    fn push(&mut self, hir: &Hir) -> Option<()> {
        match hir.kind() {
            HirKind::Literal(literal) => self.steps.push(Step::Text(literal.0.to_vec())),
            HirKind::Repetition(Repetition { min: min @ 0..=1, max: None, sub, .. }) => {
                let HirKind::Class(class) = sub.kind() else { return None };
                self.steps.push(Step::Run { of: ByteSet::of(class)?, may_be_empty: *min == 0 });
            }
            HirKind::Concat(parts) => parts.iter().try_for_each(|part| self.push(part))?,
            HirKind::Empty
            | HirKind::Class(_)
            | HirKind::Look(_)
            | HirKind::Repetition(_)
            | HirKind::Capture(_)
            | HirKind::Alternation(_) => return None,
        }
        Some(())
    }

    pub(crate) fn matches(&self, url: &str) -> bool {
        self.walk(url, |_| {}).is_some()
    }

    /// The captured groups; empty when the pattern does not match.
    pub(crate) fn captures(&self, url: &str) -> Vec<String> {
        let mut ends = vec![0];
        if self.walk(url, |end| ends.push(end)).is_none() {
            return Vec::new();
        }
        self.groups.iter().map(|(from, to)| url.get(ends[*from]..ends[*to]).unwrap_or_default().to_owned()).collect()
    }

    /// Runs the steps and returns where each one ended.
    fn walk(&self, url: &str, mut ended: impl FnMut(usize)) -> Option<()> {
        let (mut rest, mut at) = (url.as_bytes(), 0);
        for step in &self.steps {
            let length = match step {
                Step::Text(text) => rest.starts_with(text).then_some(text.len())?,
                Step::Run { of, may_be_empty } => {
                    let length = rest.iter().position(|byte| !of.contains(*byte)).unwrap_or(rest.len());
                    (*may_be_empty || length > 0).then_some(length)?
                }
            };
            (rest, at) = (&rest[length..], at + length);
            ended(at);
        }
        rest.is_empty().then_some(())
    }
}

/// A set of bytes: each ASCII character by itself, everything else together.
#[derive(Debug)]
struct ByteSet([u64; 4]);

impl ByteSet {
    /// `None` when the class distinguishes characters beyond ASCII.
    fn of(class: &Class) -> Option<Self> {
        let Class::Unicode(class) = class else { return None };
        let has = |character: char| class.ranges().iter().any(|it| (it.start()..=it.end()).contains(&character));
        // Merge adjacent ranges, across the surrogates too.
        let takes_all = class.ranges().iter().any(|range| range.start() <= '\u{80}' && range.end() == char::MAX);
        let takes_none = class.ranges().iter().all(|range| range.end() <= '\u{7f}');
        if !takes_all && !takes_none {
            return None;
        }
        let mut set = Self([0; 4]);
        for byte in (0..=u8::MAX).filter(|byte| if byte.is_ascii() { has(char::from(*byte)) } else { takes_all }) {
            set.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
        }
        Some(set)
    }

    const fn contains(&self, byte: u8) -> bool {
        self.0[(byte >> 6) as usize] & (1 << (byte & 63)) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(text: &str) -> Part<'_> {
        Part::Text(text.into())
    }

    fn group(source: &str) -> Part<'_> {
        Part::Group(source.into())
    }

    #[test]
    fn texts_and_runs_are_matched_as_a_whole() {
        let pattern = Runs::compile(&[text("http://"), group("[^/]+"), text("/a/"), group(".*")]);
        let pattern = pattern.unwrap();
        assert!(pattern.matches("http://h/a/") && pattern.matches("http://hé/a/b/é"));
        assert!(!pattern.matches("http:///a/b") && !pattern.matches("http://h/b/a/") && !pattern.matches("http://h/a"));
        assert_eq!(pattern.captures("http://h:1/a/b/c"), ["h:1", "b/c"]);
        assert!(pattern.captures("ftp://").is_empty());
        let digits = Runs::compile(&[text("/"), group("v[0-9]+"), text("/x")]).unwrap();
        assert!(digits.matches("/v12/x") && !digits.matches("/v/x") && !digits.matches("/v1/x/"));
        assert_eq!(digits.captures("/v12/x"), ["v12"]);
    }

    #[test]
    fn patterns_that_need_an_automaton_are_not_compiled_to_runs() {
        // The run does not end by itself; classes beyond ASCII; alternatives, counts, nested groups, look-around.
        for (following, source) in [
            ("a", ".*"),
            ("b/", "[a-z]+"),
            ("/", r"\w+"),
            ("é/", "[^é]+"),
            ("/", "[^é/]+"),
            ("/", r"\d+"),
            ("/", "a|b"),
            ("/", "[0-9]{2}"),
            ("/", "([0-9]+)"),
            ("/", r"[0-9]+\b"),
            ("/", "(?i)k+"),
            ("", "[0-9]+"),
        ] {
            let more = if following.is_empty() { group("[a-z]+") } else { text(following) };
            assert!(Runs::compile(&[group(source), more]).is_none(), "{source} before {following}");
        }
    }

    fn some(of: &[&'static str]) -> impl Strategy<Value = &'static str> {
        prop::sample::select(of.to_vec())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]
        #[test]
        fn runs_match_and_capture_what_the_regular_expression_does(
            texts in prop::array::uniform3(some(&["", "/", ".", "/a", "1/", "é", "./", "a"])),
            groups in prop::array::uniform2(some(&[
                ".*", ".+", "[^/]+", "[^/]*", "[0-9]+", "[a-z]*", "a[0-9]*", "[^a]+a", "[.é]+", "x", "[^.é]*", "[^é]+", "[^.]*?",
            ])),
            url in "[/ab1é.]{0,6}",
        ) {
            let parts = [text(texts[0]), group(groups[0]), text(texts[1]), group(groups[1]), text(texts[2])];
            if let Some(runs) = Runs::compile(&parts) {
                let escaped = texts.map(regex_syntax::escape);
                let source = format!("^{}({}){}({}){}$", escaped[0], groups[0], escaped[1], groups[1], escaped[2]);
                let captures = regex::Regex::new(&source).unwrap().captures(&url);
                prop_assert_eq!(runs.matches(&url), captures.is_some(), "{} on {}", source, url);
                let caught: Vec<String> = captures.iter().flat_map(|groups| groups.iter().skip(1).flatten())
                    .map(|group| group.as_str().to_owned()).collect();
                prop_assert_eq!(runs.captures(&url), caught, "{} on {}", source, url);
            }
        }
    }
}
