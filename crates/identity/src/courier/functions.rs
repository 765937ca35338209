//! The functions that templates may call besides Go's own: those of the sprig library that need neither the machine's
//! clock nor its environment, under their names and with their order of arguments.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gotmpl::{FuncMap, TemplateError, Value};

use crate::domain::identifier::is_invisible;

type Outcome = Result<Value, TemplateError>;

/// No function makes a text longer than this.
const MAX_TEXT: usize = 1024 * 1024;

/// All of them.
pub(super) fn functions() -> FuncMap {
    let mut map = FuncMap::new();
    let mut add = |name: &str, function: fn(&[Value]) -> Outcome| {
        map.insert(name.to_owned(), Arc::new(function));
    };
    add("upper", |args| string(text(args, 0).to_uppercase()));
    add("lower", |args| string(text(args, 0).to_lowercase()));
    add("title", |args| string(title(&text(args, 0))));
    add("untitle", |args| string(untitle(&text(args, 0))));
    add("trim", |args| string(text(args, 0).trim().to_owned()));
    add("trimAll", |args| string(trimmed(&text(args, 1), &text(args, 0)).to_owned()));
    add("trimPrefix", |args| string(after_prefix(&text(args, 1), &text(args, 0)).to_owned()));
    add("trimSuffix", |args| string(before_suffix(&text(args, 1), &text(args, 0)).to_owned()));
    add("nospace", |args| string(text(args, 0).split_whitespace().collect()));
    add("replace", |args| string(text(args, 2).replace(&text(args, 0), &text(args, 1))));
    add("repeat", |args| repeated(&text(args, 1), number(args, 0)));
    add("trunc", |args| string(truncated(&text(args, 1), number(args, 0))));
    add("substr", |args| string(substring(&text(args, 2), number(args, 0), number(args, 1))));
    add("contains", |args| Ok(Value::Bool(text(args, 1).contains(&text(args, 0)))));
    add("hasPrefix", |args| Ok(Value::Bool(text(args, 1).starts_with(&text(args, 0)))));
    add("hasSuffix", |args| Ok(Value::Bool(text(args, 1).ends_with(&text(args, 0)))));
    add("quote", |args| string(joined(args, |value| go_quoted(&value))));
    add("squote", |args| string(joined(args, |value| format!("'{value}'"))));
    add("cat", |args| string(joined(args, |value| value)));
    add("indent", |args| string(indented(&text(args, 1), number(args, 0))));
    add("nindent", |args| string(format!("\n{}", indented(&text(args, 1), number(args, 0)))));
    add("default", |args| Ok(pick(&[args.get(1), args.first()])));
    add("coalesce", |args| Ok(args.iter().find(|value| value.is_truthy()).cloned().unwrap_or(Value::Nil)));
    add("empty", |args| Ok(Value::Bool(args.first().is_none_or(|value| !value.is_truthy()))));
    add("ternary", |args| Ok(argument(args, usize::from(!args.get(2).is_some_and(Value::is_truthy)))));
    add("toString", |args| string(text(args, 0)));
    add("toJson", |args| string(go_json(&json(&argument(args, 0)))));
    add("join", |args| string(items(args, 1).iter().map(shown).collect::<Vec<_>>().join(&text(args, 0))));
    add("splitList", |args| Ok(split(&text(args, 1), &text(args, 0))));
    add("list", |args| Ok(list(args.iter().cloned())));
    add("first", |args| Ok(items(args, 0).first().cloned().unwrap_or(Value::Nil)));
    add("last", |args| Ok(items(args, 0).last().cloned().unwrap_or(Value::Nil)));
    add("rest", |args| Ok(list(items(args, 0).into_iter().skip(1))));
    add("has", |args| Ok(Value::Bool(items(args, 1).contains(&argument(args, 0)))));
    add("dict", |args| Ok(dictionary(args)));
    add("get", |args| Ok(argument(args, 0).field(&text(args, 1)).cloned().unwrap_or_else(|| Value::String("".into()))));
    add("hasKey", |args| Ok(Value::Bool(argument(args, 0).field(&text(args, 1)).is_some())));
    add("keys", |args| Ok(keys(&argument(args, 0))));
    add("add", |args| folded(args, i64::checked_add));
    add("sub", |args| folded(args, i64::checked_sub));
    add("mul", |args| folded(args, i64::checked_mul));
    add("div", |args| folded(args, i64::checked_div));
    add("mod", |args| folded(args, i64::checked_rem));
    add("max", |args| folded(args, |a, b| Some(a.max(b))));
    add("min", |args| folded(args, |a, b| Some(a.min(b))));
    add("int", |args| Ok(Value::Int(number(args, 0))));
    add("int64", |args| Ok(Value::Int(number(args, 0))));
    add("atoi", |args| Ok(Value::Int(number(args, 0))));
    add("b64enc", |args| string(STANDARD.encode(text(args, 0))));
    add("b64dec", |args| {
        let bytes = STANDARD.decode(text(args, 0)).map_err(|error| TemplateError::Exec(error.to_string()))?;
        string(String::from_utf8_lossy(&bytes).into_owned())
    });
    map
}

