//! `POST /admin/relation-tuples/migrate-subjects`: gives plain subject ids a type, a page at a time.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use database::PageToken;
use serde::{Deserialize, Serialize};
use web::{Cx, RestError};

use super::json_bodies::JsonBody;
use super::wire::RelationTupleDocument;
use crate::Permissions;
use crate::domain::relation_tuple::StoredTuple;
use crate::domain::subject_map::SubjectMap;
use crate::domain::tuple_key::TupleKey;
use crate::operations::migrate_subjects::{MigrateSubjectsError, Migrated};

const TOKEN: PageToken<TupleKey> = PageToken::new("page of a migration of subjects");
/// The most maps of one request: each tuple is compared with all of them.
const MOST_MAPS: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
pub(super) struct Request {
    map: Vec<MapDocument>,
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    page_token: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
struct MapDocument {
    pattern: String,
    namespace: String,
}

#[derive(Serialize)]
pub(super) struct Answer {
    read: usize,
    migrated: usize,
    left: Vec<LeftDocument>,
    /// Empty on the last page.
    next_page_token: String,
}

#[derive(Serialize)]
struct LeftDocument {
    relation_tuple: RelationTupleDocument,
    reason: String,
}

pub(super) async fn post(
    State(permissions): State<Arc<Permissions>>,
    Cx(cx): Cx,
    RawQuery(query): RawQuery,
    JsonBody(Request { map, dry_run, page_token }): JsonBody<Request>,
) -> Result<Json<Answer>, RestError> {
    if query.is_some_and(|query| !query.is_empty()) {
        // `dry_run` in the URL would change the tuples.
        return Err(RestError::bad_request("the URL must have no parameters: all of them are members of the body"));
    }
    if map.is_empty() || map.len() > MOST_MAPS {
        let reason = format!("map: must have 1 to {MOST_MAPS} elements");
        return Err(RestError::bad_request(reason).with_detail("field", "map"));
    }
    let maps: Vec<SubjectMap> =
        map.into_iter().map(|MapDocument { pattern, namespace }| SubjectMap { pattern, namespace }).collect();
    let sealer = permissions.tokens.sealer(&cx).await?;
    let after = match page_token.as_str() {
        "" => None,
        token => Some(TOKEN.open(&sealer, cx.tenant, token).map_err(|_| {
            RestError::bad_request("page_token: not a token of a migration").with_detail("field", "page_token")
        })?),
    };
    let Migrated { read, migrated, left, next } = permissions.migrate_subjects(&cx, &maps, after, dry_run).await?;
    let left = left
        .into_iter()
        .map(|(tuple, reason)| LeftDocument { relation_tuple: StoredTuple::from(tuple).into(), reason });
    let next = next.map(|after| TOKEN.seal(&sealer, cx.tenant, after, cx.now));
    Ok(Json(Answer { read, migrated, left: left.collect(), next_page_token: next.unwrap_or_default() }))
}

impl From<MigrateSubjectsError> for RestError {
    fn from(error: MigrateSubjectsError) -> Self {
        match error {
            MigrateSubjectsError::Unloaded(unloaded) => unloaded.into(),
            MigrateSubjectsError::Invalid { index, invalid } => invalid.within(&format!("map[{index}]")).into(),
            MigrateSubjectsError::Database(error) => error.into(),
        }
    }
}
