//! The syntax tree of a file: what was written, with its places, before any name is resolved.
//!
//! It keeps what the formatter must not change (the form of a type, optional annotations) and the grouping as it was written;
//! `lower` gives expressions their meaning.

use std::collections::HashSet;

use crate::source::Span;

/// A name with its place; of a quoted name, the text between the quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name<'a> {
    pub(crate) text: &'a str,
    pub(crate) span: Span,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct File<'a> {
    pub(crate) declarations: Vec<Declaration<'a>>,
}

#[derive(Clone, Debug)]
pub(crate) enum Declaration<'a> {
    Class(Class<'a>),
    Condition(Condition<'a>),
}

/// `const NAME: Condition = "…"`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Condition<'a> {
    pub(crate) name: Name<'a>,
    pub(crate) expression: Name<'a>,
    /// From `const` to the end of the declaration.
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) struct Class<'a> {
    pub(crate) name: Name<'a>,
    pub(crate) blocks: Vec<Block<'a>>,
    /// The opening brace.
    pub(crate) open: Span,
    /// From `class` to the closing brace.
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) struct Block<'a> {
    pub(crate) members: Members<'a>,
    /// The opening brace.
    pub(crate) open: Span,
    /// From `related` or `permits` to the closing brace.
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum Members<'a> {
    Related(Vec<Relation<'a>>),
    Permits(Vec<Permit<'a>>),
}

#[derive(Clone, Debug)]
pub(crate) struct Relation<'a> {
    pub(crate) name: Name<'a>,
    pub(crate) form: TypeForm,
    pub(crate) types: Vec<Type<'a>>,
    pub(crate) end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TypeForm {
    /// `T[]`
    Single,
    /// `(T | T)[]`
    Union,
    /// `Array<T | T>`
    Array,
}

/// `N`, `SubjectSet<N, "r">`, or one of these in `When<.., "c">`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Type<'a> {
    pub(crate) namespace: Name<'a>,
    pub(crate) relation: Option<Name<'a>>,
    pub(crate) condition: Option<Name<'a>>,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) struct Permit<'a> {
    pub(crate) name: Name<'a>,
    /// Whether `: Context` was written.
    pub(crate) has_context_type: bool,
    /// Whether `: boolean` was written.
    pub(crate) has_return_type: bool,
    pub(crate) expression: Sequence<'a>,
    pub(crate) end: usize,
}

/// Terms with operators between them. `&&` and `||` bind alike, from left to right.
#[derive(Clone, Debug)]
pub(crate) struct Sequence<'a> {
    pub(crate) first: Term<'a>,
    pub(crate) rest: Vec<Link<'a>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Link<'a> {
    /// Nothing, when two terms follow each other.
    pub(crate) operator: Option<(Operator, Span)>,
    pub(crate) term: Term<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    And,
    Or,
}

#[derive(Clone, Debug)]
pub(crate) enum Term<'a> {
    Check(Check<'a>),
    /// `( … )`, with the span of its parentheses and what is between.
    Group(Box<Sequence<'a>>, Span),
    /// `! …`, from the exclamation mark on. The operand is a check or a group.
    Not(Box<Term<'a>>, Span),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Check<'a> {
    pub(crate) kind: CheckKind<'a>,
    pub(crate) span: Span,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum CheckKind<'a> {
    /// `this.related.R.includes(ctx.subject)`
    Includes(Name<'a>),
    /// `this.permits.P(ctx)`
    Permits(Name<'a>),
    /// `this.related.R.traverse(..)`
    Traverse(Traverse<'a>),
    /// `ctx.meets("c")`
    Meets(Name<'a>),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Traverse<'a> {
    pub(crate) relation: Name<'a>,
    pub(crate) argument: Name<'a>,
    /// Whether the parameter of the lambda stands in parentheses.
    pub(crate) has_parentheses: bool,
    pub(crate) target: Name<'a>,
    /// `x.permits.P(ctx)`; otherwise `x.related.P.includes(ctx.subject)`.
    pub(crate) is_permit: bool,
}

impl Operator {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::And => "&&",
            Self::Or => "||",
        }
    }
}

impl Term<'_> {
    pub(crate) fn span(&self) -> Span {
        match self {
            Self::Check(check) => check.span,
            Self::Group(_, span) | Self::Not(_, span) => *span,
        }
    }
}

impl<'a> Sequence<'a> {
    /// All terms, in order.
    pub(crate) fn terms(&self) -> impl Iterator<Item = &Term<'a>> {
        std::iter::once(&self.first).chain(self.rest.iter().map(|link| &link.term))
    }

    /// Every check of the expression, with those in groups and under `!`.
    pub(crate) fn checks(&self) -> Vec<&Check<'a>> {
        let mut checks = Vec::new();
        let mut open: Vec<&Term<'a>> = self.terms().collect();
        open.reverse();
        while let Some(term) = open.pop() {
            match term {
                Term::Check(check) => checks.push(check),
                Term::Not(inner, _) => open.push(inner),
                Term::Group(inner, _) => {
                    let from = open.len();
                    open.extend(inner.terms());
                    open[from..].reverse();
                }
            }
        }
        checks
    }
}

impl<'a> File<'a> {
    pub(crate) fn classes(&self) -> impl Iterator<Item = &Class<'a>> {
        self.declarations.iter().filter_map(|it| match it {
            Declaration::Class(class) => Some(class),
            Declaration::Condition(_) => None,
        })
    }

    pub(crate) fn conditions(&self) -> impl Iterator<Item = &Condition<'a>> {
        self.declarations.iter().filter_map(|it| match it {
            Declaration::Condition(condition) => Some(condition),
            Declaration::Class(_) => None,
        })
    }
}

impl<'a> Class<'a> {
    pub(crate) fn relations(&self) -> impl Iterator<Item = &Relation<'a>> {
        self.blocks.iter().flat_map(|block| match &block.members {
            Members::Related(relations) => relations.as_slice(),
            Members::Permits(_) => &[],
        })
    }

    pub(crate) fn permits(&self) -> impl Iterator<Item = &Permit<'a>> {
        self.blocks.iter().flat_map(|block| match &block.members {
            Members::Permits(permits) => permits.as_slice(),
            Members::Related(_) => &[],
        })
    }

    /// The permits that have an effect: a relation of the same name counts, and the permit does not.
    pub(crate) fn effective_permits(&self) -> impl Iterator<Item = &Permit<'a>> {
        let related: HashSet<&str> = self.relations().map(|it| it.name.text).collect();
        self.permits().filter(move |it| !related.contains(it.name.text))
    }
}