fn string(text: String) -> Outcome {
    if text.len() > MAX_TEXT {
        return Err(TemplateError::Exec("the text is too long".to_owned()));
    }
    Ok(Value::String(text.into()))
}

fn argument(args: &[Value], index: usize) -> Value {
    args.get(index).cloned().unwrap_or(Value::Nil)
}

/// As sprig's `strval`: nothing is the empty text.
fn shown(value: &Value) -> String {
    match value {
        Value::Nil => String::new(),
        other => other.to_string(),
    }
}

fn text(args: &[Value], index: usize) -> String {
    args.get(index).map(shown).unwrap_or_default()
}

#[expect(clippy::cast_possible_truncation, reason = "a float that is no whole number is cut, as Go does")]
fn number(args: &[Value], index: usize) -> i64 {
    match args.get(index) {
        Some(Value::Uint(number)) => i64::try_from(*number).unwrap_or(i64::MAX),
        Some(Value::Float(number)) => *number as i64,
        Some(Value::Bool(flag)) => i64::from(*flag),
        Some(other) => other.as_int().unwrap_or_else(|| shown(other).trim().parse().unwrap_or(0)),
        None => 0,
    }
}

fn length(number: i64) -> usize {
    usize::try_from(number).unwrap_or(0)
}

fn items(args: &[Value], index: usize) -> Vec<Value> {
    match args.get(index) {
        Some(Value::List(items)) => items.to_vec(),
        _ => Vec::new(),
    }
}

fn list(items: impl Iterator<Item = Value>) -> Value {
    Value::List(items.collect::<Vec<_>>().into())
}

fn pick(values: &[Option<&Value>]) -> Value {
    let chosen = values.iter().flatten().find(|value| value.is_truthy());
    chosen.or_else(|| values.last().and_then(Option::as_ref)).map_or(Value::Nil, |value| (*value).clone())
}

fn joined(args: &[Value], show: impl Fn(String) -> String) -> String {
    args.iter()
        .filter(|value| !matches!(value, Value::Nil))
        .map(|value| show(shown(value)))
        .collect::<Vec<_>>()
        .join(" ")
}

/// As Go's `strings.Title`: a word begins after anything in ASCII but letters, digits and the underscore, and after white
/// space.
fn title(text: &str) -> String {
    let ends_word = |c: char| if c.is_ascii() { !c.is_ascii_alphanumeric() && c != '_' } else { c.is_whitespace() };
    let mut at_start = true;
    text.chars()
        .flat_map(|c| {
            let letters: Vec<char> = if at_start { c.to_uppercase().collect() } else { vec![c] };
            at_start = ends_word(c);
            letters
        })
        .collect()
}

/// The first letter of each word in lower case; words are separated by white space.
fn untitle(text: &str) -> String {
    let mut at_start = true;
    text.chars()
        .flat_map(|c| {
            let letters: Vec<char> = if at_start { c.to_lowercase().collect() } else { vec![c] };
            at_start = c.is_whitespace();
            letters
        })
        .collect()
}

/// As Go's `strings.Split`: without a separator, one item for each character.
fn split(text: &str, separator: &str) -> Value {
    if separator.is_empty() {
        return list(text.chars().map(|c| Value::String(c.to_string().into())));
    }
    list(text.split(separator).map(|part| Value::String(part.into())))
}

/// As Go's `%q`.
fn go_quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            _ if c.is_ascii_control() => quoted.extend(["\\x", &hex(c, 2)]),
            _ if is_invisible(c) => quoted.extend(["\\u", &hex(c, 4)]),
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn hex(c: char, digits: usize) -> String {
    format!("{:0digits$x}", u32::from(c))
}

/// As Go's `json.Marshal`, which escapes what HTML and JavaScript would read differently.
fn go_json(value: &serde_json::Value) -> String {
    let mut escaped = String::new();
    for c in value.to_string().chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => escaped.extend(["\\u", &hex(c, 4)]),
            _ => escaped.push(c),
        }
    }
    escaped
}

fn trimmed<'t>(text: &'t str, characters: &str) -> &'t str {
    text.trim_matches(|c| characters.contains(c))
}

fn after_prefix<'t>(text: &'t str, prefix: &str) -> &'t str {
    text.strip_prefix(prefix).unwrap_or(text)
}

fn before_suffix<'t>(text: &'t str, suffix: &str) -> &'t str {
    text.strip_suffix(suffix).unwrap_or(text)
}

fn repeated(text: &str, times: i64) -> Outcome {
    if text.len().saturating_mul(length(times)) > MAX_TEXT {
        return Err(TemplateError::Exec("the text is too long".to_owned()));
    }
    string(text.repeat(length(times)))
}

/// The first characters, or with a negative number the last ones.
fn truncated(text: &str, count: i64) -> String {
    if count >= 0 {
        return text.chars().take(length(count)).collect();
    }
    let all = text.chars().count();
    text.chars().skip(all.saturating_sub(usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX))).collect()
}

