//! The subjects of a kind that have a relation to an object: the search of a check, without a subject.

use std::task::Poll;

use super::candidates::Candidates;
use super::{Directory, Listing, Part};
use crate::domain::evaluation::check::Evaluator;
use crate::domain::evaluation::limits::Failure;
use crate::domain::evaluation::outcome::Value;
use crate::domain::evaluation::relations::{Conditions, Link, SubjectKind};
use crate::domain::hashing::IdSet;
use crate::domain::ids::{NameId, NamespaceId, RelationId, Userset};
use crate::domain::schema::{Accepted, Alternative, Operand, Rules};

#[derive(Clone, Copy, Debug)]
pub struct SubjectsQuestion {
    pub userset: Userset,
    /// [`NamespaceId::IDS`] for subject ids.
    pub namespace: NamespaceId,
    /// [`RelationId::NONE`] for ids and objects.
    pub relation: RelationId,
}

#[derive(Default)]
struct Forwards {
    current: Vec<Userset>,
    next: Vec<Userset>,
    certain: IdSet<Userset>,
    /// Inside formulas, or behind a condition without a value; searched last.
    possible: Vec<Userset>,
    seen: IdSet<Userset>,
    links: Vec<Link>,
    /// A permit needs no tuple, so that every subject is a candidate.
    is_universal: bool,
    found: Candidates,
}

impl Forwards {
    fn same_object(&mut self, target: Userset, is_certain: bool) {
        if is_certain {
            self.current.push(target);
        } else {
            self.possible.push(target);
        }
    }

    /// Notes a read that was cut short, or is pending.
    fn note(&mut self, read: Poll<bool>, cut: Failure) {
        match read {
            Poll::Pending => self.found.is_pending = true,
            Poll::Ready(true) => self.found.truncate(cut),
            Poll::Ready(false) => {}
        }
    }

    fn other_object(&mut self, target: Userset, value: Value, is_certain: bool) {
        match value {
            Value::No => {}
            Value::Yes if is_certain => self.next.push(target),
            Value::Yes | Value::Failed(_) | Value::Pending => self.possible.push(target),
        }
    }
}

impl<R: Directory, C: Conditions> Evaluator<'_, R, C> {
    pub fn list_subjects(&mut self, question: SubjectsQuestion, part: Part<'_>) -> Poll<Listing> {
        let SubjectsQuestion { userset, namespace, relation } = question;
        self.steps = self.limits.steps;
        let mut search = Forwards { current: vec![userset], ..Forwards::default() };
        if self.forwards(question, &mut search).is_none() {
            search.found.truncate(Failure::StepsExhausted);
        }
        self.page(search.found, part, |name: NameId| (userset, Userset::new(namespace, name, relation)))
    }

    /// `None`: the steps are used up.
    fn forwards(&mut self, question: SubjectsQuestion, search: &mut Forwards) -> Option<()> {
        for left in (0..self.limits.levels()).rev() {
            while let Some(userset) = search.current.pop() {
                if search.certain.insert(userset) {
                    self.enter(userset, question, true, search)?;
                }
            }
            let Forwards { next, certain, .. } = search;
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
        while let Some(userset) = search.possible.pop() {
            if !search.certain.contains(&userset) && search.seen.insert(userset) {
                self.enter(userset, question, false, search)?;
            }
        }
        if search.is_universal {
            let mut objects = Vec::new();
            let read = self.relations.objects(question.namespace, self.limits.steps as usize, &mut objects);
            search.note(read, Failure::StepsExhausted);
            for name in objects {
                search.found.add(name, false);
            }
        }
        Some(())
    }

    fn enter(
        &mut self,
        userset: Userset,
        question: SubjectsQuestion,
        is_certain: bool,
        search: &mut Forwards,
    ) -> Option<()> {
        self.step().then_some(())?;
        match self.schema.rules(userset.namespace(), userset.relation()) {
            Rules::Undeclared => Some(()),
            Rules::TuplesOnly(accepted) => self.direct(userset, accepted, question, is_certain, search),
            Rules::Declared(definition) => {
                self.direct(userset, &definition.accepted, question, is_certain, search)?;
                self.parts(&definition.alternatives, userset, is_certain, search)
            }
        }
    }

    fn direct(
        &mut self,
        userset: Userset,
        accepted: &Accepted,
        question: SubjectsQuestion,
        is_certain: bool,
        search: &mut Forwards,
    ) -> Option<()> {
        let mut links = std::mem::take(&mut search.links);
        let kind = (question.namespace, question.relation);
        let read = self.relations.subjects_of_type(userset, kind, self.limits.steps as usize, &mut links);
        search.note(read, Failure::StepsExhausted);
        for link in links.drain(..) {
            self.step().then_some(())?;
            if accepted.admits(link.subject, link.terms.condition) {
                match self.counts(&link.terms) {
                    Value::No => {}
                    value => search.found.add(link.subject.name(), is_certain && value == Value::Yes),
                }
            }
        }
        if accepted.has_sets() {
            let breadth = self.limits.breadth as usize;
            let read = self.relations.subjects(userset, SubjectKind::Sets, breadth, &mut links);
            search.note(read, Failure::BreadthExhausted);
            for link in links.drain(..) {
                self.step().then_some(())?;
                if accepted.admits(link.subject, link.terms.condition) {
                    let value = self.counts(&link.terms);
                    search.other_object(link.subject, value, is_certain);
                }
            }
        }
        search.links = links;
        Some(())
    }

    fn parts(
        &mut self,
        alternatives: &[Alternative],
        object: Userset,
        is_certain: bool,
        search: &mut Forwards,
    ) -> Option<()> {
        for alternative in alternatives {
            match *alternative {
                Alternative::Has(relation) => search.same_object(object.with_relation(relation), is_certain),
                Alternative::Traverse { relation, target } => {
                    self.traversal(object.with_relation(relation), target, is_certain, search)?;
                }
                Alternative::Formula(id) => {
                    if let Some(operand) = self.schema.formula(id) {
                        self.possible_parts(operand, object, search)?;
                    }
                }
            }
        }
        Some(())
    }

    fn traversal(
        &mut self,
        through: Userset,
        target: RelationId,
        is_certain: bool,
        search: &mut Forwards,
    ) -> Option<()> {
        let accepted = self.schema.accepted(through.namespace(), through.relation());
        let Some(accepted) = accepted else { return Some(()) };
        let mut links = std::mem::take(&mut search.links);
        let limit = self.limits.steps as usize;
        let read = self.relations.subjects(through, SubjectKind::Objects, limit, &mut links);
        search.note(read, Failure::StepsExhausted);
        for link in links.drain(..) {
            self.step().then_some(())?;
            if accepted.admits(link.subject, link.terms.condition) {
                let value = self.counts(&link.terms);
                search.other_object(link.subject.with_relation(target), value, is_certain);
            }
        }
        search.links = links;
        Some(())
    }

    /// Who satisfies a formula is a member of one of these.
    fn possible_parts(&mut self, operand: &Operand, object: Userset, search: &mut Forwards) -> Option<()> {
        match operand {
            Operand::Has(relation) => search.possible.push(object.with_relation(*relation)),
            Operand::Union(alternatives) => self.parts(alternatives, object, false, search)?,
            Operand::All(operands) => match self.schema.bounding(operands) {
                Some(bounding) => self.possible_parts(bounding, object, search)?,
                None => search.is_universal = true,
            },
            Operand::Not(_) | Operand::Meets(_) => search.is_universal = true,
        }
        Some(())
    }
}
