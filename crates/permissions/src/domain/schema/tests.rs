use permission_language::{Expression, Model, Namespace};

use super::{Accepted, Alternative, Rules, Schema, SchemaError};
use crate::domain::ids::{NamespaceId, RelationId};
use crate::domain::symbols::Symbols;
use crate::testing::world::{all, any, class, has, not, traverse};

fn compile(namespaces: Vec<Namespace>) -> (Schema, Symbols) {
    let mut symbols = Symbols::default();
    let schema = Schema::compile(&Model { namespaces, conditions: Vec::new() }, &mut symbols, false).unwrap();
    (schema, symbols)
}

fn names(symbols: &Symbols, namespace: &str, relation: &str) -> (NamespaceId, RelationId) {
    (symbols.namespace(namespace).unwrap(), symbols.relation(relation).unwrap())
}

fn is_cyclic(schema: &Schema, symbols: &Symbols, permit: &str) -> bool {
    let (namespace, relation) = names(symbols, "Doc", permit);
    match schema.rules(namespace, relation) {
        Rules::Declared(definition) => definition.is_cyclic,
        Rules::TuplesOnly(_) | Rules::Undeclared => panic!("{permit} is not declared"),
    }
}

#[test]
fn nested_unions_are_one_union() {
    let view = any([has("a"), any([has("b"), any([traverse("parent", "view"), has("a")])])]);
    let (schema, symbols) = compile(vec![class("Doc", &["a", "b", "parent"], vec![("view", view)])]);
    let (namespace, relation) = names(&symbols, "Doc", "view");
    let Rules::Declared(definition) = schema.rules(namespace, relation) else { panic!("view is not declared") };
    let of = |name: &str| symbols.relation(name).unwrap();
    let parent = Alternative::Traverse { relation: of("parent"), target: of("view") };
    let expected = [Alternative::Has(of("a")), Alternative::Has(of("b")), parent, Alternative::Has(of("a"))];
    assert_eq!(*definition.alternatives, expected);
}

#[test]
fn permits_that_refer_to_themselves_are_marked() {
    let permits = vec![
        ("itself", any([has("itself"), has("owner")])),
        ("one", all([has("owner"), not(has("two"))])),
        ("two", has("three")),
        ("three", has("one")),
        ("above", has("one")),
        ("below", has("owner")),
        ("recursive", traverse("parent", "recursive")),
    ];
    let (schema, symbols) = compile(vec![class("Doc", &["owner", "parent"], permits)]);
    for cyclic in ["itself", "one", "two", "three"] {
        assert!(is_cyclic(&schema, &symbols, cyclic), "{cyclic}");
    }
    for other in ["above", "below", "recursive", "owner"] {
        assert!(!is_cyclic(&schema, &symbols, other), "{other}");
    }
}

#[test]
fn a_relation_hides_a_permit_of_its_name() {
    let (schema, symbols) = compile(vec![class("Doc", &["view", "owner"], vec![("view", has("owner"))])]);
    let (namespace, view) = names(&symbols, "Doc", "view");
    let Rules::Declared(definition) = schema.rules(namespace, view) else { panic!("view is not declared") };
    assert!(!definition.is_permit && definition.alternatives.is_empty());
    assert_eq!(schema.definitions(namespace).count(), 2);
}

#[test]
fn names_that_the_model_lacks_have_rules_of_their_own() {
    let (schema, mut symbols) = compile(vec![class("Doc", &["owner"], Vec::new()), class("Open", &[], Vec::new())]);
    let other = symbols.intern_relation("other").unwrap();
    let unknown = symbols.intern_namespace("Unknown").unwrap();
    let [doc, open] = ["Doc", "Open"].map(|name| symbols.namespace(name).unwrap());
    assert!(matches!(schema.rules(doc, other), Rules::Undeclared));
    assert!(matches!(schema.rules(doc, RelationId::NONE), Rules::TuplesOnly(Accepted::All)));
    assert!(matches!(schema.rules(open, other), Rules::TuplesOnly(Accepted::All)));
    assert!(matches!(schema.rules(unknown, other), Rules::TuplesOnly(Accepted::All)));
    assert!(schema.declares_namespace(open) && !schema.declares_namespace(unknown));
}

#[test]
fn an_expression_that_is_nested_too_deeply_is_rejected() {
    let deep = (0..1_000).fold(has("owner"), |inner, _| not(inner));
    let model = Model { namespaces: vec![class("Doc", &["owner"], vec![("view", deep)])], conditions: Vec::new() };
    let error = Schema::compile(&model, &mut Symbols::default(), false).unwrap_err();
    assert!(matches!(error, SchemaError::NestedTooDeeply { ref permit, .. } if permit == "view"), "{error}");
}

#[test]
fn a_long_chain_of_permits_is_compiled_without_recursion() {
    let names: Vec<String> = (0..20_000).map(|index| format!("p{index}")).collect();
    let permit = |index: usize| (names[index].as_str(), has(&names[index.saturating_sub(1)]));
    let permits: Vec<(&str, Expression)> = (1..names.len()).map(permit).collect();
    let (schema, symbols) = compile(vec![class("Doc", &["p0"], permits)]);
    assert!(!is_cyclic(&schema, &symbols, "p19999"));
}

#[test]
fn a_permit_without_a_positive_operand_is_universal() {
    let permits = vec![
        ("public", not(has("banned"))),
        ("bounded", all([not(has("banned")), has("owner")])),
        ("mixed", any([has("owner"), not(has("banned"))])),
        ("inside", all([any([not(has("banned")), has("owner")]), not(has("owner"))])),
    ];
    let (schema, symbols) = compile(vec![class("Doc", &["owner", "banned"], permits)]);
    let universal: Vec<&str> =
        schema.universal().iter().map(|(_, relation)| symbols.relation_name(*relation)).collect();
    assert_eq!(universal, ["public", "mixed", "inside"]);
    let (namespace, owner) = names(&symbols, "Doc", "owner");
    let from_owner = schema.same_object(namespace, owner).iter();
    let from_owner: Vec<_> = from_owner.map(|it| (symbols.relation_name(it.relation), it.is_sufficient)).collect();
    assert_eq!(from_owner, [("bounded", false), ("mixed", true)]);
}
