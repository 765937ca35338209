//! What is wrong with a text, as a value: the message that clients of the syntax check see, its place, and what to do.
//!
//! Invariants: messages and remedies quote names with control characters escaped, and are bounded in length.

use std::fmt::{self, Write as _};

use crate::positions;
pub(crate) use crate::quoting::{quote, visible};
use crate::source::{SourceFile, Span};

/// An error or a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub kind: Kind,
    /// The position of the file in the list that was parsed.
    pub file: usize,
    /// Where it is. For a quoted name, the text between the quotes.
    pub span: Span,
    /// What is wrong. Where Ory Keto has the error, in its words, because clients match them.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    Error,
    Warning,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The text is longer than a bound.
    TooLarge,
    /// The text does not follow the grammar.
    Syntax,
    /// An expression nests deeper than a bound.
    TooDeep,
    UndeclaredNamespace,
    UndeclaredRelation,
    UndeclaredCondition,
    /// The expression of a condition is wrong. A caller that parses expressions reports it; this crate does not.
    InvalidCondition,
    /// A condition, or a part of it, has no result whatever the attributes are. The model loads with it. A caller that parses
    /// expressions reports it.
    FailingCondition,
    /// A namespace, relation, permit or condition is declared twice.
    Duplicate,
    /// `this.related` with the name of a permit, or `this.permits` with that of a relation.
    MixedReference,
    /// `traverse` reaches a namespace without the relation or permit that it asks for.
    TraverseTarget,
    /// The types of `traverse` nest too deep or are too many to be checked.
    TraverseTooDeep,
    /// One name is a relation and a permit of the same namespace. The model loads without the permit.
    Collision,
    /// `&&` and `||` in one group without parentheses.
    MixedOperators,
    /// Two checks without an operator between them.
    MissingOperator,
    /// Permits that refer to each other on the same object in a circle.
    PermitCycle,
    /// An empty namespace that is no type of any relation.
    UnusedNamespace,
    /// A condition that no type and no permit names.
    UnusedCondition,
    /// `traverse` over a `SubjectSet` whose relation plays no part.
    LostRelation,
    /// `traverse` with `x.related` and the name of a permit, or `x.permits` and that of a relation.
    MixedTraverse,
    /// A type that occurs twice in a relation.
    RepeatedType,
    /// A permit that everybody has who is not excluded, and that nothing refers to.
    OpenPermit,
}

impl Kind {
    pub fn severity(self) -> Severity {
        match self {
            Self::Collision
            | Self::MixedOperators
            | Self::MissingOperator
            | Self::PermitCycle
            | Self::UnusedNamespace
            | Self::UnusedCondition
            | Self::LostRelation
            | Self::MixedTraverse
            | Self::RepeatedType
            | Self::OpenPermit => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// Whether files with such a problem have no model. A warning never prevents it, and one error does not either.
    pub fn prevents_loading(self) -> bool {
        self.severity() == Severity::Error && self != Self::FailingCondition
    }

    /// Whether the syntax check of Keto answers it: its errors, and a collision, with which Keto loads a model as well.
    pub fn is_answered_by_syntax_check(self) -> bool {
        self.severity() == Severity::Error || self == Self::Collision
    }
}

impl Problem {
    pub fn severity(&self) -> Severity {
        self.kind.severity()
    }

    /// The problem for people: its place, the line of the source with the place marked, and the remedy. `files` is the list
    /// that was parsed.
    pub fn render(&self, files: &[SourceFile<'_>]) -> String {
        let mut rendered = String::new();
        if let Some(file) = files.get(self.file) {
            let position = positions::position(file.text, self.span.start);
            let name = visible(file.name);
            // Writing to a `String` does not fail.
            let _ = write!(rendered, "{name}:{}:{}: ", position.line, position.column);
        }
        let _ = writeln!(rendered, "{}: {}", self.severity(), self.message);
        if let Some(file) = files.get(self.file) {
            rendered.push_str(&positions::excerpt(file.text, self.span));
        }
        let _ = writeln!(rendered, "help: {}", self.remedy);
        rendered
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.severity(), self.message, self.remedy)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

#[cfg(test)]
mod tests;
