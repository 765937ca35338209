//! Properties of the whole language: a model survives being written, a layout survives being made, and no text does harm.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::sample::select;

use crate::lexer::{Lexer, TokenKind};
use crate::lower::lower;
use crate::parser::parse_file;
use crate::{
    Condition, Expression, Limits, Model, Namespace, Permit, Relation, SourceFile, SubjectType, format, keto_position,
    parse, position, to_text,
};

const NAMESPACES: &[&str] = &["User", "Doc", "Folder.v2", "class", "When"];
const RELATIONS: &[&str] = &["owners", "it's", "parents"];
const PERMITS: &[&str] = &["view", "edit all", "this"];
const CONDITIONS: &[&str] = &["weekday", "local"];

fn expressions() -> impl Strategy<Value = Expression> {
    let names: Vec<&str> = RELATIONS.iter().chain(PERMITS).copied().collect();
    let leaf = prop_oneof![
        select(names.clone()).prop_map(|name| Expression::Has(name.into())),
        (select(RELATIONS), select(names))
            .prop_map(|(relation, target)| Expression::Traverse { relation: relation.into(), target: target.into() }),
        select(CONDITIONS).prop_map(|name| Expression::Meets(name.into())),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|it| flat(it, true)),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|it| flat(it, false)),
            inner.prop_map(|it| Expression::Not(Box::new(it))),
        ]
    })
}

/// A group without members of its own kind.
fn flat(members: Vec<Expression>, is_any: bool) -> Expression {
    let members = members.into_iter().flat_map(|member| match (is_any, member) {
        (true, Expression::Any(members)) | (false, Expression::All(members)) => members,
        (_, member) => vec![member],
    });
    if is_any { Expression::Any(members.collect()) } else { Expression::All(members.collect()) }
}

fn subject_types() -> impl Strategy<Value = SubjectType> {
    let relation = prop::option::of(select([RELATIONS, PERMITS].concat()));
    (select(NAMESPACES), relation, prop::option::of(select(CONDITIONS))).prop_map(|(namespace, relation, condition)| {
        SubjectType {
            namespace: namespace.into(),
            relation: relation.map(Into::into),
            condition: condition.map(Into::into),
        }
    })
}

/// A namespace with all relations and permits, so that every reference means something.
fn namespaces(name: &'static str) -> impl Strategy<Value = Namespace> {
    let types = prop::collection::vec(prop::collection::vec(subject_types(), 1..4), RELATIONS.len());
    let expressions = prop::collection::vec(expressions(), PERMITS.len());
    (types, expressions).prop_map(move |(types, expressions)| Namespace {
        name: name.into(),
        relations: RELATIONS.iter().zip(types).map(|(name, types)| Relation { name: (*name).into(), types }).collect(),
        permits: PERMITS
            .iter()
            .zip(expressions)
            .map(|(name, expression)| Permit { name: (*name).into(), expression })
            .collect(),
    })
}

fn models() -> impl Strategy<Value = Model> {
    let namespaces: Vec<_> = NAMESPACES.iter().map(|name| namespaces(name)).collect();
    (namespaces, prop::collection::vec("[a-z <>=\n'/*]{0,12}", CONDITIONS.len())).prop_map(|(namespaces, texts)| {
        Model {
            namespaces,
            conditions: CONDITIONS
                .iter()
                .zip(texts)
                .map(|(name, expression)| Condition { name: (*name).into(), expression })
                .collect(),
        }
    })
}

/// The model of a text. Circles of subject sets are errors, so they are taken apart first.
fn parsed(text: &str) -> Option<Model> {
    parse(&[SourceFile { name: "model.ts", text }]).model
}

/// Replaces subject sets by their namespaces, where the type check follows them.
fn without_subject_sets(mut model: Model) -> Model {
    for it in model.namespaces.iter_mut().flat_map(|it| &mut it.relations).flat_map(|it| &mut it.types) {
        it.relation = None;
    }
    model
}

/// Without traversals, subject sets need not be followed.
fn without_traversals(mut model: Model) -> Model {
    fn replace(expression: &mut Expression) {
        match expression {
            Expression::Any(members) | Expression::All(members) => members.iter_mut().for_each(replace),
            Expression::Not(inner) => replace(inner),
            Expression::Traverse { relation, .. } => *expression = Expression::Has(std::mem::take(relation)),
            Expression::Has(_) | Expression::Meets(_) => {}
        }
    }
    model.namespaces.iter_mut().flat_map(|it| &mut it.permits).for_each(|it| replace(&mut it.expression));
    model
}

