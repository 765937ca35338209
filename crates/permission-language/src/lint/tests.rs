use crate::parse::{Outcome, parse};
use crate::problem::{Kind, Problem};
use crate::source::SourceFile;

fn outcome(text: &str) -> Outcome {
    let outcome = parse(&[SourceFile { name: "model.ts", text }]);
    assert_eq!(outcome.errors().count(), 0, "{:?}", outcome.problems);
    assert!(outcome.model.is_some());
    outcome
}

fn warnings(text: &str) -> Vec<Problem> {
    outcome(text).problems
}

/// A class with the relations `a` to `d`, and permits.
fn permits(permits: &str) -> String {
    format!("class A implements Namespace {{ related: {{ a: A[] b: A[] c: A[] d: A[] }} permits = {{ {permits} }} }}")
}

/// A permit in which single letters stand for checks.
fn permit(letters: &str) -> String {
    let check = |it: char| match it {
        'a'..='d' => format!("this.related.{it}.includes(ctx.subject)"),
        it => it.to_string(),
    };
    permits(&format!("p: (ctx) => {}", letters.chars().map(check).collect::<String>()))
}

/// The remedies of the warnings of a kind.
fn remedies(text: &str, kind: Kind) -> Vec<String> {
    let warnings = warnings(text);
    assert!(warnings.iter().all(|it| it.kind == kind), "{warnings:?}");
    warnings.into_iter().map(|it| it.remedy).collect()
}

#[test]
fn mixed_operators_are_shown_as_they_are_grouped() {
    let remedy = |letters| remedies(&permit(letters), Kind::MixedOperators).join("\n");
    assert_eq!(
        remedy("a || b && c"),
        "it is grouped from left to right, as (related.a || related.b) && related.c; TypeScript would group it as \
         related.a || (related.b && related.c). Write parentheses around the group that you mean"
    );
    assert_eq!(
        remedy("a && b || c"),
        "it is grouped as (related.a && related.b) || related.c, here and in TypeScript. Write parentheses around the \
         group that you mean"
    );
    assert!(remedy("a || !b && (c || d) || d").starts_with(
        "it is grouped from left to right, as ((related.a || !related.b) && (…)) || related.d; TypeScript would group it as \
         related.a || (!related.b && (…)) || related.d."
    ));
}

#[test]
fn mixed_operators_are_found_in_groups() {
    for (letters, count) in [
        ("a || (b && c)", 0),
        ("(a || b) && c", 0),
        ("a || b || c", 0),
        ("a && b && (c || d)", 0),
        ("d && (a || b && c)", 1),
        ("!(!(a && b || c))", 1),
        ("(a || b && c) || (a && b || c) && d", 3),
    ] {
        assert_eq!(remedies(&permit(letters), Kind::MixedOperators).len(), count, "{letters}");
    }
}

#[test]
fn mixed_operators_are_reported_at_the_first_other_operator() {
    let text = permit("a || b && c && d || a");
    let warning = &warnings(&text)[0];
    assert_eq!(&text[warning.span.start..], &text[text.find("&&").unwrap()..]);
    let long = permit(&vec!["a || b && c"; 40].join(" || "));
    assert!(warnings(&long)[0].remedy.len() < 1000, "a long expression is not shown whole");
    assert!(warnings(&long)[0].remedy.contains(" …"));
}

#[test]
fn missing_operators_are_reported_with_the_one_that_is_assumed() {
    let remedy = |letters| remedies(&permit(letters), Kind::MissingOperator).join("\n");
    assert_eq!(remedy("a b"), "they are joined by || here, and TypeScript refuses them; write the operator");
    assert!(remedy("a && b c").starts_with("they are joined by && here"));
    assert!(remedy("(a && b) (c)").starts_with("they are joined by && here"));
    assert!(remedy("((a && b)) !c").starts_with("they are joined by && here"));
    assert_eq!(remedy("a b c").lines().count(), 2);
}

#[test]
fn circles_of_permits_are_shown() {
    let circle = |text: &str| -> Vec<String> {
        let warnings = warnings(&permits(text));
        assert!(warnings.iter().all(|it| it.kind == Kind::PermitCycle), "{warnings:?}");
        warnings.into_iter().map(|it| it.message).collect()
    };
    assert_eq!(circle("p: (ctx) => this.permits.p(ctx)"), ["permits refer to each other in a circle: p -> p"]);
    assert_eq!(
        circle("p: (ctx) => this.permits.q(ctx), q: (ctx) => this.permits.r(ctx), r: (ctx) => !(!this.permits.q(ctx))"),
        ["permits refer to each other in a circle: q -> r -> q"]
    );
    let none = "p: (ctx) => this.permits.q(ctx) && this.permits.r(ctx), q: (ctx) => this.permits.r(ctx), r: (ctx) => \
                this.related.a.includes(ctx.subject)";
    assert!(circle(none).is_empty(), "two ways to one permit are no circle");
    let hop = "p: (ctx) => this.related.a.traverse(x => x.permits.p(ctx))";
    assert!(circle(hop).is_empty(), "a hop to another object is no circle");
}

#[test]
fn a_long_circle_is_found_without_recursion_and_shown_in_part() {
    let count = 5_000;
    let text: Vec<String> =
        (0..count).map(|it| format!("p{it}: (ctx) => this.permits.p{}(ctx)", (it + 1) % count)).collect();
    let warnings = warnings(&permits(&text.join(",")));
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].message.ends_with("p8 -> p9 -> … -> p0"), "{}", warnings[0].message);
}

#[test]
fn an_empty_namespace_that_is_no_type_is_unused() {
    let text = "class User implements Namespace {} class Old implements Namespace {} class Doc implements Namespace { \
                related: { owners: User[] } }";
    let warnings = warnings(text);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!(warnings[0].kind, Kind::UnusedNamespace);
    assert_eq!(warnings[0].message, "namespace \"Old\" is empty, and no relation has it as a type");
}

