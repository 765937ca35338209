//! Changes of relation tuples as a stream, as server-sent events have them.
//!
//! Invariant: a response with a token is a position. Whoever continues from it receives what comes after, and nothing again.

use std::collections::VecDeque;
use std::sync::Arc;

use base::Timestamp;
use futures_util::stream::{self, StreamExt as _};
use prost::Message as _;
use web::rpc::{Code, Status};

use super::checks::snapshot;
use super::kleis::{message, time_message};
use super::messages::kleis_v1 as kleis;
use super::protocol::{Call, Messages, Procedure, Services, Unknown};
use super::wire;
use crate::Permissions;
use crate::domain::tuple_changes::TupleChange;
use crate::operations::watch_relation_tuples::{Watch, WatchEvent};

/// A response has about as many bytes, far fewer than the 4 MiB that clients accept unless they are configured.
const RESPONSE_BYTES: usize = 1 << 20;

type Response = kleis::WatchRelationTuplesResponse;

pub(super) fn read(services: Services<Arc<Permissions>>) -> Services<Arc<Permissions>> {
    let path = "/kleis.permissions.v1.RelationTupleReadService/WatchRelationTuples";
    // A misspelt token would skip changes.
    services.server_streaming(&Procedure::at(path).with_unknown_fields(Unknown::Refused), watch)
}

async fn watch(
    permissions: Arc<Permissions>,
    call: Call,
    request: kleis::WatchRelationTuplesRequest,
) -> Result<Messages<Response>, Status> {
    let kleis::WatchRelationTuplesRequest { query, snaptoken } = request;
    let filter = wire::query(query.unwrap_or_default()).map_err(|invalid| invalid.within("query"))?;
    let from = snapshot(&permissions, &call.cx, &snaptoken).await?;
    let watch = permissions.watch_relation_tuples(&call.cx, filter, from).await?;
    Ok(stream::unfold(Some((watch, VecDeque::new())), next).boxed())
}

type State = (Watch, VecDeque<Response>);

/// The stream ends after an error.
async fn next(state: Option<State>) -> Option<(Result<Response, Status>, Option<State>)> {
    let (mut watch, mut parts) = state?;
    if parts.is_empty() {
        match watch.next().await {
            Some(Ok(event)) => parts = responses(event),
            Some(Err(error)) => return Some((Err(error.into()), None)),
            None => return Some((Err(stopping()), None)),
        }
    }
    let part = parts.pop_front()?;
    Some((Ok(part), Some((watch, parts))))
}

/// Clients call again after this status, and another node may answer.
fn stopping() -> Status {
    Status::new(Code::Unavailable, "The server stops: continue with the last token, here or at another node")
}

/// An event as one response, or as several if it is large.
fn responses(event: WatchEvent) -> VecDeque<Response> {
    use kleis::watch_relation_tuples_response::Event;
    match event {
        WatchEvent::Heartbeat { snaptoken } => {
            [Response { event: Some(Event::Heartbeat(kleis::Heartbeat {})), snaptoken }].into()
        }
        WatchEvent::Changed { at, changes, snaptoken } => {
            let mut parts = parts(changes.into_iter().map(change));
            let last = parts.pop().unwrap_or_default();
            let part = |changes, snaptoken| response(at, changes, snaptoken);
            let mut responses: VecDeque<_> = parts.into_iter().map(|it| part(it, String::new())).collect();
            responses.push_back(part(last, snaptoken));
            responses
        }
    }
}

fn response(at: Timestamp, changes: Vec<kleis::RelationTupleChange>, snaptoken: String) -> Response {
    use kleis::watch_relation_tuples_response::Event;
    let change = kleis::RelationTuplesChanged { at: Some(time_message(at)), changes };
    Response { event: Some(Event::Change(change)), snaptoken }
}

/// The changes in their order, in parts of limited size.
fn parts(changes: impl Iterator<Item = kleis::RelationTupleChange>) -> Vec<Vec<kleis::RelationTupleChange>> {
    let (mut parts, mut part, mut bytes) = (Vec::new(), Vec::new(), 0);
    for change in changes {
        let length = change.encoded_len();
        if bytes + length > RESPONSE_BYTES && !part.is_empty() {
            parts.push(std::mem::take(&mut part));
            bytes = 0;
        }
        bytes += length;
        part.push(change);
    }
    parts.push(part);
    parts
}

fn change(change: TupleChange) -> kleis::RelationTupleChange {
    use kleis::relation_tuple_change::Change;
    let change = match change {
        TupleChange::Insert(stored) => Change::Insert(message(stored)),
        TupleChange::Delete(tuple) => Change::Delete(wire::tuple_message(tuple)),
    };
    kleis::RelationTupleChange { change: Some(change) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::relation_tuple::{RelationTuple, StoredTuple, Subject, TupleCondition};

    fn insert(number: usize, bytes: usize) -> TupleChange {
        let (namespace, object, relation) = ("Doc".to_owned(), number.to_string(), "viewer".to_owned());
        let tuple = RelationTuple { namespace, object, relation, subject: Subject::Id("ada".into()) };
        let context = Some(format!("{{\"text\":\"{}\"}}", "x".repeat(bytes)));
        let condition = Some(TupleCondition { name: "c".into(), context });
        TupleChange::Insert(StoredTuple { condition, ..StoredTuple::from(tuple) })
    }

    fn changed(count: usize, bytes: usize) -> Vec<Response> {
        let changes = (0..count).map(|number| insert(number, bytes)).collect();
        responses(WatchEvent::Changed { at: Timestamp::EPOCH, changes, snaptoken: "token".into() }).into()
    }

    #[test]
    fn a_change_that_clients_could_not_receive_whole_comes_in_parts_of_which_the_last_is_a_position() {
        use kleis::relation_tuple_change::Change;
        use kleis::watch_relation_tuples_response::Event;
        assert_eq!(changed(1_000, 100).len(), 1);
        let parts = changed(1_000, 4_000);
        assert!((4..=5).contains(&parts.len()), "{}", parts.len());
        let mut objects = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            assert!(part.encoded_len() < RESPONSE_BYTES + 1_000, "{}", part.encoded_len());
            assert_eq!(part.snaptoken, if index + 1 == parts.len() { "token" } else { "" });
            let Some(Event::Change(change)) = &part.event else { panic!("{part:?}") };
            for change in &change.changes {
                let Some(Change::Insert(stored)) = &change.change else { panic!("{change:?}") };
                objects.push(stored.tuple.as_ref().unwrap().object.clone());
            }
        }
        assert_eq!(objects, (0..1_000).map(|number| number.to_string()).collect::<Vec<_>>());
    }
}
