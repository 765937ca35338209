//! Texts and attributes that try to take the stack, the memory or the time.

use serde_json::{Value as Json, json};

use super::super::evaluate::evaluate as evaluate_within;
use super::super::{
    Attributes, Budget, CompileError, CompiledCondition, ConditionError, MAX_COST, MAX_COST_OF_CHECK,
    MAX_EXPRESSION_BYTES, MAX_NESTING, Root, evaluate,
};
use super::{condition, now, object};

/// Far less than a thread of the server has, without optimization.
const STACK_BYTES: usize = 512 * 1024;

fn on_a_small_stack(run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(run).expect("a thread");
    thread.join().expect("no panic");
}

fn compile(text: &str) -> Result<CompiledCondition, CompileError> {
    CompiledCondition::compile("hostile", text)
}

/// Beginnings and repeated parts of expressions that nest.
fn nests(count: usize) -> Vec<String> {
    let around = |open: &str, close: &str| format!("{}true{}", open.repeat(count), close.repeat(count));
    vec![
        "(".repeat(count),
        ")".repeat(count),
        "[".repeat(count),
        "{".repeat(count),
        "!".repeat(count),
        "-".repeat(count),
        "\"".repeat(count),
        "\\".repeat(count),
        "\0".repeat(count),
        "é".repeat(count),
        "a ".repeat(count),
        "1.".repeat(count),
        "0x".repeat(count),
        around("(", ")"),
        around("[", "]"),
        around("!", ""),
        around("-", ""),
        around("size(", ")"),
        around("has(", ")"),
        around("true?true:", ""),
        around("true?", ":true"),
        around("(true?true:", ")"),
        around("subject[", "]"),
        around("[1].all(x,", ")"),
        around("[1].map(x,", ")"),
        around("!(", ")"),
        around("true&&(", ")"),
        format!("subject{}", ".a".repeat(count)),
        format!("subject{}", "[0]".repeat(count)),
        format!("subject{}", ".size()".repeat(count)),
        format!("1{}", "+1".repeat(count)),
        format!("1{}", "<1".repeat(count)),
        format!("1{}", "*1".repeat(count)),
        format!("true{}", "||true".repeat(count)),
        format!("true{}", "&&true||true".repeat(count)),
        format!("[{}]", "1,".repeat(count)),
        format!("size({})", "1,".repeat(count)),
        format!("'{}'.matches('{}')", "a".repeat(count / 2), "(a*)*".repeat(count / 8)),
        format!("'a'.matches('{}a{}')", "(".repeat(count), ")".repeat(count)),
    ]
}

#[test]
fn texts_of_every_length_end_on_a_small_stack() {
    on_a_small_stack(|| {
        for count in [1, 31, 32, 33, 63, 64, 65, 100, 400, 1000, 1400, 4000, 102_400] {
            for text in nests(count) {
                match compile(&text) {
                    Ok(condition) => drop(evaluate(&condition, &Attributes::at(now()))),
                    Err(error) => assert!(error.at <= text.len() && error.to_string().len() < 5000, "{text}: {error}"),
                }
            }
        }
    });
}

#[test]
fn each_bound_of_a_text_is_an_error_that_names_it() {
    let parentheses = |count: usize| format!("{}true{}", "(".repeat(count), ")".repeat(count));
    assert!(compile(&parentheses(MAX_NESTING - 1)).is_ok());
    let error = compile(&parentheses(MAX_NESTING)).expect_err("nested too deep");
    assert_eq!((error.at, error.to_string().as_str()), (32, "parentheses, lists and calls nest at most 32 levels"));

    let selections = |count: usize| format!("subject{} == 1", ".a".repeat(count));
    assert!(compile(&selections(62)).is_ok());
    let error = compile(&selections(63)).expect_err("too high");
    assert_eq!(error.to_string(), "a condition is at most 64 levels deep; split it");

    assert!(compile(&format!("true{}", "||true".repeat(600))).is_ok());
    let error = compile(&format!("1 in [{}1]", "1,".repeat(1022))).expect_err("too many nodes");
    assert_eq!(error.to_string(), "a condition has at most 1024 operators and operands; split it");

    let matches = |count: usize| format!("true{}", r"&&'a'.matches(r'\w')".repeat(count));
    assert!(compile(&matches(16)).is_ok());
    assert_eq!(
        compile(&matches(17)).expect_err("too many").to_string(),
        "a condition has at most 16 regular expressions"
    );

    let error = compile(&format!("true{}", " ".repeat(MAX_EXPRESSION_BYTES))).expect_err("too long");
    assert_eq!(error.to_string(), "a condition is at most 4096 bytes long");
}

/// A list of `count` numbers, a text of `bytes` bytes, deep objects.
fn large(count: usize, bytes: usize) -> [Json; 2] {
    let deep = (0..14).fold(json!(1), |inner, _| json!({"a": inner, "b": [1]}));
    [
        json!({"list": (0..count).collect::<Vec<_>>(), "deep": deep}),
        json!({"text": "a".repeat(bytes), "pair": ["ab", "ba"]}),
    ]
}

