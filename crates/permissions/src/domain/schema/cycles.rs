//! Which definitions refer to themselves on the same object, such as `a: this.permits.b(ctx)` and `b: this.permits.a(ctx)`.
//!
//! The strongly connected components of the references, found by Tarjan's algorithm with a stack of its own, because a chain of
//! permits may be as long as the model.

use super::definition::{Definition, Operand, references};
use crate::domain::hashing::IdMap;
use crate::domain::ids::{NamespaceId, RelationId};

const UNSEEN: usize = usize::MAX;

pub(super) fn mark(
    definitions: &mut [Definition],
    by_name: &IdMap<(NamespaceId, RelationId), u32>,
    formulas: &[Operand],
) {
    let edges: Vec<Vec<usize>> = definitions
        .iter()
        .map(|definition| {
            let mut targets = Vec::new();
            references(&definition.alternatives, formulas, &mut |relation| {
                targets.extend(by_name.get(&(definition.namespace, relation)).map(|index| *index as usize));
            });
            targets
        })
        .collect();
    for component in components(&edges) {
        if let [single] = component[..] {
            definitions[single].is_cyclic = edges[single].contains(&single);
        } else {
            for index in component {
                definitions[index].is_cyclic = true;
            }
        }
    }
}

fn components(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut search = Search {
        edges,
        order: vec![UNSEEN; edges.len()],
        low: vec![0; edges.len()],
        open: Vec::new(),
        is_open: vec![false; edges.len()],
        visited: 0,
        found: Vec::new(),
    };
    for root in 0..edges.len() {
        if search.order[root] == UNSEEN {
            search.from(root);
        }
    }
    search.found
}

struct Search<'e> {
    edges: &'e [Vec<usize>],
    order: Vec<usize>,
    low: Vec<usize>,
    open: Vec<usize>,
    is_open: Vec<bool>,
    visited: usize,
    found: Vec<Vec<usize>>,
}

impl Search<'_> {
    fn from(&mut self, root: usize) {
        let mut stack = vec![(root, 0)];
        self.enter(root);
        while let Some((node, next)) = stack.pop() {
            if let Some(&target) = self.edges[node].get(next) {
                stack.push((node, next + 1));
                if self.order[target] == UNSEEN {
                    self.enter(target);
                    stack.push((target, 0));
                } else if self.is_open[target] {
                    self.low[node] = self.low[node].min(self.order[target]);
                }
                continue;
            }
            if let Some(&(parent, _)) = stack.last() {
                self.low[parent] = self.low[parent].min(self.low[node]);
            }
            if self.low[node] == self.order[node] {
                self.close(node);
            }
        }
    }

    fn enter(&mut self, node: usize) {
        self.order[node] = self.visited;
        self.low[node] = self.visited;
        self.visited += 1;
        self.open.push(node);
        self.is_open[node] = true;
    }

    fn close(&mut self, node: usize) {
        let mut component = Vec::new();
        while let Some(member) = self.open.pop() {
            self.is_open[member] = false;
            component.push(member);
            if member == node {
                break;
            }
        }
        self.found.push(component);
    }
}
