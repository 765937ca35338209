//! Templates of Go's `text/template` and `html/template`, with the functions and Go's formatting.

use std::fmt::Write;

use gotmpl::parse::{BranchNode, CommandNode, Expr, ListNode, Node, Parser, PipeNode, SmolStr};
use gotmpl::{MissingKey, Template, TemplateError, Value, html};

use crate::functions::functions;
use crate::{Outcome, displayed, exactly, wrong};

/// The maximum length of a rendered text, in bytes.
pub const MOST_TEXT: usize = 1 << 20;

/// The last command of every action; templates cannot use this name.
const DISPLAY: &str = "\u{1}display";
/// The template that is rendered.
const MAIN: &str = "\u{1}main";
const CALL_MAIN: &str = "{{template \"\\u0001main\" .}}";

/// A `text/template`, and the templates that it may call.
pub struct TextTemplate(Template);

/// An `html/template`, which escapes its output according to the context.
pub struct HtmlTemplate(html::Template);

impl TextTemplate {
    /// `most_iterations` limits all loops of one rendering together.
    pub fn new(name: &str, most_iterations: u64) -> Self {
        let template = Template::new(name)
            .funcs(functions())
            .func(DISPLAY, |given| display(given, displayed))
            .missing_key(MissingKey::ZeroValue)
            .max_range_iters(most_iterations);
        Self(template)
    }

    /// Adds a text. Other texts can call its definitions; the last text is rendered.
    ///
    /// # Errors
    /// The text is not a template, or calls a function that does not exist.
    pub fn parse(self, text: &str) -> Result<Self, TemplateError> {
        let template = self.0.parse(CALL_MAIN)?;
        let trees = trees(text)?.into_iter();
        Ok(Self(trees.fold(template, |template, (name, tree)| template.add_parse_tree(&name, tree))))
    }

    /// # Errors
    /// A function fails, or the text is too long.
    pub fn render(&self, data: &Value) -> Result<String, TemplateError> {
        render(|text| self.0.execute_fmt(text, data))
    }
}

impl HtmlTemplate {
    /// See [`TextTemplate::new`].
    pub fn new(name: &str, most_iterations: u64) -> Self {
        let template = html::Template::new(name)
            .funcs(functions())
            // Lists keep their type: scripts format them differently than text does.
            .func(DISPLAY, |given| {
                display(given, |value| match value {
                    Value::Float(_) | Value::Function(_) => displayed(value),
                    other => other.clone(),
                })
            })
            .missing_key(MissingKey::ZeroValue)
            .max_range_iters(most_iterations);
        Self(template)
    }

    /// See [`TextTemplate::parse`].
    ///
    /// # Errors
    /// The text is not a template, or calls a function that does not exist.
    pub fn parse(self, text: &str) -> Result<Self, TemplateError> {
        let template = self.0.parse(CALL_MAIN)?;
        trees(text)?
            .into_iter()
            .try_fold(template, |template, (name, tree)| template.add_parse_tree(&name, tree))
            .map(Self)
    }

    /// # Errors
    /// A function fails, the text is too long, or a value cannot be escaped in its context.
    pub fn render(&self, data: &Value) -> Result<String, TemplateError> {
        render(|text| self.0.execute_fmt(text, data))
    }
}

/// The templates of a text by name, with Go's formatting.
fn trees(text: &str) -> Result<Vec<(String, ListNode)>, TemplateError> {
    let (mut tree, defines) = Parser::new(text, "{{", "}}")?.parse()?;
    display_all(&mut tree);
    let defined = defines.into_iter().map(|mut define| {
        display_all(&mut define.body);
        (define.name.to_string(), define.body)
    });
    Ok(defined.chain([(MAIN.to_owned(), tree)]).collect())
}

/// Lets `execute` write a text of at most [`MOST_TEXT`] bytes.
///
/// # Errors
/// Those of `execute`, and a text that is too long.
pub fn render(execute: impl FnOnce(&mut BoundedText) -> Result<(), TemplateError>) -> Result<String, TemplateError> {
    let mut text = BoundedText { text: String::new(), is_full: false };
    let outcome = execute(&mut text);
    if text.is_full {
        return Err(wrong("the text is too long"));
    }
    outcome.map(|()| text.text)
}

