//! Reverse questions.

use std::task::Poll;

use super::super::Failure;
use super::super::reverse::{ObjectsQuestion, Part, SubjectsQuestion};
use super::{folders, groups};
use crate::testing::world::{World, all, any, class, has, not, traverse};

#[test]
fn a_listing_that_the_depth_cuts_short_says_so() {
    let chain = ["Folder:1#parent@Folder:2", "Folder:2#parent@Folder:3", "Folder:3#viewer@x"];
    let mut world = World::new(vec![folders()], &chain).unwrap();
    let (userset, subject) = (world.userset("Folder:1#view"), world.userset("x"));
    let question = ObjectsQuestion { namespace: userset.namespace(), relation: userset.relation(), subject };
    let list = |world: &World| match world.ask(|it| it.list_objects(question, Part { after: None, limit: 10 })) {
        Poll::Ready(listing) => (listing.names.len(), listing.truncated),
        Poll::Pending => panic!("pending in the graph"),
    };
    assert_eq!(list(&world), (3, None));
    world.limits.depth = 1;
    assert_eq!(list(&world), (2, Some(Failure::DepthExhausted)));
}

/// Otherwise each search of a tenant would look at every object of a namespace that has such a permit.
#[test]
fn a_permit_that_needs_no_tuple_costs_nothing_where_it_is_not_asked_for() {
    let doc = class("Doc", &["viewer", "banned"], vec![("public", not(has("banned")))]);
    let tuples: Vec<String> = (0..500).map(|index| format!("Doc:{index}#viewer@User:y")).collect();
    let mut tuples: Vec<&str> = tuples.iter().map(String::as_str).collect();
    tuples.push("Group:g#member@User:x");
    let mut world = World::new(vec![groups(), doc], &tuples).unwrap();
    world.limits.steps = 100;
    let list = |world: &World, text: &str| {
        let userset = world.userset(text);
        let (namespace, relation) = (userset.namespace(), userset.relation());
        let question = ObjectsQuestion { namespace, relation, subject: world.userset("User:x") };
        match world.ask(|it| it.list_objects(question, Part { after: None, limit: 1_000 })) {
            Poll::Ready(listing) => (listing.names.len(), listing.truncated),
            Poll::Pending => panic!("pending in the graph"),
        }
    };
    assert_eq!(list(&world, "Group:g#member"), (1, None));
    assert_eq!(list(&world, "Doc:0#public").1, Some(Failure::StepsExhausted));
    world.limits.steps = 10_000;
    assert_eq!(list(&world, "Doc:0#public"), (500, None));
}

#[test]
fn certain_results_are_listed_when_the_steps_end_before_the_possible_ones() {
    let view = any([has("viewer"), all([has("a"), has("b")])]);
    let doc = class("Doc", &["viewer", "a", "b"], vec![("view", view)]);
    let mut tuples = vec!["Doc:z1#viewer@User:x".to_owned(), "Doc:z2#viewer@User:x".to_owned()];
    for index in 0..30 {
        tuples.push(format!("Doc:a{index}#a@User:x"));
        tuples.push(format!("Doc:a{index}#b@User:x"));
    }
    let tuples: Vec<&str> = tuples.iter().map(String::as_str).collect();
    let mut world = World::new(vec![doc], &tuples).unwrap();
    let userset = world.userset("Doc:z1#view");
    let (namespace, relation) = (userset.namespace(), userset.relation());
    let question = ObjectsQuestion { namespace, relation, subject: world.userset("User:x") };
    let ends = (50..400).filter_map(|steps| {
        world.limits.steps = steps;
        match world.ask(|it| it.list_objects(question, Part { after: None, limit: 100 })) {
            Poll::Ready(listing) => Some((listing.truncated, listing.names.len())),
            Poll::Pending => None,
        }
    });
    let ends: Vec<_> = ends.collect();
    assert!(ends.contains(&(Some(Failure::StepsExhausted), 2)), "{ends:?}");
    assert_eq!(ends.last(), Some(&(None, 32)));
}

/// With the steps that the service allows. Others lost tuples of an object that has more than 65 535 of one kind.
#[test]
fn checks_and_lists_agree_about_objects_with_many_subjects_and_parents() {
    const PARENTS: usize = 60_000;
    const VIEWERS: usize = 70_000;
    let doc = class("Doc", &["parent", "viewer"], vec![("view", any([has("viewer"), traverse("parent", "view")]))]);
    let mut tuples: Vec<String> = (0..PARENTS).map(|it| format!("Doc:d#parent@Folder:{it}")).collect();
    tuples.extend((0..VIEWERS).map(|it| format!("Doc:e#viewer@User:{it}")));
    tuples.push(format!("Folder:{}#viewer@User:x", PARENTS - 1));
    let tuples: Vec<&str> = tuples.iter().map(String::as_str).collect();
    let mut world = World::new(vec![folders(), doc], &tuples).unwrap();
    world.limits.steps = 200_000;
    let last = format!("User:{}", VIEWERS - 1);
    for (question, expected) in [
        ("Doc:d#view@User:x", true),
        ("Doc:d#view@User:y", false),
        ("Doc:e#view@User:x", false),
        (format!("Doc:e#view@{last}").as_str(), true),
    ] {
        assert_eq!(world.check(question).unwrap(), Ok(expected), "{question}");
    }
    let view = world.userset("Doc:d#view");
    let (namespace, relation) = (view.namespace(), view.relation());
    let part = Part { after: None, limit: VIEWERS };
    for (user, object) in [("User:x", view), (&last, world.userset("Doc:e#view"))] {
        let subject = world.userset(user);
        let question = ObjectsQuestion { namespace, relation, subject };
        let Poll::Ready(objects) = world.ask(|it| it.list_objects(question, part)) else { panic!("pending") };
        assert_eq!((objects.names, objects.truncated), (vec![object.name()], None), "{user}");
        let (namespace, relation) = (subject.namespace(), subject.relation());
        let question = SubjectsQuestion { userset: object, namespace, relation };
        let Poll::Ready(subjects) = world.ask(|it| it.list_subjects(question, part)) else { panic!("pending") };
        assert!(subjects.names.contains(&subject.name()) && subjects.truncated.is_none(), "{user}");
    }
}
