//! The graph as a reader of relation tuples. Nothing is ever pending.
//!
//! Invariant: a list has no tuple that has expired, also while it is still in memory, so that the tables and the graph count alike.
//! A single tuple is found, so that an explanation can say that it has expired.

use std::cmp::Ordering;
use std::ops::Range;
use std::task::Poll;

use base::Timestamp;

use super::Graph;
use crate::domain::evaluation::reverse::{Directory, Membership, Of};
use crate::domain::evaluation::{ContextId, Link, Relations, SubjectKind, Terms};
use crate::domain::ids::{NameId, NamespaceId, RelationId, SubjectNumber, Userset};

/// The most subjects of a userset that are compared by their texts.
const MOST_SORTED: usize = 200_000;

/// The graph at a time.
#[derive(Clone, Copy)]
pub struct GraphAt<'g> {
    graph: &'g Graph,
    now: Timestamp,
}

impl Graph {
    /// For questions that are asked at this time.
    pub const fn at(&self, now: Timestamp) -> GraphAt<'_> {
        GraphAt { graph: self, now }
    }
}

impl Relations for GraphAt<'_> {
    fn tuple(&mut self, userset: Userset, subject: SubjectNumber) -> Poll<Option<Terms>> {
        let Graph { usage, forward, terms, .. } = self.graph;
        let is_there = usage.has_tuples(userset) && forward.contains(userset.bits(), subject.bits());
        Poll::Ready(is_there.then(|| terms.get(userset, subject)))
    }

    fn subjects(&mut self, userset: Userset, kind: SubjectKind, limit: usize, into: &mut Vec<Link>) -> Poll<bool> {
        let has_some = match kind {
            SubjectKind::All => self.graph.usage.has_tuples(userset),
            SubjectKind::Sets => self.graph.usage.has_sets(userset),
            SubjectKind::Objects => self.graph.usage.has_objects(userset),
        };
        if !has_some {
            return Poll::Ready(false);
        }
        let first = into.len();
        let has_more = self.visit_subjects(userset, kind.first()..u64::MAX, limit, into);
        // The breadth limits these alone. Which ones it leaves out decides answers, so they are those that the tables leave out.
        if has_more && kind == SubjectKind::Sets {
            into.truncate(first);
            if self.first_by_text(userset, kind, limit, into) > MOST_SORTED {
                into.truncate(first);
            }
        }
        Poll::Ready(has_more)
    }

    fn context(&self, id: ContextId) -> Option<&str> {
        self.graph.terms.context(id)
    }
}

impl Directory for GraphAt<'_> {
    fn subjects_by_text(
        &mut self,
        userset: Userset,
        kind: SubjectKind,
        limit: usize,
        into: &mut Vec<Link>,
    ) -> Poll<usize> {
        Poll::Ready(self.first_by_text(userset, kind, limit, into))
    }

    fn memberships(&mut self, of: Of, limit: usize, into: &mut Vec<Membership>) -> Poll<bool> {
        let most = into.len().saturating_add(limit);
        let mut has_more = false;
        let mut add = |subject: SubjectNumber| {
            self.graph.reverse.visit(subject.bits(), 0..u64::MAX, |value| {
                let userset = Userset::from_bits(value);
                let Some(terms) = self.present(userset, subject) else { return true };
                has_more = into.len() == most;
                if !has_more {
                    into.push(Membership { userset, subject, terms });
                }
                !has_more
            });
        };
        match of {
            Of::Subject(subject) if self.graph.usage.is_subject(subject) => add(subject),
            Of::Subject(_) => {}
            Of::Object(namespace, name) => {
                let subjects = self.graph.usage.subject_relations(namespace);
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
        let mut objects = self.graph.usage.objects(namespace);
        into.extend(objects.by_ref().take(limit));
        Poll::Ready(objects.next().is_some())
    }

    fn has_subjects_of_type(&self, namespace: NamespaceId, relation: RelationId) -> bool {
        self.graph.usage.is_subject(Userset::new(namespace, NameId(0), relation))
    }

    fn has_more_sets(&mut self, userset: Userset, breadth: usize) -> Poll<bool> {
        let mut count = 0;
        self.graph.forward.visit(userset.bits(), SubjectKind::Sets.first()..u64::MAX, |value| {
            count += usize::from(self.present(userset, Userset::from_bits(value)).is_some());
            count <= breadth
        });
        Poll::Ready(count > breadth)
    }

    fn relations_in_use(&mut self, namespace: NamespaceId, into: &mut Vec<RelationId>) -> Poll<()> {
        into.extend(self.graph.usage.relations(namespace));
        Poll::Ready(())
    }

    fn name(&self, name: NameId) -> &[u8] {
        self.graph.names.bytes(name)
    }
}

impl GraphAt<'_> {
    /// The terms of a tuple that is in memory, unless it has expired.
    fn present(&self, userset: Userset, subject: SubjectNumber) -> Option<Terms> {
        let terms = self.graph.terms.get(userset, subject);
        (!terms.is_expired(self.now)).then_some(terms)
    }

    /// Adds the first subjects by their texts. Returns how many there are, up to one more than [`MOST_SORTED`].
    fn first_by_text(&self, userset: Userset, kind: SubjectKind, limit: usize, into: &mut Vec<Link>) -> usize {
        let mut links = Vec::new();
        let has_more = self.visit_subjects(userset, kind.first()..u64::MAX, MOST_SORTED, &mut links);
        let count = links.len() + usize::from(has_more);
        if links.len() > limit {
            links.select_nth_unstable_by(limit, |left, right| self.by_text(left.subject, right.subject));
            links.truncate(limit);
        }
        links.sort_unstable_by(|left, right| self.by_text(left.subject, right.subject));
        into.append(&mut links);
        count
    }

    /// The order of the tables: by the bytes of the namespace, of the object or id, and of the relation.
    fn by_text(&self, left: SubjectNumber, right: SubjectNumber) -> Ordering {
        let Graph { symbols, names, .. } = self.graph;
        let text = |of: SubjectNumber| {
            let (namespace, relation) = (symbols.namespace_name(of.namespace()), symbols.relation_name(of.relation()));
            (namespace, names.bytes(of.name()), relation)
        };
        text(left).cmp(&text(right))
    }

    /// `true`: there are more than `limit`.
    fn visit_subjects(&self, userset: Userset, range: Range<u64>, limit: usize, into: &mut Vec<Link>) -> bool {
        let most = into.len().saturating_add(limit);
        let mut has_more = false;
        self.graph.forward.visit(userset.bits(), range, |value| {
            let subject = Userset::from_bits(value);
            let Some(terms) = self.present(userset, subject) else { return true };
            has_more = into.len() == most;
            if !has_more {
                into.push(Link { subject, terms });
            }
            !has_more
        });
        has_more
    }
}
