use serde_json::json;

use super::*;

fn schema(traits: &Value) -> TraitsSchema {
    let document = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "definitions": {"mail": {"type": "string", "format": "email", "ory.sh/kratos": {"recovery": {"via": "email"}}}},
        "properties": {"traits": traits},
    });
    TraitsSchema::compile("default", document, &HashMap::new()).unwrap()
}

fn person() -> TraitsSchema {
    schema(&json!({
        "type": "object",
        "required": ["email"],
        "properties": {
            "email": {
                "type": "string", "format": "email", "title": "E-Mail", "minLength": 3,
                "ory.sh/kratos": {
                    "credentials": {"password": {"identifier": true}, "code": {"identifier": true, "via": "email"}},
                    "verification": {"via": "email"}, "recovery": {"via": "email"},
                },
            },
            "phone": {"type": "string", "format": "tel", "ory.sh/kratos": {"verification": {"via": "sms"}}},
            "others": {"type": "array", "items": {"$ref": "#/definitions/mail"}, "uniqueItems": true, "maxItems": 3},
            "name": {"type": "object", "required": ["first"], "properties": {
                "first": {"type": "string", "pattern": "^[A-Z]", "title": "First name"},
            }},
            "age": {"type": "integer", "minimum": 18},
            "news": {"type": "boolean"},
        },
        "additionalProperties": false,
    }))
}

#[test]
fn traits_become_identifiers_and_addresses() {
    let mut traits = json!({
        "email": "Foo@Example.org", "phone": "+49 176 671-11638",
        "others": ["a@x.example", "B@x.example"],
    });
    let derived = person().validate(&mut traits).unwrap();
    let mail = |value: &str| (Via::Email, value.to_owned());
    assert_eq!(derived.password, ["foo@example.org"]);
    assert_eq!(derived.code, [mail("foo@example.org")]);
    assert_eq!(derived.verifiable, [mail("foo@example.org"), (Via::Sms, "+4917667111638".into())]);
    assert_eq!(derived.recovery, [mail("foo@example.org"), mail("a@x.example"), mail("b@x.example")]);
    assert_eq!(traits["phone"], "+4917667111638");
    assert_eq!(traits["email"], "Foo@Example.org", "only telephone numbers are rewritten");
}

#[test]
fn each_error_has_its_location_and_message() {
    let refused = |mut traits: Value| -> Vec<(String, u32)> {
        let mut found: Vec<_> = person()
            .validate(&mut traits)
            .unwrap_err()
            .into_iter()
            .map(|error| (error.pointer, error.problem.message_id()))
            .collect();
        found.sort();
        found
    };
    let at = |pointer: &str, id: u32| vec![(pointer.to_owned(), id)];
    assert_eq!(refused(json!({})), at("/traits/email", 4_000_002));
    assert_eq!(refused(json!({"email": 7})), at("/traits/email", 4_000_026));
    assert_eq!(refused(json!({"email": "nobody"})), at("/traits/email", 4_000_040));
    assert_eq!(refused(json!({"email": "a@b.c", "phone": "12"})), at("/traits/phone", 4_000_041));
    assert_eq!(refused(json!({"email": "a@b.c", "age": 3})), at("/traits/age", 4_000_018));
    assert_eq!(refused(json!({"email": "a@b.c", "name": {}})), at("/traits/name/first", 4_000_002));
    assert_eq!(refused(json!({"email": "a@b.c", "name": {"first": "x"}})), at("/traits/name/first", 4_000_004));
    assert_eq!(refused(json!({"email": "a@b.c", "others": ["a@b.c", "a@b.c"]})), at("/traits/others", 4_000_025));
    assert_eq!(refused(json!({"email": "a@b.c", "more": 1})), at("/traits", 4_000_001));
    assert_eq!(refused(json!([])), at("/traits", 4_000_026));
    let two = refused(json!({"email": "", "age": 1}));
    assert_eq!(
        two,
        [("/traits/age".into(), 4_000_018), ("/traits/email".into(), 4_000_003), ("/traits/email".into(), 4_000_040)]
    );
}

#[test]
fn keywords_apply_in_the_branch_that_matches() {
    let schema = schema(&json!({
        "type": "object",
        "properties": {"kind": {"type": "string"}, "handle": {"type": "string"}},
        "if": {"properties": {"kind": {"const": "mail"}}},
        "then": {"properties": {"handle": {"ory.sh/kratos": {"verification": {"via": "email"}}}}},
        "else": {"properties": {"handle": {"ory.sh/kratos": {"credentials": {"password": {"identifier": true}}}}}},
    }));
    let derived = schema.validate(&mut json!({"kind": "mail", "handle": "a@b.c"})).unwrap();
    assert_eq!((derived.verifiable.len(), derived.password.len()), (1, 0));
    let derived = schema.validate(&mut json!({"kind": "name", "handle": "Bob"})).unwrap();
    assert_eq!((derived.verifiable.len(), derived.password), (0, vec!["bob".to_owned()]));
    let errors = schema.validate(&mut json!({"kind": "mail", "handle": "nobody"})).unwrap_err();
    assert_eq!(errors[0].problem.message_id(), 4_000_040, "an address without a format is still validated");
}

