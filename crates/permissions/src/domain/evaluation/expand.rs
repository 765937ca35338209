//! The tree of subjects that have a relation to an object.
//!
//! Specification: Keto's expand request. A userset that is not expanded, because the depth is used up or it stands above itself, is
//! a leaf. Permits are followed only if the caller asks for it.
//!
//! Invariants:
//! - The nodes lie in one list, so neither building nor dropping a deep tree needs the native stack.
//! - The tree has at most the number of nodes that is allowed; one that may lack some says so.
//! - The subjects of a tuple are in the order of their texts, whichever reader there is.

use std::collections::VecDeque;
use std::task::Poll;

use super::check::Evaluator;
use super::outcome::Value;
use super::relations::{Conditions, Link, SubjectKind};
use super::reverse::Directory;
use crate::domain::ids::{RelationId, SubjectNumber, Userset};
use crate::domain::schema::{Accepted, Alternative, Operand, Rules};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// The first is the root.
    pub nodes: Vec<Node>,
    /// Why nodes may be missing.
    pub truncated: Option<Cut>,
}

/// The limit that a tree ends at. Of several, the first of this order is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Cut {
    #[error("the tree has more nodes than limit.max_expand_size")]
    Nodes,
    #[error("the tree needs more steps than allowed; ask about a smaller part of it")]
    Steps,
    #[error(
        "subject sets on the last level are not expanded; raise max-depth or limit.max_read_depth, or ask about them"
    )]
    Depth,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub kind: NodeKind,
    /// None for a part of a permit's expression.
    pub subject: Option<SubjectNumber>,
    /// Their positions in the list.
    pub children: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    Leaf,
    Union,
    Intersection,
    /// Everybody but the members of its child.
    Exclusion,
}

#[derive(Clone, Copy, Debug)]
pub struct ExpandOptions {
    /// The root is at level 1, and a node at this level is not expanded.
    pub depth: u16,
    pub nodes: usize,
    /// Whether the expressions of permits are followed.
    pub follow_permits: bool,
}

/// What a node stands for and has to be expanded to.
enum Source<'s> {
    Userset(Userset),
    /// The objects of a relation, at another relation each.
    Traverse(Userset, RelationId),
    Operand(&'s Operand, Userset),
    Union(&'s [Alternative], Userset),
}

struct Open<'s> {
    node: usize,
    parent: Option<usize>,
    level: u16,
    source: Source<'s>,
}

struct Expansion<'s> {
    options: ExpandOptions,
    tree: Tree,
    /// For each node, its parent.
    parents: Vec<Option<usize>>,
    open: VecDeque<Open<'s>>,
    /// Reads whose answers are missing.
    pending: usize,
}

/// The reads of one round: each may have as many answers as a tree has nodes.
const MOST_PENDING: usize = 64;

impl<'s> Expansion<'s> {
    fn cut(&mut self, cut: Cut) {
        self.tree.truncated = Some(self.tree.truncated.map_or(cut, |other| other.min(cut)));
    }

    /// Adds a child that is expanded later.
    fn add(&mut self, parent: Option<usize>, level: u16, subject: Option<SubjectNumber>, source: Option<Source<'s>>) {
        if self.tree.nodes.len() >= self.options.nodes {
            // From now on nothing is read any more.
            self.cut(Cut::Nodes);
            return;
        }
        let node = self.tree.nodes.len();
        self.tree.nodes.push(Node { kind: NodeKind::Leaf, subject, children: Vec::new() });
        self.parents.push(parent);
        if let Some(parent) = parent {
            self.tree.nodes[parent].children.push(node);
        }
        if let Some(source) = source {
            self.open.push_back(Open { node, parent, level, source });
        }
    }

    /// A node was refused.
    fn is_full(&self) -> bool {
        self.tree.truncated == Some(Cut::Nodes) && self.tree.nodes.len() >= self.options.nodes
    }

    fn stands_above(&self, subject: Userset, parent: Option<usize>) -> bool {
        let above = std::iter::successors(parent, |node| self.parents[*node]);
        above.into_iter().any(|node| self.tree.nodes[node].subject == Some(subject))
    }
}

impl<'a, R: Directory, C: Conditions> Evaluator<'a, R, C> {
    /// The members of the userset. Tuples that have expired, or whose condition does not hold, are left out.
    pub fn expand(&mut self, userset: Userset, options: ExpandOptions) -> Poll<Tree> {
        self.steps = self.limits.steps;
        let tree = Tree { nodes: Vec::new(), truncated: None };
        let mut expansion = Expansion { options, tree, parents: Vec::new(), open: VecDeque::new(), pending: 0 };
        expansion.add(None, 1, Some(userset), Some(Source::Userset(userset)));
        while let Some(open) = expansion.open.pop_front() {
            if expansion.is_full() || expansion.pending >= MOST_PENDING {
                break;
            }
            if !self.step() {
                expansion.cut(Cut::Steps);
                break;
            }
            self.expand_node(&open, &mut expansion);
        }
        if expansion.pending > 0 { Poll::Pending } else { Poll::Ready(expansion.tree) }
    }

