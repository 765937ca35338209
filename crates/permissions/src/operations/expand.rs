//! The subjects that have a relation to an object, as a tree.

use std::task::Poll;

use base::Context;

use super::check::CheckOptions;
use super::evaluate::{Answered, EvaluateError, Numbers, Question};
use crate::Permissions;
use crate::components::models::Unloaded;
use crate::domain::consistency::Consistency;
use crate::domain::evaluation::Evaluator;
use crate::domain::evaluation::expand::{Cut, ExpandOptions, Node, NodeKind, Tree};
use crate::domain::evaluation::reverse::Directory;
use crate::domain::ids::Userset;
use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::relation_tuple::{Subject, SubjectSet};
use crate::domain::request_conditions::RequestConditions;
use crate::domain::write_validation::check_set;

/// How many nodes of a tree stand above each other at least. Clients of remote procedure calls do not decode deeper messages, so that
/// those ask for as many levels at most.
const NESTED_NODES: u16 = 50;

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
    /// Why nodes may be missing.
    pub truncated: Option<Cut>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectNode {
    pub kind: NodeKind,
    /// `None` for a part of a permit's expression.
    pub subject: Option<Subject>,
    pub children: Vec<usize>,
}

/// The tree of a userset.
struct OfSet<'a> {
    set: &'a SubjectSet,
    options: ExpandOptions,
}

impl Question for OfSet<'_> {
    type Numbered = Userset;
    type Found = Tree;
    type Answer = SubjectTree;

    fn number(&self, numbers: &mut (dyn Numbers + Send)) -> Result<Userset, EvaluateError> {
        let SubjectSet { namespace, object, relation } = self.set;
        numbers.userset(namespace, object, relation)
    }

    fn ask<'q, R: Directory>(
        &'q self,
        userset: &Userset,
        evaluator: &mut Evaluator<'_, R, RequestConditions<'q>>,
    ) -> Poll<Tree> {
        evaluator.expand(*userset, self.options)
    }

    fn present(&self, found: Tree, numbers: &(dyn Numbers + Send)) -> SubjectTree {
        let named = |Node { kind, subject, children }: Node| SubjectNode {
            kind,
            subject: subject.map(|number| numbers.subject_of(number)),
            children,
        };
        SubjectTree { nodes: found.nodes.into_iter().map(named).collect(), truncated: found.truncated }
    }
}

impl Permissions {
    /// The tree of a relation of an object, at most `max_depth` levels of it.
    pub async fn expand(
        &self,
        cx: &Context,
        set: &SubjectSet,
        max_depth: Option<i64>,
        consistency: Consistency,
    ) -> Result<Answered<SubjectTree>, ExpandError> {
        let model = self.models.current()?;
        check_set(&model.model, set)?;
        let asking = self.asking(&model, CheckOptions { max_depth, context: None, consistency });
        // Without a relation it is the object itself.
        if !set.relation.is_empty() && model.schema.is_strict() && !model.accepts(&set.namespace, &set.relation) {
            return Err(ExpandError::UndeclaredRelation(set.relation.clone()));
        }
        let options = ExpandOptions {
            depth: asking.limits.depth,
            nesting: asking.limits.depth.max(NESTED_NODES),
            nodes: self.limits.expand_size().into(),
            follow_permits: self.expands_permits,
        };
        Ok(self.answer(cx, &asking, &OfSet { set, options }).await?)
    }
}