fn substring(text: &str, start: i64, end: i64) -> String {
    let start = length(start);
    let end = if end < 0 { usize::MAX } else { length(end) };
    text.chars().take(end).skip(start).collect()
}

fn indented(text: &str, spaces: i64) -> String {
    let pad = " ".repeat(length(spaces).min(256));
    text.split('\n').map(|line| format!("{pad}{line}")).collect::<Vec<_>>().join("\n")
}

fn dictionary(args: &[Value]) -> Value {
    let pairs = args.chunks(2).map(|pair| (shown(&pair[0]).into(), pair.get(1).cloned().unwrap_or(Value::Nil)));
    Value::Map(Arc::new(pairs.collect::<BTreeMap<Arc<str>, Value>>()))
}

fn keys(value: &Value) -> Value {
    match value {
        Value::Map(map) => list(map.keys().map(|key| Value::String(key.clone()))),
        _ => list(std::iter::empty()),
    }
}

fn folded(args: &[Value], operation: fn(i64, i64) -> Option<i64>) -> Outcome {
    let mut total = number(args, 0);
    for index in 1..args.len() {
        total = operation(total, number(args, index))
            .ok_or_else(|| TemplateError::Exec("the numbers do not go together".to_owned()))?;
    }
    Ok(Value::Int(total))
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Bool(flag) => (*flag).into(),
        Value::Int(number) => (*number).into(),
        Value::Uint(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::String(text) => text.to_string().into(),
        Value::List(items) => items.iter().map(json).collect::<Vec<_>>().into(),
        Value::Map(map) => {
            map.iter().map(|(key, value)| (key.to_string(), json(value))).collect::<serde_json::Map<_, _>>().into()
        }
        Value::Safe { s, .. } => s.to_string().into(),
        Value::Nil | Value::Function(_) => serde_json::Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(template: &str) -> String {
        let data = gotmpl::to_value(&serde_json::json!({
            "Name": "bob", "Empty": "", "List": ["a", "b"], "Map": {"k": "v"}, "Number": 3
        }))
        .unwrap();
        let template = gotmpl::Template::new("t").funcs(functions()).parse(template).unwrap();
        template.execute_to_string(&data).unwrap_or_else(|error| format!("error: {error}"))
    }

    #[test]
    fn functions_do_what_their_names_say_in_sprig() {
        for (template, expected) in [
            ("{{ .Name | upper }}", "BOB"),
            ("{{ title \"hello big world\" }}", "Hello Big World"),
            ("{{ trimSuffix \"b\" .Name }}", "bo"),
            ("{{ replace \"o\" \"0\" .Name }}", "b0b"),
            ("{{ .Empty | default \"nobody\" }}", "nobody"),
            ("{{ .Name | default \"nobody\" }}", "bob"),
            ("{{ coalesce .Empty .Name \"x\" }}", "bob"),
            ("{{ ternary \"yes\" \"no\" true }}{{ ternary \"yes\" \"no\" false }}", "yesno"),
            ("{{ join \"-\" .List }}", "a-b"),
            ("{{ first .List }}{{ last .List }}", "ab"),
            ("{{ if contains \"ob\" .Name }}in{{ end }}", "in"),
            ("{{ add 1 2 3 }} {{ sub 5 .Number }} {{ div 7 2 }} {{ mod 7 4 }}", "6 2 3 3"),
            ("{{ trunc 2 .Name }}{{ trunc -2 .Name }}", "boob"),
            ("{{ substr 1 2 .Name }}", "o"),
            ("{{ quote .Name }} {{ squote .Name }}", "\"bob\" 'bob'"),
            ("{{ toJson .Map }}", "{\"k\":\"v\"}"),
            ("{{ get .Map \"k\" }}{{ hasKey .Map \"x\" }}", "vfalse"),
            ("{{ b64enc .Name | b64dec }}", "bob"),
            ("{{ index (splitList \",\" \"x,y\") 1 }}", "y"),
            ("{{ indent 2 \"a\\nb\" }}", "  a\n  b"),
            ("{{ join \"|\" (splitList \"\" \"xyz\") }}", "x|y|z"),
            ("{{ len (splitList \",\" \"\") }}", "1"),
            ("{{ untitle \"Hello Big World\" }}", "hello big world"),
            ("{{ title \"jean-luc o'neil\" }}", "Jean-Luc O'Neil"),
            ("{{ toJson \"<a&b>\" }}", "\"\\u003ca\\u0026b\\u003e\""),
            ("{{ quote \"a\\x00\\u200b'\\\"b\" }}", "\"a\\x00\\u200b'\\\"b\""),
            ("{{ coalesce .Empty \"\" | toString }}", ""),
            ("{{ has 1 (list \"1\") }}", "false"),
            ("{{ has \"a\" .List }}{{ (dict \"a\" 1).a }}", "true1"),
        ] {
            assert_eq!(run(template), expected, "{template}");
        }
    }

    #[test]
    fn a_too_long_text_and_a_division_by_zero_are_errors() {
        assert!(run("{{ repeat 100000000 .Name }}").starts_with("error"));
        assert!(run("{{ div 1 0 }}").starts_with("error"));
    }
}
