//! A page of relation tuples, for the services that list them.

use base::{Context, PageRequest};
use web::rpc::Status;

use super::checks::consistency;
use crate::Permissions;
use crate::components::pages::{Position, QuestionDigest, TUPLES};
use crate::domain::relation_tuple::StoredTuple;
use crate::domain::tuple_query::TupleQuery;

/// What a client asks for.
pub(super) struct Wanted {
    pub(super) query: TupleQuery,
    pub(super) snaptoken: String,
    pub(super) page_size: i32,
    pub(super) page_token: String,
}

/// The tuples of a page, and the token of the next one: empty on the last.
pub(super) async fn page(
    permissions: &Permissions,
    cx: &Context,
    wanted: Wanted,
) -> Result<(Vec<StoredTuple>, String), Status> {
    let Wanted { query, snaptoken, page_size, page_token } = wanted;
    permissions.require_snapshot(cx, consistency(permissions, cx, false, &snaptoken).await?).await?;
    let sealer = permissions.tokens.sealer(cx).await?;
    let size = match u32::try_from(page_size) {
        Ok(size) if size > 0 => size.min(TUPLES.max_size),
        // Negative numbers ask for the default too.
        Ok(_) | Err(_) => TUPLES.default_size,
    };
    let question = QuestionDigest::of_query(&query);
    let after = match page_token.as_str() {
        "" => None,
        token => {
            let position = TUPLES.token.open(&sealer, cx.tenant, token).ok().and_then(|it| it.within(question));
            let invalid = || Status::invalid_argument("page_token: not a token of this query").with_field("page_token");
            Some(position.ok_or_else(invalid)?)
        }
    };
    let found = permissions.list_relation_tuples(cx, &query, &PageRequest { size, after }).await?;
    let seal = |after| TUPLES.token.seal(&sealer, cx.tenant, Position::new(question, after), cx.now);
    Ok((found.items, found.next.map(seal).unwrap_or_default()))
}
