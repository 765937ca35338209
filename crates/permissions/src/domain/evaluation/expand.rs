//! The tree of subjects that have a relation to an object.
//!
//! Specification: Keto's expand request. A userset that is not expanded, because the depth is used up or it stands above itself, is
//! a leaf. Permits are followed only if the caller asks for it: then a permit is the node of its outermost operator, without its
//! own tuples, and a node of an operator or a traversal is on the level of the permit.
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
use crate::domain::schema::{Accepted, Alternative, Operand, Rules, Schema};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// The first is the root.
    pub nodes: Vec<Node>,
    /// Why nodes may be missing.
    pub truncated: Option<Cut>,
}

/// Why subjects may be missing in a tree. Of several reasons, the first of this order is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Cut {
    #[error("the tree has more nodes than limit.max_expand_size")]
    Nodes,
    #[error("the tree needs more steps than allowed; ask about a smaller part of it")]
    Steps,
    #[error(
        "subject sets on the last level are not expanded; raise limit.max_read_depth, and max-depth if the request has one, or ask about them"
    )]
    Depth,
    #[error(
        "an expansion follows relations, not permits; list the subjects of a permit by kleis permissions list-subjects, GET \
         /relation-tuples/subjects or ListSubjects, or set feature_flags.expand_rewrites"
    )]
    Permit,
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
    /// The root is at level 1, and tuples are not read at this level.
    pub depth: u16,
    /// How many nodes stand above each other. Operators have no level of their own.
    pub nesting: u16,
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
}

#[derive(Clone, Copy)]
struct Place {
    node: usize,
    level: u16,
    nesting: u16,
}

struct Open<'s> {
    place: Place,
    source: Source<'s>,
}

/// A node as its descendants look at it.
struct Above {
    parent: Option<usize>,
    /// The members of its subject are below it. Below a traversal are those of other relations.
    is_userset: bool,
}

struct Expansion<'s> {
    options: ExpandOptions,
    tree: Tree,
    /// For each node.
    above: Vec<Above>,
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

    /// Adds a node that is expanded later.
    fn add(&mut self, parent: Option<Place>, level: u16, subject: Option<SubjectNumber>, source: Option<Source<'s>>) {
        if self.tree.nodes.len() >= self.options.nodes {
            // From now on nothing is read any more.
            self.cut(Cut::Nodes);
            return;
        }
        let node = self.tree.nodes.len();
        self.tree.nodes.push(Node { kind: NodeKind::Leaf, subject, children: Vec::new() });
        let is_userset = matches!(source, Some(Source::Userset(_)));
        self.above.push(Above { parent: parent.map(|it| it.node), is_userset });
        if let Some(parent) = parent {
            self.tree.nodes[parent.node].children.push(node);
        }
        if let Some(source) = source {
            let nesting = parent.map_or(1, |it| it.nesting.saturating_add(1));
            self.open.push_back(Open { place: Place { node, level, nesting }, source });
        }
    }

    /// A node was refused.
    fn is_full(&self) -> bool {
        self.tree.truncated == Some(Cut::Nodes) && self.tree.nodes.len() >= self.options.nodes
    }

    fn stands_above(&self, subject: Userset, node: usize) -> bool {
        let above = std::iter::successors(self.above[node].parent, |node| self.above[*node].parent);
        above.into_iter().any(|node| self.above[node].is_userset && self.tree.nodes[node].subject == Some(subject))
    }
}

impl<'a, R: Directory, C: Conditions> Evaluator<'a, R, C> {
    /// The members of the userset. Tuples that have expired, or whose condition does not hold, are left out.
    pub fn expand(&mut self, userset: Userset, options: ExpandOptions) -> Poll<Tree> {
        self.steps = self.limits.steps;
        let tree = Tree { nodes: Vec::new(), truncated: None };
        let mut expansion = Expansion { options, tree, above: Vec::new(), open: VecDeque::new(), pending: 0 };
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

    fn expand_node(&mut self, Open { place, source }: &Open<'a>, expansion: &mut Expansion<'a>) {
        let place = *place;
        let kind = match *source {
            Source::Userset(userset) if !userset.is_set() || expansion.stands_above(userset, place.node) => return,
            _ if place.nesting >= expansion.options.nesting => return expansion.cut(Cut::Depth),
            Source::Userset(userset)
                if let Some(permit) = self.permit(userset)
                    && expansion.options.follow_permits =>
            {
                add_permit(self.schema, permit, userset, place, expansion)
            }
            Source::Operand(operand, object) => add_operand(self.schema, operand, object, place, expansion),
            Source::Userset(_) | Source::Traverse(..) if place.level >= expansion.options.depth => {
                return expansion.cut(Cut::Depth);
            }
            Source::Userset(userset) => {
                if self.permit(userset).is_some() {
                    expansion.cut(Cut::Permit);
                }
                self.expand_userset(userset, place, expansion);
                NodeKind::Union
            }
            Source::Traverse(through, target) => {
                self.expand_traversal(through, target, place, expansion);
                NodeKind::Union
            }
        };
        if !expansion.tree.nodes[place.node].children.is_empty() {
            expansion.tree.nodes[place.node].kind = kind;
        }
    }

    /// The alternatives of the userset, if it is a permit.
    fn permit(&self, userset: Userset) -> Option<&'a [Alternative]> {
        match self.schema.rules(userset.namespace(), userset.relation()) {
            Rules::Declared(definition) if definition.is_permit => Some(&definition.alternatives),
            Rules::Declared(_) | Rules::TuplesOnly(_) | Rules::Undeclared => None,
        }
    }

