//! The pieces of a text that stay in one line.

use crate::lexer::is_identifier;
use crate::syntax::{Check, CheckKind, Name, Permit, Sequence, Term, Traverse, Type};

/// A name, in quotes if it needs them.
pub(super) fn name(name: Name<'_>) -> String {
    if is_identifier(name.text) { name.text.into() } else { quoted(name.text) }
}

/// A string with the quotes that it does not contain. The language has no escapes.
pub(super) fn quoted(text: &str) -> String {
    let quote = if text.contains('"') { '\'' } else { '"' };
    format!("{quote}{text}{quote}")
}

pub(super) fn subject_type(it: &Type<'_>) -> String {
    let plain = match it.relation {
        Some(relation) => format!("SubjectSet<{}, {}>", name(it.namespace), quoted(relation.text)),
        // A namespace with the name of a constructor.
        None if matches!(it.namespace.text, "Array" | "SubjectSet" | "When") => quoted(it.namespace.text),
        None => name(it.namespace),
    };
    match it.condition {
        Some(condition) => format!("When<{plain}, {}>", quoted(condition.text)),
        None => plain,
    }
}

/// The name and the parameters of a permit.
pub(super) fn permit_head(permit: &Permit<'_>) -> String {
    let context = if permit.has_context_type { ": Context" } else { "" };
    let result = if permit.has_return_type { ": boolean" } else { "" };
    format!("{}: (ctx{context}){result} =>", name(permit.name))
}

pub(super) fn sequence(it: &Sequence<'_>) -> String {
    let mut text = term(&it.first);
    for link in &it.rest {
        if let Some((operator, _)) = link.operator {
            text.push(' ');
            text.push_str(operator.text());
        }
        text.push(' ');
        text.push_str(&term(&link.term));
    }
    text
}

pub(super) fn term(it: &Term<'_>) -> String {
    match it {
        Term::Check(it) => check(it),
        Term::Group(inner, _) => format!("({})", sequence(inner)),
        Term::Not(inner, _) => format!("!{}", term(inner)),
    }
}

pub(super) fn check(it: &Check<'_>) -> String {
    match it.kind {
        CheckKind::Includes(relation) => format!("this.related{}.includes(ctx.subject)", property(relation)),
        CheckKind::Permits(permit) => format!("this.permits{}(ctx)", property(permit)),
        CheckKind::Traverse(it) => traverse(&it),
        CheckKind::Meets(condition) => format!("ctx.meets({})", quoted(condition.text)),
    }
}

fn traverse(it: &Traverse<'_>) -> String {
    let (argument, target) = (it.argument.text, property(it.target));
    let parameter = if it.has_parentheses { format!("({argument})") } else { argument.into() };
    let inner =
        if it.is_permit { format!("permits{target}(ctx)") } else { format!("related{target}.includes(ctx.subject)") };
    format!("this.related{}.traverse({parameter} => {argument}.{inner})", property(it.relation))
}

fn property(name: Name<'_>) -> String {
    if is_identifier(name.text) { format!(".{}", name.text) } else { format!("[{}]", quoted(name.text)) }
}
