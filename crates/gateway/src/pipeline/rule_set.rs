//! The active rules: compiled, indexed and immutable. A new set replaces the old one atomically.

use std::sync::Arc;

use super::{InvalidRule, Pipeline, Services};
use crate::config::Config;
use crate::domain::headers::{DecidedHeaders, KeptHeaders};
use crate::domain::overlap::{self, OverlapReport};
use crate::domain::pattern::Pattern;
use crate::domain::rule::{Match, Rule};
use crate::domain::rule_index::{IndexedRule, Lookup, RuleIndex};
use crate::domain::target::Target;
use crate::domain::upstream::Upstream;

#[derive(Debug, Default)]
pub(crate) struct RuleSet {
    rules: Vec<Arc<ActiveRule>>,
    index: RuleIndex,
    /// Maps positions of the index to positions in `rules`.
    indexed: Vec<usize>,
    decided_headers: DecidedHeaders,
    key_urls: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct ActiveRule {
    pub(crate) rule: Arc<Rule>,
    /// An invalid rule matches requests, but lets none through. One with an invalid URL pattern matches all that begin as the
    /// pattern does; one without a URL matches none.
    pub(crate) compiled: Result<CompiledRule, InvalidRule>,
}

#[derive(Debug)]
pub(crate) struct CompiledRule {
    pub(crate) pipeline: Pipeline,
    pub(crate) upstream: Option<Upstream>,
    pub(crate) takes_path_parameters: bool,
    pub(crate) kept_headers: KeptHeaders,
}

/// The result of looking up the rule of a request.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    None,
    One { rule: &'a Arc<ActiveRule>, position: usize },
    Several(&'a Arc<ActiveRule>, &'a Arc<ActiveRule>),
    Overrun(&'a Arc<ActiveRule>),
}

impl RuleSet {
    pub(crate) fn new(rules: Vec<Arc<Rule>>, config: &Config, services: &Services) -> Self {
        let strategy = config.access_rules.matching_strategy;
        let mut set = Self::default();
        let mut to_index = Vec::new();
        for (position, rule) in rules.into_iter().enumerate() {
            let mut compiled = compile(&rule, config, services);
            match &rule.matching {
                // Rules for remote procedure calls are never matched by URL.
                Some(matching) if matching.full_method.is_some() => {}
                Some(matching) => {
                    let pattern = match Pattern::compile(&matching.url, strategy) {
                        Ok(pattern) => {
                            if let Some(reason) = why_never_matched(matching) {
                                tracing::warn!(
                                    rule = rule.id,
                                    url = matching.url,
                                    reason,
                                    "the rule matches no request"
                                );
                            }
                            Some(pattern)
                        }
                        Err(error) => {
                            compiled = Err(error.into());
                            Pattern::beginning_of(&matching.url, strategy)
                        }
                    };
                    if let Some(pattern) = pattern {
                        let methods = matching.methods.iter().map(|method| method.to_ascii_uppercase()).collect();
                        to_index.push(IndexedRule { methods, pattern });
                        set.indexed.push(position);
                    }
                }
                None => compiled = Err(InvalidRule::Missing("match")),
            }
            if let Err(error) = &compiled {
                tracing::error!(rule = rule.id, error = error as &dyn std::error::Error, "the rule is invalid");
            }
            set.rules.push(Arc::new(ActiveRule { rule, compiled }));
        }
        set.index = RuleIndex::new(to_index);
        let pipelines = || set.rules.iter().filter_map(|rule| rule.compiled.as_ref().ok()).map(|it| &it.pipeline);
        set.decided_headers = DecidedHeaders::new(pipelines().flat_map(Pipeline::decided_headers));
        let mut key_urls: Vec<String> = pipelines().flat_map(Pipeline::signing_key_urls).map(str::to_owned).collect();
        key_urls.sort();
        key_urls.dedup();
        set.key_urls = key_urls;
        set
    }

    pub(crate) fn find(&self, target: &Target) -> Found<'_> {
        self.find_url(target.method.as_str(), target.url())
    }

    /// Like [`find`](Self::find), for another interpretation of a target's URL.
    pub(crate) fn find_url(&self, method: &str, url: &str) -> Found<'_> {
        let rule = |position: usize| &self.rules[self.indexed[position]];
        match self.index.find(method, url) {
            Lookup::None => Found::None,
            Lookup::One(position) => Found::One { rule: rule(position), position },
            Lookup::Many(first, second) => Found::Several(rule(first), rule(second)),
            Lookup::Overrun(position) => Found::Overrun(rule(position)),
        }
    }

