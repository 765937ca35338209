//! Templates with JSON output: the claims of an ID token.
//!
//! The output of an action is escaped according to its context. Inside a string of the template (`"{{ print .Subject }}"`)
//! it is escaped as the content of a JSON string (RFC 8259 section 7). Outside a string (`{{ .Extra.groups | toJson }}`) it
//! must be one JSON value, or empty. So no value can end the string or the object that contains it.
//!
//! The engine does not know the context, and a branch may change it. Therefore each action marks its output, and the marks
//! are resolved in the finished text, where the context is known.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use super::compiled::{RenderError, Template, TemplateError};
use super::context::TemplateView;
use super::marks::{CLOSE, ESCAPE, OPEN, unmarked};
use super::rewrite;

#[derive(Clone, Debug)]
pub(crate) struct JsonTemplate(Template);

impl JsonTemplate {
    pub(crate) fn compile(text: &str) -> Result<Self, TemplateError> {
        // RFC 8259 section 7: JSON contains no control characters except white space between tokens.
        if text.contains([OPEN, CLOSE, ESCAPE]) {
            let reason = "it contains a control character".to_owned();
            return Err(TemplateError::Syntax { source_text: text.to_owned(), reason });
        }
        Template::compile_with(text, rewrite::DISPLAY_MARKED).map(Self)
    }

    /// The text of a constant template.
    pub(crate) fn constant(&self) -> Option<&str> {
        self.0.constant()
    }

    /// The text, which is JSON if the template's own text is.
    pub(crate) fn render<'a>(&'a self, view: &TemplateView<'a>) -> Result<Cow<'a, str>, RenderError> {
        let marked = self.0.render(view)?;
        if !marked.contains(OPEN) {
            return Ok(marked);
        }
        let assembled = assemble(&marked);
        assembled.map(Cow::Owned).map_err(|reason| RenderError { source_text: self.0.source().to_owned(), reason })
    }
}

/// The position within a JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Outside,
    InString,
    /// After the backslash of an escape sequence.
    InEscape,
}

/// Resolves the marks. The error is for the log: it names the member and never the value.
fn assemble(marked: &str) -> Result<String, String> {
    let mut text = String::with_capacity(marked.len() + 16);
    let mut place = Place::Outside;
    // The last string of the template's own text, which is the name of the member whose value follows.
    let (mut string_at, mut last_string, mut member) = (0, 0..0, 0..0);
    let mut rest = marked;
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        if character == OPEN {
            let (printed, after) = rest.split_once(CLOSE).ok_or("the output of an action is not terminated")?;
            rest = after;
            let fault = |what: &str| format!("{what} (at the member `{}`)", &text[member.clone()]);
            let printed = unmarked(printed);
            match place {
                Place::Outside => {
                    let is_value = printed.trim().is_empty() || serde_json::from_str::<IgnoredAny>(&printed).is_ok();
                    if !is_value {
                        return Err(fault(
                            "an action outside of quotation marks must print one JSON value: write \"{{ ... }}\" or `| toJson`",
                        ));
                    }
                    text.push_str(&printed);
                }
                Place::InString => text.push_str(&escaped(&printed)),
                Place::InEscape => return Err(fault("an action follows a backslash")),
            }
            continue;
        }
        match (place, character) {
            (Place::Outside, '"') => {
                place = Place::InString;
                string_at = text.len() + 1;
            }
            (Place::Outside, ':') => member = last_string.clone(),
            (Place::InString, '"') => {
                place = Place::Outside;
                last_string = string_at..text.len();
            }
            (Place::InString, '\\') => place = Place::InEscape,
            (Place::InEscape, _) => place = Place::InString,
            (Place::Outside | Place::InString, _) => {}
        }
        text.push(character);
    }
    Ok(text)
}

