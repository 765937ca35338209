//! The messages and positions are those of Ory Keto's syntax check, because clients match them.

use super::*;
use crate::positions::keto_position;

fn parse(text: &str) -> Result<File<'_>, Vec<Problem>> {
    parse_file(0, text, &Limits::default())
}

/// The messages of a text that does not parse, with the line and column of start and end as Ory Keto counts them.
fn errors(text: &str) -> Vec<(String, [usize; 4])> {
    let problems = parse(text).expect_err(text);
    problems
        .into_iter()
        .map(|problem| {
            let (start, end) = (keto_position(text, problem.span.start), keto_position(text, problem.span.end));
            assert!(!problem.remedy.is_empty());
            (problem.message, [start.line, start.column, end.line, end.column])
        })
        .collect()
}

#[track_caller]
fn assert_error(text: &str, message: &str, position: [usize; 4]) {
    assert_eq!(errors(text), [(message.to_owned(), position)], "{text}");
}

/// A class with a permit of an expression, which begins at line 3, column 13.
fn permit(expression: &str) -> String {
    format!("class A implements Namespace {{\n permits = {{\n  p: (ctx) => {expression}\n }}\n}}")
}

#[track_caller]
fn assert_accepted(expression: &str) {
    parse(&permit(expression)).expect(expression);
}

const X: &str = "this.related.x.includes(ctx.subject)";

#[test]
fn a_text_without_classes_has_no_declarations() {
    for text in [
        "",
        "// nothing",
        "import { A, B } from \"x\"; export interface I { a: string }",
        "const a = \"b\"; const c: Other = \"d\"",
    ] {
        assert!(parse(text).unwrap().declarations.is_empty(), "{text}");
    }
}

#[test]
fn what_does_not_lex_is_fatal() {
    assert_error("/* x", "fatal: at \"\": unclosed comment", [1, 1, 1, 4]);
    assert_error("\n 'x", "fatal: at \"\": unclosed string literal", [2, 2, 2, 3]);
    assert_error("a *\nb", "fatal: at \"*\\nb\": unexpected token *", [1, 2, 1, 2]);
    assert_error("class A implements Namespace {\n ?", "fatal: at \"?\": unexpected token ?", [2, 1, 2, 1]);
    assert_error("class A implements ü", "fatal: at \"ü\": unexpected token ü", [1, 19, 1, 19]);
}

#[test]
fn a_fatal_message_quotes_a_bounded_rest() {
    let problems = parse_file(0, &format!("@{}", "a".repeat(100_000)), &Limits::default()).unwrap_err();
    assert!(problems[0].message.len() < 300, "{}", problems[0].message.len());
}

#[test]
fn a_token_that_is_expected() {
    assert_error("class A extends Namespace {}", "expected \"implements\", got \"extends\"", [1, 8, 1, 15]);
    assert_error("class A implements Other {}", "expected \"Namespace\", got \"Other\"", [1, 19, 1, 24]);
    assert_error("class A implements Namespace\n(", "expected \"{\", got \"(\"", [1, 29, 2, 1]);
    assert_error("class A implements", "expected \"Namespace\", got \"\"", [1, 18, 1, 18]);
    let text = "class A implements Namespace { related: { a: A } }";
    assert_error(text, "expected \"[\", got \"}\"", [1, 47, 1, 48]);
    let text = "class A implements Namespace { related = { } }";
    assert_error(text, "expected \":\", got \"=\"", [1, 39, 1, 40]);
    let text = "class A implements Namespace { related: { a: SubjectSet<A>[] } }";
    assert_error(text, "expected \",\", got \">\"", [1, 57, 1, 58]);
    let text = "class A implements Namespace { permits = { p: (context) => x } }";
    assert_error(text, "expected \"ctx\", got \"context\"", [1, 47, 1, 54]);
    let text = "class A implements Namespace { permits = { p: (ctx: Ctx) => x } }";
    assert_error(text, "expected \"Context\", got \"Ctx\"", [1, 52, 1, 55]);
    let text = "class A implements Namespace { permits = { p: (ctx): string => x } }";
    assert_error(text, "expected \"boolean\", got \"string\"", [1, 53, 1, 59]);
}

#[test]
fn an_identifier_that_is_expected() {
    assert_error("class class implements Namespace {}", "expected identifier, got KeywordClass", [1, 6, 1, 11]);
    assert_error("class {", "expected identifier, got \"{\"", [1, 6, 1, 7]);
    let text = "class A implements Namespace { related: { a: (A | )[] } }";
    assert_error(text, "expected identifier, got \")\"", [1, 50, 1, 51]);
}

