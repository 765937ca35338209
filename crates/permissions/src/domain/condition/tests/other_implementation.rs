//! Generated conditions have the same results as in the crate `cel`, another implementation of the language.

use std::collections::HashMap;
use std::sync::Arc;

use cel::objects::Key;
use cel::{Context, Env, Value};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value as Json, json};

use super::super::{Attributes, Root, evaluate};
use super::{condition, now, object};

/// That parser takes much stack without optimization.
const STACK_BYTES: usize = 64 * 1024 * 1024;

const CASES: u32 = 2000;

fn other_value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match number.as_i64() {
            Some(value) => Value::Int(value),
            None => Value::Float(number.as_f64().expect("a double")),
        },
        Json::String(text) => Value::String(Arc::new(text.clone())),
        Json::Array(elements) => Value::from(elements.iter().map(other_value).collect::<Vec<_>>()),
        Json::Object(members) => {
            let members: HashMap<Key, Value> =
                members.iter().map(|(name, value)| (Key::from(name.as_str()), other_value(value))).collect();
            Value::from(members)
        }
    }
}

/// `None` for an error.
fn other_result(text: &str, subject: &Json) -> Option<bool> {
    let env = Arc::new(Env::stdlib());
    let program = env.compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let mut context = Context::with_env(env);
    context.add_variable_from_value("subject", other_value(subject));
    match program.execute(&context) {
        Ok(Value::Bool(result)) => Some(result),
        _ => None,
    }
}

fn subject() -> Json {
    json!({
        "a": 1, "b": -2, "c": 2.5, "s": "ab", "t": "", "yes": true, "no": false, "nothing": null,
        "big": 9_007_199_254_740_991_i64, "list": [1, 2, 3], "mixed": [1, "ab", null, [1], 2.5],
        "map": {"ab": 1, "x": {"y": 2}}, "empty": []
    })
}

#[derive(Clone, Copy)]
enum Kind {
    Bool,
    Int,
    Double,
    Text,
    /// A list of ints.
    List,
}

/// Writes an expression from random numbers. Types fit each other most of the time; `x` is an int everywhere.
struct Writer<'a> {
    numbers: std::slice::Iter<'a, u32>,
}

