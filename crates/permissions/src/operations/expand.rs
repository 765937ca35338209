//! The subjects that have a relation to an object, as a tree.

use base::Context;

use super::evaluate::{EvaluateError, Evaluation};
use crate::Permissions;
use crate::components::models::Unloaded;
use crate::domain::evaluation::expand::{ExpandOptions, Node, NodeKind};
use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::relation_tuple::{Subject, SubjectSet};
use crate::domain::write_validation::check_set;

#[derive(Debug, thiserror::Error)]
pub enum ExpandError {
    #[error(transparent)]
    Unloaded(#[from] Unloaded),
    #[error(transparent)]
    Invalid(#[from] InvalidTuple),
    /// In strict mode, a relation that the namespace does not declare.
    #[error("relation \"{0}\" does not exist")]
    UndeclaredRelation(String),
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
}

/// A tree: the first node is the root, and the others are referred to by their positions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectTree {
    pub nodes: Vec<SubjectNode>,
    /// Nodes are missing because of `limit.max_expand_size`.
    pub is_truncated: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectNode {
    pub kind: NodeKind,
    /// `None` for a part of a permit's expression.
    pub subject: Option<Subject>,
    pub children: Vec<usize>,
}

impl Permissions {
    /// The tree of a relation of an object, at most `max_depth` levels of it.
    pub async fn expand(
        &self,
        cx: &Context,
        set: &SubjectSet,
        max_depth: Option<i64>,
    ) -> Result<SubjectTree, ExpandError> {
        let model = self.models.current()?;
        check_set(&model.model, set)?;
        if set.relation.is_empty() {
            // The object itself.
            let node =
                SubjectNode { kind: NodeKind::Leaf, subject: Some(Subject::Set(set.clone())), children: Vec::new() };
            return Ok(SubjectTree { nodes: vec![node], is_truncated: false });
        }
        let limits = self.limits_of(max_depth);
        let mut evaluation = Evaluation::new(&model, limits, None);
        let userset = evaluation.userset(set)?;
        let is_declared = model.schema.accepted(userset.namespace(), userset.relation()).is_some();
        if model.schema.is_strict() && !is_declared {
            return Err(ExpandError::UndeclaredRelation(set.relation.clone()));
        }
        let options = ExpandOptions {
            depth: limits.depth,
            nodes: self.limits.expand_size().into(),
            follow_permits: self.expands_permits,
        };
        let tree = self.evaluate(cx, &mut evaluation, |evaluator| evaluator.expand(userset, options)).await?;
        let is_truncated = tree.is_truncated;
        let named = |Node { kind, subject, children }: Node| SubjectNode {
            kind,
            subject: subject.map(|number| evaluation.subject_of(number)),
            children,
        };
        Ok(SubjectTree { nodes: tree.nodes.into_iter().map(named).collect(), is_truncated })
    }
}
