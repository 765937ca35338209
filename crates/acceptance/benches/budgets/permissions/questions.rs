//! The checks that are measured: each kind asks about many objects in turn, so that it does not measure one cache line.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use http::StatusCode;
use permissions::messages::keto;
use url::form_urlencoded;

use super::rpc::{self, Call};
use super::world::{BEHIND_TEN, SPECIAL, VIEWER_OF_TEN, World};
use crate::CONNECTIONS;
use crate::load::{Outcome, Shot, fire_in_turn};

/// Different questions of a kind.
const QUESTIONS: u32 = 512;

/// What a check finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The tuple itself.
    Direct,
    /// The document's folder, a group that views it, a member.
    Depth3,
    /// Nine folders, each in the next one, and a viewer of the last.
    Depth10,
    /// A member of the last of the groups in ten relations.
    WideUnion,
    /// Nothing, after everything was looked at.
    Denied,
}

impl Kind {
    pub(super) const ALL: [Self; 5] = [Self::Direct, Self::Depth3, Self::Depth10, Self::WideUnion, Self::Denied];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Depth3 => "depth 3",
            Self::Depth10 => "depth 10",
            Self::WideUnion => "wide union",
            Self::Denied => "denied",
        }
    }
}

/// A tuple with a user as its subject, and whether they have the relation.
struct Question {
    namespace: &'static str,
    object: String,
    relation: &'static str,
    user: String,
    allowed: bool,
}

impl Question {
    fn of(kind: Kind, world: World, number: u32) -> Self {
        // Spread over all documents.
        let spread = u64::from(number) * 2_654_435_761 % u64::from(world.documents - BEHIND_TEN);
        let document = u32::try_from(spread).unwrap_or_default() + BEHIND_TEN;
        let special = number % SPECIAL;
        let (namespace, object, relation, user) = match kind {
            Kind::Direct => ("Doc", World::document(document), "owners", world.owner(document)),
            Kind::Depth3 => ("Doc", World::document(document), "view", world.viewer_by_group(document)),
            Kind::Depth10 => ("Doc", World::chained_document(special), "view", world.viewer_by_chain(special)),
            Kind::WideUnion => ("Report", World::report(special), "open", world.reader_of_report(special)),
            Kind::Denied => ("Doc", World::document(document), "view", VIEWER_OF_TEN.to_owned()),
        };
        Self { namespace, object, relation, user, allowed: kind != Kind::Denied }
    }

    /// The status of this endpoint is the answer.
    fn shot(&self, address: SocketAddr) -> Shot {
        let mut path = "/relation-tuples/check?".to_owned();
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("namespace", self.namespace)
            .append_pair("object", &self.object)
            .append_pair("relation", self.relation)
            .append_pair("subject_set.namespace", "User")
            .append_pair("subject_set.object", &self.user)
            .append_pair("subject_set.relation", "")
            .finish();
        let _ = write!(path, "{query}");
        Shot::get(address, &path).expecting(if self.allowed { StatusCode::OK } else { StatusCode::FORBIDDEN })
    }

    fn call(&self) -> Call {
        let set = keto::SubjectSet { namespace: "User".into(), object: self.user.clone(), relation: String::new() };
        let tuple = keto::RelationTuple {
            namespace: self.namespace.into(),
            object: self.object.clone(),
            relation: self.relation.into(),
            subject: Some(keto::Subject { r#ref: Some(keto::subject::Ref::Set(set)) }),
        };
        Call::check(tuple, self.allowed)
    }
}

pub(super) fn shots(kind: Kind, world: World, address: SocketAddr) -> Vec<Shot> {
    (0..QUESTIONS).map(|number| Question::of(kind, world, number).shot(address)).collect()
}

/// Requests of one protocol.
#[derive(Clone, Debug)]
pub(super) enum Load {
    Rest(Arc<[Shot]>),
    Rpc(SocketAddr, Arc<[Call]>),
}

impl Load {
    /// Checks over REST and gRPC, each with the empty handler of its protocol.
    pub(super) fn both(kind: Kind, world: World, address: SocketAddr) -> [(&'static str, Self, Self); 2] {
        let calls = (0..QUESTIONS).map(|number| Question::of(kind, world, number).call()).collect();
        let empty = Self::Rest(Arc::from([Shot::get(address, "/health/alive")]));
        [
            ("REST", Self::Rest(shots(kind, world, address).into()), empty),
            ("gRPC", Self::Rpc(address, calls), Self::Rpc(address, Arc::from([Call::empty()]))),
        ]
    }

    pub(super) async fn fire(&self, time: Duration) -> Result<Outcome> {
        match self {
            Self::Rest(shots) => fire_in_turn(shots, CONNECTIONS, time).await,
            Self::Rpc(address, calls) => rpc::fire(*address, calls, time).await,
        }
    }
}
