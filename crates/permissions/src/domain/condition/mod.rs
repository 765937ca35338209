//! Conditions: rules about the attributes of a request, in a subset of the Common Expression Language.
//!
//! Specification: the [CEL language definition](https://github.com/google/cel-spec/blob/master/doc/langdef.md). A condition that
//! this module accepts has the result that CEL defines for it.
//!
//! | CEL | In conditions |
//! | --- | --- |
//! | variables | `subject`, `resource`, `action`, `context`, `tuple` (maps of attributes), `now` (the time of the request) |
//! | `null`, `bool`, `int`, `uint`, `double`, `string`, `list` | literals and values; raw, triple-quoted and escaped strings |
//! | `timestamp`, `duration` | `now`, `timestamp("2026-11-22T10:20:30Z")`, `timestamp(int)`, `duration("1h30m")`; microseconds |
//! | `!`, `&&`, `||`, `?:` | yes; `&&` and `||` ignore the error of one side when the other side decides |
//! | `==`, `!=`, `<`, `<=`, `>`, `>=`, `in` | yes; numbers of different types are compared by value |
//! | `+`, `-`, `*`, `/`, `%` | yes, of two values of one type; `+` joins strings and lists; times and durations |
//! | `a.b`, `a["b"]`, `a[0]`, `has(a.b)` | yes |
//! | `all`, `exists`, `exists_one`, `filter`, `map` with two arguments | yes, over lists and over the names of maps |
//! | `size`, `contains`, `startsWith`, `endsWith` | yes |
//! | `matches` | as a method, with a string literal as the pattern; the syntax is that of the `regex` crate, linear in time |
//! | `int`, `uint`, `double`, `timestamp`, `duration` | yes |
//! | `string` | of a bool, int, uint, string or timestamp |
//! | `getFullYear` to `getMilliseconds` | of timestamps, in UTC or at an offset such as `"+02:00"`, without names of time zones; of durations `getHours`, `getMinutes`, `getSeconds` |
//! | `bytes`, map literals, messages, `type`, `dyn`, optional values, `map` with three arguments, macros with two variables | no |
//!
//! Numbers of attributes are JSON. A whole number is an `int`, also when it is written as `3.0` or `3e0`, because `3` and `3.0` are
//! the same number in a message of gRPC; any other number is a `double`. Numbers from 2^53 on are refused: they may have been rounded.
//!
//! Invariants:
//! - Everything here is pure: no clock, no randomness, no I/O. The same attributes have the same result.
//! - Nothing panics, and every recursion is bounded: by [`MAX_NESTING`] while parsing, by [`MAX_HEIGHT`] in an expression, by
//!   [`MAX_ATTRIBUTES_DEPTH`] in attributes.
//! - The work and the memory of one evaluation are bounded by [`MAX_COST`], those of one check by [`MAX_COST_OF_CHECK`].

mod arithmetic;
mod attributes;
mod calls;
mod constants;
mod evaluate;
mod expression;
mod lexer;
mod meter;
mod parser;
mod reads;
#[cfg(test)]
mod tests;
mod value;

pub use attributes::{Attributes, AttributesError, Object, Root};
pub use reads::Read;

use expression::Expression;
use reads::Reads;

/// The length of a condition.
pub const MAX_EXPRESSION_BYTES: usize = 4 * 1024;
/// Operators and operands of a condition.
pub const MAX_NODES: usize = 1024;
/// Parentheses, lists, indices and calls in each other.
pub const MAX_NESTING: usize = 32;
/// Levels of an expression: `a + b + c` has three.
pub const MAX_HEIGHT: usize = 64;
/// Regular expressions of a condition: compiling one takes a millisecond.
pub const MAX_PATTERNS: usize = 16;
/// Of one [`Object`].
pub const MAX_ATTRIBUTES_BYTES: usize = 32 * 1024;
/// Levels of one [`Object`].
pub const MAX_ATTRIBUTES_DEPTH: usize = 16;
/// Steps of one evaluation. A step is an operator, an element of a list, or eight bytes of a text.
pub const MAX_COST: u32 = 100_000;
/// Steps of all evaluations of one check, or of one list: it may meet a condition at each of thousands of tuples.
pub const MAX_COST_OF_CHECK: u32 = 1_000_000;

