//! The definition of membership, computed for one subject by iteration over all usersets until nothing changes.
//!
//! It shares no code with the evaluation: it works on the names of the model and on a plain list of tuples.
//!
//! A membership is certain, excluded, or neither. What is certain is the least set that follows from the tuples, where a
//! negation counts only if its operand is not possible; what is possible is the least set in which a negation counts unless
//! its operand is certain, and in which failures count as "yes". Both are computed in turns until they are stable. What is
//! possible and not certain is a failure.

use std::collections::{BTreeMap, BTreeSet};

use base::Timestamp;
use permission_language::{Expression, Model};

use super::reference_model::{Verdict, condition, counts, is_cyclic, rules};
use crate::domain::relation_tuple::{StoredTuple, Subject, SubjectSet};

/// `namespace:object#relation` as names.
pub type Place = SubjectSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    Yes,
    No,
    Failure,
}

pub struct Reference<'m> {
    model: &'m Model,
    strict: bool,
    now: Timestamp,
    tuples: BTreeMap<Place, Vec<&'m StoredTuple>>,
    places: BTreeSet<Place>,
}

/// The members that are known so far, and those of the opposite reading, which negations look at.
struct Reading<'r> {
    members: &'r BTreeSet<Place>,
    opposite: &'r BTreeSet<Place>,
    /// Failures count as "yes".
    possible: bool,
}

impl<'m> Reference<'m> {
    pub fn new(model: &'m Model, strict: bool, tuples: &'m [StoredTuple], now: Timestamp) -> Self {
        let mut by_place: BTreeMap<Place, Vec<&StoredTuple>> = BTreeMap::new();
        for stored in tuples {
            by_place.entry(place_of(stored)).or_default().push(stored);
        }
        let places = all_places(model, tuples);
        Self { model, strict, now, tuples: by_place, places }
    }

    /// Every userset that a tuple or the model can make one ask for.
    pub fn places(&self) -> &BTreeSet<Place> {
        &self.places
    }

    /// The membership of the subject in every userset.
    pub fn memberships(&self, subject: &Subject) -> BTreeMap<Place, Membership> {
        let mut certain = BTreeSet::new();
        let mut possible;
        loop {
            possible = self.least(subject, &certain, true);
            let next = self.least(subject, &possible, false);
            if next == certain {
                break;
            }
            certain = next;
        }
        let membership = |place: &Place| match (certain.contains(place), possible.contains(place)) {
            (true, _) => Membership::Yes,
            (false, true) => Membership::Failure,
            (false, false) => Membership::No,
        };
        self.places.iter().map(|place| (place.clone(), membership(place))).collect()
    }

    fn least(&self, subject: &Subject, opposite: &BTreeSet<Place>, possible: bool) -> BTreeSet<Place> {
        let mut members = BTreeSet::new();
        loop {
            let reading = Reading { members: &members, opposite, possible };
            let holds = |place: &&Place| !members.contains(*place) && self.holds(place, subject, &reading);
            let added: Vec<Place> = self.places.iter().filter(holds).cloned().collect();
            if added.is_empty() {
                return members;
            }
            members.extend(added);
        }
    }

    fn holds(&self, place: &Place, subject: &Subject, reading: &Reading<'_>) -> bool {
        let Some(rules) = rules(self.model, self.strict, place) else { return reading.possible };
        if reading.possible && is_cyclic(self.model, place) {
            return true;
        }
        let by_tuple = self.tuples.get(place).into_iter().flatten().any(|stored| {
            rules.admits(stored)
                && self.tuple_counts(stored, reading)
                && (stored.tuple.subject == *subject || is_in_set(&stored.tuple.subject, reading))
        });
        by_tuple || rules.expression.is_some_and(|expression| self.expression(expression, place, reading))
    }

    fn tuple_counts(&self, stored: &StoredTuple, reading: &Reading<'_>) -> bool {
        verdict(counts(stored, self.now), reading.possible)
    }

    fn expression(&self, expression: &Expression, object: &Place, reading: &Reading<'_>) -> bool {
        match expression {
            Expression::Any(members) => members.iter().any(|it| self.expression(it, object, reading)),
            Expression::All(members) => members.iter().all(|it| self.expression(it, object, reading)),
            Expression::Not(inner) => {
                let (members, opposite, possible) = (reading.opposite, reading.members, !reading.possible);
                !self.expression(inner, object, &Reading { members, opposite, possible })
            }
            Expression::Has(relation) => reading.members.contains(&with_relation(object, relation)),
            Expression::Traverse { relation, target } => self.traverse(object, relation, target, reading),
            Expression::Meets(name) => verdict(condition(name, None), reading.possible),
        }
    }

    fn traverse(&self, object: &Place, relation: &str, target: &str, reading: &Reading<'_>) -> bool {
        let through = with_relation(object, relation);
        let Some(rules) = rules(self.model, self.strict, &through) else { return reading.possible };
        self.tuples.get(&through).into_iter().flatten().any(|stored| match &stored.tuple.subject {
            Subject::Set(set) => {
                rules.admits(stored)
                    && self.tuple_counts(stored, reading)
                    && reading.members.contains(&with_relation(set, target))
            }
            Subject::Id(_) => false,
        })
    }
}

fn is_in_set(subject: &Subject, reading: &Reading<'_>) -> bool {
    matches!(subject, Subject::Set(set) if !set.relation.is_empty() && reading.members.contains(set))
}

fn verdict(verdict: Verdict, possible: bool) -> bool {
    match verdict {
        Verdict::Holds => true,
        Verdict::Fails => false,
        Verdict::Error => possible,
    }
}

fn place_of(stored: &StoredTuple) -> Place {
    let tuple = &stored.tuple;
    Place { namespace: tuple.namespace.clone(), object: tuple.object.clone(), relation: tuple.relation.clone() }
}

fn with_relation(object: &Place, relation: &str) -> Place {
    Place { relation: relation.to_owned(), ..object.clone() }
}

fn all_places(model: &Model, tuples: &[StoredTuple]) -> BTreeSet<Place> {
    let mut objects = BTreeSet::new();
    let mut relations = BTreeSet::new();
    for stored in tuples {
        let place = place_of(stored);
        let subject = match &stored.tuple.subject {
            Subject::Set(set) => Some(set.clone()),
            Subject::Id(_) => None,
        };
        for it in std::iter::once(place).chain(subject) {
            objects.insert((it.namespace, it.object));
            relations.insert(it.relation);
        }
    }
    for namespace in &model.namespaces {
        relations.extend(namespace.relations.iter().map(|it| it.name.clone()));
        for permit in &namespace.permits {
            relations.insert(permit.name.clone());
            named(&permit.expression, &mut relations);
        }
    }
    let place = |(namespace, object): &(String, String), relation: &String| Place {
        namespace: namespace.clone(),
        object: object.clone(),
        relation: relation.clone(),
    };
    objects.iter().flat_map(|it| relations.iter().map(move |relation| place(it, relation))).collect()
}

/// Every relation that an expression names, declared or not.
fn named(expression: &Expression, into: &mut BTreeSet<String>) {
    match expression {
        Expression::Any(members) | Expression::All(members) => members.iter().for_each(|it| named(it, into)),
        Expression::Not(inner) => named(inner, into),
        Expression::Has(relation) => drop(into.insert(relation.clone())),
        Expression::Traverse { relation, target } => into.extend([relation.clone(), target.clone()]),
        Expression::Meets(_) => {}
    }
}
