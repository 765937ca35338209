//! Explanations.

use std::task::Poll;

use super::super::explain::{Explanation, StepKind};
use super::{folders, groups};
use crate::testing::world::{World, all, any, class, has, not, traverse};

fn explain(world: &World, question: &str) -> Explanation {
    let (userset, subject) = question.split_once('@').unwrap();
    let (userset, subject) = (world.userset(userset), world.userset(subject));
    match world.ask(|evaluator| evaluator.explain(userset, subject)) {
        Poll::Ready(explanation) => explanation,
        Poll::Pending => panic!("pending in the graph"),
    }
}

fn words(world: &World, explanation: &Explanation) -> Vec<String> {
    let word = |kind: StepKind| match kind {
        StepKind::Tuple { userset, subject } => format!("{} @ {}", world.print(userset), world.print(subject)),
        StepKind::SubjectSet { userset, set } => format!("{} > {}", world.print(userset), world.print(set)),
        StepKind::Rewrite { from, to } => format!("{} = {}", world.print(from), world.print(to)),
        StepKind::Traverse { through, to } => format!("{} ^ {}", world.print(through), world.print(to)),
        StepKind::Formula { userset } => format!("formula of {}", world.print(userset)),
        StepKind::NotExcluded { object } => format!("not excluded from {}", world.print(object)),
        StepKind::Excluded { object } => format!("excluded from {}", world.print(object)),
        StepKind::Condition { holds, .. } => format!("condition {holds:?}"),
        StepKind::Expired => "expired".into(),
        StepKind::NoTuple { userset } => format!("nothing at {}", world.print(userset)),
        StepKind::Failed(failure) => format!("{failure:?}"),
        StepKind::NotFound { .. } => "not found".to_owned(),
    };
    explanation.steps.iter().map(|step| word(step.kind)).collect()
}

#[test]
fn an_explanation_is_the_way_that_grants_or_what_is_missing() {
    let view = any([has("owner"), all([traverse("parent", "view"), not(has("banned"))])]);
    let doc = class("Doc", &["owner", "parent", "banned"], vec![("view", view)]);
    let tuples = [
        "Doc:d#parent@Folder:f",
        "Folder:f#viewer@Group:g#member",
        "Group:g#member@User:x",
        "Group:g#member@User:banned",
        "Doc:d#banned@User:banned",
        "Doc:d#owner@User:old until 5",
        "Doc:d#owner@User:cond if false",
    ];
    let world = World::new(vec![groups(), folders(), doc], &tuples).unwrap();
    let granted = explain(&world, "Doc:d#view@User:x");
    assert_eq!(granted.answer, Ok(true));
    let expected = [
        "formula of Doc:d#view",
        "Doc:d#parent ^ Folder:f#view",
        "Folder:f#view = Folder:f#viewer",
        "Folder:f#viewer > Group:g#member",
        "Group:g#member @ User:x",
        "not excluded from Doc:d",
    ];
    assert_eq!(words(&world, &granted), expected);
    let cases: [(&str, &[&str]); 4] = [
        ("User:banned", &["formula of Doc:d#view", "excluded from Doc:d", "Doc:d#banned @ User:banned"]),
        ("User:old", &["Doc:d#view = Doc:d#owner", "Doc:d#owner @ User:old", "expired"]),
        ("User:cond", &["Doc:d#view = Doc:d#owner", "Doc:d#owner @ User:cond", "condition Some(false)"]),
        ("User:stranger", &["formula of Doc:d#view", "nothing at Doc:d"]),
    ];
    for (subject, expected) in cases {
        let denied = explain(&world, &format!("Doc:d#view@{subject}"));
        assert_eq!(denied.answer, Ok(false));
        assert_eq!(words(&world, &denied), expected, "{subject}");
    }
}

/// The plain way needs a depth of one; the other one, which is found first, needs two.
#[test]
fn an_explanation_goes_the_way_of_the_check() {
    let doc = class("Doc", &["a", "x"], vec![("p", any([has("a"), has("q")])), ("q", any([has("x")]))]);
    let tuples = ["Doc:d#a@Doc:d#x", "Doc:d#x@Group:g#member", "Group:g#member@u"];
    let mut world = World::new(vec![groups(), doc], &tuples).unwrap();
    world.limits.depth = 1;
    let explanation = explain(&world, "Doc:d#p@u");
    assert_eq!(explanation.answer, Ok(true));
    let words = words(&world, &explanation);
    assert_eq!(words.last().map(String::as_str), Some("Group:g#member @ u"), "{words:?}");
}

/// The first alternative holds as well, but only because the second one does.
#[test]
fn a_way_that_grants_does_not_lead_back_to_its_formula() {
    let alternatives = any([all([has("edit"), has("a")]), all([has("a"), has("b")])]);
    let doc = class("Doc", &["a", "b"], vec![("edit", all([alternatives, has("a")]))]);
    let world = World::new(vec![doc], &["Doc:d#a@u", "Doc:d#b@u"]).unwrap();
    let explanation = explain(&world, "Doc:d#edit@u");
    assert_eq!(explanation.answer, Ok(true));
    let formula = "formula of Doc:d#edit";
    assert_eq!(words(&world, &explanation), [formula, formula, "Doc:d#a @ u", "Doc:d#b @ u", "Doc:d#a @ u"]);
}
