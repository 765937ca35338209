use std::collections::BTreeSet;

use base::Timestamp;

use super::Graph;
use crate::domain::relation_tuple::{RelationTuple, StoredTuple, Subject, SubjectSet};
use crate::testing::generator::Dice;

fn tuple(object: usize, relation: &str, subject: usize) -> RelationTuple {
    let (namespace, object, relation) = ("Doc".to_owned(), format!("d{object}"), relation.to_owned());
    let subject = match subject % 3 {
        0 => Subject::Id(format!("u{subject}")),
        1 => Subject::Set(SubjectSet {
            namespace: "User".into(),
            object: format!("u{subject}"),
            relation: String::new(),
        }),
        _ => Subject::Set(SubjectSet {
            namespace: "Group".into(),
            object: format!("g{subject}"),
            relation: "member".into(),
        }),
    };
    RelationTuple { namespace, object, relation, subject }
}

fn names_of(graph: &Graph) -> BTreeSet<RelationTuple> {
    let mut tuples = BTreeSet::new();
    graph.for_each(|userset, subject| {
        let namespace = |it: crate::domain::ids::Userset| graph.symbols().namespace_name(it.namespace()).to_owned();
        let name = |it: crate::domain::ids::Userset| graph.names().name(it.name()).to_owned();
        let relation = |it: crate::domain::ids::Userset| graph.symbols().relation_name(it.relation()).to_owned();
        let of = if subject.is_id() {
            Subject::Id(name(subject))
        } else {
            let (namespace, object) = (namespace(subject), name(subject));
            Subject::Set(SubjectSet { namespace, object, relation: relation(subject) })
        };
        let (namespace, object, relation) = (namespace(userset), name(userset), relation(userset));
        tuples.insert(RelationTuple { namespace, object, relation, subject: of })
    });
    tuples
}

#[test]
fn the_graph_holds_what_was_inserted_and_not_removed() {
    let mut dice = Dice::new(7);
    let mut graph = Graph::default();
    let mut expected = BTreeSet::new();
    for round in 0..30_000 {
        // One object has many subjects and shrinks again, so that lists of every size are used.
        let object = if dice.percent(40) { 0 } else { dice.below(200) };
        let it = tuple(object, if dice.percent(50) { "viewer" } else { "editor" }, dice.below(900));
        let removes = if (round / 5000) % 2 == 0 { 20 } else { 75 };
        if dice.percent(removes) {
            assert_eq!(graph.remove(&it), expected.remove(&it));
        } else {
            assert_eq!(graph.insert(&StoredTuple::from(it.clone())), Ok(expected.insert(it)));
        }
    }
    assert_eq!(graph.len(), expected.len());
    assert_eq!(names_of(&graph), expected);
    for it in &expected {
        assert!(graph.remove(it));
    }
    assert!(graph.is_empty());
    assert_eq!(graph.key_counts(), (0, 0));
    assert_eq!(graph.usage.objects(graph.symbols.namespace("Doc").unwrap()).count(), 0);
    assert_eq!(graph.usage.objects(graph.symbols.namespace("User").unwrap()).count(), 0);
}

#[test]
fn expired_tuples_are_removed_in_the_order_of_their_expiries() {
    let until = |seconds: Option<i64>, object| StoredTuple {
        expires_at: seconds.map(Timestamp::from_unix_seconds),
        ..StoredTuple::from(tuple(object, "viewer", 0))
    };
    let mut graph = Graph::default();
    for (seconds, object) in [(Some(5), 1), (Some(3), 2), (None, 3), (Some(4), 4), (Some(9), 5), (Some(2), 6)] {
        graph.insert(&until(seconds, object)).unwrap();
    }
    // Written again: one later, one for ever. Deleted: one.
    graph.insert(&until(Some(20), 1)).unwrap();
    graph.insert(&until(None, 2)).unwrap();
    assert!(graph.remove(&tuple(6, "viewer", 0)));
    assert_eq!(graph.next_expiry(), Some(Timestamp::from_unix_seconds(4)));
    let expire = |graph: &mut Graph, seconds| graph.remove_expired(Timestamp::from_unix_seconds(seconds), 10);
    assert_eq!((expire(&mut graph, 3), expire(&mut graph, 4), expire(&mut graph, 4)), (0, 1, 0));
    assert_eq!(graph.remove_expired(Timestamp::from_unix_seconds(100), 1), 1);
    assert_eq!((graph.len(), expire(&mut graph, 100), graph.next_expiry()), (3, 1, None));
    assert_eq!(names_of(&graph), BTreeSet::from([2, 3].map(|object| tuple(object, "viewer", 0))));
}

#[test]
fn names_of_every_length_are_found_again() {
    let mut names = crate::domain::names::Names::default();
    let lengths = [0, 1, 5, 127, 128, 300, 70_000, (1 << 20) - 1, 1 << 20, 3 << 20, 2, 129];
    let texts: Vec<String> = lengths.iter().map(|length| "n".repeat(*length)).collect();
    let numbers: Vec<_> = texts.iter().map(|text| names.intern(text).unwrap()).collect();
    for (text, number) in texts.iter().zip(numbers) {
        assert_eq!(names.find(text), Some(number));
        assert!(names.name(number) == text, "{} bytes", text.len());
    }
    assert_eq!(names.find("other"), None);
}

#[test]
fn a_graph_is_renewed_for_the_numbers_of_relations_that_lost_their_tuples() {
    let mut graph = Graph::default();
    // Subject ids.
    for subject in 0..20_000 {
        graph.insert(&tuple(0, "viewer", subject * 3).into()).unwrap();
    }
    let names: Vec<String> = (0..20_000).map(|number| format!("r{number}")).collect();
    for name in &names {
        graph.insert(&tuple(0, name, 0).into()).unwrap();
    }
    assert!(!graph.is_worth_renewing());
    for subject in 0..3_000 {
        graph.remove(&tuple(0, "viewer", subject * 3));
    }
    assert!(!graph.is_worth_renewing(), "every relation has a tuple");
    for name in names.iter().take(3_000) {
        graph.remove(&tuple(0, name, 0));
    }
    assert!(graph.is_worth_renewing());
}
