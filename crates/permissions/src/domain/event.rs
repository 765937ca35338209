//! The events of this service.

use std::iter::Peekable;

use jobs::{DomainEvent, Subject};
use serde::{Deserialize, Serialize};

use super::snapshot::Snapshot;
use super::tuple_key::TupleKey;
use super::tuple_record::TupleRecord;

/// The most relation tuples of one event. A larger change has several events.
pub const LARGEST_EVENT: usize = 1_000;
/// The most bytes of the texts of one event, so that whoever holds an event holds little. A larger relation tuple has an event of
/// its own.
pub const LARGEST_EVENT_BYTES: usize = 256 * 1024;

/// An event of this service.
#[derive(Clone, Debug, Serialize)]
pub enum Event {
    /// Relation tuples were written or deleted, by one transaction. A tuple that was written again with another condition or
    /// expiry is among `inserted`. Deletions come after insertions. Tuples that expire have no event.
    RelationTuplesChanged {
        /// The namespace of the tuples; empty when there are several.
        #[serde(skip)]
        namespace: String,
        /// The sequence of the event before this one, so that a reader notices a missing one; 0 for the first of a tenant.
        previous: i64,
        inserted: Vec<TupleRecord>,
        deleted: Vec<TupleKey>,
    },
}

impl DomainEvent for Event {
    fn subject(&self) -> Subject<'_> {
        match self {
            Self::RelationTuplesChanged { namespace, .. } => Subject::Namespace(namespace.into()),
        }
    }
}

impl Event {
    /// The event that follows the one of this snapshot.
    #[must_use]
    pub fn after(self, snapshot: Snapshot) -> Self {
        let Self::RelationTuplesChanged { namespace, inserted, deleted, .. } = self;
        Self::RelationTuplesChanged { namespace, previous: snapshot.0, inserted, deleted }
    }

    /// The events of one change, in their order; none when nothing changed.
    pub fn of_change(inserted: Vec<TupleRecord>, deleted: Vec<TupleKey>) -> Vec<Self> {
        let mut events = Vec::new();
        let (mut inserted, mut deleted) = (inserted.into_iter().peekable(), deleted.into_iter().peekable());
        loop {
            let mut contents = Contents::default();
            let written = contents.take(&mut inserted, TupleRecord::text_bytes);
            // Deletions come after all insertions.
            let removed = match inserted.peek() {
                None => contents.take(&mut deleted, TupleKey::text_bytes),
                Some(_) => Vec::new(),
            };
            if written.is_empty() && removed.is_empty() {
                return events;
            }
            let namespace = common_namespace(&written, &removed);
            events.push(Self::RelationTuplesChanged { namespace, previous: 0, inserted: written, deleted: removed });
        }
    }
}

/// How much an event has.
#[derive(Default)]
struct Contents {
    tuples: usize,
    bytes: usize,
}

impl Contents {
    /// Takes as many tuples as the event can have besides those that it has.
    fn take<T>(&mut self, from: &mut Peekable<impl Iterator<Item = T>>, bytes_of: fn(&T) -> usize) -> Vec<T> {
        let mut taken = Vec::new();
        while let Some(bytes) = from.peek().map(bytes_of)
            && self.accepts(bytes)
        {
            taken.extend(from.next());
            self.tuples += 1;
            self.bytes += bytes;
        }
        taken
    }

    const fn accepts(&self, bytes: usize) -> bool {
        self.tuples == 0 || (self.tuples < LARGEST_EVENT && self.bytes + bytes <= LARGEST_EVENT_BYTES)
    }
}

fn common_namespace(inserted: &[TupleRecord], deleted: &[TupleKey]) -> String {
    let mut names = inserted.iter().map(|it| &it.0).chain(deleted.iter().map(|it| &it.0));
    let first = names.next().cloned().unwrap_or_default();
    if names.all(|name| *name == first) { first } else { String::new() }
}

/// The attributes of an event, for readers of the log.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ChangedTuples {
    pub previous: i64,
    pub inserted: Vec<TupleRecord>,
    pub deleted: Vec<TupleKey>,
}

