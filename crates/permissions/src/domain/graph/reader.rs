//! The graph as a reader of relation tuples. Nothing is ever pending.

use std::ops::Range;
use std::task::Poll;

use super::Graph;
use crate::domain::evaluation::reverse::{Directory, Membership, Of};
use crate::domain::evaluation::{ContextId, Link, Relations, SubjectKind, Terms};
use crate::domain::ids::{NameId, NamespaceId, RelationId, Subject, Userset};

impl Relations for &Graph {
    fn tuple(&mut self, userset: Userset, subject: Subject) -> Poll<Option<Terms>> {
        let is_there = self.usage.has_tuples(userset) && self.forward.contains(userset.bits(), subject.bits());
        Poll::Ready(is_there.then(|| self.terms.get(userset, subject)))
    }

    fn subjects(&mut self, userset: Userset, kind: SubjectKind, limit: usize, into: &mut Vec<Link>) -> Poll<bool> {
        let has_some = match kind {
            SubjectKind::All => self.usage.has_tuples(userset),
            SubjectKind::Sets => self.usage.has_sets(userset),
            SubjectKind::Objects => self.usage.has_objects(userset),
        };
        Poll::Ready(has_some && self.visit_subjects(userset, kind.first()..u64::MAX, limit, into))
    }

    fn context(&self, id: ContextId) -> Option<&str> {
        self.terms.context(id)
    }
}

impl Directory for &Graph {
    fn memberships(&mut self, of: Of, limit: usize, into: &mut Vec<Membership>) -> Poll<bool> {
        let most = into.len().saturating_add(limit);
        let mut has_more = false;
        let mut add = |subject: Subject| {
            self.reverse.visit(subject.bits(), 0..u64::MAX, |value| {
                has_more = into.len() == most;
                if !has_more {
                    let userset = Userset::from_bits(value);
                    into.push(Membership { userset, subject, terms: self.terms.get(userset, subject) });
                }
                !has_more
            });
        };
        match of {
            Of::Subject(subject) if self.usage.is_subject(subject) => add(subject),
            Of::Subject(_) => {}
            Of::Object(namespace, name) => {
                let subjects = self.usage.subject_relations(namespace);
                subjects.for_each(|relation| add(Userset::new(namespace, name, relation)));
            }
        }
        Poll::Ready(has_more)
    }

    fn subjects_of_type(
        &mut self,
        userset: Userset,
        (namespace, relation): (NamespaceId, RelationId),
        limit: usize,
        into: &mut Vec<Link>,
    ) -> Poll<bool> {
        let first = Userset::new(namespace, NameId(0), relation).bits();
        let last = Userset::new(namespace, NameId(u32::MAX), relation).bits();
        Poll::Ready(self.visit_subjects(userset, first..last + 1, limit, into))
    }

    fn objects(&mut self, namespace: NamespaceId, limit: usize, into: &mut Vec<NameId>) -> Poll<bool> {
        let mut objects = self.usage.objects(namespace);
        into.extend(objects.by_ref().take(limit));
        Poll::Ready(objects.next().is_some())
    }

    fn has_subjects_of_type(&self, namespace: NamespaceId, relation: RelationId) -> bool {
        self.usage.is_subject(Userset::new(namespace, NameId(0), relation))
    }

    fn has_more_sets(&mut self, userset: Userset, breadth: usize) -> Poll<bool> {
        let mut count = 0;
        self.forward.visit(userset.bits(), SubjectKind::Sets.first()..u64::MAX, |_| {
            count += 1;
            count <= breadth
        });
        Poll::Ready(count > breadth)
    }

    fn relations_in_use(&mut self, namespace: NamespaceId, into: &mut Vec<RelationId>) -> Poll<()> {
        into.extend(self.usage.relations(namespace));
        Poll::Ready(())
    }

    fn name(&self, name: NameId) -> &[u8] {
        self.names.bytes(name)
    }
}

impl Graph {
    /// `true`: there are more than `limit`.
    fn visit_subjects(&self, userset: Userset, range: Range<u64>, limit: usize, into: &mut Vec<Link>) -> bool {
        let most = into.len().saturating_add(limit);
        let mut has_more = false;
        self.forward.visit(userset.bits(), range, |value| {
            has_more = into.len() == most;
            if !has_more {
                let subject = Userset::from_bits(value);
                into.push(Link { subject, terms: self.terms.get(userset, subject) });
            }
            !has_more
        });
        has_more
    }
}