/// A buffer with a maximum length.
pub struct BoundedText {
    text: String,
    is_full: bool,
}

impl Write for BoundedText {
    fn write_str(&mut self, part: &str) -> std::fmt::Result {
        if self.text.len() + part.len() > MOST_TEXT {
            self.is_full = true;
            return Err(std::fmt::Error);
        }
        self.text.push_str(part);
        Ok(())
    }
}

fn display(given: &[Value], show: impl Fn(&Value) -> Value) -> Outcome {
    let [value] = exactly("display", given)?;
    Ok(show(value))
}

fn display_all(list: &mut ListNode) {
    let branch = |branch: &mut BranchNode| {
        display_all(&mut branch.body);
        branch.else_body.iter_mut().for_each(display_all);
    };
    for node in &mut list.nodes {
        match node {
            Node::List(inner) => display_all(inner),
            Node::Action(action) => display_pipe(&mut action.pipe),
            Node::If(it) | Node::Range(it) | Node::With(it) => branch(it),
            Node::Define(define) => display_all(&mut define.body),
            Node::Text(_) | Node::Break(_) | Node::Continue(_) | Node::Template(_) => {}
        }
    }
}

/// An action that declares a variable prints nothing.
fn display_pipe(pipe: &mut PipeNode) {
    if pipe.decl.is_empty() {
        let display = Expr::Identifier(pipe.pos, SmolStr::new_static(DISPLAY));
        pipe.commands.push(CommandNode { pos: pipe.pos, args: vec![display] });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value_of;

    fn data() -> Value {
        value_of(&serde_json::json!({"n": 1_000_000, "name": "<b>", "list": ["<i>"]}))
    }

    fn text(template: &str) -> Result<String, String> {
        let template = TextTemplate::new("test", 100).parse(template).map_err(|error| error.to_string())?;
        template.render(&data()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_last_text_is_rendered_and_may_call_the_definitions_of_the_others() {
        let template = TextTemplate::new("test", 100).parse("{{ define \"a\" }}[{{ .n }}]{{ end }}other").unwrap();
        assert_eq!(
            template.parse("{{ template \"a\" . }} {{ .name }}").unwrap().render(&data()).unwrap(),
            "[1e+06] <b>"
        );
    }

    #[test]
    fn html_templates_escape_their_output() {
        let template = HtmlTemplate::new("test", 100).parse("{{ define \"a\" }}<p>{{ .name }}</p>{{ end }}").unwrap();
        let template =
            template.parse("{{ template \"a\" . }}<a title=\"{{ .name }}\">{{ .n }} {{ .list }}</a>").unwrap();
        let rendered = "<p>&lt;b&gt;</p><a title=\"&lt;b&gt;\">1e&#43;06 [&lt;i&gt;]</a>";
        assert_eq!(template.render(&data()).unwrap(), rendered);
        let script = HtmlTemplate::new("test", 100).parse("<script>x = {{ .list }}</script>").unwrap();
        assert_eq!(script.render(&data()).unwrap(), "<script>x = [\"\\u003ci\\u003e\"]</script>");
    }

    #[test]
    fn work_and_output_are_bounded() {
        assert!(text("{{ range until 101 }}{{ end }}").is_err());
        let half = "{{ $x := repeat 600000 \"x\" }}{{ $x }}";
        assert_eq!(text(half).unwrap().len(), 600_000);
        assert!(text(&format!("{half}{{{{ $x }}}}")).unwrap_err().contains("too long"));
        for template in [
            "{{ repeat 100000000 \"xx\" }}",
            "{{ repeat 1000000 \"xx\" }}",
            "{{ until 100001 }}",
            "{{ indent 1000000 \"a\\nb\" }}",
            "{{ $x := repeat 1000 \"a\" }}{{ replace \"a\" (repeat 5000 \"b\") $x }}",
            "{{ printf \"%100000d\" 1 }}",
            "{{ uniq (until 5000) }}",
            "{{ regexMatch (repeat 1000 \"a{1000}\") \"a\" | ternary 1 (fail \"no\") }}",
        ] {
            assert!(text(template).is_err(), "{template}");
        }
    }
}
