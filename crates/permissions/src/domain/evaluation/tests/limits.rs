//! What a question costs, and what it comes to when a limit is reached.

use std::task::Poll;

use super::super::expand::{Cut, ExpandOptions};
use super::super::reverse::{ObjectsQuestion, Part, SubjectsQuestion};
use super::super::{Failure, Limits};
use super::{folders, groups};
use crate::testing::conformance::WIDE;
use crate::testing::world::{World, all, any, class, has, traverse};

#[test]
fn a_dense_cyclic_graph_costs_as_much_as_it_has_edges() {
    let mut tuples = Vec::new();
    for from in 0..60 {
        tuples.extend((0..60).map(|to| format!("Group:{from}#member@Group:{to}#member")));
    }
    let tuples: Vec<&str> = tuples.iter().map(String::as_str).collect();
    let mut world = World::new(vec![groups()], &tuples).unwrap();
    world.limits = Limits { depth: 50, breadth: 100, steps: 2 * 60 * 60 };
    assert_eq!(world.check("Group:0#member@User:x").unwrap(), Ok(false));
}

#[test]
fn formulas_in_a_dense_cyclic_graph_stay_bounded() {
    let deep = class("Group", &["member", "active"], vec![("in", all([has("active"), traverse("member", "in")]))]);
    let mut tuples = Vec::new();
    for from in 0..12 {
        tuples.push(format!("Group:{from}#active@User:x"));
        tuples.extend((0..12).map(|to| format!("Group:{from}#member@Group:{to}")));
    }
    let tuples: Vec<&str> = tuples.iter().map(String::as_str).collect();
    let mut world = World::new(vec![deep], &tuples).unwrap();
    world.limits = Limits { depth: 50, breadth: 100, steps: 20_000 };
    assert_eq!(world.check("Group:0#in@User:x").unwrap(), Ok(false));
}

#[test]
fn an_exhausted_budget_is_a_failure_unless_something_grants() {
    let chain = ["Group:1#member@Group:2#member", "Group:2#member@Group:3#member", "Group:3#member@User:x"];
    let mut world = World::new(vec![groups()], &chain).unwrap();
    world.limits.depth = 1;
    assert_eq!(world.check("Group:1#member@User:x").unwrap(), Err(Failure::DepthExhausted));
    world.limits.depth = 2;
    assert_eq!(world.check("Group:1#member@User:x").unwrap(), Ok(true));
    world.limits.steps = 3;
    assert_eq!(world.check("Group:1#member@User:x").unwrap(), Err(Failure::StepsExhausted));

    let wide = ["Group:1#member@Group:2#member", "Group:1#member@Group:3#member", "Group:3#member@User:x"];
    let mut world = World::new(vec![groups()], &wide).unwrap();
    world.limits.breadth = 1;
    let answer = world.check("Group:1#member@User:nobody").unwrap();
    assert_eq!(answer, Err(Failure::BreadthExhausted));
    world.limits.breadth = 2;
    assert_eq!(world.check("Group:1#member@User:x").unwrap(), Ok(true));
}

/// `edit` leads from an operand of `admin` back to `admin`. Read in rounds, this operand is evaluated while the one before it is
/// pending, and reaches the limit. What it found there must not count where `admin` is open.
#[test]
fn a_depth_suffices_or_not_whatever_was_evaluated_before() {
    let permits = vec![
        ("view", traverse("owner", "owner")),
        ("edit", has("admin")),
        (
            "admin",
            any([
                all([traverse("member", "member"), traverse("owner", "edit"), has("member")]),
                all([has("view"), has("view")]),
            ]),
        ),
    ];
    let group = class("Group", &["member", "owner"], permits);
    let tuples = ["Group:a#owner@Group:a#admin", "Group:a#member@Doc:A"];
    let mut world = World::new(vec![group], &tuples).unwrap();
    for (depth, expected) in
        [(1, Err(Failure::DepthExhausted)), (2, Err(Failure::DepthExhausted)), (3, Ok(false)), (4, Ok(false))]
    {
        world.limits.depth = depth;
        assert_eq!(world.check("Group:a#owner@nobody").unwrap(), expected, "{depth}");
        assert_eq!(world.check_in_rounds("Group:a#owner@nobody").unwrap().0, expected, "{depth} in rounds");
    }
}

