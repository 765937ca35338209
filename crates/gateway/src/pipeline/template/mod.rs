//! The templates of rules: Go's `text/template` with the gateway's own `print` and `printIndex` and the hermetic part of
//! the sprig functions. A template can read its request and nothing else: no environment, no file, no clock.
//!
//! What always holds: a template is compiled once, while its rule is loaded, and belongs to that rule; a name that is no
//! function is refused then, not when a request comes.

mod context;
mod functions;
mod rewrite;

use std::sync::Arc;

use gotmpl::parse::{Expr, ListNode, Node, Parser};
use serde_json::Value as Json;

pub(crate) use context::TemplateView;

#[derive(Clone)]
pub(crate) struct Template(Arc<Compiled>);

struct Compiled {
    source: String,
    form: Form,
    program: gotmpl::Template,
    needs: context::Needs,
}

/// Most templates in use are one of the short forms, which need no interpreter.
#[derive(Debug, PartialEq, Eq)]
enum Form {
    Constant(String),
    /// `{{ print .Subject }}`
    Subject,
    /// `{{ print .Extra.a.b }}`
    Extra(Vec<String>),
    General,
}

/// Why a template cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TemplateError {
    #[error("the template `{source_text}` is not valid: {reason}")]
    Syntax { source_text: String, reason: String },
    #[error("the template `{source_text}` calls `{function}`, which is not offered{hint}")]
    UnknownFunction { source_text: String, function: String, hint: &'static str },
}

/// A template failed on a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the template `{source_text}` failed: {reason}")]
pub(crate) struct RenderError {
    source_text: String,
    reason: String,
}

/// The loops of one rendering run no longer than this in all.
const MOST_ITERATIONS: u64 = 100_000;

impl Template {
    pub(crate) fn compile(text: &str) -> Result<Self, TemplateError> {
        let syntax = |error: gotmpl::TemplateError| TemplateError::Syntax {
            source_text: text.to_owned(),
            reason: error.to_string(),
        };
        let (mut tree, mut defines) = Parser::new(text, "{{", "}}").and_then(Parser::parse).map_err(syntax)?;
        let mut rewrite = rewrite::Rewrite::default();
        rewrite.list(&mut tree);
        for define in &mut defines {
            rewrite.list(&mut define.body);
        }
        if let Some(function) = rewrite.identifiers.iter().find(|name| !functions::is_known(name)) {
            return Err(TemplateError::UnknownFunction {
                source_text: text.to_owned(),
                function: function.clone(),
                hint: functions::why_absent(function),
            });
        }
        let form = form_of(&tree);
        let mut program = gotmpl::Template::new("rule")
            .funcs(functions::all())
            .missing_key(gotmpl::MissingKey::ZeroValue)
            .max_range_iters(MOST_ITERATIONS)
            .parse("{{template \"main\" .}}")
            .map_err(syntax)?
            .add_parse_tree("main", tree);
        for define in defines {
            program = program.add_parse_tree(&define.name, define.body);
        }
        Ok(Self(Arc::new(Compiled { source: text.to_owned(), form, program, needs: rewrite.needs })))
    }

    pub(crate) fn render(&self, view: &TemplateView<'_>) -> Result<String, RenderError> {
        match &self.0.form {
            Form::Constant(text) => return Ok(text.clone()),
            Form::Subject => return Ok(view.session.subject.clone()),
            Form::Extra(path) => {
                let found = path.iter().try_fold(&view.session.extra, |value, name| value.get(name));
                match found {
                    None | Some(Json::Null) => return Ok(String::new()),
                    Some(Json::String(text)) => return Ok(text.clone()),
                    Some(Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_)) => {}
                }
            }
            Form::General => {}
        }
        self.0
            .program
            .execute_to_string(&view.value(self.0.needs))
            .map_err(|error| RenderError { source_text: self.0.source.clone(), reason: error.to_string() })
    }
}

impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Template").field(&self.0.source).finish()
    }
}

fn form_of(tree: &ListNode) -> Form {
    match tree.nodes.as_slice() {
        [] => Form::Constant(String::new()),
        [Node::Text(text)] => Form::Constant(text.text.to_string()),
        [Node::Action(action)] if action.pipe.decl.is_empty() => match action.pipe.commands.as_slice() {
            // The second command is the one that displays, which texts do not need.
            [command, _] => match command.args.as_slice() {
                [Expr::Identifier(_, print), Expr::Field(_, path)] if print == "print" => printed_field(path),
                _ => Form::General,
            },
            _ => Form::General,
        },
        _ => Form::General,
    }
}

fn printed_field<T: AsRef<str>>(path: &[T]) -> Form {
    match path {
        [subject] if subject.as_ref() == "Subject" => Form::Subject,
        [extra, names @ ..] if extra.as_ref() == "Extra" && !names.is_empty() => {
            Form::Extra(names.iter().map(|name| name.as_ref().to_owned()).collect())
        }
        _ => Form::General,
    }
}

#[cfg(test)]
mod tests;