#[test]
fn a_class_has_blocks_of_relations_and_permits() {
    let text = "class A implements Namespace {\n  metadata = { id: \"1\" }\n}";
    assert_error(text, "expected 'permits' or 'related', got \"metadata\"", [2, 2, 2, 10]);
    assert_error("class A implements Namespace {", "expected 'permits' or 'related', got \"\"", [1, 30, 1, 30]);
}

#[test]
fn a_block_has_members_with_names() {
    let message = "expected identifier or '}', got \"(\" \"(\"";
    assert_error("class A implements Namespace { related: { ( } }", message, [1, 42, 1, 43]);
    let message = "expected identifier or '}', got KeywordClass \"class\"";
    assert_eq!(errors("class A implements Namespace { related: { class: A[] } }")[0], (message.into(), [1, 42, 1, 47]));
    let message = "expected identifier or '}', got EOF \"\"";
    assert_error("class A implements Namespace { permits = {", message, [1, 42, 1, 42]);
    let message = "expected identifier or '}', got \";\" \";\"";
    assert_error("class A implements Namespace { permits = {;} }", message, [1, 42, 1, 43]);
}

#[test]
fn types_have_bars_between_them() {
    let text = "class A implements Namespace { related: { a: (A & A)[] } }";
    assert_error(text, "fatal: at \"& A)[] } }\": unexpected token &", [1, 48, 1, 48]);
    let text = "class A implements Namespace { related: { a: (A, A)[] } }";
    assert_error(text, "expected '|', got \",\"", [1, 47, 1, 48]);
    let text = "class A implements Namespace { related: { a: Array<A B> } }";
    assert_error(text, "expected '|', got \"B\"", [1, 53, 1, 54]);
}

#[test]
fn a_check_names_a_method() {
    let text = permit("this.related.x.some(ctx.subject)");
    assert_error(&text, "expected 'traverse' or 'includes', got \"some\"", [3, 29, 3, 33]);
    let text = permit("this.metadata.x.includes(ctx.subject)");
    assert_error(&text, "expected 'related' or 'permits', got \"metadata\"", [3, 19, 3, 27]);
    let text = permit("this.related.x.traverse((a) => a.id.x(ctx))");
    assert_error(&text, "expected 'related' or 'permits', got \"id\"", [3, 47, 3, 49]);
    let text = permit("this.related.x.traverse((a) => b.permits.x(ctx))");
    assert_error(&text, "expected \"a\", got \"b\"", [3, 45, 3, 46]);
    let text = permit("ctx.meets(x)");
    assert_error(&text, "expected a string literal, got \"x\"", [3, 24, 3, 25]);
    let text = permit("this.permits[x](ctx)");
    assert_error(&text, "expected a string literal, got \"x\"", [3, 27, 3, 28]);
}

#[test]
fn an_expression_has_operators_after_groups_and_negations() {
    let text = permit(&format!("({X}) {X}"));
    assert_error(&text, "did not expect another expression", [3, 53, 3, 57]);
    let text = permit(&format!("!{X} {X}"));
    assert_error(&text, "did not expect another expression", [3, 52, 3, 56]);
    for accepted in [format!("{X} {X}"), format!("{X} ({X}) !{X}"), format!("({X}) ({X})"), format!("({X}) !{X}")] {
        assert_accepted(&accepted);
    }
}

#[test]
fn an_expression_that_is_missing_is_reported_where_it_is_missing() {
    for (expression, got, end) in
        [(",", ",", 15), ("|| x", "||", 16), ("()", ")", 16), ("!!x", "!", 16), ("&& x", "&&", 16)]
    {
        let start = 14 + usize::from(expression.starts_with(['(', '!']));
        let message = format!("expected \"this\", got \"{got}\"");
        assert_error(&permit(expression), &message, [3, start, 3, end]);
    }
    assert_error(&permit(""), "expected \"this\", got \"}\"", [4, 1, 4, 2]);
    assert_error(&permit(&format!("{X} ||")), "expected \"this\", got \"}\"", [4, 1, 4, 2]);
    assert_error(&permit(&format!("{X} || && {X}")), "expected \"this\", got \"&&\"", [3, 54, 3, 56]);
    assert_error(&permit(&format!("{X};")), "expected \"this\", got \";\"", [3, 50, 3, 51]);
    assert_error(&permit(&format!("({X}")), "expected \")\", got \"}\"", [4, 1, 4, 2]);
}

#[test]
fn a_double_negation_needs_parentheses() {
    assert_error(&permit(&format!("!!{X}")), "expected \"this\", got \"!\"", [3, 15, 3, 16]);
    assert_accepted(&format!("!(!{X})"));
}

fn nested(openings: usize) -> String {
    format!("{}{X}{}", "(".repeat(openings), ")".repeat(openings))
}