#[test]
fn a_reference_on_the_same_object_costs_no_depth() {
    let chain = (1..30).map(|index| (format!("p{index}"), has(&format!("p{}", index - 1))));
    let permits: Vec<_> = chain.collect();
    let permits = permits.iter().map(|(name, expression)| (name.as_str(), expression.clone())).collect();
    let mut world = World::new(vec![class("Doc", &["p0"], permits)], &["Doc:d#p0@x"]).unwrap();
    world.limits.depth = 0;
    assert_eq!(world.check("Doc:d#p29@x").unwrap(), Ok(true));
    assert_eq!(world.check("Doc:d#p29@y").unwrap(), Ok(false));
}

#[test]
fn a_long_chain_of_formulas_fails_and_does_not_overflow_the_stack() {
    let view = any([has("viewer"), all([has("open"), traverse("parent", "view")])]);
    let mut tuples = Vec::new();
    for index in 0..5000 {
        tuples.push(format!("Folder:{index}#parent@Folder:{}", index + 1));
        tuples.push(format!("Folder:{index}#open@x"));
    }
    let tuples: Vec<&str> = tuples.iter().map(String::as_str).collect();
    let folder = class("Folder", &["viewer", "parent", "open"], vec![("view", view)]);
    let mut world = World::new(vec![folder], &tuples).unwrap();
    world.limits.depth = u16::MAX;
    assert_eq!(world.check("Folder:0#view@x").unwrap(), Err(Failure::NestingExhausted));
    assert_eq!(world.check("Folder:4970#view@x").unwrap(), Ok(false));
}

#[test]
fn a_set_of_a_hundred_thousand_members_is_searched_in_few_steps() {
    let tuples: Vec<String> = (0..100_000).map(|index| format!("Group:g#member@User:{index}")).collect();
    let mut tuples: Vec<&str> = tuples.iter().map(String::as_str).collect();
    tuples.extend(["Group:g#member@Group:h#member", "Group:h#member@User:last"]);
    let mut world = World::new(vec![groups()], &tuples).unwrap();
    world.limits.steps = 10;
    assert_eq!(world.check("Group:g#member@User:99999").unwrap(), Ok(true));
    assert_eq!(world.check("Group:g#member@User:last").unwrap(), Ok(true));
    assert_eq!(world.check("Group:g#member@User:nobody").unwrap(), Ok(false));
}

#[test]
fn a_store_is_read_once_per_depth_and_not_once_per_group() {
    let mut tuples = vec!["Group:last#member@User:x".to_owned()];
    for index in 1..=20 {
        tuples.push(format!("Group:first#member@Group:{index}#member"));
        tuples.push(format!("Group:{index}#member@Group:last#member"));
    }
    let tuples: Vec<&str> = tuples.iter().map(String::as_str).collect();
    let mut world = World::new(vec![groups()], &tuples).unwrap();
    world.limits = WIDE;
    let (answer, rounds, reads) = world.check_in_rounds("Group:first#member@User:x").unwrap();
    assert_eq!((answer, rounds), (Ok(true), 3));
    assert_eq!(reads, 2 + 2 * 20 + 2, "the tuple and the sets of every group, once");
}

