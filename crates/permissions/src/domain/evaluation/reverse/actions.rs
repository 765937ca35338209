//! The relations and permits that a subject has on an object.

use std::task::Poll;

use super::Directory;
use crate::domain::evaluation::check::Evaluator;
use crate::domain::evaluation::limits::Failure;
use crate::domain::evaluation::outcome::Value;
use crate::domain::evaluation::relations::Conditions;
use crate::domain::ids::{RelationId, SubjectNumber, Userset};

/// The answers for all relations and permits of the object's namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actions {
    /// In the order of their declaration.
    pub allowed: Vec<RelationId>,
    /// Those without an answer.
    pub failed: Vec<(RelationId, Failure)>,
}

impl<R: Directory, C: Conditions> Evaluator<'_, R, C> {
    /// The relation of `object` does not matter. A namespace that declares no relations has those of its tuples.
    pub fn list_actions(&mut self, object: Userset, subject: SubjectNumber) -> Poll<Actions> {
        let namespace = object.namespace();
        let mut relations: Vec<RelationId> = self.schema.definitions(namespace).map(|it| it.relation).collect();
        if relations.is_empty() {
            if self.relations.relations_in_use(namespace, &mut relations).is_pending() {
                return Poll::Pending;
            }
            relations.sort_unstable();
        }
        self.ask_about(subject);
        let mut actions = Actions::default();
        let mut is_pending = false;
        for relation in relations {
            match self.ask(object.with_relation(relation), subject) {
                Value::Yes => actions.allowed.push(relation),
                Value::No => {}
                Value::Failed(failure) => actions.failed.push((relation, failure)),
                Value::Pending => is_pending = true,
            }
        }
        if is_pending { Poll::Pending } else { Poll::Ready(actions) }
    }
}
