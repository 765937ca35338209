//! The conditions and expiries of the few tuples that have one.

use crate::domain::evaluation::{ContextId, Terms};
use crate::domain::hashing::IdMap;
use crate::domain::ids::{SubjectNumber, Userset};

#[derive(Default)]
pub(super) struct TermsTable {
    terms: IdMap<(Userset, SubjectNumber), Terms>,
    contexts: Vec<Option<Box<str>>>,
    free: Vec<u32>,
}

impl TermsTable {
    pub(super) fn get(&self, userset: Userset, subject: SubjectNumber) -> Terms {
        if self.terms.is_empty() {
            return Terms::default();
        }
        self.terms.get(&(userset, subject)).copied().unwrap_or_default()
    }

    pub(super) fn context(&self, id: ContextId) -> Option<&str> {
        self.contexts.get(id.0 as usize)?.as_deref()
    }

    /// Replaces the terms of a tuple. `terms.context` is ignored.
    pub(super) fn set(&mut self, userset: Userset, subject: SubjectNumber, mut terms: Terms, context: Option<&str>) {
        self.remove(userset, subject);
        terms.context = context.map(|text| self.keep(text));
        if !terms.is_always() {
            self.terms.insert((userset, subject), terms);
        }
    }

    pub(super) fn remove(&mut self, userset: Userset, subject: SubjectNumber) {
        if self.terms.is_empty() {
            return;
        }
        let removed = self.terms.remove(&(userset, subject));
        if let Some(id) = removed.and_then(|terms| terms.context)
            && let Some(context) = self.contexts.get_mut(id.0 as usize)
        {
            *context = None;
            self.free.push(id.0);
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let texts: usize = self.contexts.iter().flatten().map(|text| text.len()).sum();
        let terms = self.terms.capacity() * size_of::<((Userset, SubjectNumber), Terms)>();
        terms
            + texts
            + self.contexts.capacity() * size_of::<Option<Box<str>>>()
            + self.free.capacity() * size_of::<u32>()
    }

    fn keep(&mut self, text: &str) -> ContextId {
        if let Some(id) = self.free.pop() {
            if let Some(context) = self.contexts.get_mut(id as usize) {
                *context = Some(text.into());
            }
            return ContextId(id);
        }
        self.contexts.push(Some(text.into()));
        ContextId(u32::try_from(self.contexts.len() - 1).unwrap_or(u32::MAX))
    }
}