/// A condition that was compiled: its text is well-formed, and every name in it is known.
#[derive(Debug)]
pub struct CompiledCondition {
    name: String,
    expression: Expression,
    reads: Reads,
    patterns: usize,
}

/// The text of a condition is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CompileError {
    /// The offset in the text, in bytes.
    pub at: usize,
    pub message: String,
}

impl CompileError {
    fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }
}

/// A condition has no result for these attributes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// With this attribute the condition might have a result.
    #[error("{0} is missing")]
    Missing(String),
    /// The tuple was written before the condition was removed from the model.
    #[error("the model has no such condition: declare it, or delete the relation tuples that name it")]
    Undeclared,
    /// An operation at this offset of the text does not accept the type of a value.
    #[error("{message}")]
    Type { at: usize, message: String },
    /// An operation at this offset of the text has no result for a value, for instance a division by zero.
    #[error("{message}")]
    Value { at: usize, message: String },
    #[error("the condition results in a value of the type {0}; it must result in a bool")]
    NotABool(&'static str),
    #[error(
        "the condition takes more than {MAX_COST} steps with these attributes, or the conditions of the check more than \
         {MAX_COST_OF_CHECK}; send shorter lists and texts"
    )]
    TooExpensive,
}

impl CompiledCondition {
    pub fn compile(name: impl Into<String>, text: &str) -> Result<Self, CompileError> {
        let (expression, patterns) = parser::parse(text)?;
        let reads = Reads::of(&expression);
        Ok(Self { name: name.into(), expression, reads, patterns })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Why the condition, or a part of it, has no result, whatever the attributes are.
    pub fn fault(&self) -> Option<CompileError> {
        constants::fault(&self.expression)
    }

    /// The attributes that the condition may read, sorted; none of them is below another.
    pub fn reads(&self) -> &[Read] {
        &self.reads.attributes
    }

    /// Whether the result depends on the time of the request.
    pub const fn reads_now(&self) -> bool {
        self.reads.now
    }

    /// Whether the result depends on the context of a relation tuple.
    pub const fn reads_tuple(&self) -> bool {
        self.reads.tuple
    }

    /// The regular expressions of the condition.
    pub const fn patterns(&self) -> usize {
        self.patterns
    }

    /// The digest of all that the condition reads, and of nothing else: with equal digests, this condition has equal results.
    /// It contains the time of the request if the condition reads it. It does not identify the condition.
    pub fn digest(&self, attributes: &Attributes<'_>) -> [u8; 32] {
        self.reads.digest(attributes)
    }
}

/// Whether the condition holds.
pub fn evaluate(condition: &CompiledCondition, attributes: &Attributes<'_>) -> Result<bool, ConditionError> {
    Budget::default().evaluate(condition, attributes)
}

/// The steps that the conditions of one check may still use.
#[derive(Debug)]
pub struct Budget {
    left: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: MAX_COST_OF_CHECK }
    }
}

impl Budget {
    /// Whether the condition holds. What the evaluation uses is taken from the budget.
    pub fn evaluate(
        &mut self,
        condition: &CompiledCondition,
        attributes: &Attributes<'_>,
    ) -> Result<bool, ConditionError> {
        evaluate::evaluate(&condition.expression, attributes, &mut self.left)
    }

    /// Takes the work of reading a text before an evaluation.
    pub fn read(&mut self, text: &str) -> Result<(), ConditionError> {
        let cost = u32::try_from(text.len() / 8).unwrap_or(u32::MAX);
        let left = self.left.checked_sub(cost);
        self.left = left.unwrap_or_default();
        left.map(|_| ()).ok_or(ConditionError::TooExpensive)
    }
}
