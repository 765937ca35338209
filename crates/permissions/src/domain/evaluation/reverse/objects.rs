//! The objects that a subject has a relation to: from the subject along its memberships, backwards.
//!
//! Invariants:
//! - What is reached at all contains every result. What is reached by tuples that count and by references that are sufficient is
//!   a result: the check of it would take the same way.
//! - The depth of the check holds here too: a userset that is further away is no result, and the listing says so.

use std::task::Poll;

use super::candidates::Candidates;
use super::{Directory, Listing, Membership, Of, Part};
use crate::domain::evaluation::check::Evaluator;
use crate::domain::evaluation::limits::Failure;
use crate::domain::evaluation::outcome::Value;
use crate::domain::evaluation::relations::Conditions;
use crate::domain::hashing::IdSet;
use crate::domain::ids::{NamespaceId, RelationId, SubjectNumber, Userset};

#[derive(Clone, Copy, Debug)]
pub struct ObjectsQuestion {
    pub namespace: NamespaceId,
    pub relation: RelationId,
    pub subject: SubjectNumber,
}

/// The state of the search backwards.
#[derive(Default)]
struct Backwards {
    current: Vec<Userset>,
    next: Vec<Userset>,
    /// The subject is a member.
    certain: IdSet<Userset>,
    /// Reached by a way that is not sufficient; searched last.
    possible: Vec<Userset>,
    seen: IdSet<Userset>,
    memberships: Vec<Membership>,
    found: Candidates,
}

impl<R: Directory, C: Conditions> Evaluator<'_, R, C> {
    pub fn list_objects(&mut self, question: ObjectsQuestion, part: Part<'_>) -> Poll<Listing> {
        let ObjectsQuestion { namespace, relation, subject } = question;
        self.ask_about(subject);
        let mut search = Backwards::default();
        if self.backwards(question, &mut search).is_none() {
            search.found.truncate(Failure::StepsExhausted);
        }
        self.page(search.found, part, |name| (Userset::new(namespace, name, relation), subject))
    }

    /// `None`: the steps are used up.
    fn backwards(&mut self, question: ObjectsQuestion, search: &mut Backwards) -> Option<()> {
        self.each_membership(Of::Subject(question.subject), search, |this, search, membership| {
            this.reach(membership, membership.userset, true, false, search);
        })?;
        search.current.append(&mut search.next);
        for left in (0..self.limits.levels()).rev() {
            while let Some(userset) = search.current.pop() {
                if search.certain.insert(userset) {
                    self.leave(userset, question, true, search)?;
                }
            }
            let Backwards { next, certain, .. } = search;
            next.retain(|userset| !certain.contains(userset));
            if search.next.is_empty() {
                break;
            }
            if left == 0 {
                search.found.truncate(Failure::DepthExhausted);
                break;
            }
            std::mem::swap(&mut search.current, &mut search.next);
        }
        self.add_universal(question, search)?;
        while let Some(userset) = search.possible.pop() {
            if !search.certain.contains(&userset) && search.seen.insert(userset) {
                self.leave(userset, question, false, search)?;
            }
        }
        Some(())
    }

    /// Permits that need no tuple may hold for every object that there is. Those that the question does not ask about, and from
    /// which nothing follows, are left out: looking at all of their objects would use up the steps.
    fn add_universal(&mut self, question: ObjectsQuestion, search: &mut Backwards) -> Option<()> {
        let schema = self.schema;
        for &(namespace, relation) in schema.universal() {
            let is_asked = (namespace, relation) == (question.namespace, question.relation);
            let leads_on = !schema.same_object(namespace, relation).is_empty()
                || !schema.traversed(relation).is_empty()
                || self.relations.has_subjects_of_type(namespace, relation);
            if !is_asked && !leads_on {
                continue;
            }
            let mut objects = Vec::new();
            match self.relations.objects(namespace, self.limits.steps as usize, &mut objects) {
                Poll::Pending => search.found.is_pending = true,
                Poll::Ready(has_more) => {
                    if has_more {
                        search.found.truncate(Failure::StepsExhausted);
                    }
                }
            }
            for name in objects {
                self.step().then_some(())?;
                search.possible.push(Userset::new(namespace, name, relation));
            }
        }
        Some(())
    }

    /// Everything that follows from a userset that the subject is a member of, certainly or possibly.
    fn leave(
        &mut self,
        userset: Userset,
        question: ObjectsQuestion,
        is_certain: bool,
        search: &mut Backwards,
    ) -> Option<()> {
        self.step().then_some(())?;
        let (namespace, relation) = (userset.namespace(), userset.relation());
        if namespace == question.namespace && relation == question.relation {
            search.found.add(userset.name(), is_certain);
        }
        let schema = self.schema;
        for source in schema.same_object(namespace, relation) {
            let target = userset.with_relation(source.relation);
            if is_certain && source.is_sufficient {
                search.current.push(target);
            } else {
                search.possible.push(target);
            }
        }
        if userset.is_set() {
            self.each_membership(Of::Subject(userset), search, |this, search, membership| {
                let is_narrow = match this.relations.has_more_sets(membership.userset, this.limits.breadth as usize) {
                    Poll::Ready(has_more) => !has_more,
                    Poll::Pending => {
                        search.found.is_pending = true;
                        false
                    }
                };
                this.reach(membership, membership.userset, is_certain && is_narrow, true, search);
            })?;
        }
        self.leave_by_traversal(userset, is_certain, search)
    }

    fn leave_by_traversal(&mut self, userset: Userset, is_certain: bool, search: &mut Backwards) -> Option<()> {
        let traversed = self.schema.traversed(userset.relation());
        if traversed.is_empty() {
            return Some(());
        }
        let of = Of::Object(userset.namespace(), userset.name());
        self.each_membership(of, search, |this, search, membership| {
            let from = membership.userset;
            let through =
                traversed.iter().filter(|it| it.namespace == from.namespace() && it.through == from.relation());
            for it in through {
                let target = from.with_relation(it.relation);
                this.reach(membership, target, is_certain && it.is_sufficient, true, search);
            }
        })
    }

    fn each_membership(
        &mut self,
        of: Of,
        search: &mut Backwards,
        mut each: impl FnMut(&mut Self, &mut Backwards, Membership),
    ) -> Option<()> {
        let mut memberships = std::mem::take(&mut search.memberships);
        match self.relations.memberships(of, self.limits.steps as usize, &mut memberships) {
            Poll::Pending => search.found.is_pending = true,
            Poll::Ready(has_more) => {
                if has_more {
                    search.found.truncate(Failure::StepsExhausted);
                }
                for membership in &memberships {
                    self.step().then_some(())?;
                    each(self, search, *membership);
                }
            }
        }
        memberships.clear();
        search.memberships = memberships;
        Some(())
    }

    /// Goes on at `target`, which follows from a tuple, if the tuple counts. `is_deeper`: the check needs one level more.
    fn reach(
        &mut self,
        membership: Membership,
        target: Userset,
        is_sufficient: bool,
        is_deeper: bool,
        search: &mut Backwards,
    ) {
        let Membership { userset, subject, terms } = membership;
        let accepted = self.schema.accepted(userset.namespace(), userset.relation());
        if !accepted.is_some_and(|it| it.admits(subject, terms.condition)) {
            return;
        }
        match self.counts(&terms) {
            Value::No => {}
            Value::Yes if is_sufficient && is_deeper => search.next.push(target),
            Value::Yes if is_sufficient => search.current.push(target),
            Value::Yes | Value::Failed(_) | Value::Pending => search.possible.push(target),
        }
    }
}
