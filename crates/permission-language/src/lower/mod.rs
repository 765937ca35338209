//! From syntax trees to a model: expressions get their meaning.
//!
//! Specification: operators group from left to right with equal precedence. A group of one operator is flat. Terms without an
//! operator between them belong to the group before them; with nothing before, to an `||`.

use crate::model::{self, Expression, Model, Namespace, SubjectType};
use crate::syntax::{Check, CheckKind, Class, File, Operator, Sequence, Term, Type};

/// The model of checked files.
pub(crate) fn lower(files: &[File<'_>]) -> Model {
    Model {
        namespaces: files.iter().flat_map(File::classes).map(namespace).collect(),
        conditions: files
            .iter()
            .flat_map(File::conditions)
            .map(|it| model::Condition { name: it.name.text.into(), expression: it.expression.text.into() })
            .collect(),
    }
}

fn namespace(class: &Class<'_>) -> Namespace {
    let relations: Vec<model::Relation> = class
        .relations()
        .map(|it| model::Relation { name: it.name.text.into(), types: it.types.iter().map(subject_type).collect() })
        .collect();
    let permits = class
        .effective_permits()
        .map(|it| model::Permit { name: it.name.text.into(), expression: group(&it.expression).into_expression() })
        .collect();
    Namespace { name: class.name.text.into(), relations, permits }
}

fn subject_type(it: &Type<'_>) -> SubjectType {
    SubjectType {
        namespace: it.namespace.text.into(),
        relation: it.relation.map(|relation| relation.text.into()),
        condition: it.condition.map(|condition| condition.text.into()),
    }
}

/// Expressions that one operator joins.
struct Group {
    operator: Operator,
    members: Vec<Expression>,
}

impl Group {
    fn new(operator: Operator) -> Self {
        Self { operator, members: Vec::new() }
    }

    /// Adds an expression, or its members when it is of the same operator.
    fn add(&mut self, expression: Expression) {
        match (self.operator, expression) {
            (Operator::Or, Expression::Any(members)) | (Operator::And, Expression::All(members)) => {
                self.members.extend(members);
            }
            (_, expression) => self.members.push(expression),
        }
    }

    fn into_expression(mut self) -> Expression {
        if self.members.len() == 1
            && let Some(only) = self.members.pop()
        {
            return only;
        }
        match self.operator {
            Operator::And => Expression::All(self.members),
            Operator::Or => Expression::Any(self.members),
        }
    }
}

fn group(sequence: &Sequence<'_>) -> Group {
    // A group in the first place is the group that terms without an operator join.
    let mut running = match &sequence.first {
        Term::Group(inner, _) => group(inner),
        first => {
            let mut running = Group::new(Operator::Or);
            running.add(expression(first));
            running
        }
    };
    for link in &sequence.rest {
        if let Some((operator, _)) = link.operator
            && operator != running.operator
        {
            let before = running.into_expression();
            running = Group::new(operator);
            running.add(before);
        }
        running.add(expression(&link.term));
    }
    running
}

fn expression(term: &Term<'_>) -> Expression {
    match term {
        Term::Group(inner, _) => group(inner).into_expression(),
        Term::Not(inner, _) => Expression::Not(Box::new(expression(inner))),
        Term::Check(check) => check_expression(check),
    }
}

fn check_expression(check: &Check<'_>) -> Expression {
    match check.kind {
        CheckKind::Includes(name) | CheckKind::Permits(name) => Expression::Has(name.text.into()),
        CheckKind::Meets(name) => Expression::Meets(name.text.into()),
        CheckKind::Traverse(it) => {
            Expression::Traverse { relation: it.relation.text.into(), target: it.target.text.into() }
        }
    }
}

#[cfg(test)]
mod tests;
