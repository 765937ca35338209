//! The whole check of a permission model: the language, the expressions of its conditions, and the bounds of its compiled form.
//!
//! Invariant: with a model, every condition of it is compiled, and [`Schema::compile`](super::schema::Schema::compile) accepts
//! it.

use permission_language::{Condition, Kind, Model, Place, Problem, SourceFile, Span, parse};

use super::condition::CompiledCondition;
use super::schema::Schema;
use super::symbols::Symbols;

/// What became of the files of a model.
#[derive(Debug)]
pub struct CheckedModel {
    /// The model, unless a problem prevents it.
    pub model: Option<Model>,
    /// The conditions of the model, in their order.
    pub conditions: Vec<CompiledCondition>,
    /// In the order of their places.
    pub problems: Vec<Problem>,
}

impl CheckedModel {
    /// Checks all files as one model.
    pub fn of(files: &[SourceFile<'_>]) -> Self {
        let outcome = parse(files);
        let mut problems = outcome.problems;
        let Some(model) = outcome.model else {
            return Self { model: None, conditions: Vec::new(), problems };
        };
        let (mut conditions, before) = (Vec::new(), problems.len());
        for (condition, place) in model.conditions.iter().zip(outcome.expressions) {
            match compile(condition, place) {
                Ok(compiled) => conditions.push(compiled),
                Err(problem) => problems.push(problem),
            }
        }
        if let Err(error) = Schema::compile(&model, &mut Symbols::default(), false) {
            problems.push(Problem {
                kind: Kind::TooDeep,
                file: 0,
                span: Span::default(),
                message: "the model exceeds a bound".into(),
                remedy: error.to_string(),
            });
        }
        if problems.len() > before {
            problems.sort_by_key(|problem| (problem.file, problem.span));
            return Self { model: None, conditions: Vec::new(), problems };
        }
        Self { model: Some(model), conditions, problems }
    }
}

fn compile(condition: &Condition, place: Place) -> Result<CompiledCondition, Problem> {
    CompiledCondition::compile(condition.name.as_str(), &condition.expression).map_err(|error| {
        let at = (place.span.start + error.at).min(place.span.end);
        Problem {
            kind: Kind::InvalidCondition,
            file: place.file,
            span: Span { start: at, end: at },
            message: format!("the condition \"{}\" is not valid: {error}", condition.name),
            remedy: "correct the expression; it is written in the Common Expression Language".into(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> CheckedModel {
        CheckedModel::of(&[SourceFile { name: "model.ts", text }])
    }

    #[test]
    fn an_error_of_an_expression_has_its_place_in_the_file() {
        let text = "class User implements Namespace {}
const late: Condition = \"context.hour > 20\";
const wrong: Condition = \"context.hour >> 20\";
class Doc implements Namespace { related: { viewers: (When<User, \"late\"> | When<User, \"wrong\">)[] } }";
        let checked = of(text);
        assert!(checked.model.is_none() && checked.conditions.is_empty());
        let [problem] = checked.problems.as_slice() else { panic!("{:?}", checked.problems) };
        assert_eq!(problem.kind, Kind::InvalidCondition);
        assert!(problem.message.starts_with("the condition \"wrong\" is not valid: "), "{}", problem.message);
        assert_eq!(&text[problem.span.start - 1..][..3], ">> ");
    }

    #[test]
    fn a_model_comes_with_its_compiled_conditions() {
        let checked = of("const late: Condition = \"context.hour > 20\"; class A implements Namespace {}");
        assert!(checked.model.is_some_and(|model| model.conditions.len() == 1));
        assert_eq!(checked.conditions.iter().map(CompiledCondition::name).collect::<Vec<_>>(), ["late"]);
    }

    #[test]
    fn a_permit_that_cannot_be_compiled_is_a_problem() {
        let mut expression = "this.related.a.includes(ctx.subject)".to_owned();
        for level in 0..70 {
            let operator = if level % 2 == 0 { "&&" } else { "||" };
            expression = format!("{expression} {operator} this.related.a.includes(ctx.subject)");
        }
        let checked = of(&format!(
            "class A implements Namespace {{ related: {{ a: A[] }} permits = {{ p: (ctx) => {expression} }} }}"
        ));
        assert!(checked.model.is_none());
        let last = checked.problems.iter().find(|it| it.kind == Kind::TooDeep).unwrap();
        assert!(last.remedy.contains("A.p"), "{}", last.remedy);
    }
}
