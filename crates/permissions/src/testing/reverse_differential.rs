//! Compares reverse questions with checks, in the graph: each listing, read page by page, has exactly the objects or subjects that
//! a check allows.

use std::collections::BTreeSet;
use std::task::Poll;

use super::generator::NOW;
use super::list_reader::TestConditions;
use super::mismatch::{Mismatch, bail, ensure};
use super::store::Store;
use crate::domain::evaluation::reverse::{Actions, Directory, Listing, ObjectsQuestion, Part, SubjectsQuestion};
use crate::domain::evaluation::{Evaluator, EvaluatorParts, Limits, Scratch};
use crate::domain::graph::{Graph, GraphAt};
use crate::domain::ids::{NameId, NamespaceId, RelationId, SubjectNumber, Userset};
use crate::domain::schema::Schema;

/// Small pages, so that every listing has several.
const PAGE: usize = 2;

pub(super) struct Reverse<'g> {
    pub(super) graph: &'g Graph,
    pub(super) schema: &'g Schema,
    pub(super) limits: Limits,
}

impl Reverse<'_> {
    /// The objects that the subject has a relation to, for every namespace and relation. `allowed`: what checks allow.
    pub(super) fn objects(
        &self,
        subject: SubjectNumber,
        places: &[Userset],
        allowed: &BTreeSet<Userset>,
    ) -> Result<(), Mismatch> {
        let kinds: BTreeSet<_> = places.iter().map(|it| (it.namespace(), it.relation())).collect();
        for (namespace, relation) in kinds {
            let question = ObjectsQuestion { namespace, relation, subject };
            let found = self.pages(|evaluator, part| evaluator.list_objects(question, part))?;
            let is_asked = |it: &&Userset| it.namespace() == namespace && it.relation() == relation;
            let expected = self.sorted(allowed.iter().filter(is_asked).map(|it| it.name()));
            let (class, relation) = (self.graph.symbols().namespace_name(namespace), self.relation(relation));
            ensure!(found == expected, "objects {class}#{relation} of {subject:?}: {found:?}, expected {expected:?}");
        }
        Ok(())
    }

    /// The subjects of every kind that have the relation.
    pub(super) fn subjects(
        &self,
        userset: Userset,
        kinds: &BTreeSet<(NamespaceId, RelationId)>,
    ) -> Result<(), Mismatch> {
        for (namespace, relation) in kinds.iter().copied() {
            let question = SubjectsQuestion { userset, namespace, relation };
            let found = self.pages(|evaluator, part| evaluator.list_subjects(question, part))?;
            let mut objects = Vec::new();
            let mut graph = self.graph.at(NOW);
            let _ = graph.objects(namespace, usize::MAX, &mut objects);
            let is_allowed = |name: &NameId| {
                let subject = Userset::new(namespace, *name, relation);
                self.evaluator(|it| it.check(userset, subject)) == Poll::Ready(Ok(true))
            };
            let expected = self.sorted(objects.into_iter().filter(is_allowed));
            let (class, relation) = (self.graph.symbols().namespace_name(namespace), self.relation(relation));
            ensure!(found == expected, "subjects {class}#{relation} of {userset:?}: {found:?}, expected {expected:?}");
        }
        Ok(())
    }

    /// The relations that the subject has to the object.
    pub(super) fn actions(
        &self,
        object: Userset,
        subject: SubjectNumber,
        allowed: &BTreeSet<Userset>,
    ) -> Result<(), Mismatch> {
        let actions = self.evaluator(|it| it.list_actions(object, subject));
        let Poll::Ready(Actions { allowed: mut found, failed }) = actions else { bail!("pending in the graph") };
        found.sort_unstable();
        let is_declared = |it: &RelationId| {
            let declares = self.schema.definitions(object.namespace()).any(|definition| definition.relation == *it);
            declares || !self.schema.is_closed(object.namespace())
        };
        let has_tuples = |it: &RelationId| {
            let mut used = Vec::new();
            let mut graph = self.graph.at(NOW);
            let _ = graph.relations_in_use(object.namespace(), &mut used);
            self.schema.is_closed(object.namespace()) || used.contains(it)
        };
        let on_object =
            allowed.iter().filter(|it| it.with_relation(RelationId::NONE) == object).map(|it| it.relation());
        let mut expected: Vec<_> = on_object.filter(is_declared).filter(has_tuples).collect();
        expected.sort_unstable();
        ensure!(
            found == expected,
            "actions on {object:?} of {subject:?}: {found:?}, expected {expected:?} ({failed:?})"
        );
        Ok(())
    }

    /// A store that is read in rounds lists what the graph lists.
    pub(super) fn in_rounds(&self, store: &Store<'_>, place: Userset, subject: SubjectNumber) -> Result<(), Mismatch> {
        let (namespace, relation) = (place.namespace(), place.relation());
        let part = Part { after: None, limit: PAGE };
        let question = ObjectsQuestion { namespace, relation, subject };
        let objects = store.ask(|evaluator| evaluator.list_objects(question, part))?.answer;
        let expected = self.evaluator(|evaluator| evaluator.list_objects(question, part));
        ensure!(Poll::Ready(objects.clone()) == expected, "{question:?}: {objects:?} in rounds, {expected:?} at once");
        let (namespace, relation) = (subject.namespace(), subject.relation());
        let question = SubjectsQuestion { userset: place, namespace, relation };
        let subjects = store.ask(|evaluator| evaluator.list_subjects(question, part))?.answer;
        let expected = self.evaluator(|evaluator| evaluator.list_subjects(question, part));
        ensure!(
            Poll::Ready(subjects.clone()) == expected,
            "{question:?}: {subjects:?} in rounds, {expected:?} at once"
        );
        let actions = store.ask(|evaluator| evaluator.list_actions(place, subject))?.answer;
        let expected = self.evaluator(|evaluator| evaluator.list_actions(place, subject));
        ensure!(Poll::Ready(actions.clone()) == expected, "{actions:?} in rounds, {expected:?} at once");
        Ok(())
    }

    fn evaluator<T>(&self, ask: impl FnOnce(&mut Evaluator<'_, GraphAt<'_>, TestConditions<'_>>) -> T) -> T {
        let (mut relations, mut conditions) = (self.graph.at(NOW), TestConditions(self.graph.symbols()));
        let (schema, relations, conditions) = (self.schema, &mut relations, &mut conditions);
        let (scratch, limits) = (&mut Scratch::default(), self.limits);
        ask(&mut Evaluator::new(EvaluatorParts { schema, relations, conditions, scratch, limits, now: NOW }))
    }

    /// All pages of a listing.
    fn pages(
        &self,
        ask: impl Fn(&mut Evaluator<'_, GraphAt<'_>, TestConditions<'_>>, Part<'_>) -> Poll<Listing>,
    ) -> Result<Vec<String>, Mismatch> {
        let mut found: Vec<String> = Vec::new();
        loop {
            let part = Part { after: found.last().map(String::as_str), limit: PAGE };
            let Poll::Ready(listing) = self.evaluator(|evaluator| ask(evaluator, part)) else {
                bail!("pending in the graph")
            };
            ensure!(listing.truncated.is_none(), "truncated: {:?}", listing.truncated);
            ensure!(listing.names.len() <= PAGE, "a page of {}", listing.names.len());
            let names: Vec<String> =
                listing.names.iter().map(|name| self.graph.names().name(*name).to_owned()).collect();
            let is_after = names.first().zip(found.last()).is_none_or(|(first, last)| first > last);
            ensure!(is_after, "{names:?} follows {found:?}");
            found.extend(names);
            if !listing.has_more {
                return Ok(found);
            }
            ensure!(!found.is_empty(), "a page without results says that there are more");
        }
    }

    fn relation(&self, relation: RelationId) -> &str {
        self.graph.symbols().relation_name(relation)
    }

    fn sorted(&self, names: impl Iterator<Item = NameId>) -> Vec<String> {
        let names: BTreeSet<String> = names.map(|name| self.graph.names().name(name).to_owned()).collect();
        names.into_iter().collect()
    }
}