#[test]
fn expired_tuples_do_not_count_for_the_breadth() {
    let mut tuples: Vec<String> = (0..20).map(|it| format!("Group:1#member@Group:old{it}#member until 5")).collect();
    tuples.extend(
        ["Group:1#member@Group:2#member", "Group:1#member@Group:3#member", "Group:3#member@User:x"].map(str::to_owned),
    );
    let tuples: Vec<&str> = tuples.iter().map(String::as_str).collect();
    let mut world = World::new(vec![groups()], &tuples).unwrap();
    world.limits.breadth = 2;
    assert_eq!(world.check("Group:1#member@User:x").unwrap(), Ok(true));
    assert_eq!(world.check("Group:1#member@User:y").unwrap(), Ok(false));
    let part = Part { after: None, limit: 10 };
    let group = world.userset("Group:1#member");
    let (namespace, relation) = (group.namespace(), group.relation());
    let question = ObjectsQuestion { namespace, relation, subject: world.userset("User:x") };
    let Poll::Ready(listing) = world.ask(|it| it.list_objects(question, part)) else { panic!("pending") };
    assert_eq!((listing.names.len(), listing.truncated), (2, None));
    world.limits.breadth = 1;
    assert_eq!(world.check("Group:1#member@User:y").unwrap(), Err(Failure::BreadthExhausted));
}

/// With every number of steps: a check has its answer or fails, and a list is complete or says that it is not.
#[test]
fn no_number_of_steps_is_a_quiet_no() {
    let doc = class("Doc", &["parent", "viewer"], vec![("view", any([has("viewer"), traverse("parent", "view")]))]);
    let mut tuples: Vec<String> = (0..30).map(|it| format!("Doc:d#parent@Folder:{it}")).collect();
    tuples.extend((0..5).map(|it| format!("Doc:e{it}#parent@Folder:7")));
    tuples.push("Folder:29#viewer@User:x".to_owned());
    tuples.push("Folder:7#viewer@User:x".to_owned());
    let tuples: Vec<&str> = tuples.iter().map(String::as_str).collect();
    let mut world = World::new(vec![folders(), doc], &tuples).unwrap();
    let (view, user) = (world.userset("Doc:d#view"), world.userset("User:x"));
    let part = Part { after: None, limit: 100 };
    let (mut cut_checks, mut cut_lists) = (0, 0);
    for steps in 0..150 {
        world.limits.steps = steps;
        for (question, expected) in
            [("Doc:d#view@User:x", true), ("Doc:e1#view@User:x", true), ("Doc:d#view@User:y", false)]
        {
            let answer = world.check(question).unwrap();
            assert!([Ok(expected), Err(Failure::StepsExhausted)].contains(&answer), "{steps}: {question}: {answer:?}");
            cut_checks += usize::from(answer.is_err());
        }
        let (namespace, relation) = (view.namespace(), view.relation());
        let question = ObjectsQuestion { namespace, relation, subject: user };
        let Poll::Ready(objects) = world.ask(|it| it.list_objects(question, part)) else { panic!("pending") };
        let (namespace, relation) = (user.namespace(), user.relation());
        let question = SubjectsQuestion { userset: view, namespace, relation };
        let Poll::Ready(subjects) = world.ask(|it| it.list_subjects(question, part)) else { panic!("pending") };
        for (listing, all) in [(objects, 6), (subjects, 1)] {
            let is_whole = listing.names.len() == all && !listing.has_more;
            assert!(listing.truncated.is_some() || is_whole, "{steps}: {listing:?}");
            assert!(listing.truncated.is_none() || steps < 149, "{steps}: {listing:?}");
            cut_lists += usize::from(listing.truncated == Some(Failure::StepsExhausted));
        }
        let Poll::Ready(actions) = world.ask(|it| it.list_actions(view, user)) else { panic!("pending") };
        let is_known = actions.allowed.contains(&view.relation());
        assert!(
            is_known || actions.failed.contains(&(view.relation(), Failure::StepsExhausted)),
            "{steps}: {actions:?}"
        );
        let options = ExpandOptions { depth: 9, nesting: 50, nodes: 1_000, follow_permits: true };
        let Poll::Ready(tree) = world.ask(|it| it.expand(view, options)) else { panic!("pending") };
        assert!(tree.truncated == Some(Cut::Steps) || tree.nodes.len() > 60, "{steps}: {}", tree.nodes.len());
    }
    assert!(cut_checks > 60 && cut_lists > 30, "{cut_checks} {cut_lists}");
}
