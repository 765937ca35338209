//! Faults of a condition that are known without attributes: an operation on constants that fails, operands that have no common
//! operator, and a value that is no bool where one is needed.
//!
//! Invariant: what is reported has no result, or no effect, whatever the attributes are. The work is bounded by [`MOST_STEPS`].

use super::attributes::Root;
use super::evaluate::constant;
use super::expression::{Expression, Function, Macro, Node, Operator};
use super::{CompileError, ConditionError};

/// Steps of the evaluation of all constants of one condition.
const MOST_STEPS: u32 = 1_000;

/// The first fault.
pub(super) fn fault(expression: &Expression) -> Option<CompileError> {
    Search { left: MOST_STEPS }.of(expression, true)
}

struct Search {
    left: u32,
}

impl Search {
    fn of(&mut self, expression: &Expression, needs_bool: bool) -> Option<CompileError> {
        let is_constant = is_constant(expression);
        let kind = if is_constant {
            match constant(expression, &mut self.left) {
                Ok(kind) => Some(kind),
                Err(ConditionError::TooExpensive) => return None,
                Err(error) => return Some(of_error(&error, expression.at)),
            }
        } else {
            kind(expression)
        };
        if needs_bool && kind.is_some_and(|kind| kind != "bool") {
            let message = format!("a bool is needed, and this is a value of the type {}", kind.unwrap_or_default());
            return Some(CompileError::new(expression.at, message));
        }
        if is_constant {
            return None;
        }
        self.of_operands(expression)
    }

    fn of_operands(&mut self, expression: &Expression) -> Option<CompileError> {
        let needs_bool = |index: usize| match &expression.node {
            Node::Not(_) | Node::All(_) | Node::Any(_) => true,
            Node::Conditional(_) => index == 0,
            // The first part is the list or object.
            Node::Macro(kind, _) => index == 1 && *kind != Macro::Map,
            _ => false,
        };
        let found = expression.parts().enumerate().find_map(|(index, part)| self.of(part, needs_bool(index)));
        match &expression.node {
            Node::Binary(operator, operands) => {
                let [left, right] = operands.as_ref();
                found.or_else(|| self.of_comparison(expression.at, *operator, left, right))
            }
            Node::Call(function, arguments) => found.or_else(|| self.of_call(expression.at, *function, arguments)),
            _ => found,
        }
    }

    fn of_comparison(
        &mut self,
        at: usize,
        operator: Operator,
        left: &Expression,
        right: &Expression,
    ) -> Option<CompileError> {
        if !matches!(operator, Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual) {
            return None;
        }
        let (left, right) = (self.kind(left)?, self.kind(right)?);
        let is_number = |kind: &str| matches!(kind, "int" | "uint" | "double");
        if left == right || is_number(left) && is_number(right) {
            return None;
        }
        let name = operator.name();
        Some(CompileError::new(at, format!("`{name}` does not compare values of the types {left} and {right}")))
    }

    /// A call that fails with every value of the types of its arguments. It is evaluated with a value of each type.
    fn of_call(&mut self, at: usize, function: Function, arguments: &[Expression]) -> Option<CompileError> {
        let mut has_any_value = false;
        let samples = arguments.iter().map(|argument| {
            if is_constant(argument) {
                return Some(argument.clone());
            }
            let kind = kind(argument)?;
            has_any_value |= kind != "timestamp";
            Some(Expression { node: sample(kind)?, at: argument.at, height: 1 })
        });
        let samples = samples.collect::<Option<_>>()?;
        match constant(&Expression { node: Node::Call(function, samples), at, height: 2 }, &mut self.left) {
            // Another value may be accepted, for instance a text that is a number. Every timestamp has the same parts.
            Err(ConditionError::Value { .. }) if has_any_value => None,
            Err(error @ (ConditionError::Type { .. } | ConditionError::Value { .. })) => Some(of_error(&error, at)),
            _ => None,
        }
    }

    fn kind(&mut self, expression: &Expression) -> Option<&'static str> {
        if is_constant(expression) { constant(expression, &mut self.left).ok() } else { kind(expression) }
    }
}

fn of_error(error: &ConditionError, whole: usize) -> CompileError {
    let at = match error {
        ConditionError::Type { at, .. } | ConditionError::Value { at, .. } => *at,
        ConditionError::Missing(_)
        | ConditionError::NotABool(_)
        | ConditionError::Undeclared
        | ConditionError::TooExpensive => whole,
    };
    CompileError::new(at, error.to_string())
}

/// A value of the type.
fn sample(kind: &str) -> Option<Node> {
    Some(match kind {
        "null" => Node::Null,
        "bool" => Node::Bool(true),
        "int" => Node::Int(1),
        "uint" => Node::Uint(1),
        "double" => Node::Double(1.0),
        "string" => Node::Text(String::new()),
        "list" => Node::List(Vec::new()),
        "map" => Node::Root(Root::Context),
        "timestamp" => Node::Now,
        _ => return None,
    })
}

/// It reads no attribute, no time and no variable.
fn is_constant(expression: &Expression) -> bool {
    let is_read = matches!(expression.node, Node::Root(_) | Node::Now | Node::Variable { .. });
    !is_read && expression.parts().all(is_constant)
}

