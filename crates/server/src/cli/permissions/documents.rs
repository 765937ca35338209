//! Relation tuples as the JSON of the API: from arguments and from files, and as text.
//!
//! Invariant: a member that the API does not know is an error here, before the first tuple is sent.

use std::io::Read as _;

use anyhow::{Context as _, bail};
use permissions::domain::relation_tuple::{RelationTuple, Subject, SubjectSet};
use permissions::domain::unique_names::check_names;
use serde_json::{Map, Value, json};

/// The members of a tuple.
const MEMBERS: [&str; 7] = ["namespace", "object", "relation", "subject_id", "subject_set", "condition", "expires_at"];
/// The members of members that are objects with fixed names.
const INNER_MEMBERS: &[(&str, &[&str])] =
    &[("subject_set", &["namespace", "object", "relation"]), ("condition", &["name", "context"])];

/// `NAMESPACE:OBJECT`, or as older versions of Keto's command line have it, two arguments.
pub(super) fn object(arguments: &[String]) -> anyhow::Result<(String, String)> {
    match arguments {
        // Two objects would be read as one with a strange name.
        [namespace, object] if namespace.contains(':') => {
            bail!("write one object: {namespace}, or its namespace and its name; \"{object}\" is left over")
        }
        [namespace, object] => Ok((namespace.clone(), object.clone())),
        [text] => {
            let parts = text.split_once(':');
            let (namespace, object) =
                parts.with_context(|| format!("\"{text}\" lacks a \":\": write NAMESPACE:OBJECT"))?;
            Ok((namespace.to_owned(), object.to_owned()))
        }
        _ => bail!("write the object as NAMESPACE:OBJECT"),
    }
}

/// Sets the subject that an argument names.
pub(super) fn set_subject(document: &mut Value, text: &str) {
    set(document, Subject::from_text(text));
}

fn set(document: &mut Value, subject: Subject) {
    match subject {
        Subject::Id(id) => document["subject_id"] = id.into(),
        Subject::Set(SubjectSet { namespace, object, relation }) => {
            document["subject_set"] = json!({ "namespace": namespace, "object": object, "relation": relation });
        }
    }
}

/// The longest file of attributes.
const CONTEXT_BYTES: u64 = 1024 * 1024;

/// The attributes for conditions: a JSON object, or `@` and the name of its file.
pub(super) fn context(text: &str) -> anyhow::Result<Value> {
    let Some(path) = text.strip_prefix('@') else {
        return json_of(text.as_bytes()).context("--context");
    };
    let read = || {
        let mut bytes = Vec::new();
        std::fs::File::open(path)?.take(CONTEXT_BYTES + 1).read_to_end(&mut bytes)?;
        std::io::Result::Ok(bytes)
    };
    let bytes = read().with_context(|| format!("--context: {path} cannot be read"))?;
    if bytes.len() as u64 > CONTEXT_BYTES {
        bail!("--context: {path} has more than 1 MiB");
    }
    json_of(&bytes).with_context(|| format!("--context: {path}"))
}

/// The API refuses an object with two members of one name. It would not see the first of them, which a decoder drops.
fn json_of(text: &[u8]) -> anyhow::Result<Value> {
    let value = serde_json::from_slice(text).context("this is not JSON")?;
    check_names(text, ())?;
    Ok(value)
}

/// The tuple that arguments name.
pub(super) fn of_arguments(subject: &str, relation: &str, object: &[String]) -> anyhow::Result<Value> {
    let (namespace, object) = self::object(object)?;
    let mut document = json!({ "namespace": namespace, "object": object, "relation": relation });
    set_subject(&mut document, subject);
    Ok(document)
}

/// A tuple in a line of a file: JSON, or text.
pub(super) fn of_line(line: &str) -> anyhow::Result<Value> {
    if line.starts_with('{') {
        return of_json(json_of(line.as_bytes())?);
    }
    let RelationTuple { namespace, object, relation, subject } = line.parse()?;
    let mut document = json!({ "namespace": namespace, "object": object, "relation": relation });
    set(&mut document, subject);
    Ok(document)
}

/// A tuple with known members only.
pub(super) fn of_json(document: Value) -> anyhow::Result<Value> {
    let Value::Object(members) = &document else { bail!("a relation tuple is a JSON object") };
    if let Some(other) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        let name: String = other.chars().take(64).collect();
        bail!("\"{name}\" is not a member of a relation tuple, which has {}", MEMBERS.join(", "));
    }
    for (member, known) in INNER_MEMBERS {
        let Some(inner) = members.get(*member).filter(|inner| !inner.is_null()) else { continue };
        let inner = inner.as_object().with_context(|| format!("{member} must be a JSON object"))?;
        if let Some(other) = inner.keys().find(|name| !known.contains(&name.as_str())) {
            let name: String = other.chars().take(64).collect();
            bail!("\"{name}\" is not a member of {member}, which has {}", known.join(", "));
        }
    }
    Ok(document)
}

