//! Expansions.

use std::fmt::Write as _;
use std::task::Poll;

use permission_language::{Namespace, Relation};

use super::super::expand::{Cut, ExpandOptions, NodeKind, Tree};
use super::groups;
use crate::testing::conformance::WIDE;
use crate::testing::store::{Answered, Store};
use crate::testing::world::{World, all, any, class, has, not, subject_type, traverse};

fn draw(world: &World, tree: &Tree) -> String {
    let mut text = String::new();
    let mut stack = vec![(0, 0)];
    while let Some((node, level)) = stack.pop() {
        let it = &tree.nodes[node];
        let subject = it.subject.map(|subject| world.print(subject)).unwrap_or_default();
        let kind = match it.kind {
            NodeKind::Leaf => "-",
            NodeKind::Union => "or",
            NodeKind::Intersection => "and",
            NodeKind::Exclusion => "not",
        };
        writeln!(text, "{:level$}{kind} {subject}", "").unwrap();
        stack.extend(it.children.iter().rev().map(|child| (*child, level + 1)));
    }
    text
}

#[test]
fn a_tree_has_the_subjects_of_a_relation_and_the_expression_of_a_permit() {
    let view = any([has("viewer"), traverse("parent", "view"), all([has("staff"), not(has("banned"))])]);
    let doc = class("Doc", &["viewer", "parent", "staff", "banned"], vec![("view", view)]);
    let tuples = [
        "Doc:d#viewer@x",
        "Doc:d#viewer@Group:g#member",
        "Group:g#member@Group:g#member",
        "Group:g#member@User:u",
        "Doc:d#parent@Doc:e",
        "Doc:e#viewer@y",
        "Doc:d#banned@z",
        "Doc:d#viewer@gone until 5",
    ];
    let world = World::new(vec![groups(), doc], &tuples).unwrap();
    let userset = world.userset("Doc:d#view");
    let expand = |world: &World, userset, depth, nodes, follow_permits| {
        let Poll::Ready(tree) =
            world.ask(|it| it.expand(userset, ExpandOptions { depth, nesting: 50, nodes, follow_permits }))
        else {
            panic!("pending")
        };
        (draw(world, &tree), tree.truncated)
    };
    let (text, truncated) = expand(&world, userset, 9, 100, true);
    let expected = "or Doc:d#view\n or Doc:d#viewer\n  - x\n  or Group:g#member\n   - Group:g#member\n   - User:u\n \
                    or Doc:d#parent\n  or Doc:e#view\n   or Doc:e#viewer\n    - y\n   - Doc:e#parent\n   and \n    \
                    - Doc:e#staff\n    not \n     - Doc:e#banned\n and \n  - Doc:d#staff\n  not \n   or Doc:d#banned\n    - z\n";
    assert_eq!((text.as_str(), truncated), (expected, None), "{text}");
    assert_eq!(expand(&world, userset, 6, 100, false), ("- Doc:d#view\n".into(), Some(Cut::Permit)));
    let viewer = world.userset("Doc:d#viewer");
    assert_eq!(expand(&world, viewer, 1, 100, false), ("- Doc:d#viewer\n".into(), Some(Cut::Depth)));
    let in_group = "or Doc:d#viewer\n - x\n - Group:g#member\n";
    assert_eq!(expand(&world, viewer, 2, 100, false), (in_group.into(), Some(Cut::Depth)));
    let (_, truncated) = expand(&world, viewer, 3, 100, false);
    // The group stands above itself, which is no limit.
    assert_eq!(truncated, None);
    assert_eq!(expand(&world, viewer, 9, 2, false), ("or Doc:d#viewer\n - x\n".into(), Some(Cut::Nodes)));
}

/// As in Keto: the operator of a permit is the permit's own node, and operators and traversals have no level of their own.
#[test]
fn a_permit_is_the_node_of_its_outermost_operator() {
    let permits = vec![
        ("publish", all([has("edit"), has("staff")])),
        ("edit", has("owner")),
        ("allowed", all([not(has("banned")), any([has("owner"), has("staff")]), traverse("parent", "edit")])),
        ("open", not(has("banned"))),
    ];
    let doc = class("Doc", &["owner", "staff", "parent", "banned"], permits);
    let tuples = ["Doc:d#owner@x", "Doc:d#staff@y", "Doc:d#parent@Doc:e", "Doc:e#owner@z", "Doc:d#publish@v"];
    let world = World::new(vec![doc], &tuples).unwrap();
    let expand = |text: &str, depth, nesting| {
        let options = ExpandOptions { depth, nesting, nodes: 100, follow_permits: true };
        let Poll::Ready(tree) = world.ask(|it| it.expand(world.userset(text), options)) else { panic!("pending") };
        (draw(&world, &tree), tree.truncated)
    };
    let publish = "and Doc:d#publish\n or Doc:d#edit\n  or Doc:d#owner\n   - x\n or Doc:d#staff\n  - y\n";
    // The relation below both permits is on the third level.
    assert_eq!(expand("Doc:d#publish", 4, 50), (publish.to_owned(), None));
    let cut = publish.replace("  or Doc:d#owner\n   - x\n", "  - Doc:d#owner\n");
    assert_eq!(expand("Doc:d#publish", 3, 50), (cut, Some(Cut::Depth)));
    let allowed = "and Doc:d#allowed\n or Doc:d#parent\n  or Doc:e#edit\n   or Doc:e#owner\n    - z\n or \n  or Doc:d#owner\n   - x\n  \
                   or Doc:d#staff\n   - y\n not \n  - Doc:d#banned\n";
    let (text, truncated) = expand("Doc:d#allowed", 4, 50);
    assert_eq!((text.as_str(), truncated), (allowed, None), "{text}");
    assert_eq!(expand("Doc:d#allowed", 3, 50).1, Some(Cut::Depth));
    assert_eq!(expand("Doc:d#open", 3, 50).0, "or Doc:d#open\n not \n  - Doc:d#banned\n");
    let (text, truncated) = expand("Doc:d#allowed", 4, 3);
    assert_eq!(
        (text.contains("- Doc:d#owner"), text.contains("- x"), truncated),
        (true, false, Some(Cut::Depth)),
        "{text}"
    );
}

