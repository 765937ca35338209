//! The pages of reverse questions, for every protocol.
//!
//! Invariant: a token belongs to one question with its attributes and its depth, so that a page never continues another list.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use web::paging::Listing;

use crate::domain::condition::Object;

pub(crate) const QUESTIONS: Listing<Position> = Listing::new("page of a reverse question", 100, 10_000);

pub(crate) type QuestionDigest = [u8; 16];

/// The position of a page.
#[derive(Serialize, Deserialize)]
pub(crate) struct Position {
    question: QuestionDigest,
    after: String,
}

impl Position {
    pub(crate) fn new(question: QuestionDigest, after: String) -> Self {
        Self { question, after }
    }

    /// The name of the last result, if this is a position of `question`.
    pub(crate) fn within(self, question: QuestionDigest) -> Option<String> {
        (self.question == question).then_some(self.after)
    }
}

/// The order of members of the context does not matter.
pub(crate) fn digest(
    question: &impl std::fmt::Debug,
    context: Option<&Object>,
    max_depth: Option<i64>,
) -> QuestionDigest {
    let context = context.map(|it| Value::Object(it.as_map().clone()));
    let mut value = json!([format!("{question:?}"), context, max_depth]);
    value.sort_all_objects();
    let whole: [u8; 32] = Sha256::digest(value.to_string()).into();
    std::array::from_fn(|index| whole[index])
}
