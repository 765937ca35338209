//! Permits that everybody has: an exclusion without a relation that grants. Subjects that no tuple names have them too.
//!
//! A permit that something refers to is no warning: `this.permits.notBlocked(ctx)` may be one of several terms there. Neither is
//! one that follows from a condition, which is written for that.

use std::collections::HashSet;

use super::grouping::operator_of;
use crate::problem::{Kind, Problem, quote};
use crate::problems::Problems;
use crate::syntax::{Class, Operator, Sequence, Term};

/// `referred` are the names of permits that anything refers to.
pub(super) fn check(file: usize, class: &Class<'_>, referred: &HashSet<&str>, problems: &mut Problems) {
    for permit in class.permits().filter(|it| !referred.contains(it.name.text)) {
        if holds_without_checks(&permit.expression) {
            problems.push(Problem {
                kind: Kind::OpenPermit,
                file,
                span: permit.name.span,
                message: format!("everybody has the permit {} unless they are excluded", quote(permit.name.text)),
                remedy:
                    "subjects that no relation tuple names have it too; join the exclusion by && to a check that grants"
                        .into(),
            });
        }
    }
}

/// Whether an expression is true when all its checks are false, as for a subject without any relation tuple.
fn holds_without_checks(sequence: &Sequence<'_>) -> bool {
    let mut running = operator_of(&sequence.first);
    let mut holds = holds(&sequence.first);
    for link in &sequence.rest {
        running = link.operator.map_or(running, |(operator, _)| operator);
        let next = self::holds(&link.term);
        holds = match running {
            Operator::And => holds && next,
            Operator::Or => holds || next,
        };
    }
    holds
}

/// The recursion is bounded, because groups nest a few levels only.
fn holds(term: &Term<'_>) -> bool {
    match term {
        Term::Check(_) => false,
        Term::Not(inner, _) => !holds(inner),
        Term::Group(inner, _) => holds_without_checks(inner),
    }
}