    fn expand_node(&mut self, open: &Open<'a>, expansion: &mut Expansion<'a>) {
        let kind = match open.source {
            Source::Userset(userset) if !userset.is_set() || expansion.stands_above(userset, open.parent) => return,
            _ if open.level >= expansion.options.depth => return expansion.cut(Cut::Depth),
            Source::Userset(userset) => {
                self.expand_userset(userset, open, expansion);
                NodeKind::Union
            }
            Source::Traverse(through, target) => {
                self.expand_traversal(through, target, open, expansion);
                NodeKind::Union
            }
            Source::Union(alternatives, object) => {
                add_alternatives(self.schema, alternatives, object, open, expansion);
                NodeKind::Union
            }
            Source::Operand(operand, object) => add_operand(operand, object, open, expansion),
        };
        if !expansion.tree.nodes[open.node].children.is_empty() {
            expansion.tree.nodes[open.node].kind = kind;
        }
    }

    fn expand_userset(&mut self, userset: Userset, open: &Open<'a>, expansion: &mut Expansion<'a>) {
        let (accepted, alternatives): (&Accepted, &'a [Alternative]) =
            match self.schema.rules(userset.namespace(), userset.relation()) {
                Rules::Undeclared if self.schema.is_strict() => return,
                // What was written for the relation, as in Keto.
                Rules::Undeclared => (&Accepted::All, &[]),
                Rules::TuplesOnly(accepted) => (accepted, &[]),
                Rules::Declared(definition) => (&definition.accepted, &definition.alternatives),
            };
        for link in self.read(userset, SubjectKind::All, accepted, expansion) {
            let source = Source::Userset(link.subject);
            expansion.add(Some(open.node), open.level + 1, Some(link.subject), Some(source));
        }
        if expansion.options.follow_permits {
            add_alternatives(self.schema, alternatives, userset, open, expansion);
        }
    }

    fn expand_traversal(
        &mut self,
        through: Userset,
        target: RelationId,
        open: &Open<'a>,
        expansion: &mut Expansion<'a>,
    ) {
        let Some(accepted) = self.schema.accepted(through.namespace(), through.relation()) else { return };
        for link in self.read(through, SubjectKind::Objects, accepted, expansion) {
            let userset = link.subject.with_relation(target);
            expansion.add(Some(open.node), open.level + 1, Some(userset), Some(Source::Userset(userset)));
        }
    }

    /// The tuples of a userset that count.
    fn read(
        &mut self,
        userset: Userset,
        kind: SubjectKind,
        accepted: &Accepted,
        expansion: &mut Expansion<'a>,
    ) -> Vec<Link> {
        let mut links = Vec::new();
        let most = expansion.options.nodes;
        match self.relations.subjects_by_text(userset, kind, most, &mut links) {
            Poll::Pending => expansion.pending += 1,
            Poll::Ready(count) => {
                if count > most {
                    expansion.cut(Cut::Nodes);
                }
                self.steps = self.steps.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX));
            }
        }
        let is_strict = self.schema.is_strict();
        links.retain(|link| {
            // Strict mode has no subject ids.
            !(is_strict && link.subject.is_id())
                && accepted.admits(link.subject, link.terms.condition)
                && self.counts(&link.terms) == Value::Yes
        });
        links
    }
}

/// Keto sorts them: other relations, traversals, nested expressions.
fn add_alternatives<'s>(
    schema: &'s crate::domain::schema::Schema,
    alternatives: &'s [Alternative],
    object: Userset,
    open: &Open<'s>,
    expansion: &mut Expansion<'s>,
) {
    let rank = |alternative: &Alternative| match alternative {
        Alternative::Has(_) => 0,
        Alternative::Traverse { .. } => 1,
        Alternative::Formula(_) => 2,
    };
    let mut sorted: Vec<Alternative> = alternatives.to_vec();
    sorted.sort_by_key(rank);
    let (parent, level) = (Some(open.node), open.level + 1);
    for alternative in sorted {
        match alternative {
            Alternative::Has(relation) => {
                let userset = object.with_relation(relation);
                expansion.add(parent, level, Some(userset), Some(Source::Userset(userset)));
            }
            Alternative::Traverse { relation, target } => {
                let through = object.with_relation(relation);
                expansion.add(parent, level, Some(through), Some(Source::Traverse(through, target)));
            }
            Alternative::Formula(id) => {
                let source = schema.formula(id).map(|operand| Source::Operand(operand, object));
                expansion.add(parent, level, None, source);
            }
        }
    }
}

fn add_operand<'s>(operand: &'s Operand, object: Userset, open: &Open<'s>, expansion: &mut Expansion<'s>) -> NodeKind {
    let (parent, level) = (Some(open.node), open.level + 1);
    let mut add = |operand: &'s Operand| {
        let (subject, source) = match operand {
            Operand::Has(relation) => {
                let userset = object.with_relation(*relation);
                (Some(userset), Some(Source::Userset(userset)))
            }
            Operand::Union(alternatives) => (None, Some(Source::Union(alternatives, object))),
            Operand::All(_) | Operand::Not(_) => (None, Some(Source::Operand(operand, object))),
            Operand::Meets(_) => (None, None),
        };
        expansion.add(parent, level, subject, source);
    };
    match operand {
        Operand::All(operands) => {
            operands.iter().for_each(add);
            NodeKind::Intersection
        }
        Operand::Not(inner) => {
            add(inner);
            NodeKind::Exclusion
        }
        Operand::Has(_) | Operand::Union(_) => {
            add(operand);
            NodeKind::Union
        }
        Operand::Meets(_) => NodeKind::Leaf,
    }
}
