//! A reader over a plain list of tuples, which scans the whole list for every read, and the conditions of tests.

use std::collections::HashMap;
use std::task::Poll;

use super::generator::NOW;
use super::mismatch::Mismatch;
use super::reference_model::{Verdict, condition};
use crate::domain::evaluation::{ConditionFailed, Conditions, ContextId, Link, Relations, SubjectKind, Terms};
use crate::domain::ids::{ConditionId, Userset};
use crate::domain::names::Names;
use crate::domain::relation_tuple::{StoredTuple, Subject, SubjectSet};
use crate::domain::symbols::Symbols;

/// Tuples as numbers, in the order in which they were given.
#[derive(Default)]
pub struct ListReader {
    pub tuples: Vec<(Userset, Link)>,
    contexts: Vec<String>,
    /// The subjects of tuples as texts.
    texts: HashMap<Userset, Subject>,
}

impl ListReader {
    pub fn new(tuples: &[StoredTuple], symbols: &mut Symbols, names: &mut Names) -> Result<Self, Mismatch> {
        let mut reader = Self::default();
        for stored in tuples {
            let tuple = &stored.tuple;
            let userset = userset(&tuple.namespace, &tuple.object, &tuple.relation, symbols, names)?;
            let subject = subject(&tuple.subject, symbols, names)?;
            let terms = reader.terms(stored, symbols)?;
            reader.texts.insert(subject, tuple.subject.clone());
            reader.tuples.push((userset, Link { subject, terms }));
        }
        Ok(reader)
    }

    fn terms(&mut self, stored: &StoredTuple, symbols: &mut Symbols) -> Result<Terms, Mismatch> {
        let mut terms = Terms { expires_at: stored.expires_at, ..Terms::default() };
        if let Some(condition) = &stored.condition {
            terms.condition = Some(symbols.intern_condition(&condition.name)?);
            if let Some(context) = &condition.context {
                terms.context = Some(ContextId(u32::try_from(self.contexts.len())?));
                self.contexts.push(context.clone());
            }
        }
        Ok(terms)
    }
}

impl Relations for ListReader {
    fn tuple(&mut self, userset: Userset, subject: Userset) -> Poll<Option<Terms>> {
        let found = self.tuples.iter().find(|(of, link)| *of == userset && link.subject == subject);
        Poll::Ready(found.map(|(_, link)| link.terms))
    }

    fn subjects(&mut self, userset: Userset, kind: SubjectKind, limit: usize, into: &mut Vec<Link>) -> Poll<bool> {
        let of_kind = |link: &Link| match kind {
            SubjectKind::All => true,
            SubjectKind::Sets => link.subject.is_set(),
            SubjectKind::Objects => !link.subject.is_id(),
        };
        let counts = |(of, link): &&(Userset, Link)| *of == userset && of_kind(link) && !link.terms.is_expired(NOW);
        let mut found: Vec<Link> = self.tuples.iter().filter(counts).map(|(_, link)| *link).collect();
        found.sort_by_key(|link| self.texts.get(&link.subject));
        into.extend(found.iter().take(limit));
        Poll::Ready(found.len() > limit)
    }

    fn context(&self, id: ContextId) -> Option<&str> {
        self.contexts.get(id.0 as usize).map(String::as_str)
    }
}

pub fn userset(
    namespace: &str,
    object: &str,
    relation: &str,
    symbols: &mut Symbols,
    names: &mut Names,
) -> Result<Userset, Mismatch> {
    let namespace = symbols.intern_namespace(namespace)?;
    Ok(Userset::new(namespace, names.intern(object)?, symbols.intern_relation(relation)?))
}

pub fn subject(subject: &Subject, symbols: &mut Symbols, names: &mut Names) -> Result<Userset, Mismatch> {
    match subject {
        Subject::Id(id) => Ok(Userset::id(names.intern(id)?)),
        Subject::Set(SubjectSet { namespace, object, relation }) => {
            userset(namespace, object, relation, symbols, names)
        }
    }
}

/// [`condition`] over the names of the model.
pub struct TestConditions<'s>(pub &'s Symbols);

impl Conditions for TestConditions<'_> {
    fn holds(&mut self, id: ConditionId, context: Option<&str>) -> Result<bool, ConditionFailed> {
        match condition(self.0.condition_name(id), context) {
            Verdict::Holds => Ok(true),
            Verdict::Fails => Ok(false),
            Verdict::Error => Err(ConditionFailed),
        }
    }
}
