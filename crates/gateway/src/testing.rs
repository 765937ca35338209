//! Entry points to the parsers of untrusted input, for fuzzers. Inputs and outputs are plain strings, so that the internal
//! types stay internal.

use std::borrow::Cow;

use base::uuid::Uuid;
use base::{Context, RequestId, TenantId, Timestamp};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method};
use serde_json::Value;

pub use crate::domain::pattern::MatchingStrategy;

use crate::domain::json_path::JsonPath;
use crate::domain::path::{self, RequestPath};
use crate::domain::pattern::Pattern;
use crate::domain::rule_index::{IndexedRule, Lookup, RuleIndex};
use crate::domain::session::{Extra, Session};
use crate::domain::target::{Host, Scheme, Target};
use crate::domain::upstream::{Upstream, UpstreamPaths};
use crate::domain::{overlap, rule, rule_document};
use crate::http::target;
use crate::pipeline::template::{JsonTemplate, Template, TemplateView};
use crate::pipeline::{Evaluation, Inbound};

/// A normalized request path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NormalPath {
    /// The path that rules match.
    pub decoded: String,
    /// What the upstream receives.
    pub forwarded: String,
    /// The path that rules match when the upstream removes path parameters; absent when the path has none, or when they are
    /// rejected.
    pub without_parameters: Option<String>,
}

/// `None` when the path is rejected.
pub fn normalize(path: &str) -> Option<NormalPath> {
    let path = RequestPath::parse(path).ok()?;
    let (decoded, forwarded) = (path.decoded().to_owned(), path.forwarded().to_owned());
    let without_parameters = path::without_parameters(&decoded, &forwarded).ok().flatten();
    Some(NormalPath { decoded, forwarded, without_parameters })
}

/// The URL that rules match, for a request to the proxy or to the decision API; `None` when it is rejected.
pub fn target_url(parts: &Parts, is_decision: bool, is_forwarder: bool) -> Option<String> {
    let target = if is_decision {
        target::of_decision(parts, is_forwarder).ok()?
    } else {
        target::of_proxied(parts, is_forwarder).ok()?
    };
    Some(target.url().to_owned())
}

/// The path of the forwarded request for `path`; `None` when `upstream` is invalid or the path is rejected.
pub fn upstream_path(upstream: &str, strip_path: &str, path: &str) -> Option<String> {
    let settings =
        rule::Upstream { url: upstream.to_owned(), strip_path: strip_path.to_owned(), ..rule::Upstream::default() };
    let upstream = Upstream::compile(&settings, UpstreamPaths::Exact).ok()??;
    let host = Host::parse("a.example").ok()?;
    let requested = PathAndQuery::try_from(path).ok();
    let target = Target::new(Method::GET, Scheme::Https, &host, &RequestPath::parse(path).ok()?, None);
    Some(upstream.uri(&target, requested.as_ref())?.path().to_owned())
}

/// The number of rules in a document, after indexing them and comparing their patterns.
///
/// # Errors
/// The document is not valid.
pub fn read_rules(document: &str, strategy: MatchingStrategy) -> Result<usize, String> {
    let rules = rule_document::parse(document).map_err(|error| error.to_string())?;
    let urls = rules.iter().filter_map(|rule| Some(&rule.matching.as_ref()?.url));
    let patterns = urls.filter_map(|url| Pattern::compile(url, strategy).ok());
    let index = index_of(patterns.collect());
    overlap::find(&index);
    Ok(rules.len())
}

fn index_of(patterns: Vec<Pattern>) -> RuleIndex {
    let indexed = |pattern| IndexedRule { methods: vec!["GET".to_owned()], pattern };
    RuleIndex::new(patterns.into_iter().map(indexed).collect())
}

/// The rules that the index finds for `url`, two at most, and all that a linear search finds. `None` when a pattern
/// exceeded its step limit.
pub fn find_both_ways(templates: &[String], strategy: MatchingStrategy, url: &str) -> Option<[Vec<usize>; 2]> {
    let compile = || templates.iter().filter_map(|template| Pattern::compile(template, strategy).ok());
    let mut every = Vec::new();
    for (position, pattern) in compile().enumerate() {
        if pattern.matches(url).ok()? {
            every.push(position);
        }
    }
    let found = match index_of(compile().collect()).find("GET", url) {
        Lookup::None => Vec::new(),
        Lookup::One(position) => vec![position],
        Lookup::Many(first, second) => vec![first, second],
        Lookup::Overrun(_) => return None,
    };
    Some([found, every])
}

/// Compiles a template and renders it for a session with this subject and `extra`; `None` if either fails.
pub fn render(template: &str, subject: &str, extra: Value) -> Option<String> {
    let template = Template::compile(template).ok()?;
    with_view(subject, extra, |view| template.render(view).ok().map(Cow::into_owned))
}

/// The same for the claims of an ID token.
pub fn render_claims(template: &str, subject: &str, extra: Value) -> Option<String> {
    let template = JsonTemplate::compile(template).ok()?;
    with_view(subject, extra, |view| template.render(view).ok().map(Cow::into_owned))
}

fn with_view<T>(subject: &str, extra: Value, render: impl FnOnce(&TemplateView<'_>) -> Option<T>) -> Option<T> {
    let session = Session::authenticated("cookie_session", subject.to_owned(), Extra::new(extra));
    let host = Host::parse("a.example").ok()?;
    let target = Target::new(Method::GET, Scheme::Https, &host, &RequestPath::parse("/a/b").ok()?, Some("c=d"));
    let cx = Context::for_background(Timestamp::EPOCH, TenantId::DEFAULT, RequestId(Uuid::nil()));
    let headers = HeaderMap::new();
    let captures = || vec![subject.to_owned()];
    let inbound = Inbound::new(&cx, &target, &headers, Evaluation::Recheck, &captures);
    render(&TemplateView { session: &session, inbound: &inbound })
}

/// The value at a path of `subject_from` or `extra_from`.
pub fn find_in_json(path: &str, value: &Value) -> Option<Value> {
    JsonPath::parse(path).ok()?.find(value).map(Cow::into_owned)
}
