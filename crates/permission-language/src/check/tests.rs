use crate::limits::MAX_PROBLEMS;
use crate::parse::{Outcome, parse};
use crate::problem::Kind;
use crate::source::SourceFile;

fn outcome(text: &str) -> Outcome {
    parse(&[SourceFile { name: "model.ts", text }])
}

/// The kinds, messages and marked texts of the errors.
fn errors(text: &str) -> Vec<(Kind, String, &str)> {
    outcome(text).errors().map(|it| (it.kind, it.message.clone(), &text[it.span.start..it.span.end])).collect()
}

#[track_caller]
fn assert_error(text: &str, kind: Kind, message: &str, marked: &str) {
    assert_eq!(errors(text), [(kind, message.to_owned(), marked)], "{text}");
    assert_eq!(outcome(text).model, None, "a model with an error does not load");
}

/// Classes in a short notation: `A { relations } { permits }`.
fn class(name: &str, relations: &str, permits: &str) -> String {
    format!("class {name} implements Namespace {{ related: {{ {relations} }} permits = {{ {permits} }} }}\n")
}

#[test]
fn the_types_of_a_relation_are_declared() {
    let text = class("A", "a: (B | A)[]", "");
    assert_error(&text, Kind::UndeclaredNamespace, "namespace \"B\" was not declared", "B");
    let text = class("A", "a: SubjectSet<B, \"b\">[]", "");
    assert_error(&text, Kind::UndeclaredNamespace, "namespace \"B\" was not declared", "B");
    let text = class("A", "a: SubjectSet<A, \"b\">[]", "");
    assert_error(&text, Kind::UndeclaredRelation, "namespace \"A\" did not declare relation \"b\"", "b");
    let text = class("A", "a: A[]", "p: (ctx) => this.related.a.includes(ctx.subject)")
        + &class("B", "b: (SubjectSet<A, \"a\"> | SubjectSet<A, \"p\"> | SubjectSet<B, b>)[]", "");
    assert_eq!(errors(&text), [], "a subject set names a relation or a permit");
}

#[test]
fn the_members_that_permits_refer_to_are_declared() {
    let message = "namespace \"A\" did not declare relation \"b\"";
    for check in [
        "this.related.b.includes(ctx.subject)",
        "this.permits.b(ctx)",
        "this.related.b.traverse(x => x.permits.p(ctx))",
        "this.permits.p(ctx) && !(this.permits['b'](ctx))",
    ] {
        let text = class("A", "a: A[]", &format!("p: (ctx) => {check}"));
        assert_error(&text, Kind::UndeclaredRelation, message, "b");
    }
}

#[test]
fn relations_and_permits_are_not_mixed_up() {
    let permits = "p: (ctx) => this.related.a.includes(ctx.subject)";
    for (check, message, marked) in [
        ("this.related.p.includes(ctx.subject)", "\"p\" is a permit of namespace \"A\", not a relation", "p"),
        ("this.related.p.traverse(x => x.permits.p(ctx))", "\"p\" is a permit of namespace \"A\", not a relation", "p"),
        ("this.permits.a(ctx)", "\"a\" is a relation of namespace \"A\", not a permit", "a"),
    ] {
        let text = class("A", "a: A[]", &format!("{permits}, q: (ctx) => {check}"));
        assert_error(&text, Kind::MixedReference, message, marked);
    }
}

#[test]
fn names_are_declared_once() {
    let text = class("A", "", "") + &class("A", "", "");
    assert_error(&text, Kind::Duplicate, "namespace \"A\" was already declared", "A");
    let text = class("A", "a: A[] b: A[] a: A[]", "");
    assert_error(&text, Kind::Duplicate, "relation \"a\" was already declared in namespace \"A\"", "a");
    let text = class("A", "a: A[] } related: { a: A[]", "");
    assert_error(&text, Kind::Duplicate, "relation \"a\" was already declared in namespace \"A\"", "a");
    let permit = "p: (ctx) => this.related.a.includes(ctx.subject)";
    let text = class("A", "a: A[]", &format!("{permit}, {permit}"));
    assert_error(&text, Kind::Duplicate, "permit \"p\" was already declared in namespace \"A\"", "p");
    let text = "const c: Condition = 'true'; const c: Condition = 'true'";
    assert_error(text, Kind::Duplicate, "condition \"c\" was already declared", "c");
}

