//! `GET /relation-tuples/expand`. The header `Truncated` says why subjects may be missing: the body is Keto's, and has no place for it.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderName, HeaderValue, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use web::{Cx, RestError};

use super::query::Parameters;
use super::snaptoken;
use super::wire::NodeTuple;
use crate::Permissions;
use crate::domain::evaluation::expand::NodeKind;
use crate::domain::relation_tuple::SubjectSet;
use crate::operations::Answered;
use crate::operations::expand::{SubjectNode, SubjectTree};

const TRUNCATED: HeaderName = HeaderName::from_static("truncated");

pub(super) async fn get(
    State(permissions): State<Arc<Permissions>>,
    Cx(cx): Cx,
    RawQuery(query): RawQuery,
) -> Result<Response, RestError> {
    let parameters = Parameters::of(query.as_deref())?;
    let part = |name: &str| parameters.find(name).unwrap_or_default();
    let set = SubjectSet { namespace: part("namespace"), object: part("object"), relation: part("relation") };
    let max_depth = parameters.max_depth()?;
    let consistency = parameters.consistency(&permissions, &cx).await?;
    let Answered { answer, snapshot } = permissions.expand(&cx, &set, max_depth, consistency).await?;
    let token = snaptoken::of(&permissions, &cx, snapshot).await?;
    let json = HeaderValue::from_static("application/json");
    let mut response = ([(CONTENT_TYPE, json), token], text_of(&answer)?).into_response();
    if let Some(reason) = answer.truncated.and_then(|cut| HeaderValue::from_str(&cut.to_string()).ok()) {
        response.headers_mut().insert(TRUNCATED, reason);
    }
    Ok(response)
}

/// The tree as JSON. A tree may be deeper than the stack allows for recursion.
fn text_of(tree: &SubjectTree) -> Result<String, RestError> {
    let mut text = String::new();
    // Nodes that are open, each with the number of its children that were written.
    let mut open: Vec<(&SubjectNode, usize)> = Vec::new();
    let mut next = tree.nodes.first();
    loop {
        if let Some(node) = next.take() {
            let tuple = serde_json::to_string(&NodeTuple::of(node.subject.as_ref()));
            let tuple = tuple.map_err(|_| RestError::internal())?;
            // Writing to a String cannot fail.
            let _ = write!(text, "{{\"type\":\"{}\",\"tuple\":{tuple}", type_of(node));
            open.push((node, 0));
        }
        let Some((node, written)) = open.last_mut() else { return Ok(text) };
        if let Some(child) = node.children.get(*written).and_then(|child| tree.nodes.get(*child)) {
            text.push_str(if *written == 0 { ",\"children\":[" } else { "," });
            *written += 1;
            next = Some(child);
        } else {
            text.push_str(if *written == 0 { "}" } else { "]}" });
            open.pop();
        }
    }
}

/// A node without children is a leaf, whatever it stands for.
fn type_of(node: &SubjectNode) -> &'static str {
    match node.kind {
        _ if node.children.is_empty() => "leaf",
        NodeKind::Leaf => "leaf",
        NodeKind::Union => "union",
        NodeKind::Intersection => "intersection",
        NodeKind::Exclusion => "exclusion",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::relation_tuple::Subject;

    #[test]
    fn a_deep_tree_is_written_without_recursion() {
        const DEPTH: usize = 60_000;
        let node = |index: usize| SubjectNode {
            kind: NodeKind::Union,
            subject: Some(Subject::Id(index.to_string())),
            children: (index + 1 < DEPTH).then_some(index + 1).into_iter().collect(),
        };
        let text = text_of(&SubjectTree { nodes: (0..DEPTH).map(node).collect(), truncated: None }).unwrap();
        assert_eq!(text.matches("\"children\":[").count(), DEPTH - 1);
        assert_eq!(text.matches('{').count(), text.matches('}').count());
    }
}
