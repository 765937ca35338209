//! A rule document: a JSON or YAML array of rules. Rules for older versions are migrated while they are read.

use base::OfObjects;
use serde_json::{Value, json};

use super::rule::Rule;

/// The version of loaded rules, which is the supported version of the rule format.
pub(crate) const RULE_VERSION: &str = "v26.2.0";

/// Why a document is rejected as a whole. The previous rules of its source stay active.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DocumentError {
    #[error("the document is neither JSON nor YAML: {0}")]
    Syntax(String),
    #[error("the document is not a list of rules")]
    NotAList,
    #[error("rule {index} (id `{id}`) cannot be read: {reason}")]
    Rule { index: usize, id: String, reason: String },
    #[error("rule {index} (id `{id}`) has the version `{version}`, which is not a semantic version")]
    Version { index: usize, id: String, version: String },
}

/// Parses a document: JSON when it is valid JSON, YAML otherwise.
pub(crate) fn parse(text: &str) -> Result<Vec<Rule>, DocumentError> {
    let document: Value = match serde_json::from_str(text) {
        Ok(document) => document,
        Err(json_error) => parse_yaml(text).map_err(|yaml_error| {
            let looks_like_json = text.trim_start().starts_with(['[', '{']);
            DocumentError::Syntax(if looks_like_json { json_error.to_string() } else { yaml_error })
        })?,
    };
    let Value::Array(items) = document else {
        return Err(DocumentError::NotAList);
    };
    items.into_iter().enumerate().map(|(index, item)| read_rule(index, item)).collect()
}

fn parse_yaml(text: &str) -> Result<Value, String> {
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| error.to_string())
}

fn read_rule(index: usize, mut item: Value) -> Result<Rule, DocumentError> {
    let text = |key: &str| item.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (id, version) = (text("id"), text("version"));
    if !version.is_empty() {
        let Some(version) = Version::parse(&version) else {
            return Err(DocumentError::Version { index, id, version });
        };
        migrate(&mut item, &version);
    }
    let OfObjects::<Rule>(mut rule) =
        serde_json::from_value(item).map_err(|error| DocumentError::Rule { index, id, reason: error.to_string() })?;
    RULE_VERSION.clone_into(&mut rule.version);
    Ok(rule)
}

/// A semantic version, reduced to what ordering needs. A pre-release sorts before its release.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    numbers: [u64; 3],
    is_release: bool,
    pre_release: Vec<PreReleasePart>,
}

/// Semantic Versioning section 11.4: numeric identifiers sort before alphanumeric ones.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum PreReleasePart {
    Number(u64),
    Word(String),
}

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let text = text.split('+').next()?;
        let (numbers, pre_release) = text.split_once('-').map_or((text, None), |(n, p)| (n, Some(p)));
        let mut parts = numbers.split('.');
        let mut next = || parts.next()?.parse().ok();
        let numbers = [next()?, next()?, next()?];
        if parts.next().is_some() || pre_release.is_some_and(|text| text.split('.').any(str::is_empty)) {
            return None;
        }
        let pre_release = pre_release
            .into_iter()
            .flat_map(|text| text.split('.'))
            .map(|part| part.parse().map_or_else(|_| PreReleasePart::Word(part.to_owned()), PreReleasePart::Number))
            .collect::<Vec<_>>();
        Some(Self { numbers, is_release: pre_release.is_empty(), pre_release })
    }
}

fn migrate(rule: &mut Value, version: &Version) {
    let until = |text: &str| Version::parse(text).is_some_and(|last| *version <= last);
    if until("0.32.0-beta.1") {
        for mutator in rule.get_mut("mutators").and_then(Value::as_array_mut).into_iter().flatten() {
            migrate_hydrator_retry(mutator);
        }
    }
    if until("0.37.0")
        && let Some(authorizer) = rule.get_mut("authorizer")
    {
        migrate_capture_references(authorizer);
    }
}

/// Until 0.32.0-beta.1: a number of retries and a delay; since then a total and a maximum delay.
fn migrate_hydrator_retry(mutator: &mut Value) {
    if mutator.get("handler").and_then(Value::as_str) != Some("hydrator") {
        return;
    }
    let Some(retry) = mutator.pointer_mut("/config/api/retry").and_then(Value::as_object_mut) else {
        return;
    };
    let delay = retry.remove("delay_in_milliseconds").and_then(|value| value.as_u64());
    let count = retry.remove("number_of_retries").and_then(|value| value.as_u64());
    if delay.is_none() && count.is_none() {
        return;
    }
    let delay = delay.unwrap_or(100);
    retry.insert("max_delay".to_owned(), json!(format!("{delay}ms")));
    if let Some(count) = count {
        retry.insert("give_up_after".to_owned(), json!(format!("{}ms", count.saturating_mul(delay))));
    }
}