#[test]
fn a_duplicate_is_reported_with_the_place_of_the_first() {
    let first = "\nclass A implements Namespace {}";
    let files = [SourceFile { name: "a.ts", text: first }, SourceFile { name: "b.ts", text: first }];
    let outcome = parse(&files);
    assert_eq!((outcome.problems[0].file, outcome.model), (1, None));
    assert_eq!(outcome.problems[0].remedy, "the first declaration is at a.ts:2:7; merge the two, or rename one");
}

#[test]
fn a_duplicate_namespace_has_the_members_of_both() {
    let text = class("A", "a: A[]", "") + &class("A", "b: A[]", "p: (ctx) => this.related.a.includes(ctx.subject)");
    assert_eq!(errors(&text).len(), 1, "only the declaration is an error: {:?}", errors(&text));
}

#[test]
fn a_relation_and_a_permit_of_one_name_load_with_a_warning() {
    let text = class("A", "view: A[]", "view: (ctx) => this.related.view.includes(ctx.subject)");
    let message = "\"view\" is declared as a relation and as a permit in namespace \"A\"";
    let outcome = outcome(&text);
    let [problem] = outcome.problems.as_slice() else { panic!("{:?}", outcome.problems) };
    let marked = &text[problem.span.start..problem.span.end];
    assert_eq!((problem.kind, problem.message.as_str(), marked), (Kind::Collision, message, "view"));
    assert!(problem.remedy.contains("relation tuples of \"A\" with the relation \"view\""));
    assert!(outcome.model.unwrap().namespaces[0].permits.is_empty(), "the relation counts");
    let both =
        class("A", "v: A[]", "v: (ctx) => this.related.v.includes(ctx.subject), w: (ctx) => this.permits.v(ctx)");
    assert_eq!(errors(&both), [], "both kinds of references to the name are right");
}

#[test]
fn conditions_are_declared() {
    let message = "condition \"c\" was not declared";
    let types = class("A", "a: (When<A, \"c\"> | When<SubjectSet<A, \"a\">, \"d\">)[]", "");
    assert_error(&("const d: Condition = 'x'\n".to_owned() + &types), Kind::UndeclaredCondition, message, "c");
    let permit = class("A", "", "p: (ctx) => ctx.meets('c')");
    assert_error(&permit, Kind::UndeclaredCondition, message, "c");
    assert_eq!(errors(&("const c: Condition = 'x'\n".to_owned() + &permit)), []);
}

/// A model in which `A.r` is traversed to `p`.
fn traversing(types: &str, others: &str) -> String {
    class("A", &format!("r: ({types})[]"), "p: (ctx) => this.related.r.traverse(x => x.permits.p(ctx))") + others
}

#[test]
fn every_type_of_a_traversed_relation_declares_the_target() {
    let text = traversing("A | B | C | B", &(class("B", "b: B[]", "") + &class("C", "p: B[]", "")));
    let message = "relation \"p\" was not declared in namespace \"B\"";
    assert_error(&text, Kind::TraverseTarget, message, "r");
    assert_eq!(errors(&traversing("A", "")), []);
}

#[test]
fn the_types_of_a_subject_set_declare_the_target() {
    let groups = class("G", "m: (B | SubjectSet<H, 'm'>)[]", "") + &class("H", "m: A[]", "") + &class("B", "", "");
    let message = "relation \"p\" was not declared in namespace \"B\"";
    assert_error(&traversing("SubjectSet<G, 'm'>", &groups), Kind::TraverseTarget, message, "r");
    let groups = class("G", "m: A[]", "");
    assert_eq!(errors(&traversing("SubjectSet<G, 'm'>", &groups)), []);
}

