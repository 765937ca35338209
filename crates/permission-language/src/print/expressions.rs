//! Expressions of permits.

use super::{Printer, Unprintable, property, quoted};
use crate::model::{Expression, Namespace};

/// How many `(` and `!` may nest by default; the permit itself is the first of ten levels.
pub(super) const OPENINGS: usize = 9;

/// Writes the expressions of a namespace.
pub(super) struct Expressions<'p, 'm> {
    pub(super) printer: &'p mut Printer<'m>,
    pub(super) namespace: &'p Namespace,
}

impl Expressions<'_, '_> {
    /// Writes an expression where no parentheses are needed. `openings` is how many may nest in it. False for an empty one.
    pub(super) fn sequence(&mut self, expression: &Expression, openings: usize) -> Result<bool, Unprintable> {
        let Some((operator, members)) = members(expression) else { return self.term(expression, openings) };
        for (position, member) in members.iter().enumerate() {
            if position > 0 {
                self.printer.put(&[operator]);
            }
            let is_written = if position == 0 && term_openings(member) > openings {
                self.sequence(member, openings)?
            } else {
                self.term(member, openings)?
            };
            if !is_written {
                return Ok(false);
            }
        }
        Ok(!members.is_empty())
    }

    fn term(&mut self, expression: &Expression, openings: usize) -> Result<bool, Unprintable> {
        match expression {
            Expression::Any(members) | Expression::All(members) => match members.as_slice() {
                [only] => return self.term(only, openings),
                _ => return self.group(expression, openings),
            },
            Expression::Not(inner) => {
                self.printer.put(&["!"]);
                let openings = openings.saturating_sub(1);
                return if is_check(inner) { self.term(inner, openings) } else { self.group(inner, openings) };
            }
            Expression::Has(name) => {
                let is_permit = self.is_permit(&self.namespace.name, name);
                let name = property(name)?;
                self.printer.put(&if is_permit {
                    ["this.permits", &name, "(ctx)"]
                } else {
                    ["this.related", &name, ".includes(ctx.subject)"]
                });
            }
            Expression::Traverse { relation, target } => self.traverse(relation, target)?,
            Expression::Meets(condition) => self.printer.put(&["ctx.meets(", &quoted(condition)?, ")"]),
        }
        Ok(true)
    }

    fn group(&mut self, expression: &Expression, openings: usize) -> Result<bool, Unprintable> {
        self.printer.put(&["("]);
        let is_written = self.sequence(expression, openings.saturating_sub(1))?;
        self.printer.put(&[")"]);
        Ok(is_written)
    }

    /// Whether the target is a permit depends on the namespaces of the traversed relation; the first one decides.
    fn traverse(&mut self, relation: &str, target: &str) -> Result<(), Unprintable> {
        let traversed = self.namespace.relations.iter().find(|it| it.name == relation);
        let is_permit =
            traversed.and_then(|it| it.types.first()).is_some_and(|it| self.is_permit(&it.namespace, target));
        let inner = if is_permit { ["permits", "(ctx)"] } else { ["related", ".includes(ctx.subject)"] };
        let (relation, target) = (property(relation)?, property(target)?);
        self.printer.put(&["this.related", &relation, ".traverse((x) => x.", inner[0], &target, inner[1], ")"]);
        Ok(())
    }

    fn is_permit(&self, namespace: &str, name: &str) -> bool {
        let members = self.printer.namespaces.get(namespace);
        members.is_some_and(|(relations, permits)| permits.contains(name) && !relations.contains(name))
    }
}

/// The operator and the members of a group.
fn members(expression: &Expression) -> Option<(&'static str, &[Expression])> {
    match expression {
        Expression::Any(members) => Some((" || ", members)),
        Expression::All(members) => Some((" && ", members)),
        _ => None,
    }
}

fn is_check(expression: &Expression) -> bool {
    matches!(expression, Expression::Has(_) | Expression::Traverse { .. } | Expression::Meets(_))
}

/// How many openings nest in an expression that is written in parentheses where it needs them.
fn term_openings(expression: &Expression) -> usize {
    match expression {
        Expression::Any(members) | Expression::All(members) => {
            let deepest = members.iter().map(term_openings).max().unwrap_or_default();
            if members.len() == 1 { deepest } else { deepest + 1 }
        }
        Expression::Not(inner) if is_check(inner) => 1,
        Expression::Not(inner) => match members(inner) {
            Some((_, members)) => members.iter().map(term_openings).max().unwrap_or_default() + 2,
            None => term_openings(inner) + 2,
        },
        _ => 0,
    }
}
