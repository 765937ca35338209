//! The values that a text of a Fluent file refers to.

use fluent_syntax::ast::{Expression, InlineExpression, Pattern, PatternElement};

/// The values that a text refers to, and whether it consists of only one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Each value once, in the order of the text.
    pub(crate) values: Vec<&'static str>,
    /// A value that is the whole text, such as a secret to copy, is not changed.
    pub(crate) is_one_value: bool,
}

impl Shape {
    pub(crate) fn of(pattern: &Pattern<&'static str>) -> Self {
        let mut values = Vec::new();
        of_pattern(pattern, &mut values);
        let is_one_value = matches!(
            &pattern.elements[..],
            [PatternElement::Placeable { expression: Expression::Inline(InlineExpression::VariableReference { .. }) }]
        );
        Self { values, is_one_value }
    }
}

fn of_pattern(pattern: &Pattern<&'static str>, values: &mut Vec<&'static str>) {
    for element in &pattern.elements {
        if let PatternElement::Placeable { expression } = element {
            of_expression(expression, values);
        }
    }
}

fn of_expression(expression: &Expression<&'static str>, values: &mut Vec<&'static str>) {
    match expression {
        Expression::Inline(inline) => of_inline(inline, values),
        Expression::Select { selector, variants } => {
            of_inline(selector, values);
            for variant in variants {
                of_pattern(&variant.value, values);
            }
        }
    }
}

fn of_inline(inline: &InlineExpression<&'static str>, values: &mut Vec<&'static str>) {
    match inline {
        InlineExpression::VariableReference { id } => {
            if !values.contains(&id.name) {
                values.push(id.name);
            }
        }
        InlineExpression::Placeable { expression } => of_expression(expression, values),
        InlineExpression::FunctionReference { arguments, .. } => {
            arguments.positional.iter().for_each(|argument| of_inline(argument, values));
            arguments.named.iter().for_each(|argument| of_inline(&argument.value, values));
        }
        // A referenced text or term cannot have values of its own, because `load` would not find them.
        InlineExpression::MessageReference { .. }
        | InlineExpression::TermReference { .. }
        | InlineExpression::StringLiteral { .. }
        | InlineExpression::NumberLiteral { .. } => {}
    }
}
