//! Which attributes an expression reads, and their digest.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::attributes::{Attributes, Root};
use super::expression::{Expression, Node};

/// An attribute, with all that is below it: `context.hour`. Without names, all attributes of the root.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Read {
    pub root: Root,
    pub names: Vec<String>,
}

/// What an expression reads.
///
/// Invariant: the attributes are sorted, and none of them is below another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reads {
    pub(super) attributes: Vec<Read>,
    pub(super) now: bool,
    /// An attribute of the tuple.
    pub(super) tuple: bool,
}

impl Reads {
    pub(super) fn of(expression: &Expression) -> Self {
        let mut found = Found::default();
        found.visit(expression);
        let mut attributes: Vec<Read> = Vec::new();
        // An attribute is sorted immediately before those below it.
        for read in found.attributes {
            let is_below = |last: &Read| last.root == read.root && read.names.starts_with(&last.names);
            if !attributes.last().is_some_and(is_below) {
                attributes.push(read);
            }
        }
        let tuple = attributes.iter().any(|read| read.root == Root::Tuple);
        Self { attributes, now: found.now, tuple }
    }

    /// Different values of the attributes have different digests, as far as SHA-256 allows; the order of names does not matter.
    pub(super) fn digest(&self, attributes: &Attributes<'_>) -> [u8; 32] {
        let mut bytes = Vec::new();
        if self.now {
            bytes.push(b'@');
            bytes.extend(attributes.now.unix_micros().to_be_bytes());
        }
        for read in &self.attributes {
            push_text(&mut bytes, read.root.name());
            push_length(&mut bytes, read.names.len());
            for name in &read.names {
                push_text(&mut bytes, name);
            }
            match read.find(attributes) {
                Attribute::Missing(level) => {
                    bytes.push(b'-');
                    push_length(&mut bytes, level);
                }
                Attribute::NotAnObject(level, value) => {
                    bytes.push(b'!');
                    push_length(&mut bytes, level);
                    push_value(&mut bytes, value);
                }
                Attribute::All(members) => push_members(&mut bytes, members),
                Attribute::Value(value) => push_value(&mut bytes, value),
            }
        }
        base::digest_parts(&[&bytes])
    }
}

/// What a read finds. Errors of an evaluation name the level where a path ends, so it is part of the digest.
enum Attribute<'a> {
    Missing(usize),
    NotAnObject(usize, &'a Json),
    All(&'a Map<String, Json>),
    Value(&'a Json),
}

impl Read {
    fn find<'a>(&self, attributes: &Attributes<'a>) -> Attribute<'a> {
        let mut members = attributes.root(self.root);
        for (level, name) in self.names.iter().enumerate() {
            match members.get(name) {
                None => return Attribute::Missing(level),
                Some(value) if level + 1 == self.names.len() => return Attribute::Value(value),
                Some(Json::Object(inner)) => members = inner,
                Some(other) => return Attribute::NotAnObject(level, other),
            }
        }
        Attribute::All(members)
    }
}

impl std::fmt::Display for Read {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.root.name())?;
        self.names.iter().try_for_each(|name| write!(f, ".{name}"))
    }
}

#[derive(Default)]
struct Found {
    attributes: BTreeSet<Read>,
    now: bool,
}

impl Found {
    fn visit(&mut self, expression: &Expression) {
        if let Some(read) = selected(expression) {
            self.attributes.insert(read);
            return;
        }
        match &expression.node {
            Node::Now => self.now = true,
            Node::Has(operand, name) => match selected(operand) {
                Some(mut read) => {
                    read.names.push(name.clone());
                    self.attributes.insert(read);
                }
                None => self.visit(operand),
            },
            _ => expression.parts().for_each(|part| self.visit(part)),
        }
    }
}

/// The attribute, if the expression is a chain of literal names from a root.
fn selected(expression: &Expression) -> Option<Read> {
    let (operand, name) = match &expression.node {
        Node::Root(root) => return Some(Read { root: *root, names: Vec::new() }),
        Node::Field(operand, name) => (operand, name),
        Node::Index(operand, index) => match &index.node {
            Node::Text(name) => (operand, name),
            _ => return None,
        },
        _ => return None,
    };
    let mut read = selected(operand)?;
    read.names.push(name.clone());
    Some(read)
}

fn push_length(bytes: &mut Vec<u8>, length: usize) {
    bytes.extend((length as u64).to_be_bytes());
}

fn push_text(bytes: &mut Vec<u8>, text: &str) {
    push_length(bytes, text.len());
    bytes.extend(text.as_bytes());
}

fn push_members(bytes: &mut Vec<u8>, members: &Map<String, Json>) {
    let mut members: Vec<_> = members.iter().collect();
    members.sort_unstable_by_key(|it| it.0);
    bytes.push(b'{');
    push_length(bytes, members.len());
    for (name, member) in members {
        push_text(bytes, name);
        push_value(bytes, member);
    }
}

/// Recursion is bounded by the depth of attributes.
fn push_value(bytes: &mut Vec<u8>, value: &Json) {
    match value {
        Json::Null => bytes.push(b'n'),
        Json::Bool(value) => bytes.push(if *value { b't' } else { b'f' }),
        Json::Number(number) => {
            bytes.push(b'#');
            push_text(bytes, &number.to_string());
        }
        Json::String(text) => {
            bytes.push(b'"');
            push_text(bytes, text);
        }
        Json::Array(elements) => {
            bytes.push(b'[');
            push_length(bytes, elements.len());
            for element in elements {
                push_value(bytes, element);
            }
        }
        Json::Object(members) => push_members(bytes, members),
    }
}
