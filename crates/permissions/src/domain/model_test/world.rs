//! The relation tuples of a test in memory, with the schema of the model.
//!
//! Invariant: a tuple that the service would refuse is a fault. Its expiry may be past, because a test chooses its time.

use std::collections::HashMap;
use std::sync::Arc;

use base::Timestamp;
use permission_language::Model;
use serde_json::Value;

use super::document::{TestFile, TupleEntry, Validation};
use crate::domain::condition::CompiledCondition;
use crate::domain::graph::Graph;
use crate::domain::ids::ConditionId;
use crate::domain::relation_tuple::{StoredTuple, TupleCondition};
use crate::domain::schema::Schema;
use crate::domain::write_validation::WriteRules;

/// Before every expiry that can be written.
const BEGINNING: Timestamp = Timestamp::from_unix_micros(i64::MIN);

pub(super) struct World {
    pub(super) graph: Graph,
    pub(super) schema: Schema,
    pub(super) conditions: HashMap<ConditionId, Arc<CompiledCondition>>,
    /// Whether answers may change with the time because tuples expire.
    pub(super) has_expiry: bool,
}

impl World {
    /// The tuples of the file, and those of a test.
    pub(super) fn new(
        model: &Model,
        compiled: &[Arc<CompiledCondition>],
        file: &TestFile,
        of_test: &[TupleEntry],
    ) -> Result<Self, Vec<String>> {
        let mut graph = Graph::default();
        let schema = Schema::compile(model, graph.symbols_mut(), file.strict_mode);
        let schema = schema.map_err(|error| vec![error.to_string()])?;
        let mut conditions = HashMap::new();
        for condition in compiled {
            let id = graph.symbols_mut().intern_condition(condition.name()).map_err(|error| vec![error.to_string()])?;
            conditions.insert(id, condition.clone());
        }
        let (mut faults, mut has_expiry) = (Vec::new(), false);
        for entry in file.tuples.iter().chain(of_test) {
            let stored = match stored(entry, model, file.write_rules()) {
                Ok(stored) => stored,
                Err(problem) => {
                    faults.push(problem);
                    continue;
                }
            };
            has_expiry |= stored.expires_at.is_some();
            if let Err(error) = graph.insert(&stored) {
                faults.push(error.to_string());
                break;
            }
        }
        if faults.is_empty() { Ok(Self { graph, schema, conditions, has_expiry }) } else { Err(faults) }
    }
}

impl TestFile {
    pub(super) fn write_rules(&self) -> WriteRules {
        WriteRules { checks_types: self.write_validation == Validation::Strict, refuses_subject_ids: self.strict_mode }
    }
}

fn stored(entry: &TupleEntry, model: &Model, rules: WriteRules) -> Result<StoredTuple, String> {
    let TupleEntry { tuple, condition, expires_at } = entry;
    let stored = StoredTuple {
        tuple: tuple.parse().map_err(|error| format!("tuples: {error}"))?,
        condition: condition.as_ref().map(|it| TupleCondition {
            name: it.name.clone(),
            context: (!it.context.is_empty()).then(|| Value::from(it.context.clone()).to_string()),
        }),
        expires_at: *expires_at,
    };
    rules.check(model, &stored, BEGINNING).map_err(|error| format!("tuples: {tuple}: {error}"))?;
    Ok(stored)
}
