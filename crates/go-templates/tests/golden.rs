//! Compares the output of templates with the originals: `golden/results.json` holds the output of Go's `text/template` and
//! sprig for each, with the values of `golden/data.json`.

use std::fmt::Write as _;

use go_templates::{TextTemplate, value_of};
use serde_json::Value;

const DATA: &str = include_str!("golden/data.json");
const RESULTS: &str = include_str!("golden/results.json");

/// Deliberate differences: the template, the output here, and the reason. `None` is a failure.
const DIFFERENT: &[(&str, Option<&str>, &str)] = &[
    ("{{ nospace .u }}", Some("Grüße,ünïcode✓日本"), "the original treats each byte as a character"),
    (
        "{{ nospace .q }}",
        Some("a\"b\\c\u{7}\u{200b}'<&>\u{0}\u{7f}é\u{301}"),
        "the original treats each byte as a character",
    ),
    ("{{ nospace .sp }}", Some("abc"), "the original treats each byte as a character"),
    ("{{ nospace .name }}", Some("jean-luco'neilvon_der3rdÉCOLE"), "the original treats each byte as a character"),
    ("{{ nospace \"\\u00a0x\\u2003\" | quote }}", Some("\"x\""), "the original treats each byte as a character"),
    ("{{ trunc 3 .u | quote }}", Some("\"Gr\u{fffd}\""), CUT),
    ("{{ substr 1 3 .u | quote }}", Some("\"r\u{fffd}\""), CUT),
    ("{{ trunc 5 .u | quote }}", Some("\"Grü\u{fffd}\""), CUT),
    ("{{ substr 1 5 .u | quote }}", Some("\"rü\u{fffd}\""), CUT),
    ("{{ trunc 20 .u | quote }}", Some("\"Grüße, ünïcode \u{fffd}\""), CUT),
    ("{{ substr 1 20 .u | quote }}", Some("\"rüße, ünïcode \u{fffd}\""), CUT),
    ("{{ trunc -1 .u | quote }}", Some("\"\u{fffd}\""), CUT),
    ("{{ trunc -5 .u | quote }}", Some("\"\u{fffd}\u{fffd}本\""), CUT),
    ("{{ b64dec .bytes64 | quote }}", Some("\"\u{fffd}\u{fffd}\u{fffd}\""), CUT),
    ("{{ typeOf (splitList \",\" \"a\") }}", Some("[]interface {}"), "lists have one type here"),
    ("{{ regexSplit \"a\" \"banana\" 0 | toJson }}", Some("[]"), EMPTY),
    ("{{ regexFindAll \"a\" \"banana\" 0 | toJson }}", Some("[]"), EMPTY),
    ("{{ regexFindAll \"x\" \"banana\" -1 | toJson }}", Some("[]"), EMPTY),
    ("{{ .missing.x }}", Some("<no value>"), "a member of nil is nil here, a failure in Go"),
    ("{{ /* c */ }}x", Some("x"), "Go requires comments without spaces"),
];

const CUT: &str = "a character that is cut in two is U+FFFD: texts are UTF-8 here";
const EMPTY: &str = "a list without items is `[]` here, not null";

fn rendered(template: &str, data: &go_templates::Value) -> Option<String> {
    TextTemplate::new("test", 10_000).parse(template).ok()?.render(data).ok()
}

#[test]
fn templates_render_as_the_originals() {
    let data = value_of(&serde_json::from_str(DATA).unwrap());
    let results: Value = serde_json::from_str(RESULTS).unwrap();
    let results = results["results"].as_array().unwrap();
    assert!(results.len() > 1500, "{} templates", results.len());
    let (mut wrong, mut used) = (String::new(), 0);
    for row in results {
        let template = row["template"].as_str().unwrap();
        let difference = DIFFERENT.iter().find(|(different, ..)| *different == template);
        let expected = difference.map_or_else(|| row["output"].as_str(), |(_, ours, _)| *ours);
        used += usize::from(difference.is_some());
        if difference.is_some_and(|(_, ours, _)| *ours == row["output"].as_str()) {
            let _ = writeln!(wrong, "{template}: no longer differs");
        }
        let got = rendered(template, &data);
        if got.as_deref() != expected {
            let _ = writeln!(wrong, "{template}: {got:?} instead of {expected:?}");
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{wrong}", wrong.lines().count());
    assert_eq!(used, DIFFERENT.len(), "a listed difference has no template");
}
