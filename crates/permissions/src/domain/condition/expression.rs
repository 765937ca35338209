//! A parsed expression.
//!
//! Invariant: an [`Expression`] is at most [`MAX_HEIGHT`](super::MAX_HEIGHT) levels high, so that recursion over it is bounded.

use regex::Regex;

use super::attributes::Root;

#[derive(Clone, Debug)]
pub(super) struct Expression {
    pub(super) node: Node,
    /// The offset of its first byte, or of its operator.
    pub(super) at: usize,
    pub(super) height: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(String),
    List(Vec<Expression>),
    Root(Root),
    Now,
    /// The variable of a macro: its index from the outermost, and the elements that it stands for.
    Variable {
        index: usize,
        path: String,
    },
    Field(Box<Expression>, String),
    Index(Box<Expression>, Box<Expression>),
    /// `has(a.b)`.
    Has(Box<Expression>, String),
    Not(Box<Expression>),
    Negate(Box<Expression>),
    /// Two terms or more.
    All(Vec<Expression>),
    /// Two terms or more.
    Any(Vec<Expression>),
    Conditional(Box<[Expression; 3]>),
    Binary(Operator, Box<[Expression; 2]>),
    /// The receiver of a method is the first argument.
    Call(Function, Vec<Expression>),
    Matches(Box<Expression>, Pattern),
    /// The list or object, and the expression for each of its elements or names.
    Macro(Macro, Box<[Expression; 2]>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Operator {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Macro {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}

/// A regular expression, compiled once.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub(super) regex: Regex,
    /// The size of the compiled program, in KiB: a search takes time proportional to it, and to the length of the text.
    pub(super) weight: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Size,
    Contains,
    StartsWith,
    EndsWith,
    ToInt,
    ToUint,
    ToDouble,
    ToText,
    ToTimestamp,
    ToDuration,
    FullYear,
    Month,
    Date,
    DayOfMonth,
    DayOfWeek,
    DayOfYear,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

impl Function {
    /// The function with this name and number of arguments, the receiver included.
    pub(super) fn find(name: &str, is_method: bool, arguments: usize) -> Option<Self> {
        let found = match (name, is_method) {
            ("size", _) => (Self::Size, 1..=1),
            ("contains", true) => (Self::Contains, 2..=2),
            ("startsWith", true) => (Self::StartsWith, 2..=2),
            ("endsWith", true) => (Self::EndsWith, 2..=2),
            ("int", false) => (Self::ToInt, 1..=1),
            ("uint", false) => (Self::ToUint, 1..=1),
            ("double", false) => (Self::ToDouble, 1..=1),
            ("string", false) => (Self::ToText, 1..=1),
            ("timestamp", false) => (Self::ToTimestamp, 1..=1),
            ("duration", false) => (Self::ToDuration, 1..=1),
            ("getFullYear", true) => (Self::FullYear, 1..=2),
            ("getMonth", true) => (Self::Month, 1..=2),
            ("getDate", true) => (Self::Date, 1..=2),
            ("getDayOfMonth", true) => (Self::DayOfMonth, 1..=2),
            ("getDayOfWeek", true) => (Self::DayOfWeek, 1..=2),
            ("getDayOfYear", true) => (Self::DayOfYear, 1..=2),
            ("getHours", true) => (Self::Hours, 1..=2),
            ("getMinutes", true) => (Self::Minutes, 1..=2),
            ("getSeconds", true) => (Self::Seconds, 1..=2),
            ("getMilliseconds", true) => (Self::Milliseconds, 1..=2),
            _ => return None,
        };
        found.1.contains(&arguments).then_some(found.0)
    }
}

impl Expression {
    /// The expressions that it is made of, in their order.
    pub(super) fn parts(&self) -> impl Iterator<Item = &Self> {
        let (first, others): (&[Self], &[Self]) = match &self.node {
            Node::Null
            | Node::Bool(_)
            | Node::Int(_)
            | Node::Uint(_)
            | Node::Double(_)
            | Node::Text(_)
            | Node::Root(_)
            | Node::Now
            | Node::Variable { .. } => (&[], &[]),
            Node::Field(operand, _)
            | Node::Has(operand, _)
            | Node::Not(operand)
            | Node::Negate(operand)
            | Node::Matches(operand, _) => (std::slice::from_ref(operand), &[]),
            Node::Index(operand, index) => (std::slice::from_ref(operand), std::slice::from_ref(index)),
            Node::List(parts) | Node::All(parts) | Node::Any(parts) | Node::Call(_, parts) => (&[], parts),
            Node::Conditional(parts) => (&[], parts.as_slice()),
            Node::Binary(_, parts) | Node::Macro(_, parts) => (&[], parts.as_slice()),
        };
        first.iter().chain(others)
    }

    /// How the attribute that this expression selects is called in an error: `context.hours[0]`.
    pub(super) fn path(&self) -> String {
        match &self.node {
            Node::Root(root) => root.name().to_owned(),
            Node::Now => "now".to_owned(),
            Node::Variable { path, .. } => path.clone(),
            Node::Field(operand, name) => format!("{}.{name}", operand.path()),
            Node::Index(operand, index) => match &index.node {
                Node::Text(text) => format!("{}[{text:?}]", operand.path()),
                Node::Int(number) => format!("{}[{number}]", operand.path()),
                _ => format!("{}[{}]", operand.path(), index.path()),
            },
            _ => "(expression)".to_owned(),
        }
    }
}