#[test]
fn fields_are_in_the_order_of_the_schema() {
    let schema = person();
    let names: Vec<_> = schema.fields().iter().map(|field| (field.name.as_str(), field.input_type)).collect();
    assert_eq!(
        names,
        [
            ("traits.email", InputType::Email),
            ("traits.phone", InputType::Tel),
            ("traits.name.first", InputType::Text),
            ("traits.age", InputType::Number),
            ("traits.news", InputType::Checkbox),
        ]
    );
    assert!(schema.fields()[0].required && schema.fields()[2].required && !schema.fields()[3].required);
    assert!(schema.fields()[0].extension.is_identifier());
    let kinds: std::collections::BTreeMap<_, _> = schema.kinds().collect();
    assert_eq!(kinds.get("traits.age"), Some(&Kind::Integer));
    assert_eq!(kinds.get("traits.others.#"), Some(&Kind::String));
    assert_eq!(kinds.get("traits.name"), None);
}

#[test]
fn an_invalid_schema_is_rejected_when_it_is_compiled() {
    let compile = |document: Value| TraitsSchema::compile("x", document, &HashMap::new()).unwrap_err();
    let traits = |trait_: Value| json!({"properties": {"traits": {"type": "object", "properties": {"a": trait_}}}});
    assert!(matches!(compile(json!([])), SchemaError::Rule { .. }));
    assert!(matches!(compile(json!({"properties": {}})), SchemaError::Rule { .. }));
    assert!(matches!(compile(json!({"properties": {"traits": {"type": "array"}}})), SchemaError::Rule { .. }));
    assert!(matches!(compile(json!({"properties": {"traits": {"properties": {}}}})), SchemaError::Rule { .. }));
    assert!(matches!(compile(traits(json!({"type": "strange"}))), SchemaError::Invalid(_)));
    assert!(matches!(compile(traits(json!({"pattern": "("}))), SchemaError::Invalid(_)));
    assert!(matches!(
        compile(traits(json!({"ory.sh/kratos": {"credentials": {"password": {"identifer": true}}}}))),
        SchemaError::UnknownKey { .. }
    ));
    assert!(matches!(
        compile(traits(json!({"ory.sh/kratos": {"recovery": {"via": "fax"}}}))),
        SchemaError::Rule { .. }
    ));
    assert!(matches!(
        compile(traits(json!({"format": "uri", "ory.sh/kratos": {"verification": {"via": "email"}}}))),
        SchemaError::Rule { .. }
    ));
    let looped = compile(json!({"properties": {"traits": {"properties": {"a": {"$ref": "#/properties/traits"}}}}}));
    assert!(matches!(looped, SchemaError::Cycle(_)), "{looped}");
    assert!(matches!(
        compile(traits(json!({"$ref": "https://example.org/other.json"}))),
        SchemaError::Invalid(_) | SchemaError::Dangling(_)
    ));
}

#[test]
fn a_constant_without_a_type_gets_the_input_of_its_value() {
    let schema = schema(&json!({
        "type": "object",
        "properties": {"terms": {"const": true}, "country": {"const": "DE"}, "version": {"const": 2}},
    }));
    let inputs: Vec<_> = schema.fields().iter().map(|field| (field.name.as_str(), field.input_type)).collect();
    let expected = [
        ("traits.terms", InputType::Checkbox),
        ("traits.country", InputType::Text),
        ("traits.version", InputType::Number),
    ];
    assert_eq!(inputs, expected);
}

#[test]
fn patterns_of_re2_are_accepted_and_shown_in_their_original_form() {
    let pattern = r"(?i)^[\w-.]+@([\w-]+\.)+[a-z]{2,4}$";
    let schema = schema(&json!({"type": "object", "properties": {"mail": {"type": "string", "pattern": pattern}}}));
    assert!(schema.validate(&mut json!({"mail": "Ada.L-o@Example.ORG"})).is_ok());
    let errors = schema.validate(&mut json!({"mail": "nobody"})).unwrap_err();
    assert_eq!(errors[0].problem, TraitProblem::Pattern { pattern: pattern.to_owned() });
}

#[test]
fn examples_are_no_schemas() {
    let traits = json!({
        "type": "object",
        "properties": {"default": {"type": "string", "examples": [{"ory.sh/kratos": {"x": 1}}]}},
    });
    assert_eq!(schema(&traits).fields().len(), 1);
    let wrong = json!({"properties": {"traits": {"properties": {"enum": {"ory.sh/kratos": {"x": 1}}}}}});
    assert!(matches!(TraitsSchema::compile("x", wrong, &HashMap::new()), Err(SchemaError::UnknownKey { .. })));
}