/// The type of its value, if every value that it can have is of that type.
fn kind(expression: &Expression) -> Option<&'static str> {
    match &expression.node {
        Node::Null => Some("null"),
        Node::Int(_) => Some("int"),
        Node::Uint(_) => Some("uint"),
        Node::Double(_) => Some("double"),
        Node::Text(_) => Some("string"),
        Node::List(_) | Node::Macro(Macro::Filter | Macro::Map, _) => Some("list"),
        Node::Root(_) => Some("map"),
        Node::Now => Some("timestamp"),
        Node::Bool(_)
        | Node::Has(..)
        | Node::Not(_)
        | Node::All(_)
        | Node::Any(_)
        | Node::Matches(..)
        | Node::Macro(Macro::All | Macro::Exists | Macro::ExistsOne, _) => Some("bool"),
        Node::Binary(operator, operands) => match operator {
            Operator::Equal
            | Operator::NotEqual
            | Operator::Less
            | Operator::LessOrEqual
            | Operator::Greater
            | Operator::GreaterOrEqual
            | Operator::In => Some("bool"),
            // Of two values of one type; only of times and durations the result has another.
            Operator::Add | Operator::Multiply | Operator::Divide | Operator::Remainder => {
                let of = |kind: Option<&'static str>| kind.filter(|kind| !matches!(*kind, "timestamp" | "duration"));
                of(kind(&operands[0])).or_else(|| of(kind(&operands[1])))
            }
            Operator::Subtract => None,
        },
        Node::Call(function, _) => Some(match function {
            Function::Contains | Function::StartsWith | Function::EndsWith => "bool",
            Function::ToUint => "uint",
            Function::ToDouble => "double",
            Function::ToText => "string",
            Function::ToTimestamp => "timestamp",
            Function::ToDuration => "duration",
            Function::Size
            | Function::ToInt
            | Function::FullYear
            | Function::Month
            | Function::Date
            | Function::DayOfMonth
            | Function::DayOfWeek
            | Function::DayOfYear
            | Function::Hours
            | Function::Minutes
            | Function::Seconds
            | Function::Milliseconds => "int",
        }),
        Node::Variable { .. } | Node::Field(..) | Node::Index(..) | Node::Negate(_) | Node::Conditional(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::condition::CompiledCondition;

    fn fault(text: &str) -> Option<String> {
        let condition = CompiledCondition::compile("it", text).unwrap();
        condition.fault().map(|fault| format!("{}: {}", fault.at, fault.message))
    }

    #[test]
    fn what_has_no_result_whatever_the_attributes_are_is_a_fault() {
        let bool_needed =
            |at: usize, kind: &str| format!("{at}: a bool is needed, and this is a value of the type {kind}");
        assert_eq!(fault("1 + 1"), Some(bool_needed(2, "int")));
        assert_eq!(fault("'a'"), Some(bool_needed(0, "string")));
        assert_eq!(fault("context.a && 'a'"), Some(bool_needed(13, "string")));
        assert_eq!(fault("context.a + 1"), Some(bool_needed(10, "int")));
        assert_eq!(fault("!size(context.a)"), Some(bool_needed(1, "int")));
        assert_eq!(fault("now"), Some(bool_needed(0, "timestamp")));
        assert_eq!(fault("context"), Some(bool_needed(0, "map")));
        assert_eq!(fault("context.a.exists(x, 1)"), Some(bool_needed(20, "int")));
        for (text, part) in [
            ("'a' < 1", "string"),
            ("1/0 == 1", "zero"),
            ("timestamp('x') < now", "timestamp"),
            ("context.a || 1/0 == 1", "zero"),
            ("context.list.all(x, x > 0 && 'a' < 1)", "string"),
            ("now < 1", "types timestamp and int"),
            ("size(context.a) > '1'", "types int and string"),
            ("[1][2] == 1", "missing"),
            ("now.getHours('Europe/Berlin') >= 0", "names of places"),
            ("timestamp(context.since).getDate('CET') == 1", "names of places"),
            ("string(context.a).contains(1)", "does not accept (string, int)"),
            ("size(now) == 1", "does not accept (timestamp)"),
            ("timestamp(context.a == 1) < now", "does not accept (bool)"),
            ("duration(size(context.list)) < duration('1h')", "does not accept (int)"),
            ("size(context.list).startsWith('a')", "does not accept (int, string)"),
        ] {
            let fault = fault(text);
            assert!(fault.as_ref().is_some_and(|it| it.contains(part)), "{text}: {fault:?}");
        }
    }

    #[test]
    fn what_may_have_a_result_is_none() {
        for text in [
            "true",
            "1 == 2",
            "context.a",
            "context.a ? context.b : 'x' == context.c",
            "true || 1/0 == 1",
            "now - timestamp(tuple.since) < duration('1h')",
            "now + duration(context.for) > now",
            "1 < 2.5 && 1u < 2",
            "context.a + 'x' in ['ax']",
            "context.list.map(x, x + 1).exists(y, y == 2)",
            "-context.a < 3",
            "now.getHours('+02:00') > 1 && timestamp(context.a).getMinutes() == 0",
            "now.getHours(context.zone) > 1",
            "int(string(context.a)) == 1 && duration(string(context.a)) > duration('1s')",
            "timestamp(size(context.list)) < now",
            "size(context) == 1 && size(context.list.map(x, x)) == 2",
            "[1, 'a'].exists(x, x == context.a)",
            // Too much work to be looked at.
            "[1,2,3,4,5,6,7,8].all(a, [1,2,3,4,5,6,7,8].all(b, [1,2,3,4,5,6,7,8].all(c, [1,2,3,4].all(d, true))))",
        ] {
            assert_eq!(fault(text), None, "{text}");
        }
    }
}