/// Numbers are given in the order in which names appear first, which is none of a client's business.
#[test]
fn the_subjects_of_a_tree_are_sorted_whichever_reader_there_is() {
    let tuples = [
        "Group:g#member@zoe",
        "Group:g#member@User:ben",
        "Group:g#member@Group:z#member",
        "Group:g#member@Group:a#member",
        "Group:g#member@Group:a",
        "Group:g#member@ann",
        "Group:a#member@y",
        "Group:a#member@gone until 5",
        "Group:a#member@x",
        "Group:z#member@w",
    ];
    let world = World::new(vec![groups(), class("User", &[], Vec::new())], &tuples).unwrap();
    let userset = world.userset("Group:g#member");
    let expand = |nodes| {
        let options = ExpandOptions { depth: 5, nesting: 50, nodes, follow_permits: false };
        let Poll::Ready(at_once) = world.ask(|it| it.expand(userset, options)) else { panic!("pending") };
        let store = Store { graph: &world.graph, schema: &world.schema, limits: WIDE };
        let in_rounds = store.ask(|evaluator| evaluator.expand(userset, options)).unwrap().answer;
        assert_eq!(at_once, in_rounds);
        (draw(&world, &at_once), at_once.truncated)
    };
    let whole = "or Group:g#member\n - ann\n - zoe\n - Group:a\n or Group:a#member\n  - x\n  - y\n or Group:z#member\n  - w\n \
                 - User:ben\n";
    assert_eq!(expand(100), (whole.to_owned(), None));
    // A tree that is cut has the first subjects in this order.
    for nodes in 1..10 {
        let (text, truncated) = expand(nodes);
        assert_eq!((text.lines().count(), truncated), (nodes, Some(Cut::Nodes)), "{text}");
    }
    assert_eq!(expand(4).0, "or Group:g#member\n - ann\n - zoe\n - Group:a\n");
}

#[test]
fn a_tree_that_is_full_reads_nothing_more() {
    let mut tuples = Vec::new();
    for index in 0..100 {
        tuples.push(format!("Group:all#member@Group:{index}#member"));
        tuples.push(format!("Group:{index}#member@User:{index}"));
    }
    let tuples: Vec<&str> = tuples.iter().map(String::as_str).collect();
    let world = World::new(vec![groups()], &tuples).unwrap();
    let userset = world.userset("Group:all#member");
    let expand = |nodes| {
        let options = ExpandOptions { depth: 5, nesting: 50, nodes, follow_permits: false };
        let store = Store { graph: &world.graph, schema: &world.schema, limits: WIDE };
        let Answered { answer, reads, .. } = store.ask(|evaluator| evaluator.expand(userset, options)).unwrap();
        (answer.nodes.len(), answer.truncated, reads)
    };
    assert_eq!(expand(10), (10, Some(Cut::Nodes), 1));
    assert_eq!(expand(1_000), (1 + 100 + 100, None, 1 + 100));
}

#[test]
fn a_tree_of_an_undeclared_relation_has_its_tuples_and_strict_mode_has_no_ids() {
    let tuples = ["Doc:d#other@x", "Doc:d#viewer@x", "Doc:d#viewer@User:u"];
    let doc = || {
        let types = vec![subject_type("User", None)];
        Namespace { name: "Doc".into(), relations: vec![Relation { name: "viewer".into(), types }], permits: vec![] }
    };
    let expand = |world: &World, text: &str| {
        let options = ExpandOptions { depth: 5, nesting: 50, nodes: 100, follow_permits: false };
        let userset = world.userset(text);
        let Poll::Ready(tree) = world.ask(|it| it.expand(userset, options)) else { panic!("pending") };
        draw(world, &tree)
    };
    let user = || class("User", &[], Vec::new());
    let lax = World::new(vec![user(), doc()], &tuples).unwrap();
    assert_eq!(expand(&lax, "Doc:d#other"), "or Doc:d#other\n - x\n");
    let strict = World::strict(vec![user(), doc()], &tuples).unwrap();
    assert_eq!(expand(&strict, "Doc:d#other"), "- Doc:d#other\n");
    assert_eq!(expand(&strict, "Doc:d#viewer"), "or Doc:d#viewer\n - User:u\n");
}