#[test]
fn every_evaluation_stays_below_the_limit() {
    let nested = |kind: &str, levels: usize| {
        let open = (0..levels).map(|it| format!("subject.list.{kind}(x{it}, ")).collect::<Vec<_>>().concat();
        format!("{open}x0 >= 0{}", ")".repeat(levels))
    };
    let doubled = |levels: usize| format!("['ab']{}.size() > 0", ".map(x, x + x)".repeat(levels));
    let expensive = [
        nested("all", 2),
        nested("all", 5),
        nested("exists_one", 3),
        format!("size({}) > 0", nested("map", 3).replace("x0 >= 0", "[x0, x1, x2]")),
        "subject.list.map(x, subject.list) == subject.list.map(x, subject.list)".to_owned(),
        "subject.list.all(x, subject.list == subject.list)".to_owned(),
        "subject.list.all(x, x in subject.list)".to_owned(),
        "size(subject.list.map(x, subject.list + subject.list)) > 0".to_owned(),
        "size(subject.list.map(x, context.text + context.text)) > 0".to_owned(),
        "subject.list.all(x, context.text.contains('b') || context.text < context.text + 'a')".to_owned(),
        "subject.list.all(x, size(context.text) > 0)".to_owned(),
        "subject.list.all(x, subject.deep == subject.deep && context.text == context.text)".to_owned(),
        "context.text.matches('(a*)*(a|aa)+b$')".to_owned(),
        doubled(40),
        doubled(60),
    ];
    on_a_small_stack(move || {
        let [subject, context] = large(2000, 15_000);
        let (subject, context) = (object(Root::Subject, subject), object(Root::Context, context));
        let attributes = Attributes { subject: Some(&subject), context: Some(&context), ..Attributes::at(now()) };
        for text in expensive {
            assert_eq!(evaluate(&condition(&text), &attributes), Err(ConditionError::TooExpensive), "{text}");
        }
        // One pass over a large list or text is within the limit.
        for text in [
            "subject.list.all(x, x >= 0 && x < 100000)",
            "1999 in subject.list && !(-1 in subject.list)",
            "subject.list == subject.list && subject.deep == subject.deep",
            "context.text.contains('a') && context.text == context.text && context.text.size() == 15000",
            "size(subject.list.filter(x, x % 2 == 0)) == 1000",
            "subject.list.map(x, x * 2).exists(x, x == 3998)",
        ] {
            let mut left = MAX_COST_OF_CHECK;
            let holds = evaluate_within(&condition(text).expression, &attributes, &mut left).expect(text);
            let cost = MAX_COST_OF_CHECK - left;
            assert!(holds && cost > 0 && cost <= MAX_COST, "{text}: {cost}");
        }
    });
}

/// Otherwise a check over thousands of tuples with an expensive condition would take minutes.
#[test]
fn all_evaluations_of_a_check_share_a_budget() {
    let texts = object(Root::Context, json!({ "text": "a".repeat(15_000) }));
    let attributes = Attributes { context: Some(&texts), ..Attributes::at(now()) };
    let expensive = condition("context.text.contains('a') && context.text == context.text");
    let mut budget = Budget::default();
    let answers: Vec<_> = std::iter::repeat_with(|| budget.evaluate(&expensive, &attributes)).take(2_000).collect();
    let within = answers.iter().position(|answer| *answer != Ok(true)).expect("the budget ends");
    assert!((10..1_000).contains(&within), "{within}");
    assert!(answers[within..].iter().all(|answer| *answer == Err(ConditionError::TooExpensive)));
    // The context of a tuple is read before its condition is evaluated.
    let mut budget = Budget::default();
    let read =
        std::iter::repeat_with(|| budget.read(&"x".repeat(32 * 1024))).take(1_000).position(|read| read.is_err());
    assert_eq!(read, Some(244));
}

#[test]
fn a_pattern_that_backtracks_elsewhere_is_linear() {
    let condition = condition(
        "context.text.matches('^(a+)+$') || context.text.matches('(x+x+)+y') || context.text.matches('(.*)*[^a]$')",
    );
    let context = object(Root::Context, json!({"text": "a".repeat(2000) + "!"}));
    let attributes = Attributes { context: Some(&context), ..Attributes::at(now()) };
    assert_eq!(evaluate(&condition, &attributes), Ok(true));
    let context = object(Root::Context, json!({"text": "x".repeat(2000)}));
    let attributes = Attributes { context: Some(&context), ..Attributes::at(now()) };
    assert_eq!(evaluate(&condition, &attributes), Ok(true));
}

#[test]
fn a_path_in_an_error_does_not_grow_with_nested_macros() {
    let open = (0..24).map(|it| format!("subject[x{it}][x{it}].all(x{}, ", it + 1)).collect::<Vec<_>>().concat();
    let text = format!("[1].all(x0, {open}true{}", ")".repeat(25));
    let error = evaluate(&condition(&text), &Attributes::at(now())).expect_err("nothing is there");
    assert!(error.to_string().len() < 4096, "{error}");
}