#[test]
fn subject_sets_are_followed_for_ten_hops() {
    let chain = |hops: usize| {
        let relations: Vec<String> = (1..hops).map(|it| format!("m{it}: SubjectSet<G, 'm{}'>[]", it + 1)).collect();
        let groups = class("G", &format!("{} m{hops}: A[]", relations.join(" ")), "");
        traversing("SubjectSet<G, 'm1'>", &groups)
    };
    assert_eq!(errors(&chain(10)), []);
    let message = "could not typecheck deeply nested SubjectSet further";
    assert_error(&chain(11), Kind::TraverseTooDeep, message, "r");
    let circle = class("G", "m: (A | SubjectSet<G, 'm'>)[]", "");
    assert_error(&traversing("SubjectSet<G, 'm'>", &circle), Kind::TraverseTooDeep, message, "r");
}

#[test]
fn subject_sets_that_fan_out_are_checked_in_bounded_time() {
    // Every relation leads to every other: the paths are 30 to the power of 10.
    let sets: Vec<String> = (0..30).map(|it| format!("SubjectSet<G, 'm{it}'>")).collect();
    let relations: Vec<String> = (0..30).map(|it| format!("m{it}: ({})[]", sets.join(" | "))).collect();
    let text = traversing("SubjectSet<G, 'm0'>", &class("G", &relations.join(" "), ""));
    let message = "could not typecheck deeply nested SubjectSet further";
    assert_error(&text, Kind::TraverseTooDeep, message, "r");
}

#[test]
fn many_traversals_of_many_types_are_refused_in_bounded_time() {
    let types = vec!["A"; 20_000].join("|");
    let permits: Vec<String> = (0..2_000)
        .map(|it| format!("p{it}: (ctx) => this.related.r.traverse(x => x.related.r.includes(ctx.subject))"))
        .collect();
    let text = class("A", &format!("r: ({types})[]"), &permits.join(","));
    let outcome = outcome(&text);
    assert_eq!(outcome.model, None);
    assert!(outcome.problems.iter().all(|it| it.kind == Kind::TraverseTooDeep));
    assert_eq!(outcome.problems[0].message, "the types of the traversed relations are too many to be checked");
}

#[test]
fn problems_are_bounded_and_an_error_beyond_the_bound_still_counts() {
    let permits: Vec<String> =
        (0..1000).map(|it| format!("r{it}: (ctx) => this.related.r.includes(ctx.subject)")).collect();
    let relations: Vec<String> = (0..1000).map(|it| format!("r{it}: A[]")).collect();
    let collisions = class("A", &format!("r: A[] {}", relations.join(" ")), &permits.join(","));
    let outcome1 = outcome(&collisions);
    assert_eq!(outcome1.problems.len(), MAX_PROBLEMS);
    assert!(outcome1.model.is_some());
    let text = collisions + &class("B", "b: C[]", "");
    let outcome2 = outcome(&text);
    assert_eq!(outcome2.model, None);
    assert!(outcome2.problems.iter().any(|it| it.kind == Kind::UndeclaredNamespace));
    let names: Vec<String> = (0..1000).map(|it| format!("r{it}: X{it}[]")).collect();
    assert_eq!(errors(&class("A", &names.join(" "), "")).len(), MAX_PROBLEMS);
}

#[test]
fn long_names_do_not_multiply() {
    let name = "N".repeat(100_000);
    let permits: Vec<String> = (0..1000).map(|it| format!("p{it}: (ctx) => this.permits.x{it}(ctx)")).collect();
    let text = class(&name, "", &permits.join(","));
    let bytes: usize = outcome(&text).problems.iter().map(|it| it.message.len() + it.remedy.len()).sum();
    assert!(bytes < 1_000 * MAX_PROBLEMS, "{bytes}");
}