    pub(crate) fn captures(&self, position: usize, url: &str) -> Vec<String> {
        self.index.captures(position, url)
    }

    /// The valid rules.
    pub(crate) fn valid(&self) -> impl Iterator<Item = &Arc<ActiveRule>> {
        self.rules.iter().filter(|rule| rule.compiled.is_ok())
    }

    /// The invalid rules, which let no request through, with the reasons.
    pub(crate) fn invalid(&self) -> impl Iterator<Item = (&str, &InvalidRule)> {
        self.rules.iter().filter_map(|rule| Some((rule.rule.id.as_str(), rule.compiled.as_ref().err()?)))
    }

    /// Settings of valid rules that no request can satisfy, with the ids of the rules.
    pub(crate) fn mistakes(&self) -> impl Iterator<Item = (&str, String)> {
        let compiled = self.rules.iter().filter_map(|it| Some((it.rule.id.as_str(), it.compiled.as_ref().ok()?)));
        compiled.flat_map(|(id, compiled)| compiled.pipeline.mistakes().into_iter().map(move |it| (id, it)))
    }

    pub(crate) fn len(&self) -> usize {
        self.rules.len()
    }

    pub(crate) const fn decided_headers(&self) -> &DecidedHeaders {
        &self.decided_headers
    }

    pub(crate) fn key_urls(&self) -> &[String] {
        &self.key_urls
    }

    /// Pairs of rules that some request matches both of. This takes a while for many rules.
    pub(crate) fn overlaps(&self) -> OverlapReport {
        overlap::find(&self.index)
    }

    /// The id of the rule at a position of an overlap report.
    pub(crate) fn id(&self, position: usize) -> &str {
        self.indexed.get(position).map_or("", |position| &self.rules[*position].rule.id)
    }
}

fn compile(rule: &Rule, config: &Config, services: &Services) -> Result<CompiledRule, InvalidRule> {
    let upstream =
        Upstream::compile(&rule.upstream, config.access_rules.upstream_paths).map_err(InvalidRule::Upstream)?;
    Ok(CompiledRule {
        pipeline: Pipeline::compile(rule, config, services)?,
        upstream,
        takes_path_parameters: rule.upstream.path_parameters,
        kept_headers: KeptHeaders::new(&rule.upstream.keep_headers).map_err(InvalidRule::Upstream)?,
    })
}

/// Why no request can match a valid rule.
fn why_never_matched(matching: &Match) -> Option<&'static str> {
    if matching.methods.is_empty() {
        return Some("it has no methods");
    }
    has_trailing_slash(&matching.url).then_some("requests are matched without their trailing slash")
}

/// Whether the path of a URL pattern ends in a slash and is not the root.
fn has_trailing_slash(url: &str) -> bool {
    url.strip_suffix('/').is_some_and(|rest| rest.split_once("://").map_or(rest, |(_, after)| after).contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_no_request_can_match_is_detected() {
        let matching = |url: &str, methods: &[&str]| Match {
            url: url.to_owned(),
            methods: methods.iter().map(|method| (*method).to_owned()).collect(),
            ..Match::default()
        };
        for url in ["http://h/", "http://h", "http://h/a", "http://h/<.*>/"] {
            let is_never = why_never_matched(&matching(url, &["GET"])).is_some();
            assert_eq!(is_never, url == "http://h/<.*>/", "{url}");
        }
        assert_eq!(why_never_matched(&matching("http://h", &[])), Some("it has no methods"));
    }
}
