use super::*;
use crate::format::format;
use crate::model::{Expression, Permit};
use crate::parse::{parse, parse_with};
use crate::source::SourceFile;

#[track_caller]
fn parsed(text: &str) -> Model {
    let outcome = parse(&[SourceFile { name: "a.ts", text }]);
    outcome.model.unwrap_or_else(|| panic!("{text}\n{:?}", outcome.problems))
}

fn has(name: &str) -> Expression {
    Expression::Has(name.into())
}

/// A model of one namespace with the relations `a`, `b` and `c`, and a permit.
fn with_permit(expression: Expression) -> Model {
    let subject_type = SubjectType { namespace: "A".into(), relation: None, condition: None };
    let relation = |name: &str| Relation { name: name.into(), types: vec![subject_type.clone()] };
    let permit = Permit { name: "p".into(), expression };
    let relations = ["a", "b", "c"].map(relation).into();
    Model { namespaces: vec![Namespace { name: "A".into(), relations, permits: vec![permit] }], conditions: vec![] }
}

#[test]
fn a_model_is_written_in_the_canonical_layout() {
    let text = r#"const c: Condition = 'a == "b"';

class User implements Namespace {}

class Doc implements Namespace {
  related: {
    owners: (User | When<SubjectSet<Doc, "view.all">, "c">)[]
    "a b": Doc[]
  }

  permits = {
    "view.all": (ctx: Context): boolean =>
      (!this.related.owners.includes(ctx.subject) && ctx.meets("c")) ||
      this.related["a b"].traverse((x) => x.permits["view.all"](ctx)),
    edit: (ctx: Context): boolean => this.permits["view.all"](ctx),
    find: (ctx: Context): boolean =>
      this.related["a b"].traverse((x) => x.related.owners.includes(ctx.subject)),
  }
}
"#;
    let model = parsed(text);
    assert_eq!(to_text(&model).unwrap(), text);
    assert_eq!(format(text).unwrap(), text);
    assert_eq!(to_text(&Model::default()).unwrap(), "");
}

#[test]
fn groups_are_written_in_parentheses() {
    let group = Expression::All(vec![Expression::Any(vec![has("a"), has("b")]), has("c")]);
    let text = to_text(&with_permit(group.clone())).unwrap();
    assert!(
        text.contains("(this.related.a.includes(ctx.subject) || this.related.b.includes(ctx.subject)) &&"),
        "{text}"
    );
    let not = Expression::Not(Box::new(Expression::Not(Box::new(Expression::Not(Box::new(group))))));
    let model = with_permit(not);
    let text = to_text(&model).unwrap();
    assert_eq!(text.matches("!(").count(), 3, "{text}");
    assert_eq!(parsed(&text), model);
}

#[test]
fn groups_that_would_nest_too_deep_are_written_without_parentheses() {
    let mut expression = has("a");
    for level in 0..40 {
        let members = vec![expression, has("b")];
        expression = if level % 2 == 0 { Expression::Any(members) } else { Expression::All(members) };
    }
    let model = with_permit(expression);
    let text = to_text(&model).unwrap();
    assert_eq!(parsed(&text), model, "{text}");
    let negated = with_permit(Expression::Not(Box::new(model.namespaces[0].permits[0].expression.clone())));
    assert_eq!(parsed(&to_text(&negated).unwrap()), negated);
}

#[test]
fn a_model_that_nests_deeper_needs_the_limit_that_it_was_parsed_with() {
    let mut expression = has("a");
    for _ in 0..20 {
        expression = Expression::Not(Box::new(expression));
    }
    let model = with_permit(expression);
    let text = to_text(&model).unwrap();
    let limits = Limits { nesting: 50, ..Limits::default() };
    assert_eq!(parse_with(&[SourceFile { name: "a.ts", text: &text }], &limits).model, Some(model));
}

#[test]
fn a_namespace_may_have_the_name_of_a_constructor() {
    let text = "class Array implements Namespace { related: { a: \"Array\"[] b: (\"When\" | \"SubjectSet\")[] } } class When \
                implements Namespace {} class SubjectSet implements Namespace {}";
    let model = parsed(text);
    assert_eq!(parsed(&to_text(&model).unwrap()), model);
    assert_eq!(parsed(&format(text).unwrap()), model);
}

#[test]
fn what_the_language_cannot_express_is_an_error() {
    let mut model = with_permit(has("it's \"a\""));
    assert_eq!(to_text(&model), Err(Unprintable::Quotes("it's \"a\"".into())));
    model = with_permit(Expression::Any(vec![has("a"), Expression::All(vec![])]));
    let error = to_text(&model).unwrap_err();
    let message = "permit \"p\" of namespace \"A\" has an empty expression; `Any` and `All` need members";
    assert_eq!(error.to_string(), message);
    model.namespaces[0].permits.clear();
    model.namespaces[0].relations[1].types.clear();
    let relation = Unprintable::RelationWithoutTypes { namespace: "A".into(), relation: "b".into() };
    assert_eq!(to_text(&model), Err(relation));
    model.namespaces.clear();
    model.conditions = vec![Condition { name: "class".into(), expression: "true".into() }];
    assert_eq!(to_text(&model), Err(Unprintable::ConditionName("class".into())));
    assert_eq!(to_text(&with_permit(Expression::Any(vec![has("a")]))), to_text(&with_permit(has("a"))));
}