    fn expand_userset(&mut self, userset: Userset, place: Place, expansion: &mut Expansion<'a>) {
        let accepted = match self.schema.accepted(userset.namespace(), userset.relation()) {
            Some(accepted) => accepted,
            None if self.schema.is_strict() => return,
            // What was written for the relation, as in Keto.
            None => &Accepted::All,
        };
        for link in self.read(userset, SubjectKind::All, accepted, expansion) {
            let source = Source::Userset(link.subject);
            expansion.add(Some(place), place.level + 1, Some(link.subject), Some(source));
        }
    }

    fn expand_traversal(&mut self, through: Userset, target: RelationId, place: Place, expansion: &mut Expansion<'a>) {
        let Some(accepted) = self.schema.accepted(through.namespace(), through.relation()) else { return };
        for link in self.read(through, SubjectKind::Objects, accepted, expansion) {
            let userset = link.subject.with_relation(target);
            expansion.add(Some(place), place.level + 1, Some(userset), Some(Source::Userset(userset)));
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

/// The parts of an expression in the order of Keto: other relations, traversals, nested expressions, exclusions, conditions.
fn rank(operand: &Operand) -> u8 {
    match operand {
        Operand::Has(_) => 0,
        Operand::Union(alternatives) if matches!(**alternatives, [Alternative::Traverse { .. }]) => 1,
        Operand::Union(_) | Operand::All(_) => 2,
        Operand::Not(_) => 3,
        Operand::Meets(_) => 4,
    }
}

/// Adds the operands of a permit's outermost operator.
fn add_permit<'s>(
    schema: &'s Schema,
    alternatives: &'s [Alternative],
    object: Userset,
    place: Place,
    expansion: &mut Expansion<'s>,
) -> NodeKind {
    match alternatives {
        [Alternative::Formula(id)] if let Some(operand @ Operand::All(_)) = schema.formula(*id) => {
            add_operand(schema, operand, object, place, expansion)
        }
        _ => add_alternatives(schema, alternatives, object, place, expansion),
    }
}

fn add_alternatives<'s>(
    schema: &'s Schema,
    alternatives: &'s [Alternative],
    object: Userset,
    place: Place,
    expansion: &mut Expansion<'s>,
) -> NodeKind {
    let mut sorted: Vec<&Alternative> = alternatives.iter().collect();
    sorted.sort_by_key(|alternative| match alternative {
        Alternative::Has(_) => 0,
        Alternative::Traverse { .. } => 1,
        Alternative::Formula(id) => schema.formula(*id).map_or(2, rank),
    });
    for alternative in sorted {
        add_alternative(schema, *alternative, object, place, expansion);
    }
    NodeKind::Union
}

fn add_alternative<'s>(
    schema: &'s Schema,
    alternative: Alternative,
    object: Userset,
    place: Place,
    expansion: &mut Expansion<'s>,
) {
    match alternative {
        Alternative::Has(relation) => {
            let userset = object.with_relation(relation);
            expansion.add(Some(place), place.level + 1, Some(userset), Some(Source::Userset(userset)));
        }
        Alternative::Traverse { relation, target } => {
            let through = object.with_relation(relation);
            expansion.add(Some(place), place.level, Some(through), Some(Source::Traverse(through, target)));
        }
        Alternative::Formula(id) => {
            let source = schema.formula(id).map(|operand| Source::Operand(operand, object));
            expansion.add(Some(place), place.level, None, source);
        }
    }
}

/// Adds the operands of an operator to its node.
fn add_operand<'s>(
    schema: &'s Schema,
    operand: &'s Operand,
    object: Userset,
    place: Place,
    expansion: &mut Expansion<'s>,
) -> NodeKind {
    match operand {
        Operand::All(operands) => {
            let mut sorted: Vec<&Operand> = operands.iter().collect();
            sorted.sort_by_key(|operand| rank(operand));
            for operand in sorted {
                add_part(schema, operand, object, place, expansion);
            }
            NodeKind::Intersection
        }
        Operand::Not(inner) => {
            add_part(schema, inner, object, place, expansion);
            NodeKind::Exclusion
        }
        Operand::Union(alternatives) => add_alternatives(schema, alternatives, object, place, expansion),
        Operand::Has(_) => {
            add_part(schema, operand, object, place, expansion);
            NodeKind::Union
        }
        Operand::Meets(_) => NodeKind::Leaf,
    }
}

/// Adds the node of an operand.
fn add_part<'s>(
    schema: &'s Schema,
    operand: &'s Operand,
    object: Userset,
    place: Place,
    expansion: &mut Expansion<'s>,
) {
    match operand {
        Operand::Has(relation) => add_alternative(schema, Alternative::Has(*relation), object, place, expansion),
        // A single alternative is no operator.
        Operand::Union(alternatives) if let [alternative] = **alternatives => {
            add_alternative(schema, alternative, object, place, expansion);
        }
        Operand::Union(_) | Operand::All(_) | Operand::Not(_) => {
            expansion.add(Some(place), place.level, None, Some(Source::Operand(operand, object)));
        }
        Operand::Meets(_) => expansion.add(Some(place), place.level, None, None),
    }
}
