//! The whole check of a permission model: the language, the expressions of its conditions, and the bounds of its compiled form.
//!
//! Invariant: with a model, every condition of it is compiled, and the names of both have numbers, in strict mode and without it.
//! What is valid here can be loaded.

use std::sync::Arc;

use permission_language::{Condition, Kind, MAX_PROBLEMS, Model, Place, Problem, SourceFile, Span, parse, quote};

use super::condition::{CompileError, CompiledCondition};
use super::schema::{Schema, SchemaError};
use super::symbols::Symbols;

/// Regular expressions of all conditions of a model: each takes up to a millisecond and some hundred kilobytes.
const MAX_PATTERNS: usize = 256;

/// What became of the files of a model.
#[derive(Debug)]
pub struct CheckedModel {
    /// The model, unless a problem prevents it.
    pub model: Option<Model>,
    /// The conditions of the model, in their order.
    pub conditions: Vec<Arc<CompiledCondition>>,
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
        let (mut patterns, mut invalid, mut failures) = (0, 0, Vec::new());
        for (condition, place) in model.conditions.iter().zip(outcome.expressions) {
            // Compiling more would be work without an end for a text without one.
            if invalid >= MAX_PROBLEMS {
                break;
            }
            match compile(condition, place) {
                Ok(compiled) => {
                    patterns += compiled.patterns();
                    if failures.len() < MAX_PROBLEMS {
                        failures.extend(compiled.fault().map(|fault| failing(condition, place, &fault)));
                    }
                    conditions.push(Arc::new(compiled));
                }
                Err(problem) => {
                    invalid += 1;
                    problems.push(problem);
                }
            }
            if patterns > MAX_PATTERNS {
                problems.push(too_many_patterns(place));
                break;
            }
        }
        if let Err(error) = numbered(&model) {
            let (kind, remedy) = match &error {
                SchemaError::NestedTooDeeply { .. } => {
                    (Kind::TooDeep, "divide the permit into several, and refer to them with this.permits")
                }
                SchemaError::TooManyNames(_) => (Kind::TooLarge, "use fewer names"),
            };
            let Place { file, span } = place_of(&error, &model, &outcome.permits);
            problems.push(Problem { kind, file, span, message: error.to_string(), remedy: remedy.to_owned() });
        }
        let prevents_loading = problems.len() > before;
        problems.extend(failures);
        problems.sort_by_key(|problem| (problem.file, problem.span));
        if prevents_loading {
            return Self { model: None, conditions: Vec::new(), problems };
        }
        Self { model: Some(model), conditions, problems }
    }
}

/// The permit that the error is about; an error about the whole model is at its beginning.
fn place_of(error: &SchemaError, model: &Model, permits: &[Place]) -> Place {
    let names = model.namespaces.iter().flat_map(|it| it.permits.iter().map(|permit| (&it.name, &permit.name)));
    let is_it = |(its_namespace, its_permit): (&String, &String)| match error {
        SchemaError::NestedTooDeeply { namespace, permit } => its_namespace == namespace && its_permit == permit,
        SchemaError::TooManyNames(_) => false,
    };
    let index = { names }.position(is_it);
    index.and_then(|index| permits.get(index).copied()).unwrap_or(Place { file: 0, span: Span::default() })
}

/// Gives every name a number. The strict mode, which only the service knows, has more of them.
fn numbered(model: &Model) -> Result<(), SchemaError> {
    let mut symbols = Symbols::default();
    Schema::compile(model, &mut symbols, true)?;
    for condition in &model.conditions {
        symbols.intern_condition(&condition.name)?;
    }
    Ok(())
}

fn compile(condition: &Condition, place: Place) -> Result<CompiledCondition, Problem> {
    CompiledCondition::compile(condition.name.as_str(), &condition.expression).map_err(|error| {
        let at = (place.span.start + error.at).min(place.span.end);
        Problem {
            kind: Kind::InvalidCondition,
            file: place.file,
            span: Span { start: at, end: at },
            message: format!("the condition {} is not valid: {error}", quote(&condition.name)),
            remedy: "correct the expression; it is written in the Common Expression Language".into(),
        }
    })
}

