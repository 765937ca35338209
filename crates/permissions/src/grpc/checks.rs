//! Keto's services of checks and expansions.

use std::sync::Arc;

use base::Context;
use web::rpc::Status;

use super::messages::keto;
use super::protocol::{Call, Procedure, Services};
use super::wire;
use crate::Permissions;
use crate::domain::consistency::Consistency;
use crate::domain::evaluation::expand::NodeKind;
use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::relation_tuple::{RelationTuple, Subject};
use crate::domain::snapshot::Snapshot;
use crate::operations::check::CheckOptions;
use crate::operations::expand::{SubjectNode, SubjectTree};

type Of = Services<Arc<Permissions>>;

/// The levels of a tree: clients do not decode messages that are nested more deeply, and the encoder is recursive.
const DEEPEST_TREE: i64 = 50;

pub(super) fn read(services: Of) -> Of {
    let services = services.unary(Procedure::at("/ory.keto.relation_tuples.v1alpha2.CheckService/Check"), check);
    let batch = Procedure::at("/ory.keto.relation_tuples.v1alpha2.CheckService/BatchCheck");
    let services = services.unary(batch, batch_check);
    services.unary(Procedure::at("/ory.keto.relation_tuples.v1alpha2.ExpandService/Expand"), expand)
}

async fn check(
    permissions: Arc<Permissions>,
    call: Call,
    request: keto::CheckRequest,
) -> Result<keto::CheckResponse, Status> {
    let (latest, max_depth) = (request.latest, request.max_depth);
    let snaptoken = request.snaptoken.clone();
    let tuple = checked_tuple(request)?;
    let consistency = consistency(&permissions, &call.cx, latest, &snaptoken).await?;
    let options = CheckOptions { max_depth: Some(max_depth.into()), context: None, consistency };
    let answered = permissions.check(&call.cx, &tuple, options).await?;
    let snaptoken = permissions.issue_snaptoken(&call.cx, answered.snapshot).await?;
    Ok(keto::CheckResponse { allowed: answered.answer, snaptoken })
}

/// The member `tuple`, or the deprecated members in its place.
fn checked_tuple(request: keto::CheckRequest) -> Result<RelationTuple, InvalidTuple> {
    #[expect(deprecated, reason = "old clients send it")]
    let keto::CheckRequest { namespace, object, relation, subject, tuple, .. } = request;
    if tuple.is_some() {
        return wire::tuple(tuple).map_err(|missing| missing.at("tuple"));
    }
    let subject = wire::subject(subject)?.ok_or_else(|| InvalidTuple::field("subject", wire::NO_SUBJECT))?;
    Ok(RelationTuple { namespace, object, relation, subject })
}

async fn batch_check(
    permissions: Arc<Permissions>,
    call: Call,
    request: keto::BatchCheckRequest,
) -> Result<keto::BatchCheckResponse, Status> {
    let keto::BatchCheckRequest { tuples, latest, snaptoken, max_depth } = request;
    let consistency = consistency(&permissions, &call.cx, latest, &snaptoken).await?;
    let options = CheckOptions { max_depth: Some(max_depth.into()), context: None, consistency };
    let answered = permissions.batch_check(&call.cx, wire::tuples(tuples), options).await?;
    let snaptoken = permissions.issue_snaptoken(&call.cx, answered.snapshot).await?;
    let result = |checked: Result<bool, _>| keto::CheckResponseWithError {
        allowed: matches!(checked, Ok(true)),
        error: checked.err().map(|error: crate::operations::check::CheckError| error.in_batch()).unwrap_or_default(),
        snaptoken: snaptoken.clone(),
    };
    Ok(keto::BatchCheckResponse { results: answered.answer.into_iter().map(result).collect() })
}

async fn expand(
    permissions: Arc<Permissions>,
    call: Call,
    request: keto::ExpandRequest,
) -> Result<keto::ExpandResponse, Status> {
    let keto::ExpandRequest { subject, max_depth, snaptoken } = request;
    let subject = wire::subject(subject)?.ok_or_else(|| InvalidTuple::field("subject", wire::NO_SUBJECT))?;
    let Subject::Set(set) = subject else {
        // An id has no members.
        let tree = Some(node(keto::NodeType::Leaf, Some(subject)));
        return Ok(keto::ExpandResponse { tree, truncated: String::new() });
    };
    let consistency = consistency(&permissions, &call.cx, false, &snaptoken).await?;
    let depth = match i64::from(max_depth) {
        depth if depth > 0 => depth.min(DEEPEST_TREE),
        _ => i64::from(permissions.limits.max_read_depth).min(DEEPEST_TREE),
    };
    let answered = permissions.expand(&call.cx, &set, Some(depth), consistency).await?;
    let truncated = answered.answer.truncated.map(|cut| cut.to_string()).unwrap_or_default();
    Ok(keto::ExpandResponse { tree: tree(&answered.answer), truncated })
}

/// The nodes as messages within each other. A node without children is a leaf, whatever it stands for.
fn tree(tree: &SubjectTree) -> Option<keto::SubjectTree> {
    // Children have higher positions than their parents.
    let mut messages: Vec<Option<keto::SubjectTree>> = vec![None; tree.nodes.len()];
    for (index, SubjectNode { kind, subject, children }) in tree.nodes.iter().enumerate().rev() {
        let of_children: Vec<keto::SubjectTree> =
            children.iter().filter_map(|child| messages.get_mut(*child)?.take()).collect();
        let node_type = match kind {
            _ if of_children.is_empty() => keto::NodeType::Leaf,
            NodeKind::Leaf => keto::NodeType::Leaf,
            NodeKind::Union => keto::NodeType::Union,
            NodeKind::Intersection => keto::NodeType::Intersection,
            NodeKind::Exclusion => keto::NodeType::Exclusion,
        };
        let message = keto::SubjectTree { children: of_children, ..node(node_type, subject.clone()) };
        if let Some(place) = messages.get_mut(index) {
            *place = Some(message);
        }
    }
    messages.into_iter().next().flatten()
}

fn node(node_type: keto::NodeType, subject: Option<Subject>) -> keto::SubjectTree {
    let subject = subject.map(wire::subject_message);
    let tuple = keto::RelationTuple { subject: subject.clone(), ..keto::RelationTuple::default() };
    #[expect(deprecated, reason = "old clients read it")]
    keto::SubjectTree { node_type: node_type.into(), subject, tuple: Some(tuple), children: Vec::new() }
}

pub(super) async fn consistency(
    permissions: &Permissions,
    cx: &Context,
    latest: bool,
    snaptoken: &str,
) -> Result<Consistency, Status> {
    Ok(match snapshot(permissions, cx, snaptoken).await? {
        _ if latest => Consistency::FullyConsistent,
        Some(snapshot) => Consistency::AtLeastAsFresh(snapshot),
        None => Consistency::MinimizeLatency,
    })
}

/// The snapshot of a token; `None` if it is empty.
pub(super) async fn snapshot(
    permissions: &Permissions,
    cx: &Context,
    snaptoken: &str,
) -> Result<Option<Snapshot>, Status> {
    if snaptoken.is_empty() {
        return Ok(None);
    }
    Ok(Some(permissions.open_snaptoken(cx, snaptoken).await?))
}