/// The model of a text whose names need not mean anything.
fn syntax_of(text: &str) -> Model {
    lower(&[parse_file(0, text, &Limits::default()).expect("the text has no syntax error")])
}

/// What may stand between two tokens, and an insertion for each of some tokens.
fn insertions() -> impl Strategy<Value = Vec<(usize, &'static str)>> {
    let gaps = ["\n", "\n\n\n", " /* a */ ", "/* b\n c */", " // d\n", "\n  // e\n", "\t", "/**/\n"];
    prop::collection::vec((0_usize..400, select(gaps.to_vec())), 0..12)
}

/// Puts gaps between the tokens of a text.
fn scattered(text: &str, insertions: &[(usize, &str)]) -> String {
    let mut lexer = Lexer::new(text);
    let mut ends = vec![0];
    loop {
        let token = lexer.next();
        if token.kind == TokenKind::End {
            break;
        }
        ends.push(token.span.end + usize::from(token.kind == TokenKind::String));
    }
    let mut places: Vec<(usize, &str)> = insertions.iter().map(|(at, gap)| (ends[at % ends.len()], *gap)).collect();
    places.sort_by_key(|(place, _)| *place);
    let mut result = String::new();
    let mut last = 0;
    for (place, gap) in places {
        result.push_str(&text[last..place]);
        result.push_str(gap);
        last = place;
    }
    result + &text[last..]
}

fn comments(text: &str) -> Vec<&str> {
    let mut lexer = Lexer::new(text);
    let tokens = std::iter::from_fn(|| Some(lexer.next_or_comment()).filter(|it| it.kind != TokenKind::End));
    tokens.filter(|it| it.kind == TokenKind::Comment).map(|it| it.text.trim_end()).collect()
}

/// What a printed model does not have: imports, other forms of types and parameters, optional separators, and expressions without
/// parentheses.
const FORMS: &str = r#"
  import { Namespace, Context } from 'x' ;  export const c: Condition = "a > 'b'"
type Other = {
    a: string ; b: { }
} const d : Condition = 'x' class User implements Namespace { }
  export class Doc implements Namespace {
 related: { a: Array<User | SubjectSet<Doc, 'a'>>, b: (User|Doc)[]; 'c': When<User, c>[] "d e": (User)[], } ;
 permits = { p: (ctx) => this.related.a.includes(ctx.subject) this.permits.q(ctx) || !(this.permits.q(ctx) && ctx.meets('d'))
 && this.related['b'].traverse(x => x.related.p.includes(ctx.subject,),), "q": (ctx: Context): boolean => (!this.related['d e'].
 includes(ctx.subject)) || ((this.related.b.traverse((y) => y.permits.p(ctx)))) };related: { } permits = {} };interface Z { }
"#;

/// Pieces of the language in any order, so that texts reach far into the parser.
fn token_soups() -> impl Strategy<Value = String> {
    let pieces = [
        "class A implements Namespace {",
        "related: {",
        "permits = {",
        "p: (ctx: Context): boolean =>",
        "a: (A | SubjectSet<A, 'a'>)[]",
        "a: When<A, 'c'>[]",
        "const c: Condition = 'x'",
        "this.related.a.includes(ctx.subject)",
        "this.related.a.traverse((x) => x.permits.p(ctx))",
        "this.permits.p(ctx)",
        "ctx.meets('c')",
        "}",
        "{",
        "(",
        ")",
        "[",
        "]",
        "<",
        ">",
        "&&",
        "||",
        "!",
        "|",
        ",",
        ";",
        ":",
        "=",
        "=>",
        ".",
        "class",
        "this",
        "ctx",
        "related",
        "permits",
        "const",
        "Array",
        "When",
        "SubjectSet",
        "'",
        "\"",
        "//",
        "/*",
        "*/",
        "\n",
        "ä",
        "1",
        "\u{0}",
    ];
    prop::collection::vec(select(pieces.to_vec()), 0..60).prop_map(|pieces| pieces.join(" "))
}

