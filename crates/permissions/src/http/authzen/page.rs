//! The pages of a search (section "Pagination").
//!
//! Invariant: a token continues only the search that it was made for: every member of the request is the same, except the token. A
//! limit that is left out is that of the page before.

use database::PageToken;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::request::object;
use crate::domain::access::{AccessRequest, RequestAttributes};
use crate::domain::condition::Object;
use crate::domain::invalid_tuple::InvalidTuple;
use crate::operations::search_access::Sought;

pub(super) const TOKEN: PageToken<Position> = PageToken::new("page of an access search");

const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 500;

pub(super) type RequestDigest = [u8; 16];

/// The content of a token.
#[derive(Serialize, Deserialize)]
pub(super) struct Position {
    pub(super) digest: RequestDigest,
    pub(super) limit: u32,
    pub(super) after: Option<String>,
}

/// Which page is asked for.
pub(super) struct Page {
    pub(super) limit: u32,
    pub(super) after: Option<String>,
}

impl Page {
    pub(super) fn read(
        value: Option<&Value>,
        digest: RequestDigest,
        open: impl FnOnce(&str) -> Option<Position>,
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
        if position.digest != digest || limit.is_some_and(|limit| limit != position.limit) {
            return Err(invalid("belongs to another request; nothing but the token may change from page to page"));
        }
        Ok(Self { limit: position.limit, after: position.after })
    }
}

/// Larger limits are reduced.
fn limit(value: &Value) -> Result<u32, InvalidTuple> {
    let limit = value.as_u64().ok_or_else(|| InvalidTuple::field("page.limit", "must be a whole number from 0"))?;
    Ok(u32::try_from(limit).unwrap_or(MAX_LIMIT).min(MAX_LIMIT))
}

/// The order of members does not matter.
pub(super) fn digest(sought: Sought, request: &AccessRequest) -> RequestDigest {
    let AccessRequest { tuple, attributes: RequestAttributes { subject, resource, action, context } } = request;
    let members = |object: &Option<Object>| object.as_ref().map(|it| Value::Object(it.as_map().clone()));
    let names = format!("{sought:?} {tuple:?}");
    let mut value = json!([names, members(subject), members(resource), members(action), members(context)]);
    value.sort_all_objects();
    let whole: [u8; 32] = Sha256::digest(value.to_string()).into();
    std::array::from_fn(|index| whole[index])
}
