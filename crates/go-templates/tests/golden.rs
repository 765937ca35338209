//! The same templates here and at the originals: `golden/results.json` holds what Go's `text/template` and sprig make of each,
//! with the values of `golden/data.json`.

use std::fmt::Write as _;

use go_templates::{TextTemplate, value_of};
use serde_json::Value;

const DATA: &str = include_str!("golden/data.json");
const RESULTS: &str = include_str!("golden/results.json");

/// Where the answer is another one on purpose: the template, what it is here, and why. `None` is a failure.
const DIFFERENT: &[(&str, Option<&str>, &str)] = &[
    ("{{ nospace .u }}", Some("Grüße,ünïcode✓日本"), "the original takes each byte for a character"),
    (
        "{{ nospace .q }}",
        Some("a\"b\\c\u{7}\u{200b}'<&>\u{0}\u{7f}é\u{301}"),
        "the original takes each byte for a character",
    ),
    ("{{ nospace .sp }}", Some("abc"), "the original takes each byte for a character"),
    ("{{ nospace .name }}", Some("jean-luco'neilvon_der3rdÉCOLE"), "the original takes each byte for a character"),
    ("{{ nospace \"\\u00a0x\\u2003\" | quote }}", Some("\"x\""), "the original takes each byte for a character"),
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
    ("{{ .missing.x }}", Some("<no value>"), "a member of nothing is nothing here, a failure in Go"),
    ("{{ /* c */ }}x", Some("x"), "Go wants comments without spaces"),
];

const CUT: &str = "a character that is cut in two is U+FFFD: texts are UTF-8 here";
const EMPTY: &str = "a list without items is `[]` here, not null";

fn rendered(template: &str, data: &go_templates::Value) -> Option<String> {
    TextTemplate::new("test", 10_000).parse(template).ok()?.render(data).ok()
}

#[test]
fn templates_give_what_the_originals_give() {
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
            let _ = writeln!(wrong, "{template}: is the same by now");
        }
        let got = rendered(template, &data);
        if got.as_deref() != expected {
            let _ = writeln!(wrong, "{template}: {got:?} instead of {expected:?}");
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{wrong}", wrong.lines().count());
    assert_eq!(used, DIFFERENT.len(), "a difference is about no template");
}
