//! A compiled template of a rule.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use gotmpl::parse::{DefineNode, Expr, ListNode, Node, Parser};
use serde_json::Value as Json;

use super::context::{self, TemplateView};
use super::{functions, rewrite};
use crate::domain::session::Extra;

#[derive(Clone)]
pub(crate) struct Template(Arc<Compiled>);

struct Compiled {
    source: String,
    form: Form,
}

/// Most templates have one of the short forms, which need no interpreter.
enum Form {
    Constant(String),
    /// `{{ print .Subject }}`
    Subject,
    /// `{{ print .Extra.a.b }}`
    Extra(Vec<String>),
    General(Box<Program>),
}

/// A template for the interpreter.
struct Program {
    template: gotmpl::Template,
    needs: context::Needs,
}

/// The functions, which all programs share.
static BASE: LazyLock<gotmpl::Template> = LazyLock::new(|| {
    gotmpl::Template::new("rule")
        .funcs(functions::all())
        .missing_key(gotmpl::MissingKey::ZeroValue)
        .max_range_iters(MOST_ITERATIONS)
});

/// Why a template is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TemplateError {
    #[error("the template `{source_text}` is not valid: {reason}")]
    Syntax { source_text: String, reason: String },
    #[error("the template `{source_text}` calls `{function}`, which is not supported{hint}")]
    UnknownFunction { source_text: String, function: String, hint: &'static str },
}

/// A template failed for a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the template `{source_text}` failed: {reason}")]
pub(crate) struct RenderError {
    pub(super) source_text: String,
    pub(super) reason: String,
}

/// The most loop iterations of one rendering, in total.
const MOST_ITERATIONS: u64 = 100_000;

impl Template {
    pub(crate) fn compile(text: &str) -> Result<Self, TemplateError> {
        Self::compile_with(text, rewrite::DISPLAY)
    }

    /// `display` is the function that prints the result of every action.
    pub(super) fn compile_with(text: &str, display: &'static str) -> Result<Self, TemplateError> {
        let syntax = |error: gotmpl::TemplateError| TemplateError::Syntax {
            source_text: text.to_owned(),
            reason: error.to_string(),
        };
        let (mut tree, mut defines) = Parser::new(text, "{{", "}}").and_then(Parser::parse).map_err(syntax)?;
        let mut rewrite = rewrite::Rewrite::new(display);
        rewrite.list(&mut tree);
        for define in &mut defines {
            rewrite.list(&mut define.body);
        }
        if let Some(function) = rewrite.identifiers.iter().find(|name| !functions::is_known(name)) {
            return Err(TemplateError::UnknownFunction {
                source_text: text.to_owned(),
                function: function.clone(),
                hint: go_templates::why_absent(function),
            });
        }
        let form = match short_form(&tree, display) {
            Some(form) => form,
            None => Form::General(Box::new(Program::new(tree, defines, rewrite.needs).map_err(syntax)?)),
        };
        Ok(Self(Arc::new(Compiled { source: text.to_owned(), form })))
    }

    /// The text of a constant template.
    pub(crate) fn constant(&self) -> Option<&str> {
        match &self.0.form {
            Form::Constant(text) => Some(text),
            Form::Subject | Form::Extra(_) | Form::General(_) => None,
        }
    }

    pub(super) fn source(&self) -> &str {
        &self.0.source
    }

    pub(crate) fn render<'a>(&'a self, view: &TemplateView<'a>) -> Result<Cow<'a, str>, RenderError> {
        match &self.0.form {
            Form::Constant(text) => Ok(Cow::Borrowed(text)),
            Form::Subject => Ok(Cow::Borrowed(&view.session.subject)),
            Form::Extra(path) => Ok(printed(&view.session.extra, path)),
            Form::General(program) => {
                let view = view.value(program.needs);
                go_templates::render(|text| program.template.execute_fmt(text, &view))
                    .map(Cow::Owned)
                    .map_err(|error| RenderError { source_text: self.0.source.clone(), reason: error.to_string() })
            }
        }
    }
}

impl Program {
    fn new(tree: ListNode, defines: Vec<DefineNode>, needs: context::Needs) -> Result<Self, gotmpl::TemplateError> {
        let template = BASE.clone().parse("{{template \"main\" .}}")?.add_parse_tree("main", tree);
        let add = |template: gotmpl::Template, define: DefineNode| template.add_parse_tree(&define.name, define.body);
        Ok(Self { template: defines.into_iter().fold(template, add), needs })
    }
}

/// The output of `print` for a member of the extra.
fn printed<'a>(extra: &'a Extra, path: &[String]) -> Cow<'a, str> {
    match extra.get() {
        None => Cow::Borrowed(""),
        Some(Cow::Borrowed(extra)) => printed_member(extra, path),
        Some(Cow::Owned(extra)) => Cow::Owned(printed_member(&extra, path).into_owned()),
    }
}

fn printed_member<'a>(extra: &'a Json, path: &[String]) -> Cow<'a, str> {
    match path.iter().try_fold(extra, |value, name| value.get(name)) {
        None | Some(Json::Null) => Cow::Borrowed(""),
        Some(Json::String(text)) => Cow::Borrowed(text),
        Some(other) => Cow::Owned(go_templates::printed(&go_templates::value_of(other))),
    }
}

impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Template").field(&self.0.source).finish()
    }
}

fn short_form(tree: &ListNode, display: &str) -> Option<Form> {
    match tree.nodes.as_slice() {
        [] => Some(Form::Constant(String::new())),
        [Node::Text(text)] => Some(Form::Constant(text.text.to_string())),
        [Node::Action(action)] if action.pipe.decl.is_empty() && display == rewrite::DISPLAY => {
            match action.pipe.commands.as_slice() {
                // The second command is `display`, which string literals do not need.
                [command, _] => match command.args.as_slice() {
                    [Expr::Identifier(_, print), Expr::Field(_, path)] if print == "print" => printed_field(path),
                    _ => None,
                },
                _ => None,
            }
        }
        _ => None,
    }
}

fn printed_field<T: AsRef<str>>(path: &[T]) -> Option<Form> {
    match path {
        [subject] if subject.as_ref() == "Subject" => Some(Form::Subject),
        [extra, names @ ..] if extra.as_ref() == "Extra" && !names.is_empty() => {
            Some(Form::Extra(names.iter().map(|name| name.as_ref().to_owned()).collect()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
