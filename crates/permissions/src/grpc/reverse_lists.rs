//! The lists of objects and of subjects, as streams of all names.
//!
//! A list is read by searches, one after the other as its client takes the names, so that a stream holds a bounded number of them.
//! Invariants:
//! - Names are sorted over all responses, and none is repeated.
//! - Every search has the changes that the first one had. The last response says whether results may be missing; a stream that
//!   ends without it is not complete.

use std::sync::Arc;

use base::Context;
use base::shares::{Share, Shares};
use futures_util::stream::{self, StreamExt as _};
use web::rpc::{Code, Status};

use super::messages::{keto, kleis_v1 as kleis};
use super::protocol::{Call, Messages, Procedure, Services, Unknown};
use super::questions::{Options, OptionsMessage, failed, procedure, required_subject};
use super::wire;
use crate::Permissions;
use crate::domain::consistency::Consistency;
use crate::domain::reverse_question::ReverseQuestion;
use crate::domain::snapshot::Snapshot;
use crate::operations::Answered;
use crate::operations::list_names::{ListError, NameListing, Part};

/// The most names of a response.
const NAMES_AT_ONCE: usize = 1_000;
/// The most names of a search.
const NAMES_OF_SEARCH: usize = 5_000;
/// The lists of a listener that are sent at the same time.
const MOST_LISTS: usize = 64;

pub(super) fn read(services: Services<Arc<Permissions>>) -> Services<Arc<Permissions>> {
    let shares = Shares::of(MOST_LISTS);
    let of_objects = shares.clone();
    let services = services.server_streaming(&procedure!("ListObjects"), move |permissions, call, request| {
        list_objects(permissions, call, request, of_objects.clone())
    });
    services.server_streaming(&procedure!("ListSubjects"), move |permissions, call, request| {
        list_subjects(permissions, call, request, shares.clone())
    })
}

async fn list_objects(
    permissions: Arc<Permissions>,
    call: Call,
    request: kleis::ListObjectsRequest,
    shares: Shares,
) -> Result<Messages<kleis::ListObjectsResponse>, Status> {
    let kleis::ListObjectsRequest { namespace, relation, subject, context, consistency, max_depth } = request;
    let question = ReverseQuestion::objects(namespace, relation, required_subject(subject)?);
    let options = OptionsMessage { context, consistency, max_depth };
    let list = List::begin(permissions, call.cx, question, options, shares).await?;
    let response = |part| match part {
        Sent::Names(objects) => kleis::ListObjectsResponse { objects, end: None },
        Sent::End(end) => kleis::ListObjectsResponse { objects: Vec::new(), end: Some(end) },
    };
    Ok(list.send().map(move |part| part.map(response)).boxed())
}

async fn list_subjects(
    permissions: Arc<Permissions>,
    call: Call,
    request: kleis::ListSubjectsRequest,
    shares: Shares,
) -> Result<Messages<kleis::ListSubjectsResponse>, Status> {
    let kleis::ListSubjectsRequest { namespace, object, relation, context, consistency, max_depth, .. } = request;
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    let (of_namespace, of_relation) = (given(request.subject_namespace), given(request.subject_relation));
    let question = ReverseQuestion::subjects((namespace, object, relation), of_namespace, of_relation)?;
    let options = OptionsMessage { context, consistency, max_depth };
    let list = List::begin(permissions, call.cx, question.clone(), options, shares).await?;
    let subject = move |name| -> keto::Subject { wire::subject_message(question.subject_of(name)) };
    let response = move |part| match part {
        Sent::Names(names) => {
            kleis::ListSubjectsResponse { subjects: names.into_iter().map(&subject).collect(), end: None }
        }
        Sent::End(end) => kleis::ListSubjectsResponse { subjects: Vec::new(), end: Some(end) },
    };
    Ok(list.send().map(move |part| part.map(&response)).boxed())
}

enum Sent {
    Names(Vec<String>),
    End(kleis::ListEnd),
}

/// A list that is being sent.
struct List {
    permissions: Arc<Permissions>,
    cx: Context,
    question: ReverseQuestion,
    options: Options,
    /// What was found and not sent.
    names: std::vec::IntoIter<String>,
    /// The last name that was found, if more names follow it.
    after: Option<String>,
    /// That of the first search.
    snapshot: Snapshot,
    truncated: Option<String>,
    unresolved: Option<String>,
    #[expect(dead_code, reason = "counts this list while it is sent")]
    share: Share,
}

impl List {
    async fn begin(
        permissions: Arc<Permissions>,
        cx: Context,
        question: ReverseQuestion,
        options: OptionsMessage,
        shares: Shares,
    ) -> Result<Self, Status> {
        let options = Options::read(&permissions, &cx, options).await?;
        let refused = |full| Status::new(Code::ResourceExhausted, format!("Too many lists are being sent: {full}"));
        let share = shares.take(&cx).map_err(refused)?;
        let names = Vec::new().into_iter();
        let snapshot = Snapshot::default();
        let (after, truncated, unresolved) = (None, None, None);
        let mut list =
            Self { permissions, cx, question, options, names, after, snapshot, truncated, unresolved, share };
        list.snapshot = list.search().await.map_err(failed)?;
        list.options.consistency = Consistency::AtLeastAsFresh(list.snapshot);
        Ok(list)
    }

    fn send(self) -> Messages<Sent> {
        stream::unfold(Some(self), |list| async move {
            let mut list = list?;
            match list.next().await {
                Ok(Sent::Names(names)) => Some((Ok(Sent::Names(names)), Some(list))),
                Ok(end @ Sent::End(_)) => Some((Ok(end), None)),
                Err(status) => Some((Err(status), None)),
            }
        })
        .boxed()
    }

    async fn next(&mut self) -> Result<Sent, Status> {
        if *self.permissions.stopping.borrow() {
            return Err(Status::new(Code::Unavailable, "The server stops: ask again, here or at another node"));
        }
        while self.names.as_slice().is_empty() && self.after.is_some() {
            self.search().await.map_err(failed)?;
        }
        let names: Vec<String> = self.names.by_ref().take(NAMES_AT_ONCE).collect();
        if !names.is_empty() {
            return Ok(Sent::Names(names));
        }
        Ok(Sent::End(kleis::ListEnd {
            truncated: self.truncated.take().unwrap_or_default(),
            unresolved: self.unresolved.take().unwrap_or_default(),
            snaptoken: self.permissions.issue_snaptoken(&self.cx, self.snapshot).await?,
        }))
    }

    /// Finds the names that follow, and returns the snapshot that they are of.
    async fn search(&mut self) -> Result<Snapshot, ListError> {
        let after = self.after.take();
        let part = Part { after: after.as_deref(), limit: NAMES_OF_SEARCH };
        let Self { permissions, cx, question, options, .. } = self;
        let Answered { answer, snapshot } = permissions.list_names(cx, question, part, options.check()).await?;
        let NameListing { names, has_more, truncated, unresolved } = answer;
        self.after = names.last().filter(|_| has_more).cloned();
        self.names = names.into_iter();
        // The reasons of all searches are alike; the first one is enough.
        self.truncated = self.truncated.take().or(truncated);
        self.unresolved = self.unresolved.take().or(unresolved);
        Ok(snapshot)
    }
}