/// The tuples of a file: a JSON object, an array of objects, or lines. Blank lines and lines that begin with `//` are skipped.
pub fn of_file(text: &str) -> anyhow::Result<Vec<Value>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('[') {
        let Value::Array(tuples) = json_of(text.as_bytes())? else { bail!("this is not a JSON array") };
        return tuples.into_iter().map(of_json).collect();
    }
    if let Ok(Value::Object(_)) = serde_json::from_str(text) {
        return Ok(vec![of_json(json_of(text.as_bytes())?)?]);
    }
    let lines = text.lines().enumerate().filter(|(_, line)| is_tuple(line));
    lines.map(|(index, line)| of_line(line.trim()).with_context(|| format!("line {}", index + 1))).collect()
}

/// Neither blank nor a comment.
pub(super) fn is_tuple(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with("//")
}

/// A tuple as text: `NAMESPACE:OBJECT#RELATION@SUBJECT`.
pub(super) fn text(tuple: &Value) -> String {
    let member = |name: &str| tuple[name].as_str().unwrap_or_default();
    let subject = subject_text(tuple).unwrap_or_default();
    format!("{}:{}#{}@{subject}", member("namespace"), member("object"), member("relation"))
}

/// The subject of a tuple as text.
pub(super) fn subject_text(tuple: &Value) -> Option<String> {
    if let Some(id) = tuple["subject_id"].as_str() {
        return Some(id.to_owned());
    }
    let set: &Map<String, Value> = tuple["subject_set"].as_object()?;
    let member = |name: &str| Some(set.get(name)?.as_str()?.to_owned());
    // Without a relation the subject set is the object itself.
    let relation = member("relation").unwrap_or_default();
    Some(SubjectSet { namespace: member("namespace")?, object: member("object")?, relation }.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_an_object_an_array_or_lines() {
        let plan = json!({ "namespace": "Doc", "object": "plan", "relation": "viewers", "subject_id": "ada" });
        let text = plan.to_string();
        assert_eq!(of_file(&text).unwrap(), std::slice::from_ref(&plan));
        assert_eq!(of_file(&format!("\u{feff}[{text}, {text}]")).unwrap(), [plan.clone(), plan.clone()]);
        let lines =
            format!("// documents\n\n{text}\n  Doc:plan#viewers@ada  \nDoc:plan#viewers@(Group:staff#members)\n");
        let members = json!({ "namespace": "Group", "object": "staff", "relation": "members" });
        let set = json!({ "namespace": "Doc", "object": "plan", "relation": "viewers", "subject_set": members });
        assert_eq!(of_file(&lines).unwrap(), [plan.clone(), plan.clone(), set.clone()]);
        assert_eq!(subject_text(&set).unwrap(), "Group:staff#members");
        for object in [
            json!({ "namespace": "User", "object": "ada" }),
            json!({ "namespace": "User", "object": "ada", "relation": "" }),
        ] {
            assert_eq!(subject_text(&json!({ "subject_set": object })).unwrap(), "User:ada");
        }
        assert_eq!(subject_text(&plan).unwrap(), "ada");
    }

    #[test]
    fn an_object_is_one_argument_or_two() {
        let of = |arguments: &[&str]| object(&arguments.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>());
        let plan = ("Doc".to_owned(), "plan".to_owned());
        assert_eq!((of(&["Doc:plan"]).unwrap(), of(&["Doc", "plan"]).unwrap()), (plan.clone(), plan));
        assert!(of(&["Doc:plan", "Doc:memo"]).unwrap_err().to_string().contains("\"Doc:memo\" is left over"));
        assert!(of(&["plan"]).unwrap_err().to_string().contains("write NAMESPACE:OBJECT"));
    }

    #[test]
    fn a_mistake_in_a_file_is_named() {
        let error = |text: &str| format!("{:#}", of_file(text).unwrap_err());
        assert!(error("Doc:a#b@c\nDoc:a\n").starts_with("line 2: \"Doc:a\" lacks a \"#\""));
        assert!(error(r#"{"namespace": "Doc", "objekt": "a"}"#).starts_with("\"objekt\" is not a member"));
        // The service ignores unknown members: this would be another subject, and a tuple without its condition's context.
        let set = r#"{"namespace":"Doc","object":"p","relation":"v","subject_set":{"namespace":"G","relations":"m"}}"#;
        assert!(error(set).starts_with("\"relations\" is not a member of subject_set"), "{}", error(set));
        let condition = r#"{"namespace":"Doc","object":"p","relation":"v","condition":{"name":"c","contxt":{}}}"#;
        assert!(error(condition).starts_with("\"contxt\" is not a member of condition"), "{}", error(condition));
        let list = r#"{"namespace":"Doc","object":"p","relation":"v","subject_id":"a","condition":["late"]}"#;
        assert_eq!(error(list), "condition must be a JSON object");
        // One of the two would be written.
        let twice = r#"{"namespace":"Doc","object":"p","relation":"v","subject_id":"ada","subject_id":"eve"}"#;
        let limits =
            r#"{"namespace":"Doc","object":"p","relation":"v","condition":{"name":"c","context":{"a":1,"a":2}}}"#;
        for text in [twice, &format!("[{twice}]"), &format!("Doc:a#b@c\n{twice}"), &twice.replace(',', ",\n"), limits] {
            assert!(error(text).contains("the object has two members of the name"), "{text}: {}", error(text));
        }
        assert!(format!("{:#}", context(r#"{"a":1,"a":2}"#).unwrap_err()).contains("two members of the name \"a\""));
        assert!(error("[1]").contains("a relation tuple is a JSON object"));
        assert!(error("[{]").contains("this is not JSON"));
    }
}