/// Everything that takes a text from outside.
fn survives(text: &str) {
    let files = [SourceFile { name: "a.ts", text }];
    let outcome = parse(&files);
    for problem in &outcome.problems {
        let _ = problem.render(&files);
        let _ = (keto_position(text, problem.span.start), keto_position(text, problem.span.end));
        let _ = position(text, problem.span.end);
        assert!(text.get(problem.span.start..problem.span.end).is_some(), "{problem:?}");
    }
    if let Ok(formatted) = format(text) {
        assert_eq!(format(&formatted).as_ref(), Ok(&formatted));
        assert_eq!(comments(&formatted), comments(text));
        assert_eq!(parsed(&formatted), outcome.model);
    }
    if let Some(model) = outcome.model {
        let printed = to_text(&model).expect("a parsed model can be written");
        assert_eq!(parsed(&printed), Some(model));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_written_model_is_parsed_again(model in models()) {
        for model in [without_subject_sets(model.clone()), without_traversals(model)] {
            let text = to_text(&model).expect("it has no name with both kinds of quotes");
            prop_assert_eq!(parsed(&text), Some(model), "{}", text);
        }
    }

    #[test]
    fn a_layout_keeps_model_and_comments_and_is_stable(model in models(), insertions in insertions()) {
        let text = scattered(&to_text(&model).expect("it has no name with both kinds of quotes"), &insertions);
        let formatted = format(&text).expect("the text has no syntax error");
        let again = format(&formatted);
        prop_assert_eq!(again.as_ref(), Ok(&formatted), "{}", text);
        prop_assert_eq!(comments(&formatted), comments(&text));
        prop_assert_eq!(parsed(&formatted), parsed(&text));
    }

    #[test]
    fn a_layout_of_every_form_keeps_model_and_comments_and_is_stable(insertions in insertions()) {
        let text = scattered(FORMS, &insertions);
        let formatted = format(&text).expect("the text has no syntax error");
        let again = format(&formatted);
        prop_assert_eq!(again.as_ref(), Ok(&formatted), "{}", text);
        prop_assert_eq!(comments(&formatted), comments(&text));
        prop_assert_eq!(syntax_of(&formatted), syntax_of(&text));
    }

    #[test]
    fn a_soup_of_tokens_does_no_harm(text in token_soups()) {
        survives(&text);
    }

    #[test]
    fn a_soup_of_characters_does_no_harm(text in "\\PC*", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        survives(&text);
        survives(&String::from_utf8_lossy(&bytes));
    }
}

/// Texts of a megabyte that are bad in one way each.
#[test]
fn large_texts_end_in_bounded_time() {
    let repeated = |begin: &str, piece: &str, end: &str| {
        let count = (1024 * 1024 - begin.len() - end.len()) / piece.len();
        format!("{begin}{}{end}", piece.repeat(count))
    };
    let permit = "class A implements Namespace { related: { a: A[] } permits = { p: (ctx) => ";
    for text in [
        repeated("", "(", ""),
        repeated("", "class ", ""),
        repeated("", "class A implements Namespace {} ", ""),
        repeated("", "const a: Condition = ''; ", ""),
        repeated("/*", "*", ""),
        repeated("'", "a\n", ""),
        repeated("", "/**/", ""),
        repeated("", "//\n", ""),
        repeated("class A implements Namespace { related: { a: (A", "|A", ")[] } }"),
        repeated("class A implements Namespace { related: {", "a:A[]", "} }"),
        repeated("class A implements Namespace { related: {", "a:X[]", "} }"),
        repeated(permit, "(", ""),
        repeated(permit, "!", ""),
        repeated(permit, "this.permits.p(ctx) || ", "this.permits.p(ctx) } }"),
        repeated(permit, "this.permits.p(ctx) ", "} }"),
        repeated(permit, "this.permits.p(ctx) || this.permits.p(ctx) && ", "this.permits.p(ctx) } }"),
        repeated(permit, "this.related.a.traverse(x => x.permits.p(ctx)) || ", "this.permits.p(ctx) } }"),
    ] {
        let start = Instant::now();
        let files = [SourceFile { name: "a.ts", text: &text }];
        let outcome = parse(&files);
        for problem in outcome.problems.iter().take(2) {
            let _ = (problem.render(&files), keto_position(&text, problem.span.start));
        }
        let _ = format(&text);
        if let Some(model) = outcome.model {
            to_text(&model).expect("a parsed model can be written");
        }
        let took = start.elapsed();
        // A second in a release build is far above what any of them needs; tests are built without optimization.
        assert!(took < Duration::from_secs(20), "{took:?} for {}", &text[..60]);
    }
}
