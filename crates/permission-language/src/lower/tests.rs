use super::*;
use crate::limits::Limits;
use crate::parser::parse_file;

/// The expression of a permit, in which single letters stand for checks: `a && !(b || c)`.
fn lower_permit(letters: &str) -> Expression {
    let expression: String = letters
        .chars()
        .map(|it| if it.is_alphabetic() { format!("this.related.{it}.includes(ctx.subject)") } else { it.to_string() })
        .collect();
    let text = format!("class A implements Namespace {{ permits = {{ p: (ctx) => {expression} }} }}");
    let file = parse_file(0, &text, &Limits::default()).expect(letters);
    lower(&[file]).namespaces.remove(0).permits.remove(0).expression
}

/// An expression with all groups in parentheses.
fn show(expression: &Expression) -> String {
    let join =
        |members: &[Expression], operator| format!("({})", members.iter().map(show).collect::<Vec<_>>().join(operator));
    match expression {
        Expression::Any(members) => join(members, " || "),
        Expression::All(members) => join(members, " && "),
        Expression::Not(inner) => format!("!{}", show(inner)),
        Expression::Has(name) => name.clone(),
        Expression::Traverse { relation, target } => format!("{relation}>{target}"),
        Expression::Meets(condition) => format!("?{condition}"),
    }
}

#[track_caller]
fn assert_lowers(letters: &str, expected: &str) {
    assert_eq!(show(&lower_permit(letters)), expected, "{letters}");
}

#[test]
fn operators_have_equal_precedence_and_group_from_left_to_right() {
    assert_lowers("a || b && c", "((a || b) && c)");
    assert_lowers("a && b || c", "((a && b) || c)");
    assert_lowers("a || b && c || d", "(((a || b) && c) || d)");
    assert_lowers("a || (b && c)", "(a || (b && c))");
}

#[test]
fn groups_of_one_operator_are_flat() {
    assert_lowers("a || b || c", "(a || b || c)");
    assert_lowers("(a || (b || c)) || d", "(a || b || c || d)");
    assert_lowers("(a && b) || (c && (d && e))", "((a && b) || (c && d && e))");
    assert_lowers("((a))", "a");
    assert_lowers("(a) && ((b && c))", "(a && b && c)");
    assert_lowers("a && b && (c || d || (e))", "(a && b && (c || d || e))");
}

#[test]
fn negations_bind_to_the_next_term() {
    assert_lowers("!a && b", "(!a && b)");
    assert_lowers("!(a && b && c)", "!(a && b && c)");
    assert_lowers("!(!a)", "!!a");
    assert_lowers("!a && !(b && c)", "(!a && !(b && c))");
    assert_lowers("!(a)", "!a");
}

#[test]
fn terms_without_an_operator_join_the_group_before_them() {
    assert_lowers("a b", "(a || b)");
    assert_lowers("a && b c", "(a && b && c)");
    assert_lowers("a || b c && d", "((a || b || c) && d)");
    assert_lowers("a b && c", "((a || b) && c)");
    assert_lowers("(a && b) (c)", "(a && b && c)");
    assert_lowers("(a && b) (c || d)", "(a && b && (c || d))");
    assert_lowers("a (b && c)", "(a || (b && c))");
    assert_lowers("a !b", "(a || !b)");
    assert_lowers("(a && b) !c || d", "((a && b && !c) || d)");
}

#[test]
fn a_permit_with_the_name_of_a_relation_is_dropped() {
    let text = "class A implements Namespace { permits = { a: (ctx) => this.permits.b(ctx), b: (ctx) => \
                this.permits.a(ctx) } related: { a: A[] } }";
    let file = parse_file(0, text, &Limits::default()).unwrap();
    let model = lower(&[file]);
    let permits: Vec<&str> = model.namespaces[0].permits.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(permits, ["b"]);
    assert_eq!(model.namespaces[0].relations.len(), 1);
}

#[test]
fn a_long_expression_is_lowered_in_linear_time() {
    let expression = lower_permit(&vec!["a"; 20_000].join("||"));
    assert!(matches!(expression, Expression::Any(members) if members.len() == 20_000));
}