#[test]
fn parentheses_and_negations_nest_ten_levels() {
    assert_accepted(&nested(9));
    let message = "expression nested too deeply; maximal nesting depth is 10";
    assert_error(&permit(&nested(10)), message, [3, 24, 3, 28]);
    assert_accepted(&format!("!({})", nested(7)));
    assert_error(&permit(&format!("!({})", nested(8))), message, [3, 24, 3, 28]);
    assert_error(&permit(&format!("{}!{X}{}", "(".repeat(9), ")".repeat(9))), message, [3, 24, 3, 28]);
    assert_eq!(parse(&permit(&nested(10))).unwrap_err()[0].kind, Kind::TooDeep);
}

#[test]
fn the_nesting_is_a_limit_with_an_upper_bound() {
    let with = |nesting, openings| {
        parse_file(0, &permit(&nested(openings)), &Limits { nesting, ..Limits::default() })
            .map(|_| ())
            .map_err(|it| it[0].message.clone())
    };
    assert_eq!(with(20, 19), Ok(()));
    assert_eq!(with(20, 20), Err("expression nested too deeply; maximal nesting depth is 20".into()));
    assert_eq!(with(1, 0), Ok(()));
    assert!(with(1, 1).is_err() && with(0, 1).is_err());
    assert_eq!(with(usize::MAX, MAX_NESTING - 1), Ok(()));
    assert_eq!(with(usize::MAX, 200_000), Err("expression nested too deeply; maximal nesting depth is 100".into()));
}

#[test]
fn operators_alternate_a_bounded_number_of_times() {
    let chain = |alternations: usize| {
        let operators = (0..=alternations).map(|it| if it % 2 == 0 { " || " } else { " && " });
        permit(&operators.fold(X.to_owned(), |text, operator| text + operator + X))
    };
    assert!(parse(&chain(MAX_NESTING)).is_ok());
    let problems = parse(&chain(MAX_NESTING + 1)).unwrap_err();
    assert_eq!(problems[0].kind, Kind::TooDeep);
    assert_eq!(problems[0].message, "\"&&\" and \"||\" alternate more than 100 times in one permit");
    let same = permit(&vec![X; 5000].join(" || "));
    assert!(parse(&same).is_ok(), "a long list of one operator is not deep");
}

#[test]
fn a_file_has_a_bounded_length() {
    let limits = Limits { file_bytes: 10, ..Limits::default() };
    assert!(parse_file(0, "// 4567890", &limits).is_ok());
    let problems = parse_file(3, "// 45678901", &limits).unwrap_err();
    assert_eq!((problems[0].kind, problems[0].file), (Kind::TooLarge, 3));
    assert_eq!(problems[0].message, "the file has 11 bytes, and at most 10 are allowed");
}

#[test]
fn separators_of_relations_and_blocks_are_optional() {
    for separator in ["\n", ";", ";;", ",", ", ;"] {
        let text = format!(
            "class A implements Namespace {{; related: {{; a: A[]{separator} b: (A | SubjectSet<A, 'a'>)[]{separator} \
             'c d': Array<A>{separator} e: SubjectSet<A, a>[]{separator} }}; permits = {{ }}; related: {{ }} }} class B \
             implements Namespace {{}}"
        );
        let file = parse(&text).unwrap();
        let relations: Vec<&str> = file.classes().flat_map(Class::relations).map(|it| it.name.text).collect();
        assert_eq!(relations, ["a", "b", "c d", "e"], "{separator:?}");
        assert_eq!(file.classes().count(), 2);
    }
}

#[test]
fn permits_have_commas_between_them() {
    let text = permit(&format!("{X}, q: (ctx: Context): boolean => {X}, 'r s': (ctx: Context) => {X},"));
    let file = parse(&text).unwrap();
    let permits: Vec<&str> = file.classes().flat_map(Class::permits).map(|it| it.name.text).collect();
    assert_eq!(permits, ["p", "q", "r s"]);
    assert_error(&permit(&format!("{X}\n q: (ctx) => {X}")), "expected \"this\", got \"q\"", [4, 1, 4, 2]);
}

#[test]
fn every_form_of_a_check_is_accepted() {
    for check in [
        "this.related.x.includes(ctx.subject)",
        "this.related['x y'].includes(ctx.subject)",
        "this.permits.x(ctx)",
        "this.permits[\"x.y\"](ctx)",
        "this.related.x.traverse((a) => a.permits.y(ctx))",
        "this.related.x.traverse(a => a.permits['y'](ctx))",
        "this.related.x.traverse((a) => a.related.y.includes(ctx.subject))",
        "this.related.x.traverse(a => a.related['y'].includes(ctx.subject,),)",
        "this.related.class.includes(ctx.subject)",
        "ctx.meets('x')",
        "!ctx.meets(\"x\")",
        "(this /* a */ . // b\n permits.x(ctx))",
    ] {
        assert_accepted(check);
    }
}

