//! Which memberships a case defines through their own negation. Only these may have no answer although the reference has one: the
//! evaluation, which asks in one direction, does not resolve such a circle, and says so.
//!
//! The graph is that of the case's own tuples. It has an edge wherever the definition of a membership names another one, whether
//! or not it counts (a condition, an expiry, the strict mode), so that it never has too few.

use std::collections::{BTreeMap, BTreeSet};

use permission_language::{Expression, Model};

use super::generator::Case;
use super::reference::Place;
use crate::domain::relation_tuple::{StoredTuple, Subject};

/// A place that another one depends on, and whether a negation is in between.
type Edge = (Place, bool);

struct Dependencies<'c> {
    model: &'c Model,
    tuples: BTreeMap<Place, Vec<&'c StoredTuple>>,
}

/// The places that depend on a place which depends on its own negation.
pub fn unstratified(case: &Case, places: &BTreeSet<Place>) -> BTreeSet<Place> {
    let dependencies = Dependencies::of(case);
    let edges: BTreeMap<&Place, Vec<Edge>> = places.iter().map(|place| (place, dependencies.edges(place))).collect();
    let negations = edges.iter().flat_map(|(place, edges)| edges.iter().map(move |edge| (*place, edge)));
    let negations = negations.filter(|(_, (_, is_negated))| *is_negated);
    let in_circles: BTreeSet<&Place> = negations
        .filter(|(place, (operand, _))| reached(&edges, operand).contains(place))
        .map(|(place, _)| place)
        .collect();
    if in_circles.is_empty() {
        return BTreeSet::new();
    }
    places.iter().filter(|place| reached(&edges, place).iter().any(|it| in_circles.contains(it))).cloned().collect()
}

/// The place itself, and what it depends on.
fn reached<'e>(edges: &'e BTreeMap<&Place, Vec<Edge>>, from: &'e Place) -> BTreeSet<&'e Place> {
    let mut seen = BTreeSet::from([from]);
    let mut left = vec![from];
    while let Some(place) = left.pop() {
        let next = edges.get(place).into_iter().flatten().map(|(place, _)| place);
        left.extend(next.filter(|it| seen.insert(*it)));
    }
    seen
}

impl<'c> Dependencies<'c> {
    fn of(case: &'c Case) -> Self {
        let mut tuples: BTreeMap<Place, Vec<&StoredTuple>> = BTreeMap::new();
        for stored in &case.tuples {
            let tuple = &stored.tuple;
            let (namespace, object, relation) = (tuple.namespace.clone(), tuple.object.clone(), tuple.relation.clone());
            tuples.entry(Place { namespace, object, relation }).or_default().push(stored);
        }
        Self { model: &case.model, tuples }
    }

    fn subject_sets(&self, place: &Place) -> impl Iterator<Item = &Place> {
        self.tuples.get(place).into_iter().flatten().filter_map(|stored| match &stored.tuple.subject {
            Subject::Set(set) => Some(set),
            Subject::Id(_) => None,
        })
    }

    fn edges(&self, place: &Place) -> Vec<Edge> {
        let mut edges: Vec<Edge> = self.subject_sets(place).map(|set| (set.clone(), false)).collect();
        let namespace = self.model.namespaces.iter().find(|it| it.name == place.namespace);
        let permit = namespace.and_then(|it| it.permits.iter().find(|it| it.name == place.relation));
        if let Some(permit) = permit {
            self.of_expression(&permit.expression, place, false, &mut edges);
        }
        edges
    }

    fn of_expression(&self, expression: &Expression, place: &Place, is_negated: bool, into: &mut Vec<Edge>) {
        let at = |place: &Place, relation: &str| Place { relation: relation.to_owned(), ..place.clone() };
        match expression {
            Expression::Any(members) | Expression::All(members) => {
                for member in members {
                    self.of_expression(member, place, is_negated, into);
                }
            }
            // A negation of a negation is evaluated as two.
            Expression::Not(inner) => self.of_expression(inner, place, true, into),
            Expression::Has(relation) => into.push((at(place, relation), is_negated)),
            Expression::Traverse { relation, target } => {
                let through = at(place, relation);
                into.extend(self.subject_sets(&through).map(|set| (at(set, target), is_negated)));
            }
            Expression::Meets(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use permission_language::{Namespace, Permit};

    use super::*;
    use crate::domain::relation_tuple::RelationTuple;

    fn place(text: &str) -> Place {
        let (namespace, rest) = text.split_once(':').unwrap();
        let (object, relation) = rest.split_once('#').unwrap();
        Place { namespace: namespace.into(), object: object.into(), relation: relation.into() }
    }

    /// `member` is a relation; `outside` is `not member`, and `twice` is `not outside or member`.
    fn case(tuples: &[(&str, &str)]) -> Case {
        let not = |relation: &str| Expression::Not(Box::new(Expression::Has(relation.into())));
        let twice = Expression::Any(vec![not("outside"), Expression::Has("member".into())]);
        let permit = |name: &str, expression| Permit { name: name.into(), expression };
        let permits = vec![permit("outside", not("member")), permit("twice", twice)];
        let relations = vec![permission_language::Relation { name: "member".into(), types: Vec::new() }];
        let namespaces = vec![Namespace { name: "Doc".into(), relations, permits }];
        let stored = |(of, subject): &(&str, &str)| {
            let Place { namespace, object, relation } = place(of);
            StoredTuple::from(RelationTuple { namespace, object, relation, subject: Subject::Set(place(subject)) })
        };
        let model = Model { namespaces, conditions: Vec::new() };
        Case { model, tuples: tuples.iter().map(stored).collect(), strict: false }
    }

    fn of(tuples: &[(&str, &str)]) -> Vec<String> {
        let objects = ["a", "b", "c"];
        let places =
            objects.iter().flat_map(|it| ["member", "outside", "twice"].map(|name| place(&format!("Doc:{it}#{name}"))));
        let found = unstratified(&case(tuples), &places.collect());
        found.into_iter().map(|it| format!("{}#{}", it.object, it.relation)).collect()
    }

    #[test]
    fn negations_that_end_are_stratified() {
        assert_eq!(of(&[]), [""; 0]);
        assert_eq!(of(&[("Doc:a#member", "Doc:b#outside"), ("Doc:b#member", "Doc:c#outside")]), [""; 0]);
        // A circle without a negation.
        assert_eq!(of(&[("Doc:a#member", "Doc:b#member"), ("Doc:b#member", "Doc:a#member")]), [""; 0]);
    }

    #[test]
    fn what_leads_to_a_circle_with_a_negation_is_not() {
        let circle = [("Doc:a#member", "Doc:a#outside")];
        assert_eq!(of(&circle), ["a#member", "a#outside", "a#twice"]);
        let longer =
            [("Doc:a#member", "Doc:b#outside"), ("Doc:b#member", "Doc:a#member"), ("Doc:c#member", "Doc:b#twice")];
        assert_eq!(of(&longer).len(), 9);
        let beside =
            [("Doc:a#member", "Doc:a#outside"), ("Doc:a#member", "Doc:c#member"), ("Doc:b#member", "Doc:c#twice")];
        assert_eq!(of(&beside), ["a#member", "a#outside", "a#twice"]);
    }
}
