//! Expressions that read differently here and in TypeScript: `&&` and `||` without parentheses, and missing operators.

use crate::limits::QUOTED_CHARACTERS;
use crate::problem::{Kind, Problem, visible};
use crate::problems::Problems;
use crate::syntax::{CheckKind, Operator, Sequence, Term};

/// How many terms of an expression a remedy shows.
const SHOWN_TERMS: usize = 8;

/// Checks an expression and the groups in it.
pub(super) fn check(file: usize, expression: &Sequence<'_>, problems: &mut Problems) {
    let mut open = vec![expression];
    while let Some(sequence) = open.pop() {
        mixed_operators(file, sequence, problems);
        missing_operators(file, sequence, problems);
        for mut term in sequence.terms() {
            while let Term::Not(inner, _) = term {
                term = inner;
            }
            if let Term::Group(inner, _) = term {
                open.push(inner);
            }
        }
    }
}

fn mixed_operators(file: usize, sequence: &Sequence<'_>, problems: &mut Problems) {
    let mut operators = sequence.rest.iter().filter_map(|link| link.operator);
    let Some((first, _)) = operators.next() else { return };
    let Some((_, span)) = operators.find(|(operator, _)| *operator != first) else { return };
    let (here, typescript) = (left_to_right(sequence), by_precedence(sequence));
    let comparison = if here == typescript {
        format!("it is grouped as {here}, here and in TypeScript")
    } else {
        format!("it is grouped from left to right, as {here}; TypeScript would group it as {typescript}")
    };
    problems.push(Problem {
        kind: Kind::MixedOperators,
        file,
        span,
        message: "\"&&\" and \"||\" are mixed without parentheses".into(),
        remedy: format!("{comparison}. Write parentheses around the group that you mean"),
    });
}

fn missing_operators(file: usize, sequence: &Sequence<'_>, problems: &mut Problems) {
    let mut running = operator_of(&sequence.first);
    for link in &sequence.rest {
        if let Some((operator, _)) = link.operator {
            running = operator;
            continue;
        }
        problems.push(Problem {
            kind: Kind::MissingOperator,
            file,
            span: link.term.span(),
            message: "two expressions follow each other without an operator".into(),
            remedy: format!(
                "they are joined by {} here, and TypeScript refuses them; write the operator",
                running.text()
            ),
        });
    }
}

/// The operator that joins a term without one to what is before it. See `lower`.
pub(super) fn operator_of(first: &Term<'_>) -> Operator {
    let mut term = first;
    while let Term::Group(inner, _) = term {
        if let Some((operator, _)) = inner.rest.iter().rev().find_map(|link| link.operator) {
            return operator;
        }
        term = &inner.first;
    }
    Operator::Or
}

/// The terms that a remedy shows, each with the operator before it. A term without one belongs to the operator before.
fn shown<'s>(sequence: &'s Sequence<'_>) -> impl Iterator<Item = (Operator, String)> + use<'s> {
    let mut running = operator_of(&sequence.first);
    sequence.rest.iter().take(SHOWN_TERMS).map(move |link| {
        running = link.operator.map_or(running, |(operator, _)| operator);
        (running, label(&link.term))
    })
}

/// With all groups in parentheses, from left to right.
fn left_to_right(sequence: &Sequence<'_>) -> String {
    let mut text = label(&sequence.first);
    let mut last = None;
    for (operator, label) in shown(sequence) {
        if last.is_some_and(|last| last != operator) {
            text = format!("({text})");
        }
        text = format!("{text} {} {label}", operator.text());
        last = Some(operator);
    }
    text + ending(sequence)
}

/// With all groups in parentheses, `&&` before `||`.
fn by_precedence(sequence: &Sequence<'_>) -> String {
    let mut alternatives = vec![vec![label(&sequence.first)]];
    for (operator, label) in shown(sequence) {
        match (operator, alternatives.last_mut()) {
            (Operator::And, Some(last)) => last.push(label),
            _ => alternatives.push(vec![label]),
        }
    }
    let has_alternatives = alternatives.len() > 1;
    let groups: Vec<String> = alternatives
        .into_iter()
        .map(|labels| match labels.join(" && ") {
            group if has_alternatives && labels.len() > 1 => format!("({group})"),
            group => group,
        })
        .collect();
    groups.join(" || ") + ending(sequence)
}

fn ending(sequence: &Sequence<'_>) -> &'static str {
    if sequence.rest.len() > SHOWN_TERMS { " …" } else { "" }
}

/// A short text for a term.
fn label(term: &Term<'_>) -> String {
    let name = |name: &str| visible(&name.chars().take(QUOTED_CHARACTERS / SHOWN_TERMS).collect::<String>());
    match term {
        Term::Group(..) => "(…)".into(),
        Term::Not(inner, _) => format!("!{}", label(inner)),
        Term::Check(check) => match check.kind {
            CheckKind::Includes(it) => format!("related.{}", name(it.text)),
            CheckKind::Permits(it) => format!("permits.{}", name(it.text)),
            CheckKind::Traverse(it) => format!("{}.traverse({})", name(it.relation.text), name(it.target.text)),
            CheckKind::Meets(it) => format!("meets({})", name(it.text)),
        },
    }
}
