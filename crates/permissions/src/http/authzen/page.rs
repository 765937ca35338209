//! The pages of a search (section "Pagination").
//!
//! Invariant: a token continues only the search that it was made for: every member of the request is the same, except the token. A
//! limit that is left out is that of the page before.

use serde_json::Value;

use super::request::object;
use crate::components::pages::{Position, QuestionDigest};
use crate::domain::invalid_tuple::InvalidTuple;

const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 500;

/// Which page is asked for.
pub(super) struct Page {
    pub(super) limit: u32,
    pub(super) after: Option<String>,
}

impl Page {
    pub(super) fn read(
        value: Option<&Value>,
        question: QuestionDigest,
        open: impl FnOnce(&str) -> Option<Position<(u32, Option<String>)>>,
    ) -> Result<Self, InvalidTuple> {
        let Some(value) = value else { return Ok(Self { limit: DEFAULT_LIMIT, after: None }) };
        let page = object(value, "page")?;
        let limit = page.get("limit").map(limit).transpose()?;
        let invalid = |problem: &str| InvalidTuple::field("page.token", problem);
        let token = match page.get("token").map(Value::as_str) {
            // It is that of a last page.
            None | Some(Some("")) => return Ok(Self { limit: limit.unwrap_or(DEFAULT_LIMIT), after: None }),
            Some(Some(token)) => token,
            Some(None) => return Err(invalid("must be a string")),
        };
        let position = open(token).ok_or_else(|| invalid("is not a token of a search"))?;
        match position.within(question) {
            Some((its_limit, after)) if limit.is_none_or(|limit| limit == its_limit) => {
                Ok(Self { limit: its_limit, after })
            }
            _ => Err(invalid("belongs to another request; nothing but the token may change from page to page")),
        }
    }
}

/// Larger limits are reduced.
fn limit(value: &Value) -> Result<u32, InvalidTuple> {
    let limit = value.as_u64().ok_or_else(|| InvalidTuple::field("page.limit", "must be a whole number from 0"))?;
    Ok(u32::try_from(limit).unwrap_or(MAX_LIMIT).min(MAX_LIMIT))
}
