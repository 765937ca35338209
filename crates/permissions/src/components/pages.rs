//! The pages of lists of relation tuples, for every protocol.
//!
//! Invariant: a token belongs to one query, so that a page never continues another list.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use web::paging::Listing;

use crate::domain::tuple_key::TupleKey;
use crate::domain::tuple_query::TupleQuery;

pub(crate) const LISTING: Listing<Position> = Listing::new("page of relation tuples", 100, 500);

/// The position of a page.
#[derive(Serialize, Deserialize)]
pub(crate) struct Position {
    query: [u8; 16],
    after: TupleKey,
}

impl Position {
    pub(crate) fn new(query: &TupleQuery, after: TupleKey) -> Self {
        Self { query: digest(query), after }
    }

    /// The position if it is one of `query`.
    pub(crate) fn within(self, query: &TupleQuery) -> Option<TupleKey> {
        (self.query == digest(query)).then_some(self.after)
    }
}

fn digest(query: &TupleQuery) -> [u8; 16] {
    let whole: [u8; 32] = Sha256::digest(format!("{query:?}")).into();
    std::array::from_fn(|index| whole[index])
}
