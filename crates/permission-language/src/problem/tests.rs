use super::*;
use crate::limits::QUOTED_CHARACTERS;

#[test]
fn names_are_quoted_as_go_quotes_them() {
    assert_eq!(quote("a b"), r#""a b""#);
    assert_eq!(quote("a\"b\\\n\t\r"), r#""a\"b\\\n\t\r""#);
    assert_eq!(quote("\u{7}\u{8}\u{b}\u{c}\u{1b}\u{7f}"), r#""\a\b\v\f\x1b\x7f""#);
    assert_eq!(quote("ä\u{202e}"), r#""ä\u202e""#);
}

#[test]
fn long_names_are_cut() {
    assert_eq!(quote(&"ä".repeat(1000)).chars().count(), QUOTED_CHARACTERS + 3);
    assert_eq!(quote(&"a".repeat(QUOTED_CHARACTERS)).len(), QUOTED_CHARACTERS + 2);
}

#[test]
fn a_problem_is_rendered_with_its_place_its_line_and_its_remedy() {
    let files = [SourceFile { name: "a.ts", text: "" }, SourceFile { name: "b\u{1b}.ts", text: "x\n  yz\n" }];
    let problem = Problem {
        kind: Kind::UndeclaredNamespace,
        file: 1,
        span: Span::new(4, 6),
        message: "namespace \"yz\" was not declared".into(),
        remedy: "declare it".into(),
    };
    assert_eq!(
        problem.render(&files),
        "b\u{fffd}.ts:2:3: error: namespace \"yz\" was not declared\n    2 |   yz\n      |   ^~\nhelp: declare it\n"
    );
    assert_eq!(problem.render(&[]), "error: namespace \"yz\" was not declared\nhelp: declare it\n");
    assert_eq!(problem.to_string(), "error: namespace \"yz\" was not declared; declare it");
}

#[test]
fn a_collision_loads_with_a_warning_and_is_an_error_of_the_syntax_check() {
    assert_eq!(Kind::Collision.severity(), Severity::Warning);
    assert!(!Kind::Collision.prevents_loading());
    assert!(Kind::Collision.is_answered_by_syntax_check() && Kind::Syntax.is_answered_by_syntax_check());
    assert!(!Kind::MixedOperators.is_answered_by_syntax_check());
    assert!(Kind::Syntax.prevents_loading() && Kind::MixedReference.prevents_loading());
    assert_eq!(Kind::MixedOperators.severity(), Severity::Warning);
    assert!(!Kind::MixedOperators.prevents_loading());
}
