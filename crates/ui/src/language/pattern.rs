//! What a text of a Fluent file asks for: the values that it names.

use fluent_syntax::ast::{Expression, InlineExpression, Pattern, PatternElement};

/// The values that a text names, and whether it is nothing but one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Each once, in the order of the text.
    pub(crate) values: Vec<&'static str>,
    /// A value that is the whole text, such as a secret to copy, stays as it is.
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
        // A text or term that is named here cannot have values of its own: `load` would not see them.
        InlineExpression::MessageReference { .. }
        | InlineExpression::TermReference { .. }
        | InlineExpression::StringLiteral { .. }
        | InlineExpression::NumberLiteral { .. } => {}
    }
}
