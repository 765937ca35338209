//! A permission model: the namespaces that a text of the language declares.
//!
//! Invariants of a [`Model`] that was parsed:
//! - Names of namespaces and conditions are unique, and so are the names of the relations of a namespace, and of its permits.
//! - Every name that a type or an expression refers to is declared.
//! - Expressions are flat: an [`Expression::Any`] or [`Expression::All`] has at least two members, none of them of its own kind.

/// The namespaces and conditions of all files that were parsed together, in the order of their declaration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    pub namespaces: Vec<Namespace>,
    pub conditions: Vec<Condition>,
}

/// A class: a kind of objects. One without relations and permits accepts relation tuples of any relation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace {
    pub name: String,
    pub relations: Vec<Relation>,
    pub permits: Vec<Permit>,
}

/// A relation that relation tuples are written for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    pub name: String,
    /// The types of its subjects. A relation of a legacy namespace has none, and accepts all subjects.
    pub types: Vec<SubjectType>,
}

/// A kind of subjects that a relation accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectType {
    pub namespace: String,
    /// For `SubjectSet<namespace, relation>`: the subjects that have this relation to an object, or this permit on it.
    /// Without it, the subject is the object itself.
    pub relation: Option<String>,
    /// For `When<.., condition>`: relation tuples with this subject name this condition, and count only while it holds.
    pub condition: Option<String>,
}

/// A permission: who has it follows from relations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    pub name: String,
    pub expression: Expression,
}

/// Whether a subject has a permission on an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// `a || b`: at least one holds.
    Any(Vec<Expression>),
    /// `a && b`: all of them hold.
    All(Vec<Expression>),
    /// `!a`.
    Not(Box<Expression>),
    /// `this.related.r.includes(ctx.subject)` or `this.permits.p(ctx)`: the subject has this relation to the object, or
    /// this permit on it.
    Has(String),
    /// `this.related.r.traverse((x) => x.permits.p(ctx))`, or with `x.related.p.includes(ctx.subject)`: the subject has the
    /// relation or permit `target` on at least one of the objects that the object has `relation` to.
    Traverse { relation: String, target: String },
    /// `ctx.meets("c")`: the named condition holds.
    Meets(String),
}

/// `const name: Condition = "…"`: a rule about the attributes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    pub name: String,
    /// An expression of the Common Expression Language (CEL), as it was written. This crate does not parse it.
    pub expression: String,
}
