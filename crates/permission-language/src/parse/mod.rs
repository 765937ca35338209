//! Parses several files as one model.
//!
//! Invariants: a model comes from all files or from none; it has no undeclared and no repeated name; it comes with the
//! problems that did not prevent it.

use crate::check;
use crate::limits::Limits;
use crate::lint;
use crate::lower;
use crate::model::Model;
use crate::names::Names;
use crate::parser;
use crate::problem::{Kind, Problem, Severity};
use crate::problems::Problems;
use crate::source::{Place, SourceFile, Span};
use crate::syntax::File;

/// What became of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The model, unless an error prevents it. See [`Kind::prevents_loading`].
    pub model: Option<Model>,
    /// Errors and warnings, in the order of their places; at most twice [`MAX_PROBLEMS`](crate::MAX_PROBLEMS).
    pub problems: Vec<Problem>,
    /// Where the expressions of the model's conditions are, in their order: for a caller that parses them.
    pub expressions: Vec<Place>,
    /// Where the permits of the model are, in their order, those of the first namespace first.
    pub permits: Vec<Place>,
}

impl Outcome {
    /// What the syntax check reports.
    pub fn errors(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|it| it.severity() == Severity::Error)
    }

    pub fn warnings(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|it| it.severity() == Severity::Warning)
    }
}

/// Parses and checks files with the default limits. Each may refer to what another declares.
pub fn parse(files: &[SourceFile<'_>]) -> Outcome {
    parse_with(files, &Limits::default())
}

/// Like [`parse`], with limits.
pub fn parse_with(files: &[SourceFile<'_>], limits: &Limits) -> Outcome {
    let mut problems = Problems::default();
    let mut trees = Vec::with_capacity(files.len());
    let mut total_bytes = 0;
    for (file, source) in files.iter().enumerate() {
        total_bytes += source.text.len();
        if total_bytes > limits.total_bytes {
            problems.push(too_large(file, limits.total_bytes));
            break;
        }
        match parser::parse_file(file, source.text, limits) {
            Ok(tree) => trees.push(tree),
            Err(found) => found.into_iter().for_each(|problem| problems.push(problem)),
        }
    }
    // Names can only be checked when all declarations are known.
    if !problems.prevent_loading() {
        let names = Names::of(&trees);
        check::check(files, &trees, &names, &mut problems);
        if !problems.prevent_loading() {
            lint::lint(&trees, &names, &mut problems);
        }
    }
    let model = (!problems.prevent_loading()).then(|| lower::lower(&trees));
    let trees = if model.is_some() { trees.as_slice() } else { &[] };
    let expressions = places(trees, |tree| tree.conditions().map(|it| it.expression.span).collect());
    let permits = places(trees, |tree| {
        tree.classes().flat_map(|class| class.effective_permits().map(|it| it.name.span).collect::<Vec<_>>()).collect()
    });
    Outcome { model, problems: problems.into_vec(), expressions, permits }
}

fn places(trees: &[File<'_>], spans: impl Fn(&File<'_>) -> Vec<Span>) -> Vec<Place> {
    let of_file = |(file, tree)| spans(tree).into_iter().map(move |span| Place { file, span }).collect::<Vec<_>>();
    trees.iter().enumerate().flat_map(of_file).collect()
}

fn too_large(file: usize, limit: usize) -> Problem {
    Problem {
        kind: Kind::TooLarge,
        file,
        span: Span::default(),
        message: format!("the files have more than {limit} bytes together"),
        remedy: "remove files that do not belong to the model".into(),
    }
}

#[cfg(test)]
mod tests;