impl ChangedTuples {
    /// The number of tuples.
    pub fn len(&self) -> usize {
        self.inserted.len() + self.deleted.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The memory that it takes, without what the allocator adds.
    pub fn bytes(&self) -> usize {
        let inserted = self.inserted.iter().map(|it| size_of_val(it) + it.text_bytes());
        let deleted = self.deleted.iter().map(|it| size_of_val(it) + it.text_bytes());
        inserted.chain(deleted).sum()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::relation_tuple::{RelationTuple, StoredTuple, Subject as TupleSubject};

    fn key(namespace: &str, object: usize) -> TupleKey {
        let text = |text: &str| text.to_owned();
        TupleKey(text(namespace), object.to_string(), text("viewer"), String::new(), text("ada"), String::new())
    }

    fn record(namespace: &str) -> TupleRecord {
        let tuple = RelationTuple {
            namespace: namespace.into(),
            object: "a".into(),
            relation: "viewer".into(),
            subject: TupleSubject::Id("ada".into()),
        };
        TupleRecord::from(&StoredTuple::from(tuple))
    }

    #[test]
    fn an_event_has_its_name_its_subject_and_its_attributes() {
        let events = Event::of_change(vec![record("Doc")], vec![key("Doc", 7)]);
        assert_eq!(
            serde_json::to_value(&events).unwrap(),
            json!([{"RelationTuplesChanged": {
                "previous": 0,
                "inserted": [["Doc", "a", "viewer", "", "ada", "", "", null, null]],
                "deleted": [["Doc", "7", "viewer", "", "ada", ""]],
            }}])
        );
        assert_eq!(events[0].subject(), Subject::Namespace("Doc".into()));
        let value = serde_json::to_value(events[0].clone().after(Snapshot(5))).unwrap();
        let read: ChangedTuples = serde_json::from_value(value["RelationTuplesChanged"].clone()).unwrap();
        assert_eq!(read, ChangedTuples { previous: 5, inserted: vec![record("Doc")], deleted: vec![key("Doc", 7)] });
        let several = Event::of_change(vec![record("Doc")], vec![key("Group", 7)]);
        assert_eq!(several[0].subject(), Subject::Namespace("".into()));
        assert_eq!(
            serde_json::to_value(&several).unwrap()[0].as_object().unwrap().keys().next().unwrap(),
            jobs::TUPLES_CHANGED
        );
    }

    #[test]
    fn a_large_change_has_several_events_and_no_change_has_none() {
        assert!(Event::of_change(Vec::new(), Vec::new()).is_empty());
        let events = Event::of_change(vec![record("Doc"); 1500], (0..1500).map(|it| key("Doc", it)).collect());
        let sizes: Vec<_> = events
            .iter()
            .map(|Event::RelationTuplesChanged { inserted, deleted, .. }| (inserted.len(), deleted.len()))
            .collect();
        assert_eq!(sizes, [(1000, 0), (500, 500), (0, 1000)]);
    }

    #[test]
    fn an_event_has_a_bounded_number_of_bytes_and_a_larger_tuple_is_alone() {
        let with_context = |bytes: usize| TupleRecord { 7: Some("x".repeat(bytes)), ..record("Doc") };
        let inserted: Vec<_> = (0..1000).map(|_| with_context(4096)).collect();
        let events = Event::of_change(inserted.clone(), vec![key("Doc", 7)]);
        let mut written = Vec::new();
        for Event::RelationTuplesChanged { inserted, deleted, .. } in &events {
            let bytes: usize = inserted.iter().map(TupleRecord::text_bytes).sum();
            assert!((1..=LARGEST_EVENT_BYTES).contains(&bytes), "{bytes}");
            assert!(deleted.is_empty() || written.len() + inserted.len() == 1000, "deletions come last");
            written.extend(inserted.clone());
        }
        assert_eq!((written, events.len()), (inserted, 1000 / (LARGEST_EVENT_BYTES / 4096 - 1) + 1));
        let large = || with_context(LARGEST_EVENT_BYTES + 1);
        let events = Event::of_change(vec![record("Doc"), large(), large(), record("Doc")], Vec::new());
        assert_eq!(events.len(), 4);
    }
}