/// The content of a JSON string, without its quotation marks.
fn escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    use crate::domain::session::{Extra, Session};
    use crate::tests::fixtures::Request;

    fn render(template: &str, extra: Json) -> Result<Json, String> {
        let template = JsonTemplate::compile(template).map_err(|error| error.to_string())?;
        let session = Session::authenticated("jwt", "alice".to_owned(), Extra::new(extra));
        let request = Request::get("http://h/");
        let view = TemplateView { session: &session, inbound: &request.inbound() };
        let text = template.render(&view).map_err(|error| error.to_string())?;
        serde_json::from_str(&text).map_err(|error| format!("{text}: {error}"))
    }

    #[test]
    fn common_templates_render_the_expected_claims() {
        let extra = json!({
            "name": "Jo", "n": 1_000_000, "yes": true, "nothing": null, "list": ["a", "b"], "deep": {"a": [1, {"b": "c"}]},
            "text": "{\"a\": 1}",
        });
        for (template, expected) in [
            (r"{}", json!({})),
            (r#"{"a": "{{ print .Extra.name }}"}"#, json!({"a": "Jo"})),
            (r#"{"a": "{{ .Extra.name }}", "b": "x {{ .Subject }} y"}"#, json!({"a": "Jo", "b": "x alice y"})),
            (r#"{"a": {{ .Extra.name | toJson }}}"#, json!({"a": "Jo"})),
            (r#"{"a": {{ .Extra.name | quote }}}"#, json!({"a": "Jo"})),
            (
                r#"{"a": {{ .Extra.deep | toJson }}, "b": {{ toJson .Extra.list }}}"#,
                json!({"a": {"a": [1, {"b": "c"}]}, "b": ["a", "b"]}),
            ),
            (
                r#"{"a": {{ .Extra.n }}, "b": {{ .Extra.yes }}, "c": {{ toJson .Extra.nothing }}}"#,
                json!({"a": 1e6, "b": true, "c": null}),
            ),
            (r#"{"a": {{ int .Extra.n }}}"#, json!({"a": 1_000_000})),
            (r#"{"a": {{ .Extra.text }}}"#, json!({"a": {"a": 1}})),
            (
                r#"{"a": [{{ range $i, $x := .Extra.list }}{{ if $i }}, {{ end }}"{{ $x }}"{{ end }}]}"#,
                json!({"a": ["a", "b"]}),
            ),
            (r#"{"a": [{{ printf "\"%s\"" .Extra.name }}]}"#, json!({"a": ["Jo"]})),
            (r#"{"a": "{{ printf "%s/%s" .Subject .Extra.name }}"}"#, json!({"a": "alice/Jo"})),
            (r#"{"a": {{ if .Extra.yes }}"{{ .Subject }}"{{ else }}null{{ end }}}"#, json!({"a": "alice"})),
            (r#"{{ define "t" }}"{{ . }}"{{ end }}{"a": {{ template "t" .Subject }}}"#, json!({"a": "alice"})),
            (r#"{"a": 1{{ print .Extra.missing }}}"#, json!({"a": 1})),
            (
                r#"{"a": "{{ print .Extra.missing }}", "b": "{{ .Extra.missing }}"}"#,
                json!({"a": "", "b": "<no value>"}),
            ),
            (r#"{"a": "\"{{ .Subject }}\\"}"#, json!({"a": "\"alice\\"})),
            (r"{{ .Extra.deep | toJson }}", json!({"a": [1, {"b": "c"}]})),
        ] {
            assert_eq!(render(template, extra.clone()), Ok(expected), "{template}");
        }
    }

    #[test]
    fn an_action_outside_of_a_string_must_print_one_json_value() {
        for (template, value) in [
            (r#"{"a": 1, "b": {{ print .Extra.x }}}"#, r#"1, "role": "admin""#),
            (r#"{"a": 1, "b": {{ print .Extra.x }}}"#, "plain"),
            (r#"{"a": 1, "b": {{ print .Extra.x }}}"#, r"1} {"),
            (r#"{"a": 1, "b": "" {{ print .Extra.x }}}"#, r#", "role": "admin""#),
            (r#"{"a": 1, "b": {{ printf "\"%s\"" .Extra.x }}}"#, r#"x", "role": "admin"#),
            (r#"{"a": 1, "b": "\{{ print .Extra.x }}"}"#, "n"),
        ] {
            let error = render(template, json!({"x": value})).unwrap_err();
            assert!(error.contains("(at the member `b`)") && !error.contains("admin"), "{template}: {error}");
        }
        assert!(JsonTemplate::compile("{\"a\u{1}\": 1}").is_err());
    }

    proptest! {
        #[test]
        fn a_value_cannot_change_other_claims(
            value in r#"(x|"|\\|,|:|\{|\}|\[|\]|\n|\r|\t|\x00|\x01|\x02|\x03|é|\u{2028}|"role":"admin"|[a-z ]){0,12}"#
        ) {
            for template in [
                r#"{"name": "{{ print .Extra.x }}", "role": "user"}"#,
                r#"{"name": "{{ .Extra.x }}", "role": "user"}"#,
                r#"{"name": {{ .Extra.x | toJson }}, "role": "user"}"#,
                r#"{{ with .Extra }}{"name": {{ if true }}"{{ .x }}"{{ end }}, "role": "user"}{{ end }}"#,
            ] {
                let expected = json!({"name": value, "role": "user"});
                prop_assert_eq!(render(template, json!({"x": value})), Ok(expected), "{}", template);
            }
            for template in [r#"{"name": {{ print .Extra.x }}, "role": "user"}"#, r#"{ {{ print .Extra.x }} "role": "user"}"#] {
                if let Ok(claims) = render(template, json!({"x": value})) {
                    prop_assert_eq!(&claims["role"], "user", "{}", template);
                    prop_assert!(claims.as_object().unwrap().keys().all(|it| it == "name" || it == "role"));
                }
            }
        }
    }
}
