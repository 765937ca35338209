//! A check without conditions allocates nothing once its memory is warm. Alone in its file, because it counts what the whole process
//! allocates.

use std::alloc::System;
use std::collections::HashMap;
use std::task::Poll;

use base::Timestamp;
use permission_language::SourceFile;
use permissions::domain::checked_model::CheckedModel;
use permissions::domain::evaluation::{Evaluator, EvaluatorParts, Limits, Scratch};
use permissions::domain::graph::Graph;
use permissions::domain::relation_tuple::{RelationTuple, StoredTuple};
use permissions::domain::request_conditions::RequestConditions;
use permissions::domain::schema::Schema;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const MODEL: &str = r#"
class User implements Namespace {}
class Group implements Namespace { related: { members: (User | SubjectSet<Group, "members">)[] } }
class Doc implements Namespace {
  related: { viewers: (User | SubjectSet<Group, "members">)[], blocked: User[] }
  permits = { view: (ctx) => this.related.viewers.includes(ctx.subject) && !this.related.blocked.includes(ctx.subject) }
}
"#;

#[test]
fn a_warm_check_without_conditions_allocates_nothing() {
    let model = CheckedModel::of(&[SourceFile { name: "model.ts", text: MODEL }]).model.unwrap();
    let mut graph = Graph::default();
    for tuple in ["Doc:plan#viewers@Group:staff#members", "Group:staff#members@User:ada", "Doc:plan#blocked@User:bob"] {
        graph.insert(&StoredTuple::from(tuple.parse::<RelationTuple>().unwrap())).unwrap();
    }
    let schema = Schema::compile(&model, graph.symbols_mut(), false).unwrap();
    let (conditions, now, mut scratch) = (HashMap::new(), Timestamp::EPOCH, Scratch::default());
    let mut check = |user: &str| {
        let (userset, subject) = (graph.find("Doc", "plan", "view"), graph.find("User", user, ""));
        let mut of_request = RequestConditions::new(&conditions, None, now);
        let mut relations = graph.at(now);
        let mut evaluator = Evaluator::new(EvaluatorParts {
            schema: &schema,
            relations: &mut relations,
            conditions: &mut of_request,
            scratch: &mut scratch,
            limits: Limits::default(),
            now,
        });
        // As the service does before each of its checks.
        evaluator.conditions().forget_reasons();
        evaluator.check(userset, subject)
    };
    for (user, expected) in [("ada", true), ("bob", false), ("eve", false)] {
        assert_eq!(check(user), Poll::Ready(Ok(expected)));
        let region = Region::new(ALLOCATOR);
        let answer = check(user);
        let change = region.change();
        assert_eq!(answer, Poll::Ready(Ok(expected)));
        assert_eq!((change.allocations, change.reallocations), (0, 0), "{user}: {change:?}");
    }
}
