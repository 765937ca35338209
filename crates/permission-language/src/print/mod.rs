//! Writes a model as a text of the language, in the canonical layout. Parsing the text gives the same model.
//!
//! Groups are written in parentheses, so that the text means the same in TypeScript. Only where they would nest deeper than the
//! language allows by default, a group at the beginning of another is written without: operators group from left to right.

mod expressions;

use std::collections::{HashMap, HashSet};

use thiserror::Error;

use self::expressions::{Expressions, OPENINGS};
use crate::format::format_with;
use crate::lexer::is_identifier;
use crate::limits::{Limits, MAX_NESTING};
use crate::model::{Condition, Model, Namespace, Relation, SubjectType};

/// Why a model that was not parsed from a text cannot be written as one.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unprintable {
    #[error("{0:?} contains both kinds of quotes, and the language has no escapes; use one kind")]
    Quotes(String),
    #[error("the name of condition {0:?} is not an identifier; use A-Z, a-z, 0-9 and _")]
    ConditionName(String),
    #[error("relation {relation:?} of namespace {namespace:?} has no types; name at least one")]
    RelationWithoutTypes { namespace: String, relation: String },
    #[error("permit {permit:?} of namespace {namespace:?} has an empty expression; `Any` and `All` need members")]
    EmptyExpression { namespace: String, permit: String },
}

/// The text of a model.
pub fn to_text(model: &Model) -> Result<String, Unprintable> {
    let mut printer = Printer { namespaces: names(model), text: String::new() };
    for condition in &model.conditions {
        printer.condition(condition)?;
    }
    for namespace in &model.namespaces {
        printer.text.push('\n');
        printer.namespace(namespace)?;
    }
    let limits = Limits { file_bytes: usize::MAX, nesting: MAX_NESTING, ..Limits::default() };
    // A model that nests deeper has no canonical layout, and is still complete.
    Ok(format_with(&printer.text, &limits).unwrap_or(printer.text))
}

/// The relations and the permits of a namespace.
type Members<'m> = (HashSet<&'m str>, HashSet<&'m str>);

fn names(model: &Model) -> HashMap<&str, Members<'_>> {
    let mut names: HashMap<&str, Members<'_>> = HashMap::new();
    for namespace in &model.namespaces {
        let (relations, permits) = names.entry(&namespace.name).or_default();
        relations.extend(namespace.relations.iter().map(|it| it.name.as_str()));
        permits.extend(namespace.permits.iter().map(|it| it.name.as_str()));
    }
    names
}

struct Printer<'m> {
    namespaces: HashMap<&'m str, Members<'m>>,
    text: String,
}

impl Printer<'_> {
    fn condition(&mut self, condition: &Condition) -> Result<(), Unprintable> {
        if !is_identifier(&condition.name) {
            return Err(Unprintable::ConditionName(condition.name.clone()));
        }
        let expression = quoted(&condition.expression)?;
        self.put(&["const ", &condition.name, ": Condition = ", &expression, ";\n"]);
        Ok(())
    }

    fn namespace(&mut self, namespace: &Namespace) -> Result<(), Unprintable> {
        self.put(&["class ", &name(&namespace.name)?, " implements Namespace {\n"]);
        if !namespace.relations.is_empty() {
            self.put(&["related: {\n"]);
            for relation in &namespace.relations {
                self.relation(namespace, relation)?;
            }
            self.put(&["}\n"]);
        }
        if !namespace.permits.is_empty() {
            self.put(&["permits = {\n"]);
            for permit in &namespace.permits {
                self.put(&[&name(&permit.name)?, ": (ctx: Context): boolean => "]);
                let is_written = Expressions { printer: self, namespace }.sequence(&permit.expression, OPENINGS)?;
                if !is_written {
                    let (namespace, permit) = (namespace.name.clone(), permit.name.clone());
                    return Err(Unprintable::EmptyExpression { namespace, permit });
                }
                self.put(&[",\n"]);
            }
            self.put(&["}\n"]);
        }
        self.put(&["}\n"]);
        Ok(())
    }

    fn relation(&mut self, namespace: &Namespace, relation: &Relation) -> Result<(), Unprintable> {
        let types: Vec<String> = relation.types.iter().map(subject_type).collect::<Result<_, _>>()?;
        let text = match types.as_slice() {
            [] => {
                let (namespace, relation) = (namespace.name.clone(), relation.name.clone());
                return Err(Unprintable::RelationWithoutTypes { namespace, relation });
            }
            [only] => format!("{only}[]"),
            several => format!("({})[]", several.join(" | ")),
        };
        self.put(&[&name(&relation.name)?, ": ", &text, "\n"]);
        Ok(())
    }

    fn put(&mut self, pieces: &[&str]) {
        self.text.extend(pieces.iter().copied());
    }
}

fn subject_type(it: &SubjectType) -> Result<String, Unprintable> {
    let plain = match &it.relation {
        Some(relation) => format!("SubjectSet<{}, {}>", name(&it.namespace)?, quoted(relation)?),
        // A namespace with the name of a constructor.
        None if matches!(it.namespace.as_str(), "Array" | "SubjectSet" | "When") => quoted(&it.namespace)?,
        None => name(&it.namespace)?,
    };
    match &it.condition {
        Some(condition) => Ok(format!("When<{plain}, {}>", quoted(condition)?)),
        None => Ok(plain),
    }
}

fn name(name: &str) -> Result<String, Unprintable> {
    if is_identifier(name) { Ok(name.into()) } else { quoted(name) }
}

fn property(name: &str) -> Result<String, Unprintable> {
    if is_identifier(name) { Ok(format!(".{name}")) } else { Ok(format!("[{}]", quoted(name)?)) }
}

fn quoted(text: &str) -> Result<String, Unprintable> {
    match (text.contains('"'), text.contains('\'')) {
        (true, true) => Err(Unprintable::Quotes(text.into())),
        (true, false) => Ok(format!("'{text}'")),
        (false, _) => Ok(format!("\"{text}\"")),
    }
}

#[cfg(test)]
mod tests;
