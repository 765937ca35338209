//! Asks the relation tuples in memory. Nothing is ever pending, and nothing waits.

use std::cell::RefCell;
use std::task::Poll;

use base::Context;

use super::{Answered, Asking, EvaluateError, Numbers, Question};
use crate::components::graph::View;
use crate::domain::evaluation::{Evaluator, EvaluatorParts, Scratch};
use crate::domain::graph::Graph;
use crate::domain::ids::{NameId, NamespaceId, RelationId, SubjectNumber, Userset};
use crate::domain::names::Names;
use crate::domain::relation_tuple::{Subject, SubjectSet};
use crate::domain::request_conditions::RequestConditions;
use crate::domain::symbols::Symbols;

thread_local! {
    /// Its memory is used again by the next question of this thread.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

pub(super) fn ask<Q: Question>(
    view: &View<'_>,
    cx: &Context,
    asking: &Asking<'_>,
    question: &Q,
) -> Result<Answered<Q::Answer>, EvaluateError> {
    let mut numbers = InGraph { graph: view.graph, asked: None };
    let numbered = question.number(&mut numbers)?;
    let mut conditions = RequestConditions::new(view.conditions, asking.context, cx.now);
    let found = SCRATCH.with_borrow_mut(|scratch| {
        let mut relations = view.graph.at(cx.now);
        let parts = EvaluatorParts {
            schema: view.schema,
            relations: &mut relations,
            conditions: &mut conditions,
            scratch,
            limits: asking.limits,
            now: cx.now,
        };
        question.ask(&numbered, &mut Evaluator::new(parts))
    });
    match found {
        Poll::Ready(found) => Ok(Answered { answer: question.present(found, &numbers), snapshot: view.snapshot }),
        Poll::Pending => Err(EvaluateError::Endless),
    }
}

/// A name without a number has no tuples; all such names have the same number.
struct InGraph<'a> {
    graph: &'a Graph,
    /// The last userset with a name that has no number.
    asked: Option<SubjectSet>,
}

impl Numbers for InGraph<'_> {
    fn userset(&mut self, namespace: &str, object: &str, relation: &str) -> Result<Userset, EvaluateError> {
        let number = self.graph.find(namespace, object, relation);
        if is_unknown(number) {
            let [namespace, object, relation] = [namespace, object, relation].map(str::to_owned);
            self.asked = Some(SubjectSet { namespace, object, relation });
        }
        Ok(number)
    }

    fn subject(&mut self, subject: &Subject) -> Result<SubjectNumber, EvaluateError> {
        Ok(self.graph.find_subject(subject))
    }

    fn subject_of(&self, number: SubjectNumber) -> Subject {
        let (namespace, name, relation) = (number.namespace(), number.name(), number.relation());
        let asked = |of: fn(&SubjectSet) -> &String| self.asked.as_ref().map_or("", |asked| of(asked));
        let object = if name == NameId::UNKNOWN { asked(|it| &it.object) } else { self.graph.names().name(name) };
        if number.is_id() {
            return Subject::Id(object.to_owned());
        }
        let namespace = if namespace == NamespaceId::UNKNOWN {
            asked(|it| &it.namespace)
        } else {
            self.graph.symbols().namespace_name(namespace)
        };
        let relation = if relation == RelationId::UNKNOWN {
            asked(|it| &it.relation)
        } else {
            self.symbols().relation_name(relation)
        };
        Subject::Set(SubjectSet {
            namespace: namespace.to_owned(),
            object: object.to_owned(),
            relation: relation.to_owned(),
        })
    }

    fn symbols(&self) -> &Symbols {
        self.graph.symbols()
    }

    fn names(&self) -> &Names {
        self.graph.names()
    }
}

fn is_unknown(number: Userset) -> bool {
    number.name() == NameId::UNKNOWN
        || number.namespace() == NamespaceId::UNKNOWN
        || number.relation() == RelationId::UNKNOWN
}