/// A model with such a condition loads, because the condition denies.
fn failing(condition: &Condition, place: Place, fault: &CompileError) -> Problem {
    let at = (place.span.start + fault.at).min(place.span.end);
    Problem {
        kind: Kind::FailingCondition,
        file: place.file,
        span: Span { start: at, end: at },
        message: format!("the condition {} fails whatever the attributes are: {fault}", quote(&condition.name)),
        remedy: "correct the expression; a condition without a result denies, or leaves the check without an answer"
            .into(),
    }
}

fn too_many_patterns(place: Place) -> Problem {
    Problem {
        kind: Kind::InvalidCondition,
        file: place.file,
        span: place.span,
        message: format!("the conditions of the model have more than {MAX_PATTERNS} regular expressions"),
        remedy: "use startsWith, endsWith and contains in place of matches".into(),
    }
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
        assert_eq!(checked.conditions.iter().map(|it| it.name()).collect::<Vec<_>>(), ["late"]);
    }

    #[test]
    fn a_condition_that_always_fails_is_an_error_and_the_model_loads() {
        let text = "const wrong: Condition = \"context.a || 'a' < 1\"; class A implements Namespace { related: { b: When<A, \"wrong\">[] } }";
        let checked = of(text);
        assert!(checked.model.is_some() && checked.conditions.len() == 1);
        let [problem] = checked.problems.as_slice() else { panic!("{:?}", checked.problems) };
        assert_eq!((problem.kind, problem.severity()), (Kind::FailingCondition, permission_language::Severity::Error));
        assert!(
            problem.message.starts_with("the condition \"wrong\" fails whatever the attributes are: "),
            "{problem}"
        );
        assert_eq!(&text[problem.span.start..][..3], "< 1");
    }

    /// A text of a mebibyte may come from anybody who reaches the syntax check.
    #[test]
    fn a_model_of_many_conditions_is_checked_with_bounded_work() {
        let many = |count: usize, expression: &str| {
            let conditions = (0..count).map(|index| format!("const c{index}: Condition = \"{expression}\";"));
            of(&conditions.collect::<String>())
        };
        let invalid = many(2_000, "1 +");
        let kind = |checked: &CheckedModel| {
            checked.problems.iter().filter(|problem| problem.kind == Kind::InvalidCondition).count()
        };
        assert_eq!((kind(&invalid), invalid.model), (MAX_PROBLEMS, None));
        let within = many(256, "context.a.matches('a')");
        assert!(within.model.is_some() && within.conditions.len() == 256);
        let beyond = many(2_000, "context.a.matches('a')");
        let [.., last] = beyond.problems.as_slice() else { panic!("{:?}", beyond.problems) };
        assert!(beyond.model.is_none() && kind(&beyond) == 1);
        assert!(beyond.problems.iter().any(|it| it.message.contains("more than 256 regular expressions")), "{last:?}");
    }

    /// The example that users begin with.
    #[test]
    fn the_model_of_the_readme_of_the_language_is_valid() {
        let readme = include_str!("../../../permission-language/README.md");
        let model = readme.split("```ts\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let checked = of(model);
        assert!(checked.model.is_some(), "{:?}", checked.problems);
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
        assert!(last.message.contains("A.p"), "{}", last.message);
        // It is reported where it is.
        let first = "class B implements Namespace { related: { r: B[] } permits = { r: (ctx) => this.related.r.includes(ctx.subject) } }";
        let second = format!(
            "class C implements Namespace {{}}\nclass A implements Namespace {{ related: {{ a: A[] }} permits = {{ q: (ctx) => \
             this.related.a.includes(ctx.subject), p: (ctx) => {expression} }} }}"
        );
        let files = [SourceFile { name: "b.ts", text: first }, SourceFile { name: "a.ts", text: &second }];
        let checked = CheckedModel::of(&files);
        let problem = checked.problems.iter().find(|it| it.kind == Kind::TooDeep).unwrap();
        assert_eq!((problem.file, &second[problem.span.start..problem.span.end]), (1, "p"));
    }
}