impl Writer<'_> {
    fn choose(&mut self, count: usize) -> usize {
        self.numbers.next().map_or(0, |it| *it as usize % count)
    }

    fn one(&mut self, of: &[&str]) -> String {
        of[self.choose(of.len())].to_owned()
    }

    fn any(&mut self, depth: usize) -> String {
        let kinds = [Kind::Bool, Kind::Int, Kind::Double, Kind::Text, Kind::List];
        let kind = kinds[self.choose(kinds.len())];
        self.write(kind, depth)
    }

    fn write(&mut self, kind: Kind, depth: usize) -> String {
        if depth == 0 || self.choose(6) == 1 {
            return self.leaf(kind);
        }
        if self.choose(40) == 1 {
            return self.any(depth - 1);
        }
        let mut part = |kind| self.write(kind, depth - 1);
        let conditional = |parts: [String; 3]| format!("({} ? {} : {})", parts[0], parts[1], parts[2]);
        match kind {
            Kind::Bool => self.boolean(depth - 1),
            Kind::Int => {
                let (a, b, list, text) = (part(Kind::Int), part(Kind::Int), part(Kind::List), part(Kind::Text));
                let condition = part(Kind::Bool);
                let operator = self.one(&["+", "-", "*", "/", "%"]);
                match self.choose(5) {
                    0 => format!("({a} {operator} {b})"),
                    1 => format!("-({a})"),
                    2 => format!("size({list})"),
                    3 => format!("{text}.size()"),
                    _ => conditional([condition, a, b]),
                }
            }
            Kind::Double => {
                let (a, b) = (part(Kind::Double), part(Kind::Double));
                let operator = self.one(&["+", "-", "*", "/"]);
                // Beyond 2^53 the other implementation compares an int with a double after rounding the int.
                let int = self.one(&["x", "0", "1", "-3", "subject.a", "subject.b", "subject.map.x.y", "7u"]);
                if self.choose(3) == 0 { format!("double({int})") } else { format!("({a} {operator} {b})") }
            }
            Kind::Text => {
                let (a, b, condition) = (part(Kind::Text), part(Kind::Text), part(Kind::Bool));
                if self.choose(2) == 0 { format!("({a} + {b})") } else { conditional([condition, a, b]) }
            }
            Kind::List => {
                let (list, other, int, condition) =
                    (part(Kind::List), part(Kind::List), part(Kind::Int), part(Kind::Bool));
                match self.choose(4) {
                    0 => format!("({list} + {other})"),
                    1 => format!("{list}.map(x, {int})"),
                    2 => format!("{list}.filter(x, {condition})"),
                    _ => format!("[{int}, {int}]"),
                }
            }
        }
    }

    fn boolean(&mut self, depth: usize) -> String {
        let kinds = [Kind::Bool, Kind::Int, Kind::Double, Kind::Text];
        let kind = kinds[self.choose(kinds.len())];
        let comparison = self.one(&["==", "!=", "<", "<=", ">", ">="]);
        let macro_name = self.one(&["all", "exists", "exists_one"]);
        let method = self.one(&["contains", "startsWith", "endsWith"]);
        let mut part = |kind| self.write(kind, depth);
        let (a, b, condition, other) = (part(kind), part(kind), part(Kind::Bool), part(Kind::Bool));
        let (list, int, text, needle) = (part(Kind::List), part(Kind::Int), part(Kind::Text), part(Kind::Text));
        let (anything, something) = (self.any(depth), self.any(depth));
        match self.choose(12) {
            0 => format!("({condition} && {other})"),
            1 => format!("({condition} || {other})"),
            2 => format!("!({condition})"),
            3 => format!("{list}.{macro_name}(x, {condition})"),
            4 => format!("{text}.{method}({needle})"),
            5 => format!("({anything} in {list})"),
            6 => format!("({anything} == {something})"),
            7 => format!("({list}[{int}] {comparison} {int})"),
            8 => format!("({anything} in subject.map)"),
            9 => format!("subject.map.{macro_name}(name, name != {text})"),
            _ => format!("({a} {comparison} {b})"),
        }
    }

    fn leaf(&mut self, kind: Kind) -> String {
        match kind {
            Kind::Bool => self.one(&[
                "true",
                "false",
                "subject.yes",
                "subject.no",
                "has(subject.a)",
                "has(subject.none)",
                "subject.none",
            ]),
            Kind::Int => self.one(&[
                "x",
                "0",
                "1",
                "-3",
                "9223372036854775807",
                "subject.a",
                "subject.b",
                "subject.map.x.y",
                "7u",
            ]),
            Kind::Double => self.one(&["2.5", "0.0", "-1.0", "subject.c", "1e19", "subject.big"]),
            Kind::Text => self.one(&["''", "'ab'", "'é'", "subject.s", "subject.t", "subject['s']", "null"]),
            Kind::List => self.one(&["[]", "[1, x]", "subject.list", "subject.empty", "subject.mixed"]),
        }
    }
}

#[derive(Default)]
struct Counts {
    errors: usize,
    fail: usize,
    hold: usize,
    /// The other implementation accepts operations that the specification does not define, for instance a list plus a map.
    only_the_other: Vec<String>,
}

fn compare(text: &str, counts: &mut Counts) -> Result<(), TestCaseError> {
    let attributes = object(Root::Subject, subject());
    let attributes = Attributes { subject: Some(&attributes), ..Attributes::at(now()) };
    // `x` is declared everywhere.
    let text = format!("subject.list.exists(x, {text})");
    match (evaluate(&condition(&text), &attributes).ok(), other_result(&text, &subject())) {
        (None, None) => counts.errors += 1,
        (Some(false), Some(false)) => counts.fail += 1,
        (Some(true), Some(true)) => counts.hold += 1,
        (None, Some(_)) => counts.only_the_other.push(text),
        (ours, other) => prop_assert_eq!(ours, other, "{}", text),
    }
    Ok(())
}

#[test]
fn generated_conditions_have_the_same_result() {
    let run = || {
        let counts = std::cell::RefCell::new(Counts::default());
        let config = Config { cases: CASES, failure_persistence: None, max_shrink_iters: 400, ..Config::default() };
        let outcome = TestRunner::new(config).run(&prop::collection::vec(any::<u32>(), 300), |numbers| {
            let text = Writer { numbers: numbers.iter() }.write(Kind::Bool, 4);
            compare(&text, &mut counts.borrow_mut())
        });
        (outcome.map_err(|error| error.to_string()), counts.into_inner())
    };
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(run).expect("a thread");
    let (outcome, counts) = thread.join().expect("no panic");
    assert_eq!(outcome, Ok(()));
    let Counts { errors, fail, hold, only_the_other } = counts;
    assert!(errors > 50 && fail > 300 && hold > 300, "{errors} errors, {fail} false, {hold} true");
    assert!(only_the_other.len() < CASES as usize / 100, "{only_the_other:#?}");
}