#[test]
fn conditions_are_declared_outside_of_classes() {
    let text = "export const a: Condition = \"x > 'y'\";\nconst b: Condition = 'z'\nclass A implements Namespace {}";
    let file = parse(text).unwrap();
    let conditions: Vec<_> =
        file.conditions().map(|it| (it.name.text, it.expression.text, &text[it.span.start..it.span.end])).collect();
    let first = ("a", "x > 'y'", "const a: Condition = \"x > 'y'\";");
    assert_eq!(conditions, [first, ("b", "z", "const b: Condition = 'z'")]);
    assert_eq!(file.classes().count(), 1);
    assert_error("const a: Condition = x", "expected a string literal, got \"x\"", [1, 21, 1, 22]);
    assert_error("const a: Condition;", "expected \"=\", got \";\"", [1, 18, 1, 19]);
}

#[test]
fn a_condition_is_part_of_a_type() {
    let text = "class A implements Namespace { related: { a: When<A, \"c\">[] b: (When<SubjectSet<A, 'a'>, c> | A | When)[] } }";
    let file = parse(text).unwrap();
    let types: Vec<_> = file
        .classes()
        .flat_map(Class::relations)
        .flat_map(|it| &it.types)
        .map(|it| (it.namespace.text, it.relation.map(|it| it.text), it.condition.map(|it| it.text)))
        .collect();
    let expected = [("A", None, Some("c")), ("A", Some("a"), Some("c")), ("A", None, None), ("When", None, None)];
    assert_eq!(types, expected, "without brackets, `When` is a namespace");
    let text = "class A implements Namespace { related: { a: When<A>[] } }";
    assert_error(text, "expected \",\", got \">\"", [1, 51, 1, 52]);
}

#[test]
fn each_class_with_a_syntax_error_is_reported() {
    let text = "class A implements Namespace { nonsense }\nclass B implements Namespace {}\nclass C {}\n";
    let found: Vec<String> = errors(text).into_iter().map(|it| it.0).collect();
    let expected = ["expected 'permits' or 'related', got \"nonsense\"", "expected \"implements\", got \"{\""];
    assert_eq!(found, expected, "the parser goes on at the next class");
    let many = "class A {}".repeat(10_000);
    assert_eq!(parse(&many).unwrap_err().len(), MAX_PROBLEMS);
    let fatal = "class A {} class B {} `";
    assert_eq!(errors(fatal).len(), 2, "what does not lex after an error is not reported");
}

#[test]
fn a_remedy_shows_the_form() {
    let remedy = |text| parse(text).unwrap_err().remove(0).remedy;
    assert_eq!(remedy("class A {"), "the form is: class NAME implements Namespace { related: { … } permits = { … } }");
    assert!(remedy("class A implements Namespace { related: { a: [] } }").starts_with("the form is: NAME: TYPE[], "));
    assert_eq!(remedy("/*"), "close the comment with */");
    assert_eq!(remedy("a & b"), "write && for \"and\"");
}

#[test]
fn a_remedy_at_the_end_of_the_file_names_the_bracket_that_is_open() {
    let remedy = |text: &str| parse(text).unwrap_err().remove(0).remedy;
    for (text, remedy_begins) in [
        (
            "class A implements Namespace {",
            "the file ends here, and the \"{\" in line 1 is not closed; the form is: class NAME ",
        ),
        (
            "import { B } from 'b'\n{ ( [\nclass A implements Namespace\n{\n related: { a: A[] } // {\n permits = {\n }\n",
            "the file ends here, and the \"{\" in line 4 is not closed; the form is: class NAME ",
        ),
        (
            "class A implements Namespace {\n related: {\n  a: A[]\n  b: (A | SubjectSet<A, \"}\">",
            "the file ends here, and the \"(\" in line 4 is not closed; the form is: NAME: TYPE[], ",
        ),
        (
            "class A implements Namespace {\n related: {\n  a: SubjectSet<A",
            "the file ends here, and the \"<\" in line 3 is not closed; the form is: NAME: TYPE[], ",
        ),
        (
            "class A implements Namespace {\n permits = {\n  p: (ctx) =>\n   this.related.class.includes(ctx.subject) ||\n   this.related[\"x\"",
            "the file ends here, and the \"[\" in line 5 is not closed; the form is: this.related.NAME",
        ),
        (
            "class B implements Namespace {}\nclass A implements",
            "the file ends here, before this declaration is complete; the form is: class NAME ",
        ),
        ("const a: Condition =", "the file ends here, before this declaration is complete; the form is: const NAME: "),
    ] {
        assert!(remedy(text).starts_with(remedy_begins), "{text}: {}", remedy(text));
    }
}
