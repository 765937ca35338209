//! Permits that refer to each other on the same object in a circle, without a hop to another object. A check that follows the
//! circle has no answer.

use std::collections::HashMap;

use crate::names::{Meaning, Names};
use crate::problem::{Kind, Problem, visible};
use crate::problems::Problems;
use crate::syntax::{CheckKind, Class, Permit};

/// How many permits of a circle a message names.
const SHOWN_PERMITS: usize = 10;

/// How much of a name a message shows.
const SHOWN_CHARACTERS: usize = 64;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    /// On the path from the start of the search.
    Open,
    Done,
}

/// Depth-first search over the permits of a class. Each circle is reported where it closes.
pub(super) fn check(file: usize, class: &Class<'_>, names: &Names<'_, '_>, problems: &mut Problems) {
    let permits: Vec<&Permit<'_>> = class.permits().collect();
    let references = references(class, &permits, names);
    let mut states = vec![State::New; permits.len()];
    for start in 0..permits.len() {
        if states[start] != State::New {
            continue;
        }
        states[start] = State::Open;
        // The path, with the number of references of each permit that were followed.
        let mut path = vec![(start, 0)];
        while let Some((permit, followed)) = path.last_mut() {
            let Some(&next) = references[*permit].get(*followed) else {
                states[*permit] = State::Done;
                path.pop();
                continue;
            };
            *followed += 1;
            match states[next] {
                State::Done => {}
                State::New => {
                    states[next] = State::Open;
                    path.push((next, 0));
                }
                State::Open => {
                    let from = path.iter().rposition(|(permit, _)| *permit == next).unwrap_or_default();
                    let circle: Vec<&Permit<'_>> = path[from..].iter().map(|(permit, _)| permits[*permit]).collect();
                    problems.push(problem(file, &circle));
                }
            }
        }
    }
}

/// For each permit, the permits that it refers to on the same object.
fn references(class: &Class<'_>, permits: &[&Permit<'_>], names: &Names<'_, '_>) -> Vec<Vec<usize>> {
    let positions: HashMap<&str, usize> =
        permits.iter().enumerate().map(|(position, permit)| (permit.name.text, position)).collect();
    let position = |check: &CheckKind<'_>| match check {
        CheckKind::Permits(name) if names.meaning(class.name.text, name.text) == Some(Meaning::Permit) => {
            positions.get(name.text).copied()
        }
        _ => None,
    };
    permits
        .iter()
        .map(|permit| {
            let mut found: Vec<usize> =
                permit.expression.checks().into_iter().filter_map(|check| position(&check.kind)).collect();
            found.sort_unstable();
            found.dedup();
            found
        })
        .collect()
}

fn problem(file: usize, circle: &[&Permit<'_>]) -> Problem {
    let name = |permit: &Permit<'_>| visible(&permit.name.text.chars().take(SHOWN_CHARACTERS).collect::<String>());
    let first = circle.first().map(|permit| name(permit)).unwrap_or_default();
    let mut shown: Vec<String> = circle.iter().take(SHOWN_PERMITS).map(|permit| name(permit)).collect();
    if circle.len() > SHOWN_PERMITS {
        shown.push("…".into());
    }
    Problem {
        kind: Kind::PermitCycle,
        file,
        span: circle.first().map(|permit| permit.name.span).unwrap_or_default(),
        message: format!("permits refer to each other in a circle: {} -> {first}", shown.join(" -> ")),
        remedy:
            "a check that follows the circle ends with an error; remove one of the references, or go to another object \
                 with traverse"
                .into(),
    }
}
