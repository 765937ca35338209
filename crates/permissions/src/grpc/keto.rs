//! The services of Keto over relation tuples, namespaces and the version.

use std::sync::Arc;

use web::rpc::Status;

use super::errors::transact_error;
use super::lists::{Wanted, page};
use super::messages::keto;
use super::protocol::{Call, Procedure, Services, Unknown};
use super::wire;
use crate::Permissions;
use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::relation_tuple::StoredTuple;
use crate::domain::tuple_changes::TupleChange;

type Of = Services<Arc<Permissions>>;

macro_rules! procedure {
    ($method:literal) => {
        concat!("/ory.keto.relation_tuples.v1alpha2.", $method)
    };
}

/// The prefix of the paths of the version, which needs no token.
pub(crate) const PATH_OF_VERSION: &str = procedure!("VersionService/");

pub(super) fn read(services: Of) -> Of {
    let services = services.unary(Procedure::at(procedure!("ReadService/ListRelationTuples")), list);
    services.unary(Procedure::at(procedure!("NamespacesService/ListNamespaces")), list_namespaces)
}

pub(super) fn write(services: Of) -> Of {
    // A misspelt action or part of the query would change more than was meant, or less.
    let transact =
        Procedure::list(procedure!("WriteService/TransactRelationTuples")).with_unknown_fields(Unknown::Refused);
    let services = services.unary(transact, self::transact);
    let delete = Procedure::at(procedure!("WriteService/DeleteRelationTuples")).with_unknown_fields(Unknown::Refused);
    services.unary(delete, self::delete)
}

pub(super) fn version(services: Of) -> Of {
    services.unary(Procedure::at(procedure!("VersionService/GetVersion")), get_version)
}

async fn list(
    permissions: Arc<Permissions>,
    call: Call,
    request: keto::ListRelationTuplesRequest,
) -> Result<keto::ListRelationTuplesResponse, Status> {
    #[expect(deprecated, reason = "old clients send it")]
    let keto::ListRelationTuplesRequest { query, relation_query, snaptoken, page_size, page_token, .. } = request;
    let query = match (relation_query, query) {
        (Some(query), _) => wire::query(query).map_err(|invalid| invalid.within("relation_query"))?,
        (None, Some(query)) => {
            let texts = [query.namespace, query.object, query.relation];
            wire::deprecated_query(texts, query.subject).map_err(|invalid| invalid.within("query"))?
        }
        (None, None) => return Err(missing("relation_query")),
    };
    let wanted = Wanted { query, snaptoken, page_size, page_token };
    let (tuples, next_page_token) = page(&permissions, &call.cx, wanted).await?;
    let relation_tuples = tuples.into_iter().map(|stored| wire::tuple_message(stored.tuple)).collect();
    Ok(keto::ListRelationTuplesResponse { relation_tuples, next_page_token })
}

async fn list_namespaces(
    permissions: Arc<Permissions>,
    _: Call,
    _: keto::ListNamespacesRequest,
) -> Result<keto::ListNamespacesResponse, Status> {
    let namespaces = permissions.list_namespaces()?.into_iter().map(|name| keto::Namespace { name }).collect();
    Ok(keto::ListNamespacesResponse { namespaces })
}

async fn transact(
    permissions: Arc<Permissions>,
    call: Call,
    request: keto::TransactRelationTuplesRequest,
) -> Result<keto::TransactRelationTuplesResponse, Status> {
    let place = |index: usize, _: &str| format!("relation_tuple_deltas[{index}].relation_tuple");
    let changes = request.relation_tuple_deltas.into_iter().enumerate();
    let changes = changes.map(|(index, delta)| change(index, delta)).collect::<Result<Vec<_>, InvalidTuple>>()?;
    let insertions = changes.iter().filter(|change| matches!(change, TupleChange::Insert(_))).count();
    let changed = permissions.transact_relation_tuples(&call.cx, &changes).await;
    let (_, snaptoken) = changed.map_err(|error| transact_error(error, place))?;
    Ok(keto::TransactRelationTuplesResponse { snaptokens: vec![snaptoken; insertions] })
}

fn change(index: usize, delta: keto::RelationTupleDelta) -> Result<TupleChange, InvalidTuple> {
    use keto::relation_tuple_delta::Action;
    let of_delta = |field: &str| format!("relation_tuple_deltas[{index}].{field}");
    let action = delta.action();
    let tuple = wire::tuple(delta.relation_tuple).map_err(|it| it.at(&of_delta("relation_tuple")))?;
    match action {
        Action::Insert => Ok(TupleChange::Insert(StoredTuple::from(tuple))),
        Action::Delete => Ok(TupleChange::Delete(tuple)),
        // A change that is left out in silence would be acknowledged.
        Action::Unspecified => Err(InvalidTuple::field(of_delta("action"), "must be ACTION_INSERT or ACTION_DELETE")),
    }
}

async fn delete(
    permissions: Arc<Permissions>,
    call: Call,
    request: keto::DeleteRelationTuplesRequest,
) -> Result<keto::DeleteRelationTuplesResponse, Status> {
    #[expect(deprecated, reason = "old clients send it")]
    let keto::DeleteRelationTuplesRequest { query, relation_query } = request;
    let query = match (relation_query, query) {
        (Some(query), _) => wire::query(query).map_err(|invalid| invalid.within("relation_query"))?,
        (None, Some(query)) => {
            let texts = [query.namespace, query.object, query.relation];
            wire::deprecated_query(texts, query.subject).map_err(|invalid| invalid.within("query"))?
        }
        (None, None) => return Err(missing("relation_query")),
    };
    permissions.delete_relation_tuples(&call.cx, &query).await?;
    Ok(keto::DeleteRelationTuplesResponse {})
}

async fn get_version(
    _: Arc<Permissions>,
    _: Call,
    _: keto::GetVersionRequest,
) -> Result<keto::GetVersionResponse, Status> {
    Ok(keto::GetVersionResponse { version: env!("CARGO_PKG_VERSION").to_owned() })
}

fn missing(field: &str) -> Status {
    Status::invalid_argument(format!("{field}: is required")).with_field(field)
}
