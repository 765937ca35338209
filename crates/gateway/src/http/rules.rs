//! `GET /rules` and `GET /rules/{id}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::response::IntoResponse;
use web::RestError;

use crate::domain::rule::Rule;
use crate::service::Gateway;

const DEFAULT_LIMIT: usize = 50;
const LARGEST_LIMIT: usize = 500;

/// Invalid numbers count as absent.
pub(super) async fn list(State(gateway): State<Arc<Gateway>>, RawQuery(query): RawQuery) -> Json<Vec<Arc<Rule>>> {
    let query = query.unwrap_or_default();
    let number = |name: &str| {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find(|(its_name, _)| its_name == name).and_then(|(_, value)| value.parse::<usize>().ok())
    };
    let limit = number("limit").filter(|limit| *limit > 0).unwrap_or(DEFAULT_LIMIT).min(LARGEST_LIMIT);
    Json(gateway.list_rules(limit, number("offset").unwrap_or(0)))
}

pub(super) async fn get(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, RestError> {
    gateway.get_rule(&id).map(Json).ok_or_else(|| RestError::not_found(format!("there is no access rule `{id}`")))
}