#[test]
fn a_condition_that_nothing_names_is_unused() {
    let text = "const typed: Condition = 'a'; const met: Condition = 'b'; const lost: Condition = 'c'; class A implements \
                Namespace { related: { a: When<A, 'typed'>[] } permits = { p: (ctx) => ctx.meets('met') } }";
    let warnings = warnings(text);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!(
        (warnings[0].kind, warnings[0].message.as_str()),
        (Kind::UnusedCondition, "condition \"lost\" is not used")
    );
}

/// `A.r` has the type `SubjectSet<G, "m">`, and is traversed to a name.
fn traversing(inner: &str, groups: &str) -> String {
    format!(
        "class A implements Namespace {{ related: {{ r: SubjectSet<G, 'm'>[] v: A[] }} permits = {{ p: (ctx) => \
         this.related.r.traverse(x => x.{inner}), m: (ctx) => this.related.v.includes(ctx.subject) }} }} class G \
         implements Namespace {{ {groups} }}"
    )
}

#[test]
fn traverse_warns_where_the_relation_of_a_subject_set_is_lost() {
    let set = "\"r\"";
    let text = traversing("permits.p(ctx)", "related: { m: A[] }");
    let warnings1 = warnings(&text);
    assert_eq!(warnings1.len(), 1, "{warnings1:?}");
    assert_eq!(warnings1[0].kind, Kind::LostRelation);
    assert_eq!(warnings1[0].message, format!("traverse ignores \"m\" of the type SubjectSet<\"G\", \"m\"> of {set}"));
    assert!(warnings1[0].remedy.contains("which does not declare it"));
    let declared = "related: { m: A[] v: A[] } permits = { p: (ctx) => this.related.v.includes(ctx.subject) }";
    let text = traversing("permits.p(ctx)", declared);
    assert!(remedies(&text, Kind::LostRelation)[0].contains("if you mean that, make \"G\" the type of \"r\""));
    let text = traversing(
        "permits.m(ctx)",
        "related: { v: A[] } permits = { m: (ctx) => this.related.v.includes(ctx.subject) }",
    );
    assert_eq!(warnings(&text), [], "the set itself is meant");
}

#[test]
fn traverse_warns_where_relations_and_permits_are_mixed_up() {
    let class = |inner| permits(&format!("p: (ctx) => this.related.a.traverse(x => x.{inner})"));
    let message = |inner| {
        let warnings = warnings(&class(inner));
        assert!(warnings.iter().all(|it| it.kind == Kind::MixedTraverse), "{warnings:?}");
        warnings.into_iter().map(|it| it.message).collect::<Vec<_>>()
    };
    assert_eq!(message("permits.b(ctx)"), ["\"b\" is a relation of namespace \"A\", not a permit"]);
    assert_eq!(message("related.p.includes(ctx.subject)"), ["\"p\" is a permit of namespace \"A\", not a relation"]);
    assert!(message("permits.p(ctx)").is_empty() && message("related.b.includes(ctx.subject)").is_empty());
}

#[test]
fn a_permit_without_a_check_that_grants_is_everybodys() {
    let count = |letters| {
        let warnings = warnings(&permit(letters));
        warnings.iter().filter(|it| it.kind == Kind::OpenPermit).count()
    };
    for (letters, expected) in [
        ("!a", 1),
        ("!a && !b", 1),
        ("a || !b", 1),
        ("!(a && b)", 1),
        ("(a || !b) && !c", 1),
        ("!a || b && c", 0),
        ("a || !b && c", 0),
        ("a && !b", 0),
        ("!(!a)", 0),
        ("!(a || !b)", 0),
        ("a b !c", 1),
        ("a && b !c", 0),
    ] {
        assert_eq!(count(letters), expected, "{letters}");
    }
    let warning = &warnings(&permit("!a"))[0];
    assert_eq!(warning.message, "everybody has the permit \"p\" unless they are excluded");
}

#[test]
fn a_permit_for_other_expressions_may_be_an_exclusion() {
    let not_blocked = "q: (ctx) => !this.related.b.includes(ctx.subject)";
    let uses = [
        "this.related.a.includes(ctx.subject) && this.permits.q(ctx)",
        "this.related.a.traverse((x) => x.permits.q(ctx))",
    ];
    for used in uses {
        assert_eq!(warnings(&permits(&format!("{not_blocked}, p: (ctx) => {used}"))), [], "{used}");
    }
    let set =
        format!("class B implements Namespace {{ related: {{ a: SubjectSet<A, 'q'>[] }} }} {}", permits(not_blocked));
    assert_eq!(warnings(&set), []);
    let condition =
        "const c: Condition = 'true'; class A implements Namespace { permits = { p: (ctx) => ctx.meets('c') } }";
    assert_eq!(warnings(condition), [], "a condition is written for that");
}

#[test]
fn a_type_that_occurs_twice_is_reported_once() {
    let text = "const c: Condition = 'true'; class G implements Namespace { related: { m: (G | SubjectSet<G, 'm'> | When<G, 'c'>)[] \
                n: (G | SubjectSet<G, 'm'> | G | SubjectSet<G, \"m\">)[] } }";
    let warnings = warnings(text);
    assert!(warnings.iter().all(|it| it.kind == Kind::RepeatedType), "{warnings:?}");
    let places: Vec<&str> = warnings.iter().map(|it| &text[it.span.start..it.span.end]).collect();
    assert_eq!(places, ["G", "SubjectSet<G, \"m\">"]);
    assert_eq!(warnings[0].message, "a type of the relation \"n\" occurs twice");
}