/// Until 0.37.0: `$1` for the first captured group; since then a template.
fn migrate_capture_references(authorizer: &mut Value) {
    if authorizer.get("handler").and_then(Value::as_str) != Some("keto_engine_acp_ory") {
        return;
    }
    for key in ["required_action", "required_resource"] {
        if let Some(Value::String(text)) = authorizer.get_mut("config").and_then(|config| config.get_mut(key)) {
            *text = replace_capture_references(text);
        }
    }
}

fn replace_capture_references(text: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let digits = rest[at + 1..].bytes().take_while(u8::is_ascii_digit).count();
        replaced.push_str(&rest[..at]);
        let end = at + 1 + digits;
        if digits == 0 {
            replaced.push('$');
        } else {
            let group = &rest[at + 1..end];
            let template = ["{{ printIndex .MatchContext.RegexpCaptureGroups (sub ", group, " 1 | int)}}"];
            replaced.extend(template);
        }
        rest = &rest[end..];
    }
    replaced.push_str(rest);
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn json_and_yaml_are_equivalent() {
        let json = r#"[{"id":"a","match":{"url":"http://h","methods":["GET"]}}]"#;
        let yaml = "- id: a\n  match:\n    url: http://h\n    methods: [GET]\n";
        assert_eq!(parse(json).unwrap(), parse(yaml).unwrap());
        assert_eq!(parse(json).unwrap()[0].version, RULE_VERSION);
        assert_eq!(parse("[]"), Ok(vec![]));
    }

    #[test]
    fn yaml_booleans_of_version_1_1_stay_strings() {
        assert_eq!(parse("- id: no\n  description: \"yes\"").unwrap()[0].id, "no");
    }

    #[test]
    fn an_error_names_the_invalid_rule() {
        assert_eq!(parse("{}"), Err(DocumentError::NotAList));
        assert!(matches!(parse("[{"), Err(DocumentError::Syntax(_))));
        assert!(matches!(parse(": : :\n- ["), Err(DocumentError::Syntax(_))));
        let error = parse(r#"[{"id":"a"},{"id":"b","match":{"methods":"GET"}}]"#).unwrap_err();
        assert!(error.to_string().starts_with("rule 1 (id `b`) cannot be read"), "{error}");
        for list in [r#"[["a"]]"#, r#"[{"match":["http://h"]}]"#, r#"[{"authenticators":[["noop"]]}]"#] {
            assert!(parse(list).unwrap_err().to_string().contains("invalid type: sequence"), "{list}");
        }
        assert!(matches!(parse(r#"[{"version":"next"}]"#), Err(DocumentError::Version { index: 0, .. })));
    }

    #[test]
    fn versions_are_ordered() {
        let order =
            ["0.31.9", "0.32.0-alpha", "0.32.0-beta", "0.32.0-beta.1", "0.32.0-beta.2", "v0.32.0", "0.36.10", "1.0.0"];
        let versions: Vec<_> = order.iter().map(|text| Version::parse(text).unwrap()).collect();
        assert!(versions.is_sorted());
        for text in ["", "1", "1.2", "1.2.3.4", "a.b.c", "1.2.3-"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_rule_of_0_31_gets_the_new_retry_settings() {
        let document = r#"[{"id":"a","version":"v0.31.0","mutators":[{"handler":"hydrator","config":{"api":
            {"url":"http://h","retry":{"number_of_retries":5,"delay_in_milliseconds":200}}}}]}]"#;
        let rules = parse(document).unwrap();
        assert_eq!(
            rules[0].mutators[0].config["api"]["retry"],
            json!({"max_delay": "200ms", "give_up_after": "1000ms"})
        );
        let newer = document.replace("v0.31.0", "v0.32.0");
        assert_eq!(parse(&newer).unwrap()[0].mutators[0].config["api"]["retry"]["number_of_retries"], 5);
    }

    #[test]
    fn a_rule_of_0_37_gets_templates_for_its_groups() {
        let document = r#"[{"id":"a","version":"0.37.0","authorizer":{"handler":"keto_engine_acp_ory",
            "config":{"required_action":"a:$1","required_resource":"$2:$x"}}}]"#;
        let config = parse(document).unwrap()[0].authorizer.config.clone();
        assert_eq!(config["required_action"], "a:{{ printIndex .MatchContext.RegexpCaptureGroups (sub 1 1 | int)}}");
        assert_eq!(config["required_resource"], "{{ printIndex .MatchContext.RegexpCaptureGroups (sub 2 1 | int)}}:$x");
    }

    proptest! {
        #[test]
        fn the_parser_never_panics(text in "[-a-z:{}\\[\\]\"', \n0-9&*!|>#]{0,60}") {
            let _ = parse(&text);
        }
    }
}
